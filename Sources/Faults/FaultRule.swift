package import JSON

/// A fault rule that was checked, but is not armed yet; `FaultRuleReader` makes them.
package struct FaultRule: Sendable {
    /// When a rule fires.
    enum Plot: Sendable {
        /// One step for each ordinal; `nil` is a normal answer.
        case sequence([FaultEffects?])
        case when(FaultTrigger, then: FaultEffects)
    }

    /// The `id` of the document; without one, the plan makes it.
    package let id: String?
    /// The rule as it was set.
    package let source: JSONObject
    /// Where it stood in its document.
    let pointer: JSONPointer
    let match: FaultMatch
    let plot: Plot
    let ttlNanoseconds: Int64?
    let seed: Int64
    /// Clients that have a rate window of their own; all others share one.
    let knownClients: Set<String>
}
