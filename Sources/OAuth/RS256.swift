/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
enum RS256 {
    /// A private key and its public half.
    struct PrivateKey: Sendable {
        private let key: RSAKey
        let publicKey: PublicKey

        /// A key from its numbers, unsigned and big-endian (RFC 7518 §6.3).
        ///
        /// dp, dq and qi are computed from them, once they are found to belong together.
        init(
            modulus: [UInt8],
            publicExponent: [UInt8],
            privateExponent: [UInt8],
            firstPrime: [UInt8],
            secondPrime: [UInt8]
        ) throws(SigningKeyError) {
            let made = RSAKey.made(
                n: modulus,
                e: publicExponent,
                d: privateExponent,
                p: firstPrime,
                q: secondPrime
            )
            guard let made else { throw .inconsistentKey }
            key = made
            publicKey = PublicKey(made)
        }

        /// A new key of 2048 bits, from the library's own source of chance.
        init() throws(SigningKeyError) {
            guard let made = RSAKey.generated() else { throw .generationFailed }
            key = made
            publicKey = PublicKey(made)
        }

        /// The signature over a message, as long as the modulus.
        func signature(over message: UnsafeBufferPointer<UInt8>) throws(SigningKeyError) -> [UInt8]
        {
            guard let signature = key.signature(over: message) else { throw .signingFailed }
            return signature
        }
    }

    /// A public key.
    struct PublicKey: Sendable {
        private let key: RSAKey
        /// `n`, big-endian, without leading zeros.
        let modulus: [UInt8]
        /// `e`, big-endian, without leading zeros.
        let exponent: [UInt8]

        fileprivate init(_ key: RSAKey) {
            self.key = key
            modulus = key.modulus
            exponent = key.publicExponent
        }

        /// Whether a signature over a message was made with the private half.
        func isValid(
            _ signature: [UInt8],
            over message: UnsafeBufferPointer<UInt8>
        ) -> Bool {
            key.isValid(signature, over: message)
        }

        /// The SubjectPublicKeyInfo in PEM (RFC 7468 §13), as a server would have it in its settings:
        /// without the line feed at the end.
        var pem: [UInt8] { key.publicPEM.dropLast() }
    }
}
