import Synchronization

/// Read connections to one database, one for each worker and one more for work in the background,
/// opened when first needed.
final class ReaderPool: @unchecked Sendable {
    // Sendable: `slots` never changes, and what a slot holds is touched under its lock only.

    /// The connection of one worker.
    ///
    /// Nobody else wants its lock but who closes the pool or empties the log.
    private final class Slot {
        let lock = Mutex<Void>(())
        var tables: Tables?
        var isClosed = false
    }

    private let location: Database.Location
    private let layout: AppointmentLayout
    private let slots: [Slot]

    init(_ location: Database.Location, layout: AppointmentLayout, workers: Int) {
        self.location = location
        self.layout = layout
        slots = (0...workers).map { _ in Slot() }
    }

    /// Runs `body` with the worker's connection; `nil` when the pool is closed.
    @inline(__always)
    func read<Result: Sendable>(
        _ worker: Int,
        _ body: (Tables) throws(StoreError) -> Result
    ) throws(StoreError) -> Result? {
        let slot = slots[worker]
        return try slot.lock.withLock { _ throws(StoreError) in
            if slot.isClosed { return nil }
            if let tables = slot.tables { return try body(tables) }
            let tables = try open()
            slot.tables = tables
            return try body(tables)
        }
    }

    private func open() throws(StoreError) -> Tables {
        let database = try Database(location)
        try Schema.configureReader(database)
        return Tables(database, layout: layout)
    }

    /// Returns when what was running on the workers' connections has ended.
    ///
    /// What runs in the background may take long, and is not waited for.
    func waitForWorkers() {
        for slot in slots.dropLast() { slot.lock.withLock { _ in } }
    }

    /// Closes every connection, once what runs on it has ended.
    func close() {
        for slot in slots {
            slot.lock.withLock { _ in
                slot.tables = nil
                slot.isClosed = true
            }
        }
    }
}
