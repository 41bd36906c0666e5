import Synchronization

/// The requests of one session, newest kept: a ring that many workers write to.
///
/// An entry is appended before its answer is sent, so that a client that has an answer finds its
/// request here, and updated when the delivery has ended.
package final class RequestJournal: Sendable {
    /// How many entries are kept.
    package let capacity: Int

    private let ring: Mutex<Ring>

    /// What is kept when nothing else is asked for.
    package static let defaultCapacity = 10_000

    /// A journal of at most this many entries; of none where that is 0.
    package init(capacity: Int = defaultCapacity) {
        precondition(capacity >= 0)
        self.capacity = capacity
        ring = Mutex(Ring(capacity: capacity))
    }

    /// Appends an entry, dropping the oldest of a full journal.
    ///
    /// - Returns: The entry's id: 1 for the first of the session, never used twice.
    @discardableResult
    package func append(_ entry: consuming JournalEntry) -> UInt64 {
        // What was dropped is freed after the lock is released.
        let appended: (id: UInt64, dropped: JournalEntry?)
        var next: JournalEntry? = entry
        appended = ring.withLock { ring in
            guard let entry = next.take() else { preconditionFailure("an entry appended twice") }
            return ring.append(entry)
        }
        return appended.id
    }

    /// Changes an entry in place; `false` when it is no longer kept.
    ///
    /// The journal is locked meanwhile: set members, do nothing else.
    @discardableResult
    package func update(_ id: UInt64, _ change: (inout JournalEntry) -> Void) -> Bool {
        ring.withLock { ring in
            guard let index = ring.index(of: id) else { return false }
            change(&ring.entries[index])
            return true
        }
    }

    /// Says everything of an entry that was appended before its answer was known; its place and what
    /// is known of its delivery stay.
    ///
    /// - Returns: Whether it was still kept: what was deleted meanwhile does not come back.
    @discardableResult
    package func complete(_ id: UInt64, with entry: JournalEntry) -> Bool {
        var other = entry
        // What was kept is freed after the lock is released.
        return update(id) { kept in
            other.id = kept.id
            other.delivery = kept.delivery
            other.answerEnded = kept.answerEnded
            swap(&kept, &other)
        }
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
        update(id) { entry in
            entry.delivery = delivery
            entry.answerBegan = began
            entry.answerEnded = ended
        }
    }

    /// How many entries are kept, and how many of the session's were dropped to make room.
    package var size: (entries: Int, dropped: UInt64) {
        ring.withLock { ($0.entries.count, $0.dropped) }
    }

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
            for id in ring.newestFirst {
                if found.count == filter.limit || filter.isPast(id) { return }
                let index = ring.slot(of: id)
                if filter.matches(ring.entries[index]) { found.append(ring.entries[index]) }
            }
        }
        return found
    }

    /// How many entries pass a filter; its limit does not count.
    package func count(matching filter: JournalFilter) -> Int {
        ring.withLock { ring in
            var count = 0
            for id in ring.newestFirst {
                if filter.isPast(id) { break }
                if filter.matches(ring.entries[ring.slot(of: id)]) { count += 1 }
            }
            return count
        }
    }

    /// Forgets all entries and the number of those dropped; ids go on.
    package func clear() {
        // Freed after the lock is released.
        let old = ring.withLock { $0.clear() }
        _ = consume old
    }
}

/// Entries in a circle: `first` is the oldest id kept, and an id's place follows from it.
private struct Ring: Sendable {
    let capacity: Int
    var entries: [JournalEntry] = []
    var dropped: UInt64 = 0
    /// The id that stands, or stood, at place 0 of `entries`.
    private var origin: UInt64 = 1
    private var first: UInt64 = 1
    private var next: UInt64 = 1

    init(capacity: Int) { self.capacity = capacity }

    /// The ids kept, newest first.
    var newestFirst: ReversedCollection<Range<UInt64>> { (first..<next).reversed() }

    func slot(of id: UInt64) -> Int { Int((id - origin) % UInt64(capacity)) }

    func index(of id: UInt64) -> Int? {
        id >= first && id < next ? slot(of: id) : nil
    }

    mutating func append(_ entry: consuming JournalEntry) -> (id: UInt64, dropped: JournalEntry?) {
        let id = next
        entry.id = id
        next += 1
        if entries.count < capacity {
            entries.append(entry)
            return (id, nil)
        }
        if capacity == 0 {
            first = next
            dropped += 1
            return (id, nil)
        }
        first += 1
        dropped += 1
        var other = entry
        swap(&entries[slot(of: id)], &other)
        return (id, other)
    }

    func inOrder() -> [JournalEntry] {
        let start = entries.isEmpty ? 0 : slot(of: first)
        var ordered: [JournalEntry] = []
        ordered.reserveCapacity(entries.count)
        ordered += entries[start...]
        ordered += entries[..<start]
        return ordered
    }

    mutating func clear() -> [JournalEntry] {
        let old = entries
        entries = []
        dropped = 0
        origin = next
        first = next
        return old
    }
}
