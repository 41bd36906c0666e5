/// Closures that wait for their moment, the earliest first.
struct DeferredWork {
    private var timers = TimerHeap()
    private var works: [(@Sendable () -> Void)?] = []
    private var freeSlots: [Int] = []

    /// When the first is due.
    var nextMoment: UInt64? { timers.first?.time }

    mutating func add(_ work: @escaping @Sendable () -> Void, at time: UInt64) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            works[slot] = work
        } else {
            slot = works.count
            works.append(work)
        }
        timers.set(time, of: slot)
    }

    /// Takes out the first that is due, if one is.
    mutating func popDue(at now: UInt64) -> (@Sendable () -> Void)? {
        guard let (time, slot) = timers.first, time <= now else { return nil }
        timers.remove(slot)
        freeSlots.append(slot)
        let work = works[slot]
        works[slot] = nil
        return work
    }
}
