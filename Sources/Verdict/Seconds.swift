/// Nanoseconds, as words.
enum Seconds {
    static let nanoseconds: Int64 = 1_000_000_000

    /// Seconds as nanoseconds; those that do not fit are as many as do.
    static func inNanoseconds(_ seconds: Int64) -> Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: nanoseconds)
        return overflow ? (seconds < 0 ? .min / 2 : .max / 2) : product
    }

    /// `0.103 s`: three digits of fraction, cut, not rounded (0.0499 s is not 0.050 s).
    static func text(_ nanoseconds: Int64) -> String {
        "\(digits(nanoseconds)) s"
    }

    /// `0.103`.
    static func digits(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds.magnitude / 1_000_000
        let fraction = String(milliseconds % 1000)
        let zeros = String(repeating: "0", count: 3 - fraction.utf8.count)
        let sign = nanoseconds < 0 && milliseconds > 0 ? "-" : ""
        return "\(sign)\(milliseconds / 1000).\(zeros)\(fraction)"
    }
}
