import CSQLite
import JSON
import QUBS
import Testing

@testable import Store

/// The wrapper around SQLite, which knows no table.
struct SQLiteTests {
    @Test("Errors carry the code and the SQL")
    func errors() throws {
        let database = try Database(.memory)
        #expect(
            failure { try database.execute("SELECT nonsense") }
                == .database(
                    code: SQLITE_ERROR,
                    message: "no such column: nonsense",
                    sql: "SELECT nonsense"
                )
        )
        try database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL) STRICT")
        let insert = Statement(database, "INSERT INTO t VALUES (?1, ?2)")
        try insert.prepare()
        insert.bind(1, 1)
        #expect(
            failure { try insert.run() }
                == .database(
                    code: SQLITE_CONSTRAINT | 5 << 8,
                    message: "NOT NULL constraint failed: t.b",
                    sql: insert.sql
                )
        )
        let broken = Statement(database, "SELECT * FROM none")
        #expect(
            failure { try broken.prepare() }
                == .database(
                    code: SQLITE_ERROR,
                    message: "no such table: none",
                    sql: "SELECT * FROM none"
                )
        )
    }

    static let texts = [
        "", "a", "e\u{301}", "ā", "𠀋", "nul\u{0}inside", String(repeating: "x", count: 70_000),
    ]

    @Test("Text and octets come back as they went in", arguments: texts)
    func roundTrip(text: String) throws {
        let database = try Database(.memory)
        let statement = Statement(database, "SELECT ?1, ?2, ?3, ?4, length(?2), typeof(?3)")
        try statement.prepare()
        statement.bind(1, text)
        statement.bind(2, Array(text.utf8))
        statement.bind(3, nil as String?)
        statement.bind(4, Int64.min)
        #expect(try statement.step())
        #expect(statement.text(0).utf8.elementsEqual(text.utf8))
        #expect(statement.octets(1) == Array(text.utf8))
        #expect(statement.isNull(2))
        #expect(statement.optionalText(2) == nil)
        #expect(statement.integer(3) == Int64.min)
        #expect(statement.integer(4) == text.utf8.count)
        #expect(statement.text(5) == "null")
        var output: [UInt8] = [1]
        statement.append(1, to: &output)
        #expect(output == [1] + text.utf8)
        #expect(try !statement.step())
        statement.reset()
    }

    @Test("Memory statistics are off: they would make all threads wait for one mutex")
    func memoryStatistics() throws {
        _ = try Database(.memory)
        #expect(sqlite3_memory_used() == 0)
    }

    @Test("An image is read in place and cannot be changed; a copy of it can")
    func image() throws {
        let image = try Samples.image()
        let before = Array(image.octets)
        let shared = try Database(.image(image))
        #expect(try shared.integer("SELECT count(*) FROM appointment") == 5)
        #expect(failure { try shared.execute("DELETE FROM appointment") } != nil)
        let copy = try Database(.memory)
        try copy.load(image)
        try copy.execute("DELETE FROM appointment")
        #expect(try copy.integer("SELECT count(*) FROM appointment") == 0)
        #expect(try shared.integer("SELECT count(*) FROM appointment") == 5)
        #expect(Array(image.octets) == before)
        #expect(try shared.serialize() == before)
    }

    @Test("Pages and lists sort nothing, whatever is asked for")
    func plans() throws {
        let database = try Database(.image(Samples.image()))
        let lists = AppointmentLists(database, layout: try AppointmentLayout(Samples.shapes))
        var output: [UInt8] = []
        let days: [AppointmentFilter.DayCondition?] = [nil, .on(20_000)]
        for order in [ListOrder.scattered, .byIdentifier] {
            for providers in [nil, [1], [1, 2]] as [[Int64]?] {
                for view in AppointmentView.allCases {
                    _ = try lists.appendPage(
                        domain: 1,
                        status: 1,
                        providers: providers,
                        view: view,
                        order: order,
                        after: nil,
                        limit: 10,
                        to: &output
                    )
                    for site in [nil, 1] as [Int64?] {
                        for days in days {
                            _ = try lists.appendList(
                                domain: 1,
                                site: site,
                                days: days,
                                providers: providers,
                                view: view,
                                order: order,
                                skip: 0,
                                take: 10,
                                to: &output
                            )
                        }
                    }
                }
            }
        }
        let texts = lists.texts
        // Two orders, three views: pages and lists for 0, 1 and 2 providers.
        #expect(texts.count == 2 * 3 * 3 + 2 * 3 * 3 * 4)
        for sql in texts {
            let plan = Statement(database, "EXPLAIN QUERY PLAN " + sql)
            try plan.prepare()
            var steps: [String] = []
            while try plan.step() { steps.append(plan.text(3)) }
            plan.reset()
            #expect(!steps.contains { $0.contains("TEMP B-TREE") }, "\(sql)\n\(steps)")
            #expect(!steps.contains { $0.hasPrefix("SCAN appointment") }, "\(sql)\n\(steps)")
        }
    }

    @Test("Two records at one place in the order are both there, one after the other")
    func collision() throws {
        let database = try Database(.memory)
        try Schema.create(in: database)
        try Schema.createIndexes(in: database)
        let layout = try AppointmentLayout(Samples.shapes)
        let tables = Tables(database, layout: layout)
        let last = Scatter.limit - 1
        for (index, id) in ["a", "b", "c"].enumerated() {
            try tables.appointments.insert(
                AppointmentTable.Entry(
                    key: AppointmentKey(domain: 1, status: 1, position: last),
                    position: last,
                    site: 1,
                    date: nil,
                    patient: nil,
                    providers: [Int64(index)],
                    octets: layout.octets(of: SessionWriterTests.object(["domain": .string(id)]))
                ),
                id: id
            )
        }
        #expect(
            try ["a", "b", "c"].map { try tables.appointments.key(domain: 1, id: $0)?.position }
                == [last, 0, 1]
        )
        var output: [UInt8] = []
        let page = try tables.lists.appendPage(
            domain: 1,
            status: 1,
            providers: nil,
            view: .reporting,
            order: .scattered,
            after: nil,
            limit: 10,
            to: &output
        )
        #expect(page.count == 3)
        for (index, id) in ["a", "b", "c"].enumerated() {
            let entry = try #require(try tables.appointments.entry(domain: 1, id: id))
            #expect(entry.providers == [Int64(index)])
            try tables.appointments.delete(entry)
        }
        #expect(try database.integer("SELECT count(*) FROM provider_appointment") == 0)
    }

    @Test("A row gives back the record it was made of, in all lengths")
    func layout() throws {
        let layout = try AppointmentLayout(Samples.shapes)
        for length in [0, 1, 127, 128, 300, 20_000] {
            let record = SessionWriterTests.object([
                "domain": "acme", "appointmentId": "A", "status": "S", "scheduledSite": "C",
                "appointmentDate": "2025-01-01", "startTime": nil, "room": "R",
                "arrivalDateTime": nil, "dateOfBirth": nil, "patientId": "1",
                "clinicalInfo": .string(String(repeating: "é", count: length)),
            ])
            let read = try #require(layout.record(of: layout.octets(of: record)))
            #expect(read.count == record.count)
            for member in record.members { #expect(read[member.name] == member.value) }
        }
    }
}

extension Database {
    /// Puts a copy of an image in place of the main database, writable.
    func load(_ image: DatabaseImage) throws {
        let copy = try #require(sqlite3_malloc64(UInt64(image.count)))
        copy.copyMemory(from: image.start, byteCount: image.count)
        let code = sqlite3_deserialize(
            handle,
            "main",
            copy.assumingMemoryBound(to: UInt8.self),
            Int64(image.count),
            Int64(image.count),
            UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE)
        )
        #expect(code == SQLITE_OK)
    }
}
