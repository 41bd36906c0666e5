import CSQLite
import Glibc
import JSON
import QUBS
import Store
import Testing
import Time

/// A session of temporary data writes to a file that lies over the image it started with.
@Suite("Files over an image")
struct OverlayTests {
    /// Comments on one appointment, so many that the log was emptied into the file in between.
    private static let many = 1500

    /// Octets of a file, and those that the disk has of it.
    private static func size(_ path: String) throws -> (octets: Int, allocated: Int) {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return (Int(status.st_size), Int(status.st_blocks) * 512)
    }

    private static func path(_ store: TestStore, _ suffix: String) throws -> String {
        let name = try #require(store.folder.names.first { $0.hasSuffix(suffix) })
        return store.folder.path + "/" + name
    }

    /// The first column of a query to a file, which nobody writes to.
    private static func ask(_ path: String, _ sql: String) throws -> String {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        try #require(
            sqlite3_open_v2(
                "file:\(path)?immutable=1",
                &handle,
                SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                nil
            )
                == SQLITE_OK
        )
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        try #require(sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK)
        try #require(sqlite3_step(statement) == SQLITE_ROW)
        return String(cString: sqlite3_column_text(statement, 0))
    }

    private static func store() throws -> TestStore {
        let set = try Samples.many(2000)
        var acme = set.domains[0]
        acme.records[.appointments]?.append([
            "appointmentId": "A123456", "scheduledSite": "Central Clinic", "status": "ARRIVED",
        ])
        return try TestStore(Samples.image(of: FixtureSet(domains: [acme])))
    }

    @Test("The first write copies nothing, and the session shows all data as before")
    func firstWrite() throws {
        let store = try Self.store()
        let session = try store.session("s1")
        let before = try session.reader(worker: 0).pages(limit: 500)
        try MockStoreTests.comment(session, "n-1")
        let size = try Self.size(Self.path(store, "s1.db"))
        #expect(size.allocated < size.octets / 10)
        #expect(try session.reader(worker: 0).pages(limit: 500) == before)
        #expect(before.count == 2000)
        #expect(try MockStoreTests.count(session) == 1)
        #expect(try MockStoreTests.count(store.session) == 0)
    }

    @Test("Pages that were written are read from the file, the others from the image")
    func manyWrites() throws {
        let store = try Self.store()
        let session = try store.session("s1")
        let before = try session.reader(worker: 1).pages(limit: 500)
        for number in 1...Self.many {
            try MockStoreTests.comment(session, "n-\(number)")
            if number % 50 == 0 { #expect(try MockStoreTests.count(session) == number) }
        }
        session.awaitLongWork()
        // More than the first page: the log was emptied into it.
        let path = try Self.path(store, "s1.db")
        #expect(try Self.size(path).allocated > 4096)
        #expect(try session.reader(worker: 1).pages(limit: 500) == before)
        #expect(try MockStoreTests.count(session) == Self.many)
    }

    @Test("A snapshot is a whole database; what is restored of it, and reset, is as it was")
    func snapshot() throws {
        let store = try Self.store()
        let session = try store.session("s1")
        let before = try session.reader(worker: 0).pages(limit: 500)
        for number in 1...Self.many { try MockStoreTests.comment(session, "n-\(number)") }
        try MockStoreTests.remember(session)
        #expect(try session.takeSnapshot(named: "kept", now: Samples.start))
        let kept = try Self.path(store, "s1@kept@\(Samples.start.secondsSince1970).db")
        #expect(try Self.ask(kept, "PRAGMA integrity_check") == "ok")
        #expect(try Self.ask(kept, "SELECT count(*) FROM comment") == String(Self.many))
        #expect(try Self.ask(kept, "SELECT count(*) FROM appointment") == "2001")
        // The session goes on, and keeps its ledger through a reset.
        try MockStoreTests.comment(session, "n-x")
        #expect(try MockStoreTests.count(session) == Self.many + 1)
        try session.reset(data: true, ledger: false, now: Samples.start)
        #expect(try MockStoreTests.count(session) == 0)
        #expect(try MockStoreTests.entries(session) == 1)
        #expect(try session.reader(worker: 0).pages(limit: 500) == before)
        try session.restoreSnapshot(named: "kept")
        #expect(try MockStoreTests.count(session) == Self.many)
        #expect(try session.reader(worker: 0).pages(limit: 500) == before)
    }

    @Test("A ledger is kept through a reset of a session that has not emptied its log")
    func ledger() throws {
        let store = try Self.store()
        let session = try store.session("s1")
        try MockStoreTests.remember(session)
        try session.reset(data: true, ledger: false, now: Samples.start)
        #expect(try MockStoreTests.entries(session) == 1)
        try session.reset(data: true, ledger: true, now: Samples.start)
        try MockStoreTests.comment(session, "n-1")
        #expect(try MockStoreTests.count(session) == 1)
    }
}
