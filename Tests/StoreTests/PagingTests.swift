import JSON
import QUBS
import Store
import Testing
import Time

struct PagingTests {
    @Test(
        "Pages of any size show each appointment once, in the order of the offset list",
        arguments: ListOrder.allCases,
        [1, 2, 7, 100, 299, 300, 301]
    )
    func walk(order: ListOrder, limit: Int) throws {
        let reader = try TestStore(Samples.image(of: Samples.many(300)), order: order).reader
        let pages = try reader.pages(limit: limit)
        #expect(Set(pages).count == 300)
        #expect(pages.count == 300)
        #expect(try pages == reader.list())
        if order == .byIdentifier { #expect(pages == pages.sorted()) }
        for providers in [["1234567A"], ["2345678B"], ["2345678B", "1234567A"]] {
            let mine = try reader.pages(providers: providers, limit: limit)
            #expect(try mine == reader.list(providers: providers))
            #expect(mine == pages.filter { id in mine.contains(id) })
            #expect(mine.count == (providers == ["2345678B"] ? 100 : 200))
        }
    }

    @Test(
        "A client may have any number of provider numbers",
        arguments: ListOrder.allCases,
        [1, 8, 9, 500, 501, 5_000]
    )
    func manyProviders(order: ListOrder, count: Int) throws {
        func number(_ index: Int) -> String { "P\(index)" }
        var set = try Samples.many(300)
        let all = (0..<count).map { JSONValue.string(number($0)) }
        set.domains[0].records[.appointments] = set.domains[0].records[.appointments]?
            .enumerated().map { index, value in
                var record = value.object ?? JSONObject()
                // One number, many at once, or one that the client does not have.
                record["providerNumbers"] =
                    switch index % 3 {
                    case 0: [.string(number(index % count))]
                    case 1: .array(index == 1 ? all : ["P0", .string(number(count - 1))])
                    default: ["other"]
                    }
                return .object(record)
            }
        let reader = try TestStore(Samples.image(of: set), order: order).reader
        let expected = Set((0..<300).filter { $0 % 3 < 2 }.map(Samples.id))
        let mine = (0..<count).map(number) + ["unknown", "P0"]
        let every = try reader.list()
        for limit in [1, 7, 500] where limit > 1 || count < 1000 {
            let pages = try reader.pages(providers: mine, limit: limit)
            #expect(pages == every.filter { expected.contains($0) })
        }
        #expect(try reader.list(providers: mine) == every.filter { expected.contains($0) })
        let day = AppointmentFilter(
            date: LocalDate(daysSince1970: 20_001),
            start: nil,
            end: nil,
            site: "Central Clinic"
        )
        #expect(try reader.list(day, providers: mine) == [Samples.id(1)])
        #expect(try reader.list(providers: mine, skip: 10, take: 5).count == 5)
    }

    @Test("A full last page has no next page")
    func fullLastPage() throws {
        let reader = try TestStore(Samples.image(of: Samples.many(300))).reader
        #expect(try reader.page(limit: 300).next == nil)
        #expect(try reader.page(limit: 299).next != nil)
        #expect(try reader.page("FINALISED").ids.isEmpty)
        #expect(try reader.page(domain: "nobody").ids.isEmpty)
    }

    @Test(
        "Rows that appear or vanish during a walk neither repeat nor hide others",
        arguments: ListOrder.allCases
    )
    func changesDuringWalk(order: ListOrder) throws {
        let store = try TestStore(Samples.image(of: Samples.many(60)), order: order)
        let before = try store.reader.pages(limit: 500)
        var shown: [String] = []
        var cursor: PageCursor?
        var round = 0
        repeat {
            let page = try store.reader.page(after: cursor, limit: 10)
            shown += page.ids
            cursor = page.next
            // One vanishes before the cursor and the row at the cursor itself, and others appear.
            try store.session.write { writer throws(StoreError) in
                for id in [page.ids.first, page.ids.last].compactMap({ $0 }) {
                    try writer.deleteAppointment(domain: "acme", id: id, now: Samples.start)
                }
                for index in 0..<5 {
                    _ = try writer.putAppointment(
                        domain: "acme",
                        try Self.appointment("N\(round)-\(index)"),
                        now: Samples.start
                    )
                }
            }
            round += 1
        } while cursor != nil
        #expect(Set(shown).count == shown.count)
        #expect(shown.filter { $0.hasPrefix("B") } == before)
    }

    static func appointment(_ id: String, status: String = "PENDING REPORTING") throws(StoreError)
        -> JSONObject
    {
        let record: JSONValue = [
            "appointmentId": .string(id), "scheduledSite": "Central Clinic",
            "status": .string(status), "appointmentDate": "2025-01-01",
        ]
        guard let object = record.object else { throw .notAnImage }
        return object
    }

    @Test("A cursor from a list in another order is refused")
    func foreignCursor() throws {
        let scattered = try TestStore().reader
        let sorted = try TestStore(order: .byIdentifier).reader
        #expect(failure { _ = try sorted.page(after: .position(1)) } == .foreignCursor)
        #expect(failure { _ = try scattered.page(after: .identifier("A")) } == .foreignCursor)
        #expect(failure { _ = try scattered.page(after: .position(1 << 48)) } == .foreignCursor)
        #expect(failure { _ = try scattered.page(after: .position(-1)) } == .foreignCursor)
    }

    @Test("Tenants never mix")
    func tenants() throws {
        let reader = try TestStore().reader
        #expect(try reader.page(domain: "globex").ids == ["A123456"])
        #expect(try reader.list(domain: "globex") == ["A123456"])
        #expect(try reader.page(domain: "globex", providers: ["1234567A"]).ids == ["A123456"])
        #expect(try reader.page(domain: "globex", providers: ["2345678B"]).ids.isEmpty)
        #expect(try reader.list(domain: "globex", providers: ["2345678B"]).isEmpty)
        #expect(try Set(reader.page().ids) == ["A123456", "A123457", "A000002"])
        #expect(try reader.list().count == 4)
    }

    @Test("Pinned identifiers come first where they belong to a list")
    func pinned() throws {
        let store = try TestStore(
            scatter: Scatter(seed: 1, pinned: ["A000002", "A123457"])
        )
        #expect(try store.reader.page().ids.prefix(2) == ["A000002", "A123457"])
        #expect(try store.reader.list().prefix(2) == ["A000002", "A123457"])
        #expect(try store.reader.page("ARRIVED").ids == ["A000001"])
    }

    @Test(
        "The scattered order is the same for the same seed, another for another, and not chronological"
    )
    func scattered() throws {
        let set = try Samples.many(300)
        func order(_ seed: UInt64) throws -> [String] {
            let scatter = Scatter(seed: seed, pinned: [])
            return try TestStore(Samples.image(of: set, scatter: scatter), scatter: scatter)
                .reader.pages(limit: 500)
        }
        let first = try order(1)
        #expect(try order(1) == first)
        #expect(try order(2) != first)
        // Identifiers are in the order of dates: about half of all neighbours stand the wrong way
        // round.
        let descents = zip(first, first.dropFirst()).count { $0 > $1 }
        #expect((110...190).contains(descents))
        #expect(first.prefix(5) == ["B00189", "B00013", "B00022", "B00059", "B00056"])
    }

    @Test(
        "A store that is opened with another seed has the order of that seed",
        arguments: [nil, "kept.db"]
    )
    func reseeded(database: String?) throws {
        let folder = try TemporaryFolder()
        let set = try Samples.many(300)
        let other = Scatter(seed: 7, pinned: ["B00042"])
        let expected = try TestStore(Samples.image(of: set, scatter: other), scatter: other).reader
        for _ in 0..<2 {
            let store = try TestStore(
                Samples.image(of: set),
                scatter: other,
                database: database,
                in: folder
            )
            #expect(try store.reader.pages(limit: 50) == expected.pages(limit: 500))
            #expect(try store.reader.pages(limit: 50).first == "B00042")
            #expect(try store.reader.list() == expected.list())
            #expect(
                try store.reader.list(providers: ["2345678B"])
                    == expected.list(providers: ["2345678B"])
            )
            store.store.close()
        }
    }

    static let filters: [(AppointmentFilter, [Int])] = [
        (AppointmentFilter(), Array(0..<60)),
        (AppointmentFilter(date: day(3)), [3]),
        (AppointmentFilter(date: day(60)), []),
        (AppointmentFilter(start: day(58)), [58, 59]),
        (AppointmentFilter(end: day(1)), [0, 1]),
        (AppointmentFilter(start: day(5), end: day(7)), [5, 6, 7]),
        (AppointmentFilter(start: day(5), end: day(5)), [5]),
        (AppointmentFilter(start: day(7), end: day(5)), []),
        (AppointmentFilter(date: day(6), start: day(5), end: day(7)), [6]),
        (AppointmentFilter(date: day(4), start: day(5), end: day(7)), [4]),
        (AppointmentFilter(site: "Central Clinic"), Array(0..<60)),
        (AppointmentFilter(site: "central clinic"), []),
        (AppointmentFilter(date: day(6), site: "Central Clinic"), [6]),
        (AppointmentFilter(start: day(50), site: "Central Clinic"), Array(50..<60)),
        (AppointmentFilter(start: day(50), site: "Nowhere"), []),
    ]

    static func day(_ index: Int) -> LocalDate { LocalDate(daysSince1970: 20_000 + index) }

    @Test(
        "Filters let through what they say, in all orders, for all callers",
        arguments: filters.indices,
        ListOrder.allCases
    )
    func filter(row: Int, order: ListOrder) throws {
        let (filter, expected) = Self.filters[row]
        let reader = try TestStore(Samples.image(of: Samples.many(60)), order: order).reader
        let ids = expected.map(Samples.id)
        let found = try reader.list(filter)
        #expect(found.sorted() == ids)
        #expect(found == (try reader.list()).filter { found.contains($0) })
        let mine = expected.filter { $0 % 3 == 1 }.map(Samples.id)
        #expect(try reader.list(filter, providers: ["2345678B"]).sorted() == mine)
        for skip in [0, 1, 2] {
            #expect(
                try reader.list(filter, skip: skip, take: 2)
                    == Array(found.dropFirst(skip).prefix(2))
            )
        }
    }

    @Test("Appointments without a date match no date filter")
    func withoutDate() throws {
        let reader = try TestStore().reader
        let all = AppointmentFilter(start: LocalDate("0001-01-01"), end: LocalDate("9999-12-31"))
        #expect(try Set(reader.list(all)) == ["A123456", "A123457", "A000002"])
        #expect(try reader.list().contains("A000001"))
    }

    @Test("A wide range is walked in order, and shows what a narrow one would")
    func wideRange() throws {
        let reader = try TestStore(Samples.image(of: Samples.many(2500))).reader
        let wide = try reader.list(
            AppointmentFilter(start: Self.day(100), end: Self.day(2450)),
            skip: 0,
            take: 2500
        )
        #expect(wide.count == 2351)
        let all = try reader.list(take: 2500)
        #expect(wide == all.filter { $0 >= Samples.id(100) && $0 <= Samples.id(2450) })
        #expect(
            try reader.list(
                AppointmentFilter(
                    start: Self.day(100),
                    end: Self.day(2450),
                    site: "Central Clinic"
                ),
                take: 2500
            ) == wide
        )
    }
}
