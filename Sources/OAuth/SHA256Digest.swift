import Crypto

/// SHA-256 digests (FIPS 180-4).
package struct SHA256Digest: Sendable {
    private var state = SHA256()

    /// A digest of no octets yet.
    package init() {}

    /// Takes in more of the message.
    package mutating func update(_ octets: UnsafeRawBufferPointer) {
        state.update(bufferPointer: octets)
    }

    /// The 32 octets for the message so far, which may grow further.
    package var octets: [UInt8] { Array(state.finalize()) }

    /// The 32 octets for a whole message.
    package static func octets(of message: some Collection<UInt8>) -> [UInt8] {
        var digest = SHA256Digest()
        withContiguousOctets(of: message) { digest.update($0) }
        return digest.octets
    }

    /// The 64 lower-case hexadecimal digits for a whole message.
    package static func hexadecimal(of message: some Collection<UInt8>) -> String {
        Hexadecimal.encode(octets(of: message))
    }
}

/// HMAC with SHA-256 (RFC 2104) under one key.
package struct HMACSHA256: Sendable {
    /// The state once the key has been taken in, from which each message goes on.
    private let keyed: HMAC<SHA256>

    /// The code under a key of any length.
    package init(key: some Collection<UInt8>) {
        keyed = HMAC(key: withContiguousOctets(of: key) { SymmetricKey(data: $0) })
    }

    /// The 32 octets over a message.
    package func code(over message: some Collection<UInt8>) -> [UInt8] {
        withContiguousOctets(of: message) { message in
            var code = keyed
            code.update(data: message)
            return Array(code.finalize())
        }
    }
}

/// Lends the octets of a collection, copied first where they are not contiguous.
func withContiguousOctets<Result>(
    of octets: some Collection<UInt8>,
    _ body: (UnsafeRawBufferPointer) -> Result
) -> Result {
    let result = octets.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
    return result ?? Array(octets).withUnsafeBytes(body)
}
