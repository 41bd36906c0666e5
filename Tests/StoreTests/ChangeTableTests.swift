import JSON
import QUBS
import Testing
import Time

@testable import Store

struct ChangeTableTests {
    private static func table() throws -> (Database, ChangeTable) {
        let database = try Database(.memory)
        try Schema.create(in: database)
        return (database, ChangeTable(database))
    }

    private static func change(_ id: Int, octets: Int = 0) -> Change {
        Change(
            kind: .comment,
            action: .added,
            domain: "acme",
            appointmentID: "A1",
            id: String(id),
            value: [UInt8](repeating: 0x20, count: octets)
        )
    }

    private static let origin = ChangeOrigin(
        requestID: "r",
        request: 7,
        journal: 1,
        client: nil,
        time: Instant(secondsSince1970: 1)
    )

    /// The ids of the changes that are kept, behind how many were dropped.
    private static func kept(_ table: ChangeTable) throws -> [Int?] {
        let log = try table.log(withValues: false)
        return [log.dropped] + log.items.map { Int($0.change.id) }
    }

    @Test("Of too many changes the oldest go first, and are counted")
    func items() throws {
        let (database, table) = try Self.table()
        for id in 1...7 {
            try table.append(Self.change(id), by: Self.origin, maximumItems: 3, maximumOctets: 9)
        }
        #expect(try Self.kept(table) == [4, 5, 6, 7])
        // Another connection goes on where this one ended.
        let other = ChangeTable(database)
        try other.append(Self.change(8), by: Self.origin, maximumItems: 3, maximumOctets: 9)
        #expect(try Self.kept(table) == [5, 6, 7, 8])
    }

    @Test("Records beyond the octets make room; the newest stays in any case")
    func octets() throws {
        let (database, table) = try Self.table()
        var other = table
        func append(_ id: Int, _ octets: Int) throws -> [Int?] {
            try other.append(
                Self.change(id, octets: octets),
                by: Self.origin,
                maximumItems: 100,
                maximumOctets: 10
            )
            // What is known of the ends is read anew each second time.
            if id % 2 == 0 { other = ChangeTable(database) }
            return Array(try Self.kept(table).dropFirst())
        }
        #expect(try append(1, 4) == [1])
        #expect(try append(2, 6) == [1, 2])
        #expect(try append(3, 1) == [2, 3])
        #expect(try append(4, 0) == [2, 3, 4])
        #expect(try append(5, 9) == [3, 4, 5])
        #expect(try append(6, 50) == [6])
        #expect(try append(7, 10) == [7])
        #expect(try append(8, 0) == [7, 8])
    }

    @Test("What a transaction changed is logged with it, or undone with it")
    func transactions() throws {
        let store = try TestStore()
        func comment(_ guid: String, fails: Bool = false) throws {
            try store.session.write(by: { Self.origin }) { writer throws(StoreError) in
                _ = try writer.createComment(
                    domain: "acme",
                    owner: .appointment("A123456"),
                    of: "A123456",
                    members: SessionWriterTests.comment(guid)
                )
                if fails { throw .rule(.notFound(.comment)) }
            }
        }
        let ids = { try store.reader.changes(withValues: false).items.map(\.change.id) }
        #expect(try ids() == [])
        try comment("a")
        #expect(throws: StoreError.self) { try comment("b", fails: true) }
        try comment("c")
        #expect(try ids() == ["a", "c"])
        #expect(try store.reader.changes(withValues: true).dropped == 0)
        let values = try store.reader.changes(withValues: true).items.map(\.change.value)
        #expect(values.allSatisfy { $0?.isEmpty == false })
    }

    @Test("A file of an older version has no log until it is written to")
    func olderFile() throws {
        let folder = try TemporaryFolder()
        try TestStore(database: "old.db", in: folder).store.close()
        try Database(.ownFile(folder.path + "/old.db")).execute("DROP TABLE change")
        let store = try TestStore(database: "old.db", in: folder)
        #expect(try store.reader.changes(withValues: true) == ChangeLog(items: [], dropped: 0))
        try store.session.write(by: { Self.origin }) { writer throws(StoreError) in
            _ = try writer.putPatient(
                domain: "acme",
                SessionWriterTests.object(["patientId": "9", "firstName": "A"])
            )
        }
        #expect(try store.reader.changes(withValues: true).items.count == 1)
    }
}
