import Glibc
import JSON
import QUBS
import Testing

@testable import Store

/// A path is octets: whatever the file system takes is the path of a database.
@Suite("Paths of databases")
struct PathTests {
    static let names = [
        "ü", "e\u{301}", "日本", "𠀋", "a b", " ", "%", "%41", "a%2fb", "?", "a?mode=ro", "#", "&",
        "=",
        ":memory:", "file:a", "-x", "--", "'", "\"", "\\", "\n", "\t", "\u{1}", "\u{7F}", "~", "*",
        "$HOME",
        ";", "@", "+", ".db", "a.db-wal", "a.unfinished", String(repeating: "ß", count: 100),
    ]

    /// Uses a database: write, restart, snapshot, restore, reset; in the default session and another.
    static func use(_ name: String, in folder: TemporaryFolder) throws {
        for session in ["default", "s1"] {
            do {
                let store = try TestStore(database: name, in: folder)
                try MockStoreTests.comment(store.session(session), "n-1")
                store.store.close()
            }
            let store = try TestStore(database: name, in: folder)
            let session = try store.session(session)
            #expect(try MockStoreTests.count(session) == 3)
            _ = try session.takeSnapshot(named: "x", now: Samples.start)
            try MockStoreTests.comment(session, "n-2")
            #expect(try MockStoreTests.count(session) == 4)
            try session.restoreSnapshot(named: "x")
            #expect(try MockStoreTests.count(session) == 3)
            try MockStoreTests.remember(session)
            try session.reset(data: true, ledger: false, now: Samples.start)
            #expect(try MockStoreTests.count(session) == 2)
            #expect(try MockStoreTests.entries(session) == 1)
            try session.reset(data: true, ledger: true, now: Samples.start)
            #expect(try MockStoreTests.entries(session) == 0)
            store.store.close()
        }
    }

    @Test("A database may have any name, in a folder of any name", arguments: names)
    func anyName(name: String) throws {
        let folder = try TemporaryFolder()
        try #require(mkdir(folder.path + "/" + name, 0o700) == 0)
        try Self.use("\(name)/\(name)", in: folder)
        // Nothing was made elsewhere, as a part of the name alone would have it.
        let first = Array(name.utf8)
        #expect(
            folder.names.allSatisfy { $0.utf8.starts(with: first) },
            "\(folder.names)"
        )
        #expect(folder.names.contains("\(name)/\(name)"))
    }

    @Test("Slashes may be many", arguments: ["a//x.db", "a///x.db", "/a//x.db", "a/./x.db"])
    func slashes(name: String) throws {
        let folder = try TemporaryFolder()
        try #require(mkdir(folder.path + "/a", 0o700) == 0)
        try Self.use(name, in: folder)
        #expect(folder.names.contains("a/x.db"))
    }

    @Test("A generated database may have any name", arguments: ["ü", ":memory:", "a?b#c%", "//g"])
    func generated(name: String) throws {
        let folder = try TemporaryFolder()
        try FixtureGeneratorTests.generate(10, in: folder, name)
        let store = try FixtureGeneratorTests.open(folder, name)
        try FixtureGeneratorTests.put(store.session, "T1")
        #expect(try store.reader.pages(limit: 500).count == 51)
        #expect(try store.session("s").reader(worker: 0).pages(limit: 500).count == 50)
        store.store.close()
        let again = try FixtureGeneratorTests.open(folder, name)
        try again.session.reset(data: true, ledger: true, now: Samples.start)
        #expect(try again.reader.pages(limit: 500).count == 50)
    }

    @Test("In a URI each octet but those that are unreserved is encoded")
    func uri() {
        #expect(Database.uri("/a.b_c-9~/Z") == "file:///a.b_c-9~/Z")
        #expect(Database.uri("//a") == "file:////a")
        #expect(Database.uri(":memory:") == "file:./%3amemory%3a")
        #expect(Database.uri("é?#%\u{1} ") == "file:./%c3%a9%3f%23%25%01%20")
        for octet in UInt8(1)...127 {
            let scalar = String(Unicode.Scalar(octet))
            let encoded = Database.uri("/" + scalar).dropFirst("file:///".count)
            #expect(encoded == scalar || encoded.first == "%" && encoded.utf8.count == 3)
        }
    }

    @Test(
        "Database files are their owner's alone, whatever the process's mask",
        arguments: [0o000, 0o022, 0o077] as [mode_t]
    )
    func modes(mask: mode_t) throws {
        let folder = try TemporaryFolder()
        // The mask is the process's: other tests make files of the same modes meanwhile.
        let before = umask(mask)
        defer { umask(before) }
        try FixtureGeneratorTests.generate(10, in: folder, "g.db")
        for (name, open) in [
            ("kept.db", { try TestStore(database: "kept.db", in: folder) }),
            ("g.db", { try FixtureGeneratorTests.open(folder, "g.db") }),
            ("temporary", { try TestStore(in: folder) }),
        ] as [(String, () throws -> TestStore)] {
            let store = try open()
            for session in [store.session, try store.session("s1")] {
                try session.write { writer throws(StoreError) in
                    _ = try writer.putPatient(
                        domain: "acme",
                        SessionWriterTests.object(["patientId": "77"])
                    )
                }
                _ = try session.takeSnapshot(named: "x", now: Samples.start)
                #expect(try session.reader(worker: 0).domains().first == "acme", "\(name)")
            }
            let files = folder.names
            #expect(files.contains { $0.hasSuffix("-wal") })
            for file in files {
                var status = stat()
                #expect(lstat(folder.path + "/" + file, &status) == 0)
                let isFolder = status.st_mode & S_IFMT == S_IFDIR
                #expect(status.st_mode & 0o777 == (isFolder ? 0o700 : 0o600), "\(file)")
            }
            store.store.close()
        }
    }
}
