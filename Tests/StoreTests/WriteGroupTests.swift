import QUBS
import Store
import Testing
import Time

@Suite("Writes in one transaction")
struct WriteGroupTests {
    private static let origin = ChangeOrigin(
        requestID: "r",
        request: 7,
        journal: 1,
        client: nil,
        time: Samples.start
    )

    /// A comment in a group, which then fails where that is wanted.
    private static func comment(
        _ guid: String,
        in store: TestStore,
        _ group: WriteGroup,
        failing error: StoreError? = nil
    ) -> StoreError? {
        failure {
            try store.session.write(in: group, by: { origin }) { writer throws(StoreError) in
                _ = try writer.createComment(
                    domain: "acme",
                    owner: .appointment("A123456"),
                    members: SessionWriterTests.comment(guid)
                )
                if let error { throw error }
            }
        }
    }

    private static func comments(in store: TestStore, worker: Int = 1) throws -> Int? {
        try reading {
            try store.session.reader(worker: worker).appendComments(
                domain: "acme",
                appointment: "A123456",
                to: &$0
            )
        }.result
    }

    private static func changes(in store: TestStore) throws -> [String] {
        try store.reader.changes(withValues: false).items.map(\.change.id)
    }

    @Test("All of them are stored at once, each with its changes")
    func together() throws {
        let store = try TestStore()
        _ = try store.session.write { _ throws(StoreError) in 0 }
        let before = try #require(try Self.comments(in: store))
        let areStored = store.session.writeTogether { group in
            for index in 0..<5 { #expect(Self.comment("n-\(index)", in: store, group) == nil) }
            #expect((try? Self.comments(in: store)) == before)
        }
        #expect(areStored)
        #expect(try Self.comments(in: store) == before + 5)
        #expect(try Self.changes(in: store) == (0..<5).map { "n-\($0)" })
    }

    @Test("A refusal that changes nothing leaves the others as they are")
    func refused() throws {
        let store = try TestStore()
        let before = try Self.comments(in: store) ?? 0
        let areStored = store.session.writeTogether { group in
            #expect(Self.comment("n-1", in: store, group) == nil)
            let error = failure {
                try store.session.write(in: group) { writer throws(StoreError) in
                    _ = try writer.patient(domain: "acme", appointment: "nobody's")
                }
            }
            #expect(error == .rule(.notFound(.appointment)))
            #expect(Self.comment("n-2", in: store, group) == nil)
        }
        #expect(areStored)
        #expect(try Self.comments(in: store) == before + 2)
    }

    static let failures: [StoreError] = [.rule(.keyReused), .full]

    @Test("One that fails behind a change takes all of them back", arguments: failures)
    func takenBack(error: StoreError) throws {
        let store = try TestStore()
        let before = try Self.comments(in: store)
        let areStored = store.session.writeTogether { group in
            #expect(Self.comment("n-1", in: store, group) == nil)
            #expect(Self.comment("n-2", in: store, group, failing: error) == error)
            // Nothing more is tried: it would be taken back, too.
            #expect(Self.comment("n-3", in: store, group) == error)
        }
        #expect(!areStored)
        #expect(try Self.comments(in: store) == before)
        #expect(try Self.changes(in: store).isEmpty)
        // The numbers of the changes that were taken back are given again.
        #expect(store.session.writeTogether { _ = Self.comment("n-4", in: store, $0) })
        #expect(try Self.changes(in: store) == ["n-4"])
        #expect(try store.reader.changes(withValues: false).dropped == 0)
    }

    @Test("Without room on the disk nothing of them is stored, and each may be tried alone")
    func fullDisk() throws {
        let image = try Samples.image()
        let store = try TestStore(image, maximumPages: image.count / 4096 + 20)
        let before = try Self.comments(in: store) ?? 0
        let areStored = store.session.writeTogether { group in
            for index in 0..<1000 {
                if Self.comment("n-\(index)", in: store, group) == .full { return }
            }
            Issue.record("the disk was not full")
        }
        #expect(!areStored)
        #expect(try Self.comments(in: store) == before)
        try store.session.write { writer throws(StoreError) in
            _ = try writer.createComment(
                domain: "acme",
                owner: .appointment("A123456"),
                members: SessionWriterTests.comment("alone")
            )
        }
        #expect(try Self.comments(in: store) == before + 1)
    }
}
