import Glibc
import JSON
import QUBS
import Store
import Testing

struct FixtureGeneratorTests {
    static func generate(
        _ count: Int,
        seed: UInt64 = 5,
        in folder: TemporaryFolder,
        _ name: String,
        replacing: Bool = false,
        progress: (Int) -> Void = { _ in },
        began: (_ takeBack: @escaping @Sendable () -> Void) -> Void = { _ in }
    ) throws {
        let generator = try FixtureGenerator(shapes: Samples.shapes, scatter: Samples.scatter)
        try generator.generate(
            appointments: count,
            seed: seed,
            base: FixtureImage(Samples.image(of: base())),
            today: Samples.today,
            domain: "acme",
            to: folder.path + "/" + name,
            replacing: replacing,
            progress: progress,
            began: began
        )
    }

    static func base() throws -> FixtureSet {
        var set = try Samples.many(40)
        set.domains[0].records[.comments] = try Samples.records(
            #"[{"guid":"c","patientId":"1","commentText":"T","commentType":"PC","isAlert":false}]"#
        )
        return set
    }

    static func open(_ folder: TemporaryFolder, _ name: String) throws -> TestStore {
        try TestStore(Samples.image(of: base()), database: name, in: folder)
    }

    @Test("The same seed gives the same file, another seed another")
    func deterministic() throws {
        let folder = try TemporaryFolder()
        for (name, seed) in [("a.db", 5), ("b.db", 5), ("c.db", 6)] as [(String, UInt64)] {
            try Self.generate(2000, seed: seed, in: folder, name)
        }
        let octets = try ["a.db", "b.db", "c.db"].map {
            try MockStoreTests.octets(folder.path + "/" + $0)
        }
        #expect(octets[0] == octets[1])
        #expect(octets[0] != octets[2])
        #expect(folder.names == ["a.db", "b.db", "c.db"])
    }

    @Test(
        "A generated database has the default data and as many appointments more, in scattered order"
    )
    func contents() throws {
        let folder = try TemporaryFolder()
        var told: [Int] = []
        try Self.generate(12_000, in: folder, "a.db") { told.append($0) }
        #expect(told == [10_000, 12_000])
        let reader = try Self.open(folder, "a.db").reader
        let ids = try reader.pages(limit: 500)
        #expect(ids.count == 12_040)
        #expect(Set(ids).count == ids.count)
        #expect(Set((0..<40).map(Samples.id)).isSubset(of: ids))
        #expect(try reader.list(skip: 10_000, take: 500) == Array(ids[10_000..<10_500]))
        let descents = zip(ids, ids.dropFirst()).count { $0 > $1 }
        #expect((5_500...6_500).contains(descents))
        let mine = try reader.pages(providers: ["2345678B"], limit: 499)
        let known = Set(mine)
        #expect(mine == ids.filter { known.contains($0) })
        #expect((3_000...5_000).contains(mine.count))
        let made = try #require(ids.first { !$0.hasPrefix("B") })
        let views = try AppointmentView.allCases.map { view in
            try JSONParser.parse(
                Array(
                    reading {
                        try reader.appendAppointment(
                            domain: "acme",
                            id: made,
                            view: view,
                            to: &$0
                        )
                    }.text.utf8
                )
            )
        }
        for view in views {
            #expect(view["appointmentId"] == .string(made))
            #expect(view["scheduledSite"] == "Central Clinic")
            #expect(view["startTime"]?.string?.count == 8)
        }
        let patient = try #require(views[2]["patientId"]?.string)
        let summary = try JSONParser.parse(
            Array(
                reading {
                    try reader.appendPatient(domain: "acme", id: patient, to: &$0)
                }.text.utf8
            )
        )
        let first = try #require(summary["firstName"]?.string)
        let last = try #require(summary["lastName"]?.string)
        #expect(views[2]["patientName"] == .string(first + " " + last))
        #expect(views[2]["dateOfBirth"] == summary["dateOfBirth"])
        let old = try reading {
            try reader.appendComments(domain: "acme", appointment: Samples.id(0), to: &$0)
        }
        #expect(old.result == 1)
    }

    @Test("What there is of a file that is being written can be taken back")
    func takeBack() throws {
        let folder = try TemporaryFolder()
        var takeBack: (@Sendable () -> Void)?
        try Self.generate(10_000, in: folder, "a.db") { _ in
            guard let take = takeBack else { return }
            takeBack = nil
            #expect(folder.names.contains("a.db.unfinished"))
            #expect(folder.names.contains("a.db-lock"))
            take()
            #expect(folder.names.isEmpty)
            // So that it has something to give its name to.
            _ = try? MockStoreTests.write([], folder.path + "/a.db.unfinished")
        } began: {
            takeBack = $0
        }
        #expect(takeBack == nil)
    }

    @Test("An existing file is replaced only when that is asked for")
    func existing() throws {
        let folder = try TemporaryFolder()
        try Self.generate(10, in: folder, "a.db")
        #expect(
            failure { try Self.generate(10, in: folder, "a.db") }
                == .alreadyExists(path: folder.path + "/a.db")
        )
        try Self.generate(20, in: folder, "a.db", replacing: true)
        #expect(try Self.open(folder, "a.db").reader.pages(limit: 500).count == 60)
        let server = try Self.open(folder, "a.db")
        #expect(
            failure { try Self.generate(10, in: folder, "a.db", replacing: true) }
                == .inUse(path: folder.path + "/a.db")
        )
        #expect(try server.reader.pages(limit: 500).count == 60)
    }

    static func put(_ session: SessionStore, _ id: String) throws {
        _ = try session.write { writer throws(StoreError) in
            try writer.putAppointment(
                domain: "acme",
                try PagingTests.appointment(id),
                now: Samples.start
            )
        }
    }

    @Test("Sessions and resets get the generated data back, whatever default has written since")
    func pristine() throws {
        let folder = try TemporaryFolder()
        try Self.generate(100, in: folder, "a.db")
        do {
            let store = try Self.open(folder, "a.db")
            let early = try store.session("early")
            #expect(try early.reader(worker: 0).pages(limit: 500).count == 140)
            #expect(!folder.names.contains("a.db-seed"))
            try Self.put(store.session, "T1")
            #expect(folder.names.contains("a.db-seed"))
            #expect(try early.reader(worker: 0).pages(limit: 500).count == 140)
            try Self.put(early, "T2")
            #expect(try early.reader(worker: 0).pages(limit: 500).count == 141)
            #expect(try store.reader.page().ids.count == 141)
            store.store.close()
        }
        do {
            let store = try Self.open(folder, "a.db")
            #expect(try store.reader.page().ids.contains("T1"))
            #expect(
                try store.session("late").reader(worker: 1).pages(limit: 500).count == 140
            )
            try store.session.reset(data: true, ledger: true, now: Samples.start)
            #expect(try store.reader.pages(limit: 500).count == 140)
            try Self.put(store.session, "T3")
            #expect(try store.reader.pages(limit: 500).count == 141)
            store.store.close()
        }
        #expect(unlink(folder.path + "/a.db-seed") == 0)
        let store = try Self.open(folder, "a.db")
        #expect(try store.reader.pages(limit: 500).count == 141)
        let missing = StoreError.seedMissing(path: folder.path + "/a.db-seed")
        #expect(failure { _ = try store.session("other") } == missing)
        #expect(
            failure { try store.session.reset(data: true, ledger: true, now: Samples.start) }
                == missing
        )
        #expect(try store.reader.pages(limit: 500).count == 141)
    }
}
