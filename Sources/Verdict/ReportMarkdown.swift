extension VerdictReport {
    /// The report as Markdown, for the summary of a job.
    package var markdown: String { markdown(end: nil) }

    /// The report as Markdown.
    ///
    /// - Parameter end: How the run ended; `nil` where the verdict is all that there is.
    package func markdown(end: RunEnd?) -> String {
        let conclusion = end?.conclusion ?? conclusion
        let subject =
            scenario.map { "scenario \($0.name), session \(session)" } ?? "session \(session)"
        var lines = [
            "## \(conclusion.exit.mark) qubs-mock verdict: \(Markdown.escape(subject))", "",
            headline, "", Markdown.escape(conclusion.line), "",
        ]
        if let line = end?.commandLine { lines += [Markdown.escape(line), ""] }
        // Where a check fails the whole, that comes before what the scenario did not show.
        let isFailed = failures.contains(where: counts)
        func quoted(_ notes: [String]) -> [String] {
            notes.flatMap { ["> \(Markdown.escape($0))", ""] }
        }
        lines += quoted([journalNote].compactMap { $0 } + (isFailed ? [] : scenarioNotes))
        let shown =
            (failures.flatMap { $0.evidence.prefix(Self.shownCases) }
            + open.flatMap { $0.undecided.prefix(1) }).flatMap(\.requests)
        if let legend = legend(of: shown) { lines += [Markdown.escape(legend), ""] }
        lines += section("Failed", failures.filter(counts), "FAIL")
        lines += section("Warnings", failures.filter { !counts($0) }, "WARN")
        if isFailed { lines += quoted(scenarioNotes) }
        if !open.isEmpty { lines += ["### Left open", ""] }
        for result in open {
            lines += [
                "? **`\(result.check.id)`** (\(result.check.level.rawValue)): "
                    + Markdown.escape(result.summary), "",
            ]
            lines += result.undecided.prefix(1).map { "- \(Markdown.escape($0.particulars))" }
            if let toDecide = result.toDecide {
                lines.append("- To know: \(Markdown.escape(toDecide))")
            }
            lines += ["- Fix, if it is so: \(Markdown.escape(result.advice))", ""]
        }
        lines += [
            "### All checks", "", "| check | level | result | seen |", "| --- | --- | --- | --- |",
        ]
        let ranks = ["fail", "warning", "not judged", "pass", "not exercised"]
        for rank in ranks {
            for result in checks where word(for: result) == rank {
                lines.append(
                    "| `\(result.check.id)` | \(result.check.level.rawValue) | "
                        + "\(rank == "fail" ? "**fail**" : rank) | \(Markdown.escape(result.summary)) |"
                )
            }
        }
        lines += ["", "### Coverage", ""]
        lines += ["\(coverage.called) of \(coverage.operations.count) operations were called.", ""]
        let called = coverage.operations.filter { $0.requests > 0 }
        if !called.isEmpty {
            lines += ["| operation | requests | answers | success |", "| --- | ---: | --- | --- |"]
        }
        for operation in called {
            let answers = operation.classes.map { "\($0.name): \($0.count)" }.joined(
                separator: ", "
            )
            lines.append(
                "| `\(operation.id)` | \(operation.requests) | \(answers) | "
                    + "\(operation.success) |"
            )
        }
        if let notes = end?.notes, !notes.isEmpty {
            lines += [""] + notes.map { "- \(Markdown.escape($0))" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension VerdictReport {
    /// How many cases of a check are shown.
    private static let shownCases = 5

    /// The musts of which the end of the command left something open.
    private var open: [CheckResult] { checks(.notJudged).filter(\.isShownUndecided) }

    /// Checks that failed, under a heading; empty without any.
    private func section(_ heading: String, _ failed: [CheckResult], _ mark: String) -> [String] {
        if failed.isEmpty { return [] }
        var lines = ["### \(heading)", ""]
        for result in failed {
            lines += [
                "\(mark) **`\(result.check.id)`** (\(result.check.level.rawValue))"
                    + (result.lead.map { ": \(Markdown.escape($0))" } ?? ""), "",
            ]
            lines += result.lines(atMost: Self.shownCases).map { "- \(Markdown.escape($0))" }
            lines += result.remarks.map { "- \(Markdown.escape($0))" }
            lines += [
                "- Rule: \(Markdown.escape(result.check.rule))",
                "- \(Markdown.escape(result.basisLabel)): "
                    + Markdown.escape(result.check.basis.sentence),
                "- Fix: \(Markdown.escape(result.advice))", "",
            ]
        }
        return lines
    }
}

extension Coverage.Operation {
    /// Whether a success was seen, in a few words.
    fileprivate var success: String {
        works ? "yes" : answers[.success] == nil ? "none seen" : "only under a fault"
    }
}

/// Markdown text.
package enum Markdown {
    /// Escapes what would make markup or break a table; line breaks become spaces.
    package static func escape(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "|", "*", "_", "`", "[", "]", "#", "~", "!":
                output += "\\"
                output.unicodeScalars.append(scalar)
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "\u{0}"..<" ", "\u{7F}": output += " "
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
