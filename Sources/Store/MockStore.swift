import Glibc
import Synchronization
package import Time

/// All the records, in sessions that know nothing of each other.
package final class MockStore: Sendable {
    /// The session that is always there.
    package static let defaultSession = "default"

    private let context: StoreContext
    private let maximumSessions: Int
    private let sessions: Mutex<[String: SessionStore]>

    /// Opens a store: with a database, what was left there; else what the image holds.
    ///
    /// - Throws: `StoreError`: `.inUse`, `.foreignFile`, `.otherVersion`, `.notAnImage`, `.shapes`,
    ///   and what the file system says.
    package init(_ configuration: StoreConfiguration) throws(StoreError) {
        let rules = try RecordRules(
            shapes: configuration.shapes,
            scatter: configuration.scatter,
            zones: configuration.zones
        )
        let (base, buffer) = try Reseeding.base(configuration.base, rules: rules)
        let practices = try Laying.lay(
            buffer,
            of: base,
            around: Present(pinned: configuration.today, now: configuration.now),
            rules: rules
        )
        let image = try buffer.image()
        let seeds = Seeds(
            base,
            image: image,
            zone: practices.first?.rule,
            today: configuration.today,
            now: configuration.now,
            rules: rules,
            workers: configuration.workers
        )
        var lock: FileLock? = nil
        let kept: Kept
        if let path = configuration.databasePath {
            // Looked at before anything is made beside it.
            _ = try Self.header(of: path)
            // One file, and one set of files beside it, whatever link leads there.
            let real = Files.resolved(path)
            do throws(StoreError) {
                (kept, lock) = try Self.open(real, image, seeds, rules, configuration)
            } catch {
                throw error.about(real, asGiven: path)
            }
        } else {
            kept = Kept(
                place: StorePlace(
                    run: try RunFolder(
                        in: configuration.temporaryFolder,
                        notice: configuration.notice
                    )
                ),
                seeds: seeds
            )
        }
        let place = kept.place
        context = StoreContext(
            rules: rules,
            order: configuration.order,
            workers: configuration.workers,
            maximumPages: configuration.maximumPages,
            place: place,
            seeds: kept.seeds,
            files: FileBudget(limit: configuration.maximumOpenFiles),
            notice: configuration.notice,
            lock: lock
        )
        maximumSessions = configuration.maximumSessions
        let seed = kept.seeds.present
        var sessions = [
            Self.defaultSession: SessionStore(
                name: Self.defaultSession,
                context: context,
                seed: seed,
                laid: configuration.now,
                path: place.databasePath,
                isUntouched: kept.isUntouched
            )
        ]
        for name in place.sessions() where name != Self.defaultSession {
            let file = try place.path(ofSession: name)
            sessions[name] = SessionStore(
                name: name,
                context: context,
                seed: seed,
                laid: configuration.now,
                // An empty file says that the session shares its data.
                path: Files.hasContent(file) ? file : nil,
                isUntouched: false
            )
        }
        self.sessions = Mutex(sessions)
    }

    /// Closes every connection; temporary data are gone.
    ///
    /// Without it, the same happens when the last use of the store and of its sessions ends.
    package func close() {
        for session in sessions.withLock({ Array($0.values) }) { session.end(removing: false) }
        context.seeds.close()
        context.place.end()
        context.lock.withLock { $0 = nil }
    }

    // MARK: Sessions

    /// Whether a session or snapshot may have this name: 1 to 64 of letters, digits, `.`, `_`, `-`.
    package static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The session of a name, if it is open.
    package func session(named name: String) -> SessionStore? {
        sessions.withLock { $0[name] }
    }

    /// The session of a name, opened now where it was not.
    ///
    /// - Parameters:
    ///   - now: When its data are laid, where it is new.
    ///   - present: Around when they are laid, where that is not `now`.
    /// - Returns: The session, and whether it is new.
    /// - Throws: `StoreError`: `.malformedName`, `.tooManySessions`, `.seedMissing`.
    package func openSession(
        named name: String,
        now: Instant,
        present: Instant? = nil
    ) throws(StoreError) -> (session: SessionStore, isNew: Bool) {
        guard Self.isName(name) else { throw .malformedName(name) }
        return try sessions.withLock { sessions throws(StoreError) in
            if let session = sessions[name] { return (session, false) }
            guard sessions.count - 1 < maximumSessions else {
                throw .tooManySessions(limit: maximumSessions)
            }
            let seed = try context.seeds.seed(at: present ?? now)
            _ = try seed.pool()
            let session = SessionStore(
                name: name,
                context: context,
                seed: seed,
                laid: now,
                path: nil,
                isUntouched: false
            )
            sessions[name] = session
            return (session, true)
        }
    }

    /// The names of the open sessions, sorted, `default` among them.
    package func sessionNames() -> [String] {
        sessions.withLock { $0.keys.sorted() }
    }

    /// Ends a session: its data, ledger and snapshots are gone, and its name starts afresh.
    ///
    /// - Throws: `StoreError`: `.defaultSession`, `.unknownSession`.
    package func dropSession(named name: String) throws(StoreError) {
        if name == Self.defaultSession { throw .defaultSession }
        // The files go before the name is free.
        try sessions.withLock { sessions throws(StoreError) in
            guard let session = sessions[name] else { throw .unknownSession(name) }
            session.end(removing: true)
            sessions[name] = nil
        }
    }

    // MARK: Database files

    /// Where the data are kept, and what every session starts with.
    private struct Kept {
        let place: StorePlace
        let seeds: Seeds
        /// Whether the database of `default` has not changed since it was made.
        var isUntouched = false
    }

    /// Opens a database, making it where there is none.
    ///
    /// - Parameter path: Free of links.
    private static func open(
        _ path: String,
        _ image: DatabaseImage,
        _ fresh: Seeds,
        _ rules: RecordRules,
        _ configuration: StoreConfiguration
    ) throws(StoreError) -> (Kept, FileLock) {
        guard let lock = try FileLock(path + FileLock.suffix) else { throw .inUse(path: path) }
        do throws(StoreError) {
            let removed = Leftovers.remove(besideDatabase: path)
            if removed > 0 {
                configuration.notice(
                    "\(path): removed \(removed) files that a server left which was killed"
                )
            }
            let place = StorePlace(databasePath: path)
            if !Files.hasContent(path) { try makeDatabase(path, image) }
            guard try lock.add(path) else { throw .inUse(path: path) }
            let isUntouched = try Self.isUntouched(path)
            try Reseeding.file(path, isUntouched: isUntouched, rules: rules)
            let seeds = try Self.seeds(
                of: path,
                isUntouched: isUntouched,
                fresh: fresh,
                rules: rules,
                workers: configuration.workers,
                notice: configuration.notice
            )
            for name in place.sessions() where name != defaultSession {
                let file = try place.path(ofSession: name)
                guard try Self.header(of: file) != nil else { continue }
                try Reseeding.file(file, isUntouched: false, rules: rules)
            }
            try tellOrigins(place, isUntouched: isUntouched, image, configuration.notice)
            return (Kept(place: place, seeds: seeds, isUntouched: isUntouched), lock)
        } catch {
            lock.remove()
            throw error
        }
    }

    /// Makes the database of `default`, which is not there.
    ///
    /// Generated data come back from their untouched copy, where that is all that there is.
    private static func makeDatabase(
        _ path: String,
        _ image: DatabaseImage
    ) throws(StoreError) {
        // A log of what was there before would spoil it.
        Files.removeDatabase(path)
        let seedPath = path + StorePlace.seedSuffix
        // What cannot be read is not the copy.
        if (try? generation(of: seedPath, isUntouched: true)) ?? nil != nil {
            try Files.copy(seedPath, to: path)
        } else {
            try Files.write(image.octets, to: path)
        }
    }

    /// Tells which sessions have data of other fixtures than new sessions get.
    private static func tellOrigins(
        _ place: StorePlace,
        isUntouched: Bool,
        _ image: DatabaseImage,
        _ notice: (String) -> Void
    ) throws(StoreError) {
        guard let path = place.databasePath else { return }
        // Data of an older version of this program may not say.
        guard let expected = try Meta.origin.value(in: Database(.image(image))) else { return }
        func differs(_ file: String, isUntouched: Bool) throws(StoreError) -> Bool {
            guard try header(of: file) != nil else { return false }
            let location = isUntouched ? Database.Location.immutableFile(file) : .sharedFile(file)
            return try Meta.origin.value(in: Database(location)).map { $0 != expected } ?? false
        }
        var others: [String] = []
        for name in [defaultSession] + place.sessions().filter({ $0 != defaultSession }) {
            let isDefault = name == defaultSession
            let file = try place.path(ofSession: name)
            if try differs(file, isUntouched: isDefault && isUntouched) { others.append(name) }
        }
        if others.isEmpty { return }
        let isGenerated = try generation(of: path, isUntouched: isUntouched) != nil
        let list = others.prefix(5).joined(separator: ", ") + (others.count > 5 ? ", ..." : "")
        notice(
            "\(path): \(others.count == 1 ? "session" : "sessions") \(list) "
                + "\(others.count == 1 ? "has" : "have") the data of other fixtures than this start "
                + "gives; "
                + (isGenerated
                    ? "all sessions start with the generated data"
                    : "new sessions, and each one after a reset, get those of this start")
        )
    }

    /// Finds out whether a database can be opened, or made where there is none, and touches nothing.
    ///
    /// - Throws: `StoreError` as the initializer does: `.foreignFile`, `.otherVersion`, `.inUse`, and
    ///   what the file system says.
    package static func check(databaseAt path: String) throws(StoreError) {
        _ = try header(of: path)
        let real = Files.resolved(path)
        guard Files.status(real) != nil else {
            let folder = real.lastIndex(of: "/").map { String(real[...$0]) } ?? "."
            if access(folder, W_OK | X_OK) != 0 { throw .file(FileError(path: path, code: errno)) }
            return
        }
        if access(real, R_OK | W_OK) != 0 { throw .file(FileError(path: path, code: errno)) }
        // Who has it open holds a lock on it.
        let descriptor = try Files.open(real, O_RDONLY)
        defer { Glibc.close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw .inUse(path: path)
        }
    }

    /// The head of a database of ours; `nil` where there is no file yet, or an empty one.
    ///
    /// - Throws: `StoreError`: `.foreignFile`, also for what is no file, and `.otherVersion`.
    static func header(of path: String) throws(StoreError) -> DatabaseHeader? {
        if Files.isSpecial(path) { throw .foreignFile(path: path) }
        guard Files.hasContent(path) else { return nil }
        let descriptor = try Files.open(path, O_RDONLY)
        defer { Glibc.close(descriptor) }
        var head = [UInt8](repeating: 0, count: DatabaseHeader.length)
        let count = read(descriptor, &head, head.count)
        guard count == head.count, let header = head.withUnsafeBytes({ DatabaseHeader($0) }),
            header.applicationID == DatabaseHeader.applicationID
        else { throw .foreignFile(path: path) }
        if header.version != DatabaseHeader.version {
            throw .otherVersion(
                path: path,
                found: header.version,
                expected: DatabaseHeader.version
            )
        }
        return header
    }

    /// Whether a database has not changed since it was made: then it keeps no log.
    static func isUntouched(_ path: String) throws(StoreError) -> Bool {
        guard let header = try header(of: path) else { return false }
        return !header.isWriteAheadLogged && Files.status(path + "-journal") == nil
    }

    /// Whether a file is the copy that was made of a generated database before it changed.
    static func isSeed(_ seedPath: String, of path: String) -> Bool {
        // What cannot be read is not the copy.
        guard let seed = try? generation(of: seedPath, isUntouched: true),
            let isUntouched = try? isUntouched(path),
            let database = try? generation(of: path, isUntouched: isUntouched)
        else { return false }
        return seed == database
    }

    /// What `fixtures generate` noted in a file; `nil` where somebody else made it.
    private static func generation(
        of path: String,
        isUntouched: Bool
    ) throws(StoreError) -> String? {
        guard try header(of: path) != nil else { return nil }
        let database = try Database(isUntouched ? .immutableFile(path) : .sharedFile(path))
        return try Meta.generated.value(in: database)
    }

    /// Where fresh data come from, for a database that is there.
    ///
    /// - Parameter fresh: Those of this start.
    private static func seeds(
        of path: String,
        isUntouched: Bool,
        fresh: Seeds,
        rules: RecordRules,
        workers: Int,
        notice: (String) -> Void
    ) throws(StoreError) -> Seeds {
        func staying(_ source: SeedData.Source?, missingPath: String = "") -> Seeds {
            Seeds(
                SeedData(
                    source,
                    layout: rules.layout,
                    workers: workers,
                    missingPath: missingPath
                ),
                rules: rules,
                workers: workers
            )
        }
        let generated = try generation(of: path, isUntouched: isUntouched)
        guard let generated else { return fresh }
        if isUntouched { return staying(.file(path)) }
        let seedPath = path + StorePlace.seedSuffix
        guard isSeed(seedPath, of: path) else {
            notice(
                "\(seedPath), the copy of the generated data from before their first change, is "
                    + "missing: sessions beside those that are there, and resets of data, are refused; "
                    + "put it there and start again"
                    + (GeneratedName(generated).map {
                        ", or make it with: qubs-mock fixtures generate --appointments "
                            + "\($0.appointments) --seed \($0.seed) --today \($0.today) "
                            + "--output \(seedPath)"
                    } ?? "")
            )
            return staying(nil, missingPath: seedPath)
        }
        try Reseeding.file(seedPath, isUntouched: true, rules: rules)
        return staying(.file(seedPath))
    }
}
