import Chance
import CSQLite
import Glibc
import JSON
import QUBS
import Testing
import Time

@testable import Store

/// Rows that this program did not write so: edited by hand, or damaged on the disk.
@Suite("Damaged rows")
struct DamageTests {
    /// Octets that are wrong in one of the ways that octets are wrong in.
    static func damaged(_ octets: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(max(1, limit))) }
        var octets = octets
        switch below(8) {
        case 0: return []
        case 1: octets.removeLast(min(octets.count, 1 + below(octets.count)))
        case 2: octets.removeFirst(min(octets.count, 1 + below(octets.count)))
        case 3: return (0..<below(64)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 4: return [UInt8](repeating: [0x00, 0x7F, 0x80, 0xFF][below(4)], count: below(64))
        case 5: octets += (0...below(16)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        default:
            for _ in 0...below(4) where !octets.isEmpty {
                octets[below(octets.count)] ^= 1 << UInt8(below(8))
            }
        }
        return octets
    }

    @Test("Any two blobs are a view of their own octets, or an error: never anything else")
    func layout() throws {
        let layout = try AppointmentLayout(Samples.shapes)
        var random = SplitMix64(seed: 5)
        var (shown, refused) = (0, 0)
        for round in 0..<4_000 {
            var record = JSONObject()
            for member in Samples.shapes.operational.members + Samples.shapes.reporting.members
            where random.next() % 3 > 0 {
                let length = Int(random.next() % 40)
                record[member.name] = .string(
                    String("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".prefix(length))
                )
            }
            // As every record has it.
            record["domain"] = "acme"
            let good = layout.octets(of: record)
            let bad = AppointmentLayout.Octets(
                summary: round % 3 == 1 ? good.summary : Self.damaged(good.summary, &random),
                details: round % 3 == 2 ? good.details : Self.damaged(good.details, &random)
            )
            for view in AppointmentView.allCases {
                var output: [UInt8] = []
                let isShown = bad.summary.withUnsafeBytes { summary in
                    bad.details.withUnsafeBytes { details in
                        (try? layout.append(
                            view,
                            summary: summary,
                            details: details,
                            to: &output
                        )) != nil
                    }
                }
                if isShown { shown += 1 } else { refused += 1 }
                if isShown,
                    output.count > bad.summary.count + bad.details.count + 1
                        || output.first != UInt8(ascii: "{")
                {
                    Issue.record("round \(round): \(output.count) octets of \(bad)")
                }
            }
            _ = layout.record(of: bad)
            // What is right is shown as ever.
            if layout.record(of: good) == nil { Issue.record("round \(round): \(good)") }
        }
        #expect(shown > 2_000)
        #expect(refused > 2_000)
    }

    /// Reads everything there is, and writes what reads rows; errors are as good as answers.
    static func exercise(_ store: TestStore, damaged: inout Int) {
        func attempt(_ body: () throws -> Void) {
            do {
                try body()
            } catch StoreError.damagedRow {
                damaged += 1
            } catch {}
        }
        let reader = store.reader
        for domain in ["acme", "globex"] {
            for view in AppointmentView.allCases {
                for providers in [nil, ["1234567A"]] as [[String]?] {
                    for status in ["PENDING REPORTING", "ARRIVED"] {
                        attempt {
                            _ = try text {
                                _ = try reader.appendPage(
                                    domain: domain,
                                    status: status,
                                    providers: providers,
                                    view: view,
                                    after: nil,
                                    limit: 2,
                                    to: &$0
                                )
                            }
                        }
                    }
                    attempt {
                        _ = try text {
                            _ = try reader.appendList(
                                domain: domain,
                                filter: AppointmentFilter(),
                                providers: providers,
                                view: view,
                                skip: 0,
                                take: 100,
                                to: &$0
                            )
                        }
                    }
                }
                for id in ["A123456", "A123457", "A000001", "A000002"] {
                    attempt {
                        _ = try text {
                            _ = try reader.appendAppointment(
                                domain: domain,
                                id: id,
                                view: view,
                                to: &$0
                            )
                        }
                    }
                }
            }
            for id in ["A123456", "A123457", "A000001"] {
                attempt { _ = try reader.status(domain: domain, appointment: id) }
                attempt { _ = try reader.patient(domain: domain, appointment: id) }
                attempt { _ = try reader.report(domain: domain, appointment: id) }
                attempt {
                    for row in try reader.attachments(domain: domain, appointment: id) ?? [] {
                        var output: [UInt8] = []
                        row.append(url: "u", expiresAt: Samples.start, to: &output)
                    }
                }
                for body in [
                    { _ = try reader.appendComments(domain: domain, appointment: id, to: &$0) },
                    { _ = try reader.appendBilling(domain: domain, appointment: id, to: &$0) },
                ] as [(inout [UInt8]) throws -> Void] {
                    attempt { _ = try text(body) }
                }
            }
            for body in [
                {
                    _ = try reader.appendSites(domain: domain, allowed: ["Central Clinic"], to: &$0)
                },
                { _ = try reader.appendSite(domain: domain, name: "Central Clinic", to: &$0) },
                { _ = try reader.appendExamCodes(domain: domain, site: "Central Clinic", to: &$0) },
                {
                    _ = try reader.appendStaffSkills(
                        domain: domain,
                        site: "Central Clinic",
                        to: &$0
                    )
                },
                { _ = try reader.appendPatient(domain: domain, id: "220000", to: &$0) },
            ] as [(inout [UInt8]) throws -> Void] {
                attempt { _ = try text(body) }
            }
        }
        for guid in ["g-1", "g-3", "u-1"] {
            attempt { _ = try reader.content(guid: guid) }
            attempt { _ = try reader.upload(guid: guid) }
        }
        attempt { _ = try reader.ledger(now: Samples.start) }
        attempt { _ = try reader.domains() }
        attempt { try reader.forEachPatientName { _, _ in } }
        attempt { try reader.forEachMedicareNumber { _ in } }
        func attemptWrite(_ body: @escaping (SessionWriter) throws(StoreError) -> Void) {
            attempt { try store.session.write(body) }
        }
        attemptWrite { writer throws(StoreError) in
            let scope = SessionWriterTests.scope
            _ = try writer.decide(scope, fingerprint: [1], now: Samples.start)
        }
        attemptWrite { writer throws(StoreError) in
            let patient = SessionWriterTests.object(["patientId": "220000"])
            _ = try writer.putPatient(domain: "acme", patient)
        }
        attemptWrite { writer throws(StoreError) in
            try writer.submitReport(
                domain: "acme",
                appointment: "A123456",
                Self.report,
                newStatus: "FINALISED",
                now: Samples.start
            )
        }
        attemptWrite { writer throws(StoreError) in
            try writer.putContent(guid: "u-1", octets: [1], contentType: nil, now: Samples.start)
        }
        attemptWrite { writer throws(StoreError) in
            try writer.deleteAppointment(domain: "acme", id: "A123457", now: Samples.start)
        }
    }

    static let report = ReportRecord(
        guid: "r",
        status: "final",
        reportedAt: "",
        text: "",
        clinician: ["a": 1]
    )

    /// Data with a row in every table.
    static func image() throws -> DatabaseImage {
        let database = try Database(.memory)
        try database.load(Samples.image())
        let rules = try RecordRules(
            shapes: Samples.shapes,
            scatter: Samples.scatter,
            zones: .unknown
        )
        let writer = SessionWriter(
            Tables(database, layout: rules.layout),
            rules: rules,
            laid: Samples.start
        )
        try writer.remember(
            RememberedAnswer(status: 200, content: [1]),
            for: SessionWriterTests.scope,
            fingerprint: [1],
            expiresAt: Samples.start.advanced(bySeconds: 60),
            now: Samples.start
        )
        try writer.createUploads(
            domain: "acme",
            appointment: "A123456",
            [
                NewUpload(
                    guid: "u-1",
                    fileName: "f",
                    category: "c",
                    promisedContentType: "t",
                    expiresAt: Samples.start
                )
            ],
            now: Samples.start
        )
        try writer.submitReport(
            domain: "acme",
            appointment: "A123456",
            report,
            newStatus: nil,
            now: Samples.start
        )
        return try DatabaseImage(database.serialize())
    }

    /// The columns that rows have, with the kind of each.
    static func columns() throws -> [(table: String, column: String, type: String)] {
        let database = try Database(.image(image()))
        let list = Statement(
            database,
            """
            SELECT t.name, c.name, c.type FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
            WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'meta'
            """
        )
        try list.prepare()
        defer { list.reset() }
        var columns: [(table: String, column: String, type: String)] = []
        while try list.step() {
            columns.append((list.text(0), list.text(1), list.text(2)))
        }
        return columns
    }

    static let texts = [
        "", "\u{0}", "x", "{", "[1,2", "9,a,-1,99999999999999999999", "0x80", "\u{FFFD}",
        String(repeating: "é", count: 5000),
    ]

    @Test("Whatever stands in a column of any table, reads and writes end in an answer or an error")
    func everyColumn() throws {
        let image = try Self.image()
        let columns = try Self.columns()
        try #require(columns.count > 60)
        var random = SplitMix64(seed: 7)
        var (changed, damaged) = (0, 0)
        for (table, column, type) in columns {
            for round in 0..<(type == "BLOB" ? 24 : 8) {
                let database = try Database(.memory)
                try database.load(image)
                let octets = try database.text("SELECT \(column) FROM \(table) LIMIT 1") ?? ""
                let change = Statement(
                    database,
                    round % 2 == 0
                        ? "UPDATE OR IGNORE \(table) SET \(column) = ?1"
                        : "UPDATE OR IGNORE \(table) SET \(column) = ?1 WHERE \(column) = "
                            + "(SELECT min(\(column)) FROM \(table))"
                )
                try change.prepare()
                switch type {
                case "BLOB": change.bind(1, Self.damaged(Array(octets.utf8), &random))
                case "INTEGER":
                    change.bind(1, [Int64.min, -1, 0, 255, 1 << 31, 1 << 56, 7, Int64.max][round])
                default: change.bind(1, Self.texts[round])
                }
                try change.run()
                if database.changes > 0 { changed += 1 }
                Self.exercise(
                    try TestStore(DatabaseImage(database.serialize())),
                    damaged: &damaged
                )
            }
        }
        #expect(changed > 300)
        #expect(damaged > 100)
    }

    @Test(
        "A row whose lengths are wrong is an error that names table and row",
        arguments: ["x''", "x'ff'", "x'7f'", "x'ffffffffffffffffffff01'", "zeroblob(3)", "summary"]
    )
    func named(octets: String) throws {
        let database = try Database(.memory)
        try database.load(Samples.image())
        try database.execute("UPDATE appointment SET details = \(octets) WHERE id = 'A123456'")
        let key = try #require(
            try database.text("SELECT key FROM appointment WHERE id = 'A123456' AND domain = 1")
        )
        let store = try TestStore(DatabaseImage(database.serialize()))
        let error = failure {
            _ = try reading {
                try store.reader.appendAppointment(
                    domain: "acme",
                    id: "A123456",
                    view: .reporting,
                    to: &$0
                )
            }
        }
        #expect(error == .damagedRow(table: "appointment", row: key))
        #expect("\(try #require(error))".contains("row \(key) of table appointment"))
        // The summary is whole, and shown.
        #expect(try store.reader.list().contains("A123456"))
    }
}
