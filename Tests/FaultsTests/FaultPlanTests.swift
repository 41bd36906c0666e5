import Faults
import Foundation
import JSON
import Testing

@Suite("When a rule fires")
struct FaultPlanTests {
    static let patterns: [(rule: String, faulty: [Int])] = [
        (#"{"then":{"status":500}}"#, Array(1...12)),
        (#"{"when":{"first":2},"then":{"status":500}}"#, [1, 2]),
        (#"{"when":{"nth":[3,5]},"then":{"status":500}}"#, [3, 5]),
        (#"{"when":{"every":5},"then":{"status":500}}"#, [5, 10]),
        (#"{"when":{"every":1},"then":{"status":500}}"#, Array(1...12)),
        (#"{"when":{"probability":0},"then":{"status":500}}"#, []),
        (#"{"when":{"probability":1},"then":{"status":500}}"#, Array(1...12)),
        (#"{"sequence":[{"status":500},{},{"status":500}]}"#, [1, 3]),
        (#"{"when":{"rate":{"requests":10,"per":"1s"}}}"#, [11, 12]),
    ]

    @Test("Each form fires for the requests it names", arguments: patterns)
    func pattern(rule: String, faulty: [Int]) throws {
        let plan = try plan(rule)
        #expect(plan.faulty(of: 12) == faulty)
        #expect(plan.listings.map(\.seen) == [12])
        #expect(plan.listings.map(\.hits) == [faulty.count])
    }

    @Test("A rule on first attempts counts no others, and one on further attempts only those")
    func attempts() throws {
        let first = try plan(
            #"{"match":{"attempt":"first"},"when":{"nth":[2]},"then":{"status":503}}"#
        )
        let further = try plan(#"{"match":{"attempt":"repeated"},"then":{"status":503}}"#)
        #expect(first.asksForAttempts && further.asksForAttempts)
        #expect(try !plan(#"{"then":{"status":503}}"#).asksForAttempts)
        var facts = MatchVocabulary.sample.facts()
        var faulty: [[Bool]] = [[], []]
        for isRepeated in [false, true, true, false, false, true] {
            facts.isRepeated = isRepeated
            for (place, plan) in [first, further].enumerated() {
                faulty[place].append(plan.decide(facts, now: 0) != nil)
            }
        }
        #expect(faulty[0] == [false, false, false, true, false, false])
        #expect(faulty[1] == [false, true, true, false, false, true])
        #expect(first.listings.map(\.seen) == [3])
        first.clear()
        #expect(!first.asksForAttempts)
    }

    @Test("The steps of a sequence come in turn, then the rule is spent and stays listed")
    func sequence() throws {
        let plan = try plan(
            #"""
            {"id":"s","sequence":[{"status":429,"retryAfter":2},{"status":503},{},
             {"phase":"after","transport":"CONNECTION_RESET_BY_PEER"}]}
            """#
        )
        let facts = MatchVocabulary.sample.facts()
        let decisions = (1...6).map { _ in plan.decide(facts, now: 0) }
        #expect(decisions.map { $0?.status } == [429, 503, nil, nil, nil, nil])
        #expect(decisions[0]?.retryAfter == RetryAfter(seconds: 2))
        #expect(
            decisions.map { $0?.transport != nil } == [false, false, false, true, false, false]
        )
        #expect(decisions.map { $0?.ordinal } == [1, 2, nil, 4, nil, nil])
        #expect(plan.listing(id: "s")?.hits == 3)
        #expect(plan.listing(id: "s")?.seen == 6)
    }

    static let windows: [(rule: String, faulty: [Int64])] = [
        (#"{"when":{"window":{"after":"3s","for":"2s"}},"then":{"status":500}}"#, [3, 4]),
        (#"{"when":{"window":{"for":"2s"}},"then":{"status":500}}"#, [0, 1]),
        (#"{"when":{"window":{"after":"6s"}},"then":{"status":500}}"#, [6, 7]),
        (#"{"ttl":"PT3S","then":{"status":500}}"#, [-1, 0, 1, 2]),
        (#"{"ttl":"5s","when":{"window":{"after":"3s"}},"then":{"status":500}}"#, [3, 4]),
    ]

    @Test("Windows and lifetimes run from when the rule was set", arguments: windows)
    func window(rule: String, faulty: [Int64]) throws {
        let start = 1_700_000_000 * second
        let plan = FaultPlan()
        try plan.add(rules(rule), now: start)
        let facts = MatchVocabulary.sample.facts()
        let met = (-1...7).filter { plan.decide(facts, now: start + $0 * second) != nil }
        #expect(met == faulty)
    }

    @Test("After its lifetime a rule counts no more")
    func lifetime() throws {
        let plan = try plan(#"{"ttl":"1s","then":{"transport":"HANG"}}"#)
        let facts = MatchVocabulary.sample.facts()
        #expect(plan.decide(facts, now: second / 4)?.holdNanoseconds == second * 3 / 4)
        #expect(plan.decide(facts, now: second) == nil)
        #expect(plan.listings.map(\.seen) == [1])
    }

    @Test("A clock at either end of time overflows nothing")
    func extremeClocks() throws {
        let plan = FaultPlan()
        try plan.add(
            rules(
                #"""
                [{"ttl":"1s","then":{"status":500}},
                 {"when":{"window":{"after":"1s","for":"1s"}},"then":{"status":500}},
                 {"when":{"rate":{"requests":1,"per":"1s"}}}]
                """#
            ),
            now: .min
        )
        let facts = MatchVocabulary.sample.facts()
        #expect(plan.decide(facts, now: .max) == nil)
        #expect(plan.decide(facts, now: .min)?.ruleID == "rule-1")
    }

    @Test("Every matching rule counts; the first that fires, in the order set, acts")
    func order() throws {
        let plan = try plan(
            #"""
            [{"id":"a","when":{"nth":[2]},"then":{"status":500}},
             {"id":"b","when":{"every":2},"then":{"status":502}},
             {"id":"c","then":{"status":503}},
             {"id":"d","match":{"method":"POST"},"then":{"status":504}}]
            """#
        )
        let facts = MatchVocabulary.sample.facts()
        let acting = (1...4).map { _ in plan.decide(facts, now: 0)?.ruleID }
        #expect(acting == ["c", "a", "c", "b"])
        #expect(plan.listings.map(\.id) == ["a", "b", "c", "d"])
        #expect(plan.listings.map(\.hits) == [1, 1, 2, 0])
        #expect(plan.listings.map(\.seen) == [4, 4, 4, 0])
    }

    // MARK: Effects

    static let effects: [(then: String, runs: Bool)] = [
        (#"{"status":429}"#, false), (#"{"status":500,"delay":"1s"}"#, false),
        (#"{"status":500,"content":"html"}"#, false),
        (#"{"transport":"CONNECTION_RESET_BY_PEER"}"#, false),
        (#"{"transport":"EMPTY_RESPONSE"}"#, false), (#"{"transport":"HANG"}"#, false),
        (#"{"transport":"RANDOM_DATA_THEN_CLOSE"}"#, true),
        (#"{"transport":"MALFORMED_RESPONSE_CHUNK"}"#, true), (#"{"delay":"1s"}"#, true),
        (#"{"truncateAt":5}"#, true), (#"{"drip":{"chunks":2,"over":"1s"}}"#, true),
        (#"{"bytesPerSecond":5}"#, true), (#"{"content":"empty"}"#, true),
        (#"{"token":"expired"}"#, true),
    ]

    @Test(
        "A status or silence replaces the operation, before it; nothing does after",
        arguments: effects
    )
    func runsOperation(then: String, runs: Bool) throws {
        let facts = MatchVocabulary.sample.facts("token", method: "POST")
        let after = "{\"phase\":\"after\"," + then.dropFirst()
        for (then, runs) in [(then, runs), (after, true)] {
            let plan = try plan(#"{"match":{"operation":"token"},"then":\#(then)}"#)
            let decision = try #require(plan.decide(facts, now: 0))
            #expect(decision.runsOperation == runs, "\(then)")
            #expect(decision.phase == (then == after ? .after : .before))
        }
    }

    @Test("Effects combine into one decision")
    func combined() throws {
        let plan = try plan(
            #"""
            {"id":"x","ttl":"1s","then":{"phase":"after","status":503,"detail":"Later.",
             "retryAfter":{"seconds":7,"form":"date"},"delay":"250ms","truncateAt":0.5,
             "drip":{"chunks":4,"over":"2s"},"content":"html"}}
            """#
        )
        var expected = FaultDecision(ruleID: "x", phase: .after)
        expected.status = 503
        expected.detail = "Later."
        expected.retryAfter = RetryAfter(seconds: 7, form: .date)
        expected.delayNanoseconds = second / 4
        expected.truncateAt = .fraction(0.5)
        expected.drip = Drip(chunks: 4, overNanoseconds: 2 * second)
        expected.content = .html
        expected.holdNanoseconds = second
        #expect(plan.decide(MatchVocabulary.sample.facts(), now: 0) == expected)
    }

    @Test(
        "Content is cut at an octet or a fraction of it",
        arguments: [
            (#"0"#, 0), ("10", 10), ("100", 100), ("1000", 100), ("0.5", 50), ("0.999", 99),
            ("0.0", 0), ("20.0", 20), ("1", 1),
        ]
    )
    func truncation(text: String, octets: Int) throws {
        let plan = try plan(#"{"then":{"truncateAt":\#(text)}}"#)
        let decision = try #require(plan.decide(MatchVocabulary.sample.facts(), now: 0))
        #expect(decision.truncateAt?.octets(of: 100) == octets)
    }

    // MARK: Arming

    @Test("A rule without an id gets the first free one")
    func ids() throws {
        let plan = FaultPlan()
        let bare = #"{"then":{"status":500}}"#
        let added = try plan.add(
            rules(#"[\#(bare),{"id":"rule-2","then":{"status":500}},\#(bare)]"#),
            now: 0
        )
        #expect(added.map(\.id) == ["rule-1", "rule-2", "rule-3"])
        plan.remove(id: "rule-1")
        try plan.add(rules("[\(bare),\(bare)]"), reserving: ["rule-4"], now: 0)
        #expect(plan.listings.map(\.id) == ["rule-2", "rule-3", "rule-1", "rule-5"])
    }

    @Test(
        "A repeated id is an error of its own, and nothing is armed",
        arguments: [
            (#"{"id":"a","then":{"status":500}}"#, ["/id"]),
            (#"{"id":"kept","then":{"status":500}}"#, ["/id"]),
            (#"[{"then":{"status":500}},{"id":"a","then":{"status":500}}]"#, ["/1/id"]),
            (#"[{"id":"b","then":{"status":500}},{"id":"b","then":{"status":500}}]"#, ["/1/id"]),
            (
                #"[{"id":"a","then":{"status":500}},{"id":"kept","then":{"status":500}}]"#,
                ["/0/id", "/1/id"]
            ),
        ]
    )
    func repeated(text: String, pointers: [String]) throws {
        let plan = try plan(#"{"id":"a","then":{"status":500}}"#)
        let error = try #require(throws: FaultError.self) {
            try plan.add(rules(text), reserving: ["kept"], now: 0)
        }
        guard case .repeatedIDs(let errors) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(errors.map(\.pointer.description) == pointers)
        #expect(plan.listings.map(\.id) == ["a"])
    }

    @Test("Replacing takes ids that are freed by it, and starts the counters")
    func replacing() throws {
        let plan = try plan(#"{"id":"a","then":{"status":500}}"#)
        _ = plan.faulty(of: 3)
        try plan.replaceAll(with: rules(#"{"id":"a","then":{"status":503}}"#), now: 0)
        #expect(plan.listings.map(\.seen) == [0])
        #expect(plan.decide(MatchVocabulary.sample.facts(), now: 0)?.status == 503)
    }

    @Test("A rule is listed as it was set, with its id and its counters")
    func listing() throws {
        let plan = try plan(#"{"then":{"status":5.03e2},"when":{"first":1},"ttl":"PT5M"}"#)
        _ = plan.faulty(of: 3)
        #expect(
            plan.listings.map { JSONWriter.text(of: $0.json) } == [
                #"{"id":"rule-1","then":{"status":5.03e2},"when":{"first":1},"ttl":"PT5M","hits":1,"seen":3}"#
            ]
        )
        #expect(plan.listing(id: "rule-1") == plan.listings.first)
        #expect(plan.listing(id: "rule-2") == nil)
    }

    @Test("Removing and clearing disarm")
    func removing() throws {
        let plan = try plan(
            #"[{"id":"a","then":{"status":500}},{"id":"b","then":{"status":503}}]"#
        )
        #expect(plan.remove(id: "a"))
        #expect(!plan.remove(id: "a"))
        #expect(plan.decide(MatchVocabulary.sample.facts(), now: 0)?.ruleID == "b")
        plan.clear()
        #expect(plan.listings.isEmpty)
        #expect(plan.faulty(of: 1).isEmpty)
    }

    @Test("Rearming starts the rules that the plan was made with, and only those")
    func rearming() throws {
        let plan = try plan(#"{"id":"a","ttl":"1s","when":{"first":1},"then":{"status":500}}"#)
        try plan.add(rules(#"{"id":"b","then":{"status":503}}"#), now: 0)
        #expect(plan.faulty(of: 3) == [1, 2, 3])
        plan.remove(id: "a")
        plan.rearm(now: 100 * second)
        #expect(plan.listings.map(\.id) == ["a"])
        #expect(plan.faulty(of: 3, now: 100 * second) == [1])
        #expect(plan.faulty(of: 1, now: 101 * second).isEmpty)
    }

    // MARK: Threads

    @Test("However many threads ask, exactly as many requests fail as the rule says")
    func counting() throws {
        let plan = try plan(
            #"""
            [{"id":"first","when":{"first":100},"then":{"status":500}},
             {"id":"every","when":{"every":10},"then":{"status":502}},
             {"id":"rate","when":{"rate":{"requests":300,"per":"1s"}}}]
            """#
        )
        let facts = MatchVocabulary.sample.facts()
        let decisions = onThreads(16, requests: 1_600) { plan.decide(facts, now: 0) }
        #expect(decisions.filter { $0.ruleID == "first" }.map(\.ordinal).sorted() == Array(1...100))
        #expect(
            decisions.filter { $0.ruleID == "every" }.map(\.ordinal).sorted()
                == stride(from: 110, through: 1_600, by: 10).map { $0 }
        )
        #expect(plan.listings.map(\.seen) == [1_600, 1_600, 1_600])
        #expect(plan.listings.map(\.hits).reduce(0, +) == decisions.count)
        // 1,300 exceed the rate, of which every tenth falls to the rule before.
        #expect(decisions.filter { $0.ruleID == "rate" }.map(\.ordinal).min() == 301)
        #expect(decisions.filter { $0.ruleID == "rate" }.count == 1_300 - 130)
    }

    static let chance = #"{"id":"p","when":{"probability":0.3,"seed":7},"then":{"status":500}}"#

    @Test("The same seed fails the same ordinals, on one thread and on sixteen")
    func seededProbability() throws {
        let serial = try plan(Self.chance).faulty(of: 1_000)
        #expect((250...350).contains(serial.count))
        let plan = try plan(Self.chance)
        let facts = MatchVocabulary.sample.facts()
        let parallel = onThreads(16, requests: 1_000) { plan.decide(facts, now: 0) }
        #expect(parallel.map(\.ordinal).sorted() == serial)
    }

    @Test("The ordinals of a seed never change from release to release")
    func goldenOrdinals() throws {
        // Computed by a second implementation, in another language.
        let faulty = try plan(Self.chance).faulty(of: 1_000)
        #expect(faulty.prefix(10) == [3, 7, 11, 18, 21, 23, 25, 27, 31, 34])
        #expect(faulty.count == 284)
    }

    @Test("Another seed or another id fails other ordinals; the default seed is the server's")
    func seeds() throws {
        func faulty(_ id: String, _ seed: String, default: Int64 = 1) throws -> [Int] {
            let text = #"{"id":"\#(id)","when":{"probability":0.3\#(seed)},"then":{"status":500}}"#
            let reader = FaultRuleReader(
                form: ruleForm,
                vocabulary: .sample,
                defaultSeed: `default`
            )
            let rules = try reader.rules(JSONParser.parse(Array(text.utf8)))
            return try FaultPlan(rules: rules).faulty(of: 200)
        }
        let reference = try faulty("p", #","seed":1"#)
        #expect(try faulty("p", "", default: 1) == reference)
        #expect(try faulty("p", "", default: 2) != reference)
        #expect(try faulty("p", #","seed":-1"#) != reference)
        #expect(try faulty("q", #","seed":1"#) != reference)
    }

    /// Makes requests from so many threads at once, and returns the faults they met.
    private func onThreads(
        _ count: Int,
        requests: Int,
        _ request: @escaping @Sendable () -> FaultDecision?
    ) -> [FaultDecision] {
        let found = NSLock()
        nonisolated(unsafe) var decisions: [FaultDecision] = []
        let done = DispatchGroup()
        for thread in 0..<count {
            done.enter()
            let share = requests / count + (thread < requests % count ? 1 : 0)
            let worker = Thread {
                let mine = (0..<share).compactMap { _ in request() }
                found.withLock { decisions += mine }
                done.leave()
            }
            worker.start()
        }
        done.wait()
        return found.withLock { decisions }
    }
}
