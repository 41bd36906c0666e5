package import JSON

/// A fault rule that was checked, but is not armed yet.
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

    /// Reads one rule, or a non-empty array of rules: a control request, or `--faults FILE`.
    ///
    /// - Parameter defaultSeed: For chance in rules that name no seed: the server's.
    /// - Throws: `FaultError.invalid` with everything that is wrong; then no rule is returned.
    package static func parse(
        _ document: JSONValue,
        vocabulary: MatchVocabulary,
        defaultSeed: Int64
    ) throws(FaultError) -> [FaultRule] {
        var parser = FaultRuleParser(vocabulary: vocabulary, defaultSeed: defaultSeed)
        let rules = parser.rules(document)
        guard parser.errors.isEmpty else {
            throw .invalid(inOrder(parser.errors, of: document))
        }
        return rules
    }

    /// Sorts by where the pointers lead; what is missing comes last in its object.
    private static func inOrder(
        _ errors: [FaultRuleError],
        of document: JSONValue
    ) -> [FaultRuleError] {
        errors.enumerated()
            .map { (position: position(of: $1.pointer, in: document) + [$0], error: $1) }
            .sorted { $0.position.lexicographicallyPrecedes($1.position) }
            .map(\.error)
    }

    private static func position(of pointer: JSONPointer, in document: JSONValue) -> [Int] {
        var value: JSONValue? = document
        var position: [Int] = []
        for token in pointer.tokens {
            switch value {
            case .object(let object):
                position.append(object.members.firstIndex { $0.name == token } ?? object.count)
            default: position.append(Int(token) ?? 0)
            }
            value = value.flatMap { JSONPointer([token]).value(in: $0) }
        }
        // Errors about a value itself come before those about its parts.
        return position + [-1]
    }
}
