import Verdict

extension TrialReport {
    /// What the verdict of a single run does not say: known and stale failures, what is required, and
    /// what differs from the clean trial.
    package var singleNotes: String {
        guard let trial = trials.first, let assessment = assessments.first else { return "" }
        var lines: [String] = []
        if !assessment.known.isEmpty {
            lines.append("known  " + assessment.known.map(\.check.id).joined(separator: ", "))
        }
        for result in assessment.stale {
            lines.append("stale  \(result.check.id) is in the baseline, and passes now")
        }
        lines += trial.differences.map { "other  \($0)" }
        lines += generalFindings.map { "FAIL   \($0)" }
        return lines.isEmpty ? "" : "\n" + lines.map { $0 + "\n" }.joined()
    }

    /// The verdict of a single run as Markdown, with those notes.
    var singleMarkdown: String {
        guard let trial = trials.first else { return "" }
        let notes = singleNotes.split { $0.isNewline }.map { "- \(Markdown.escape(String($0)))\n" }
        let command = trial.end.isFailed ? trial.end.line.map { "- \(Markdown.escape($0))\n" } : nil
        return trial.verdict.markdown + (notes.isEmpty && command == nil ? "" : "\n")
            + (command ?? "") + notes.joined()
    }
}
