import Time

/// What holds for any octets; the corpus and the fuzzer try it.
///
/// Each returns what was broken, or `nil`.
enum Invariants {
    static let all: [String: @Sendable ([UInt8]) -> String?] = ["times": times]

    /// Any text as a duration, a date and an instant: a value within its range, or none.
    @Sendable static func times(_ octets: [UInt8]) -> String? {
        let text = String(decoding: octets, as: UTF8.self)
        for maximum in [Int64.max, 86_400_000_000_000, 0] {
            // An error is as good as a value: neither is a trap.
            let read = try? DurationText.nanoseconds(parsing: text, maximum: maximum)
            if let read, !(0...maximum).contains(read) { return "\(read) ns" }
        }
        if let seconds = DurationText.wholeSeconds(parsing: text), seconds < 0 {
            return "\(seconds) s"
        }
        if let date = LocalDate(text), LocalDate(date.description) != date {
            return "another date: \(date)"
        }
        if let instant = Instant(rfc3339: text) {
            if Instant(rfc3339: instant.rfc3339) != instant { return "another instant: \(instant)" }
            if !Instant.writableSeconds.contains(instant.secondsSince1970) { return "\(instant)" }
        }
        if let nanoseconds = Timestamp.nanoseconds(parsing: text),
            Instant(rfc3339: Timestamp.text(nanoseconds)) == nil
        {
            return "\(nanoseconds) ns since 1970"
        }
        return nil
    }
}
