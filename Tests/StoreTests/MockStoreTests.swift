import Glibc
import Time
import JSON
import QUBS
import Store
import Testing

struct MockStoreTests {
    static func comment(_ session: SessionStore, _ guid: String) throws {
        try session.write { writer throws(StoreError) in
            _ = try writer.createComment(
                domain: "acme",
                owner: .appointment("A123456"),
                members: SessionWriterTests.comment(guid)
            )
        }
    }

    static func remember(_ session: SessionStore) throws {
        try session.write { writer throws(StoreError) in
            try writer.remember(
                RememberedAnswer(status: 200, content: [1]),
                for: SessionWriterTests.scope,
                fingerprint: [1],
                expiresAt: Samples.start.advanced(bySeconds: 60),
                now: Samples.start
            )
        }
    }

    static func count(_ session: SessionStore) throws -> Int? {
        try reading {
            try session.reader(worker: 0).appendComments(
                domain: "acme",
                appointment: "A123456",
                to: &$0
            )
        }.result
    }

    static func entries(_ session: SessionStore) throws -> Int {
        try session.reader(worker: 1).ledger(now: Samples.start).count
    }

    // MARK: Sessions

    @Test("Sessions know nothing of each other", arguments: [nil, "kept.db"])
    func isolation(database: String?) throws {
        let store = try TestStore(database: database)
        let (first, isNew) = try store.store.openSession(named: "s1", now: Samples.start)
        #expect(isNew)
        #expect(try store.store.openSession(named: "s1", now: Samples.start).isNew == false)
        let second = try store.session("s2")
        try Self.comment(first, "n-1")
        try Self.remember(first)
        #expect(first.hasWritten)
        #expect(!second.hasWritten)
        #expect(try Self.count(first) == 3)
        #expect(try Self.count(second) == 2)
        #expect(try Self.count(store.session) == 2)
        try Self.comment(store.session, "n-1")
        try Self.comment(store.session, "n-2")
        #expect(try Self.count(store.session) == 4)
        #expect(try Self.count(first) == 3)
        #expect(try Self.count(second) == 2)
        #expect(try [first, second, store.session].map(Self.entries) == [1, 0, 0])
        #expect(store.store.sessionNames() == ["default", "s1", "s2"])
    }

    @Test("A session that has not written has no file, and one that is dropped has none left")
    func drop() throws {
        let store = try TestStore()
        let session = try store.session("s1")
        #expect(try Self.count(session) == 2)
        #expect(store.folder.names.isEmpty)
        try Self.comment(session, "n")
        _ = try session.takeSnapshot(named: "x", now: Samples.start)
        #expect(try Self.count(session) == 3)
        #expect(store.folder.names.contains { $0.hasSuffix("sessions/s1.db") })
        #expect(store.folder.names.contains { $0.hasSuffix(".db") && $0.contains("s1@x@") })
        let before = try Self.openFiles(in: store.folder.path)
        #expect(before > 0)
        try store.store.dropSession(named: "s1")
        #expect(!store.folder.names.contains { $0.contains("s1") })
        // The lock of the run folder stays open; of the session, nothing does.
        #expect(try Self.openFiles(in: store.folder.path) == 1)
        #expect(failure { _ = try Self.count(session) } == .unknownSession("s1"))
        #expect(failure { try Self.comment(session, "n") } == .unknownSession("s1"))
        #expect(failure { try store.store.dropSession(named: "s1") } == .unknownSession("s1"))
        #expect(store.store.session(named: "s1") == nil)
        #expect(try Self.count(store.session("s1")) == 2)
    }

    /// How many files below a folder this process has open, removed ones included.
    static func openFiles(in folder: String) throws -> Int {
        let names = TemporaryFolder.names("/proc/self/fd")
        return names.count { name in
            var target = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/fd/" + name, &target, target.count)
            return count > 0
                && String(
                    decoding: target.prefix(count).map { UInt8(bitPattern: $0) },
                    as: UTF8.self
                )
                .hasPrefix(folder)
        }
    }

    @Test("default cannot be dropped, and there is a last session")
    func limits() throws {
        let store = try TestStore(maximumSessions: 2)
        #expect(failure { try store.store.dropSession(named: "default") } == .defaultSession)
        _ = try store.session("a")
        _ = try store.session("b")
        _ = try store.session("default")
        #expect(failure { _ = try store.session("c") } == .tooManySessions(limit: 2))
        try store.store.dropSession(named: "a")
        _ = try store.session("c")
    }

    @Test(
        "A session's name is 1 to 64 of letters, digits, `.`, `_`, `-`",
        arguments: [
            ("a", true), ("A.b_c-9", true), ("..", true), (String(repeating: "x", count: 64), true),
            ("", false), (String(repeating: "x", count: 65), false), ("a/b", false), ("a b", false),
            ("a@b", false), ("ä", false), ("a\u{0}", false), ("a+b", false),
        ]
    )
    func names(name: String, isName: Bool) throws {
        let store = try TestStore()
        #expect(MockStore.isName(name) == isName)
        #expect(
            failure { try Self.comment(store.session(name), "n") }
                == (isName ? nil : .malformedName(name))
        )
    }

    // MARK: Reset and snapshots

    @Test("A reset brings back data, ledger, or both", arguments: [nil, "kept.db"])
    func reset(database: String?) throws {
        for name in ["default", "s1"] {
            let store = try TestStore(database: database)
            let session = try store.session(name)
            try session.reset(data: true, ledger: true, now: Samples.start)
            for (data, ledger) in [(false, false), (false, true), (true, false), (true, true)] {
                try Self.comment(session, "n")
                if try Self.entries(session) == 0 { try Self.remember(session) }
                #expect(try Self.count(session) == 3)
                try session.reset(data: data, ledger: ledger, now: Samples.start)
                #expect(try Self.count(session) == (data ? 2 : 3))
                #expect(try Self.entries(session) == (ledger ? 0 : 1))
                try session.reset(data: true, ledger: false, now: Samples.start)
                #expect(try Self.entries(session) == (ledger ? 0 : 1))
                #expect(try Self.count(session) == 2)
            }
            #expect(!session.hasWritten)
        }
    }

    @Test(
        "A snapshot keeps data and ledger, and can be restored more than once",
        arguments: [nil, "kept.db"]
    )
    func snapshots(database: String?) throws {
        for name in ["default", "s1"] {
            let store = try TestStore(database: database)
            let session = try store.session(name)
            #expect(try session.takeSnapshot(named: "empty", now: Samples.start))
            try Self.comment(session, "n-1")
            try Self.remember(session)
            #expect(try session.takeSnapshot(named: "one", now: Samples.start))
            try Self.comment(session, "n-2")
            #expect(try Self.count(session) == 4)
            for _ in 0..<2 {
                try session.restoreSnapshot(named: "one")
                #expect(try Self.count(session) == 3)
                #expect(try Self.entries(session) == 1)
                try Self.comment(session, "n-3")
                #expect(try Self.count(session) == 4)
            }
            try session.restoreSnapshot(named: "empty")
            #expect(try Self.count(session) == 2)
            #expect(try Self.entries(session) == 0)
            try session.restoreSnapshot(named: "one")
            #expect(try Self.count(session) == 3)
            try Self.comment(session, "n-4")
            let later = Samples.start.advanced(bySeconds: 9)
            #expect(try session.takeSnapshot(named: "one", now: later) == false)
            #expect(session.snapshots().map(\.name) == ["empty", "one"])
            #expect(session.snapshots().map(\.createdAt) == [Samples.start, later])
            try session.restoreSnapshot(named: "one")
            #expect(try Self.count(session) == 4)
            try session.deleteSnapshot(named: "one")
            #expect(
                failure { try session.restoreSnapshot(named: "one") } == .unknownSnapshot("one")
            )
            #expect(failure { try session.deleteSnapshot(named: "one") } == .unknownSnapshot("one"))
            #expect(
                failure { _ = try session.takeSnapshot(named: "a/b", now: later) }
                    == .malformedName("a/b")
            )
        }
    }

    // MARK: Files

    @Test("What was written is there after a restart: in all sessions, with their snapshots")
    func restart() throws {
        let folder = try TemporaryFolder()
        do {
            let store = try TestStore(database: "kept.db", in: folder)
            try Self.comment(store.session, "n-1")
            try Self.comment(store.session("s1"), "n-1")
            _ = try store.session("s1").takeSnapshot(named: "x", now: Samples.start)
            try Self.comment(store.session("s1"), "n-2")
            store.store.close()
        }
        let store = try TestStore(database: "kept.db", in: folder)
        #expect(store.store.sessionNames() == ["default", "s1"])
        #expect(try Self.count(store.session) == 3)
        #expect(try Self.count(store.session("s1")) == 4)
        try store.session("s1").restoreSnapshot(named: "x")
        #expect(try Self.count(store.session("s1")) == 3)
        #expect(try Self.count(store.session("s2")) == 2)
    }

    @Test("What was answered is there after kill -9: in file and log, as they were at that moment")
    func killed() throws {
        let folder = try TemporaryFolder()
        let store = try TestStore(database: "kept.db", in: folder)
        for index in 0..<50 {
            try Self.comment(store.session, "n-\(index)")
            guard index % 10 == 9 else { continue }
            // A killed process leaves exactly these two files.
            let copy = "copy-\(index).db"
            for suffix in ["", "-wal"] {
                let octets = try Self.octets(folder.path + "/kept.db" + suffix)
                try Self.write(octets, folder.path + "/" + copy + suffix)
            }
            let left = try TestStore(database: copy, in: folder)
            #expect(try Self.count(left.session) == 3 + index)
            try Self.comment(left.session, "again")
            #expect(try Self.count(left.session) == 4 + index)
        }
    }

    static func octets(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var octets = [UInt8](repeating: 0, count: 16 << 20)
        let count = octets.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        try #require(count >= 0 && count < octets.count)
        return Array(octets.prefix(count))
    }

    static func write(_ octets: [UInt8], _ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(descriptor) }
        #expect(
            octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                == octets.count
        )
    }

    @Test("A second server is refused, and let in when the first one ends")
    func locked() throws {
        let folder = try TemporaryFolder()
        let first = try TestStore(database: "kept.db", in: folder)
        let path = folder.path + "/kept.db"
        #expect(
            failure { _ = try TestStore(database: "kept.db", in: folder) } == .inUse(path: path)
        )
        try Self.comment(first.session, "n")
        first.store.close()
        let second = try TestStore(database: "kept.db", in: folder)
        #expect(try Self.count(second.session) == 3)
    }

    static let foreign: [(String, [UInt8], @Sendable (String) -> StoreError)] = [
        ("text", Array("Dear diary, ".utf8), { .foreignFile(path: $0) }),
        (
            "a long text", [UInt8](repeating: UInt8(ascii: "x"), count: 10_000),
            { .foreignFile(path: $0) }
        ),
        ("another program's database", header(id: 0, version: 0), { .foreignFile(path: $0) }),
        (
            "another program's identifier", header(id: 0x1234_5678, version: 1),
            { .foreignFile(path: $0) }
        ),
        (
            "an older version", header(id: 0x5155_4253, version: 0),
            { .otherVersion(path: $0, found: 0, expected: 2) }
        ),
        (
            "a newer version", header(id: 0x5155_4253, version: 99),
            { .otherVersion(path: $0, found: 99, expected: 2) }
        ),
    ]

    /// The head of a database, and then nothing.
    static func header(id: UInt32, version: UInt32) -> [UInt8] {
        var octets = Array("SQLite format 3\0".utf8) + [UInt8](repeating: 0, count: 4080)
        for index in 0..<4 {
            octets[60 + index] = UInt8(truncatingIfNeeded: version >> UInt32(24 - 8 * index))
            octets[68 + index] = UInt8(truncatingIfNeeded: id >> UInt32(24 - 8 * index))
        }
        return octets
    }

    @Test("A file that is not ours is refused and left alone", arguments: foreign.indices)
    func foreignFile(row: Int) throws {
        let (what, octets, error) = Self.foreign[row]
        let folder = try TemporaryFolder()
        let path = folder.path + "/kept.db"
        try Self.write(octets, path)
        #expect(
            failure { _ = try TestStore(database: "kept.db", in: folder) } == error(path),
            "\(what)"
        )
        #expect(folder.names == ["kept.db"])
        #expect(try Self.octets(path) == octets)
    }

    @Test("An empty file is as good as none")
    func emptyFile() throws {
        let folder = try TemporaryFolder()
        try Self.write([], folder.path + "/kept.db")
        #expect(try Self.count(TestStore(database: "kept.db", in: folder).session) == 2)
    }

    @Test("A database where none can be made is an error with the path")
    func unwritable() throws {
        let folder = try TemporaryFolder()
        #expect(
            failure { _ = try TestStore(database: "no/such/folder.db", in: folder) }
                == .system(
                    call: "open",
                    errno: ENOENT,
                    path: folder.path + "/no/such/folder.db"
                )
        )
    }

    @Test(
        "What is no file is refused as a database, and stays what it is",
        arguments: [S_IFIFO, S_IFDIR]
    )
    func special(kind: mode_t) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/kept.db"
        #expect((kind == S_IFIFO ? mkfifo(path, 0o600) : mkdir(path, 0o700)) == 0)
        #expect(
            failure { _ = try TestStore(database: "kept.db", in: folder) }
                == .foreignFile(path: path)
        )
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & S_IFMT == kind)
        #expect(folder.names == ["kept.db"])
        if kind == S_IFIFO {
            #expect(
                failure { try FixtureGeneratorTests.generate(10, in: folder, "kept.db") }
                    == .alreadyExists(path: path)
            )
            #expect(folder.names == ["kept.db"])
        }
    }

    @Test("A database is in use by whatever name it is opened", arguments: [true, false])
    func otherNames(isSymbolic: Bool) throws {
        let folder = try TemporaryFolder()
        let first = try TestStore(database: "kept.db", in: folder)
        let other = folder.path + "/other.db"
        let isMade =
            isSymbolic ? symlink("kept.db", other) : link(folder.path + "/kept.db", other)
        #expect(isMade == 0)
        #expect(
            failure { _ = try TestStore(database: "other.db", in: folder) } == .inUse(path: other)
        )
        #expect(!folder.names.contains("other.db-lock"))
        first.store.close()
        let second = try TestStore(database: "other.db", in: folder)
        #expect(try Self.count(second.session) == 2)
    }

    @Test("Behind a link, the files of a database stand beside it, also where it is yet to be made")
    func linked() throws {
        let folder = try TemporaryFolder()
        #expect(mkdir(folder.path + "/data", 0o700) == 0)
        #expect(symlink("data/kept.db", folder.path + "/link.db") == 0)
        do {
            let store = try TestStore(database: "link.db", in: folder)
            try Self.comment(store.session("s1"), "n")
            store.store.close()
        }
        #expect(folder.names.filter { !$0.hasPrefix("data") } == ["link.db"])
        let store = try TestStore(database: "data/kept.db", in: folder)
        #expect(try Self.count(store.session("s1")) == 3)
    }

    @Test("A temporary folder that cannot be used is an error at once", arguments: ["", "/file"])
    func noTemporaryFolder(name: String) throws {
        let folder = try TemporaryFolder()
        try Self.write([1], folder.path + "/file")
        let parent = name.isEmpty ? folder.path + "/no-such" : folder.path + name
        let error = failure {
            _ = try MockStore(
                StoreConfiguration(
                    base: FixtureImage(try Samples.image()),
                    now: Samples.start,
                    shapes: Samples.shapes,
                    temporaryFolder: parent,
                    scatter: Samples.scatter,
                    workers: 1
                )
            )
        }
        #expect(
            error
                == .system(call: "mkdir", errno: name.isEmpty ? ENOENT : ENOTDIR, path: parent)
        )
        #expect(folder.names == ["file"])
    }

    @Test("An error is one line for people, without the names of types")
    func errorText() {
        let error = StoreError.database(code: 5, message: "database is locked", sql: "BEGIN\n  X")
        #expect("\(error)" == "SQLite: database is locked (5)")
        #expect(
            "\(StoreError.system(call: "open", errno: ENOENT, path: "/nope"))"
                == "/nope: No such file or directory"
        )
    }

    @Test("Temporary data are gone when the store is closed")
    func temporary() throws {
        let folder = try TemporaryFolder()
        let store = try TestStore(in: folder)
        #expect(folder.names.isEmpty)
        try Self.comment(store.session, "n")
        #expect(!folder.names.isEmpty)
        store.store.close()
        #expect(folder.names.isEmpty)
        #expect(try Self.openFiles(in: folder.path) == 0)
        #expect(failure { _ = try Self.count(store.session) } == .unknownSession("default"))
    }

    @Test("Octets that are not an image of ours are refused")
    func notAnImage() throws {
        #expect(failure { _ = try DatabaseImage([]) } == .notAnImage)
        #expect(
            failure { _ = try DatabaseImage([UInt8](repeating: 1, count: 8192)) } == .notAnImage
        )
        #expect(
            failure { _ = try DatabaseImage(Self.header(id: 0x5155_4253, version: 1)) }
                == .notAnImage
        )
    }

    @Test("Readers and writers on many threads see whole transactions, and all of them")
    func concurrency() throws {
        let store = try TestStore()
        let (mock, session) = (store.store, store.session)
        var threads = TestThreads()
        for writer in 0..<3 {
            threads.start {
                for index in 0..<100 {
                    // Two comments at a time: an odd number is never seen.
                    try session.write { transaction throws(StoreError) in
                        for half in ["a", "b"] {
                            _ = try transaction.createComment(
                                domain: "acme",
                                owner: .appointment("A123456"),
                                members: SessionWriterTests.comment("\(writer)-\(index)-\(half)")
                            )
                        }
                    }
                }
            }
        }
        for worker in 0..<2 {
            threads.start {
                var last = 0
                while last < 602 {
                    var octets: [UInt8] = []
                    let seen = try session.reader(worker: worker).appendComments(
                        domain: "acme",
                        appointment: "A123456",
                        to: &octets
                    )
                    guard let seen, seen % 2 == 0, seen >= last else {
                        throw StoreError.damagedRow(table: "comment", row: "\(last)")
                    }
                    last = seen
                }
            }
        }
        threads.start {
            for index in 0..<10 {
                _ = try session.takeSnapshot(named: "s", now: Samples.start)
                _ = try mock.openSession(named: "other-\(index)", now: Samples.start)
                try mock.dropSession(named: "other-\(index)")
            }
        }
        #expect(threads.wait().isEmpty)
        #expect(try Self.count(session) == 602)
    }

    @Test("The log is emptied now and then, though readers never pause")
    func boundedLog() throws {
        let store = try TestStore()
        let session = store.session
        let isOver = Flag()
        var threads = TestThreads()
        for worker in 0..<2 {
            threads.start {
                while !isOver.isSet {
                    var octets: [UInt8] = []
                    _ = try session.reader(worker: worker).appendPage(
                        domain: "acme",
                        status: "PENDING REPORTING",
                        providers: nil,
                        view: .reporting,
                        after: nil,
                        limit: 100,
                        to: &octets
                    )
                }
            }
        }
        var longest = 0
        for index in 0..<4000 {
            try Self.comment(session, "n-\(index)")
            guard index % 100 == 99 else { continue }
            let log = try #require(store.folder.names.first { $0.hasSuffix("default.db-wal") })
            longest = max(longest, try Self.octets(store.folder.path + "/" + log).count)
        }
        isOver.set()
        #expect(threads.wait().isEmpty)
        // 4000 writes of two pages and more would be 32 MiB; it is to be emptied at 8 MiB.
        #expect((1..<(14 << 20)).contains(longest))
        #expect(try Self.count(session) == 4002)
    }

    @Test("Readers go on while the data are reset and restored under their hands")
    func replacedWhileRead() throws {
        let store = try TestStore()
        let session = store.session
        try Self.comment(session, "n-1")
        _ = try session.takeSnapshot(named: "s", now: Samples.start)
        let isOver = Flag()
        var threads = TestThreads()
        for worker in 0..<2 {
            threads.start {
                while !isOver.isSet {
                    var octets: [UInt8] = []
                    let seen = try session.reader(worker: worker).appendComments(
                        domain: "acme",
                        appointment: "A123456",
                        to: &octets
                    )
                    guard let seen, seen == 2 || seen == 3 else {
                        throw StoreError.damagedRow(table: "comment", row: "A123456")
                    }
                }
            }
        }
        for _ in 0..<20 {
            try session.reset(data: true, ledger: true, now: Samples.start)
            try Self.comment(session, "n-2")
            try session.restoreSnapshot(named: "s")
        }
        isOver.set()
        #expect(threads.wait().isEmpty)
        #expect(try Self.count(session) == 3)
    }
}
