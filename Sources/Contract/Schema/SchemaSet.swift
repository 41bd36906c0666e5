import JSON

/// Every compiled schema of a contract.
///
/// Schemas refer to one another by index, so that they may recurse.
final class SchemaSet: Sendable {
    let nodes: [SchemaNode]
    /// Schemas that can be asked for by their place in the document (`#/components/schemas/…`).
    let indices: [String: Int]

    init(nodes: [SchemaNode], indices: [String: Int]) {
        self.nodes = nodes
        self.indices = indices
    }

    subscript(index: Int) -> SchemaNode { nodes[index] }

    /// The schema itself, where it is not just a reference to another.
    func resolved(_ index: Int) -> SchemaNode {
        var node = nodes[index]
        while let reference = node.rules.reference, node.source.count == 1 {
            node = nodes[reference]
        }
        return node
    }

    /// The schemas at some indices, and all that they apply to the same value.
    func inPlace(_ indices: [Int]) -> [SchemaNode] {
        var pending = indices
        var seen: Set<Int> = []
        var nodes: [SchemaNode] = []
        while let next = pending.popLast() {
            guard seen.insert(next).inserted else { continue }
            let rules = self[next].rules
            nodes.append(self[next])
            pending += rules.allOf + rules.anyOf + rules.oneOf
            if let reference = rules.reference { pending.append(reference) }
        }
        return nodes
    }

    /// The types that values of a schema may have, as far as `type`, `enum`, `const` and
    /// applicators tell.
    func types(_ index: Int) -> JSONTypes {
        let rules = nodes[index].rules
        var types = rules.types ?? .all
        // What is a number may be an integer.
        if types.contains(.number) { types.insert(.integer) }
        if let constant = rules.constant { types.formIntersection(JSONTypes(of: constant)) }
        if let values = rules.enumeration {
            types.formIntersection(values.reduce(into: []) { $0.formUnion(JSONTypes(of: $1)) })
        }
        if let reference = rules.reference { types.formIntersection(self.types(reference)) }
        for branch in rules.allOf { types.formIntersection(self.types(branch)) }
        for branches in [rules.anyOf, rules.oneOf] where !branches.isEmpty {
            types.formIntersection(branches.reduce(into: []) { $0.formUnion(self.types($1)) })
        }
        return types
    }
}
