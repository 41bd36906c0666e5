/// A digest of 128 bits: what the journal keeps instead of a secret, a name or a body.
///
/// Two digests made with the same key are equal exactly when their octets were (but for a chance
/// of about one in 2⁶⁴ among all requests a journal can hold); without the key, nobody can try
/// out values against them.
package struct JournalDigest: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The SipHash-2-4 digest of 128 bits of some octets.
    package init(of octets: some Collection<UInt8>, key: Key) {
        let digest = octets.withContiguousStorageIfAvailable {
            Self.sipHash(UnsafeRawBufferPointer($0), key)
        }
        self = digest ?? Array(octets).withUnsafeBytes { Self.sipHash($0, key) }
    }

    /// The SipHash-2-4 digest of 128 bits of a text as UTF-8.
    package init(of text: String, key: Key) {
        var text = text
        self = text.withUTF8 { Self.sipHash(UnsafeRawBufferPointer($0), key) }
    }

    /// The key of the digests of one server: random, or derived from its secret.
    package struct Key: Sendable {
        fileprivate let first: UInt64
        fileprivate let second: UInt64

        package init(_ first: UInt64, _ second: UInt64) {
            self.first = first
            self.second = second
        }
    }

    /// 32 lower-case hexadecimal digits, in the octet order of the SipHash reference.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 32) { buffer in
            var index = 0
            for word in [high, low] {
                for shift in stride(from: UInt64(0), to: 64, by: 8) {
                    let octet = UInt8(truncatingIfNeeded: word >> shift)
                    buffer[index] = digits[Int(octet >> 4)]
                    buffer[index + 1] = digits[Int(octet & 15)]
                    index += 2
                }
            }
            return 32
        }
    }

    /// SipHash-2-4 with a result of 128 bits (Aumasson and Bernstein, 2012, and its reference code).
    private static func sipHash(_ octets: UnsafeRawBufferPointer, _ key: Key) -> JournalDigest {
        var state = SipState(key.first, key.second)
        let whole = octets.count & ~7
        for offset in stride(from: 0, to: whole, by: 8) {
            let word = octets.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state.absorb(UInt64(littleEndian: word))
        }
        var tail = UInt64(truncatingIfNeeded: octets.count) << 56
        for offset in whole..<octets.count {
            tail |= UInt64(octets[offset]) << UInt64(8 * (offset - whole))
        }
        state.absorb(tail)
        return state.finish()
    }
}

/// The four words that SipHash mixes.
private struct SipState {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ first: UInt64, _ second: UInt64) {
        // The reference spells "somepseudorandomlygeneratedbytes" in these constants.
        v0 = 0x736f_6d65_7073_6575 ^ first
        v1 = 0x646f_7261_6e64_6f6d ^ second ^ 0xee
        v2 = 0x6c79_6765_6e65_7261 ^ first
        v3 = 0x7465_6462_7974_6573 ^ second
    }

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func finish() -> JournalDigest {
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let high = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return JournalDigest(high: high, low: v0 ^ v1 ^ v2 ^ v3)
    }

    private mutating func round() {
        v0 &+= v1
        v1 = v1 << 13 | v1 >> 51
        v1 ^= v0
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v3
        v3 = v3 << 16 | v3 >> 48
        v3 ^= v2
        v0 &+= v3
        v3 = v3 << 21 | v3 >> 43
        v3 ^= v0
        v2 &+= v1
        v1 = v1 << 17 | v1 >> 47
        v1 ^= v2
        v2 = v2 << 32 | v2 >> 32
    }
}
