import HTTPMessage
import JSON
import Synchronization

/// What the contract says of a content and of each place in it.
///
/// All schemas that apply to a place are taken together, so that a content can be walked through
/// without looking at them again.
package final class ContentForm: Sendable {
    /// A named member.
    package struct Member: Sendable {
        package let form: ContentForm
        package let isRequired: Bool
        package let takesNull: Bool
    }

    /// By name; empty where the place is no object with named members.
    package let members: [String: Member]
    /// What members have that are not named.
    package let others: ContentForm?
    /// What the elements of an array have.
    package let elements: ContentForm?
    /// Whether members that are not named may be added.
    package let isOpen: Bool
    /// Whether a text here is an instant (`date-time`).
    package let isInstant: Bool
    /// Whether a number here may have decimals.
    package let takesDecimals: Bool
    /// The names under `#/components/schemas` of the schemas that apply.
    package let schemaNames: [String]

    /// Deeper than any content of ours: schemas may recurse.
    private static let maximumDepth = 12

    init(_ set: SchemaSet, _ indices: [Int], depth: Int = 0) {
        let nodes = set.inPlace(indices)
        var schemas: [String: [Int]] = [:]
        var required: Set<String> = []
        for node in nodes {
            for property in node.rules.properties {
                schemas[property.name, default: []].append(property.schema)
            }
            required.formUnion(node.rules.required)
        }
        func form(_ indices: [Int]) -> ContentForm? {
            indices.isEmpty || depth >= Self.maximumDepth
                ? nil : ContentForm(set, indices, depth: depth + 1)
        }
        var members: [String: Member] = [:]
        for (name, indices) in schemas {
            guard let form = form(indices) else { continue }
            members[name] = Member(
                form: form,
                isRequired: required.contains(name),
                takesNull: indices.allSatisfy { set.types($0).contains(.null) }
            )
        }
        self.members = members
        elements = form(nodes.compactMap(\.rules.items))
        others = form(
            nodes.compactMap { node in
                if case .schema(let schema) = node.rules.additional { schema } else { nil }
            }
        )
        isOpen =
            !members.isEmpty
            && nodes.allSatisfy { node in
                if case .allowed = node.rules.additional { true } else { false }
            }
        isInstant = nodes.contains { $0.rules.format == .dateTime }
        takesDecimals = nodes.contains { $0.rules.types?.contains(.number) ?? false }
        schemaNames = nodes.compactMap { node in
            let tokens = node.location.pointer.tokens
            return tokens.count == 3 && tokens[1] == "schemas" ? tokens[2] : nil
        }
    }
}

/// The forms of answers, each made when it is first asked for.
package final class AnswerForms: Sendable {
    private struct Key: Hashable {
        let operation: Int?
        let status: Int
    }

    private let contract: OpenAPIContract
    private let known = Mutex<[Key: ContentForm]>([:])

    package init(contract: OpenAPIContract) { self.contract = contract }

    /// The form of the JSON in an answer; `nil` where the contract describes none.
    ///
    /// - Parameter operation: `nil` for a request that reached none.
    package func form(of status: Int, of operation: Operation?) -> ContentForm? {
        let key = Key(operation: operation?.index, status: status)
        if let form = known.withLock({ $0[key] }) { return form }
        guard let form = contract.contentForm(of: status, of: operation) else { return nil }
        known.withLock { $0[key] = form }
        return form
    }
}
