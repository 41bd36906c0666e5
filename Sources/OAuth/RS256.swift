// The one file that knows the RSA of the cryptography library. It takes and gives octets, so that
// the library's `Data` (FoundationEssentials) goes no further.

import Crypto
import CryptoExtras
import FoundationEssentials

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
enum RS256 {
    /// A private key and its public half.
    struct PrivateKey: Sendable {
        private let key: _RSA.Signing.PrivateKey
        let publicKey: PublicKey

        /// A key from its numbers, unsigned and big-endian (RFC 7518 §6.3).
        ///
        /// The library computes dp, dq and qi itself, and checks that the numbers belong together.
        init(
            modulus: [UInt8],
            publicExponent: [UInt8],
            privateExponent: [UInt8],
            firstPrime: [UInt8],
            secondPrime: [UInt8]
        ) throws(SigningKeyError) {
            do {
                key = try _RSA.Signing.PrivateKey(
                    n: modulus,
                    e: publicExponent,
                    d: privateExponent,
                    p: firstPrime,
                    q: secondPrime
                )
            } catch {
                throw .inconsistentKey
            }
            publicKey = try PublicKey(key.publicKey)
        }

        /// A new key of 2048 bits, from the library's own source of chance.
        init() throws(SigningKeyError) {
            do {
                key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
            } catch {
                throw .generationFailed
            }
            publicKey = try PublicKey(key.publicKey)
        }

        /// The signature over a message, as long as the modulus.
        func signature(over message: UnsafeBufferPointer<UInt8>) throws(SigningKeyError) -> [UInt8]
        {
            var digest = SHA256()
            digest.update(bufferPointer: UnsafeRawBufferPointer(message))
            do {
                let signature = try key.signature(
                    for: digest.finalize(),
                    padding: .insecurePKCS1v1_5
                )
                return Array(signature.rawRepresentation)
            } catch {
                throw .signingFailed
            }
        }
    }

    /// A public key.
    struct PublicKey: Sendable {
        private let key: _RSA.Signing.PublicKey
        /// `n`, big-endian, without leading zeros.
        let modulus: [UInt8]
        /// `e`, big-endian, without leading zeros.
        let exponent: [UInt8]

        fileprivate init(_ key: _RSA.Signing.PublicKey) throws(SigningKeyError) {
            self.key = key
            do {
                let primitives = try key.getKeyPrimitives()
                modulus = Array(primitives.modulus)
                exponent = Array(primitives.publicExponent)
            } catch {
                throw .inconsistentKey
            }
        }

        /// Whether a signature over a message was made with the private half.
        func isValid(
            _ signature: [UInt8],
            over message: UnsafeBufferPointer<UInt8>
        ) -> Bool {
            var digest = SHA256()
            digest.update(bufferPointer: UnsafeRawBufferPointer(message))
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature),
                for: digest.finalize(),
                padding: .insecurePKCS1v1_5
            )
        }

        /// The SubjectPublicKeyInfo in PEM (RFC 7468 §13), as a server would have it in a file.
        var pem: String { key.pemRepresentation }
    }
}
