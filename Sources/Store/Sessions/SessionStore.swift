import Dispatch
import Glibc
import QUBS
import Synchronization
package import Time

/// The data of one session.
///
/// A session that has not written shares the data it starts with. Its first write gives it a file
/// of its own: one connection writes, under a lock, and each worker has one that reads.
package final class SessionStore: @unchecked Sendable, FileHolder {
    // Sendable: `writer`, `overlay`, `descriptor` and `isEmptyingDue` are touched under `writing` only;
    // all else is immutable, atomic or in a mutex.

    package let name: String
    let context: StoreContext
    let writing = Mutex<Void>(())
    private var writer: SessionWriter?
    /// What the session's own file lies over, where it is not a whole one.
    private var overlay: Overlay?
    /// For copies of the file.
    ///
    /// Opening and closing it for each would drop the locks that SQLite holds.
    private var descriptor: Int32 = -1
    private let state: Mutex<State>
    let gate = WriteGate()
    /// Where what takes long is done for writes that wait at the gate.
    let queue: DispatchQueue
    /// Whether the log is to be emptied beside the workers.
    private var isEmptyingDue = false
    /// Whether the session was used since that was last asked.
    private let isUsed = Atomic(false)
    /// Whether the data change by themselves.
    let isLiving = Atomic(false)
    /// From when on the world has something to do, in nanoseconds since 1970.
    let dueNanoseconds = Atomic(Int64.max)
    /// Whether a file was tried to be made beside the workers, for the write that comes next.
    private let hasPrepared = Atomic(false)

    private enum Data {
        /// What all start with.
        case shared
        /// A file of its own that has not changed since it was made.
        case untouched(path: String, pool: ReaderPool)
        /// A file of its own, in WAL mode.
        case own(path: String, pool: ReaderPool)
        /// The session was dropped.
        case none

        var pool: ReaderPool? {
            switch self {
            case .untouched(_, let pool), .own(_, let pool): pool
            case .shared, .none: nil
            }
        }

        var path: String? {
            switch self {
            case .untouched(let path, _), .own(let path, _): path
            case .shared, .none: nil
            }
        }
    }

    private struct State {
        var data: Data
        /// What the session started with, or was last reset to.
        var seed: SeedData
        /// When they were laid, by the session's clock.
        var laid: Instant
    }

    private var seed: SeedData { state.withLock { $0.seed } }

    var laid: Instant { state.withLock { $0.laid } }

    /// Opens a session.
    ///
    /// - Parameters:
    ///   - seed: What it starts with.
    ///   - laid: When that was laid, by the session's clock.
    ///   - path: Its file, where it has one.
    ///   - isUntouched: Whether that file has not changed since it was made.
    init(
        name: String,
        context: StoreContext,
        seed: SeedData,
        laid: Instant,
        path: String?,
        isUntouched: Bool
    ) {
        self.name = name
        self.context = context
        startedAnew = path == nil || isUntouched
        queue = DispatchQueue(label: "qubs-mock.store.\(name)")
        let data: Data =
            switch (path, isUntouched) {
            case (nil, _): .shared
            case (let path?, true):
                .untouched(
                    path: path,
                    pool: context.readers(of: path, isUntouched: true)
                )
            case (let path?, false):
                .own(path: path, pool: context.readers(of: path, isUntouched: false))
            }
        state = Mutex(State(data: data, seed: seed, laid: laid))
        context.files.add(self)
    }

    deinit {
        letGoOfWriter()
    }

    var order: ListOrder { context.order }

    var layout: AppointmentLayout { context.rules.layout }

    /// Whose connection background work reads with: behind those of the workers, and of requests that
    /// are answered beside them.
    var backgroundWorker: Int { ReaderPool.background(context.workers) }

    func position(domain: String, id: String) -> Int64 {
        context.rules.scatter.position(domain: domain, id: id)
    }

    /// Whether the session has data of its own.
    package var hasWritten: Bool {
        state.withLock { if case .own = $0.data { true } else { false } }
    }

    /// Whether the session was opened with what all start with, rather than with a file that it left.
    package let startedAnew: Bool

    // MARK: Reading

    /// What a worker reads with.
    ///
    /// Cheap to make; one worker's is used by one thread at a time.
    ///
    /// - Parameter worker: 0 up to the number of workers that the store was opened for, which stands
    ///   for requests beside them.
    package func reader(worker: Int) -> SessionReader {
        SessionReader(session: self, worker: worker)
    }

    @inline(__always)
    func read<Result: Sendable>(
        _ worker: Int,
        _ body: (Tables) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        if !isUsed.load(ordering: .relaxed) { isUsed.store(true, ordering: .relaxed) }
        while true {
            let pool = try currentPool()
            do throws(StoreError) {
                if let result = try pool.read(worker, body) { return result }
            } catch {
                guard try restoresFile(of: pool, after: error) else { throw error }
            }
            // The pool was closed in between: the data have moved, and the next look finds where.
        }
    }

    /// Reads what the session started with, or was last reset to.
    func readStart<Result: Sendable>(
        _ worker: Int,
        _ body: (Tables) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        while true {
            let pool = hasWritten ? try seed.pool() : try currentPool()
            if let result = try pool.read(worker, body) { return result }
        }
    }

    private func currentPool() throws(StoreError) -> ReaderPool {
        let data = state.withLock { $0.data }
        switch data {
        case .shared: return try seed.pool()
        case .untouched(_, let pool), .own(_, let pool): return pool
        case .none: throw .unknownSession(name)
        }
    }

    // MARK: Writing

    /// Enters for writes that a worker may do: those that wait for nothing but each other.
    ///
    /// - Parameter resume: Makes what is called once, from any thread, where this is not possible now
    ///   and worth another try.
    /// - Returns: Whether `write` may be called, which `endWrite` must follow.
    package func beginWrite(orElse resume: () -> @Sendable () -> Void) -> Bool {
        if needsLongPreparation {
            let resume = resume()
            queue.async {
                self.prepareFile()
                resume()
            }
            return false
        }
        return gate.enter(orElse: resume)
    }

    /// Returns when a snapshot, a restore or the like that has begun is over; not for workers.
    package func awaitLongWork() { gate.long {} }

    /// Ends what `beginWrite` allowed.
    package func endWrite() { gate.leave() }

    /// The largest data that a worker copies itself: 16 MiB take some milliseconds.
    private static let shortCopyOctets = 16 << 20

    /// Whether the next write begins with a copy of much data.
    private var needsLongPreparation: Bool {
        let hasFile = state.withLock { if case .own = $0.data { true } else { false } }
        return !hasFile && !hasPrepared.load(ordering: .relaxed)
            && seed.octets > Self.shortCopyOctets
    }

    /// Gives the session a file of its own, beside the workers.
    private func prepareFile() {
        gate.long {
            writing.withLock { _ in
                // The write that comes next fails alike, and says so.
                _ = try? openWriter()
            }
        }
        hasPrepared.store(true, ordering: .relaxed)
    }

    /// Runs `body` as one transaction: all of it is stored, or, when it throws, nothing.
    ///
    /// Transactions of a session follow one another. What is stored survives the end of the
    /// process.
    ///
    /// - Parameters:
    ///   - group: The writes among which it is, where it is not alone.
    ///   - origin: Who makes the changes that `body` notes, for their log; asked once, and only where
    ///     there are any. Without it they are not logged.
    /// - Throws: What `body` throws; `StoreError.full` where the disk has no room.
    package func write<Result: Sendable>(
        in group: WriteGroup? = nil,
        by origin: (() -> ChangeOrigin)? = nil,
        _ body: (SessionWriter) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        if let group { return try group.write(by: origin, body) }
        return try transaction { writer throws(StoreError) in
            let result = try body(writer)
            try writer.logChanges(by: origin)
            return result
        }
    }

    /// Runs several writes as one transaction.
    ///
    /// Nobody may be told of one before this returns.
    ///
    /// - Parameter body: Makes the writes in the group, one after the other.
    /// - Returns: Whether they are stored. Else nothing is: one of them had changed something when
    ///   it failed, or they could not be stored. Each is to be tried alone, which tells why.
    package func writeTogether(_ body: (WriteGroup) -> Void) -> Bool {
        do throws(StoreError) {
            try transaction { writer throws(StoreError) in
                let group = WriteGroup(writer)
                body(group)
                if let failure = group.failure { throw failure }
            }
            return true
        } catch {
            return false
        }
    }

    private func transaction<Result: Sendable>(
        _ body: (SessionWriter) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try writing.withLock { _ throws(StoreError) in
            let writer = try openWriter()
            try writer.begin()
            do throws(StoreError) {
                let result = try body(writer)
                try writer.commit()
                if let due = writer.firstDue { noteDue(due) }
                emptyLogWhereDue(writer)
                return result
            } catch {
                writer.rollback()
                throw error
            }
        }
    }

    /// Empties the log where it is long: beside the workers, or here where that comes too late.
    ///
    /// Under `writing`.
    func emptyLogWhereDue(_ writer: SessionWriter) {
        switch writer.logState {
        case .short: return
        case .long:
            if isEmptyingDue { return }
            isEmptyingDue = true
            queue.async { [weak self] in self?.emptyLog() }
        case .tooLong: emptyLog(writer)
        }
    }

    private func emptyLog() {
        gate.long {
            writing.withLock { _ in
                if let writer { emptyLog(writer) }
                isEmptyingDue = false
            }
        }
    }

    private func emptyLog(_ writer: SessionWriter) {
        writer.emptyLog { state.withLock { $0.data.pool }?.waitForWorkers() }
    }

    /// The writer; with it the session gets a file of its own.
    ///
    /// Under `writing`.
    func openWriter() throws(StoreError) -> SessionWriter {
        if !isUsed.load(ordering: .relaxed) { isUsed.store(true, ordering: .relaxed) }
        if let writer { return writer }
        let path: String
        switch state.withLock({ $0.data }) {
        case .own(let own, let pool) where Files.status(own) == nil:
            loseFile(own, pool)
            return try openWriter()
        case .none: throw .unknownSession(name)
        case .own(let own, _): path = own
        case .untouched(let own, _):
            if let seedPath = context.place.seedPath {
                try seed.preserve(own, as: seedPath) {
                    MockStore.isSeed($0, of: own)
                }
            }
            path = own
        case .shared:
            path = try context.place.path(ofSession: name)
            Files.removeDatabase(path)
            // Data that outlive the process are in whole files.
            if context.place.isTemporary, let image = seed.image {
                overlay = try Overlay(image, at: path)
            } else {
                try seed.copy(to: path)
            }
        }
        let writer = try open(path)
        let readers = context.readers(of: path, over: overlay, isUntouched: false)
        let old: ReaderPool? = state.withLock { state in
            if case .own = state.data { return nil }
            let old = state.data.pool
            state.data = .own(path: path, pool: readers)
            return old
        }
        old?.close()
        return writer
    }

    /// Descriptors of a writer: file, log, and what copies are made from.
    private static let writerDescriptors = 3

    private func open(_ path: String) throws(StoreError) -> SessionWriter {
        try context.files.take(Self.writerDescriptors)
        do throws(StoreError) {
            descriptor = try Files.open(path, O_RDWR)
            let writer = try context.writer(to: path, over: overlay, laid: laid)
            self.writer = writer
            return writer
        } catch {
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
            context.files.give(Self.writerDescriptors)
            throw error
        }
    }

    /// Closes the writer, all its log being in the file.
    ///
    /// Under `writing`.
    private func closeWriter() throws(StoreError) {
        if let writer { try writer.tables.database.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
        letGoOfWriter(keepingLog: false)
    }

    /// Closes the writer, whatever is in its log.
    ///
    /// Under `writing`.
    private func letGoOfWriter(keepingLog: Bool = true) {
        guard let writer else { return }
        if keepingLog { writer.tables.database.keepLogAtClose() }
        self.writer = nil
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        context.files.give(Self.writerDescriptors)
    }

    // MARK: Files that others need, or have removed

    func takeUse() -> Bool { isUsed.exchange(false, ordering: .relaxed) }

    func rest() -> Bool {
        let hasRested: Bool? = writing.withLockIfAvailable { _ in
            // Those that sessions share stay open.
            guard let pool = state.withLock({ $0.data.pool }) else { return false }
            guard let hadReaders = pool.rest() else { return false }
            let hadWriter = writer != nil
            letGoOfWriter()
            return hadReaders || hadWriter
        }
        return hasRested ?? false
    }

    /// Whether it is worth another try to read, since the data have moved or were moved now.
    private func restoresFile(
        of pool: ReaderPool,
        after error: StoreError
    ) throws(StoreError) -> Bool {
        guard case .database(let code, _, _) = error, code & 0xFF == Database.cannotOpen else {
            return false
        }
        return try writing.withLock { _ throws(StoreError) in
            let data = state.withLock { $0.data }
            guard data.pool === pool, let path = data.path else { return true }
            if Files.status(path) != nil { return false }
            try saveFile(path, pool)
            return true
        }
    }

    /// Brings the data of a file that somebody has removed to a new one, from what is open of it.
    ///
    /// Under `writing`.
    private func saveFile(_ path: String, _ pool: ReaderPool) throws(StoreError) {
        guard let writer else { return loseFile(path, pool) }
        // All that was written is in the file then, which is there as long as it is open.
        pool.close()
        try writer.tables.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        let saved = try context.place.path(ofSession: name)
        Files.removeDatabase(saved)
        try overlay?.complete(descriptor)
        try Files.copy(descriptor, to: saved)
        letGoOfWriter()
        overlay = nil
        let readers = context.readers(of: saved, isUntouched: false)
        state.withLock { $0.data = .own(path: saved, pool: readers) }
        context.notice(
            "\(path) was removed by somebody else; session \(name) goes on in \(saved) with all data"
        )
    }

    /// Goes back to what the session started with, since nothing is left of its file.
    ///
    /// Under `writing`.
    private func loseFile(_ path: String, _ pool: ReaderPool) {
        state.withLock { $0.data = .shared }
        overlay = nil
        lookAtWorld()
        pool.close()
        context.notice(
            "\(path) was removed by somebody else; session \(name) has the data again that it "
                + "started with"
        )
    }

    // MARK: Reset and snapshots

    /// Brings back what the session started with.
    ///
    /// - Parameters:
    ///   - data: The records, uploads and reports.
    ///   - ledger: The idempotency ledger.
    ///   - now: Around when the data are laid.
    package func reset(data: Bool, ledger: Bool, now: Instant) throws(StoreError) {
        try alone { () throws(StoreError) in
            let hasOwn = try state.withLock { state throws(StoreError) in
                switch state.data {
                case .none: throw .unknownSession(name)
                case .shared, .untouched: return false
                case .own: return true
                }
            }
            if data {
                try lay(try context.seeds.seed(at: now), keepingLedger: !ledger, now: now)
            } else if ledger, hasOwn {
                let writer = try openWriter()
                try writer.begin()
                do throws(StoreError) {
                    try writer.tables.ledger.removeAll()
                    try writer.commit()
                } catch {
                    writer.rollback()
                    throw error
                }
            }
        }
    }

    /// Lays the data out as they are at a time of day zero; the ledger stays.
    ///
    /// - Parameters:
    ///   - seconds: Since midnight, on the clocks of the reference time zone.
    ///   - now: The time of the session's clock.
    /// - Returns: That instant, to which the clock is to be set; another one of day zero where data stay
    ///   as they are, and `nil` where they have no day zero.
    package func layDay(at seconds: Int, now: Instant) throws(StoreError) -> Instant? {
        try alone { () throws(StoreError) in
            let seed = try context.seeds.seed(ofDayAt: seconds, now: now)
            try lay(seed, keepingLedger: true, now: now)
            let present = try read(backgroundWorker) { tables throws(StoreError) in
                try tables.practices.practices().first?.present
            }
            if let present { state.withLock { $0.laid = present } }
            return present
        }
    }

    /// Puts data in the place of the session's own.
    ///
    /// - Parameter now: When they were laid, by the session's clock.
    private func lay(
        _ seed: SeedData,
        keepingLedger: Bool,
        now: Instant
    ) throws(StoreError) {
        switch state.withLock({ $0.data }) {
        case .none: throw .unknownSession(name)
        case .shared: state.withLock { ($0.seed, $0.laid) = (seed, now) }
        // Not changed, but perhaps of other fixtures, or another day, than this start gives.
        case .untouched(let path, _) where seed.isFile(path): break
        case .untouched, .own:
            try resetData(to: seed, keepingLedger: keepingLedger)
            state.withLock { $0.laid = now }
            lookAtWorld()
        }
    }

    /// Runs something that takes long, while nobody writes.
    private func alone<Result>(
        _ body: () throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try gate.long { () throws(StoreError) in
            try writing.withLock { _ throws(StoreError) in try body() }
        }
    }

    private func resetData(to seed: SeedData, keepingLedger: Bool) throws(StoreError) {
        // Before anything is thrown away: there must be something in its place.
        _ = try seed.pool()
        let path = try context.place.path(ofSession: name)
        let isKept =
            keepingLedger && hasWritten
            ? try openWriter().tables.database.integer("SELECT EXISTS (SELECT 1 FROM ledger)") == 1
            : false
        if !isKept && path != context.place.databasePath { return share(seed, path) }
        let fresh = path + StoreFileName.freshSuffix
        Files.removeDatabase(fresh)
        do throws(StoreError) {
            try seed.copy(to: fresh)
            if isKept {
                // In WAL mode from the start, so that nobody takes it for untouched.
                let database = try context.writer(to: fresh, laid: laid).tables.database
                let attach = Statement(database, "ATTACH ?1 AS old")
                try attach.run(Database.uri(path, over: overlay))
                try database.execute(
                    "INSERT INTO main.ledger SELECT * FROM old.ledger; DETACH old"
                )
            }
            try replace(with: fresh, path: path, isUntouched: !isKept)
        } catch {
            Files.removeDatabase(fresh)
            guard error == .full else { throw error }
            guard isKept else {
                // What is thrown away makes the room.
                share(seed, path)
                if (try? seed.copy(to: path)) == nil { Files.removeDatabase(path) }
                lockDatabase(path)
                return
            }
            try resetWithoutRoom(to: seed, path)
            return
        }
        state.withLock { $0.seed = seed }
    }

    /// Brings back what the session started with, and keeps the ledger, on a disk that has no room
    /// for a second file: the present data go first.
    ///
    /// Meanwhile the ledger is in memory alone. Under `writing`.
    ///
    /// - Throws: `StoreError.full`, and nothing is lost, where the data have no room even then.
    private func resetWithoutRoom(to seed: SeedData, _ path: String) throws(StoreError) {
        let entries = try openWriter().tables.ledger.everything()
        let room =
            Files.freeOctets(besideFile: path) + Files.allocatedOctets(path)
            + Files.allocatedOctets(path + "-wal")
        // What an entry takes beside its content: its scope, twice because of the index.
        let ledgerOctets = entries.reduce(1 << 16) { $0 + $1.answer.content.count + 1_024 }
        guard seed.octets + ledgerOctets <= room else { throw .full }
        share(seed, path)
        let fresh = path + StoreFileName.freshSuffix
        do throws(StoreError) {
            try seed.copy(to: fresh)
            try Self.add(entries, to: fresh)
            try Files.rename(fresh, to: path)
            lockDatabase(path)
        } catch {
            Files.removeDatabase(fresh)
            context.notice(
                "session \(name) has lost its idempotency ledger: somebody else took the room on the "
                    + "disk while it was reset"
            )
            throw error
        }
        let readers = context.readers(of: path, isUntouched: false)
        state.withLock { $0.data = .own(path: path, pool: readers) }
    }

    /// Locks the file that has taken the place of `--database`, under whatever name others know it.
    private func lockDatabase(_ path: String) {
        guard path == context.place.databasePath else { return }
        // The lock beside it is still held, and keeps out whoever uses the same name.
        context.lock.withLock { _ = try? $0?.add(path) }
    }

    /// Adds ledger entries to a database that nobody has open, with no more room than they take.
    private static func add(_ entries: [LedgerEntry], to path: String) throws(StoreError) {
        try insert(entries, into: Database(.ownFile(path)))
        try DatabaseHeader.markAsLogged(path)
    }

    private static func insert(
        _ entries: [LedgerEntry],
        into database: Database
    ) throws(StoreError) {
        try database.execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN")
        let ledger = LedgerTable(database)
        for entry in entries { try ledger.insert(entry, now: Instant(secondsSince1970: .min)) }
        try database.execute("COMMIT")
    }

    /// Throws away the session's own data: it shares again what all start with.
    ///
    /// It needs no room on the disk. Under `writing`.
    private func share(_ seed: SeedData, _ path: String) {
        let old = state.withLock { state in
            defer { (state.data, state.seed) = (.shared, seed) }
            return state.data
        }
        old.pool?.close()
        letGoOfWriter()
        overlay = nil
        hasPrepared.store(false, ordering: .relaxed)
        if path == context.place.databasePath { context.lock.withLock { $0?.removeCompanion() } }
        Files.removeDatabase(path)
        // Where the folder for temporary data was replaced.
        if let own = old.path, own != path { Files.removeDatabase(own) }
        if !snapshots().isEmpty { context.place.mark(session: name) }
    }

    /// Puts a file in the place of the session's own.
    ///
    /// Whoever reads goes on: with the old file until the new one is in its place. Under `writing`.
    private func replace(
        with fresh: String,
        path: String,
        isUntouched: Bool
    ) throws(StoreError) {
        // A log that stayed beside another file would spoil it; and without its log the old file
        // would not be what was acknowledged, should the process end before the new one is there.
        try closeWriter()
        for suffix in Files.companionSuffixes { Files.remove(path + suffix) }
        try Files.rename(fresh, to: path)
        overlay = nil
        // Of a file that was closed with its log kept.
        Files.removeDatabase(fresh)
        let readers = context.readers(of: path, isUntouched: isUntouched)
        let old = state.withLock { state in
            defer {
                state.data =
                    isUntouched
                    ? .untouched(path: path, pool: readers) : .own(path: path, pool: readers)
            }
            return state.data.pool
        }
        old?.close()
    }

    /// The snapshots of this session, by name.
    package func snapshots() -> [SnapshotInfo] {
        context.place.snapshots(ofSession: name).map(\.info)
    }

    /// Keeps the present data and ledger under a name, in place of what it held.
    ///
    /// - Returns: Whether the name is new.
    /// - Throws: `StoreError.malformedName`.
    package func takeSnapshot(
        named snapshot: String,
        now: Instant
    ) throws(StoreError) -> Bool {
        guard MockStore.isName(snapshot) else { throw .malformedName(snapshot) }
        return try alone { () throws(StoreError) in
            let old = context.place.snapshots(ofSession: name).filter { $0.info.name == snapshot }
            var isShared = false
            switch state.withLock({ $0.data }) {
            case .none: throw .unknownSession(name)
            // What was laid for a day is kept whole: it may not be laid for it again.
            case .shared: isShared = seed.image == nil
            case .untouched, .own: break
            }
            let path = try context.place.path(
                ofSnapshot: snapshot,
                session: name,
                createdAt: now,
                isShared: isShared
            )
            switch state.withLock({ $0.data }) {
            case .none: break
            case .shared:
                if let image = seed.image {
                    try Files.write(image.octets, to: path)
                } else {
                    try Files.write(UnsafeRawBufferPointer(start: nil, count: 0), to: path)
                }
                context.place.mark(session: name)
            case .untouched(let own, _): try Files.copy(own, to: path)
            case .own(let own, _): try copy(own, to: path)
            }
            context.place.add(snapshotAt: path)
            for snapshot in old where snapshot.path != path {
                context.place.remove(snapshotAt: snapshot.path)
            }
            return old.isEmpty
        }
    }

    /// Copies the session's file as it is now.
    ///
    /// Under `writing`.
    ///
    /// File and log are copied as they lie: nobody else changes them, and to have the log emptied
    /// first would mean to wait for a moment without readers, which may never come.
    private func copy(_ own: String, to path: String) throws(StoreError) {
        var own = own
        if let pool = state.withLock({ $0.data.pool }), Files.status(own) == nil {
            try saveFile(own, pool)
            own = state.withLock { $0.data.path } ?? own
        }
        _ = try openWriter()
        let copy = path + StoreFileName.freshSuffix
        Files.removeDatabase(copy)
        do throws(StoreError) {
            try overlay?.complete(descriptor)
            try Files.copy(descriptor, to: copy)
            if Files.hasContent(own + "-wal") { try Files.copy(own + "-wal", to: copy + "-wal") }
            let database = try Database(.sharedFile(copy))
            try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        } catch {
            Files.removeDatabase(copy)
            throw error
        }
        try Files.rename(copy, to: path)
        Files.removeDatabase(copy)
    }

    /// Brings back the data and ledger of a snapshot, which stays.
    ///
    /// - Throws: `StoreError.unknownSnapshot`.
    package func restoreSnapshot(named snapshot: String) throws(StoreError) {
        try alone { () throws(StoreError) in
            guard
                let kept = context.place.snapshots(ofSession: name)
                    .first(where: { $0.info.name == snapshot })
            else { throw .unknownSnapshot(snapshot) }
            if Files.ownStatus(kept.path) == nil {
                context.place.remove(snapshotAt: kept.path)
                context.notice("the snapshot \(kept.path) was removed by somebody else")
                throw .unknownSnapshot(snapshot)
            }
            if case .none = state.withLock({ $0.data }) { throw .unknownSession(name) }
            if kept.isShared {
                if case .own = state.withLock({ $0.data }) {
                    try resetData(to: seed, keepingLedger: false)
                }
                lookAtWorld()
                return
            }
            // With a generated database, the untouched file is everybody's: it is copied first.
            _ = try openWriter()
            let path = try context.place.path(ofSession: name)
            let fresh = path + StoreFileName.freshSuffix
            Files.removeDatabase(fresh)
            try Files.copy(kept.path, to: fresh)
            // It may be from before the server was started with another seed.
            try Reseeding.file(fresh, isUntouched: false, rules: context.rules)
            try replace(with: fresh, path: path, isUntouched: false)
            lookAtWorld()
        }
    }

    /// Forgets a snapshot.
    ///
    /// - Throws: `StoreError.unknownSnapshot`.
    package func deleteSnapshot(named snapshot: String) throws(StoreError) {
        let kept = context.place.snapshots(ofSession: name).filter { $0.info.name == snapshot }
        if kept.isEmpty { throw .unknownSnapshot(snapshot) }
        for snapshot in kept { context.place.remove(snapshotAt: snapshot.path) }
    }

    // MARK: The end

    /// Closes every connection.
    ///
    /// - Parameter removing: Whether the session's file and snapshots go as well.
    func end(removing: Bool) {
        writing.withLock { _ in
            let old = state.withLock { state in
                defer { state.data = .none }
                return state.data
            }
            old.pool?.close()
            if removing {
                letGoOfWriter()
                // A session without snapshots is less than one without a file; a snapshot without a
                // session is nothing.
                for snapshot in context.place.snapshots(ofSession: name) {
                    context.place.remove(snapshotAt: snapshot.path)
                }
                if let path = old.path { Files.removeDatabase(path) }
                context.place.unmark(session: name)
            } else {
                // What stays in the log is found there at the next start.
                try? closeWriter()
                letGoOfWriter()
            }
        }
    }
}
