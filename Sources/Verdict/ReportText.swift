extension VerdictReport {
    /// The report for a terminal of 80 columns, the verdict in its first line, the exit status in its last.
    ///
    /// - Parameters:
    ///   - colour: Whether to use the escape sequences of ECMA-48.
    ///   - end: How the run ended; `nil` where the verdict is all that there is.
    package func text(colour: Bool, end: RunEnd? = nil) -> String {
        let ink = Ink(isOn: colour)
        let conclusion = end?.conclusion ?? conclusion
        var page = Page()
        page.lines.append("\(ink.paint(conclusion.exit))  \(headline)")
        if let line = end?.commandLine { page.paragraph(line, indent: 6) }
        for note in [journalNote, scenarioNote].compactMap({ $0 }) {
            page.paragraph(note, indent: 6)
        }
        for result in failures {
            page.lines.append("")
            page.lines.append(
                "\(counts(result) ? ink.paint("FAIL", .red) : ink.paint("WARN", .yellow))  "
                    + "\(ink.paint(result.check.id, .bold)) (\(result.check.level.rawValue))"
            )
            page.paragraph(result.summary, indent: 6)
            page.paragraph("Rule: \(result.check.rule)", indent: 6, hanging: 2)
            page.paragraph(
                "\(result.basisLabel): \(result.check.basis.sentence)",
                indent: 6,
                hanging: 2
            )
            page.paragraph("Fix: \(result.check.advice)", indent: 6, hanging: 2)
            for line in result.lines(atMost: 3) {
                page.paragraph("- \(line)", indent: 6, hanging: 2)
            }
        }
        let passed = checks(.pass)
        if !passed.isEmpty { page.lines.append("") }
        for result in passed {
            page.lines.append("\(ink.paint("pass", .green))  \(result.check.id)")
        }
        let unjudged = checks(.notJudged)
        if !unjudged.isEmpty { page.lines.append("") }
        for result in unjudged {
            page.lines.append("\(ink.paint("?   ", .yellow))  \(result.check.id): not judged")
            page.paragraph(result.summary, indent: 6)
        }
        let unexercised = checks(.notExercised).map(\.check.id)
        if !unexercised.isEmpty {
            page.lines.append("")
            page.paragraph(
                "Not exercised: " + unexercised.joined(separator: ", ") + ".",
                indent: 0,
                hanging: 6
            )
        }
        page.lines.append("")
        page.paragraph(
            "\(coverage.called) of \(coverage.operations.count) operations were called, in "
                + "\(journal.entries) requests. A wait may be 50 ms or 2 % short, whichever is more."
                + (failures.isEmpty
                    ? ""
                    : " Behind # stand the number of a request in the journal (run --journal FILE, or GET "
                        + "/__admin/requests), its answer, and the seconds since the first request. "
                        + "\"lost\": no whole answer arrived; \"left\": the client did not wait for it."),
            indent: 0
        )
        if let notes = end?.notes, !notes.isEmpty {
            page.lines.append("")
            for note in notes { page.paragraph(note, indent: 0, hanging: 2) }
        }
        page.lines.append("")
        page.paragraph(conclusion.line, indent: 0)
        return page.lines.joined(separator: "\n") + "\n"
    }

}

/// Words in colour, or not.
private struct Ink {
    let isOn: Bool

    enum Colour: String {
        case bold = "1"
        case red = "1;31"
        case green = "32"
        case yellow = "33"
    }

    func paint(_ text: String, _ colour: Colour) -> String {
        isOn ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// The mark of an exit status.
    func paint(_ exit: VerdictExit) -> String {
        switch exit {
        case .pass: paint(exit.mark, .green)
        case .fail, .commandFailed, .usage: paint(exit.mark, .red)
        case .notExercised: paint(exit.mark, .yellow)
        }
    }
}

/// Lines of at most 80 columns.
private struct Page {
    static let columns = 80

    var lines: [String] = []

    /// Appends words, broken into lines; a word that is longer than a line is broken, too.
    ///
    /// - Parameters:
    ///   - indent: Spaces before every line.
    ///   - hanging: Further spaces before every line but the first.
    mutating func paragraph(_ text: String, indent: Int, hanging: Int = 0) {
        var line = String(repeating: " ", count: indent)
        let margin = String(repeating: " ", count: indent + hanging)
        var isEmpty = true
        for word in text.split(separator: " ") {
            var word = word.filter { !$0.isNewline && $0 != "\u{1B}" }[...]
            if !isEmpty, line.count + 1 + word.count > Self.columns {
                lines.append(line)
                line = margin
                isEmpty = true
            }
            while line.count + word.count > Self.columns {
                let room = Self.columns - line.count
                lines.append(line + word.prefix(room))
                word = word.dropFirst(room)
                line = margin
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        lines.append(line)
    }
}
