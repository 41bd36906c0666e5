import Journal
import Testing
import Verdict

/// What lies just within each threshold, and just beyond it; and what one caller did, or another.
///
/// Found by changing the rules one by one, a number to a quarter and to four times, and looking which
/// change no test noticed.
extension FieldCase {
    static let boundaries = tokenBoundaries + retryBoundaries + rhythms + conduct + others + stops

    private static let recovery = "auth.recovers-from-401"
    private static let retries = "retry.retries-transient"
    private static let told = "retry.honours-retry-after"

    private static func refuse(_ entry: inout JournalEntry) { entry.refusal = .tokenExpired }

    private static func wait(_ seconds: Int) -> (inout JournalEntry) -> Void {
        { $0.details.retryAfter = .init(seconds: seconds) }
    }

    /// A token of a quarter of an hour, renewed with so many seconds left.
    private static func renewed(_ story: inout Story, secondsLeft: Double) {
        let expiry = Int64(story.now + story.clockLead) + 900
        story.tokenRequest { $0.tokenExpiry = expiry }
        story.tokenExpiry = expiry
        story.call(Story.sites)
        story.wait(900 - secondsLeft)
        story.tokenRequest()
        story.call(Story.sites)
    }

    /// Two programs, each with a connection and a token that it used for a while; the first goes on.
    private static func programs(_ story: inout Story) -> [String] {
        var tokens: [String] = []
        for connection in [1, 2] as [UInt64] {
            story.connection = connection
            story.tokenRequest()
            tokens.append(story.token)
        }
        for number in 1...3 {
            for program in [1, 0] {
                use(&story, tokens, program)
                story.call(Story.summary, on: "P\(number)")
            }
        }
        return tokens
    }

    private static func use(_ story: inout Story, _ tokens: [String], _ program: Int) {
        story.connection = UInt64(program + 1)
        story.token = tokens[program]
    }

    private static let tokenBoundaries: [FieldCase] = [
        FieldCase("renewed nine minutes before its end", "auth.token-reused", .notBlamed) {
            renewed(&$0, secondsLeft: 540)
        },
        FieldCase("renewed eleven minutes before its end", "auth.token-reused", .blamed) {
            renewed(&$0, secondsLeft: 660)
        },
        FieldCase("called again half a minute after the 401", recovery, .notBlamed) {
            $0.tokenRequest()
            $0.wait(3_600)
            $0.call(Story.sites, status: 401, refuse)
            $0.tokenRequest()
            $0.wait(30)
            $0.call(Story.sites)
        },
        FieldCase("few calls with one token, many with the next", recovery, .notBlamed) { story in
            // A connection for each call: only tokens tell what belongs together.
            for calls in [0, 5, 0, 5] {
                story.connection += 1
                story.tokenRequest()
                story.connection += 1
                story.call(Story.sites)
                for number in 0..<calls {
                    story.connection += 1
                    story.call(Story.summary, on: "A\(number)")
                }
                story.wait(3_600)
                story.connection += 1
                story.call(Story.sites, status: 401, refuse)
            }
            story.connection += 1
            story.tokenRequest()
            story.connection += 1
            story.call(Story.sites)
        },
        FieldCase("another program's call is no way back", recovery, .blamed) {
            let tokens = programs(&$0)
            use(&$0, tokens, 0)
            $0.call(Story.sites, status: 401, refuse)
            use(&$0, tokens, 1)
            $0.wait(1)
            $0.call(Story.sites)
            use(&$0, tokens, 0)
            $0.call(Story.summary, on: "P9")
        },
        FieldCase("tokens of another program are not counted", recovery, .notBlamed) {
            let tokens = programs(&$0)
            use(&$0, tokens, 0)
            $0.call(Story.sites, status: 401, refuse)
            $0.connection = 2
            for _ in 1...2 { $0.tokenRequest() }
            $0.connection = 1
            $0.tokenRequest()
            $0.call(Story.sites)
            use(&$0, tokens, 1)
            $0.call(Story.summary, on: "P9")
        },
        FieldCase("renewed in vain every half minute", "auth.no-token-storm", .blamed) {
            renewals(&$0, pause: 30)
        },
        FieldCase("renewed in vain every other minute", "auth.no-token-storm", .notBlamed) {
            renewals(&$0, pause: 90)
        },
        FieldCase("asked at once after each reset", "auth.no-token-storm", .notBlamed) { story in
            for _ in 1...6 {
                story.tokenRequest(status: 503)
                story.interventions += 1
            }
            story.tokenRequest()
        },
        FieldCase("three tokens within two seconds", "auth.no-stampede", .blamed) {
            starts(&$0, pause: 0.9)
        },
        FieldCase("three tokens within six seconds", "auth.no-stampede", .notBlamed) {
            starts(&$0, pause: 3)
        },
        FieldCase("impatient, a token for every two calls", told, .blamed) { story in
            for attempt in 0..<4 {
                story.connection += 1
                story.tokenRequest()
                story.call(Story.summary)
                story.call(Story.sites, status: attempt < 3 ? 429 : 200) {
                    if attempt < 3 { $0.details.retryAfter = .init(seconds: 2) }
                }
                story.wait(0.2)
            }
        },
    ]

    private static func renewals(_ story: inout Story, pause: Double) {
        for _ in 1...5 {
            story.tokenRequest()
            story.call(Story.sites, status: 401, refuse)
            story.wait(pause)
        }
    }

    private static func starts(_ story: inout Story, pause: Double) {
        for number in 0..<3 {
            story.connection = UInt64(number + 1)
            story.tokenRequest(takes: 8)
            story.now += pause - 8
        }
        story.wait(8)
        story.call(Story.sites)
    }

    private static let retryBoundaries: [FieldCase] = [
        FieldCase("left after half a second", retries, .open) {
            $0.call(Story.sites, status: nil, takes: 0.5) { $0.delivery = .clientLeft }
        },
        FieldCase("retried after five minutes", retries, .notBlamed) {
            $0.call(Story.sites, status: 503)
            $0.wait(300)
            $0.call(Story.sites)
        },
        FieldCase("another program's twin answers nobody else", retries, .blamed) {
            let tokens = programs(&$0)
            use(&$0, tokens, 0)
            $0.call(Story.sites, status: nil, takes: 3) { $0.delivery = .clientLeft }
            $0.now -= 2
            use(&$0, tokens, 1)
            $0.call(Story.sites)
            $0.wait(3)
            use(&$0, tokens, 0)
            $0.call(Story.summary, on: "P9")
        },
        FieldCase("started again while it waited for a token", told, .notBlamed) { story in
            story.tokenRequest(status: 429, wait(1))
            story.wait(0.5)
            story.connection = 2
            story.tokenRequest()
            for number in 1...5 { story.call(Story.summary, on: "A\(number)") }
        },
        FieldCase("a connection for each call, and no wait for a token", told, .blamed) { story in
            story.tokenRequest(status: 429, wait(1))
            story.wait(0.5)
            story.connection = 2
            story.tokenRequest()
            for number in 1...5 {
                story.connection += 1
                story.call(Story.summary, on: "A\(number)")
            }
        },
        FieldCase("nine seconds later over its own connection", told, .notBlamed) {
            shared(&$0, pause: 9)
        },
        FieldCase("twenty seconds later is another call", told, .blamed) {
            shared(&$0, pause: 20)
        },
        FieldCase(
            "refused for good, sent again after half a minute",
            "retry.leaves-permanent-errors-alone",
            .blamed
        ) {
            $0.post(key: "k", status: 404)
            $0.wait(30)
            $0.post(key: "k", status: 404)
        },
        FieldCase(
            "refused for good, sent by another program",
            "retry.leaves-permanent-errors-alone",
            .notBlamed
        ) {
            let tokens = programs(&$0)
            for program in [0, 1] {
                use(&$0, tokens, program)
                $0.post(key: nil, status: 404)
            }
            use(&$0, tokens, 0)
            $0.call(Story.summary, on: "P9")
        },
        FieldCase(
            "three refused reads in six seconds",
            "retry.leaves-permanent-errors-alone",
            .blamed
        ) { story in
            for _ in 1...3 {
                story.call(Story.summary, status: 404) { $0.refusal = .notFound }
                story.wait(3)
            }
        },
    ]

    /// A refused call, somebody else's like it with the same token at once, and its own after a pause.
    private static func shared(_ story: inout Story, pause: Double) {
        story.tokenRequest()
        story.call(Story.sites, status: 429, wait(1))
        story.connection = 2
        story.wait(0.015)
        story.call(Story.sites)
        story.connection = 1
        story.wait(pause)
        story.call(Story.sites)
    }

    private static let rhythms: [FieldCase] = [
        FieldCase("two beats are no rhythm", told, .blamed) { story in
            for status in [200, 200, 429] as [UInt16] {
                story.call(Story.sites, status: status) {
                    if status == 429 { $0.details.retryAfter = .init(seconds: 2) }
                }
                story.wait(0.99)
            }
            story.call(Story.sites)
        },
        FieldCase("five beats are one", told, .notBlamed) { polls(&$0, lastBeat: 10) },
        FieldCase("a beat may be off by a seventh", told, .notBlamed) { polls(&$0, lastBeat: 8.6) },
        FieldCase("half a beat is off", told, .blamed) { polls(&$0, lastBeat: 5) },
    ]

    /// A poller every ten seconds that is told to wait for twenty, and comes after its last beat.
    private static func polls(_ story: inout Story, lastBeat: Double) {
        for beat in 1...6 {
            story.call(Story.sites, status: beat == 6 ? 429 : 200) {
                if beat == 6 { $0.details.retryAfter = .init(seconds: 20) }
            }
            story.wait((beat == 6 ? lastBeat : 10) - 0.01)
        }
        story.call(Story.sites)
    }

    /// A new connection for each of 24 calls, after such a pause.
    private static func connections(_ story: inout Story, takes: Double = 0.01, pause: Double) {
        for number in 1...24 {
            story.connection = UInt64(number)
            story.call(Story.summary, on: "A\(number)", takes: takes)
            story.wait(pause)
        }
    }

    /// A silence or a delay, and how long the client waited.
    private static func silence(_ story: inout Story, delay: Int64, waits: Double, isLeft: Bool) {
        story.call(Story.sites, status: isLeft ? nil : 200, takes: waits) {
            $0.details.fault = JournalFault(
                rule: "f",
                phase: .before,
                effects: .delay,
                delay: delay * 1_000_000_000
            )
            if isLeft { $0.delivery = .clientLeft }
        }
    }

    private static let reuse = "transport.reuses-connections"

    private static let conduct: [FieldCase] = [
        FieldCase("all are opened within forty milliseconds", reuse, .notBlamed) {
            connections(&$0, takes: 0.001, pause: 0.0007)
        },
        FieldCase("the server is about to close", reuse, .notBlamed) {
            $0.idleTimeout = 1
            connections(&$0, pause: 0.85)
        },
        FieldCase("the server is not about to close yet", reuse, .blamed) {
            $0.idleTimeout = 1
            connections(&$0, pause: 0.5)
        },
        FieldCase("half a minute is no silence", "transport.times-out", .absent) {
            silence(&$0, delay: 30, waits: 30, isLeft: false)
        },
        FieldCase("a minute and a half is one", "transport.times-out", .praised) {
            silence(&$0, delay: 90, waits: 61, isLeft: true)
            $0.wait(1)
            $0.call(Story.sites)
        },
        FieldCase("left shortly before the stop", "transport.times-out", .open) {
            silence(&$0, delay: 90, waits: 61, isLeft: true)
            $0.stopped = $0.now + 0.3
        },
        FieldCase("left a second before the stop", "transport.times-out", .praised) {
            silence(&$0, delay: 90, waits: 61, isLeft: true)
            $0.stopped = $0.now + 1
        },
        FieldCase("a report of ten minutes ahead", "reporting.plausible-time", .blamed) {
            reported(&$0, ago: -600)
        },
        FieldCase("a report of half a year ago", "reporting.plausible-time", .notBlamed) {
            reported(&$0, ago: 200 * 86_400)
        },
        FieldCase("D61 a name in another field", "privacy.no-patient-data-in-urls", .blamed) {
            $0.call(Story.sites) { $0.findings = [.patientDataInField] }
        },
    ]

    private static func reported(_ story: inout Story, ago seconds: Int64) {
        let now = Int64(story.now + story.clockLead)
        story.post(Story.reports, key: "k") {
            $0.details.report = .init(status: "final", reportedAt: now - seconds)
        }
    }

    private static let effect = "idempotency.no-duplicate-effect"

    private static func lose(_ story: inout Story, _ key: String, body: String = "body") {
        story.post(key: key, body: body) { $0.cut(.after) }
    }

    /// A write without an answer by one program, and one by the other.
    private static func writes(_ story: inout Story, _ bodies: [String]) {
        let tokens = programs(&story)
        use(&story, tokens, 0)
        lose(&story, "k1", body: bodies[0])
        use(&story, tokens, 1)
        story.wait(0.2)
        story.post(key: "k2", body: bodies[1])
        use(&story, tokens, 0)
        story.call(Story.summary, on: "P9")
    }

    private static let others: [FieldCase] = [
        FieldCase("the same words by two programs", "idempotency.key-reused-on-retry", .notBlamed) {
            writes(&$0, ["body", "body"])
        },
        FieldCase("the same words after a reset", "idempotency.key-reused-on-retry", .notBlamed) {
            lose(&$0, "k1")
            $0.interventions += 1
            $0.post(key: "k2")
        },
        FieldCase("written by two programs, once unheard", effect, .open) {
            writes(&$0, ["body", "body"])
        },
        FieldCase("something else by another program", effect, .absent) {
            writes(&$0, ["one", "two"])
        },
        FieldCase("said otherwise half a minute later", effect, .open) { drifts(&$0, pause: 30) },
        FieldCase("said otherwise two minutes later", effect, .absent) { drifts(&$0, pause: 120) },
        FieldCase(
            "a report beside another program's missing file",
            "reporting.report-after-files",
            .notBlamed
        ) {
            let tokens = programs(&$0)
            use(&$0, tokens, 0)
            $0.askForURLs(["g"], key: "k1")
            use(&$0, tokens, 1)
            reported(&$0, ago: 0)
            use(&$0, tokens, 0)
            $0.call(Story.summary, on: "P9")
        },
        FieldCase("D67 by a program that is started again", "reporting.no-step-back", .open) {
            story in
            for (place, status) in ["final", "preliminary"].enumerated() {
                story.connection = UInt64(place + 1)
                story.tokenRequest()
                for number in 1...3 { story.call(Story.summary, on: "A\(number)") }
                story.post(Story.reports, key: "k\(place)", body: status) {
                    $0.details.report = .init(status: status, reportedAt: nil)
                }
            }
        },
    ]

    private static func drifts(_ story: inout Story, pause: Double) {
        lose(&story, "k1", body: "03:04:00")
        story.wait(pause)
        story.post(key: "k2", body: "03:04:01")
    }

    /// Stopped so long after what was open.
    private static func stopped(
        _ name: String,
        _ check: String,
        _ tell: @escaping (inout Story) -> Void
    ) -> [FieldCase] {
        [(30.0, Demand.open), (90, .blamed)].map { seconds, demand in
            FieldCase("\(name), stopped \(Int(seconds)) s later", check, demand) {
                tell(&$0)
                $0.stopped = $0.now + seconds
            }
        }
    }

    private static let stops: [FieldCase] =
        stopped("a first page", "paging.reads-to-the-end") {
            $0.page(next: "t1") { $0.details.query = [] }
        }
        + stopped("a failure", retries) { $0.call(Story.sites, status: 503) }
        + stopped("a broken upload", "upload.stored-after-failure") {
            $0.askForURLs(["g"], key: "k")
            $0.put("g") { $0.cut() }
        }
        + stopped("upload URLs", "upload.completed") { $0.askForURLs(["g"], key: "k") }
        + stopped("an expired token", recovery) {
            $0.tokenRequest()
            $0.wait(3_600)
            $0.call(Story.sites, status: 401, refuse)
        }
}

@Suite struct PauseRuleTests {
    /// Six chains that begin with such pauses by turns and end with a share of them, in seconds.
    private static func chains(_ firsts: [Double], _ share: Double) -> [[Int64]] {
        (0..<6).map { place in
            let first = firsts[place % firsts.count]
            return [first, first * (1 + share) / 2, first * share].map { Int64($0 * 1e9) }
        }
    }

    @Test("Pauses with large jitter shrink where chance does not make that")
    func shrinking() {
        // They deviate by a third: 2.9 standard errors, then 3.3.
        #expect(PauseRules.growth(of: Self.chains([0.7, 1.3], 0.55))?.answer == .open)
        #expect(PauseRules.growth(of: Self.chains([0.7, 1.3], 0.5))?.answer == .notAsAsked)
    }

    @Test("A tenth of a second can be measured, a thirtieth cannot")
    func measurable() {
        #expect(PauseRules.growth(of: Self.chains([0.1], 1))?.answer == .notAsAsked)
        #expect(PauseRules.growth(of: Self.chains([0.033], 1))?.answer == .open)
    }

    @Test("Pauses that deviate by one percent are the same, by three they may not be")
    func spread() {
        func answer(_ share: Double) -> PauseRules.Answer? {
            let group = (0..<8).map { Int64((1 + ($0.isMultiple(of: 2) ? share : -share)) * 1e9) }
            return PauseRules.spread(of: [group])?.answer
        }
        #expect(answer(0.01) == .notAsAsked)
        #expect(answer(0.03) == .open)
        #expect(answer(0.06) == .asAsked)
    }

    @Test("Five chains are too few, and chains are compared as far as all reach")
    func lengths() {
        let chains = Self.chains([0.5], 4)
        #expect(PauseRules.growth(of: Array(chains.prefix(5))) == nil)
        // One goes on for long: it does not stand for the others.
        let uneven =
            Self.chains([0.5], 1).dropLast() + [
                [500_000_000, 500_000_000, 500_000_000, 60_000_000_000]
            ]
        #expect(PauseRules.growth(of: Array(uneven))?.answer == .notAsAsked)
        #expect(PauseRules.growth(of: Array(uneven))?.places == 3)
    }
}
