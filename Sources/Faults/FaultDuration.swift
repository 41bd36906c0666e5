/// The durations of fault rules: `250ms`, `2s`, or ISO 8601 (`PT2S`, `PT0.5S`, `PT5M`, `P1D`).
package enum FaultDuration {
    /// The longest duration a rule may name, in nanoseconds: 24 hours.
    package static let maximumNanoseconds: Int64 = 86_400 * nanosecondsPerSecond

    static let nanosecondsPerSecond: Int64 = 1_000_000_000

    /// Why a text is not a duration here.
    package enum Fault: Error, Hashable, Sendable {
        case malformed
        /// `P1M` and `P1Y` have no fixed length.
        case yearsOrMonths
        /// Over the maximum: 24 hours where a rule names it.
        case tooLong

        /// The end of the sentence "a duration …".
        package var explanation: String {
            switch self {
            case .malformed:
                "is written \"250ms\", \"2s\" or as ISO 8601, such as \"PT2S\" or \"PT5M\""
            case .yearsOrMonths: "has no years or months, whose length varies"
            case .tooLong: "is at most 24 hours"
            }
        }
    }

    /// A duration in nanoseconds; what is finer is dropped.
    ///
    /// - Parameter maximum: The longest that is accepted, in nanoseconds.
    package static func nanoseconds(
        parsing text: String,
        maximum: Int64 = maximumNanoseconds
    ) throws(Fault) -> Int64 {
        var reader = Reader(rest: Array(text.utf8)[...], maximum: maximum)
        return reader.rest.first == UInt8(ascii: "P") ? try reader.iso() : try reader.short()
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>
        let maximum: Int64

        /// Reads `1*DIGIT [("." / ",") 1*DIGIT] ("ms" / "s")`.
        mutating func short() throws(Fault) -> Int64 {
            let number = try number()
            switch Array(rest) {
            case Array("ms".utf8): return try bounded(number.times(1_000_000))
            case Array("s".utf8): return try bounded(number.times(1_000_000_000))
            default: throw .malformed
            }
        }

        /// `P` with weeks alone, or days and a time; each designator once, in order, and a
        /// fraction only in the last (ISO 8601-1 §5.5.2.2).
        mutating func iso() throws(Fault) -> Int64 {
            rest.removeFirst()
            var total: Int128 = 0
            var designators = ArraySlice("YMWD".utf8)
            var inTime = false
            var isComplete = false
            while let octet = rest.first {
                if octet == UInt8(ascii: "T") {
                    guard !inTime else { throw .malformed }
                    (inTime, isComplete) = (true, false)
                    designators = ArraySlice("HMS".utf8)
                    rest.removeFirst()
                    continue
                }
                let number = try number()
                guard let designator = rest.popFirst(),
                    let position = designators.firstIndex(of: designator)
                else { throw .malformed }
                designators = designators[(position + 1)...]
                switch (designator, inTime) {
                case (UInt8(ascii: "Y"), _), (UInt8(ascii: "M"), false): throw .yearsOrMonths
                case (UInt8(ascii: "W"), _):
                    guard rest.isEmpty else { throw .malformed }
                    total += number.times(604_800_000_000_000)
                case (UInt8(ascii: "D"), _): total += number.times(86_400_000_000_000)
                case (UInt8(ascii: "H"), _): total += number.times(3_600_000_000_000)
                case (UInt8(ascii: "M"), _): total += number.times(60_000_000_000)
                default: total += number.times(1_000_000_000)
                }
                if number.hasFraction, !rest.isEmpty { throw .malformed }
                isComplete = true
            }
            guard isComplete else { throw .malformed }
            return try bounded(total)
        }

        /// A decimal number, kept exact.
        private struct Decimal {
            var digits: Int128 = 0
            var scale: Int128 = 1
            var hasFraction: Bool { scale > 1 }

            func times(_ unit: Int128) -> Int128 { digits * unit / scale }
        }

        /// Digits, and perhaps a sign (`.` or `,`) with more digits; at most 15 of either.
        private mutating func number() throws(Fault) -> Decimal {
            var number = Decimal()
            let whole = popDigits()
            guard !whole.isEmpty else { throw .malformed }
            guard whole.count <= 15 else { throw .tooLong }
            for digit in whole { number.digits = number.digits * 10 + Int128(digit - 0x30) }
            guard rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") else {
                return number
            }
            rest.removeFirst()
            let fraction = popDigits()
            guard (1...15).contains(fraction.count) else { throw .malformed }
            for digit in fraction {
                number.digits = number.digits * 10 + Int128(digit - 0x30)
                number.scale *= 10
            }
            return number
        }

        private mutating func popDigits() -> ArraySlice<UInt8> {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            return digits
        }

        private func bounded(_ nanoseconds: Int128) throws(Fault) -> Int64 {
            guard nanoseconds <= Int128(maximum) else { throw .tooLong }
            return Int64(nanoseconds)
        }
    }
}
