/// Searches that look at eight octets at a time.
enum OctetScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The offset of the first LF in the range, or its end.
    @inline(__always)
    static func lineFeed(in octets: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        while index &+ 8 <= end {
            let word = UInt64(
                littleEndian: octets.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
            let difference = word ^ (ones &* 0x0A)
            let zeros = (difference &- ones) & ~difference & tops
            if zeros != 0 { return index &+ zeros.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end, octets[index] != 0x0A { index &+= 1 }
        return index
    }

    /// Eight octets with the top bit set in one of them, at least, unless all are printable ASCII.
    ///
    /// A borrow or a carry comes only from an octet that has its own bit set.
    @inline(__always)
    private static func marks(_ word: UInt64) -> UInt64 {
        (word &- ones &* 0x20) | (word &+ ones) | word
    }

    /// The offset of the first control character (HTAB included) or DEL in the range, or its end.
    @inline(__always)
    static func control(in octets: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        // Most text is printable ASCII: sixteen octets are asked at once whether they are.
        while index &+ 16 <= end {
            let one = octets.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let other = octets.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)
            if (marks(one) | marks(other)) & tops != 0 { break }
            index &+= 16
        }
        while index &+ 8 <= end {
            let word = UInt64(
                littleEndian: octets.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
            let below = (word &- (ones &* 0x20)) & ~word & tops
            let difference = word ^ (ones &* 0x7F)
            let deletes = (difference &- ones) & ~difference & tops
            // A borrow can only mark octets after the first true hit, so the lowest bit is right.
            let hits = below | deletes
            if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end, octets[index] >= 0x20, octets[index] != 0x7F { index &+= 1 }
        return index
    }
}
