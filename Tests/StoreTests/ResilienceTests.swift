import Dispatch
import Glibc
import JSON
import QUBS
import Synchronization
import Testing

@testable import Store

/// What a store does when its surroundings are not as they should be: files that are gone, disks that
/// are full, descriptors that are used up, others that take long.
@Suite("Resilience of the store")
struct ResilienceTests {
    // MARK: Leftovers beside a database

    static let unfinished = [
        "kept.db.unfinished", "kept.db-new", "kept.db-new-wal", "kept.db-new-shm",
        "kept.db-new-journal", "kept.db-new.unfinished", "kept.db-seed.unfinished",
        "kept.db-sessions/s1.db.unfinished", "kept.db-sessions/s1.db-new",
        "kept.db-sessions/s1.db-new-wal", "kept.db-sessions/s1.db-new.unfinished",
        "kept.db-sessions/gone.db-wal", "kept.db-sessions/gone.db-shm",
        "kept.db-sessions/gone.db-journal", "kept.db-snapshots/s1@x@7.db.unfinished",
        "kept.db-snapshots/s1@x@7.db-new", "kept.db-snapshots/s1@x@7.db-new-wal",
        "kept.db-snapshots/s1@x@7.shared.unfinished", "kept.db-snapshots/gone@x@7.db",
        "kept.db-snapshots/gone@z@9.shared", "kept.db-snapshots/s1@x@9.db-wal",
    ]

    static let legitimate = [
        "kept.db-newer", "kept.db-notes", "kept.db.unfinished.txt", "kept.db.bak", "other.db-new",
        "kept.db-sessions/notes.txt", "kept.db-sessions/my notes.db", "kept.db-snapshots/s1@x.db",
        "kept.db-snapshots/a@b@07.db", "kept.db-snapshots/notes@home",
    ]

    @Test("What kill -9 left beside a database is removed at the start; all else stays")
    func leftovers() throws {
        let folder = try TemporaryFolder()
        func path(_ name: String) -> String { folder.path + "/" + name }
        do {
            let store = try TestStore(database: "kept.db", in: folder)
            try MockStoreTests.comment(store.session, "n")
            try MockStoreTests.comment(store.session("s1"), "n")
            _ = try store.session("s1").takeSnapshot(named: "y", now: Samples.start)
            _ = try store.session.takeSnapshot(named: "y", now: Samples.start)
            // One that has not written, and one that was reset: they keep their snapshots.
            _ = try store.session("unwritten").takeSnapshot(named: "y", now: Samples.start)
            try MockStoreTests.comment(store.session("reset"), "n")
            _ = try store.session("reset").takeSnapshot(named: "y", now: Samples.start)
            try store.session("reset").reset(data: true, ledger: true, now: Samples.start)
            store.store.close()
        }
        for name in Self.unfinished + Self.legitimate { try MockStoreTests.write([1], path(name)) }
        try #require(symlink("/etc/passwd", path("kept.db-sessions/link.db-new")) == 0)
        try #require(mkfifo(path("kept.db-snapshots/s1@p@7.db-new"), 0o600) == 0)
        let before = folder.names
        let notices = Notices()
        let store = try TestStore(database: "kept.db", in: folder, notices: notices)
        let after = Set(folder.names)
        #expect(
            Set(before).subtracting(after) == Set(Self.unfinished),
            "\(Set(before).subtracting(after).symmetricDifference(Self.unfinished).sorted())"
        )
        #expect(notices.all.count == 1)
        #expect(notices.all.first?.contains("\(Self.unfinished.count) files") == true)
        #expect(store.store.sessionNames() == ["default", "reset", "s1", "unwritten"])
        for name in store.store.sessionNames() {
            let session = try store.session(name)
            #expect(session.snapshots().map(\.name) == ["y"])
            try session.restoreSnapshot(named: "y")
            #expect(try MockStoreTests.count(session) == (name == "unwritten" ? 2 : 3), "\(name)")
        }
        try store.store.dropSession(named: "unwritten")
        try store.store.dropSession(named: "reset")
        store.store.close()
        let next = try TestStore(database: "kept.db", in: folder)
        #expect(next.store.sessionNames() == ["default", "s1"])
        #expect(!folder.names.contains { $0.contains("/reset") || $0.contains("/unwritten") })
    }

    @Test("Nothing is removed while another server has the database open")
    func leftoversInUse() throws {
        let folder = try TemporaryFolder()
        let store = try TestStore(database: "kept.db", in: folder)
        try MockStoreTests.comment(store.session("s1"), "n")
        try MockStoreTests.write([1], folder.path + "/kept.db-new")
        let before = folder.names
        #expect(failure { _ = try TestStore(database: "kept.db", in: folder) } != nil)
        #expect(folder.names == before)
    }

    @Test("A log whose database is gone is not taken for that of the next one")
    func staleLog() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/kept.db"
        let store = try TestStore(database: "kept.db", in: folder)
        for index in 0..<20 { try MockStoreTests.comment(store.session, "n-\(index)") }
        let log = try MockStoreTests.octets(path + "-wal")
        try #require(log.count > 4096)
        store.store.close()
        #expect(unlink(path) == 0)
        try MockStoreTests.write(log, path + "-wal")
        let next = try TestStore(database: "kept.db", in: folder)
        #expect(try MockStoreTests.count(next.session) == 2)
        try MockStoreTests.comment(next.session, "n")
        #expect(try MockStoreTests.count(next.session) == 3)
    }

    // MARK: Files that somebody removes

    static func removeAll(_ folder: String) {
        for name in TemporaryFolder.names(folder).reversed() {
            if unlink(folder + "/" + name) != 0 { rmdir(folder + "/" + name) }
        }
    }

    @Test("Where the folder for temporary data is cleaned, sessions go on with all their data")
    func cleanedFolder() throws {
        let folder = try TemporaryFolder()
        let notices = Notices()
        let store = try TestStore(in: folder, notices: notices)
        let (written, read) = (try store.session("written"), try store.session("read"))
        for session in [written, read] {
            try MockStoreTests.comment(session, "n-1")
            #expect(try MockStoreTests.count(session) == 3)
        }
        Self.removeAll(folder.path)
        // Worker 0 has its connection, worker 1 has none yet.
        try MockStoreTests.comment(written, "n-2")
        #expect(try MockStoreTests.entries(written) == 0)
        #expect(try MockStoreTests.count(written) == 4)
        #expect(try MockStoreTests.entries(read) == 0)
        #expect(try MockStoreTests.count(read) == 3)
        _ = try read.takeSnapshot(named: "x", now: Samples.start)
        try MockStoreTests.comment(read, "n-2")
        try read.restoreSnapshot(named: "x")
        #expect(try MockStoreTests.count(read) == 3)
        let fresh = try store.session("fresh")
        try MockStoreTests.comment(fresh, "n")
        #expect(try MockStoreTests.count(fresh) == 3)
        try written.reset(data: true, ledger: true, now: Samples.start)
        #expect(try MockStoreTests.count(written) == 2)
        try MockStoreTests.comment(written, "n")
        #expect(notices.all.count { $0.contains("folder for temporary data") } == 1)
        #expect(notices.all.count == 3, "\(notices.all)")
        store.store.close()
        #expect(folder.names.isEmpty)
    }

    @Test("A snapshot of a session whose file was removed holds all that was written")
    func snapshotOfRemoved() throws {
        let folder = try TemporaryFolder()
        let store = try TestStore(database: "kept.db", in: folder)
        let session = try store.session("s1")
        for index in 0..<10 { try MockStoreTests.comment(session, "n-\(index)") }
        Self.removeAll(folder.path + "/kept.db-sessions")
        _ = try session.takeSnapshot(named: "x", now: Samples.start)
        try session.reset(data: true, ledger: true, now: Samples.start)
        try session.restoreSnapshot(named: "x")
        #expect(try MockStoreTests.count(session) == 12)
    }

    @Test("A session of which nothing is left has the data again that it started with, and says so")
    func lost() throws {
        let folder = try TemporaryFolder()
        do {
            let store = try TestStore(database: "kept.db", in: folder)
            try MockStoreTests.comment(store.session("s1"), "n")
            store.store.close()
        }
        let notices = Notices()
        let store = try TestStore(database: "kept.db", in: folder, notices: notices)
        Self.removeAll(folder.path + "/kept.db-sessions")
        let session = try store.session("s1")
        #expect(try MockStoreTests.count(session) == 2)
        try MockStoreTests.comment(session, "n")
        #expect(try MockStoreTests.count(session) == 3)
        #expect(notices.all.count { $0.contains("session s1") } == 1, "\(notices.all)")
    }

    @Test("A snapshot that somebody has removed is no longer there")
    func lostSnapshot() throws {
        let folder = try TemporaryFolder()
        let store = try TestStore(database: "kept.db", in: folder)
        try MockStoreTests.comment(store.session, "n")
        _ = try store.session.takeSnapshot(named: "x", now: Samples.start)
        Self.removeAll(folder.path + "/kept.db-snapshots")
        #expect(
            failure { try store.session.restoreSnapshot(named: "x") } == .unknownSnapshot("x")
        )
        #expect(store.session.snapshots().isEmpty)
        #expect(try MockStoreTests.count(store.session) == 3)
    }

    // MARK: Data from elsewhere

    @Test("Sessions with the data of other fixtures are named once at the start")
    func otherFixtures() throws {
        let folder = try TemporaryFolder()
        let notices = Notices()
        func open(_ image: DatabaseImage? = nil) throws -> TestStore {
            try TestStore(image, database: "kept.db", in: folder, notices: notices)
        }
        do {
            let store = try open()
            try MockStoreTests.comment(store.session("s1"), "n")
            _ = try store.session("shares").takeSnapshot(named: "x", now: Samples.start)
            store.store.close()
            try open().store.close()
            #expect(notices.all.isEmpty)
        }
        let other = try Samples.image(of: Samples.many(3))
        let store = try open(other)
        #expect(notices.all.count == 1)
        #expect(notices.all.first?.contains("sessions default, s1 have") == true, "\(notices.all)")
        #expect(try store.reader.list().contains("A123456"))
        try store.session.reset(data: true, ledger: true, now: Samples.start)
        try store.store.dropSession(named: "s1")
        store.store.close()
        // Untouched by then, and of the same fixtures, also in another order.
        try TestStore(
            other,
            scatter: Scatter(seed: 9, pinned: []),
            database: "kept.db",
            in: folder,
            notices: notices
        ).store.close()
        #expect(notices.all.count == 1)
    }

    @Test(
        "A generated database without its untouched copy says what is missing, and how to make it"
    )
    func movedAlone() throws {
        let folder = try TemporaryFolder()
        let notices = Notices()
        try FixtureGeneratorTests.generate(25, seed: 8, in: folder, "x.db")
        func open(_ name: String) throws -> TestStore {
            let image = try Samples.image(of: FixtureGeneratorTests.base())
            return try TestStore(image, database: name, in: folder, notices: notices)
        }
        do {
            let store = try open("x.db")
            try FixtureGeneratorTests.put(store.session, "T1")
            store.store.close()
        }
        try #require(rename(folder.path + "/x.db", folder.path + "/moved.db") == 0)
        do {
            let store = try open("moved.db")
            #expect(notices.all.count == 1)
            let line = try #require(notices.all.first)
            #expect(line.contains("moved.db-seed"))
            #expect(
                line.contains("--appointments 25 --seed 8 --today \(Samples.today) --output")
            )
            let missing = StoreError.seedMissing(path: folder.path + "/moved.db-seed")
            #expect(failure { _ = try store.session("s") } == missing)
            #expect(
                failure { try store.session.reset(data: true, ledger: true, now: Samples.start) }
                    == missing
            )
            #expect(try store.reader.pages(limit: 500).count == 66)
            store.store.close()
        }
        // As the line says.
        try FixtureGeneratorTests.generate(25, seed: 8, in: folder, "moved.db-seed")
        do {
            let store = try open("moved.db")
            #expect(notices.all.count == 1)
            #expect(try store.session("s").reader(worker: 0).pages(limit: 500).count == 65)
            store.store.close()
        }
        // The copy alone is the data from before the first change.
        try #require(unlink(folder.path + "/moved.db") == 0)
        #expect(try open("moved.db").reader.pages(limit: 500).count == 65)
    }

    @Test("What a generated database says of itself can be read back")
    func generatedName() {
        let name = GeneratedName(
            appointments: 7,
            seed: .max,
            today: Samples.today,
            base: "ab12"
        )
        #expect(GeneratedName(name.text) == name)
        for text in ["", "7 appointments", name.text + " ", "-" + name.text, "x" + name.text] {
            #expect(GeneratedName(text) == nil || GeneratedName(text)?.text == text)
        }
    }

    // MARK: Descriptors

    static func descriptors(in folder: String) throws -> Int {
        try MockStoreTests.openFiles(in: folder)
    }

    @Test("Hundreds of sessions write and read with a few descriptors", arguments: [16, 24, 64])
    func fewDescriptors(limit: Int) throws {
        let folder = try TemporaryFolder()
        let store = try TestStore(in: folder, maximumOpenFiles: limit)
        let sessions = try (0..<200).map { try store.session("s\($0)") }
        for round in 1...2 {
            for (index, session) in sessions.enumerated() {
                try MockStoreTests.comment(session, "n-\(round)")
                #expect(try MockStoreTests.count(session) == 2 + round)
                #expect(try MockStoreTests.entries(session) == 0)
                guard index % 20 == 0 else { continue }
                // The run folder is one more.
                #expect(try Self.descriptors(in: folder.path) <= limit + 1)
            }
        }
        for session in sessions.prefix(20) {
            _ = try session.takeSnapshot(named: "x", now: Samples.start)
            try session.reset(data: true, ledger: true, now: Samples.start)
            try session.restoreSnapshot(named: "x")
            #expect(try MockStoreTests.count(session) == 4)
        }
        for index in sessions.indices { try store.store.dropSession(named: "s\(index)") }
        #expect(try Self.descriptors(in: folder.path) == 1)
    }

    @Test("Where descriptors do not suffice, a session is refused until others rest")
    func tooFewDescriptors() throws {
        // A writer, and the reader of one worker.
        let store = try TestStore(maximumOpenFiles: 5)
        let (first, second) = (try store.session("s1"), try store.session("s2"))
        for round in 1...3 {
            for session in [first, second] {
                try MockStoreTests.comment(session, "n-\(round)")
                #expect(try MockStoreTests.count(session) == 2 + round)
                // Worker 1 has no connection.
                #expect(failure { _ = try MockStoreTests.entries(session) } == .noDescriptors)
            }
        }
        // While one writes, there are none for the other.
        let refused = try first.write { _ throws(StoreError) in
            failure { try MockStoreTests.comment(second, "n") }
        }
        #expect(refused == .noDescriptors)
        try MockStoreTests.comment(second, "n-4")
        try store.store.dropSession(named: "s1")
        try store.store.dropSession(named: "s2")
    }

    @Test("Names that no client writes are read of the start, which takes none of its files")
    func namesOfTheStart() throws {
        func count(_ reader: SessionReader) throws(StoreError) -> Int {
            var count = 0
            try reader.forEachPatientName { _, _ in count += 1 }
            return count
        }
        // A writer, and no reader beside it.
        let store = try TestStore(maximumOpenFiles: 4)
        let (first, second) = (try store.session("s1"), try store.session("s2"))
        for session in [first, second] { try MockStoreTests.comment(session, "n") }
        let names = try count(first.startReader())
        #expect(names > 0)
        let refused = try second.write { _ throws(StoreError) in
            #expect(try count(first.startReader()) == names)
            return failure { _ = try count(first.backgroundReader()) }
        }
        #expect(refused == .noDescriptors)
    }

    @Test("A budget lets the one rest that was not used, and gives up where all are in use")
    func budget() throws {
        final class Holder: FileHolder {
            let isUsed = Atomic(false)
            let isBusy = Atomic(false)
            let open = Atomic(0)
            let budget: FileBudget

            init(_ budget: FileBudget) {
                self.budget = budget
                budget.add(self)
            }

            func use() throws(StoreError) {
                isUsed.store(true, ordering: .relaxed)
                if open.load(ordering: .relaxed) > 0 { return }
                try budget.take(2)
                open.store(2, ordering: .relaxed)
            }
            func takeUse() -> Bool { isUsed.exchange(false, ordering: .relaxed) }
            func rest() -> Bool {
                let count = open.load(ordering: .relaxed)
                if isBusy.load(ordering: .relaxed) || count == 0 { return false }
                open.store(0, ordering: .relaxed)
                budget.give(count)
                return true
            }
        }
        let budget = FileBudget(limit: 6)
        let holders = (0..<4).map { _ in Holder(budget) }
        for holder in holders.prefix(3) { try holder.use() }
        #expect(budget.open == 6)
        for holder in holders.prefix(3) { _ = holder.takeUse() }
        try holders[0].use()
        try holders[2].use()
        try holders[3].use()
        #expect(holders.map { $0.open.load(ordering: .relaxed) } == [2, 0, 2, 2])
        for holder in holders { holder.isBusy.store(true, ordering: .relaxed) }
        #expect(failure { try holders[1].use() } == .noDescriptors)
        #expect(budget.open == 6)
        holders[2].isBusy.store(false, ordering: .relaxed)
        try holders[1].use()
        #expect(holders.map { $0.open.load(ordering: .relaxed) } == [2, 2, 0, 2])
    }

    // MARK: What takes long

    @Test("A short write is told to come again while something long runs, and then may")
    func gate() throws {
        let gate = WriteGate()
        let calls = Atomic(0)
        func enter() -> Bool {
            gate.enter { { calls.add(1, ordering: .relaxed) } }
        }
        #expect(enter())
        #expect(enter())
        let isInside = Flag()
        let mayEnd = DispatchSemaphore(value: 0)
        let hasBegun = DispatchSemaphore(value: 0)
        var threads = TestThreads()
        threads.start {
            gate.long {
                isInside.set()
                hasBegun.signal()
                mayEnd.wait()
            }
        }
        // It waits for those that have begun; whoever comes now is told to come again.
        while enter() { gate.leave() }
        #expect(!isInside.isSet)
        gate.leave()
        #expect(!isInside.isSet)
        gate.leave()
        hasBegun.wait()
        #expect(!enter())
        #expect(calls.load(ordering: .relaxed) == 0)
        mayEnd.signal()
        #expect(threads.wait().isEmpty)
        #expect(calls.load(ordering: .relaxed) == 2)
        #expect(enter())
    }

    @Test("A session's write waits beside the worker while its data are being restored")
    func writeDuringSnapshot() throws {
        let store = try TestStore()
        let session = store.session
        try MockStoreTests.comment(session, "n")
        _ = try session.takeSnapshot(named: "x", now: Samples.start)
        let isOver = Flag()
        let resumed = Atomic(0)
        var threads = TestThreads()
        threads.start {
            for _ in 0..<50 { try session.restoreSnapshot(named: "x") }
            isOver.set()
        }
        var (entered, refused) = (0, 0)
        while !isOver.isSet || entered == 0 {
            let mayWrite = session.beginWrite { { resumed.add(1, ordering: .relaxed) } }
            guard mayWrite else {
                refused += 1
                continue
            }
            entered += 1
            try MockStoreTests.comment(session, "w-\(entered)")
            session.endWrite()
        }
        #expect(threads.wait().isEmpty)
        session.awaitLongWork()
        // Each one that was told to come again was called, once.
        #expect(resumed.load(ordering: .relaxed) == refused)
    }
}
