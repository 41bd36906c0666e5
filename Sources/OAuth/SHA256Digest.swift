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
    private let key: SymmetricKey

    /// The code under a key of any length.
    package init(key: some Collection<UInt8>) {
        self.key = withContiguousOctets(of: key) { SymmetricKey(data: $0) }
    }

    /// The 32 octets over a message, which may be given in two pieces.
    package func code(
        over first: some Collection<UInt8>,
        _ second: some Collection<UInt8> = EmptyCollection()
    ) -> [UInt8] {
        var code = HMAC<SHA256>(key: key)
        withContiguousOctets(of: first) { code.update(data: $0) }
        withContiguousOctets(of: second) { code.update(data: $0) }
        return Array(code.finalize())
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
