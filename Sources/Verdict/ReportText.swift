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
        if let line = end?.silence {
            // Nothing else can be said of such a run.
            page.paragraph(line, indent: 6)
            page.lines += ["", conclusion.line]
            return page.lines.joined(separator: "\n") + "\n"
        }
        if let journalNote { page.paragraph(journalNote, indent: 6) }
        // Where a check fails the whole, that comes first.
        let isFailed = failures.contains(where: counts)
        let notes = scenarioNotes(refersBelow: true)
        if !isFailed { page.notes(notes) }
        if let legend = legend(of: shownRequests) { page.paragraph(legend, indent: 6) }
        for result in failures {
            page.lines.append("")
            page.lines.append(
                "\(counts(result) ? ink.paint("FAIL", .red) : ink.paint("WARN", .yellow))  "
                    + "\(ink.paint(result.check.id, .bold)) (\(result.check.level.rawValue))"
            )
            if let lead = result.lead { page.paragraph(lead, indent: 6) }
            page.cases(result.evidence.prefix(Self.shownCases))
            if let more = result.more(than: Self.shownCases) { page.paragraph(more, indent: 6) }
            for remark in result.remarks { page.paragraph(remark, indent: 6) }
            page.paragraph("Rule: \(result.check.rule)", indent: 6, hanging: 2)
            page.paragraph(
                "\(result.basisLabel): \(result.check.basis.sentence)",
                indent: 6,
                hanging: 2
            )
            page.paragraph("Fix: \(result.advice)", indent: 6, hanging: 2)
        }
        if isFailed, !notes.isEmpty {
            page.lines.append("")
            page.notes(notes)
        }
        let unjudged = checks(.notJudged)
        if !unjudged.isEmpty { page.lines.append("") }
        var told: [String: String] = [:]
        for result in unjudged {
            page.lines.append("\(ink.paint("?   ", .yellow))  \(result.check.id): not judged")
            if let first = told[result.summary] {
                page.paragraph("For the same reason as \(first).", indent: 6)
            } else {
                page.paragraph(result.summary, indent: 6)
                told[result.summary] = result.check.id
            }
            guard result.isShownUndecided, let open = result.undecided.first else { continue }
            page.paragraph("- \(open.particulars)", indent: 6, hanging: 2)
            if let toDecide = result.toDecide {
                page.paragraph("To know: \(toDecide)", indent: 6, hanging: 2)
            }
            page.paragraph("Fix, if it is so: \(result.advice)", indent: 6, hanging: 2)
        }
        let passed = checks(.pass)
        if !passed.isEmpty { page.lines.append("") }
        for result in passed {
            page.lines.append("\(ink.paint("pass", .green))  \(result.check.id)")
            for remark in result.remarks { page.paragraph(remark, indent: 6) }
        }
        let unexercised = checks(.notExercised)
        if !unexercised.isEmpty {
            page.lines.append("")
            page.paragraph(
                "\(unexercised.count) not exercised: what they judge did not happen. --report FILE.md and "
                    + "--format markdown list them. What would exercise them:",
                indent: 0,
                hanging: 6
            )
            for line in families(of: unexercised) {
                page.paragraph("- \(line)", indent: 6, hanging: 2)
            }
        }
        page.lines.append("")
        page.paragraph(
            "\(coverage.called) of \(coverage.operations.count) operations were called. "
                + "\(journal.entries) request\(journal.entries == 1 ? " was" : "s were") judged, those "
                + "for tokens and files included.",
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

extension VerdictReport {
    /// How many cases of a check a report for a terminal shows.
    private static let shownCases = 3

    /// The requests that a report for a terminal shows, in its order.
    private var shownRequests: [Evidence.Request] {
        let failed = failures.flatMap { $0.evidence.prefix(Self.shownCases) }
        let open = checks(.notJudged).filter(\.isShownUndecided).flatMap { $0.undecided.prefix(1) }
        return (failed + open).flatMap(\.requests)
    }

    /// How many checks of each family, such as `retry 7`, and what would exercise them; `all` where none is
    /// left out.
    private func families(of some: [CheckResult]) -> [String] {
        func family(_ result: CheckResult) -> Substring {
            result.check.id.prefix { $0 != "." }
        }
        var names: [Substring] = []
        for result in some where names.last != family(result) { names.append(family(result)) }
        return names.map { name in
            let count = some.count { family($0) == name }
            let isWhole = count > 1 && count == checks.count { family($0) == name }
            return "\(name) \(isWhole ? "(all \(count))" : String(count))"
                + (Check.stimulus(ofFamily: name).map { ": \($0)" } ?? "")
        }
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

    /// Appends what is to be known of the scenario: a sentence, and its particulars.
    mutating func notes(_ notes: [String]) {
        for (place, note) in notes.enumerated() {
            paragraph(place == 0 ? note : "- \(note)", indent: 6, hanging: place == 0 ? 0 : 2)
        }
    }

    /// Appends cases, each as what was seen and its requests.
    mutating func cases(_ cases: some Sequence<Evidence>) {
        for one in cases {
            paragraph("- \(one.note)", indent: 6, hanging: 2)
            paragraph(one.particulars, indent: 8)
        }
    }

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
