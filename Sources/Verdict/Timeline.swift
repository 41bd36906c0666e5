import Journal

/// The journal, put in the order of arrival and linked into chains of attempts.
///
/// A request is a retry of an earlier one when session, client, method, path and query are the
/// same; for POST the same idempotency key, or, without keys, the same body; when it arrives after
/// the earlier one's answer ended or was cut; when the earlier one failed in a way that passes, or
/// with 401; and when at most 15 minutes lie between. Requests that overlap are concurrency, never
/// a retry. Where several earlier ones could be meant, the kindest reading is taken.
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
    /// What the walk through all cursor pages found.
    private(set) var cursorWalk = PagingChecks.CursorWalk()
    /// The facts of each operation.
    let operations: [String: VerdictContext.OperationFacts]

    /// The longest pause between two attempts of one chain.
    static let longestPause = 15 * 60 * Seconds.nanoseconds

    init(_ entries: [JournalEntry], _ context: VerdictContext) {
        let sorted = entries.sorted {
            $0.arrival != $1.arrival ? $0.arrival < $1.arrival : $0.id < $1.id
        }
        self.entries = sorted
        self.context = context
        ends = sorted.map { $0.delivery == .pending ? .max : $0.answerEnded ?? .max }
        previous = Array(repeating: nil, count: sorted.count)
        next = previous
        operations = Dictionary(
            context.operations.map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        link()
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
            Evidence.Request(id: entries[index].id, requestID: entries[index].shownRequestID)
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
        entries[index].operationName ?? "\(entries[index].method) \(entries[index].shownPath)"
    }

    /// Entries that agree in a key, in the order of arrival; groups in the order of their first entry.
    func groups<Key: Hashable>(
        of indices: some Sequence<Int>,
        by key: (JournalEntry) -> Key?
    ) -> [[Int]] {
        var places: [Key: Int] = [:]
        var groups: [[Int]] = []
        for index in indices {
            guard let key = key(entries[index]) else { continue }
            if let place = places[key] {
                groups[place].append(index)
            } else {
                places[key] = groups.count
                groups.append([index])
            }
        }
        return groups
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
    /// Left out: those after a 401, and those in which the session's clock was moved.
    func freeGaps(of chain: [Int]) -> [Gap] {
        zip(chain, chain.dropFirst()).compactMap { from, to in
            guard entries[from].isTransient, entries[from].governingRetryAfter == nil,
                entries[from].clockMoves == entries[to].clockMoves
            else { return nil }
            return Gap(from: from, to: to, length: entries[to].arrival - ends[from])
        }
    }

    /// What two attempts have in common.
    private struct AttemptKey: Hashable {
        let session: String
        let client: String?
        let method: String
        let path: String
        let query: JournalDigest?
        let key: JournalDigest?
        /// Of a POST without a key.
        let content: JournalDigest?
    }

    private mutating func link() {
        let groups = groups(of: entries.indices) { entry in
            let key = entry.method == "POST" ? entry.details.idempotencyKey?.digest : nil
            return AttemptKey(
                session: entry.session,
                client: entry.client,
                method: entry.method,
                path: entry.path,
                query: entry.queryDigest,
                key: key,
                content: entry.method == "POST" && key == nil ? entry.contentDigest : nil
            )
        }
        for group in groups where group.count > 1 {
            var failed = FailedAttempts()
            for index in group {
                let entry = entries[index]
                if let earlier = failed.predecessor(of: entry.arrival, ends) {
                    next[earlier] = index
                    previous[index] = earlier
                }
                if ends[index] != .max, entry.isTransient || entry.status == 401 {
                    let wait = requiredWait(after: index) ?? 0
                    failed.insert(
                        index,
                        end: ends[index],
                        patience: wait - Self.tolerance(of: wait)
                    )
                }
            }
        }
    }

    /// The failed attempts at one call that no later request has been linked to.
    ///
    /// Requests are put to it in the order of arrival.
    private struct FailedAttempts {
        /// Those that have not ended, by their end.
        private var running = EndQueue()
        /// Those that have ended, by the moment from which a retry is patient.
        private var ripening = EndQueue()
        /// Those that have ended, by their end, ripe or not.
        private var ended = EndQueue()
        /// Those whose `Retry-After` has been waited for, by their end.
        private var ripe = EndQueue()
        /// From when a retry is patient, for each that runs.
        private var patience: [Int: Int64] = [:]
        /// Those that a later request has been linked to, or that are ripe: no longer of `ended`.
        private var passed: Set<Int> = []
        private var taken: Set<Int> = []

        /// Adds an attempt.
        ///
        /// - Parameter patience: How long after its end a retry is patient.
        mutating func insert(_ index: Int, end: Int64, patience: Int64) {
            running.insert(index, at: end)
            let ripeAt = end.addingReportingOverflow(max(0, patience))
            self.patience[index] = ripeAt.overflow ? .max : ripeAt.partialValue
        }

        /// Which attempt a request retries: the one that ended first, among those whose
        /// `Retry-After` has been waited for, if there is any such.
        mutating func predecessor(of arrival: Int64, _ ends: [Int64]) -> Int? {
            while let index = running.pop(notAfter: arrival) {
                ended.insert(index, at: ends[index])
                ripening.insert(index, at: patience[index] ?? ends[index])
            }
            while let index = ripening.pop(notAfter: arrival) {
                if taken.contains(index) { continue }
                passed.insert(index)
                ripe.insert(index, at: ends[index])
            }
            // What ended too long ago is given up; the others end later.
            while let index = ripe.pop(notAfter: arrival) {
                if arrival - ends[index] <= Timeline.longestPause { return index }
            }
            while let index = ended.pop(notAfter: arrival) {
                if passed.contains(index) || arrival - ends[index] > Timeline.longestPause {
                    continue
                }
                taken.insert(index)
                return index
            }
            return nil
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

    /// What is forgiven in a measured pause: 50 ms or 2 %, whichever is more.
    static func tolerance(of limit: Int64) -> Int64 { max(50_000_000, limit / 50) }
}

extension JournalEntry {
    /// Whether the client holds no whole answer, whoever's doing that was.
    var lostAnswer: Bool {
        delivery == .cut || delivery == .clientLeft
            || !(details.fault?.effects.isDisjoint(with: .losesAnswer) ?? true)
    }

    /// Whether the request failed in a way that may pass by itself.
    var isTransient: Bool {
        if delivery == .pending { return false }
        switch status {
        case 429, 500, 502, 503, 504: return true
        default: return lostAnswer
        }
    }

    /// How it failed in a way that may pass; `nil` where it did not.
    var failureKind: FailureKind? {
        guard isTransient else { return nil }
        guard lostAnswer else { return .status }
        return delivery == .clientLeft ? .silence : .connection
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

    /// Whether the status came from a fault rule.
    var isInjected: Bool { details.fault?.effects.contains(.status) ?? false }

    /// `Retry-After`, where the status gives it a meaning for retries and the answer arrived.
    var governingRetryAfter: JournalDetails.RetryAfter? {
        guard status == 429 || status == 503, !lostAnswer else { return nil }
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
