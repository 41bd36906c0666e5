import Journal

/// Who sent which request: the processes, or threads with tokens of their own, behind one client id.
///
/// A token and a connection belong together when the one came over the other. What hangs together in
/// this way is one caller. What does not, and was at work at the same time, is another: neither
/// retries for the other. Processes that begin with one token, and go on side by side with different
/// ones, are different callers from the start: see `joinByTokens`. One that begins when another has
/// ended may be the same program, started again; and where each call has a token and a connection of
/// its own, all of them are one caller.
struct Callers {
    /// What two requests are to each other.
    enum Relation {
        /// Sent by one caller, as far as anybody can see.
        case same
        /// Sent by one that began when the other had ended.
        case successor
        /// Sent by two callers at work at the same time.
        case other
    }

    /// The caller of each entry; `nil` where nothing tells.
    let caller: [Int?]
    private let lives: [Life]

    /// Whether an entry is a refused token request over a connection that never carried a token.
    private let isForlorn: [Bool]
    /// Whether an entry came over a connection that its client kept for many calls.
    private let isKept: [Bool]
    /// So many calls over one connection show a client that keeps its connections.
    private static let callsOfKept = 5

    /// From the first to the last sign of a caller.
    private struct Life {
        var first: Int64
        var last: Int64
        var calls: Int
    }

    private struct Node: Hashable {
        let session: String
        let client: String?
        let kind: Kind

        enum Kind: Hashable {
            case token(JournalDigest)
            case connection(UInt64)
        }
    }

    /// A caller with so few calls may be one of many that a single program seems to be.
    private static let fewCalls = 2

    init(_ entries: [JournalEntry], _ ends: [Int64]) {
        var forest = Forest()
        var nodes: [Node: Int] = [:]
        func node(_ entry: JournalEntry, _ kind: Node.Kind) -> Int {
            let node = Node(session: entry.session, client: entry.client, kind: kind)
            if let place = nodes[node] { return place }
            let place = forest.add()
            nodes[node] = place
            return place
        }
        var places: [Int?] = []
        var uses = Uses()
        for entry in entries {
            guard entry.client != nil else {
                places.append(nil)
                continue
            }
            let connection = node(entry, .connection(entry.connection))
            places.append(connection)
            if let token = entry.token, entry.kind == .operation || entry.kind == .token {
                uses.note(node(entry, .token(token)), over: connection, entry)
            }
        }
        let calls = Dictionary(
            entries.filter { $0.kind == .operation }.map { ($0.connection, 1) },
            uniquingKeysWith: +
        )
        let bearers = Set(entries.filter { $0.token != nil }.map(\.connection))
        isForlorn = entries.map {
            $0.kind == .token && !$0.lostAnswer && !bearers.contains($0.connection)
        }
        isKept = entries.map { calls[$0.connection, default: 0] >= Self.callsOfKept }
        let knows = Self.joinByTokens(uses, &forest)
        // What has never been seen with a token tells nothing of its caller.
        var known = Set(knows.map { forest.root($0) })
        var lives: [Int: Life] = [:]
        var order: [Int] = []
        for (index, place) in places.enumerated() {
            guard let place, case let root = forest.root(place), known.contains(root) else {
                continue
            }
            let entry = entries[index]
            let end = ends[index] == .max ? entry.arrival : ends[index]
            if lives[root] == nil { order.append(root) }
            var life = lives[root] ?? Life(first: entry.arrival, last: end, calls: 0)
            life.last = max(life.last, end)
            if entry.kind == .operation { life.calls += 1 }
            lives[root] = life
        }
        // A token and a connection for each call: one caller after all.
        struct Owner: Hashable {
            let session: String
            let client: String?
        }
        var lastSmall: [Owner: Int] = [:]
        var ownerOf: [Int: Owner] = [:]
        for (index, place) in places.enumerated() {
            guard let place else { continue }
            let root = forest.root(place)
            if ownerOf[root] == nil {
                ownerOf[root] = Owner(
                    session: entries[index].session,
                    client: entries[index].client
                )
            }
        }
        for root in order {
            guard let life = lives[root], let owner = ownerOf[root] else { continue }
            guard life.calls <= Self.fewCalls else {
                // One that spans this would seem to be at work beside it.
                lastSmall[owner] = nil
                continue
            }
            guard let before = lastSmall[owner], case let root2 = forest.root(before),
                let earlier = lives[root2], earlier.last <= life.first
            else {
                lastSmall[owner] = root
                continue
            }
            forest.join(root, root2)
            let joined = forest.root(root)
            known.insert(joined)
            lives[joined] = Life(
                first: earlier.first,
                last: life.last,
                calls: earlier.calls + life.calls
            )
            lastSmall[owner] = joined
        }
        var numbers: [Int: Int] = [:]
        var list: [Life] = []
        caller = places.map { place in
            guard let place else { return nil }
            let root = forest.root(place)
            guard known.contains(root), let life = lives[root] else { return nil }
            if let number = numbers[root] { return number }
            numbers[root] = list.count
            list.append(life)
            return list.count - 1
        }
        self.lives = list
    }

    /// Joins connections by the tokens that came over them.
    ///
    /// A token that two connections share says that they have one caller, unless both go on with tokens
    /// of their own, side by side. Later tokens are looked at first: they tell who goes on with whom.
    /// A connection that ends with such a shared token may be anybody's.
    ///
    /// - Returns: Nodes of callers that are known.
    private static func joinByTokens(_ uses: Uses, _ forest: inout Forest) -> [Int] {
        var knows: [Int] = []
        for token in uses.order.reversed() {
            let connections = uses.connections[token] ?? []
            var further: [Int: Stretch] = [:]
            for connection in connections {
                guard let stretch = uses.stretch(of: connection, after: token) else { continue }
                let root = forest.root(connection)
                further[root] = further[root]?.joined(stretch) ?? stretch
            }
            if areSideBySide(Array(further.values)) { continue }
            knows.append(token)
            for connection in connections { forest.join(connection, token) }
        }
        return knows
    }

    /// Whether two of several stretches, each of more than a few calls, overlap.
    private static func areSideBySide(_ stretches: [Stretch]) -> Bool {
        let long = stretches.filter { $0.calls > fewCalls }.sorted { $0.first < $1.first }
        return zip(long, long.dropFirst()).contains { $1.first < $0.last }
    }

    /// From one use of a connection to another.
    private struct Stretch {
        var first: Int64
        var last: Int64
        var calls: Int

        func joined(_ other: Stretch) -> Stretch {
            Stretch(
                first: min(first, other.first),
                last: max(last, other.last),
                calls: calls + other.calls
            )
        }
    }

    /// Which tokens came over which connections, and when.
    private struct Uses {
        /// Of one token over one connection.
        private struct Use {
            let token: Int
            let first: Int64
            var last: Int64
            /// Calls of operations over the connection before this use.
            let callsBefore: Int
        }

        /// Tokens in the order of their first use.
        private(set) var order: [Int] = []
        /// The connections of each token.
        private(set) var connections: [Int: [Int]] = [:]
        /// By connection, in the order of the first use.
        private var uses: [Int: [Use]] = [:]
        private var places: [Int: [Int: Int]] = [:]
        private var calls: [Int: Int] = [:]

        mutating func note(_ token: Int, over connection: Int, _ entry: JournalEntry) {
            if connections[token] == nil { order.append(token) }
            if let place = places[connection]?[token] {
                uses[connection]?[place].last = entry.arrival
            } else {
                connections[token, default: []].append(connection)
                places[connection, default: [:]][token] = uses[connection]?.count ?? 0
                uses[connection, default: []].append(
                    Use(
                        token: token,
                        first: entry.arrival,
                        last: entry.arrival,
                        callsBefore: calls[connection] ?? 0
                    )
                )
            }
            if entry.kind == .operation { calls[connection, default: 0] += 1 }
        }

        /// What came over a connection with other tokens after the last use of one.
        func stretch(of connection: Int, after token: Int) -> Stretch? {
            guard let uses = uses[connection], let place = places[connection]?[token] else {
                return nil
            }
            var low = place + 1
            var high = uses.count
            while low < high {
                let middle = (low + high) / 2
                if uses[middle].first <= uses[place].last {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            guard low < uses.count, let last = uses.last else { return nil }
            return Stretch(
                first: uses[low].first,
                last: last.last,
                calls: (calls[connection] ?? 0) - uses[low].callsBefore
            )
        }
    }

    /// What an entry is to an earlier one.
    func relation(of later: Int, to earlier: Int) -> Relation {
        // Who keeps connections would have asked for a token again over the one that was open: so the
        // program had ended, and this is the next.
        if isForlorn[earlier], isKept[later], !isForlorn[later] { return .successor }
        guard let one = caller[earlier], let other = caller[later], one != other else {
            return .same
        }
        return lives[one].last <= lives[other].first ? .successor : .other
    }

    /// Sets that are joined, and found again by their root.
    private struct Forest {
        private var parents: [Int] = []

        mutating func add() -> Int {
            parents.append(parents.count)
            return parents.count - 1
        }

        mutating func root(_ node: Int) -> Int {
            var root = node
            while parents[root] != root { root = parents[root] }
            var passed = node
            while parents[passed] != root {
                let next = parents[passed]
                parents[passed] = root
                passed = next
            }
            return root
        }

        mutating func join(_ one: Int, _ other: Int) {
            let (one, other) = (root(one), root(other))
            if one != other { parents[one] = other }
        }
    }
}
