import Synchronization

/// Read connections to one database, opened when first needed: one for each worker, one for requests
/// that are answered beside the workers, and one for work that nobody waits for.
final class ReaderPool: @unchecked Sendable {
    // Sendable: `slots` never changes, and what a slot holds is touched under its lock only.

    /// The connection of one worker.
    ///
    /// Its lock is contended only by `close`, `rest` and `waitForWorkers`.
    private final class Slot {
        let lock = Mutex<Void>(())
        var tables: Tables?
        var isClosed = false
    }

    private let location: Database.Location
    private let layout: AppointmentLayout
    private let slots: [Slot]
    /// Where descriptors come from; `nil` for connections that are never closed for others.
    private let budget: FileBudget?
    /// Descriptors taken.
    private let taken = Mutex(0)

    init(
        _ location: Database.Location,
        layout: AppointmentLayout,
        workers: Int,
        budget: FileBudget? = nil
    ) {
        self.location = location
        self.layout = layout
        self.budget = budget
        slots = (0...Self.background(workers)).map { _ in Slot() }
    }

    deinit { giveBack() }

    /// The connection for work that nobody waits for; before it lies the one for requests beside the
    /// workers.
    static func background(_ workers: Int) -> Int { workers + 1 }

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
        if let budget {
            let count = location.descriptors
            try budget.take(count)
            taken.withLock { $0 += count }
        }
        do throws(StoreError) {
            return try connect()
        } catch {
            // The process has fewer descriptors than was reckoned with.
            guard error == .noDescriptors, budget?.relieve() == true else { throw error }
            return try connect()
        }
    }

    private func connect() throws(StoreError) -> Tables {
        let database = try Database(location)
        try Schema.configureReader(database)
        // Of what nobody changes, one transaction serves all reads.
        if location.isConstant { try database.execute("BEGIN; SELECT 1 FROM sqlite_schema") }
        return Tables(database, layout: layout)
    }

    /// - Returns: Whether there was anything to give back.
    @discardableResult
    private func giveBack() -> Bool {
        let count = taken.withLock { taken in
            defer { taken = 0 }
            return taken
        }
        budget?.give(count)
        return count > 0
    }

    /// Returns when what was running on the workers' connections has ended.
    ///
    /// What runs beside them may take long, and is not waited for.
    func waitForWorkers() {
        for slot in slots.dropLast(2) { slot.lock.withLock { _ in } }
    }

    /// Closes every connection until it is needed again.
    ///
    /// - Returns: Whether there were any; `nil` where one is in use.
    func rest() -> Bool? {
        var isResting = true
        for slot in slots {
            let isFree: Void? = slot.lock.withLockIfAvailable { _ in slot.tables = nil }
            if isFree == nil { isResting = false }
        }
        // Of a connection that is in use, SQLite keeps the others' descriptors, too.
        return isResting ? giveBack() : nil
    }

    /// Closes every connection, once what runs on it has ended.
    func close() {
        for slot in slots {
            slot.lock.withLock { _ in
                slot.tables = nil
                slot.isClosed = true
            }
        }
        giveBack()
    }
}
