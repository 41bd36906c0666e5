import Dispatch
import Synchronization

/// The requests of one session, newest kept: a ring that many workers write to.
///
/// It is bounded twice, in entries and in octets: the oldest go first.
///
/// An entry is appended before its answer is sent, so that a client that has an answer finds its
/// request here, and updated when the delivery has ended.
package final class RequestJournal: Sendable {
    /// How many entries are kept at most.
    package let capacity: Int
    /// How many octets of memory the entries may take, about; the newest is kept in any case.
    package let maximumOctets: Int

    private let ring: Mutex<Ring>
    /// Whether somebody follows the journal; asked first, so that others pay next to nothing.
    private let isFollowed = Atomic(false)
    private let follower = Mutex<Follower?>(nil)

    /// A closure of its own would be wrapped once more by each look at the mutex, and every call would
    /// go through all of the wrappings.
    private final class Follower: Sendable {
        let wake: @Sendable () -> Void

        init(_ wake: @escaping @Sendable () -> Void) { self.wake = wake }
    }

    /// What is kept when nothing else is asked for.
    package static let defaultCapacity = 10_000

    /// A journal of at most this many entries; of none where that is 0.
    package convenience init(capacity: Int = defaultCapacity) {
        self.init(JournalSize(entries: capacity))
    }

    /// A journal that keeps so much at most.
    package init(_ size: JournalSize) {
        precondition(size.entries >= 0)
        capacity = size.entries
        maximumOctets = size.octets
        ring = Mutex(Ring(capacity: capacity, maximumOctets: maximumOctets))
    }

    /// Appends an entry, cut to what one may take, dropping the oldest of a full journal.
    ///
    /// - Returns: The entry's id: 1 for the first of the session, never used twice.
    @discardableResult
    package func append(_ entry: consuming JournalEntry) -> UInt64 {
        entry.cut()
        let octets = entry.octets
        // Afterwards it is the entry that was dropped for it: freed after the lock is released.
        var changing = consume entry
        let appended: (id: UInt64, others: [JournalEntry]) = ring.withLock { ring in
            let id = ring.append(&changing, octets: octets)
            return (id, ring.dropOverBudget())
        }
        tellFollower()
        return appended.id
    }

    /// Changes an entry in place; `false` when it is no longer kept.
    ///
    /// The journal is locked meanwhile: set members, do nothing else.
    @discardableResult
    package func update(_ id: UInt64, _ change: (inout JournalEntry) -> Void) -> Bool {
        let isKept = ring.withLock { $0.update(id, change) }
        tellFollower()
        return isKept
    }

    /// Says everything of an entry that was appended before its answer was known; its place and what
    /// is known of its delivery stay.
    ///
    /// - Returns: Whether it was still kept: what was deleted meanwhile does not come back.
    @discardableResult
    package func complete(_ id: UInt64, with entry: JournalEntry) -> Bool {
        var other = entry
        other.cut()
        let octets = other.octets
        // What was kept is freed after the lock is released.
        let dropped: [JournalEntry]? = ring.withLock { ring in
            let isKept = ring.update(id, octets: octets) { kept in
                other.id = kept.id
                other.delivery = kept.delivery
                other.answerEnded = kept.answerEnded
                swap(&kept, &other)
            }
            return isKept ? ring.dropOverBudget() : nil
        }
        tellFollower()
        return dropped != nil
    }

    /// Records how the answer of an entry was delivered.
    ///
    /// - Parameters:
    ///   - began: When its first octet was sent, if any was; monotonic nanoseconds.
    ///   - ended: When its last octet was sent, or it was cut, or the client left.
    package func recordDelivery(
        of id: UInt64,
        _ delivery: JournalEntry.Delivery,
        began: Int64?,
        ended: Int64
    ) {
        ring.withLock { ring in
            ring.update(id) { entry in
                entry.delivery = delivery
                entry.answerBegan = began
                entry.answerEnded = ended
            }
            ring.wakeWaiters()
        }
        tellFollower()
    }

    /// Returns when the answers to recent requests have ended, or a time is over.
    ///
    /// Answers that a fault shapes are not waited for. Blocks its thread: for queues that have one of
    /// their own.
    package func awaitDeliveries(timeLimitMilliseconds: Int) {
        let semaphore = DispatchSemaphore(value: 0)
        let isPending = ring.withLock { ring in
            guard ring.hasPendingAnswer else { return false }
            ring.waiters.append(semaphore)
            return true
        }
        guard isPending else { return }
        if semaphore.wait(timeout: .now() + .milliseconds(timeLimitMilliseconds)) == .timedOut {
            ring.withLock { ring in ring.waiters.removeAll { $0 === semaphore } }
        }
    }

    /// How many entries are kept, and how many of the session's were dropped to make room.
    package var size: (entries: Int, dropped: UInt64) {
        ring.withLock { ($0.count, $0.dropped) }
    }

    /// The newest entry that was written, kept or not; 0 before the first.
    package var newest: UInt64 { ring.withLock { $0.newest } }

    /// Octets of memory that the entries take, about.
    package var octets: Int { ring.withLock { $0.octets } }

    /// All entries kept, oldest first.
    package func entries() -> [JournalEntry] {
        ring.withLock { $0.inOrder() }
    }

    /// All entries kept, oldest first, and how many were dropped, at one instant.
    package func contents() -> (entries: [JournalEntry], dropped: UInt64) {
        ring.withLock { ($0.inOrder(), $0.dropped) }
    }

    /// The entry with this id, or the newest with this correlation id.
    ///
    /// A text that is both is taken as an id first.
    package func entry(_ idOrRequestID: String) -> JournalEntry? {
        let id = idOrRequestID.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? UInt64(idOrRequestID) : nil
        return ring.withLock { ring in
            if let id, let index = ring.index(of: id) { return ring.entries[index] }
            for id in ring.newestFirst {
                let index = ring.slot(of: id)
                if ring.entries[index].requestID == idOrRequestID { return ring.entries[index] }
            }
            return nil
        }
    }

    /// The entry with this id, or else every one with this correlation id, newest first.
    package func entries(idOrRequestID text: String) -> [JournalEntry] {
        let id = text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? UInt64(text) : nil
        return ring.withLock { ring in
            if let id, let index = ring.index(of: id) { return [ring.entries[index]] }
            var found: [JournalEntry] = []
            for id in ring.newestFirst {
                let index = ring.slot(of: id)
                if ring.entries[index].requestID == text { found.append(ring.entries[index]) }
            }
            return found
        }
    }

    /// The entries that pass a filter, newest first, at most `filter.limit`.
    package func entries(matching filter: JournalFilter) -> [JournalEntry] {
        var found: [JournalEntry] = []
        ring.withLock { ring in
            for id in ring.newestFirst(before: filter.before) {
                if found.count == filter.limit || filter.isPast(id) { return }
                let index = ring.slot(of: id)
                if filter.matches(ring.entries[index]) { found.append(ring.entries[index]) }
            }
        }
        return found
    }

    /// The newest entry that passes a test.
    ///
    /// - Parameter count: How many entries are looked at.
    func lastEntry(within count: Int, where isMeant: (JournalEntry) -> Bool) -> JournalEntry? {
        ring.withLock { ring in
            for id in ring.newestFirst(before: nil).prefix(count) {
                let index = ring.slot(of: id)
                if isMeant(ring.entries[index]) { return ring.entries[index] }
            }
            return nil
        }
    }

    /// How many entries pass a filter; its limit does not count.
    package func count(matching filter: JournalFilter) -> Int {
        ring.withLock { ring in
            var count = 0
            for id in ring.newestFirst(before: filter.before) {
                if filter.isPast(id) { break }
                if filter.matches(ring.entries[ring.slot(of: id)]) { count += 1 }
            }
            return count
        }
    }

    // MARK: Following

    /// Calls a closure from now on whenever something was written: often, and from many threads.
    ///
    /// What there is by then is no news.
    package func follow(_ wake: @escaping @Sendable () -> Void) {
        ring.withLock { $0.beginNews() }
        follower.withLock { $0 = Follower(wake) }
        isFollowed.store(true, ordering: .releasing)
    }

    /// Ends `follow`.
    package func unfollow() {
        isFollowed.store(false, ordering: .releasing)
        follower.withLock { $0 = nil }
        ring.withLock { $0.endNews() }
    }

    private func tellFollower() {
        guard isFollowed.load(ordering: .acquiring) else { return }
        // Not under the lock: it may ask for the news.
        let follower = follower.withLock { $0 }
        follower?.wake()
    }

    /// What has been written since the last call, or since `follow`.
    ///
    /// - Parameter limit: Beyond so many entries, all of them are left out, and the news say so.
    package func takeNews(limit: Int) -> JournalNews {
        ring.withLock { $0.takeNews(limit: limit) }
    }

    /// What was news after an entry, up to what `takeNews` has brought.
    package func earlierNews(after id: UInt64, limit: Int) -> JournalNews {
        ring.withLock { $0.earlierNews(after: id, limit: limit) }
    }

    /// Forgets all entries and the number of those dropped; ids go on.
    package func clear() {
        // Freed after the lock is released.
        let old = ring.withLock { $0.clear() }
        _ = consume old
    }
}

/// What was written into a journal.
package struct JournalNews: Sendable {
    /// Changed entries, then new ones, each kind oldest first.
    package fileprivate(set) var entries: [JournalEntry] = []
    /// Whether entries are left out: too many for one telling, or no longer kept.
    package fileprivate(set) var isGap = false
    /// The oldest entry that is kept, or would be the next where there is none.
    package let oldest: UInt64
    /// The newest entry; 0 before the first.
    package let newest: UInt64

    fileprivate init(oldest: UInt64, newest: UInt64) {
        self.oldest = oldest
        self.newest = newest
    }
}

/// How much a journal keeps: so many entries, and so much memory for all of them.
package struct JournalSize: Sendable {
    /// Octets of memory for an entry, on average; an ordinary one takes 600.
    package static let octetsPerEntry = 4_096
    /// Octets for an entry where contents are kept, too.
    package static let octetsPerEntryWithBodies = 16_384
    /// The least budget: a journal of few entries may have large ones.
    package static let minimumOctets = 1 << 20

    package let entries: Int
    /// Octets of memory for all entries.
    package let octets: Int

    package init(entries: Int, octetsPerEntry: Int = JournalSize.octetsPerEntry) {
        self.entries = entries
        octets = max(Self.minimumOctets, entries * octetsPerEntry)
    }
}

/// Entries in a circle: `first` is the oldest id kept, and an id's place follows from it.
private struct Ring: Sendable {
    let capacity: Int
    let maximumOctets: Int
    var dropped: UInt64 = 0
    /// What the entries that are kept take.
    private(set) var octets = 0
    /// Who waits for answers to end.
    var waiters: [DispatchSemaphore] = []
    /// The last entry that a follower was told of; 0 while there is no follower.
    private var told: UInt64 = 0
    /// Of the entries that a follower was told of, those that were changed since.
    private var changed: [UInt64] = []
    /// By place; a blank one where an entry was dropped before its place was needed.
    private(set) var entries: [JournalEntry] = []
    /// What each entry takes, by place.
    private var costs: [Int] = []
    /// The id that stands, or stood, at place 0 of `entries`.
    private var origin: UInt64 = 1
    private var first: UInt64 = 1
    private var next: UInt64 = 1

    init(capacity: Int, maximumOctets: Int) {
        self.capacity = capacity
        self.maximumOctets = maximumOctets
    }

    var count: Int { Int(next - first) }

    /// The last id that was given.
    var newest: UInt64 { next - 1 }

    /// The ids kept, newest first.
    var newestFirst: ReversedCollection<Range<UInt64>> { (first..<next).reversed() }

    /// The ids kept below one, newest first.
    func newestFirst(before id: UInt64?) -> ReversedCollection<Range<UInt64>> {
        (first..<max(first, min(next, id ?? next))).reversed()
    }

    func slot(of id: UInt64) -> Int { Int((id - origin) % UInt64(capacity)) }

    func index(of id: UInt64) -> Int? {
        id >= first && id < next ? slot(of: id) : nil
    }

    /// Puts an entry into the ring.
    ///
    /// - Parameter entry: Afterwards what stood in its place.
    mutating func append(_ entry: inout JournalEntry, octets: Int) -> UInt64 {
        let id = next
        entry.id = id
        next += 1
        if capacity == 0 {
            first = next
            dropped += 1
            return id
        }
        self.octets += octets
        if entries.count < capacity {
            entries.append(.blank)
            costs.append(octets)
            swap(&entries[entries.count - 1], &entry)
            return id
        }
        let place = slot(of: id)
        if id - first == UInt64(capacity) {
            first += 1
            dropped += 1
            self.octets -= costs[place]
        }
        costs[place] = octets
        swap(&entries[place], &entry)
        return id
    }

    /// Drops the oldest entries until the others keep the budget; the newest stays in any case.
    mutating func dropOverBudget() -> [JournalEntry] {
        var old: [JournalEntry] = []
        while octets > maximumOctets, count > 1 {
            let place = slot(of: first)
            octets -= costs[place]
            var other = JournalEntry.blank
            swap(&entries[place], &other)
            old.append(other)
            first += 1
            dropped += 1
        }
        return old
    }

    /// Changes an entry in place.
    ///
    /// - Parameter octets: What it takes afterwards, where that changes.
    /// - Returns: Whether it was still kept.
    @discardableResult
    mutating func update(
        _ id: UInt64,
        octets: Int? = nil,
        _ change: (inout JournalEntry) -> Void
    ) -> Bool {
        guard let place = index(of: id) else { return false }
        change(&entries[place])
        if id <= told, changed.count <= Self.maximumChanged, changed.last != id {
            changed.append(id)
        }
        if let octets {
            self.octets += octets - costs[place]
            costs[place] = octets
        }
        return true
    }

    /// Changes that are remembered for a follower; whoever makes more is too fast to be followed.
    private static let maximumChanged = 1_000

    mutating func beginNews() {
        told = next - 1
        changed = []
    }

    mutating func endNews() {
        told = 0
        changed = []
    }

    mutating func takeNews(limit: Int) -> JournalNews {
        var news = JournalNews(oldest: first, newest: next - 1)
        let fresh = next - 1 - told
        if first > told + 1 || fresh + UInt64(changed.count) > UInt64(limit) {
            news.isGap = true
        } else {
            for id in changed where id >= first && id <= told {
                news.entries.append(entries[slot(of: id)])
            }
            for id in (told + 1)..<next { news.entries.append(entries[slot(of: id)]) }
        }
        beginNews()
        return news
    }

    func earlierNews(after id: UInt64, limit: Int) -> JournalNews {
        var news = JournalNews(oldest: first, newest: next - 1)
        // Of a number that nobody has had yet, another run of the server has told.
        guard id < next else {
            news.isGap = true
            return news
        }
        if id + 1 < first { news.isGap = true }
        let start = max(id + 1, first)
        guard told >= start else { return news }
        if told - start >= UInt64(limit) {
            news.isGap = true
        } else {
            for id in start...told { news.entries.append(entries[slot(of: id)]) }
        }
        return news
    }

    func inOrder() -> [JournalEntry] {
        var ordered: [JournalEntry] = []
        ordered.reserveCapacity(count)
        for id in first..<next { ordered.append(entries[slot(of: id)]) }
        return ordered
    }

    /// Whether the answer to one of the last requests has not ended, and no fault shapes it.
    var hasPendingAnswer: Bool {
        newestFirst.prefix(64).contains { id in
            let entry = entries[slot(of: id)]
            return entry.delivery == .pending && entry.details.fault == nil
        }
    }

    /// Wakes those who wait, once no answer is pending.
    mutating func wakeWaiters() {
        if waiters.isEmpty || hasPendingAnswer { return }
        for waiter in waiters { waiter.signal() }
        waiters = []
    }

    mutating func clear() -> [JournalEntry] {
        let old = inOrder()
        entries = []
        costs = []
        octets = 0
        dropped = 0
        origin = next
        first = next
        if told > 0 { beginNews() }
        wakeWaiters()
        return old
    }
}
