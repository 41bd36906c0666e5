package import Time

/// A key that a client gives to a write, so that a repeat has no second effect.
///
/// One to 128 visible ASCII characters; what else a header may hold is no key.
package struct IdempotencyKey: Hashable, Sendable {
    package let text: String

    /// The longest key, in characters.
    package static let maximumLength = 128

    /// A key from the value of the header field; `nil` when it is empty, too long or not visible
    /// ASCII.
    package init?(_ text: String) {
        guard (1...Self.maximumLength).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        self.text = text
    }
}

/// Where an idempotency key counts: the same key elsewhere is another key.
package struct IdempotencyScope: Hashable, Sendable {
    /// The client, without its session.
    package var client: String
    package var domain: String
    /// The `operationId`.
    package var operation: String
    package var appointmentID: String
    package var key: IdempotencyKey

    package init(
        client: String,
        domain: String,
        operation: String,
        appointmentID: String,
        key: IdempotencyKey
    ) {
        self.client = client
        self.domain = domain
        self.operation = operation
        self.appointmentID = appointmentID
        self.key = key
    }
}

/// What was answered the first time.
package struct RememberedAnswer: Hashable, Sendable {
    package var status: Int
    /// The content, octet for octet.
    package var content: [UInt8]

    package init(status: Int, content: [UInt8]) {
        self.status = status
        self.content = content
    }
}

/// One line of the idempotency ledger.
package struct LedgerEntry: Hashable, Sendable {
    package var scope: IdempotencyScope
    /// A digest of the normalised payload.
    package var fingerprint: [UInt8]
    package var answer: RememberedAnswer
    /// From this instant on the entry is forgotten.
    package var expiresAt: Instant
    /// How often the answer was repeated.
    package var replays: Int
    /// How often the key came with another payload.
    package var conflicts: Int

    package init(
        scope: IdempotencyScope,
        fingerprint: [UInt8],
        answer: RememberedAnswer,
        expiresAt: Instant,
        replays: Int = 0,
        conflicts: Int = 0
    ) {
        self.scope = scope
        self.fingerprint = fingerprint
        self.answer = answer
        self.expiresAt = expiresAt
        self.replays = replays
        self.conflicts = conflicts
    }
}

/// What to do with a request that carries an idempotency key.
package enum IdempotencyDecision: Hashable, Sendable {
    /// Nothing is remembered: carry it out, and remember the answer.
    case proceed
    /// The same payload again: give the same answer, without another effect.
    case replay(RememberedAnswer)
    /// Another payload under the same key: refuse with 409.
    case conflict

    /// Decides by what the ledger holds for the scope.
    ///
    /// An entry whose retention has ended is as good as none.
    package init(entry: LedgerEntry?, fingerprint: [UInt8], now: Instant) {
        guard let entry, now < entry.expiresAt else {
            self = .proceed
            return
        }
        self = entry.fingerprint == fingerprint ? .replay(entry.answer) : .conflict
    }
}
