import Glibc
import QUBS
import Synchronization
package import Time

/// The data of one session.
///
/// A session that has not written shares the data it starts with. Its first write gives it a file
/// of its own: one connection writes, under a lock, and each worker has one that reads.
package final class SessionStore: @unchecked Sendable {
    // Sendable: `writer` and `descriptor` are touched under `writing` only; all else is immutable
    // or in a mutex.

    package let name: String
    private let context: StoreContext
    private let writing = Mutex<Void>(())
    private var writer: SessionWriter?
    /// For copies of the file.
    ///
    /// Opening and closing it for each would drop the locks that SQLite holds.
    private var descriptor: Int32 = -1
    private let state: Mutex<State>

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
    }

    private struct State {
        var data: Data
    }

    /// Opens a session.
    ///
    /// - Parameters:
    ///   - path: Its file, where it has one.
    ///   - isUntouched: Whether that file has not changed since it was made.
    init(name: String, context: StoreContext, path: String?, isUntouched: Bool) {
        self.name = name
        self.context = context
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
        state = Mutex(State(data: data))
    }

    deinit {
        writer = nil
        if descriptor >= 0 { close(descriptor) }
    }

    var order: ListOrder { context.order }

    /// Whose connection background work reads with: behind those of the workers.
    var backgroundWorker: Int { context.workers }

    func position(domain: String, id: String) -> Int64 {
        context.rules.scatter.position(domain: domain, id: id)
    }

    /// Whether the session has data of its own.
    package var hasWritten: Bool {
        state.withLock { if case .own = $0.data { true } else { false } }
    }

    /// The size of the session's own file, log included; 0 while it shares its data.
    package var ownOctets: Int {
        let path: String? = state.withLock {
            switch $0.data {
            case .own(let path, _), .untouched(let path, _): path
            case .shared, .none: nil
            }
        }
        guard let path else { return 0 }
        return ["", "-wal"].reduce(0) { $0 + Int(Files.status(path + $1)?.st_size ?? 0) }
    }

    // MARK: Reading

    /// What a worker reads with.
    ///
    /// Cheap to make; one worker's is used by one thread at a time.
    ///
    /// - Parameter worker: 0 up to the number of workers that the store was opened for.
    package func reader(worker: Int) -> SessionReader {
        SessionReader(session: self, worker: worker)
    }

    @inline(__always)
    func read<Result: Sendable>(
        _ worker: Int,
        _ body: (Tables) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        while true {
            let pool = try currentPool()
            if let result = try pool.read(worker, body) { return result }
            // The pool was closed in between: the data have moved, and the next look finds where.
        }
    }

    private func currentPool() throws(StoreError) -> ReaderPool {
        let data = state.withLock { $0.data }
        switch data {
        case .shared: return try context.seed.pool()
        case .untouched(_, let pool), .own(_, let pool): return pool
        case .none: throw .unknownSession(name)
        }
    }

    // MARK: Writing

    /// Runs `body` as one transaction: all of it is stored, or, when it throws, nothing.
    ///
    /// Transactions of a session follow one another. What is stored survives the end of the
    /// process.
    ///
    /// - Throws: What `body` throws; `StoreError.full` where the disk has no room.
    package func write<Result: Sendable>(
        _ body: (SessionWriter) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try writing.withLock { _ throws(StoreError) in
            let writer = try openWriter()
            try writer.begin()
            do throws(StoreError) {
                let result = try body(writer)
                try writer.commit()
                writer.emptyLog { state.withLock { $0.data.pool }?.waitForWorkers() }
                return result
            } catch {
                writer.rollback()
                throw error
            }
        }
    }

    /// The writer; with it the session gets a file of its own.
    ///
    /// Under `writing`.
    private func openWriter() throws(StoreError) -> SessionWriter {
        if let writer { return writer }
        let path: String
        switch state.withLock({ $0.data }) {
        case .none: throw .unknownSession(name)
        case .own(let own, _): path = own
        case .untouched(let own, _):
            if let seedPath = context.place.seedPath {
                try context.seed.preserve(own, as: seedPath) {
                    MockStore.isSeed($0, of: own)
                }
            }
            path = own
        case .shared:
            path = try context.place.path(ofSession: name)
            Files.removeDatabase(path)
            try context.seed.copy(to: path)
        }
        let writer = try open(path)
        let readers = context.readers(of: path, isUntouched: false)
        let old: ReaderPool? = state.withLock { state in
            if case .own = state.data { return nil }
            let old = state.data.pool
            state.data = .own(path: path, pool: readers)
            return old
        }
        old?.close()
        return writer
    }

    private func open(_ path: String) throws(StoreError) -> SessionWriter {
        descriptor = try Files.open(path, O_RDONLY)
        do throws(StoreError) {
            let writer = try context.writer(to: path)
            self.writer = writer
            return writer
        } catch {
            close(descriptor)
            descriptor = -1
            throw error
        }
    }

    /// Closes the writer, all its log being in the file.
    ///
    /// Under `writing`.
    private func closeWriter() throws(StoreError) {
        if let writer { try writer.tables.database.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
        writer = nil
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    // MARK: Reset and snapshots

    /// Brings back what the session started with.
    ///
    /// - Parameters:
    ///   - data: The records, uploads and reports.
    ///   - ledger: The idempotency ledger.
    package func reset(data: Bool, ledger: Bool) throws(StoreError) {
        try writing.withLock { _ throws(StoreError) in
            guard case .own = state.withLock({ $0.data }) else {
                if case .none = state.withLock({ $0.data }) { throw .unknownSession(name) }
                return
            }
            if data {
                try resetData(keepingLedger: !ledger)
            } else if ledger {
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

    private func resetData(keepingLedger: Bool) throws(StoreError) {
        let path = try context.place.path(ofSession: name)
        let isKept =
            keepingLedger
            ? try openWriter().tables.database.integer("SELECT EXISTS (SELECT 1 FROM ledger)") == 1
            : false
        if !isKept && path != context.place.databasePath {
            try replace(with: nil, path: path, isUntouched: false)
            return
        }
        let fresh = path + StoreFileName.freshSuffix
        Files.removeDatabase(fresh)
        try context.seed.copy(to: fresh)
        if isKept {
            // In WAL mode from the start, so that nobody takes it for untouched.
            let database = try context.writer(to: fresh).tables.database
            let attach = Statement(database, "ATTACH ?1 AS old")
            try attach.begin()
            attach.bind(1, Database.uri(path))
            try attach.run()
            try database.execute("INSERT INTO main.ledger SELECT * FROM old.ledger; DETACH old")
        }
        try replace(with: fresh, path: path, isUntouched: !isKept)
    }

    /// Changes the data under everybody's hands.
    ///
    /// Under `writing`.
    ///
    /// - Parameter fresh: The file to take the place of the present one; `nil` to share data again.
    private func replace(
        with fresh: String?,
        path: String,
        isUntouched: Bool
    ) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            // Readers first: the log is emptied only when nobody reads from it, and a log that
            // stayed beside another file would spoil it.
            state.data.pool?.close()
            do throws(StoreError) {
                try closeWriter()
                if let fresh {
                    for suffix in ["-wal", "-shm"] { Files.remove(path + suffix) }
                    try Files.rename(fresh, to: path)
                } else {
                    Files.removeDatabase(path)
                }
            } catch {
                // The old data stay.
                state.data = .own(path: path, pool: context.readers(of: path, isUntouched: false))
                throw error
            }
            if fresh == nil {
                state.data = .shared
            } else if isUntouched {
                state.data = .untouched(
                    path: path,
                    pool: context.readers(of: path, isUntouched: true)
                )
            } else {
                state.data = .own(path: path, pool: context.readers(of: path, isUntouched: false))
            }
        }
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
        return try writing.withLock { _ throws(StoreError) in
            let old = context.place.snapshots(ofSession: name).filter { $0.info.name == snapshot }
            var isShared = false
            switch state.withLock({ $0.data }) {
            case .none: throw .unknownSession(name)
            case .shared: isShared = true
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
            case .shared: try Files.write(UnsafeRawBufferPointer(start: nil, count: 0), to: path)
            case .untouched(let own, _): try Files.copy(own, to: path)
            case .own(let own, _): try copy(own, to: path)
            }
            for snapshot in old where snapshot.path != path { Files.remove(snapshot.path) }
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
        _ = try openWriter()
        let copy = path + StoreFileName.freshSuffix
        Files.removeDatabase(copy)
        do throws(StoreError) {
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
        try writing.withLock { _ throws(StoreError) in
            guard
                let kept = context.place.snapshots(ofSession: name)
                    .first(where: { $0.info.name == snapshot })
            else { throw .unknownSnapshot(snapshot) }
            if case .none = state.withLock({ $0.data }) { throw .unknownSession(name) }
            if kept.isShared {
                if case .own = state.withLock({ $0.data }) {
                    try resetData(keepingLedger: false)
                }
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
        }
    }

    /// Forgets a snapshot.
    ///
    /// - Throws: `StoreError.unknownSnapshot`.
    package func deleteSnapshot(named snapshot: String) throws(StoreError) {
        let kept = context.place.snapshots(ofSession: name).filter { $0.info.name == snapshot }
        if kept.isEmpty { throw .unknownSnapshot(snapshot) }
        for snapshot in kept { Files.remove(snapshot.path) }
    }

    // MARK: The end

    /// Closes every connection.
    ///
    /// - Parameter removing: Whether the session's file and snapshots go as well.
    func end(removing: Bool) {
        writing.withLock { _ in
            let (old, path): (ReaderPool?, String?) = state.withLock { state in
                let data = state.data
                state.data = .none
                switch data {
                case .own(let path, let pool), .untouched(let path, let pool): return (pool, path)
                case .shared, .none: return (nil, nil)
                }
            }
            old?.close()
            // What stays in the log is found there at the next start.
            try? closeWriter()
            writer = nil
            if removing {
                if let path { Files.removeDatabase(path) }
                for snapshot in context.place.snapshots(ofSession: name) {
                    Files.remove(snapshot.path)
                }
            }
        }
    }
}
