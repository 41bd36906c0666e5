import JSON

/// Finds members of our own answers that the contract does not describe.
///
/// A schema that is open to members it does not name lets others send more; we have no excuse.
struct UndocumentedMembers {
    let schemas: SchemaSet
    private(set) var violations: [Violation] = []

    init(schemas: SchemaSet) { self.schemas = schemas }

    /// Looks through a value that keeps its schema; what is found is appended to `violations`.
    mutating func look(at value: JSONValue, against index: Int) {
        look(at: value, described: [index], pointer: JSONPointer())
    }

    /// - Parameter described: The schemas of this place, any of which may name a member.
    private mutating func look(
        at value: JSONValue,
        described indices: [Int],
        pointer: JSONPointer
    ) {
        let nodes = schemas.inPlace(indices)
        switch value {
        case .array(let elements):
            let schemas = nodes.compactMap(\.rules.items)
            if schemas.isEmpty { return }
            for (position, element) in elements.enumerated() {
                look(at: element, described: schemas, pointer: pointer.appending(position))
            }
        case .object(let object):
            let isFree = nodes.allSatisfy { node in
                node.rules.properties.isEmpty && node.source["additionalProperties"] == nil
            }
            if isFree { return }
            for member in object.members {
                look(at: member, of: nodes, pointer: pointer.appending(member.name))
            }
        case .null, .bool, .number, .string: break
        }
    }

    private mutating func look(
        at member: JSONObject.Member,
        of nodes: [SchemaNode],
        pointer: JSONPointer
    ) {
        let schemas = nodes.compactMap { node -> Int? in
            if let schema = node.property(member.name) { return schema }
            return if case .schema(let schema) = node.rules.additional { schema } else { nil }
        }
        if !schemas.isEmpty {
            look(at: member.value, described: schemas, pointer: pointer)
        } else if let node = nodes.first(where: { !$0.rules.properties.isEmpty }),
            !nodes.contains(where: { $0.source["additionalProperties"] == .bool(true) })
        {
            violations.append(
                Violation(
                    location: .body,
                    name: pointer.description,
                    keyword: "properties",
                    message: "The contract does not describe this member.",
                    contractPointer: node.location.appending("properties").pointer
                )
            )
        }
    }
}
