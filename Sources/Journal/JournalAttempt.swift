// Which requests are further attempts at a call that failed.

extension JournalEntry {
    /// Whether the client holds no whole answer, whoever's doing that was.
    package var lostAnswer: Bool {
        delivery == .cut || delivery == .clientLeft
            || !(details.fault?.effects.isDisjoint(with: .losesAnswer) ?? true)
    }

    /// Whether two requests are the same call: one endpoint, one query and, of what is written, one
    /// idempotency key or one content.
    func isSameCall(as other: JournalEntry) -> Bool {
        guard kind == other.kind, method == other.method, path == other.path else { return false }
        // However its form is written, the token endpoint is asked for a token.
        if kind == .token { return true }
        guard queryDigest == other.queryDigest else { return false }
        guard method == "POST" else { return true }
        if let key = details.idempotencyKey?.digest, key == other.details.idempotencyKey?.digest {
            return true
        }
        return contentDigest == other.contentDigest
    }

    /// Whether the request failed in a way after which a client asks again: one that may pass, or a
    /// token that was not taken.
    var wantsAnotherAttempt: Bool {
        switch status {
        case 401, 429, 500, 502, 503, 504: true
        default: lostAnswer
        }
    }

    /// Whether this is a further attempt at a call that failed before.
    ///
    /// - Parameter earlier: What came before it, the newest first.
    package func isRepeated(after earlier: some Sequence<JournalEntry>) -> Bool {
        earlier.first { isSameCall(as: $0) }?.wantsAnotherAttempt ?? false
    }
}

extension RequestJournal {
    /// How many entries are looked through for an earlier attempt.
    private static let reach = 1_000

    /// Whether a request is a further attempt at a call that failed before.
    ///
    /// - Parameter entry: Not in the journal yet.
    package func isRepeated(_ entry: JournalEntry) -> Bool {
        lastEntry(within: Self.reach) { entry.isSameCall(as: $0) }?.wantsAnotherAttempt ?? false
    }
}
