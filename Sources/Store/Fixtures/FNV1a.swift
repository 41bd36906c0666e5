/// FNV-1a of 64 bits: tells data apart that nobody makes alike on purpose.
struct FNV1a {
    /// The hash of what was added so far.
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Adds octets, and that they end here.
    mutating func add(_ octets: some Sequence<UInt8>) {
        for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        // An octet that UTF-8 does not have.
        hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }

    /// The hash, in hexadecimal.
    var text: String { String(hash, radix: 16) }
}
