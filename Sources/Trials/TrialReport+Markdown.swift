import Verdict

extension TrialReport {
    /// The report as Markdown, for the summary of a job.
    package var markdown: String {
        if isSingle { return singleMarkdown }
        var lines = [
            "## \(exit.mark) qubs-mock \(title)", "", headline, "",
            Markdown.escape(conclusion.line), "",
        ]
        for finding in generalFindings + notes { lines += ["> \(Markdown.escape(finding))", ""] }
        let shown = isSweep ? all.filter { $0.assessment.exit != .pass } : all
        if !shown.isEmpty {
            lines += ["| trial | result | checks | seconds |", "| --- | --- | --- | ---: |"]
        }
        for (trial, assessment) in shown {
            lines.append(
                "| `\(trial.name)` | \(assessment.exit == .pass ? "pass" : "**\(assessment.exit.name)**") | "
                    + "\(Self.counts(trial, assessment)) | "
                    + "\(Trials.text(ofSeconds: trial.end.seconds)) |"
            )
        }
        lines.append("")
        for (place, pair) in all.enumerated() where pair.assessment.exit != .pass {
            let (trial, assessment) = pair
            lines += ["### `\(trial.name)`", ""]
            lines += findings(of: place).map { "- \(Markdown.escape($0))" }
            for result in assessment.new {
                lines += result.evidence.prefix(3).map { "  - \(Markdown.escape($0.sentence))" }
                lines.append("  - Fix: \(Markdown.escape(result.advice))")
            }
            lines += trial.attempts.map { "- \(Markdown.escape($0))" }
            if let repetition = trial.repetition { lines.append("- `\(repetition)`") }
            lines.append("")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
