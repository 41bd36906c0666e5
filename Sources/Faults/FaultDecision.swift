/// What shall go wrong with one request: effects that need no further choice.
package struct FaultDecision: Hashable, Sendable {
    /// For `X-Mock-Fault` and the journal; `prefer` where the request asked for it itself.
    package var ruleID: String
    /// Which of the requests that the rule matched this is, from 1; the same rule and seed bring
    /// the same effects to the same ordinals.
    package var ordinal: Int
    /// Whether the delay waits before the operation, or after it has committed.
    package var phase: FaultPhase
    /// Real time, not the session's clock.
    package var delayNanoseconds: Int64
    /// Instead of the operation's own: 400 to 599, or 200 of an edge.
    package var status: Int?
    /// Only beside a status.
    package var retryAfter: RetryAfter?
    /// For the problem details of the status.
    package var detail: String?
    /// Never beside a status or another effect on the answer, but for `truncateAt`: then the connection
    /// is reset, or falls silent, within the content.
    package var transport: TransportFault?
    package var truncateAt: Truncation?
    package var drip: Drip?
    /// Of content, without an initial burst; never beside `drip`.
    package var bytesPerSecond: Int?
    package var content: ContentFault?
    /// Only for the operation `token`.
    package var token: TokenFault?
    /// What answers in place of the API, under `status`.
    package var edge: Edge.Answer?
    /// What makes the octets of `RANDOM_DATA_THEN_CLOSE`, and the ids of an edge: the same in every run.
    package var noiseSeed: UInt64 = 0
    /// How long the rule still lives, where it has a `ttl`.
    ///
    /// A `HANG` ends then, in real time.
    package var holdNanoseconds: Int64?

    package init(ruleID: String, ordinal: Int = 1, phase: FaultPhase = .before) {
        self.ruleID = ruleID
        self.ordinal = ordinal
        self.phase = phase
        delayNanoseconds = 0
    }

    /// The octets of `RANDOM_DATA_THEN_CLOSE`.
    ///
    /// The first has its high bit set, as no octet of a status line has.
    package func noise(octets count: Int) -> [UInt8] {
        var draws = FaultDraws(state: noiseSeed)
        return (0..<count).map { index in
            let octet = UInt8(truncatingIfNeeded: draws.next())
            return index == 0 ? octet | 0x80 : octet
        }
    }

    /// Whether the operation runs: not where phase `before` brings a status or a silent transport.
    package var runsOperation: Bool {
        phase == .after
            || (status == nil && (transport?.sendsNothing != true || truncateAt != nil))
    }
}
