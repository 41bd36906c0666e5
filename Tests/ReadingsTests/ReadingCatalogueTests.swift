import Contract
import Embedded
import JSON
import Readings
import Testing

@Suite("The catalogue of readings")
struct ReadingCatalogueTests {
    private static let file = document(EmbeddedDefaults.readingsJSON())
    private static let contract = document(EmbeddedDefaults.contractJSON())

    private static func document(_ literal: StaticString) -> JSONValue {
        (try? JSONParser.parse(EmbeddedDefaults.octets(of: literal))) ?? .null
    }

    private static func loaded() throws -> ReadingCatalogue {
        try ReadingCatalogue(file, contract: contract)
    }

    @Test("The file and the program know the same readings and values")
    func complete() throws {
        let catalogue = try Self.loaded()
        #expect(Set(catalogue.entries.map(\.id)) == Set(ReadingID.allCases))
        for entry in catalogue.entries {
            #expect(entry.values.count >= 2, "\(entry.id)")
            #expect(!entry.places.isEmpty, "\(entry.id)")
            if let known = entry.id.values { #expect(known == entry.values.map(\.word)) }
        }
    }

    /// Changes the item of a reading.
    private static func changed(
        _ id: String,
        _ change: (inout JSONObject) -> Void
    ) -> JSONValue {
        .array(
            (file.array ?? []).map { item in
                guard item["id"]?.string == id, var object = item.object else { return item }
                change(&object)
                return .object(object)
            }
        )
    }

    static let faults: [(file: JSONValue, reason: String)] = [
        (changed("page-end") { $0["id"] = "page-start" }, "the program has no reading page-start"),
        (.array(Array((file.array ?? []).dropFirst())), "page-end is missing"),
        (.array((file.array ?? []) + (file.array ?? []).prefix(1)), "page-end stands here twice"),
        (
            changed("replay-mark") { $0["values"] = [["value": "none", "meaning": "No."]] },
            "must be header, none, in this order"
        ),
        (changed("absent") { $0["where"] = ["/x-rules/nothing"] }, "openapi.yaml has no"),
        (changed("absent") { $0["where"] = ["x-rules"] }, "must be a JSON pointer"),
        (changed("absent") { $0["title"] = nil }, "must be a text"),
        (changed("token-lifetime") { $0["range"] = nil }, "must have minimum and maximum"),
        (
            changed("token-lifetime") { $0["range"] = ["minimum": 1, "maximum": 3600] },
            "with all values between"
        ),
    ]

    @Test("What only one side knows is refused, with its place", arguments: faults)
    func refused(file: JSONValue, reason: String) throws {
        let fault = #expect(throws: ReadingCatalogue.Fault.self) {
            try ReadingCatalogue(file, contract: Self.contract)
        }
        #expect(fault?.reason.contains(reason) == true, "\(fault?.reason ?? "")")
    }

    static let refusals: [(id: String, value: String, reason: String)] = [
        ("page-ends", "null", "did you mean page-end?"),
        ("weather", "fine", "GET /__admin/readings lists them"),
        ("page-end", "omited", "did you mean omitted?"),
        ("page-end", "", "it takes null, omitted, empty, mixed"),
        ("token-lifetime", "0", "It takes 1 to 31536000, or mixed."),
        ("token-lifetime", "+60", "It takes 1 to"), ("token-lifetime", "6e1", "It takes 1 to"),
        ("token-lifetime", "99999999999999999999", "It takes 1 to"),
    ]

    @Test("A choice that there is not is refused with the nearest", arguments: refusals)
    func unknownChoice(id: String, value: String, reason: String) throws {
        let catalogue = try Self.loaded()
        let refusal = #expect(throws: ReadingCatalogue.Refusal.self) {
            try catalogue.choice(id, value)
        }
        #expect(refusal?.reason.contains(reason) == true, "\(refusal?.reason ?? "")")
    }

    @Test("A dose is a percentage from 0 to 100")
    func dose() {
        #expect(ReadingSettings.dose("5%") == 0.05)
        #expect(ReadingSettings.dose("100%") == 1)
        #expect(ReadingSettings.dose("0%") == 0)
        #expect(ReadingSettings.dose("2.5%") == 0.025)
        for text in ["", "%", "5", "101%", "-1%", "1e1%", "5 %", ".5%", "5.%", "1.2.3%", "nan%"] {
            #expect(ReadingSettings.dose(text) == nil, "\(text)")
        }
    }

    // MARK: Draws

    private static func plan(
        seed: Int64 = 1,
        _ change: (inout ReadingSettings) -> Void
    ) throws -> ReadingPlan {
        var settings = ReadingSettings()
        change(&settings)
        return ReadingPlan(catalogue: try loaded(), settings: settings, seed: seed)
    }

    private static func words(_ plan: ReadingPlan, _ id: ReadingID, count: Int = 200) -> [String] {
        (0..<count).map { _ in plan.draw().word(of: id) }
    }

    @Test("Without a choice every answer has the defaults, and nothing is drawn")
    func defaults() throws {
        let plan = try Self.plan { $0[.pageEnd] = .value(0) }
        #expect(plan.draw().isDefault)
        #expect(!plan.draw().departs(to: PageEnd.omitted))
        #expect(plan.draw().value(of: PageEnd.self) == .null)
    }

    @Test("Mixed draws each value, the same for the same seed and again after a choice")
    func mixed() throws {
        let first = Self.words(try Self.plan { $0[.pageEnd] = .mixed }, .pageEnd)
        #expect(Set(first) == ["null", "omitted", "empty"])
        let plan = try Self.plan { $0[.pageEnd] = .mixed }
        #expect(Self.words(plan, .pageEnd) == first)
        #expect(Self.words(plan, .pageEnd) != first)
        plan.choose([(.pageEnd, .mixed)])
        #expect(Self.words(plan, .pageEnd) == first)
        #expect(Self.words(try Self.plan(seed: 2) { $0[.pageEnd] = .mixed }, .pageEnd) != first)
    }

    @Test("One reading's draws do not depend on what else is chosen")
    func independence() throws {
        let alone = Self.words(try Self.plan { $0[.absent] = .mixed }, .absent)
        let beside = try Self.plan {
            $0[.absent] = .mixed
            $0[.pageEnd] = .mixed
            $0.dose = 0.5
        }
        #expect(Self.words(beside, .absent) == alone)
    }

    @Test("A dose departs with its chance from the defaults that nobody chose")
    func nasty() throws {
        let all = try Self.plan {
            $0.dose = 1
            $0[.pageEnd] = .value(0)
        }
        for id in ReadingID.allCases {
            let words = Self.words(all, id, count: 30)
            if let values = id.values, id != .pageEnd {
                #expect(!words.contains(values[0]), "\(id)")
                #expect(Set(words) == Set(values.dropFirst()), "\(id)")
            }
        }
        #expect(Set(Self.words(all, .pageEnd)) == ["null"])
        #expect(Set((0..<50).map { _ in all.draw().tokenLifetimeSeconds }) == [900, 86_400])
        let some = try Self.plan { $0.dose = 0.2 }
        let departures = Self.words(some, .absent, count: 1_000).count { $0 == "omitted" }
        #expect((150...250).contains(departures))
    }

    @Test("A reset goes back to the choice of the beginning")
    func reset() throws {
        let plan = try Self.plan { $0[.pageEnd] = .value(1) }
        plan.choose([(.pageEnd, .value(0)), (.tokenLifetime, .number(60))])
        #expect(plan.draw().word(of: .pageEnd) == "null")
        #expect(plan.draw().tokenLifetimeSeconds == 60)
        plan.reset()
        #expect(plan.draw().word(of: .pageEnd) == "omitted")
        #expect(plan.draw().tokenLifetimeSeconds == nil)
    }
}
