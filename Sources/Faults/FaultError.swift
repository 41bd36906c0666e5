import Contract
package import JSON

/// One thing that is wrong with a fault rule.
package struct FaultRuleError: Hashable, Sendable {
    /// Where in the document: the member itself, also where it is missing.
    package let pointer: JSONPointer
    /// One sentence for whoever wrote the rule.
    package let reason: String

    package init(pointer: JSONPointer, reason: String) {
        self.pointer = pointer
        self.reason = reason
    }

    /// What the contract found in the form of a rule.
    init(_ violation: Violation) {
        pointer = JSONPointer(parsing: violation.name) ?? JSONPointer()
        reason = violation.message
    }
}

/// Why no rule of a document was armed.
package enum FaultError: Error, Hashable, Sendable {
    /// Everything that is wrong with the document, in its order (400).
    case invalid([FaultRuleError])
    /// The rules are sound, but these `id` members are taken, or stand twice in the document (409).
    case repeatedIDs([FaultRuleError])
    /// There is no room beside the rules that are armed, those that are spent included (409).
    case tooMany

    /// What is wrong with which rule.
    package var errors: [FaultRuleError] {
        switch self {
        case .invalid(let errors), .repeatedIDs(let errors): errors
        case .tooMany: []
        }
    }
}
