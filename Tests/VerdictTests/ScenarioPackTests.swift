import Foundation
import JSON
import TestTools
import Testing
import Verdict

@Suite struct ScenarioPackTests {
    private static let names = [
        "busy-day", "calm", "flaky-network", "foreign-errors", "lost-answers",
        "rate-limited-morning", "slow-friday", "token-expiry", "upload-trouble",
    ]

    private func pack(_ name: String) throws -> ScenarioPack {
        try ScenarioPack(JSONParser.parse(Repository.octets(of: "fixtures/scenarios/\(name).json")))
    }

    @Test("Each pack of the fixtures can be read and is named after its file", arguments: names)
    func fixtures(name: String) throws {
        let pack = try pack(name)
        #expect(pack.name == name)
        #expect(!pack.passMarks.isEmpty)
        #expect(pack.rules.isEmpty == ["busy-day", "calm"].contains(name))
        let ids = pack.rules.compactMap { $0["id"]?.string }
        #expect(ids.count == pack.rules.count)
        #expect(Set(ids).count == ids.count)
    }

    @Test("The fixtures hold these packs and no others")
    func folder() throws {
        let files = try FileManager.default
            .contentsOfDirectory(atPath: Repository.path("fixtures/scenarios"))
        #expect(files.sorted() == Self.names.map { "\($0).json" })
    }

    @Test("Across the packs every must is a pass mark")
    func everyMust() throws {
        let marks = try Set(Self.names.flatMap { try pack($0).passMarks })
        let missing = Check.all.filter { $0.level == .must && !marks.contains($0.id) }
        #expect(missing.map(\.id) == [])
    }

    @Test("Each pack says how long it takes, and the table of docs/ci.md says the same")
    func expectedSeconds() throws {
        let page = try String(contentsOfFile: Repository.path("docs/ci.md"), encoding: .utf8)
        for name in Self.names {
            let seconds = try #require(try pack(name).expectedSeconds, "\(name)")
            #expect(page.contains("| `\(name)` | \(seconds) |"), "\(name)")
        }
    }

    @Test("Pass marks are musts", arguments: names)
    func marksAreMusts(name: String) throws {
        for mark in try pack(name).passMarks { #expect(Check.named(mark)?.level == .must) }
    }

    @Test("A clock step may count one operation, and a pack may shorten lives")
    func operationSteps() throws {
        let pack = try ScenarioPack([
            "name": "x", "title": "X", "description": "Y", "tokenSeconds": 4,
            "uploadUrlSeconds": 1,
            "clock": [["operation": "a", "afterRequests": 2, "advance": "PT1S"]],
        ])
        #expect(pack.tokenSeconds == 4 && pack.uploadURLSeconds == 1)
        #expect(pack.expectedSeconds == nil)
        var clock = ScenarioClock(pack)
        let advances = ["a", "b", nil, "b", "a", "a"].map { clock.countRequest(of: $0) }
        #expect(advances == [0, 0, 0, 0, 1_000_000_000, 0])
        for bad: JSONValue in [0, -1, "4", 86_401] {
            #expect(throws: ScenarioPack.Faults.self) {
                try ScenarioPack([
                    "name": "x", "title": "X", "description": "Y", "tokenSeconds": bad,
                ])
            }
        }
    }

    @Test("A clock step that counts an operation of no contract is refused, with its place")
    func unknownOperation() throws {
        let value: JSONValue = [
            "name": "x", "title": "X", "description": "Y",
            "clock": [
                ["operation": "b", "afterRequests": 1, "advance": "PT1S"],
                ["operation": "a", "afterRequests": 1, "advance": "PT1S"],
            ],
        ]
        #expect(try ScenarioPack(value, operations: ["a", "b"]).clock.count == 2)
        let error = #expect(throws: ScenarioPack.Faults.self) {
            try ScenarioPack(value, operations: ["b"])
        }
        #expect(error?.faults.map { "\($0.pointer)" } == ["/clock/1/operation"])
    }

    @Test("A pack may leave out rules, clock and pass marks")
    func minimum() throws {
        let pack = try ScenarioPack(["name": "x", "title": "X", "description": "Y"])
        #expect(pack.rules.isEmpty)
        #expect(pack.clock.isEmpty)
        #expect(pack.passMarks.isEmpty)
    }

    @Test(
        "Durations of clock steps are those of ISO 8601",
        arguments: [
            ("PT1S", 1), ("PT61M", 3_660), ("P1D", 86_400), ("P1DT2H3M4S", 93_784),
            ("PT24H", 86_400), ("P366D", 31_622_400),
        ]
    )
    func durations(text: String, seconds: Int64) throws {
        let pack = try ScenarioPack([
            "name": "x", "title": "X", "description": "Y",
            "clock": [["afterRequests": 1, "advance": .string(text)]],
        ])
        #expect(pack.clock.first?.advance == seconds * 1_000_000_000)
    }

    @Test(
        "What is wrong is refused with its pointer",
        arguments: [
            ([], [""]),
            (["title": "X", "description": "Y"], ["/name"]),
            (["name": "Big Name", "title": "X", "description": "Y"], ["/name"]),
            (["name": "x", "title": "", "description": 7], ["/title", "/description"]),
            (["name": "x", "title": "X", "description": "Y", "extra": 1], ["/extra"]),
            (["name": "x", "title": "X", "description": "Y", "rules": [:]], ["/rules"]),
            (["name": "x", "title": "X", "description": "Y", "clock": 1], ["/clock"]),
            (
                [
                    "name": "x", "title": "X", "description": "Y",
                    "clock": [1, ["afterRequests": 0, "advance": "1h", "more": true]],
                ], ["/clock/0", "/clock/1/more", "/clock/1/afterRequests", "/clock/1/advance"]
            ),
            (
                [
                    "name": "x", "title": "X", "description": "Y",
                    "passMarks": ["upload.size", "upload.size", "retry.fast", 3],
                ], ["/passMarks/1", "/passMarks/2", "/passMarks/3"]
            ),
        ] as [(JSONValue, [String])]
    )
    func refuses(value: JSONValue, pointers: [String]) throws {
        let error = #expect(throws: ScenarioPack.Faults.self) { try ScenarioPack(value) }
        let found = try #require(error).faults.map { "\($0.pointer)" }
        for pointer in pointers { #expect(found.contains(pointer)) }
    }

    @Test(
        "Other durations are refused",
        arguments: [
            "", "P", "PT", "P1DT", "PT0S", "1S", "PT1", "PTS", "PT1.5S", "PT1S1M", "PT1M1M", "P1H",
            "PT1D", "P367D", "PT-1S", "PT9999999999S", "pt1s", "PTT1S",
        ]
    )
    func refusesDuration(text: String) {
        #expect(throws: ScenarioPack.Faults.self) {
            try ScenarioPack([
                "name": "x", "title": "X", "description": "Y",
                "clock": [["afterRequests": 1, "advance": .string(text)]],
            ])
        }
    }

    private static func pack(day: JSONValue) throws -> ScenarioPack {
        try ScenarioPack(["name": "x", "title": "X", "description": "Y", "day": day])
    }

    @Test("In a working day each request moves the clock, until the day is over")
    func workingDay() throws {
        let pack = try Self.pack(day: ["begin": "06:30", "end": "06:40", "step": "PT3M"])
        let day = try #require(pack.day)
        #expect(day.begin == 23_400 && day.end == 24_000 && day.step == 180)
        #expect(pack.json["clockSteps"] == 3)
        var clock = ScenarioClock(pack)
        let advances = (1...5).map { _ in clock.countRequest() / 1_000_000_000 }
        #expect(advances == [180, 180, 180, 0, 0])
        #expect(clock.isSpent)
    }

    @Test(
        "A working day that is none is refused with its pointer",
        arguments: [
            (3, ["/day"]), ([:], ["/day/begin", "/day/end", "/day/step"]),
            (["begin": "6:30", "end": "24:00", "step": "PT1M"], ["/day/begin", "/day/end"]),
            (["begin": "06-30", "end": "07:60", "step": "PT1M"], ["/day/begin", "/day/end"]),
            (["begin": "+6:30", "end": "0é:00", "step": "PT1M"], ["/day/begin", "/day/end"]),
            (["begin": "06:30", "end": "06:30", "step": "PT1M"], ["/day/end"]),
            (["begin": "06:00", "end": "07:00", "step": "PT0S", "a": 1], ["/day/step", "/day/a"]),
            (["begin": "06:00", "end": "07:00", "step": "PT61M"], ["/day/step"]),
        ] as [(JSONValue, [String])]
    )
    func refusesDay(value: JSONValue, pointers: [String]) throws {
        let error = #expect(throws: ScenarioPack.Faults.self) { try Self.pack(day: value) }
        #expect(Set(try #require(error).faults.map { "\($0.pointer)" }) == Set(pointers))
    }

    @Test("Clock steps fall due once each, by the number of requests")
    func clockSteps() throws {
        let pack = try ScenarioPack([
            "name": "x", "title": "X", "description": "Y",
            "clock": [
                ["afterRequests": 4, "advance": "PT4S"], ["afterRequests": 2, "advance": "PT1S"],
                ["afterRequests": 4, "advance": "PT2S"],
            ],
        ])
        var clock = ScenarioClock(pack)
        let advances = (1...6).map { _ in clock.countRequest() / 1_000_000_000 }
        #expect(advances == [0, 1, 0, 6, 0, 0])
        #expect(clock.isSpent)
    }
}
