import Verdict

extension TrialReport {
    /// The report for a terminal or a log: a table, then what stands against each trial.
    package var text: String {
        var lines = ["\(exit.mark)  \(title): \(headline)"]
        for finding in generalFindings { lines.append("      \(finding)") }
        for note in notes { lines.append("      \(note)") }
        if !isSweep {
            lines.append("")
            let width = trials.map(\.name.count).max() ?? 0
            let markWidth = assessments.map(\.exit.mark.count).max() ?? 0
            for (trial, assessment) in all {
                let name = trial.name.padding(to: width)
                lines.append(
                    "\(assessment.exit.mark.padding(to: markWidth))  \(name)  \(Self.counts(trial, assessment))  "
                        + Trials.text(ofSeconds: trial.end.seconds)
                )
            }
            if trials.count > 1 {
                lines.append(
                    "      \(Trials.text(ofSeconds: seconds)) in all; one after the other it were "
                        + Trials.text(ofSeconds: sum)
                )
            }
        }
        for (place, pair) in all.enumerated() where pair.assessment.exit != .pass {
            let (trial, assessment) = pair
            lines += ["", "\(assessment.exit.mark)  \(trial.name)"]
            for finding in findings(of: place) { lines += Self.wrap(finding, indent: 6) }
            for result in assessment.new {
                for line in result.evidence.prefix(2) {
                    lines += Self.wrap("- \(line.sentence)", indent: 6)
                }
            }
            for attempt in trial.attempts { lines.append("      \(attempt)") }
            if !trial.output.isEmpty {
                lines.append("      The command printed last:")
                lines += trial.output.split { $0.isNewline }.suffix(Self.outputLines).map {
                    "      | \($0)"
                }
            }
            if let repetition = trial.repetition { lines.append("      Repeat: \(repetition)") }
        }
        lines += ["", conclusion.line]
        return lines.joined(separator: "\n") + "\n"
    }

    /// How many lines of a command's output are shown.
    private static let outputLines = 20

    var isSweep: Bool { trials.contains { if case .parts = $0.subject { true } else { false } } }

    static func counts(_ trial: Trial, _ assessment: Assessment) -> String {
        let report = trial.verdict
        var parts = ["\(report.checks(.pass).count) pass"]
        if !assessment.new.isEmpty { parts.append("\(assessment.new.count) fail") }
        if !assessment.known.isEmpty { parts.append("\(assessment.known.count) known") }
        if !assessment.stale.isEmpty { parts.append("\(assessment.stale.count) stale") }
        let warnings = report.failures.count - assessment.new.count - assessment.known.count
        if warnings > 0 { parts.append("\(warnings) warning\(warnings == 1 ? "" : "s")") }
        return parts.joined(separator: ", ")
    }

    private static func wrap(_ text: String, indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = margin
        for word in text.split(whereSeparator: \.isWhitespace) {
            if line.count + 1 + word.count > columns, line.count > indent {
                lines.append(line)
                line = margin + "  "
            }
            line += (line.last == " " ? "" : " ") + word
        }
        lines.append(line)
        return lines
    }

    private static let columns = 100
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
