import HTTPMessage
import HTTPTransport
import Journal
import Time

extension Call {
    /// Notes what an answer tells its client by `Retry-After` (RFC 9110 §10.2.3).
    ///
    /// ```
    /// Retry-After   = HTTP-date / delay-seconds
    /// delay-seconds = 1*DIGIT
    /// ```
    /// Whatever is neither says nothing, and neither do two field lines: this is no list, so they
    /// cannot be taken for one (§5.3).
    func noteRetryAfter(of response: HTTPResponse) {
        let lines = response.fields.filter { $0.name == "Retry-After" }.map(\.value)
        guard let first = lines.first else { return }
        entry.details.retryAfter = Self.retryAfter(
            lines.count == 1 ? first : lines.joined(separator: ", "),
            now: time.nanoseconds
        )
    }

    private static func retryAfter(_ sent: String, now: Int64) -> JournalDetails.RetryAfter {
        if !sent.isEmpty, sent.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
            let seconds = Int(sent) ?? .max
            // So large a number is one of nanoseconds still.
            return JournalDetails.RetryAfter(seconds: min(seconds, longestSeconds))
        }
        let present = Instant(secondsSince1970: now.floorDivided(by: 1_000_000_000))
        guard let instant = Instant(httpDate: sent, now: present) else {
            return JournalDetails.RetryAfter(nonsense: sent)
        }
        // To the next whole second, as dates are made.
        let left = instant.secondsSince1970.subtractingSaturated(
            now.addingSaturated(999_999_999).floorDivided(by: 1_000_000_000)
        )
        return JournalDetails.RetryAfter(
            seconds: Int(max(0, left)),
            date: instant.secondsSince1970.multipliedSaturated(by: 1_000_000_000)
        )
    }

    /// More seconds than that have no nanoseconds.
    private static let longestSeconds = 9_000_000_000
}
