import Journal

/// Who sent which request: the processes, or threads with tokens of their own, behind one client id.
///
/// A token and a connection belong together when the one came over the other. What hangs together in
/// this way is one caller. What does not, and was at work at the same time, is another: neither
/// retries for the other. One that begins when another has ended may be the same program, started
/// again; and where each call has a token and a connection of its own, all of them are one caller.
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
        var knows: Set<Int> = []
        for entry in entries {
            guard entry.client != nil else {
                places.append(nil)
                continue
            }
            let connection = node(entry, .connection(entry.connection))
            places.append(connection)
            if let token = entry.token, entry.kind == .operation || entry.kind == .token {
                let token = node(entry, .token(token))
                knows.insert(token)
                forest.join(connection, token)
            }
        }
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
            guard let life = lives[root], life.calls <= Self.fewCalls, let owner = ownerOf[root]
            else { continue }
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

    /// What an entry is to an earlier one.
    func relation(of later: Int, to earlier: Int) -> Relation {
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
