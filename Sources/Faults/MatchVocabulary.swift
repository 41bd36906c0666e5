import Suggestions

/// The names that rules may use, and what they mean together.
///
/// A rule that can never match is a test that proves nothing, so it is refused when it is set.
package struct MatchVocabulary: Sendable {
    /// An operation that rules can name.
    package struct Operation: Sendable {
        /// As the contract spells it, or `token`, `upload`, `download`.
        package let id: String
        /// Whether this is one of the API's own: a rule without `operation` matches only these.
        package let isPartnerOperation: Bool
        package let tag: String?
        /// `HEAD` included, where it works.
        package let methods: [String]
        /// Path templates, the contract's own first, then other paths to the same operation.
        package let paths: [String]
        /// Whether `RequestFacts.domain` is ever given.
        package let knowsDomain: Bool
        /// Whether `RequestFacts.client` is ever given.
        package let knowsClient: Bool
        /// Whether `RequestFacts.appointmentId` is ever given.
        package let knowsAppointment: Bool

        package init(
            id: String,
            isPartnerOperation: Bool,
            tag: String?,
            methods: [String],
            paths: [String],
            knowsDomain: Bool,
            knowsClient: Bool,
            knowsAppointment: Bool
        ) {
            self.id = id
            self.isPartnerOperation = isPartnerOperation
            self.tag = tag
            self.methods = methods
            self.paths = paths
            self.knowsDomain = knowsDomain
            self.knowsClient = knowsClient
            self.knowsAppointment = knowsAppointment
        }
    }

    package let operations: [Operation]
    package let domains: [String]
    package let clients: [String]
    /// What may stand before a path template and means nothing, longest first.
    private let pathPrefixes: [String]
    private let indices: [String: Int]
    /// The beginning that all partner operation ids share, up to its last `_`.
    private let sharedPrefix: String
    let knownClients: Set<String>

    /// - Parameters:
    ///   - operations: In the order of the contract; an operation's index is its position here.
    ///   - pathPrefixes: Templates such as `/integrations/v1/{domain}` that a rule may write before a path.
    package init(
        operations: [Operation],
        domains: [String],
        clients: [String],
        pathPrefixes: [String]
    ) {
        self.operations = operations
        self.domains = domains
        self.clients = clients
        self.pathPrefixes = pathPrefixes.sorted { $0.utf8.count > $1.utf8.count }
        indices = Dictionary(
            operations.enumerated().map { ($1.id.lowercased(), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        knownClients = Set(clients)
        sharedPrefix = Self.sharedPrefix(of: operations.filter(\.isPartnerOperation).map(\.id))
    }

    /// The index of an operation, by its id in any case.
    package func index(ofOperation id: String) -> Int? {
        indices[id.lowercased()]
    }

    private static func sharedPrefix(of ids: [String]) -> String {
        guard let first = ids.first, ids.count > 1 else { return "" }
        var shared = Substring(first)
        for id in ids { shared = shared.prefix(zip(shared, id).prefix { $0 == $1 }.count) }
        return shared.lastIndex(of: "_").map { String(shared[...$0]) } ?? ""
    }

    /// The operations behind a path template, whose parameters may have any name.
    func operations(atPath path: String) -> [Int] {
        let shapes = Set(spellings(of: path).map(Self.shape))
        return operations.indices.filter { index in
            operations[index].paths.contains { shapes.contains(Self.shape(of: $0)) }
        }
    }

    /// The id most like a name.
    func nearestOperation(to name: String) -> String? {
        let found = NameSuggestions.nearest(to: name, among: operations.map(\.id)) { id in
            id.hasPrefix(sharedPrefix) ? [id, String(id.dropFirst(sharedPrefix.count))] : [id]
        }
        return found.first
    }

    /// The path template that a concrete path would fit, else the one most like it.
    func nearestPath(to path: String) -> String? {
        let templates = operations.flatMap(\.paths)
        let sought = Self.segments(of: path)
        let whole = pathPrefixes.map { $0 + "/" } + ["/"]
        for template in templates {
            for prefix in whole {
                let segments = Self.segments(of: prefix + template.dropFirst())
                let fits =
                    segments.count == sought.count
                    && zip(segments, sought).allSatisfy {
                        Self.isParameter($0) ? !$1.isEmpty : $0 == $1
                    }
                if fits { return template }
            }
        }
        let found = NameSuggestions.nearest(to: path, among: templates) { template in
            [template] + pathPrefixes.map { $0 + template }
        }
        return found.first
    }

    /// The path, and the path without a prefix that it carries.
    private func spellings(of path: String) -> [String] {
        let segments = Self.segments(of: path)
        for prefix in pathPrefixes {
            let before = Self.segments(of: prefix)
            if segments.count > before.count,
                Self.shape(of: before) == Self.shape(of: segments.prefix(before.count))
            {
                return [path, "/" + segments.dropFirst(before.count).joined(separator: "/")]
            }
        }
        return [path]
    }

    /// A template without the names of its parameters.
    private static func shape(of path: String) -> String {
        path.first == "/" ? shape(of: segments(of: path)) : path
    }

    private static func shape(of segments: some Collection<Substring>) -> String {
        segments.map { "/" + (isParameter($0) ? "{}" : $0) }.joined()
    }

    private static func segments(of path: String) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func isParameter(_ segment: Substring) -> Bool {
        segment.count > 2 && segment.first == "{" && segment.last == "}"
    }
}
