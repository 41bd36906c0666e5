/// All faults of one session, in their precedence: request field, session rules, `--faults`.
package struct FaultEngine: Sendable {
    /// The rules that were set in the session.
    package let session: FaultPlan
    /// The rules of `--faults`, counted for this session alone.
    package let file: FaultPlan

    /// Arms the rules of `--faults` for a session that opens.
    ///
    /// - Parameter now: The session clock in nanoseconds, here and below.
    /// - Throws: `FaultError.repeatedIDs`, where the rules of the file repeat an `id`.
    package init(fileRules: [FaultRule] = [], now: Int64) throws(FaultError) {
        session = FaultPlan()
        file = try FaultPlan(rules: fileRules, now: now)
    }

    // MARK: Deciding

    /// Whether some rule is about an operation; takes no lock.
    package func concerns(operation: Int) -> Bool {
        session.concerns(operation: operation) || file.concerns(operation: operation)
    }

    /// Whether some rule asks whether a request repeats one that failed.
    package var asksForAttempts: Bool { session.asksForAttempts || file.asksForAttempts }

    /// Counts a request under every rule that matches, and says what shall go wrong with it.
    ///
    /// To be called once for each request, after routing and before the operation.
    ///
    /// - Parameter preferred: What the request asks for itself, from `PreferredFault.parse`.
    package func decide(
        preferred: FaultDecision? = nil,
        _ facts: RequestFacts,
        now: Int64
    ) -> FaultDecision? {
        let set = session.decide(facts, now: now, isCountedOnly: preferred != nil)
        let acting = preferred ?? set
        let standing = file.decide(facts, now: now, isCountedOnly: acting != nil)
        return acting ?? standing
    }

    // MARK: Control

    /// Arms rules in the session, all or none, beside those that are there.
    ///
    /// - Throws: `FaultError.repeatedIDs`, also where a rule of `--faults` has the `id`.
    @discardableResult
    package func add(_ rules: [FaultRule], now: Int64) throws(FaultError) -> [FaultPlan.Listing] {
        try session.add(rules, reserving: Set(file.listings.map(\.id)), now: now)
    }

    /// Arms rules in place of all that are there, those of `--faults` included.
    @discardableResult
    package func replaceAll(
        with rules: [FaultRule],
        now: Int64
    ) throws(FaultError) -> [FaultPlan.Listing] {
        let listings = try session.replaceAll(with: rules, now: now)
        file.clear()
        return listings
    }

    /// Removes a rule of either kind; false where there is none with this id.
    @discardableResult
    package func remove(id: String) -> Bool {
        session.remove(id: id) || file.remove(id: id)
    }

    /// Removes all rules, those of `--faults` included, until the next reset.
    package func clear() {
        session.clear()
        file.clear()
    }

    /// Removes the rules of the session and arms those of `--faults` anew.
    package func reset(now: Int64) {
        session.rearm(now: now)
        file.rearm(now: now)
    }

    /// All rules in their precedence.
    package var listings: [FaultPlan.Listing] { session.listings + file.listings }

    /// The rule with this id.
    package func listing(id: String) -> FaultPlan.Listing? {
        session.listing(id: id) ?? file.listing(id: id)
    }
}
