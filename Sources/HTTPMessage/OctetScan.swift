/// Searches that look at eight octets at a time, or more.
enum OctetScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The offset of the first octet of a value in the range, or its end.
    @inline(__always)
    static func first(
        _ wanted: UInt8,
        in octets: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) -> Int {
        var index = start
        while index &+ 8 <= end {
            let word = UInt64(
                littleEndian: octets.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
            let difference = word ^ (ones &* UInt64(wanted))
            let zeros = (difference &- ones) & ~difference & tops
            if zeros != 0 { return index &+ zeros.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end, octets[index] != wanted { index &+= 1 }
        return index
    }

    /// Whether the 32 octets from here on are printable ASCII, all of them.
    ///
    /// A borrow or a carry comes only from an octet that has its own bit set.
    @inline(__always)
    private static func isPlain(_ octets: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        let words = octets.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
        let below = words &- SIMD4(repeating: ones &* 0x20)
        let marks = below | (words &+ SIMD4(repeating: ones)) | words
        return (marks.x | marks.y | marks.z | marks.w) & tops == 0
    }

    /// The offset of the first control character (HTAB included) or DEL in the range, or its end.
    @inline(__always)
    static func control(in octets: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        // Most text is plain, and a token is long.
        while index &+ 32 <= end, isPlain(octets, at: index) { index &+= 32 }
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

    /// Whether all octets of the range are printable ASCII, the space included.
    @inline(__always)
    static func isPrintable(_ octets: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Bool
    {
        var index = start
        while index &+ 8 <= end {
            let word = octets.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if ((word &- ones &* 0x20) | (word &+ ones) | word) & tops != 0 { return false }
            index &+= 8
        }
        while index < end, (0x20..<0x7F).contains(octets[index]) { index &+= 1 }
        return index == end
    }
}
