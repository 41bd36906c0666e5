import Glibc
import QUBS
import Testing

@testable import Store

/// What a start removes of the folder for temporary files, and all that it leaves alone.
@Suite("Leftovers of servers that were killed")
struct LeftoverTests {
    /// One thing in the folder for temporary files.
    struct Entry: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let make: @Sendable (Planter) throws -> Void

        init(_ name: String, _ make: @escaping @Sendable (Planter) throws -> Void) {
            testDescription = name
            self.make = make
        }
    }

    /// Puts things into a folder.
    struct Planter: Sendable {
        let folder: String
        /// A folder with content outside.
        let outside: String

        func path(_ name: String) -> String { folder + "/" + name }

        func folder(_ name: String, mode: mode_t = 0o700) throws {
            try #require(mkdir(path(name), 0o700) == 0)
            try #require(chmod(path(name), mode) == 0)
        }

        func file(_ name: String, _ octets: [UInt8] = Array("mine".utf8)) throws {
            try MockStoreTests.write(octets, path(name))
        }

        func link(_ name: String, to target: String) throws {
            try #require(symlink(target, path(name)) == 0)
        }

        func pipe(_ name: String) throws { try #require(mkfifo(path(name), 0o600) == 0) }

        /// What a server leaves that is killed: as `RunFolder` and `StorePlace` make it.
        func leftover(_ name: String, mode: mode_t = 0o700) throws {
            try folder(name)
            try file(name + "/" + RunFolder.markerName, RunFolder.marker)
            try folder(name + "/sessions")
            for file in [
                "default.db", "default.db-wal", "default.db-shm", "a.b.db", "a.b.db-journal",
                "a.b.db.unfinished", "c.db-new", "c.db-new-wal", "c.db-new.unfinished",
            ] {
                try self.file(name + "/sessions/" + file)
            }
            try folder(name + "/snapshots")
            for file in ["a.b@x@-5.db", "a.b@x@17.shared", "c@y@1.db-new", "c@y@1.db.unfinished"] {
                try self.file(name + "/snapshots/" + file)
            }
            try #require(chmod(path(name), mode) == 0)
        }
    }

    static let foreign: [Entry] = [
        Entry("a folder named like the program") { try $0.folder("qubs-mock") },
        Entry("a folder of fixtures and its lock") {
            try $0.folder("qubs-mock-fixtures")
            try $0.file("qubs-mock-fixtures/sites.json")
            try $0.file("qubs-mock-fixtures.lock", [])
        },
        Entry("links to a folder and as its lock") {
            try $0.link("qubs-mock-x", to: $0.outside)
            try $0.link("qubs-mock-x.lock", to: $0.outside + "/kept")
        },
        Entry("a link with a name of ours to a folder") {
            try $0.link("qubs-mock-1-0", to: $0.outside)
        },
        Entry("a link with a name of ours to a leftover elsewhere") {
            try $0.folder("elsewhere")
            let inner = Planter(folder: $0.path("elsewhere"), outside: $0.outside)
            try inner.leftover("qubs-mock-1-0")
            try $0.link("qubs-mock-1-0", to: "elsewhere/qubs-mock-1-0")
        },
        Entry("a link that leads nowhere") { try $0.link("qubs-mock-1-0", to: "nowhere") },
        Entry("a link to itself") { try $0.link("qubs-mock-1-0", to: "qubs-mock-1-0") },
        Entry("a file with a name of ours") { try $0.file("qubs-mock-1-0") },
        Entry("a pipe with a name of ours") { try $0.pipe("qubs-mock-1-0") },
        Entry("an empty folder without a mark") { try $0.folder("qubs-mock-1-0") },
        Entry("a folder without a mark, and a free lock beside it") {
            try $0.folder("qubs-mock-1-0")
            try $0.folder("qubs-mock-1-0/sessions")
            try $0.file("qubs-mock-1-0/sessions/default.db")
            try $0.file("qubs-mock-1-0.lock", [])
        },
        Entry("a mark that says something else") {
            try $0.folder("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/" + RunFolder.markerName)
        },
        Entry("a mark that is empty") {
            try $0.folder("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/" + RunFolder.markerName, [])
        },
        Entry("a mark that goes on") {
            try $0.folder("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/" + RunFolder.markerName, RunFolder.marker + [10])
        },
        Entry("a mark that is a link") {
            try $0.folder("qubs-mock-1-0")
            try $0.file("mark", RunFolder.marker)
            try $0.link("qubs-mock-1-0/" + RunFolder.markerName, to: "../mark")
        },
        Entry("a mark that is a pipe") {
            try $0.folder("qubs-mock-1-0")
            try $0.pipe("qubs-mock-1-0/" + RunFolder.markerName)
        },
        Entry("a mark that is a folder") {
            try $0.folder("qubs-mock-1-0")
            try $0.folder("qubs-mock-1-0/" + RunFolder.markerName)
        },
        Entry("a folder that others may read") {
            try $0.leftover("qubs-mock-1-0", mode: 0o755)
        },
        Entry("a folder that a group may write to") {
            try $0.leftover("qubs-mock-1-0", mode: 0o770)
        },
        Entry("a folder with a sticky bit") { try $0.leftover("qubs-mock-1-0", mode: 0o1700) },
        Entry("a name with letters") { try $0.leftover("qubs-mock-a-0") },
        Entry("a name with a number more") { try $0.leftover("qubs-mock-1-0-2") },
        Entry("a name with a number less") { try $0.leftover("qubs-mock-1") },
        Entry("a name with a leading zero") { try $0.leftover("qubs-mock-01-0") },
        Entry("a name with a sign") { try $0.leftover("qubs-mock--1-0") },
        Entry("a name with a plus sign") { try $0.leftover("qubs-mock-+1-0") },
        Entry("a name with other digits") { try $0.leftover("qubs-mock-١-0") },
        Entry("a name with a suffix") { try $0.leftover("qubs-mock-1-0.bak") },
        Entry("a name with a prefix") { try $0.leftover("my-qubs-mock-1-0") },
        Entry("a name that begins otherwise") { try $0.leftover("qubs-mocks-1-0") },
        Entry("a file beside the mark") {
            try $0.leftover("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/notes.txt")
        },
        Entry("a hidden file beside the mark") {
            try $0.leftover("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/.hidden")
        },
        Entry("a folder beside the sessions") {
            try $0.leftover("qubs-mock-1-0")
            try $0.folder("qubs-mock-1-0/more")
        },
        Entry("a file among the sessions") {
            try $0.leftover("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/sessions/notes.txt")
        },
        Entry("a database among the sessions whose name no session can have") {
            try $0.leftover("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/sessions/my notes.db")
        },
        Entry("a folder among the sessions") {
            try $0.leftover("qubs-mock-1-0")
            try $0.folder("qubs-mock-1-0/sessions/a.db")
        },
        Entry("a link among the sessions") {
            try $0.leftover("qubs-mock-1-0")
            try $0.link("qubs-mock-1-0/sessions/z.db", to: $0.outside + "/kept")
        },
        Entry("a pipe among the snapshots") {
            try $0.leftover("qubs-mock-1-0")
            try $0.pipe("qubs-mock-1-0/snapshots/a@b@3.db")
        },
        Entry("a database among the snapshots that is none") {
            try $0.leftover("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/snapshots/default.db")
        },
        Entry("a snapshot with a date that this program does not write") {
            try $0.leftover("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/snapshots/a@b@03.db")
        },
        Entry("sessions that are a link to a folder") {
            try $0.folder("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/" + RunFolder.markerName, RunFolder.marker)
            try $0.link("qubs-mock-1-0/sessions", to: $0.outside)
        },
        Entry("snapshots that are a file") {
            try $0.folder("qubs-mock-1-0")
            try $0.file("qubs-mock-1-0/" + RunFolder.markerName, RunFolder.marker)
            try $0.file("qubs-mock-1-0/snapshots")
        },
    ]

    /// Path, kind, mode, owner, size and node of everything in a folder.
    static func inventory(_ folder: String) -> [String] {
        TemporaryFolder.names(folder).map { name in
            var status = stat()
            lstat(folder + "/" + name, &status)
            return "\(name) \(status.st_mode) \(status.st_uid) \(status.st_size) \(status.st_ino)"
        }
    }

    @Test("What is not the leftover of a server stays as it is", arguments: foreign)
    func untouched(entry: Entry) throws {
        let folder = try TemporaryFolder()
        let outside = try TemporaryFolder()
        let planter = Planter(folder: folder.path, outside: outside.path)
        // What a link in place of a folder of ours would give away.
        let other = Planter(folder: outside.path, outside: outside.path)
        try other.file("kept")
        try other.file("default.db")
        try entry.make(planter)
        let before = Self.inventory(folder.path) + Self.inventory(outside.path)
        try #require(before.count > 2)
        for _ in 0..<2 {
            let store = try TestStore(in: folder)
            #expect(Self.inventory(folder.path) + Self.inventory(outside.path) == before)
            store.store.close()
        }
        #expect(Self.inventory(folder.path) + Self.inventory(outside.path) == before)
    }

    @Test("A folder of another user stays as it is", .enabled(if: geteuid() == 0))
    func otherUser() throws {
        let folder = try TemporaryFolder()
        let planter = Planter(folder: folder.path, outside: "/")
        let parts = [
            "", "/sessions", "/sessions/default.db", "/" + RunFolder.markerName,
        ]
        for (index, part) in parts.enumerated() {
            let name = "qubs-mock-\(index + 1)-0"
            try planter.leftover(name)
            #expect(chown(planter.path(name + part), 12_345, 12_345) == 0)
        }
        let before = Self.inventory(folder.path)
        _ = try TestStore(in: folder)
        #expect(Self.inventory(folder.path) == before)
    }

    @Test("What servers left that were killed is removed, however far they had come")
    func removed() throws {
        let folder = try TemporaryFolder()
        let planter = Planter(folder: folder.path, outside: "/")
        for name in ["qubs-mock-1-0", "qubs-mock-4194304-17", "qubs-mock-\(getpid())-9"] {
            try planter.leftover(name)
        }
        try planter.folder("qubs-mock-2-0")
        try planter.file("qubs-mock-2-0/" + RunFolder.markerName, RunFolder.marker)
        try planter.folder("qubs-mock-3-0")
        try planter.file("qubs-mock-3-0/" + RunFolder.markerName, RunFolder.marker)
        try planter.folder("qubs-mock-3-0/snapshots")
        _ = try TestStore(in: folder)
        #expect(folder.names.isEmpty)
    }

    @Test("The folder of a server that runs stays, whoever starts beside it")
    func running() throws {
        let folder = try TemporaryFolder()
        let running = try TestStore(in: folder)
        try MockStoreTests.comment(running.session, "n")
        let before = Self.inventory(folder.path)
        #expect(before.contains { $0.hasPrefix("qubs-mock-\(getpid())-") })
        let next = try TestStore(in: folder)
        #expect(Self.inventory(folder.path) == before)
        try MockStoreTests.comment(next.session, "n")
        #expect(try MockStoreTests.count(running.session) == 3)
        running.store.close()
        next.store.close()
        #expect(folder.names.isEmpty)
    }

    @Test("At its end a server removes what it made, and nothing that others put beside it")
    func end() throws {
        let folder = try TemporaryFolder()
        let store = try TestStore(in: folder)
        try MockStoreTests.comment(store.session, "n")
        let own = try #require(folder.names.first)
        for name in ["notes.txt", "sessions/notes.txt"] {
            try MockStoreTests.write([1], "\(folder.path)/\(own)/\(name)")
        }
        store.store.close()
        #expect(
            folder.names
                == [own, "\(own)/notes.txt", "\(own)/sessions", "\(own)/sessions/notes.txt"]
        )
    }
}
