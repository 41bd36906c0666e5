import Time

/// How `Retry-After` is written: as RFC 9110 §10.2.3 has it, or as it is met.
package enum RetryAfterForm: String, CaseIterable, Hashable, Sendable {
    /// `delay-seconds`.
    case seconds
    /// `HTTP-date`. Round up to the next whole second, or the client is told to come back early.
    case date
    /// A word.
    case malformed
    /// A field without a value.
    case empty
    /// Half a second more than the seconds, with a decimal point.
    case fraction
    /// The seconds with a minus sign.
    case negative
    /// A date that lies the seconds back.
    case pastDate = "past-date"
    /// The last date that HTTP can write.
    case farDate = "far-date"
    /// Two field lines: the seconds, and the date that they make.
    case both

    /// The seconds of a rule that names none; `nil` where it has to.
    var usualSeconds: Int? {
        switch self {
        case .seconds, .date: nil
        case .pastDate: 60
        case .malformed, .empty, .fraction, .negative, .farDate, .both: 2
        }
    }
}

/// What `Retry-After` shall say.
package struct RetryAfter: Hashable, Sendable {
    package var seconds: Int
    package var form: RetryAfterForm
    /// What to send instead, octet for octet, a field line each; empty where the form decides.
    package var raw: [String]

    package init(seconds: Int, form: RetryAfterForm = .seconds, raw: [String] = []) {
        self.seconds = seconds
        self.form = form
        self.raw = raw
    }

    /// The values of the field lines.
    ///
    /// - Parameter nanoseconds: The session's clock, since 1970.
    package func lines(now nanoseconds: Int64) -> [String] {
        if !raw.isEmpty { return raw }
        // Rounded up: a client that waits until then has waited long enough.
        let now = nanoseconds.addingSaturated(999_999_999).floorDivided(by: 1_000_000_000)
        func date(_ seconds: Int64) -> String {
            Instant(secondsSince1970: now).advanced(bySeconds: seconds).imfFixdate
        }
        switch form {
        case .seconds: return [String(seconds)]
        case .date: return [date(Int64(seconds))]
        case .malformed: return ["soon"]
        case .empty: return [""]
        case .fraction: return ["\(seconds).5"]
        case .negative: return ["-\(seconds)"]
        case .pastDate: return [date(Int64(0).subtractingSaturated(Int64(seconds)))]
        case .farDate:
            return [Instant(secondsSince1970: Instant.writableSeconds.upperBound).imfFixdate]
        case .both: return [String(seconds), date(Int64(seconds))]
        }
    }
}
