import Journal
import Testing
import Verdict

/// Cases from the field, each in two forms at least: what a good client must not be blamed for, and
/// what a bad one must not be praised for.
struct FieldCase: CustomTestStringConvertible {
    enum Demand {
        case blamed
        case notBlamed
        /// Neither: the case is beyond what anybody can tell.
        case open
        /// A pass, since something was judged.
        case praised
        /// The check has nothing to do with it.
        case absent
    }

    let name: String
    let check: String
    let demand: Demand
    let story: Story

    init(_ name: String, _ check: String, _ demand: Demand, _ tell: (inout Story) -> Void) {
        self.name = name
        self.check = check
        self.demand = demand
        var story = Story()
        tell(&story)
        self.story = story
    }

    var testDescription: String { "\(name): \(check)" }
}

@Suite struct FieldCaseTests {
    @Test("Cases from the field are judged as they should be", arguments: FieldCase.all)
    func cases(row: FieldCase) throws {
        let report = row.story.verdict()
        let result = try #require(report.checks.first { $0.check.id == row.check })
        switch row.demand {
        case .blamed: #expect(result.outcome == .fail, "\(result.summary)")
        case .notBlamed: #expect(result.outcome != .fail, "\(result.summary)")
        case .open: #expect(result.outcome == .notJudged, "\(result.summary)")
        case .praised: #expect(result.outcome == .pass, "\(result.summary)")
        case .absent: #expect(result.outcome == .notExercised, "\(result.summary)")
        }
    }

    @Test("Attempts with one correlation id are one chain, whatever connections they came over")
    func pools() throws {
        let story = try #require(FieldCase.all.first { $0.name.hasPrefix("a pool takes") }).story
        let result = story.verdict().checks.first { $0.check.id == "retry.backs-off" }
        #expect(result?.outcome == .pass)
        #expect(result?.summary == "7 retry chains of three or more pauses.")
    }

    @Test("Each of the numbered cases is here in two forms or more, but those that need a server")
    func numbered() {
        let elsewhere = [15, 16, 17, 18, 20]
        for number in 1...20 where !elsewhere.contains(number) {
            let forms = FieldCase.all.count {
                $0.name.hasPrefix("D\(number) ") || $0.name.hasPrefix("D\(number)b ")
            }
            #expect(forms >= 2, "D\(number)")
        }
    }

    @Test("A client that was stopped is not blamed for what was open")
    func stopped() {
        var story = Story()
        story.call(Story.sites, status: nil, takes: 20) {
            $0.delivery = .clientLeft
            $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .hang)
        }
        story.call(Story.summary, status: 503, takes: 0.1)
        let end = story.now
        for (stopped, outcomes) in [
            (Double?.none, ["fail", "pass"]), (end + 0.2, ["not-judged", "pass"]),
        ] {
            let report = story.verdict(monotonicNow: end + 1, stopped: stopped)
            let result = report.checks.first { $0.check.id == "retry.retries-transient" }
            #expect(result?.outcome.rawValue == outcomes[0])
        }
        // What ended when the command did, ended by that.
        var open = Story()
        open.call(Story.sites, status: nil, takes: 19.8) {
            $0.delivery = .clientLeft
            $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .hang)
        }
        let report = open.verdict(monotonicNow: open.now + 1, stopped: open.now - 0.01)
        for id in ["transport.times-out", "retry.retries-transient"] {
            #expect(report.checks.first { $0.check.id == id }?.outcome == .notJudged)
        }
    }
}

extension FieldCase {
    static let all = praised + processes + wishes + tokens + lists + boundaries

    private static let effect = "idempotency.no-duplicate-effect"
    private static let noStepBack = "reporting.no-step-back"
    private static let keeps = "paging.keeps-parameters"

    /// A final and a preliminary report, each call over a connection of its own, and two calls of
    /// which the second begins when the first has 50 ms more, or less, to go.
    private static func reportsBesideCalls(
        _ story: inout Story,
        takes: Double,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        story.connection += 1
        story.call(Story.summary, takes: takes, change)
        story.now -= takes - 0.01
        story.connection += 1
        story.call(Story.sites, takes: takes)
        for status in ["final", "preliminary"] {
            story.connection += 1
            story.post(Story.reports, key: status, body: status) {
                $0.details.report = .init(status: status, reportedAt: nil)
            }
        }
    }

    private static func lost(_ story: inout Story, key: String?, body: String = "body") {
        story.post(key: key, body: body, status: 500) {
            $0.committed = true
            $0.inject(.after)
        }
    }

    private static let praised: [FieldCase] = [
        FieldCase("D1 a time stamp drifts, without a key", effect, .open) {
            lost(&$0, key: nil, body: "03:04:00")
            $0.wait(0.2)
            $0.post(key: nil, body: "03:04:01")
        },
        FieldCase("D1 a time stamp drifts, with new keys", effect, .open) {
            lost(&$0, key: "k1", body: "03:04:00")
            $0.wait(0.2)
            $0.post(key: "k2", body: "03:04:01")
        },
        FieldCase("D1 beside another that is right", effect, .open) {
            $0.post(on: "A2", key: "k0") { $0.cut(.after) }
            $0.wait(0.2)
            $0.post(on: "A2", key: "k0") {
                $0.committed = false
                $0.idempotency = .replay
            }
            lost(&$0, key: "k1", body: "03:04:00")
            $0.wait(0.2)
            $0.post(key: "k2", body: "03:04:01")
        },
        FieldCase("D1 the lost one was settled first", effect, .notBlamed) {
            lost(&$0, key: "k1", body: "first")
            $0.wait(0.2)
            $0.post(key: "k1", body: "first") {
                $0.committed = false
                $0.idempotency = .replay
            }
            $0.post(key: "k2", body: "second")
        },
        FieldCase("D2 eight attempts in ten milliseconds", "retry.pauses", .blamed) { story in
            for _ in 1...8 { story.call(Story.sites, status: 503, takes: 0.001) }
            story.call(Story.sites)
        },
        FieldCase("D2 five chains without a pause", "retry.pauses", .blamed) { story in
            for number in 1...5 {
                for _ in 1...3 {
                    story.call(Story.summary, on: "A\(number)", takes: 0.001) { $0.cut() }
                    story.wait(0.001)
                }
                story.call(Story.summary, on: "A\(number)")
            }
        },
        FieldCase("D12b endless renewal", "auth.no-token-storm", .blamed) { story in
            for _ in 1...9 {
                story.tokenRequest()
                story.call(Story.sites, status: 401) { $0.refusal = .tokenInvalid }
                story.wait(0.1)
            }
        },
        FieldCase("D12b endless renewal of tokens of nobody", "auth.no-token-storm", .blamed) {
            story in
            for number in 1...5 {
                story.connection = UInt64(number)
                story.tokenRequest()
                story.call(Story.summary, on: "A\(number)", status: 401) {
                    $0.refusal = .tokenInvalid
                    $0.client = nil
                    $0.tokenExpiry = nil
                }
                story.wait(0.1)
            }
        },
        FieldCase("D12b endless renewal of expired ones", "auth.no-token-storm", .blamed) { story in
            for _ in 1...5 {
                story.tokenRequest()
                story.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
                story.wait(2)
            }
        },
        FieldCase("D13 the renewed token is thrown away", "auth.recovers-from-401", .blamed) {
            throwsAwayRenewed(&$0)
        },
        FieldCase("D13 the renewed token is thrown away", "auth.token-reused", .blamed) {
            throwsAwayRenewed(&$0)
        },
        FieldCase("D13 a thread had read the old one", "auth.recovers-from-401", .notBlamed) {
            story in
            let old = story.token
            story.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
            story.tokenRequest()
            story.call(Story.sites)
            story.call(Story.summary, status: 401) {
                $0.refusal = .tokenExpired
                $0.token = Story.digest(old)
                $0.tokenExpiry = 1_700_000_001
            }
            story.call(Story.summary)
        },
    ]

    private static func throwsAwayRenewed(_ story: inout Story) {
        story.tokenRequest()
        story.call(Story.sites)
        story.advanceClock(3_660)
        let (old, expiry) = (story.token, story.tokenExpiry)
        for number in 1...3 {
            story.call(Story.summary, on: "A\(number)", status: 401) {
                $0.refusal = .tokenExpired
                $0.token = Story.digest(old)
                $0.tokenExpiry = expiry
            }
            story.tokenRequest()
            story.call(Story.summary, on: "A\(number)")
        }
    }

    /// Two programs: each with a token and a connection of its own.
    private static func twoPrograms(
        _ story: inout Story,
        _ first: (inout Story) -> Void,
        _ second: (inout Story) -> Void,
        _ third: (inout Story) -> Void
    ) {
        story.connection = 1
        story.tokenRequest()
        let one = story.token
        story.connection = 2
        story.tokenRequest()
        let two = story.token
        (story.connection, story.token) = (1, one)
        first(&story)
        (story.connection, story.token) = (2, two)
        story.wait(0.015)
        second(&story)
        (story.connection, story.token) = (1, one)
        third(&story)
        (story.connection, story.token) = (2, two)
        story.call(Story.summary, on: "A9")
    }

    /// Two processes that begin with one token, and go on side by side with one of their own.
    ///
    /// - Parameter crossing: Whether a connection carries both, as those of threads do.
    private static func parted(
        _ story: inout Story,
        crossing: Bool = false,
        _ then: (inout Story, [String]) -> Void
    ) {
        story.tokenRequest()
        for connection in [1, 2, 1, 2] as [UInt64] {
            story.connection = connection
            story.call(Story.summary, on: "A\(connection)")
        }
        story.wait(3_600)
        for connection in [1, 2] as [UInt64] {
            story.connection = connection
            story.call(Story.summary, on: "A0", status: 401) { $0.refusal = .tokenExpired }
        }
        var tokens: [String] = []
        for connection in [1, 2] as [UInt64] {
            story.connection = connection
            story.tokenRequest()
            tokens.append(story.token)
        }
        for number in 0...3 {
            for connection in [1, 2] {
                story.connection = UInt64(connection)
                story.token = tokens[connection - 1]
                story.call(Story.summary, on: "A\(number)")
            }
        }
        if crossing {
            for number in 0...1 {
                story.connection = 3
                story.token = tokens[number]
                story.call(Story.summary, on: "B\(number)")
            }
        }
        then(&story, tokens)
    }

    private static let processes: [FieldCase] = [
        FieldCase("D3 another program asks meanwhile", "retry.honours-retry-after", .notBlamed) {
            twoPrograms(
                &$0,
                { $0.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 1) } },
                { $0.call(Story.sites) },
                {
                    $0.wait(1)
                    $0.call(Story.sites)
                }
            )
        },
        FieldCase("D3 one token, two connections", "retry.honours-retry-after", .notBlamed) {
            story in
            story.tokenRequest()
            story.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 1) }
            story.connection = 2
            story.wait(0.015)
            story.call(Story.sites)
            story.connection = 1
            story.wait(1)
            story.call(Story.sites)
        },
        FieldCase("D3 an impatient one beside it", "retry.honours-retry-after", .blamed) {
            twoPrograms(
                &$0,
                {
                    $0.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 1) }
                    $0.wait(0.2)
                    $0.call(Story.sites)
                },
                { $0.call(Story.sites) },
                { $0.call(Story.summary) }
            )
        },
        FieldCase("D3 impatient, a connection for each call", "retry.honours-retry-after", .blamed)
        {
            story in
            story.tokenRequest()
            for attempt in 0..<4 {
                story.connection += 1
                story.call(Story.sites, status: attempt < 3 ? 429 : 200) {
                    if attempt < 3 { $0.details.retryAfter = .init(seconds: 2) }
                }
                story.wait(0.2)
            }
        },
        FieldCase("D3 impatient, a token for each call", "retry.honours-retry-after", .blamed) {
            story in
            for attempt in 0..<4 {
                story.connection += 1
                story.tokenRequest()
                story.connection += 1
                story.call(Story.sites, status: attempt < 3 ? 429 : 200) {
                    if attempt < 3 { $0.details.retryAfter = .init(seconds: 2) }
                }
                story.wait(0.2)
            }
        },
        FieldCase("D3 a program is started again", "retry.honours-retry-after", .notBlamed) {
            story in
            story.tokenRequest()
            for number in 1...4 { story.call(Story.summary, on: "A\(number)") }
            story.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 2) }
            story.wait(0.3)
            story.connection = 2
            story.tokenRequest()
            for number in 1...4 { story.call(Story.summary, on: "A\(number)") }
            story.call(Story.sites)
        },
        FieldCase("C4 one token at first, then two", "retry.honours-retry-after", .notBlamed) {
            parted(&$0) { story, tokens in
                story.connection = 1
                story.token = tokens[0]
                story.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 1) }
                story.connection = 2
                story.token = tokens[1]
                story.wait(0.015)
                story.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 1) }
            }
        },
        FieldCase("C4 each renews the one token", "auth.recovers-from-401", .notBlamed) {
            parted(&$0) { _, _ in }
        },
        FieldCase("C4 threads that share both tokens", "retry.honours-retry-after", .blamed) {
            parted(&$0, crossing: true) { story, tokens in
                story.connection = 1
                story.token = tokens[0]
                story.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 1) }
                story.connection = 3
                story.token = tokens[1]
                story.wait(0.015)
                story.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 1) }
            }
        },
        FieldCase("C4 one after the other is one program", "retry.honours-retry-after", .blamed) {
            story in
            // The second connection is opened when the first has ended, with the token of the start.
            story.tokenRequest()
            let first = story.token
            for number in 1...4 { story.call(Story.summary, on: "A\(number)") }
            story.connection = 2
            story.call(Story.summary, on: "B0")
            story.connection = 1
            story.tokenRequest()
            for number in 1...4 { story.call(Story.summary, on: "C\(number)") }
            story.connection = 2
            story.tokenRequest()
            for number in 1...4 { story.call(Story.summary, on: "D\(number)") }
            (story.connection, story.token) = (1, first)
            story.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            (story.connection, story.token) = (2, first)
            story.wait(0.2)
            story.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
        },
        FieldCase("one id for one call is one caller", "retry.honours-retry-after", .blamed) {
            twoPrograms(
                &$0,
                {
                    $0.call(Story.sites, status: 429) {
                        $0.requestID = "one call"
                        $0.details.retryAfter = .init(seconds: 1)
                    }
                },
                { $0.call(Story.sites) { $0.requestID = "one call" } },
                { $0.call(Story.summary) }
            )
        },
        FieldCase("D4 the same words from two", effect, .notBlamed) {
            lost(&$0, key: "k1")
            $0.post(key: "k2")
            $0.post(key: "k1", status: 200) {
                $0.committed = false
                $0.idempotency = .replay
            }
        },
        FieldCase("D4 the same words from two programs", effect, .notBlamed) {
            twoPrograms(
                &$0,
                { lost(&$0, key: "k1") },
                { $0.post(key: "k2") },
                {
                    $0.post(key: "k1") {
                        $0.committed = false
                        $0.idempotency = .replay
                    }
                }
            )
        },
        FieldCase(
            "D5 the record was put in between",
            "retry.leaves-permanent-errors-alone",
            .notBlamed
        ) {
            $0.post(key: "k", status: 404)
            $0.interventions += 1
            $0.post(key: "k")
        },
        FieldCase("D5 the ledger was reset", "idempotency.payload-stable", .open) {
            $0.post(Story.reports, key: "fixed", body: "A")
            $0.interventions += 1
            $0.post(Story.reports, key: "fixed", body: "B")
        },
        FieldCase("D5 the data were reset", effect, .open) {
            lost(&$0, key: nil)
            $0.interventions += 1
            $0.post(key: nil)
        },
    ]

    private static let retries = "retry.retries-transient"

    /// Seven calls, each repeated three times, over idle and new connections in turn.
    private static func pooled(_ story: inout Story) {
        story.connection = 1
        story.tokenRequest()
        for number in 1...7 {
            for (attempt, connection) in [2, 1, 3, 4].enumerated() {
                story.connection = connection == 1 ? 1 : UInt64(number * 10 + connection)
                story.call(Story.summary, on: "A\(number)") {
                    $0.requestID = "call \(number)"
                    if attempt < 3 { $0.cut() }
                }
                story.wait(0.2 * Double(1 << attempt))
            }
        }
    }

    private static let wishes: [FieldCase] = [
        FieldCase("D6 a day is no wait", retries, .open) {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 86_400) }
        },
        FieldCase("D6 two minutes and more", retries, .open) {
            $0.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 121) }
        },
        FieldCase("D6 a minute is", retries, .blamed) {
            $0.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 60) }
        },
        FieldCase("F4 the command has ended while it was told to wait", retries, .blamed) {
            $0.tokenRequest(status: 429) { $0.details.retryAfter = .init(seconds: 1) }
            $0.hasEnded = true
        },
        FieldCase("F4 the command was stopped while it waited", retries, .open) {
            $0.tokenRequest(status: 429) { $0.details.retryAfter = .init(seconds: 1) }
            $0.stopped = $0.now + 0.2
        },
        FieldCase("a pool takes whatever connection is idle", "retry.backs-off", .notBlamed) {
            story in
            pooled(&story)
        },
        FieldCase("D7 a cancelled twin", retries, .notBlamed) {
            $0.call(Story.sites, status: nil, takes: 1) { $0.delivery = .clientLeft }
            $0.now -= 0.8
            $0.connection = 2
            $0.call(Story.sites)
        },
        FieldCase("D7 a hedged read", retries, .notBlamed) {
            $0.call(Story.summary, status: nil, takes: 3) { $0.delivery = .clientLeft }
            $0.now -= 1
            $0.connection = 2
            $0.call(Story.summary, takes: 0.5)
        },
        FieldCase("D8 a smaller page after a time-out", retries, .notBlamed) {
            $0.offsetPage(skip: 500, take: 500, items: 0, status: 504)
            $0.wait(0.5)
            $0.offsetPage(skip: 500, take: 100, items: 100)
        },
        FieldCase("D8 another spelling of the query", retries, .notBlamed) { story in
            for (query, status) in [("a%20b", 503), ("a+b", 200)] as [(String, UInt16)] {
                story.call(Story.list, on: "all", status: status) {
                    $0.queryDigest = Story.digest(query)
                    $0.details.query = [
                        .init(
                            name: "scheduledSite",
                            value: .digest(Story.digest("a b")),
                            isKnown: true
                        )
                    ]
                }
                story.wait(0.5)
            }
        },
        FieldCase("D8 another spelling of the path", retries, .notBlamed) {
            $0.call(Story.summary, on: "A%31", status: 503)
            $0.wait(0.5)
            $0.call(Story.summary, on: "A1")
        },
        FieldCase("D8 another order of parameters", retries, .notBlamed) { story in
            for (names, status) in [(["a", "b"], 503), (["b", "a"], 200)] as [([String], UInt16)] {
                story.call(Story.sites, status: status) {
                    $0.queryDigest = Story.digest(names.joined())
                    $0.details.query = names.map {
                        .init(name: $0, value: .digest(Story.digest($0)), isKnown: false)
                    }
                }
                story.wait(0.5)
            }
        },
        FieldCase("D8 a list begun anew", retries, .notBlamed) {
            $0.page(next: "t1")
            $0.page("t1") { $0.cut() }
            $0.wait(0.5)
            $0.page(next: "t1b")
            $0.page("t1b")
        },
        FieldCase("D8 a fresh presigned URL", retries, .notBlamed) {
            $0.request(.download, "GET", "/attachments/g") {
                $0.queryDigest = Story.digest("signature=1")
                $0.cut()
            }
            $0.wait(0.5)
            $0.request(.download, "GET", "/attachments/g") {
                $0.queryDigest = Story.digest("signature=2")
            }
        },
        FieldCase("D8 another list is another wish", retries, .blamed) {
            $0.offsetPage(skip: 0, items: 0, status: 504)
            $0.wait(0.5)
            $0.offsetPage(skip: 0, items: 3, filter: "g")
        },
        FieldCase("D35 the user left", retries, .open) {
            $0.call(Story.sites, status: nil, takes: 0.2) { $0.delivery = .clientLeft }
        },
        FieldCase("D35 a time-out of two seconds is one", retries, .blamed) {
            $0.call(Story.sites, status: nil, takes: 2) { $0.delivery = .clientLeft }
        },
        FieldCase("D36 a poller and single failures", "retry.jitters", .notBlamed) { story in
            for beat in 1...40 {
                story.call(Story.sites, status: beat.isMultiple(of: 4) ? 503 : 200)
                story.wait(29.99)
            }
        },
        FieldCase("D36 a poller and an outage of twelve beats", "retry.bounded", .notBlamed) {
            story in
            for beat in 1...30 {
                story.call(Story.sites, status: 10..<22 ~= beat ? 503 : 200)
                story.wait(29.99)
            }
        },
        FieldCase("D36 a loop of its own is no poller", "retry.bounded", .blamed) { story in
            for beat in 1...30 {
                story.call(Story.sites, status: 10..<22 ~= beat ? 503 : 200)
                story.wait(10..<22 ~= beat ? 1 : 29.99)
            }
        },
        FieldCase("D34 URLs whose key was forgotten", effect, .open) {
            $0.post(Story.uploads, key: "k") { $0.cut(.after) }
            $0.advanceClock(960)
            $0.post(Story.uploads, key: "k")
        },
    ]

    /// Two tokens between a 401 and the call again: one for each of two processes, or one for nobody.
    private static func renewals(_ story: inout Story, isTwo: Bool) {
        story.connection = 1
        story.tokenRequest()
        story.call(Story.sites)
        story.connection = 2
        story.call(Story.summary)
        story.wait(3_600)
        story.connection = 1
        story.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
        if isTwo { story.connection = 2 }
        story.tokenRequest()
        if isTwo { story.call(Story.summary, on: "A2") }
        story.connection = 1
        story.tokenRequest()
        story.call(Story.sites)
    }

    private static let storm = "auth.no-token-storm"

    private static let tokens: [FieldCase] = [
        FieldCase("D10 a cursor has aged out", "contract.valid-requests", .notBlamed) {
            $0.page(next: "t1")
            $0.advanceClock(90_000)
            $0.tokenRequest()
            $0.page("t1", status: 400) { $0.refusal = .nextToken }
            $0.page()
        },
        FieldCase("D10 and is sent again", "contract.valid-requests", .blamed) {
            $0.page(next: "t1")
            $0.advanceClock(90_000)
            $0.tokenRequest()
            for _ in 1...2 { $0.page("t1", status: 400) { $0.refusal = .nextToken } }
        },
        FieldCase("D11 two tokens in use", "auth.token-reused", .notBlamed) { story in
            story.tokenRequest()
            let one = story.token
            story.call(Story.sites)
            story.tokenRequest()
            let two = story.token
            for number in 1...6 {
                story.token = number.isMultiple(of: 2) ? one : two
                story.call(Story.summary, on: "A\(number)")
            }
        },
        FieldCase(
            "D11 the older one stays in use, the newer is idle",
            "auth.token-reused",
            .notBlamed
        ) {
            story in
            story.tokenRequest()
            let one = story.token
            story.call(Story.sites)
            story.tokenRequest()
            story.call(Story.summary, on: "A0")
            story.token = one
            for number in 1...3 { story.call(Story.summary, on: "A\(number)") }
        },
        FieldCase("D12 renewed and still refused", "auth.recovers-from-401", .notBlamed) { story in
            for _ in 1...2 {
                story.tokenRequest()
                story.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
            }
        },
        FieldCase("D12 with a pause between", "auth.recovers-from-401", .notBlamed) { story in
            for _ in 1...2 {
                story.tokenRequest()
                story.wait(5)
                story.call(Story.summary, status: 401) { $0.refusal = .tokenExpired }
            }
        },
        FieldCase("D14 waited for as told, three times", storm, .notBlamed) { story in
            for _ in 1...3 {
                story.tokenRequest(status: 429) { $0.details.retryAfter = .init(seconds: 1) }
                story.wait(1)
            }
            story.tokenRequest()
        },
        FieldCase("D14 four programs, one is refused", storm, .notBlamed) { fourPrograms(&$0) },
        FieldCase("D14 four programs, one waits", "retry.honours-retry-after", .notBlamed) {
            fourPrograms(&$0)
        },
        FieldCase("D40 a back-off with jitter", storm, .notBlamed) { story in
            for pause in [0.5, 1.0, 2.0] {
                story.tokenRequest(status: 503)
                story.wait(pause)
            }
            story.tokenRequest()
        },
        FieldCase("F8 a token for each call, after one refusal", storm, .notBlamed) { story in
            story.tokenRequest(status: 429) { $0.details.retryAfter = .init(seconds: 1) }
            story.wait(1)
            for _ in 1...8 {
                story.tokenRequest()
                story.call(Story.sites)
            }
        },
        FieldCase("F4 another form of the secret at once", "retry.honours-retry-after", .blamed) {
            $0.tokenRequest(status: 429) { $0.details.retryAfter = .init(seconds: 1) }
            $0.wait(0.001)
            $0.tokenRequest { $0.contentDigest = Story.digest("secret in the form") }
        },
        FieldCase("F4 the endpoint is given up", retries, .blamed) {
            $0.tokenRequest(status: 429) { $0.details.retryAfter = .init(seconds: 1) }
        },
        FieldCase("F9 renewed by its own clock", "auth.recovers-from-401", .open) {
            $0.tokenRequest()
            $0.call(Story.sites)
            $0.advanceClock(3_660)
            $0.call(Story.summary, status: 401) { $0.refusal = .tokenExpired }
        },
        FieldCase("F9 not renewed at all, in real time", "auth.recovers-from-401", .blamed) {
            $0.tokenRequest()
            $0.call(Story.sites)
            $0.wait(3_600)
            $0.call(Story.summary, status: 401) { $0.refusal = .tokenExpired }
        },
        FieldCase("two processes with one token renew it", "auth.recovers-from-401", .notBlamed) {
            renewals(&$0, isTwo: true)
        },
        FieldCase("one process renews it twice", "auth.recovers-from-401", .blamed) {
            renewals(&$0, isTwo: false)
        },
        FieldCase("D39 renewed at three quarters", "auth.token-reused", .notBlamed) {
            $0.tokenRequest()
            $0.call(Story.sites)
            $0.wait(2_760)
            $0.tokenRequest()
            $0.call(Story.sites)
        },
        FieldCase("D42 HEAD asks how things are", "auth.recovers-from-401", .notBlamed) {
            $0.call(Story.sites, "HEAD", status: 401) { $0.refusal = .tokenExpired }
            $0.tokenRequest()
            $0.call(Story.summary)
        },
    ]

    private static func fourPrograms(_ story: inout Story) {
        for number in 1...4 {
            story.connection = UInt64(number)
            if number == 1 {
                story.tokenRequest(status: 503) { $0.details.retryAfter = .init(seconds: 1) }
            } else {
                story.tokenRequest()
                story.call(Story.summary, on: "A\(number)")
            }
        }
        story.wait(1)
        for number in 2...4 {
            story.connection = UInt64(number)
        }
        story.connection = 1
        story.tokenRequest()
        story.call(Story.summary, on: "A1")
    }

    private static let files = "reporting.report-after-files"

    private static let lists: [FieldCase] = [
        FieldCase("D9 the Back button", "paging.stops-at-end", .notBlamed) {
            $0.page(next: "t1")
            $0.page("t1", next: "t2")
            $0.page("t2")
            $0.page("t1", next: "t2")
        },
        FieldCase("D9 the Back button, twice", "paging.stops-at-end", .notBlamed) { story in
            story.page(next: "t1")
            story.page("t1", next: "t2")
            story.page("t2")
            for _ in 1...2 { story.page("t2") }
        },
        FieldCase("D9 a loop", "paging.stops-at-end", .blamed) { story in
            story.page(next: "t1")
            story.page("t1")
            for _ in 1...6 { story.page("t1") }
        },
        FieldCase(
            "D19 the server closes idle connections",
            "transport.reuses-connections",
            .notBlamed
        ) {
            story in
            story.idleTimeout = 1
            for number in 0..<21 {
                story.connection = UInt64(number)
                story.call(Story.sites)
                story.wait(1.15)
            }
        },
        FieldCase("D19 and else they are the client's", "transport.reuses-connections", .blamed) {
            story in
            for number in 0..<21 {
                story.connection = UInt64(number)
                story.call(Story.sites)
                story.wait(1.15)
            }
        },
        FieldCase("D19 four threads, three hosts", "transport.reuses-connections", .notBlamed) {
            story in
            story.connection = 9
            story.tokenRequest()
            for round in 0..<5 {
                for thread in 1...4 {
                    story.connection = UInt64(thread)
                    story.call(Story.summary, on: "A\(round)\(thread)")
                    story.wait(0.1)
                }
            }
        },
        FieldCase("D19 two programs, each with one", "transport.reuses-connections", .notBlamed) {
            story in
            var tokens: [String] = []
            for program in 1...2 {
                story.connection = UInt64(program)
                story.tokenRequest()
                tokens.append(story.token)
            }
            for round in 0..<24 {
                for program in 1...2 {
                    story.connection = UInt64(program)
                    story.token = tokens[program - 1]
                    story.call(Story.summary, on: "A\(round)")
                    story.wait(0.1)
                }
            }
        },
        FieldCase("stopped after the first page", "paging.reads-to-the-end", .open) {
            $0.page(next: "t1") { $0.details.query = [] }
            $0.stopped = $0.now + 1
        },
        FieldCase("stopped after a broken upload", "upload.stored-after-failure", .open) {
            $0.askForURLs(["g"], key: "k")
            $0.put("g") { $0.cut() }
            $0.stopped = $0.now + 1
        },
        FieldCase("a URL has ended since the clock was moved", "upload.before-expiry", .open) {
            $0.askForURLs(["g"], key: "k")
            $0.advanceClock(960)
            $0.put("g", status: 403, refusal: .urlExpired) { $0.committed = false }
        },
        FieldCase("D63 only the first page", "paging.reads-to-the-end", .blamed) {
            $0.page(next: "t1") { $0.details.query = [] }
        },
        FieldCase("D63 one page of a size of its own", "paging.reads-to-the-end", .notBlamed) {
            $0.page(next: "t1", size: 5)
        },
        FieldCase("D64 five tokens, one is used", "auth.no-stampede", .blamed) { story in
            for thread in 0..<5 {
                story.connection = UInt64(thread)
                story.tokenRequest(takes: 0.5)
                story.now -= 0.49
            }
            story.wait(0.6)
            story.call(Story.sites)
        },
        FieldCase("D65 an empty file", "upload.content-as-promised", .blamed) {
            $0.askForURLs(["g"], key: "k")
            $0.put("g") { $0.details.uploadFlaw = .empty }
        },
        FieldCase("D66 a report of tomorrow", "reporting.plausible-time", .blamed) { story in
            let now = Int64(story.now + story.clockLead)
            story.post(Story.reports, key: "k") {
                $0.details.report = .init(status: "final", reportedAt: now + 86_400)
            }
        },
        FieldCase("D66 a clock that is four minutes ahead", "reporting.plausible-time", .notBlamed)
        {
            story in
            let now = Int64(story.now + story.clockLead)
            story.post(Story.reports, key: "k") {
                $0.details.report = .init(status: "final", reportedAt: now + 240)
            }
        },
        FieldCase("D67 preliminary over final", "reporting.no-step-back", .blamed) { story in
            for (place, status) in ["final", "preliminary"].enumerated() {
                story.post(Story.reports, key: "k\(place)", body: status) {
                    $0.details.report = .init(status: status, reportedAt: nil)
                }
            }
        },
        FieldCase("D67 by two programs", "reporting.no-step-back", .open) {
            twoPrograms(
                &$0,
                {
                    $0.post(Story.reports, key: "k1", body: "f") {
                        $0.details.report = .init(status: "final", reportedAt: nil)
                    }
                },
                {
                    $0.post(Story.reports, key: "k2", body: "p") {
                        $0.details.report = .init(status: "preliminary", reportedAt: nil)
                    }
                },
                { $0.call(Story.summary) }
            )
        },
        FieldCase("D67 by two processes with one token", "reporting.no-step-back", .open) { story in
            story.tokenRequest()
            for (place, status) in ["final", "preliminary"].enumerated() {
                story.connection = UInt64(place + 1)
                story.post(Story.reports, key: "k\(place)", body: status) {
                    $0.details.report = .init(status: status, reportedAt: nil)
                }
            }
            story.connection = 1
            story.call(Story.summary)
        },
        FieldCase("C5 the final report is one's last call", "reporting.no-step-back", .open) {
            story in
            story.tokenRequest()
            for (place, status) in [(1, ""), (2, ""), (1, "final"), (2, "preliminary")] {
                story.connection = UInt64(place)
                guard !status.isEmpty else {
                    story.call(Story.summary)
                    continue
                }
                story.post(Story.reports, key: "k\(place)", body: status) {
                    $0.details.report = .init(status: status, reportedAt: nil)
                }
            }
        },
        FieldCase("C5 over a connection opened later", "reporting.no-step-back", .blamed) {
            story in
            story.tokenRequest()
            for (place, status) in ["final", "preliminary"].enumerated() {
                story.connection = UInt64(place + 1)
                story.post(Story.reports, key: "k\(place)", body: status) {
                    $0.details.report = .init(status: status, reportedAt: nil)
                }
            }
        },
        FieldCase("two processes with one token, always over new connections", noStepBack, .open) {
            $0.tokenRequest()
            reportsBesideCalls(&$0, takes: 2)
        },
        FieldCase("one thread, always over new connections", noStepBack, .blamed) {
            $0.tokenRequest()
            reportsBesideCalls(&$0, takes: 0.04)
        },
        FieldCase("a call that was given up beside the next", noStepBack, .blamed) {
            $0.tokenRequest()
            reportsBesideCalls(&$0, takes: 2) { $0.delivery = .clientLeft }
        },
        FieldCase("two threads, and both reports over one connection", noStepBack, .blamed) {
            story in
            story.tokenRequest()
            for _ in 1...2 {
                story.connection += 1
                story.call(Story.sites, takes: 2)
                story.now -= 1
            }
            story.wait(1)
            for status in ["final", "preliminary"] {
                story.post(Story.reports, key: status, body: status) {
                    $0.details.report = .init(status: status, reportedAt: nil)
                }
            }
        },
        FieldCase("calls pipelined over one connection", noStepBack, .blamed) { story in
            story.tokenRequest()
            for _ in 1...2 {
                story.call(Story.sites, takes: 2)
                story.now -= 1
            }
            story.wait(1)
            for status in ["final", "preliminary"] {
                story.connection += 1
                story.post(Story.reports, key: status, body: status) {
                    $0.details.report = .init(status: status, reportedAt: nil)
                }
            }
        },
        FieldCase("eight share a limit, each waits as told", "retry.bounded", .notBlamed) { story in
            for attempt in 1...30 {
                story.call(Story.sites, status: attempt < 30 ? 429 : 200) {
                    $0.details.retryAfter = .init(seconds: 1)
                }
                story.wait(1)
            }
        },
        FieldCase("it never waits as told", "retry.bounded", .blamed) { story in
            for attempt in 1...30 {
                story.call(Story.sites, status: attempt < 30 ? 429 : 200) {
                    $0.details.retryAfter = .init(seconds: 1)
                }
                story.wait(0.9)
            }
        },
        FieldCase("told once, then eleven times unbidden", "retry.bounded", .blamed) { story in
            for attempt in 1...12 {
                story.call(Story.sites, status: attempt < 12 ? 503 : 200) {
                    if attempt == 1 { $0.details.retryAfter = .init(seconds: 1) }
                }
                story.wait(1)
            }
        },
        FieldCase("told once, then nine times unbidden", "retry.bounded", .praised) { story in
            for attempt in 1...11 {
                story.call(Story.sites, status: attempt < 11 ? 503 : 200) {
                    if attempt == 1 { $0.details.retryAfter = .init(seconds: 1) }
                }
                story.wait(1)
            }
        },
        FieldCase("told to wait no time at all", "retry.bounded", .blamed) { story in
            for attempt in 1...11 {
                story.call(Story.sites, status: attempt < 11 ? 503 : 200) {
                    $0.details.retryAfter = .init(seconds: 0)
                }
                story.wait(1)
            }
        },
        FieldCase("pages of 100 and of 200 come to one place", keeps, .praised) { story in
            story.page(next: "t1", size: 100)
            story.page("t1", next: "t2", size: 100)
            story.page(next: "t2", size: 200)
            story.page("t2", next: "t3", size: 100)
            story.page("t2", size: 200)
            story.page("t3", size: 100)
        },
        FieldCase("a size that no page before it had", keeps, .blamed) { story in
            story.page(next: "t2", size: 100)
            story.page(next: "t2", size: 200)
            story.page("t2", size: 50)
        },
        FieldCase("D37 pages that overlap", "paging.offset-stops", .notBlamed) {
            $0.offsetPage(skip: 0, items: 100)
            $0.offsetPage(skip: 90, items: 100)
            $0.offsetPage(skip: 180, items: 3)
        },
        FieldCase("D37 a jump to page seven", "paging.offset-stops", .notBlamed) {
            $0.offsetPage(skip: 0, items: 100)
            $0.offsetPage(skip: 600, items: 100)
        },
        FieldCase("a report while another's file is on its way", files, .notBlamed) { story in
            story.tokenRequest()
            story.askForURLs(["g"], key: "k1")
            story.connection = 2
            story.askForURLs(["h"], key: "k2")
            story.connection = 1
            story.put("g")
            story.post(Story.reports, key: "k3") {
                $0.details.report = .init(status: "final", reportedAt: nil)
            }
            story.connection = 2
            story.put("h")
            story.call(Story.summary)
        },
        FieldCase("a report before its file, a connection for each call", files, .blamed) { story in
            story.tokenRequest()
            for guid in ["g", "h"] {
                story.connection += 1
                story.askForURLs([guid], key: guid)
            }
            story.connection += 1
            story.put("g")
            story.connection += 1
            story.post(Story.reports, key: "k3") {
                $0.details.report = .init(status: "final", reportedAt: nil)
            }
        },
        FieldCase("D38 the clock was set", "upload.completed", .open) {
            $0.advanceClock(-30_000_000)
            $0.askForURLs(["g"], key: "k")
        },
        FieldCase("D45 two workers on one list", "reporting.pending-only", .notBlamed) {
            twoPrograms(
                &$0,
                { $0.post(Story.reports, key: "k1") },
                {
                    $0.post(Story.reports, key: "k2", status: 404) { $0.refusal = .notPending }
                },
                { $0.call(Story.summary) }
            )
        },
        FieldCase("D46 one id for two calls at once", "trace.correlation-id", .blamed) {
            $0.call(Story.sites, takes: 1) { $0.requestID = "same" }
            $0.now -= 0.5
            $0.call(Story.summary, takes: 1) { $0.requestID = "same" }
        },
    ]
}
