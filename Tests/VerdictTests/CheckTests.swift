import Chance
import Journal
import Testing
import Verdict

@Suite struct CheckTests {
    @Test("Each check judges its cases, and no other check fails unasked", arguments: CheckCase.all)
    func judges(row: CheckCase) throws {
        let report = row.story.verdict()
        let result = try #require(report.checks.first { $0.check.id == row.check })
        #expect(result.outcome == row.outcome, "\(result.summary)")
        let failed = Set(report.checks(.fail).map(\.check.id))
        #expect(failed == row.implied.union(row.outcome == .fail ? [row.check] : []))
        #expect(result.evidence.isEmpty == (row.outcome != .fail))
        #expect(result.evidence.allSatisfy { !$0.requests.isEmpty })
    }

    @Test("Every check has a case that passes, one that fails and one that is not exercised")
    func catalogueIsCovered() {
        for check in Check.all {
            let outcomes = Set(CheckCase.all.filter { $0.check == check.id }.map(\.outcome))
            #expect(outcomes.isSuperset(of: [.pass, .fail, .notExercised]), "\(check.id)")
        }
    }

    @Test("The catalogue has the checks of the specification, in its order")
    func catalogue() {
        #expect(
            Check.all.map(\.id) == [
                "retry.retries-transient", "retry.honours-retry-after", "retry.not-too-late",
                "retry.pauses",
                "retry.backs-off", "retry.jitters", "retry.bounded",
                "retry.leaves-permanent-errors-alone",
                "idempotency.key-sent", "idempotency.key-wellformed",
                "idempotency.key-reused-on-retry", "idempotency.payload-stable",
                "idempotency.key-fresh-per-operation", "idempotency.no-duplicate-effect",
                "paging.cursor-verbatim", "paging.stops-at-end", "paging.keeps-parameters",
                "paging.offset-stops", "paging.reads-to-the-end", "auth.token-reused",
                "auth.recovers-from-401", "auth.no-token-storm", "auth.no-stampede",
                "auth.header-only", "auth.within-domains", "upload.before-expiry",
                "upload.content-type", "upload.content-length", "upload.size",
                "upload.single-put", "upload.new-url-after-failure",
                "upload.stored-after-failure", "upload.content-as-promised",
                "upload.no-credentials", "upload.completed", "errors.tolerates-foreign",
                "reporting.pending-only",
                "reporting.report-after-files", "reporting.no-step-back",
                "reporting.each-exam-once", "reporting.plausible-time",
                "transport.reuses-connections", "transport.times-out", "contract.valid-requests",
                "contract.known-parameters", "privacy.no-patient-data-in-urls",
                "trace.correlation-id",
            ]
        )
        let shoulds = Check.all.filter { $0.level == .should }.map(\.id)
        #expect(
            shoulds == [
                "retry.not-too-late", "retry.jitters", "retry.bounded", "idempotency.key-sent",
                "paging.keeps-parameters",
                "paging.reads-to-the-end", "auth.token-reused", "auth.no-stampede",
                "auth.within-domains", "upload.content-as-promised", "upload.completed",
                "reporting.pending-only", "reporting.report-after-files",
                "reporting.no-step-back", "reporting.plausible-time",
                "transport.reuses-connections", "contract.known-parameters",
                "trace.correlation-id",
            ]
        )
    }

    @Test("The order in which entries are given changes nothing", arguments: CheckCase.all)
    func orderIsIndifferent(row: CheckCase) {
        let outcomes = row.story.verdict().checks.map(\.outcome)
        var generator = SplitMix64(seed: 7)
        for _ in 1...3 {
            var shuffled = row.story
            shuffled.shuffle(using: &generator)
            #expect(shuffled.verdict().checks.map(\.outcome) == outcomes)
        }
    }

    @Test("Requests of nobody to other paths change no result", arguments: CheckCase.all)
    func strangersAreIndifferent(row: CheckCase) {
        var story = row.story
        let before = story.verdict().checks
        let end = story.now
        story.client = nil
        var generator = SplitMix64(seed: 11)
        for number in 1...40 {
            story.now = Double.random(in: 990...(end + 10), using: &generator)
            story.connection = UInt64(1000 + number)
            story.request(.other, "GET", "/.well-known/jwks.json")
        }
        for (old, new) in zip(before, story.verdict().checks)
        where old.check.id != "privacy.no-patient-data-in-urls" || old.outcome == .fail {
            #expect(old.outcome == new.outcome, "\(old.check.id)")
        }
    }

    @Test("A well-behaved client beside it changes no judged result", arguments: CheckCase.all)
    func goodNeighbourIsIndifferent(row: CheckCase) throws {
        var story = row.story
        let before = try #require(story.verdict().checks.first { $0.check.id == row.check })
        guard before.outcome == .pass || before.outcome == .fail else { return }
        let end = story.now
        story.client = "globex-partner"
        story.connection = 2_000
        story.now = 1_000.001
        story.tokenRequest()
        for number in 1...30 {
            story.now += (end - 1_000) / 30
            story.call(Story.summary, on: "G\(number)")
            story.post(on: "G\(number)", key: "g\(number)")
        }
        let after = try #require(story.verdict().checks.first { $0.check.id == row.check })
        #expect(after.outcome == before.outcome)
        #expect(after.failures == before.failures)
    }

    @Test("Sixteen identical GETs at once raise no alarm", arguments: [200, 429, 503] as [UInt16])
    func concurrentTwins(status: UInt16) {
        var story = Story()
        story.tokenRequest()
        for number in 1...16 {
            story.connection = UInt64(number)
            story.call(Story.pending, status: status, takes: 0.5) {
                $0.requestID = "same"
                if status == 429 { $0.details.retryAfter = .init(seconds: 1) }
            }
            story.now -= 0.499
        }
        if status != 200 {
            story.wait(0.5)
            story.wait(1.1)
            for number in 1...16 {
                story.connection = UInt64(number)
                story.call(Story.pending, takes: 0.5)
                story.now -= 0.48
            }
        }
        #expect(story.verdict().checks(.fail).map(\.check.id) == [])
    }

    @Test("An answer that is still awaited is judged by the time of the verdict")
    func stillWaiting() throws {
        var story = Story()
        story.call(Story.sites, status: nil) {
            $0.delivery = .pending
            $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .hang)
        }
        for (seconds, outcome) in [(1_100.0, CheckResult.Outcome.notJudged), (1_121, .fail)] {
            let result = try #require(
                story.verdict(monotonicNow: seconds).checks
                    .first { $0.check.id == "transport.times-out" }
            )
            #expect(result.outcome == outcome)
        }
    }

    @Test("Evidence shows the chain, the pause, the limit and the tolerance")
    func evidence() throws {
        var story = Story()
        story.call(Story.sites, status: 503)
        story.wait(0.5)
        story.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
        story.wait(0.1)
        story.call(Story.sites)
        let result = try #require(
            story.verdict().checks.first { $0.check.id == "retry.honours-retry-after" }
        )
        let evidence = try #require(result.evidence.first)
        #expect(evidence.requests.map(\.requestID) == ["r1", "r2", "r3"])
        #expect(evidence.requests.map(\.id) == [1, 2, 3])
        let gap = try #require(evidence.gap)
        #expect(abs(gap - 100_000_000) < 1000)
        #expect(evidence.limit == 2_000_000_000)
        #expect(evidence.tolerance == 50_000_000)
        #expect(result.summary.contains(" s, told 2.000 s by Retry-After"))
    }

    @Test("Evidence does not repeat what was found in a correlation id or a path")
    func evidenceIsDiscreet() {
        var story = Story()
        story.request(.other, "POST", "/patients/Jane%20Doe", status: 503) {
            $0.requestID = "Jane-Doe"
            $0.findings = [.patientNameInURL, .patientDataInRequestID]
        }
        for number in 1...12 {
            story.wait(Double(number))
            story.request(.other, "POST", "/patients/Jane%20Doe", status: 503) {
                $0.requestID = "Jane-Doe"
                $0.findings = [.patientNameInURL, .patientDataInRequestID]
            }
        }
        let report = story.verdict()
        #expect(report.checks(.fail).count == 2)
        for text in [report.text(colour: false), report.markdown, report.junit] {
            #expect(!text.contains("Jane"))
        }
    }

    /// Many requests, all of them alike in some way.
    static let crowds: [(String, @Sendable (Int) -> Story)] = [
        (
            "mixed calls",
            { count in
                var story = Story()
                for number in 0..<count / 4 {
                    let status: UInt16 = number % 7 == 0 ? 503 : 200
                    story.call(Story.summary, on: "A\(number % 50)", status: status)
                    story.post(key: "k\(number)", body: "b\(number % 3)", status: status)
                    story.page(number % 4 == 0 ? nil : "t\(number % 4)", next: "t\(number % 4 + 1)")
                    story.offsetPage(skip: Int32(number % 20) * 100, items: 100)
                }
                return story
            }
        ),
        (
            "a storm of one GET",
            { count in
                var story = Story()
                for _ in 0..<count {
                    story.call(Story.sites, status: 429) {
                        $0.details.retryAfter = .init(seconds: 9)
                    }
                }
                return story
            }
        ),
        (
            "a storm of tokens and one POST",
            { count in
                var story = Story()
                for number in 0..<count / 2 {
                    story.tokenRequest(status: number % 2 == 0 ? 200 : 429)
                    story.post(key: "k\(number % 5)", body: "b\(number % 2)", status: 503)
                }
                return story
            }
        ),
        (
            "upload URLs that are never used",
            { count in
                var story = Story()
                for number in 0..<count { story.askForURLs(["g\(number)"], key: "k\(number)") }
                return story
            }
        ),
    ]

    @Test("Four times the requests take about four times as long", arguments: crowds)
    func isLinear(name: String, crowd: @Sendable (Int) -> Story) {
        let sizes = [1_000, 4_000].map { crowd($0) }.map { $0.numbered($0.entries) }
        var best = [Double.infinity, .infinity]
        // A quadratic scan takes sixteen times as long. What else the machine does can only add.
        for _ in 1...5 where best[1] >= best[0] * 9 {
            for (place, times) in [(0, 3), (1, 1)] {
                for _ in 1...times {
                    let begin = ThreadTime.seconds
                    _ = verdict(of: sizes[place], context: Story.context)
                    best[place] = min(best[place], ThreadTime.seconds - begin)
                }
            }
        }
        #expect(best[1] < best[0] * 9)
    }
}
