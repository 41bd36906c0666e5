import HTTPMessage

/// Grows the tree of a `Router`, one template at a time.
struct RouterBuilder {
    private struct Node {
        var literals: [(label: String, node: Int)] = []
        var parameterChild: Int?
        var leaf: Int?
    }

    private var nodes = [Node()]
    private var leaves: [(template: String, endpoints: [(method: HTTPMethod, operation: Int)])] = []

    /// Adds an operation; tells whether its method and path were free.
    mutating func add(_ template: PathTemplate, _ method: HTTPMethod, operation: Int) -> Bool {
        var node = 0
        for segment in template.segments {
            node = child(of: node, segment)
        }
        if let leaf = nodes[node].leaf {
            if leaves[leaf].endpoints.contains(where: { $0.method == method }) { return false }
            leaves[leaf].endpoints.append((method, operation))
        } else {
            nodes[node].leaf = leaves.count
            leaves.append((template.text, [(method, operation)]))
        }
        return true
    }

    private mutating func child(of node: Int, _ segment: PathTemplate.Segment) -> Int {
        switch segment {
        case .literal(let label):
            if let known = nodes[node].literals.first(where: { $0.label == label }) {
                return known.node
            }
            nodes[node].literals.append((label, nodes.count))
        case .parameter:
            if let known = nodes[node].parameterChild { return known }
            nodes[node].parameterChild = nodes.count
        }
        nodes.append(Node())
        return nodes.count - 1
    }

    /// The router, under the given prefixes as well (each with its leading `/` and without a
    /// trailing one).
    func finish(prefixes: [String]) -> Router {
        var flat: [Router.Node] = []
        var edges: [Router.Edge] = []
        var labels: [UInt8] = []
        for node in nodes {
            flat.append(
                .init(
                    firstEdge: edges.count,
                    edgeCount: node.literals.count,
                    parameterChild: node.parameterChild,
                    leaf: node.leaf
                )
            )
            for (label, target) in node.literals {
                let octets = Array(label.utf8)
                edges.append(
                    .init(labelStart: labels.count, labelCount: octets.count, target: target)
                )
                labels += octets
            }
        }
        return Router(
            nodes: flat,
            edges: edges,
            labels: labels,
            leaves: leaves.map { Router.Leaf(template: $0.template, endpoints: $0.endpoints) },
            prefixes: prefixes.map { Array($0.utf8) }
        )
    }
}
