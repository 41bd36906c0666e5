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
        for note in [journalNote, scenarioNote].compactMap({ $0 }) {
            lines += ["> \(Markdown.escape(note))", ""]
        }
        let failed = failures
        if !failed.isEmpty { lines += ["### Failed", ""] }
        for result in failed {
            lines += [
                "\(counts(result) ? "FAIL" : "WARN") **`\(result.check.id)`** "
                    + "(\(result.check.level.rawValue)): "
                    + Markdown.escape(result.summary), "",
                "- Rule: \(Markdown.escape(result.check.rule))",
                "- \(Markdown.escape(result.basisLabel)): "
                    + Markdown.escape(result.check.basis.sentence),
                "- Fix: \(Markdown.escape(result.check.advice))",
            ]
            lines += result.lines(atMost: 5).map { "- \(Markdown.escape($0))" }
            lines.append("")
        }
        lines += [
            "### All checks", "", "| check | level | result | seen |", "| --- | --- | --- | --- |",
        ]
        for result in checks {
            lines.append(
                "| `\(result.check.id)` | \(result.check.level.rawValue) | "
                    + "\(result.outcome.words) | \(Markdown.escape(result.summary)) |"
            )
        }
        lines += ["", "### Coverage", ""]
        lines += ["\(coverage.called) of \(coverage.operations.count) operations were called.", ""]
        let called = coverage.operations.filter { $0.requests > 0 }
        if !called.isEmpty {
            lines += ["| operation | requests | answers | works |", "| --- | ---: | --- | --- |"]
        }
        for operation in called {
            let answers = operation.classes.map { "\($0.name): \($0.count)" }.joined(
                separator: ", "
            )
            lines.append(
                "| `\(operation.id)` | \(operation.requests) | \(answers) | "
                    + "\(operation.works ? "yes" : "not shown") |"
            )
        }
        if let notes = end?.notes, !notes.isEmpty {
            lines += [""] + notes.map { "- \(Markdown.escape($0))" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension CheckResult.Outcome {
    /// The result in words for people.
    var words: String {
        switch self {
        case .pass: "pass"
        case .fail: "**fail**"
        case .notExercised: "not exercised"
        case .notJudged: "not judged"
        }
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
