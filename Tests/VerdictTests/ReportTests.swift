import FoundationXML
import JSON
import Journal
import Testing
import Verdict

import class Foundation.NSObject
import struct Foundation.Data

/// A run with something of everything: failed musts and shoulds, passes, unjudged and unexercised.
private func mixedStory() -> Story {
    var story = Story()
    story.tokenRequest()
    story.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 2) }
    story.wait(0.1)
    story.call(Story.sites) { $0.requestID = "<&\"'>]]>|*_`" }
    story.post(key: nil) { $0.requestID = String(repeating: "long-", count: 25) }
    story.post(on: "A2", key: "k", status: 400) {
        $0.details.violations = [
            JournalViolation(
                location: "body",
                name: "/commentText",
                keyword: "required",
                message: "m",
                contractPointer: "/p"
            )
        ]
    }
    story.call(Story.summary, status: 404) { $0.refusal = .notFound }
    story.call(Story.summary) {
        $0.details.query = [.init(name: "x|y", value: .integer(1), isKnown: false)]
    }
    return story
}

/// Reads XML and keeps what the tests ask about.
private final class JUnitReader: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var suite: [String: String] = [:]
    var names: [String] = []

    func parser(
        _ parser: XMLParser,
        didStartElement element: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        counts[element, default: 0] += 1
        if element == "testsuite" { suite = attributes }
        if element == "testcase", let name = attributes["name"] { names.append(name) }
    }
}

@Suite struct ReportTests {
    private static let stories: [(String, Story)] = [
        ("empty", Story()), ("mixed", mixedStory()),
        (
            "good",
            {
                var story = Story()
                story.tokenRequest()
                story.call(Story.sites)
                return story
            }()
        ),
    ]

    @Test("Marks about calls that the client did not make are not asked of it")
    func notAsked() throws {
        let marks = [
            "contract.valid-requests", "paging.cursor-verbatim", "paging.offset-stops",
            "upload.size", "idempotency.payload-stable", "reporting.pending-only",
        ]
        func played(_ tell: (inout Story) -> Void) throws -> VerdictReport {
            var story = Story()
            tell(&story)
            return story.verdict(scenario: .init(name: "mine", passMarks: marks))
        }
        let reader = try played { story in
            story.tokenRequest()
            story.page()
        }
        #expect(reader.scenario?.isReached == true)
        #expect(reader.scenario?.missing == ["paging.cursor-verbatim"])
        #expect(
            reader.scenario?.notAsked == [
                "paging.offset-stops", "upload.size", "idempotency.payload-stable",
                "reporting.pending-only",
            ]
        )
        #expect(reader.json["scenario"]?["notAsked"]?.array?.count == 4)
        #expect(
            reader.scenarioNotes == [
                "This run tested only a part of what scenario mine is about.",
                "paging.cursor-verbatim: not exercised. No nextToken in a request was seen.",
            ]
        )
        #expect(reader.json["scenario"]?["notes"]?.array?.count == 2)
        let writer = try played { story in
            story.tokenRequest()
            story.offsetPage(skip: 0, items: 3)
            story.askForURLs(["g"], key: "k")
        }
        #expect(
            writer.scenario?.missing == [
                "upload.size", "idempotency.payload-stable",
            ]
        )
        #expect(writer.scenario?.notAsked == ["paging.cursor-verbatim"])
        let idle = try played { $0.request(.other, "GET", "/openapi.yaml") }
        #expect(idle.scenario?.isReached == false)
        let note = try #require(idle.scenarioNote)
        #expect(note.hasPrefix("Nothing that scenario mine is about happened. "))
        #expect(
            note.contains(
                "paging.cursor-verbatim: the client read no list that is paged by nextToken."
            )
        )
        // Of checks with one reason it is told once.
        #expect(
            note.contains("contract.valid-requests: not exercised. No API call was seen.")
        )
        #expect(idle.junit.contains("<error type=\"not-reached\""))
    }

    @Test("JSON lists all checks in order, with result, summary, advice and evidence")
    func json() throws {
        let report = mixedStory().verdict(dropped: 7)
        let json = report.json
        #expect(json["session"] == "default")
        #expect(json["result"] == "fail")
        #expect(json["journal"] == ["entries": 7, "dropped": 7])
        let checks = try #require(json["checks"]?.array)
        #expect(checks.map { $0["id"]?.string } == Check.all.map(\.id))
        for check in checks {
            for name in ["level", "result", "summary", "advice", "rule"] {
                #expect(!(try #require(check[name]?.string).isEmpty))
            }
            #expect(!(try #require(check["basis"]?["says"]?.string).isEmpty))
        }
        let early = try #require(checks.first { $0["id"] == "retry.honours-retry-after" })
        #expect(early["evidence"]?.array?.first?["requestId"]?.string == "<&\"'>]]>|*_`")
        #expect(early["evidence"]?.array?.first?["limitSeconds"]?.int == 2)
        #expect(json["coverage"]?["called"] == 3)
        #expect(json["coverage"]?["of"] == 8)
        #expect(try JSONParser.parse(JSONWriter.octets(of: json)) == json)
    }

    @Test("Coverage tells the classes met, and takes no injected answer as proof")
    func coverage() throws {
        var story = Story()
        story.call(Story.sites, status: 429) { $0.inject() }
        story.wait(1)
        story.call(Story.sites) {
            $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .slow)
        }
        story.call(Story.summary, status: 404)
        story.call(Story.summary, status: 503)
        story.wait(1)
        story.call(Story.summary) { $0.cut(.after) }
        story.wait(1)
        story.call(Story.summary)
        let report = story.verdict()
        let sites = try #require(report.coverage.operations.first { $0.id == Story.sites })
        #expect(sites.classes.map(\.name) == ["2xx", "429"])
        #expect(sites.faulted == 2)
        #expect(!sites.works)
        let summary = try #require(report.coverage.operations.first { $0.id == Story.summary })
        #expect(summary.classes.map(\.name) == ["2xx", "404", "5xx", "lost"])
        #expect(summary.requests == 4)
        #expect(summary.works)
        #expect(report.coverage.called == 2)
        #expect(report.coverage.operations.count == 8)
    }

    @Test("JUnit is XML whose totals agree with its cases", arguments: [false, true])
    func junit(isStrict: Bool) throws {
        let report = mixedStory().verdict(isStrict: isStrict, dropped: 3)
        let parser = XMLParser(data: Data(report.junit.utf8))
        let reader = JUnitReader()
        parser.delegate = reader
        #expect(parser.parse())
        #expect(reader.names == Check.all.map(\.id))
        #expect(reader.suite["tests"] == "\(Check.all.count)")
        let failures = report.checks.count { report.counts($0) }
        #expect(failures > 0)
        #expect((report.checks(.fail).count > failures) == !isStrict)
        #expect(reader.suite["failures"] == "\(failures)")
        #expect(reader.counts["failure"] == failures)
        let skipped = report.checks(.notExercised).count + report.checks(.notJudged).count
        #expect(reader.suite["skipped"] == "\(skipped)")
        #expect(reader.counts["skipped"] == skipped)
        #expect(report.junit.contains("The journal overflowed: 3 earlier requests were dropped"))
    }

    @Test("Text begins with the verdict and fits 80 columns", arguments: stories)
    func text(name: String, story: Story) throws {
        let report = story.verdict(
            scenario: .init(name: "calm", passMarks: ["upload.size"]),
            dropped: 12_345
        )
        let text = report.text(colour: false)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(!text.contains("\u{1B}"))
        let first = try #require(lines.first)
        #expect(first.contains(report.headline))
        // The good client has not done all that the scenario asks for.
        #expect(
            first.hasPrefix(
                ["empty": "INCOMPLETE", "mixed": "FAIL", "good": "INCOMPLETE"][name] ?? ""
            )
        )
        if name == "good" { #expect(story.verdict().text(colour: false).hasPrefix("PASS")) }
        for result in report.checks where result.outcome != .notExercised {
            #expect(text.contains(result.check.id))
        }
        let unexercised = report.checks(.notExercised).count
        #expect(text.contains("\(unexercised) not exercised: what they judge did not"))
        for result in report.checks(.fail) {
            let word = report.counts(result) ? "FAIL" : "WARN"
            let start = try #require(
                lines.firstIndex { $0.contains("\(word)  \(result.check.id)") }
            )
            let rest = lines[start...].prefix { !$0.isEmpty }.joined(separator: " ")
            #expect(rest.contains("Rule:"))
            #expect(rest.contains("Fix:"))
        }
    }

    @Test("Colour adds escape sequences and nothing else")
    func colour() {
        let report = mixedStory().verdict()
        let coloured = report.text(colour: true)
        #expect(coloured.contains("\u{1B}[1;31mFAIL\u{1B}[0m"))
        var plain = ""
        var rest = coloured[...]
        while let escape = rest.firstIndex(of: "\u{1B}") {
            plain += rest[..<escape]
            rest = rest[escape...].drop { $0 != "m" }.dropFirst()
        }
        #expect(plain + rest == report.text(colour: false))
    }

    @Test("JUnit has an error where the scenario met nothing, and what Jenkins' schema knows")
    func junitOfScenario() throws {
        for (mark, errors) in [("contract.valid-requests", 0), ("upload.size", 1)] {
            let junit = mixedStory().verdict(scenario: .init(name: "calm", passMarks: [mark])).junit
            let parser = XMLParser(data: Data(junit.utf8))
            let reader = JUnitReader()
            parser.delegate = reader
            #expect(parser.parse())
            #expect(reader.names == ["scenario reached"] + Check.all.map(\.id))
            #expect(reader.suite["errors"] == "\(errors)")
            #expect(reader.suite["tests"] == "\(Check.all.count + 1)")
            #expect(reader.counts["error", default: 0] == errors)
            let root = try #require(junit.split(separator: "\n").dropFirst().first)
            #expect(root.hasPrefix("  <testsuites ") || root.hasPrefix("<testsuites "))
            #expect(!root.contains("skipped"))
        }
    }

    @Test("Musts come first, and each case names number, method, path, answer and time")
    func order() throws {
        let report = mixedStory().verdict()
        let levels = report.failures.map(\.check.level)
        #expect(levels == levels.filter { $0 == .must } + levels.filter { $0 == .should })
        #expect(levels.contains(.must) && levels.contains(.should))
        let text = report.text(colour: false).replacing("\n", with: " ")
            .replacing(#/ +/#, with: " ")
        #expect(
            text.contains(
                "GET /integrations/v1/acme/\(Story.sites)/A1: #2 503 at 0.010 s > #3 200 at 0.12"
            ),
            "\(text)"
        )
        #expect(text.contains("was retried after 0.1"))
    }

    @Test("Markdown tables keep their columns whatever the texts hold")
    func markdown() {
        let markdown = mixedStory().verdict(dropped: 1).markdown
        #expect(markdown.hasPrefix("## FAIL qubs-mock verdict: session default\n"))
        #expect(markdown.contains("> The journal overflowed"))
        var columns = 0
        var rows = 0
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("|") else {
                columns = 0
                continue
            }
            let bars = line.indices.count { index in
                line[index] == "|"
                    && (index == line.startIndex || line[line.index(before: index)] != "\\")
            }
            if columns == 0 { columns = bars }
            #expect(bars == columns)
            rows += 1
        }
        #expect(rows == Check.all.count + 2 + 3 + 2)
    }

    @Test("A journal that overflowed says so, and only then")
    func overflow() throws {
        var story = Story()
        story.call(Story.sites)
        #expect(story.verdict().journalNote == nil)
        let note = try #require(story.verdict(dropped: 90).journalNote)
        #expect(note.contains("90 earlier requests were dropped"))
    }

    /// What happened, and the exit status that it must give.
    struct Ending: Sendable {
        let fails: String?
        var isStrict = false
        var marks: [String]?
        var commandFailed = false
        var mockFailed = false
        let status: VerdictExit
    }

    @Test(
        "The exit status follows the verdict, the pass marks, the command and the mock",
        arguments: [
            Ending(fails: nil, status: .pass),
            Ending(fails: "must", status: .fail),
            Ending(fails: "should", status: .pass),
            Ending(fails: "should", isStrict: true, status: .fail),
            Ending(fails: "all is silent", status: .notExercised),
            Ending(fails: nil, marks: ["contract.valid-requests"], status: .pass),
            Ending(fails: nil, marks: ["upload.size"], status: .notExercised),
            Ending(fails: "must", marks: ["upload.size"], status: .fail),
            Ending(fails: nil, commandFailed: true, status: .commandFailed),
            Ending(fails: "must", commandFailed: true, status: .fail),
            Ending(fails: "must", mockFailed: true, status: .commandFailed),
            Ending(fails: nil, marks: ["upload.size"], commandFailed: true, status: .commandFailed),
        ]
    )
    func exitStatus(ending: Ending) {
        var story = Story()
        if ending.fails != "all is silent" { story.call(Story.sites) }
        if ending.fails == "must" { story.call(Story.sites) { $0.findings = .tokenInURL } }
        if ending.fails == "should" { story.post(key: nil) }
        let report = story.verdict(
            isStrict: ending.isStrict,
            scenario: ending.marks.map { .init(name: "calm", passMarks: $0) }
        )
        let status = VerdictExit(
            report,
            commandFailed: ending.commandFailed,
            mockFailed: ending.mockFailed
        )
        #expect(status == ending.status)
    }

    @Test("One word stands for an exit status in every form, and the last line gives its reason")
    func conclusion() throws {
        var quiet = Story()
        quiet.call(Story.sites)
        var warned = quiet
        warned.post(key: nil)
        let marks = VerdictContext.Scenario(name: "calm", passMarks: ["upload.size"])
        let rows: [(VerdictReport, String, Int, String)] = [
            (quiet.verdict(), "pass", 0, "every must that was put to the test passes"),
            (
                warned.verdict(), "pass", 0,
                "every must that was put to the test passes; 1 warning, which counts only with --strict"
            ),
            (warned.verdict(isStrict: true), "fail", 1, "a check failed"),
            (mixedStory().verdict(), "fail", 1, "2 musts failed"),
            (
                quiet.verdict(scenario: marks), "incomplete", 2,
                "incomplete: nothing that scenario calm is about was put to the test"
            ),
            (Story().verdict(), "incomplete", 2, "incomplete: nothing was put to the test"),
        ]
        for (report, word, status, reason) in rows {
            let told = report.json["conclusion"]
            #expect(told?["word"]?.string == word)
            #expect(told?["exitStatus"]?.int == status)
            #expect(told?["reason"]?.string == reason)
            let line = "qubs-mock's exit status: \(status) (\(reason))."
            let text = report.text(colour: false)
            #expect(text.hasPrefix("\(word.uppercased())  "))
            #expect(
                text.split { $0.isWhitespace }.joined(separator: " ").hasSuffix(line),
                "\(text)"
            )
            #expect(report.markdown.hasPrefix("## \(word.uppercased()) qubs-mock verdict: "))
            #expect(report.markdown.contains(Markdown.escape(line)))
        }
    }

    @Test("How the command ended stands behind the headline, and its status in the last line")
    func commandLine() {
        let end = RunEnd(
            Conclusion(.commandFailed, "your command failed"),
            commandLine: "Your command exited with status 7.",
            notes: ["Known: a.b."]
        )
        let report = Story().verdict()
        let text = report.text(colour: false, end: end).split(separator: "\n")
        #expect(text.first?.hasPrefix("ERROR  ") == true)
        #expect(text.dropFirst().first == "      Your command exited with status 7.")
        #expect(text.suffix(2).first == "Known: a.b.")
        #expect(text.last == "qubs-mock's exit status: 3 (your command failed).")
        let markdown = report.markdown(end: end)
        #expect(markdown.hasPrefix("## ERROR "))
        #expect(markdown.contains("Your command exited with status 7."))
        #expect(markdown.hasSuffix("\n- Known: a.b.\n"))
    }

    @Test("The numbers of the exit statuses are those of the command line")
    func exitNumbers() {
        let statuses: [VerdictExit] = [.pass, .fail, .notExercised, .commandFailed, .usage]
        #expect(statuses.map(\.rawValue) == [0, 1, 2, 3, 64])
    }
}
