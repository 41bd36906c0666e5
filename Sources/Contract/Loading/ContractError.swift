package import JSON

/// A contract document that cannot be honoured, found at start.
package struct ContractError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Kinds of faults.
    package enum Problem: Hashable, Sendable {
        case malformedJSON(JSONError)
        /// A member that the engine does not know, so that it could not enforce it.
        case unsupportedKeyword(String)
        /// A member that must be there.
        case missingMember(String)
        /// A value of another type or form than the one named.
        case wrongValue(expected: String)
        /// A `$ref` that leads nowhere, or out of the document.
        case unresolvedReference(String)
        /// A schema that refers to itself without descending into the value.
        case endlessReference
        case badPattern(String, reason: String)
        case duplicateOperationID(String)
        /// Two operations that would answer the same method and path.
        case duplicateRoute(String)
        case duplicateParameter(String)
        /// Path templates and parameters that do not name each other.
        case unmatchedPathParameter(String)
        /// Something that OpenAPI allows and this engine does not, in words.
        case unsupported(String)
    }

    package let problem: Problem
    /// Where in the document.
    package let pointer: JSONPointer

    package init(_ problem: Problem, at pointer: JSONPointer) {
        self.problem = problem
        self.pointer = pointer
    }

    /// One line for the person who wrote the document.
    package var description: String {
        let what =
            switch problem {
            case .malformedJSON(let error): error.explanation
            case .unsupportedKeyword(let name): "`\(name)` is not supported here"
            case .missingMember(let name): "`\(name)` is missing"
            case .wrongValue(let expected): "expected \(expected)"
            case .unresolvedReference(let text): "the reference \(text) leads nowhere"
            case .endlessReference: "the schema refers to itself without end"
            case .badPattern(let text, let reason): "the pattern \(text) is refused: \(reason)"
            case .duplicateOperationID(let id): "the operationId \(id) stands twice"
            case .duplicateRoute(let route): "\(route) is described twice"
            case .duplicateParameter(let name): "the parameter \(name) stands twice"
            case .unmatchedPathParameter(let name):
                "the path template and the parameters disagree about \(name)"
            case .unsupported(let what): what
            }
        return "contract, at \(pointer.tokens.isEmpty ? "the root" : pointer.description): \(what)"
    }
}
