import Journal
import Time

/// The journal, put in the order of arrival and linked into chains of attempts.
///
/// A request is a retry of an earlier one when it has the same wish and no other caller sent it; for
/// POST also the same idempotency key, or, without keys, the same body; when it arrives after the
/// earlier one's answer ended or was cut; when the earlier one failed in a way that passes, or with
/// 401; and when at most 15 minutes lie between, or more where Retry-After said so. Requests that
/// overlap are concurrency, never a retry. Where several later ones could be meant, the kindest reading
/// is taken: see `Fit`.
struct Timeline {
    let context: VerdictContext
    /// In the order of arrival.
    let entries: [JournalEntry]
    /// When each answer ended; `Int64.max` while it has not.
    let ends: [Int64]
    /// The attempt that each entry retries, by index.
    private(set) var previous: [Int?]
    /// The attempt that retries each entry, by index.
    private(set) var next: [Int?]
    /// Retries with another key, which are in no chain.
    private(set) var keyChanges = KeyChanges()
    /// Whether another caller, which began when the first had ended, took the wish up.
    private(set) var takenUp: [Bool]
    /// Who sent which request.
    let callers: Callers
    /// What each entry is after.
    let wishes: [Wish]
    /// Entries that came when they did because the client asks in a rhythm of its own.
    private(set) var rhythmic: [Bool]
    /// What the walk through all cursor pages found.
    private(set) var cursorWalk = PagingChecks.CursorWalk()
    /// The facts of each operation.
    let operations: [String: VerdictContext.OperationFacts]
    /// Correlation ids that stand for more than one wish.
    private let sharedIDs: Set<String>
    /// When the first request arrived over each connection.
    private let firstUses: [UInt64: Int64]
    /// When the last request arrived over each connection.
    private let lastUses: [UInt64: Int64]

    /// The longest pause between two attempts of one chain.
    static let longestPause = 15 * 60 * Seconds.nanoseconds

    init(_ entries: [JournalEntry], _ context: VerdictContext) {
        let sorted = entries.sorted {
            $0.arrival != $1.arrival ? $0.arrival < $1.arrival : $0.id < $1.id
        }
        self.entries = sorted
        self.context = context
        wishes = sorted.map(Wish.init)
        sharedIDs = Self.sharedIDs(sorted, wishes)
        ends = Self.ends(sorted, wishes, sharedIDs)
        previous = Array(repeating: nil, count: sorted.count)
        next = previous
        takenUp = Array(repeating: false, count: sorted.count)
        rhythmic = takenUp
        callers = Callers(sorted, ends)
        let uses = sorted.map { ($0.connection, $0.arrival) }
        firstUses = Dictionary(uses, uniquingKeysWith: { first, _ in first })
        lastUses = Dictionary(uses, uniquingKeysWith: { $1 })
        operations = Dictionary(
            context.operations.map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        link()
        keyChanges = KeyChanges(self)
        cursorWalk = PagingChecks.walkCursors(self)
    }

    /// The facts of the operation that an entry called.
    func facts(_ index: Int) -> VerdictContext.OperationFacts? {
        guard entries[index].kind == .operation, let id = entries[index].operation else {
            return nil
        }
        return operations[id]
    }

    /// Whether an entry called an operation of the API.
    func isOperation(_ index: Int) -> Bool { entries[index].kind == .operation }

    /// How many requests a report names for one case.
    static let maximumReferences = 20

    /// References to entries, for a report; an id that holds patient data is not repeated.
    private func references(_ indices: [Int]) -> [Evidence.Request] {
        indices.prefix(Self.maximumReferences).map { index in
            let entry = entries[index]
            return Evidence.Request(
                id: entry.id,
                requestID: entry.shownRequestID,
                traceParent: entry.details.traceParent,
                method: entry.method,
                path: entry.shownPath,
                answer: entry.shortAnswer,
                offset: entry.arrival - (entries.first?.arrival ?? entry.arrival)
            )
        }
    }

    /// Evidence about some entries.
    func evidence(
        _ indices: [Int],
        _ note: String,
        gap: Int64? = nil,
        limit: Int64? = nil,
        tolerance: Int64? = nil
    ) -> Evidence {
        Evidence(
            requests: references(indices),
            note: note,
            gap: gap,
            limit: limit,
            tolerance: tolerance
        )
    }

    /// What an entry asked for, in a few words: the operation, or method and path.
    func name(_ index: Int) -> String {
        let entry = entries[index]
        return switch entry.kind {
        case .token: "the token request"
        case .upload: "the upload"
        case .download: "the download"
        case .operation, .other: entry.operationName ?? "\(entry.method) \(entry.shownPath)"
        }
    }

    /// The same, where a sentence begins with it.
    func nameAtStart(_ index: Int) -> String {
        let name = name(index)
        return name.hasPrefix("the ") ? "T" + name.dropFirst() : name
    }

    /// Entries that agree in a key, in the order of arrival; groups in the order of their first entry.
    func groups<Key: Hashable>(
        of indices: some Sequence<Int>,
        by key: (JournalEntry) -> Key?
    ) -> [[Int]] {
        groups(of: indices, byIndex: { key(entries[$0]) })
    }

    /// As `groups(of:by:)`, for keys that the entry alone does not tell.
    func groups<Key: Hashable>(
        of indices: some Sequence<Int>,
        byIndex key: (Int) -> Key?
    ) -> [[Int]] {
        var places: [Key: Int] = [:]
        var groups: [[Int]] = []
        for index in indices {
            guard let key = key(index) else { continue }
            if let place = places[key] {
                groups[place].append(index)
            } else {
                places[key] = groups.count
                groups.append([index])
            }
        }
        return groups
    }

    /// Whether two entries came over connections that were in use side by side: then two processes
    /// or threads may share a token, and neither knows what the other does.
    func isSideBySide(_ earlier: Int, _ later: Int) -> Bool {
        let connection = entries[earlier].connection
        guard connection != entries[later].connection, let last = lastUses[connection],
            let first = firstUses[entries[later].connection]
        else { return false }
        return first < last
    }

    /// Callers that had two calls under way at once, over two connections: programs or threads that
    /// share a token.
    ///
    /// Only whole answers count, since a client may have left long before the server knows. So does
    /// only what is longer than the pauses that are forgiven: the end of an answer is noted down when
    /// the machine gets to it.
    func callersAtWorkAtOnce() -> Set<Int> {
        var longest: [Int: (end: Int64, connection: UInt64)] = [:]
        var found: Set<Int> = []
        for (index, entry) in entries.enumerated() where entry.kind == .operation {
            guard let caller = callers.caller[index] else { continue }
            if let before = longest[caller], before.connection != entry.connection,
                entry.arrival.addingSaturated(Self.tolerance(of: 0)) < before.end
            {
                found.insert(caller)
            }
            guard entry.delivery == .complete, !entry.lostAnswer, ends[index] != .max,
                ends[index] > longest[caller]?.end ?? .min
            else { continue }
            longest[caller] = (ends[index], entry.connection)
        }
        return found
    }

    /// The first place in a group, ordered by arrival, at or after a time.
    func firstPlace(in group: [Int], arrivingAtOrAfter time: Int64) -> Int {
        var low = 0
        var high = group.count
        while low < high {
            let middle = (low + high) / 2
            if entries[group[middle]].arrival < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Chains

    /// One pause between two attempts.
    struct Gap {
        let from: Int
        let to: Int
        /// From the end of the one to the arrival of the other, in nanoseconds.
        let length: Int64
    }

    /// All chains of two or more attempts, each in the order of arrival.
    var chains: [[Int]] {
        entries.indices.compactMap { index in
            previous[index] == nil && next[index] != nil ? chain(from: index) : nil
        }
    }

    /// The chains, with the attempts that changed the key put where the client sent them.
    var chainsAcrossKeys: [[Int]] {
        entries.indices.compactMap { first in
            guard previous[first] == nil, keyChanges.previous[first] == nil else { return nil }
            var chain = [first]
            var last = first
            while let later = attempt(after: last) {
                chain.append(later)
                last = later
            }
            return chain.count > 1 ? chain : nil
        }
    }

    /// The client's next attempt, with whatever key.
    func attempt(after index: Int) -> Int? { next[index] ?? keyChanges.next[index] }

    /// The client's attempts up to this one, with whatever keys.
    func attempts(upTo index: Int) -> [Int] {
        var attempts = [index]
        var first = index
        while let earlier = previous[first] ?? keyChanges.previous[first] {
            attempts.append(earlier)
            first = earlier
        }
        return attempts.reversed()
    }

    /// The chain that an entry belongs to.
    func chain(around index: Int) -> [Int] {
        var first = index
        while let earlier = previous[first] { first = earlier }
        return chain(from: first)
    }

    /// An entry with the attempts before and after it, at most this many on each side.
    func chain(around index: Int, reach: Int) -> [Int] {
        var chain = [index]
        while chain.count <= reach, let earlier = previous[chain[0]] {
            chain.insert(earlier, at: 0)
        }
        var last = index
        var after = 0
        while after < reach, let later = next[last] {
            chain.append(later)
            last = later
            after += 1
        }
        return chain
    }

    private func chain(from first: Int) -> [Int] {
        var chain = [first]
        var last = first
        while let later = next[last] {
            chain.append(later)
            last = later
        }
        return chain
    }

    /// The pauses of a chain after transient failures that came without `Retry-After`.
    ///
    /// Left out: those after a 401, those in which the session's clock was moved or its records were
    /// changed, and those that are no pauses but the rhythm of a poller.
    func freeGaps(of chain: [Int]) -> [Gap] {
        zip(chain, chain.dropFirst()).compactMap { from, to in
            guard entries[from].isTransient, entries[from].governingRetryAfter == nil,
                !isDisturbed(from, to), !rhythmic[to]
            else { return nil }
            return Gap(from: from, to: to, length: entries[to].arrival - ends[from])
        }
    }

    /// Whether the session's clock was moved or its records were changed between two entries, by the
    /// control API.
    func isDisturbed(_ from: Int, _ to: Int) -> Bool {
        entries[from].clockMoves != entries[to].clockMoves
            || entries[from].interventions != entries[to].interventions
    }

    private static func sharedIDs(_ entries: [JournalEntry], _ wishes: [Wish]) -> Set<String> {
        var wishOf: [String: Wish] = [:]
        var shared: Set<String> = []
        for (entry, wish) in zip(entries, wishes) {
            guard let id = entry.sentID else { continue }
            if let known = wishOf[id] {
                if known != wish { shared.insert(id) }
            } else {
                wishOf[id] = wish
            }
        }
        return shared
    }

    /// When each answer ended.
    ///
    /// Where a client left, that is when its next attempt came, at the latest: a busy server hears of
    /// the attempt before it hears that the connection of the one before is closed. Two attempts are of
    /// one call for certain when they have one key, or one correlation id that stands for nothing else.
    private static func ends(
        _ entries: [JournalEntry],
        _ wishes: [Wish],
        _ sharedIDs: Set<String>
    ) -> [Int64] {
        struct Call: Hashable {
            let wish: Wish
            let id: String?
        }
        var ends = entries.map { $0.delivery == .pending ? .max : $0.answerEnded ?? .max }
        var attempts: [Call: Int] = [:]
        for (index, entry) in entries.enumerated() {
            let id = entry.sentID.flatMap { sharedIDs.contains($0) ? nil : $0 }
            let hasKey = entry.details.idempotencyKey != nil
            guard hasKey || id != nil else { continue }
            let call = Call(wish: wishes[index], id: hasKey ? nil : id)
            if let earlier = attempts[call], entries[earlier].delivery == .clientLeft {
                ends[earlier] = min(ends[earlier], entry.arrival)
            }
            attempts[call] = index
        }
        return ends
    }

    /// How many later requests with the same wish are looked at for the retry of one.
    private static let maximumSuccessors = 64

    private mutating func link() {
        var groups: [Wish: [Int]] = [:]
        var order: [Wish] = []
        for index in entries.indices {
            if groups[wishes[index]] == nil { order.append(wishes[index]) }
            groups[wishes[index], default: []].append(index)
        }
        for wish in order {
            guard let group = groups[wish], group.count > 1 else { continue }
            let failed = group.filter {
                ends[$0] != .max && (entries[$0].isTransient || entries[$0].status == 401)
            }
            for index in failed.sorted(by: { (ends[$0], $0) < (ends[$1], $1) }) {
                guard let later = successor(of: index, in: group) else { continue }
                if callers.relation(of: later, to: index) == .successor {
                    takenUp[index] = true
                } else {
                    next[index] = later
                    previous[later] = index
                }
            }
            findRhythm(in: group)
        }
    }

    /// How well a request fits as the retry of another; the least is taken.
    ///
    /// One correlation id for two attempts says that they are one call, unless it stands for other calls,
    /// too. A retry comes over the connection of the failed attempt while that is open, over a new one, or
    /// one that a pool had left, when it is not. A request over a connection that was in use before is more likely somebody else's,
    /// and so is one that came before the time, succeeded, and was followed by one in time.
    private enum Fit: Int, Comparable {
        case sameRequest
        case sameConnection
        case newConnection
        case otherConnection
        case earlyOnNewConnection
        case earlyOnOtherConnection
        case successor

        static func < (one: Fit, other: Fit) -> Bool { one.rawValue < other.rawValue }
    }

    /// How long after the time a request may come to be preferred to an earlier one.
    private static let horizon = 10 * Seconds.nanoseconds

    private func successor(of index: Int, in group: [Int]) -> Int? {
        let entry = entries[index]
        let end = ends[index]
        let wait = requiredWait(after: index) ?? 0
        let dueAt = end.addingReportingOverflow(max(0, wait - Self.tolerance(of: wait)))
        let due = dueAt.overflow ? Int64.max : dueAt.partialValue
        let reach = wait > 0 ? max(Self.longestPause, Self.latest(after: wait)) : Self.longestPause
        let horizon = min(wait, Self.longestPause) * 2 + Self.horizon
        var best: (fit: Fit, index: Int)?
        let hasID = entry.sentID.map { !sharedIDs.contains($0) } ?? false
        let first = firstPlace(in: group, arrivingAtOrAfter: end)
        for later in group[first...].prefix(Self.maximumSuccessors) {
            let gap = entries[later].arrival - end
            if gap > reach { break }
            if best != nil, gap > horizon { break }
            guard later != index, previous[later] == nil else { continue }
            let other = entries[later]
            let fit: Fit
            switch callers.relation(of: later, to: index) {
            case .successor: fit = .successor
            // Who sends one id for one call is one caller, whatever else it looks like.
            case _ where hasID && other.sentID == entry.requestID: fit = .sameRequest
            case .other: continue
            case .same:
                // A retry after a broken connection comes over a new one.
                let isNew = entry.lostAnswer || (firstUses[other.connection] ?? 0) >= end
                // A failed one leads on; one that succeeded before the time may be another's.
                let isEarly = wait > 0 && other.arrival < due && other.succeeded
                if other.connection == entry.connection {
                    fit = .sameConnection
                } else if isEarly {
                    fit = isNew ? .earlyOnNewConnection : .earlyOnOtherConnection
                } else {
                    fit = isNew ? .newConnection : .otherConnection
                }
            }
            if best.map({ fit < $0.fit }) ?? true { best = (fit, later) }
            if fit == .sameRequest || (fit == .sameConnection && !hasID) { break }
        }
        return best?.index
    }

    // MARK: Rhythm

    /// How many pauses after answers without a failure it takes to see a rhythm.
    private static let beatsOfRhythm = 3
    /// How far a beat may be off, as a share.
    private static let shareOfRhythm = 0.2

    /// Finds the requests of a poller: they come as long after a failure as after a success.
    private mutating func findRhythm(in group: [Int]) {
        var beats: [Int64] = []
        for (earlier, later) in zip(group, group.dropFirst())
        where entries[earlier].succeeded && !isDisturbed(earlier, later) {
            beats.append(entries[later].arrival - entries[earlier].arrival)
        }
        guard beats.count >= Self.beatsOfRhythm else { return }
        beats.sort()
        let beat = Double(beats[beats.count / 2])
        // Nobody polls so fast that it could be told from a retry loop.
        guard beat >= Double(Seconds.nanoseconds) / 2 else { return }
        for index in group {
            guard let earlier = previous[index] else { continue }
            let pause = Double(entries[index].arrival - entries[earlier].arrival)
            if abs(pause - beat) <= Self.shareOfRhythm * beat { rhythmic[index] = true }
        }
    }

    /// How long a client must wait after an answer with `Retry-After`, in nanoseconds.
    ///
    /// A date is an instant of the session's clock, in whole seconds, so it may ask for less than
    /// the seconds it was made of.
    func requiredWait(after index: Int) -> Int64? {
        guard let retryAfter = entries[index].governingRetryAfter else { return nil }
        let seconds = Seconds.inNanoseconds(Int64(retryAfter.seconds))
        guard let date = retryAfter.date, ends[index] != .max else { return seconds }
        let answered = entries[index].wallTime + (ends[index] - entries[index].arrival)
        return max(0, min(seconds, date - answered))
    }

    /// How long after an answer a retry may come that was told to wait, in nanoseconds.
    static func latest(after wait: Int64) -> Int64 {
        wait.addingSaturated(wait).addingSaturated(30 * Seconds.nanoseconds)
    }

    /// What is forgiven in a measured pause: 50 ms or 2 %, whichever is more.
    static func tolerance(of limit: Int64) -> Int64 { max(50_000_000, limit / 50) }
}

extension JournalEntry {
    /// Whether a client called with its token what the contract does not have: a path, or a method there.
    var isOfNoOperation: Bool {
        kind == .other && client != nil && token != nil && (refusal == .route || refusal == .method)
    }

    /// Whether the request failed in a way that may pass by itself.
    var isTransient: Bool {
        if delivery == .pending { return false }
        switch status {
        case 429, 500, 502, 503, 504: return true
        default: return lostAnswer
        }
    }

    /// The status, or what came in its place, in a word or two.
    var shortAnswer: String {
        switch delivery {
        case .pending: return "awaited"
        case .clientLeft: return "left"
        case .cut, .complete: return lostAnswer ? "lost" : status.map { String($0) } ?? "no answer"
        }
    }

    /// How it failed in a way that may pass; `nil` where it did not.
    var failureKind: FailureKind? {
        guard isTransient else { return nil }
        guard lostAnswer else { return .status }
        return delivery == .clientLeft ? .silence : .connection
    }

    /// The correlation id that the client sent, where it could be used.
    var sentID: String? {
        traits.contains(.sentRequestID) && !traits.contains(.malformedRequestID) ? requestID : nil
    }

    /// Whether a whole, unspoiled 2xx reached the client.
    var succeeded: Bool {
        guard delivery == .complete, let status, 200..<300 ~= status, !lostAnswer else {
            return false
        }
        return !(details.fault?.effects.contains(.content) ?? false)
    }

    /// Whether a whole answer with this status reached the client.
    func answered(_ code: UInt16) -> Bool { status == code && delivery == .complete && !lostAnswer }

    /// Whether something in front of the API answered in its place.
    var isForeign: Bool { details.fault?.effects.contains(.edge) ?? false }

    /// Whether the status came from a fault rule.
    var isInjected: Bool { details.fault?.effects.contains(.status) ?? false }

    /// `Retry-After`, where the status gives it a meaning for retries, the answer arrived, and the
    /// value has one (RFC 9110 §10.2.3): after nonsense the client's own pause is what counts.
    var governingRetryAfter: JournalDetails.RetryAfter? {
        guard status == 429 || status == 503, !lostAnswer,
            details.retryAfter?.nonsense == nil
        else { return nil }
        return details.retryAfter
    }
}

/// How a request failed in a way that may pass: libraries pause differently after each.
enum FailureKind: Hashable {
    /// 429, 500, 502, 503, 504.
    case status
    /// The answer broke off, or there was none.
    case connection
    /// The client did not wait for the end.
    case silence
}
