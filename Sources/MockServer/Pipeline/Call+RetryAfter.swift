import HTTPMessage
import HTTPTransport
import Journal
import Time

extension Call {
    /// Notes what an answer tells its client by `Retry-After`.
    func noteRetryAfter(of response: HTTPResponse) {
        let lines = response.fields.filter { $0.name == "Retry-After" }.map(\.value)
        guard !lines.isEmpty else { return }
        entry.details.retryAfter = JournalDetails.RetryAfter(sent: lines, now: time.nanoseconds)
    }
}

extension JournalDetails.RetryAfter {
    /// What field lines tell a client (RFC 9110 §10.2.3).
    ///
    /// ```
    /// Retry-After   = HTTP-date / delay-seconds
    /// delay-seconds = 1*DIGIT
    /// ```
    /// Whatever is neither says nothing, and neither do two field lines: this is no list, so they
    /// cannot be taken for one (§5.3).
    ///
    /// - Parameters:
    ///   - lines: At least one.
    ///   - now: In nanoseconds since 1970, by the clock that a date is meant by.
    init(sent lines: [String], now: Int64) {
        let sent = lines.joined(separator: ", ")
        if !sent.isEmpty, sent.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
            let seconds = Int(sent) ?? .max
            // So large a number is one of nanoseconds still.
            self.init(seconds: min(seconds, Self.longestSeconds))
            return
        }
        let present = Instant(secondsSince1970: now.floorDivided(by: 1_000_000_000))
        guard let instant = Instant(httpDate: sent, now: present) else {
            self.init(nonsense: sent)
            return
        }
        // To the next whole second, as dates are made.
        let left = instant.secondsSince1970.subtractingSaturated(
            now.addingSaturated(999_999_999).floorDivided(by: 1_000_000_000)
        )
        self.init(
            seconds: Int(max(0, left)),
            date: instant.secondsSince1970.multipliedSaturated(by: 1_000_000_000)
        )
    }

    /// More seconds than that have no nanoseconds.
    private static let longestSeconds = 9_000_000_000
}
