/// SHA-256 digests (FIPS 180-4).
package struct SHA256Digest: Sendable {
    private var context = SHA256Context()

    /// A digest of no octets yet.
    package init() {}

    /// Takes in more of the message.
    package mutating func update(_ octets: UnsafeRawBufferPointer) {
        if !isKnownUniquelyReferenced(&context) { context = SHA256Context(context) }
        context.update(octets)
    }

    /// The 32 octets for the message so far, which may grow further.
    package var octets: [UInt8] { SHA256Context(context).finish() }

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
    private let context: HMACContext

    /// The code under a key of any length.
    package init(key: some Collection<UInt8>) {
        context = withContiguousOctets(of: key) { HMACContext(key: $0) }
    }

    /// The 32 octets over a message.
    package func code(over message: some Collection<UInt8>) -> [UInt8] {
        withContiguousOctets(of: message) { context.code(over: $0) }
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
