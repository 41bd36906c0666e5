import JSON
import Journal
import Testing
import Verdict

/// What reports say to a reader who knows nothing of the checks.
@Suite struct WordsTests {
    private func result(_ id: String, _ report: VerdictReport) throws -> CheckResult {
        try #require(report.checks.first { $0.check.id == id })
    }

    /// The text of a report in one line, without its line breaks.
    private func flat(_ report: VerdictReport) -> String {
        report.text(colour: false).split { $0.isWhitespace }.joined(separator: " ")
    }

    // MARK: Left open

    /// A client that waits for a silent server until its command is stopped.
    private func waiting(_ seconds: Double) -> Story {
        var story = Story()
        story.tokenRequest()
        story.call(Story.sites)
        story.call(Story.summary, on: "A7", status: nil, takes: seconds) {
            $0.delivery = .clientLeft
            $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .hang)
        }
        return story
    }

    @Test("Whom the limit stops within a silence is shown, with the limit that would tell")
    func stoppedByLimit() throws {
        let story = waiting(119.5)
        let report = story.verdict(
            scenario: .init(name: "slow-friday", passMarks: ["transport.times-out"]),
            stopped: story.now,
            limitSeconds: 120
        )
        let found = try result("transport.times-out", report)
        #expect(found.outcome == .notJudged)
        #expect(
            found.summary
                == "The client waited 119.500 s for Integrations_GetAppointment_Summary and "
                + "was still waiting when qubs-mock stopped the command (--timeout 120). Perhaps it has "
                + "no time-out."
        )
        #expect(found.undecided.first?.requests.map(\.id) == [3])
        #expect(found.toDecide?.hasPrefix("Run it again with --timeout 150 or more") == true)
        let check = report.json["checks"]?.array?.first { $0["id"] == "transport.times-out" }
        #expect(check?["evidence"] == .array([]))
        #expect(check?["undecided"]?.array?.count == 1)
        #expect(check?["toDecide"]?.string == found.toDecide)
        for text in [flat(report), report.markdown] {
            #expect(text.contains("Fix, if it is so: Set a timeout"), "\(text)")
            #expect(text.contains("To know: Run it again"))
            #expect(text.contains("3 left at 0.0"))
        }
        // Before the checks that pass.
        let text = flat(report)
        let open = try #require(text.firstRange(of: "? transport.times-out"))
        let pass = try #require(text.firstRange(of: "pass contract.valid-requests"))
        #expect(open.lowerBound < pass.lowerBound)
        #expect(
            report.scenarioNotes.first
                == "Scenario slow-friday disturbed 1 request, but none of the "
                + "checks that it is about came to a result."
        )
        #expect(report.conclusion.exit == .notExercised)
    }

    @Test("A signal is no limit, and a short wait no sign that there is no time-out")
    func stoppedBySignal() throws {
        let story = waiting(5)
        let found = try result("transport.times-out", story.verdict(stopped: story.now))
        #expect(found.summary.hasSuffix("was still waiting when the command was stopped."))
        #expect(found.toDecide?.contains("--timeout") == false)
    }

    @Test("A report on several sessions keeps what was left open, with its session")
    func leftOpenMerged() throws {
        let story = waiting(30)
        let one = story.verdict(stopped: story.now, limitSeconds: 31)
        let merged = VerdictReport(merging: [Story().verdict(), one], as: "*")
        let found = try result("transport.times-out", merged)
        #expect(found.undecided.first?.session == "default")
        #expect(found.toDecide?.hasPrefix("Run it again with --timeout 150") == true)
    }

    // MARK: Order

    @Test("Each check has its place among what failures break, in the order of the catalogue")
    func harms() {
        let places = Check.harms.flatMap(\.checks)
        #expect(places.count == Check.all.count)
        #expect(Set(places) == Set(Check.all.map(\.id)))
        for group in Check.harms {
            #expect(group.checks == Check.all.map(\.id).filter(group.checks.contains))
        }
    }

    @Test(
        "A must that loses data stands before one about pauses, and both before the scenario's notes"
    )
    func worstFirst() throws {
        var story = Story()
        story.tokenRequest()
        // Too early for Retry-After, then a comment that is given up.
        story.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
        story.wait(0.5)
        story.call(Story.sites)
        story.wait(1)
        story.post(key: "k", status: 503) { $0.inject() }
        let report = story.verdict(
            scenario: .init(
                name: "mine",
                passMarks: ["retry.retries-transient", "idempotency.no-duplicate-effect"]
            )
        )
        #expect(
            report.failures.filter { $0.check.level == .must }.map(\.check.id)
                == ["retry.retries-transient", "retry.honours-retry-after"]
        )
        for text in [flat(report), report.markdown] {
            let note = try #require(text.firstRange(of: "This run tested only a part"))
            let last = try #require(text.firstRange(of: "retry.honours-retry-after"))
            #expect(last.lowerBound < note.lowerBound, "\(text)")
        }
    }

    @Test("What was not judged is told once, below; the scenario's notes lead there")
    func toldOnce() throws {
        let story = waiting(30)
        let report = story.verdict(
            scenario: .init(name: "mine", passMarks: ["transport.times-out"]),
            stopped: story.now,
            limitSeconds: 31
        )
        let text = flat(report)
        let summary = try result("transport.times-out", report).summary
        #expect(text.contains("- transport.times-out: not judged; see below."))
        #expect(text.ranges(of: summary).count == 1, "\(text)")
        #expect(report.scenarioNotes.contains { $0.contains(summary) })
    }

    @Test("Of each family a report says what would exercise it")
    func stimuli() {
        let text = flat(Story().verdict())
        for family in Set(Check.all.map { $0.id.prefix { $0 != "." } }) {
            let count = Check.all.count { $0.id.hasPrefix(family + ".") }
            #expect(text.contains("- \(family) \(count > 1 ? "(all \(count))" : "1"): "), "\(text)")
        }
    }

    @Test("That retries come at once is said where their chains are too short for retry.pauses")
    func hurry() throws {
        func remarks(_ pause: Double) throws -> [String] {
            var story = Story()
            story.tokenRequest()
            for _ in 0..<2 {
                story.call(Story.sites, status: 503)
                story.wait(pause)
                story.call(Story.sites)
                story.wait(1)
            }
            return try result("retry.retries-transient", story.verdict()).remarks
        }
        #expect(try remarks(1) == [])
        #expect(
            try remarks(0.003)
                == [
                    "2 of 2 retries came less than 0.010 s after the failure: pause before a retry."
                ]
        )
    }

    // MARK: Retries

    @Test("Failures of several kinds: writes first, how many of each kind were retried, what fits")
    func persistence() throws {
        var story = Story()
        story.tokenRequest()
        story.call(Story.summary, status: 503) { $0.inject() }
        story.wait(1)
        story.call(Story.summary)
        story.call(Story.pending) {
            $0.delivery = .cut
            $0.details.fault = JournalFault(rule: "f", phase: .after, effects: .truncation)
        }
        story.wait(0.01)
        story.call(Story.pending) {
            $0.delivery = .cut
            $0.details.fault = JournalFault(rule: "f", phase: .after, effects: .malformedChunk)
        }
        story.wait(1)
        story.post(key: "k") { $0.cut(.after) }
        let report = story.verdict()
        let found = try result("retry.retries-transient", report)
        #expect(found.lead == "2 of 4 temporary failures broke this rule.")
        #expect(
            found.evidence.map(\.note) == [
                "\(Story.comments) (the connection broke) was never retried. The server had done the "
                    + "write: asking again with its key brings the answer.",
                "\(Story.pending) (the answer broke off within its content, then the answer broke off "
                    + "in a broken chunk) got 2 attempts, 0.010 s apart; 3 are required.",
            ]
        )
        #expect(
            found.remarks == ["Retried: 1 of 1 answers with 429 or 5xx, 1 of 3 broken connections."]
        )
        #expect(found.advice.contains("An answer that breaks off within its content"))
        #expect(!found.advice.contains("Retry-After"))
        #expect(found.summary.hasPrefix("\(found.lead?.dropLast() ?? ""). The first: "))
        #expect(report.junit.contains("Retried: 1 of 1 answers"))
    }

    @Test("What Retry-After had asked for stands beside the status, and in the advice")
    func toldToWait() throws {
        var story = Story()
        story.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 1) }
        let found = try result("retry.retries-transient", story.verdict())
        #expect(found.lead == nil)
        #expect(
            found.summary
                == "Integrations_ListSites (answered 503, told to wait 1 s) was never retried."
        )
        #expect(found.advice.hasSuffix("Wait as long as Retry-After says before you do."))
        #expect(!found.advice.contains("breaks off"))
    }

    @Test("Pauses without jitter are told one by one, with the calls that show them")
    func samePauses() throws {
        var story = Story()
        story.tokenRequest()
        for number in 1...3 {
            for pause in [1.0, 2.0, 4.0] {
                story.call(Story.summary, on: "A\(number)", status: 503) { $0.inject() }
                story.wait(pause)
            }
            story.call(Story.summary, on: "A\(number)")
        }
        let found = try result("retry.jitters", story.verdict())
        #expect(
            found.summary
                == "Calls that failed alike were repeated after the same pauses: 1.000 s, "
                + "2.000 s, 4.000 s (they deviate by 0.000 s)."
        )
        #expect(found.failures == 1)
        #expect(
            found.evidence.map { $0.requests.map(\.id) } == [
                [2, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12, 13],
            ]
        )
    }

    @Test("A list of which no page arrived is no list that was read")
    func lostList() throws {
        var story = Story()
        story.offsetPage(skip: 0, items: 3)
        story.page { $0.cut(.after) }
        let report = story.verdict()
        let found = try result("paging.reads-to-the-end", report)
        let remark = "Not counted: \(Story.pending), of which no page arrived whole."
        #expect(found.summary == "1 list. \(remark)")
        #expect(flat(report).contains("pass paging.reads-to-the-end \(remark)"))
    }

    // MARK: The whole

    @Test("A client that stops at a failure has not shown what would have followed")
    func lastFailure() {
        var story = Story()
        story.tokenRequest()
        story.post(key: "k", status: 503) {
            $0.inject()
            $0.committed = false
        }
        let marks = VerdictContext.Scenario(name: "upload-trouble", passMarks: ["upload.size"])
        let last =
            "The client sent nothing more after #2 (\(Story.comments): answered 503): what "
            + "follows was not tested."
        #expect(!story.verdict(scenario: marks).scenarioNotes.contains(last))
        story.hasEnded = true
        let notes = story.verdict(scenario: marks).scenarioNotes
        #expect(notes.last == last)
        #expect(notes.contains("upload.size: the client never got an upload URL."))
        story.call(Story.sites)
        #expect(!story.verdict(scenario: marks).scenarioNotes.contains(last))
    }

    @Test("What failed and does not count is a warning in every form")
    func warnings() throws {
        var story = Story()
        story.tokenRequest()
        story.post(key: nil)
        for isStrict in [false, true] {
            let report = story.verdict(isStrict: isStrict)
            let word = isStrict ? "fail" : "warning"
            let check = report.json["checks"]?.array?.first { $0["id"] == "idempotency.key-sent" }
            #expect(check?["result"] == "fail")
            #expect(check?["word"]?.string == word)
            let row = "| `idempotency.key-sent` | should | \(isStrict ? "**fail**" : "warning") |"
            #expect(report.markdown.contains(row))
            #expect(report.markdown.contains("### Warnings") == !isStrict)
            #expect(report.markdown.contains("### Failed") == isStrict)
            #expect(report.junit.contains("Warning: ") == !isStrict)
            #expect(
                report.text(colour: false).contains(
                    "\(isStrict ? "FAIL" : "WARN")  idempotency.key-sent (should)"
                )
            )
        }
    }

    @Test("How to read a request is told before the first, in the words that occur")
    func legend() {
        var story = Story()
        story.call(Story.sites)
        #expect(!flat(story.verdict()).contains("Read \""))
        story.call(Story.summary) { $0.cut(.after) }
        let text = flat(story.verdict())
        let legend =
            "Read \"#2 lost at 0.010 s\" as: request 2 of the journal (run --journal FILE, or "
            + "/__admin/requests), sent 0.010 s after the first request, got no whole answer. FAIL"
        #expect(text.contains(legend), "\(text)")
        story.wait(5)
        story.call(Story.summary, on: "A9", status: nil, takes: 3) { $0.delivery = .clientLeft }
        #expect(flat(story.verdict()).contains("\"left\": it was given up by the client. FAIL"))
    }

    @Test("The table of all checks begins with what failed, and coverage tells what a fault made")
    func markdownOrder() throws {
        var story = Story()
        story.call(Story.sites) {
            $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .slow)
        }
        story.call(Story.summary)
        story.call(Story.list, status: 404) { $0.refusal = .notFound }
        story.call(Story.pending, status: 503)
        let markdown = story.verdict().markdown
        let rows = markdown.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let words = rows.prefix(Check.all.count).compactMap { row -> Substring? in
            row.split(separator: "|").dropFirst(2).first
        }
        let order = [" **fail** ", " warning ", " not judged ", " pass ", " not exercised "]
        let ranks = words.compactMap { word in order.firstIndex { word == $0 } }
        #expect(ranks.count == Check.all.count)
        #expect(ranks == ranks.sorted())
        #expect(ranks.first == 0)
        #expect(markdown.contains("| `\(Story.sites)` | 1 | 2xx: 1 | only under a fault |"))
        #expect(markdown.contains("| `\(Story.summary)` | 1 | 2xx: 1 | yes |"))
        #expect(markdown.contains("| `\(Story.list)` | 1 | 404: 1 | none seen |"))
    }
}
