import Foundation
import TestTools
import Testing
import Verdict

/// docs/checks.md is written from the catalogue, from `CheckNotes`, and from the cases of these tests.
@Suite struct CheckDocumentTests {
    private static let path = "docs/checks.md"

    @Test("docs/checks.md says what the checks do; UPDATE_DOCUMENTS=1 rewrites it")
    func document() throws {
        let text = CheckDocument.text
        if ProcessInfo.processInfo.environment["UPDATE_DOCUMENTS"] == "1" {
            try text.write(toFile: Repository.path(Self.path), atomically: true, encoding: .utf8)
        }
        let written = try String(decoding: Repository.octets(of: Self.path), as: UTF8.self)
        #expect(
            written == text,
            "run the test with UPDATE_DOCUMENTS=1 and look at what has changed"
        )
    }

    @Test("Each check has notes, and there are notes of checks alone")
    func complete() {
        #expect(Set(CheckNotes.all.keys) == Set(Check.all.map(\.id)))
    }

    @Test("What is said never to be left unjudged has no case that is")
    func never() {
        for (id, _, result) in CheckDocument.results where result.outcome == .notJudged {
            let isNever = CheckNotes.all[id]?.notJudged.hasPrefix("Never") ?? true
            #expect(!isNever, "\(id): \(result.summary)")
        }
    }

    @Test("What may be left unjudged has a case that is, so that the document can show it")
    func sometimes() {
        for check in Check.all
        where !(CheckNotes.all[check.id]?.notJudged.hasPrefix("Never") ?? true) {
            #expect(CheckDocument.example(of: check, .notJudged) != nil, "\(check.id)")
        }
    }
}

/// The text of docs/checks.md.
enum CheckDocument {
    /// The result that each case gives to its own check.
    static let results: [(check: String, name: String, result: CheckResult)] = {
        let rows =
            CheckCase.all.map { ($0.check, $0.name, $0.story) }
            + FieldCase.all.map { ($0.check, $0.name, $0.story) }
        return rows.compactMap { check, name, story in
            story.verdict().checks.first { $0.check.id == check }.map { (check, name, $0) }
        }
    }()

    /// The first case of a check with an outcome.
    static func example(of check: Check, _ outcome: CheckResult.Outcome)
        -> (name: String, summary: String)?
    {
        results.first { $0.check == check.id && $0.result.outcome == outcome }
            .map { ($0.name, $0.result.summary) }
    }

    private static let families: [(prefix: String, title: String)] = [
        ("retry", "Retries"), ("idempotency", "Idempotency"), ("paging", "Paging"),
        ("auth", "Tokens"), ("upload", "Uploads"), ("errors", "Errors"),
        ("reporting", "Reporting"),
        ("transport", "Transport"), ("contract", "The contract"), ("privacy", "Privacy"),
        ("trace", "Tracing"),
    ]

    private static let opening = """
        # The checks of the verdict

        What each check of [the verdict](verdict.md) asks of a client, what it counts, and where it says
        nothing. This page is written by a test from the catalogue of checks and from the cases that prove them; the examples
        are those cases, with the sentences that the report has for them.

        A **must** rests on the documentation and fails the whole. A **should** is good practice, or a thing that the
        documentation only hints at: it is a warning, and fails the whole with `--strict`. The four results are **pass**,
        **fail**, **not-judged** (something happened, and nobody can tell) and **not-exercised** (nothing happened).

        ## What holds for all

        - **One caller.** A token and the connections that it came over are one caller. What has another token and another
          connection, and was at work at the same time, is another caller: neither is held against the other. Connections that began
          with one token and go on side by side with different ones, three calls and more each, are different callers from the
          start. A caller that begins when another has ended may be the same program, started again. Where each call has a token and
          a connection of its own, all are one caller.
        - **One wish.** Two requests ask for the same when operation, path and meaning of the parameters are the same. Their
          order, their spelling, defaults written out and the size of a page make no difference; a presigned URL given out anew
          leads to the same file; all token requests of a caller are one wish. For POST the idempotency key must be the same, or,
          without keys, the content.
        - **A retry** has the wish of an earlier request, comes after its answer ended or was cut, within 15 minutes, and the
          earlier one failed temporarily (429, 500, 502, 503, 504, a broken or missing answer, a client that gave up) or
          with 401. Requests that overlap are concurrency. Where several later requests could be meant, the kindest reading is
          taken: with the same correlation id first, where that stands for one call; then over the same connection before a new
          one, in time before too early.
        - **Time** is monotonic, from the last octet of an answer, or its cut, to the arrival of the next request.
        - **The control API.** What a reset, a restored snapshot, a changed record or a moved clock separates is not held
          against the client.
        - **The end.** What was open when `qubs-mock run` or its command was stopped by a signal, or by `--timeout`, is not judged: the report
          shows it, and says what to run to have it judged.
          A command that has ended by itself waits for nothing any more: what it left open, it gave up. Where the verdict is asked for
          while clients are still at work (`GET /__admin/verdict`, `qubs-mock verdict`), a wait that is not over is not judged.
        - **A poller.** A client that asks the same again in a steady rhythm, half a second or longer, is no retry loop.

        """

    /// The whole text.
    static var text: String {
        var lines = [opening]
        for family in families {
            lines += ["## \(family.title)", ""]
            for check in Check.all where check.id.hasPrefix(family.prefix + ".") {
                lines += section(check) + [""]
            }
        }
        lines += [
            "## The order of failures", "",
            "A report shows failed musts before warnings, and each of them by what a failure breaks:",
            "",
        ]
        for (place, group) in Check.harms.enumerated() {
            let ids = group.checks.map { "`\($0)`" }.joined(separator: ", ")
            lines.append("\(place + 1). \(group.harm) \(ids)")
        }
        lines.append("")
        lines += [
            "## Cases that could be decided otherwise", "",
            "Partners and testers asked about these. Each is decided so; what concerns a journal is a test of its number.",
            "",
            "| case | decision |", "| --- | --- |",
        ]
        lines += CheckNotes.decisions.map { "| \($0.number) | \($0.decision) |" }
        lines += [
            "", "## How often the rules on pauses are wrong", "",
            "Each row is \(PauseSimulation.draws) runs for each of two machines: first pauses of 0.1 s with up to 50 ms added to "
                + "each pause, and of 0.5 s in a quiet house; the worse of the two is shown. \"Wrong\" is a false alarm "
                + "where a good client fails, and a miss where a bad one passes. Every one of these stays below 1 %. Where jitter "
                + "hides growth, `retry.backs-off` says nothing, of good clients and of bad ones: nobody could. "
                + "Scenario `flaky-network` makes seven chains of the good client.",
            "",
        ]
        lines += PauseSimulation.table
        return lines.joined(separator: "\n") + "\n"
    }

    private static func section(_ check: Check) -> [String] {
        let notes = CheckNotes.all[check.id]
        var lines = ["### \(check.id)", "", "**\(check.level.rawValue)**: \(check.rule)", ""]
        lines.append(
            check.basis.section.map { "- Documentation, \"\($0)\": \(check.basis.sentence)" }
                ?? "- Good practice: \(check.basis.sentence)"
        )
        lines.append("- Counted: each \(check.counted).")
        if let thresholds = notes?.thresholds, !thresholds.isEmpty {
            lines.append("- Numbers: \(thresholds)")
        }
        lines.append("- Not judged: \(notes?.notJudged ?? "")")
        lines += ["- Fix: \(check.advice)", "", "| result | case | the report says |"]
        lines.append("| --- | --- | --- |")
        for outcome in [CheckResult.Outcome.pass, .fail, .notJudged] {
            guard let example = example(of: check, outcome) else { continue }
            lines.append(
                "| \(outcome.rawValue) | \(escaped(example.name)) | \(escaped(example.summary)) |"
            )
        }
        return lines
    }

    private static func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
