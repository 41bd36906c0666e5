/// Durations as texts: `250ms`, `2s`, or ISO 8601 (`PT2S`, `PT0.5S`, `PT5M`, `P1D`): the one reader.
package enum DurationText {
    /// A duration in nanoseconds; what is finer is dropped.
    ///
    /// - Parameter maximum: The longest that is accepted, in nanoseconds.
    package static func nanoseconds(
        parsing text: String,
        maximum: Int64
    ) throws(DurationError) -> Int64 {
        var reader = Reader(rest: Array(text.utf8)[...])
        let nanoseconds =
            reader.rest.first == UInt8(ascii: "P") ? try reader.iso() : try reader.short()
        guard nanoseconds <= maximum else { throw .tooLong(maximumNanoseconds: maximum) }
        return nanoseconds
    }

    /// A duration of ISO 8601 in seconds; `nil` for another form, fractions, years, months, and for
    /// what is longer than 292 years.
    package static func wholeSeconds(parsing text: String) -> Int64? {
        guard text.utf8.first == UInt8(ascii: "P"),
            !text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }),
            // Why it is no duration is for the caller to say: it names the forms it takes.
            let nanoseconds = try? nanoseconds(parsing: text, maximum: .max &- 1)
        else { return nil }
        return nanoseconds / 1_000_000_000
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        /// Reads `1*DIGIT [("." / ",") 1*DIGIT] ("ms" / "s")`.
        mutating func short() throws(DurationError) -> Int64 {
            let number = try number()
            switch Array(rest) {
            case Array("ms".utf8): return number.times(1_000_000)
            case Array("s".utf8): return number.times(1_000_000_000)
            default: throw .malformed
            }
        }

        /// `P` with weeks alone, or days and a time; each designator once, in order, and a
        /// fraction only in the last (ISO 8601-1 §5.5.2.2).
        mutating func iso() throws(DurationError) -> Int64 {
            rest.removeFirst()
            var total: Int64 = 0
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
                let unit: Int64
                switch (designator, inTime) {
                case (UInt8(ascii: "Y"), _), (UInt8(ascii: "M"), false): throw .yearsOrMonths
                case (UInt8(ascii: "W"), _):
                    guard rest.isEmpty else { throw .malformed }
                    unit = 604_800_000_000_000
                case (UInt8(ascii: "D"), _): unit = 86_400_000_000_000
                case (UInt8(ascii: "H"), _): unit = 3_600_000_000_000
                case (UInt8(ascii: "M"), _): unit = 60_000_000_000
                default: unit = 1_000_000_000
                }
                total = total.addingSaturated(number.times(unit))
                if number.hasFraction, !rest.isEmpty { throw .malformed }
                isComplete = true
            }
            guard isComplete else { throw .malformed }
            return total
        }

        /// A decimal number, kept exact to fifteen digits of fraction.
        private struct Decimal {
            /// `Int64.max` where it is more.
            var whole: Int64 = 0
            /// The digits of the fraction, as a number below `scale`.
            var fraction: Int128 = 0
            /// 10 to the power of the number of digits: at most 10^15.
            var scale: Int128 = 1
            var hasFraction = false

            /// The product, or `Int64.max` where it is more.
            ///
            /// - Parameter unit: At most 10^15, so that unit times fraction is far from 2^127.
            func times(_ unit: Int64) -> Int64 {
                let part = Int128(unit).multipliedReportingOverflow(by: fraction).partialValue
                return whole.multipliedSaturated(by: unit).addingSaturated(Int64(part / scale))
            }
        }

        /// Digits, and perhaps a sign (`.` or `,`) with more digits.
        private mutating func number() throws(DurationError) -> Decimal {
            var number = Decimal()
            let whole = popDigits()
            guard !whole.isEmpty else { throw .malformed }
            for digit in whole {
                number.whole = number.whole.multipliedSaturated(by: 10)
                    .addingSaturated(Int64(digit & 0x0F))
            }
            guard rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") else {
                return number
            }
            rest.removeFirst()
            let fraction = popDigits()
            guard !fraction.isEmpty else { throw .malformed }
            number.hasFraction = true
            // Even of a week, the sixteenth digit is less than a nanosecond.
            for digit in fraction.prefix(15) {
                number.fraction = number.fraction &* 10 &+ Int128(digit & 0x0F)
                number.scale = number.scale &* 10
            }
            return number
        }

        private mutating func popDigits() -> ArraySlice<UInt8> {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            return digits
        }
    }
}

/// Why a text is no duration.
package enum DurationError: Error, Hashable, Sendable {
    case malformed
    /// `P1M` and `P1Y` have no fixed length.
    case yearsOrMonths
    case tooLong(maximumNanoseconds: Int64)

    /// The end of the sentence "a duration …".
    package var explanation: String {
        switch self {
        case .malformed:
            "is written \"250ms\", \"2s\" or as ISO 8601, such as \"PT2S\" or \"PT5M\""
        case .yearsOrMonths: "has no years or months, whose length varies"
        case .tooLong(let maximum): "is at most \(maximum / 3_600_000_000_000) hours"
        }
    }
}
