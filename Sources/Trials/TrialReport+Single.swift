import Verdict

extension TrialReport {
    /// What the verdict of a single run does not say: known and stale failures, what is required, and
    /// what differs from the clean trial.
    private var singleNotes: [String] {
        guard let trial = trials.first, let assessment = assessments.first else { return [] }
        var lines: [String] = []
        if !assessment.known.isEmpty {
            lines.append("Known: " + assessment.known.map(\.check.id).joined(separator: ", ") + ".")
        }
        for result in assessment.stale {
            lines.append("Stale: the baseline lists \(result.check.id), and it passes now.")
        }
        lines += trial.differences.map { "Other effects: \($0)" }
        lines += generalFindings.map { "FAIL: \($0)" }
        return lines
    }

    /// The report of a single run as Markdown.
    var singleMarkdown: String { trials.first?.verdict.markdown(end: runEnd) ?? "" }

    /// The report of a single run for a terminal.
    ///
    /// - Parameters:
    ///   - colour: Whether to use escape sequences.
    ///   - server: Where the command should have sent its requests.
    package func singleText(colour: Bool, server: String) -> String {
        guard let trial = trials.first else { return "" }
        var end = runEnd
        if trial.verdict.journal.entries == 0 {
            end.silence =
                "No request reached the mock at \(server). Does your command use $QUBS_BASE_URL?"
        }
        return trial.verdict.text(colour: colour, end: end)
    }

    /// How a single run ended.
    private var runEnd: RunEnd {
        let end = trials.first?.end
        let line = end.flatMap { $0.isFailed ? $0.line : nil }
        return RunEnd(
            conclusion,
            commandLine: line.map { Self.sentence($0) },
            notes: singleNotes
        )
    }

    private static func sentence(_ line: String) -> String {
        // A name is written as it is, where a sentence begins with it, too.
        line.hasPrefix("qubs-mock")
            ? line + "." : line.prefix(1).uppercased() + line.dropFirst() + "."
    }
}
