/// A set of Unicode scalars, as a class of a pattern has it.
struct ScalarSet: Sendable, Hashable {
    /// Sorted, without overlaps.
    private(set) var ranges: [ClosedRange<UInt32>]
    /// Which of the first 128 scalars belong to the set, so that most questions need no search.
    private let low: (UInt64, UInt64)

    init(_ unsorted: [ClosedRange<UInt32>]) {
        var ranges: [ClosedRange<UInt32>] = []
        for range in unsorted.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound &+ 1 {
                ranges[ranges.count - 1] =
                    last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        self.ranges = ranges
        var low: (UInt64, UInt64) = (0, 0)
        for range in ranges {
            for scalar in range.clamped(to: 0...63) where range.contains(scalar) {
                low.0 |= 1 << UInt64(scalar)
            }
            for scalar in range.clamped(to: 64...127) where range.contains(scalar) {
                low.1 |= 1 << UInt64(scalar - 64)
            }
        }
        self.low = low
    }

    /// Everything that is not in this set.
    var complement: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= Self.last { gaps.append(next...Self.last) }
        return ScalarSet(gaps)
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        if value < 64 { return low.0 & (1 << UInt64(value)) != 0 }
        if value < 128 { return low.1 & (1 << UInt64(value - 64)) != 0 }
        return ranges.contains { $0.contains(value) }
    }

    static func == (left: ScalarSet, right: ScalarSet) -> Bool { left.ranges == right.ranges }

    func hash(into hasher: inout Hasher) { hasher.combine(ranges) }

    private static let last: UInt32 = 0x10FFFF

    /// What `\d` matches.
    static let digits = ScalarSet([0x30...0x39])
    /// What `\w` matches.
    static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    /// What `\s` matches: WhiteSpace and LineTerminator of ECMA-262 §12.2 and §12.3.
    static let space = ScalarSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])
    /// What `.` does not match.
    static let lineTerminators = ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029])
}
