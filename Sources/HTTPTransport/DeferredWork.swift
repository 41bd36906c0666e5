/// Closures that wait for their moment, the earliest first.
struct DeferredWork {
    /// What waits, and for whose sake.
    private struct Entry {
        let connection: Connection
        let work: @Sendable () -> Void
    }

    private var timers = TimerHeap()
    private var entries: [Entry?] = []
    private var freeSlots: [Int] = []

    /// When the first is due.
    var nextMoment: UInt64? { timers.first?.time }

    mutating func add(
        _ work: @escaping @Sendable () -> Void,
        for connection: Connection,
        at time: UInt64
    ) {
        let entry = Entry(connection: connection, work: work)
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            entries[slot] = entry
        } else {
            slot = entries.count
            entries.append(entry)
        }
        connection.deferredSlots.append(slot)
        timers.set(time, of: slot)
    }

    /// Takes out the first that is due, if one is.
    mutating func popDue(at now: UInt64) -> (@Sendable () -> Void)? {
        guard let (time, slot) = timers.first, time <= now else { return nil }
        return remove(slot)
    }

    /// Makes everything due that waits for the sake of a connection.
    mutating func hasten(for connection: Connection) {
        for slot in connection.deferredSlots { timers.set(0, of: slot) }
    }

    /// Drops everything that waits for the sake of a connection.
    mutating func drop(for connection: Connection) {
        for slot in connection.deferredSlots { _ = remove(slot) }
    }

    private mutating func remove(_ slot: Int) -> (@Sendable () -> Void)? {
        guard let entry = entries[slot] else { return nil }
        timers.remove(slot)
        freeSlots.append(slot)
        entries[slot] = nil
        entry.connection.deferredSlots.removeAll { $0 == slot }
        return entry.work
    }
}
