package import Contract
package import JSON

/// Reads fault rules for one server: control requests, `--faults FILE`, scenarios.
package struct FaultRuleReader: Sendable {
    private let form: Schema
    private let vocabulary: MatchVocabulary
    private let edges: EdgeCatalogue
    private let defaultSeed: Int64

    /// - Parameters:
    ///   - form: The schema `FaultRules` of the control API's contract, which says which members there
    ///     are, their types, words and ranges.
    ///   - edges: What rules can name as `edge`.
    ///   - defaultSeed: For chance in rules that name no seed: the server's.
    package init(
        form: Schema,
        vocabulary: MatchVocabulary,
        edges: EdgeCatalogue = .none,
        defaultSeed: Int64
    ) {
        self.form = form
        self.edges = edges
        self.vocabulary = vocabulary
        self.defaultSeed = defaultSeed
    }

    /// Reads one rule, or a non-empty array of rules.
    ///
    /// - Throws: `FaultError.invalid` with everything that is wrong with the form, else with everything
    ///   that is wrong beyond it; then no rule is returned.
    package func rules(_ document: JSONValue) throws(FaultError) -> [FaultRule] {
        let violations = form.violations(of: document)
        guard violations.isEmpty else { throw .invalid(violations.map(FaultRuleError.init)) }
        var parser = FaultRuleParser(
            vocabulary: vocabulary,
            edges: edges,
            defaultSeed: defaultSeed
        )
        let rules = parser.rules(document)
        guard parser.errors.isEmpty else {
            throw .invalid(Self.inOrder(parser.errors, of: document))
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
