import HTTPMessage

/// Finds the operation for a method and a path, octet by octet and without making a `String`.
///
/// A tree of segments, laid out flat. A literal segment always wins over a templated one, and there
/// is no way back: what a literal sibling has taken is never tried as the value of a parameter.
struct Router: Sendable {
    /// A node of the tree: literal edges, then at most one for parameters.
    struct Node: Sendable {
        let firstEdge: Int
        let edgeCount: Int
        let parameterChild: Int?
        let leaf: Int?
    }

    /// A literal segment, decoded, and the node behind it.
    struct Edge: Sendable {
        let labelStart: Int
        let labelCount: Int
        let target: Int
    }

    /// The end of a path, with the operation for each method.
    struct Leaf: Sendable {
        let template: String
        let endpoints: [(method: HTTPMethod, operation: Int)]
    }

    /// What routing found.
    enum Found {
        case operation(Int, PathMatch)
        case otherMethod(Leaf)
        case nothing
    }

    private let nodes: [Node]
    private let edges: [Edge]
    private let labels: [UInt8]
    private let leaves: [Leaf]
    private let prefixes: [[UInt8]]

    init(nodes: [Node], edges: [Edge], labels: [UInt8], leaves: [Leaf], prefixes: [[UInt8]]) {
        self.nodes = nodes
        self.edges = edges
        self.labels = labels
        self.leaves = leaves
        self.prefixes = prefixes
    }

    /// How many octets of a path are one of the prefixes under which everything is served again.
    func prefixLength(of path: [UInt8]) -> Int {
        for prefix in prefixes
        where path.count > prefix.count && path[prefix.count] == UInt8(ascii: "/")
            && path.starts(with: prefix)
        {
            return prefix.count
        }
        return 0
    }

    func find(_ method: HTTPMethod, _ path: [UInt8]) -> Found {
        var match = PathMatch(path: path)
        guard let leaf = walk(path, into: &match) else { return .nothing }
        let endpoints = leaves[leaf].endpoints
        for endpoint in endpoints where endpoint.method == method {
            return .operation(endpoint.operation, match)
        }
        if method == .head {
            for endpoint in endpoints where endpoint.method == .get {
                return .operation(endpoint.operation, match)
            }
        }
        return .otherMethod(leaves[leaf])
    }

    private func walk(_ path: [UInt8], into match: inout PathMatch) -> Int? {
        let start = prefixLength(of: path)
        guard start < path.count, path[start] == UInt8(ascii: "/") else { return nil }
        return path.withUnsafeBufferPointer { path in
            var node = 0
            var position = start + 1
            while true {
                var end = position
                var isEncoded = false
                while end < path.count, path[end] != UInt8(ascii: "/") {
                    if path[end] == UInt8(ascii: "%") { isEncoded = true }
                    end += 1
                }
                let segment = UnsafeBufferPointer(rebasing: path[position..<end])
                let next =
                    isEncoded ? childOfEncoded(node, segment) : child(of: node, segment)
                guard let next else { return nil }
                if next.isParameter { match.capture(position, end) }
                node = next.node
                if end == path.count { return nodes[node].leaf }
                position = end + 1
            }
        }
    }

    private typealias Child = (node: Int, isParameter: Bool)

    /// The node behind a segment that needs no decoding.
    private func child(of index: Int, _ segment: UnsafeBufferPointer<UInt8>) -> Child? {
        // Empty segments and dot segments make another path.
        if segment.isEmpty || Self.isDots(segment) { return nil }
        let node = nodes[index]
        for edge in node.firstEdge..<(node.firstEdge + node.edgeCount)
        where edges[edge].labelCount == segment.count
            && hasLabel(segment, at: edges[edge].labelStart)
        {
            return (edges[edge].target, false)
        }
        return node.parameterChild.map { ($0, true) }
    }

    /// The node behind a segment with percent-escapes: decoded once, then compared.
    private func childOfEncoded(_ index: Int, _ segment: UnsafeBufferPointer<UInt8>) -> Child? {
        guard let decoded = PercentCoding.decode(Array(segment)[...]) else {
            // Malformed: no literal, but perhaps a parameter, which will then be refused by name.
            return nodes[index].parameterChild.map { ($0, true) }
        }
        return decoded.withUnsafeBufferPointer { child(of: index, $0) }
    }

    private func hasLabel(_ segment: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        labels.withUnsafeBufferPointer { labels in
            for position in 0..<segment.count
            where labels[start + position] != segment[position] {
                return false
            }
            return true
        }
    }

    private static func isDots(_ segment: UnsafeBufferPointer<UInt8>) -> Bool {
        guard segment[0] == UInt8(ascii: ".") else { return false }
        return segment.count == 1 || (segment.count == 2 && segment[1] == UInt8(ascii: "."))
    }
}
