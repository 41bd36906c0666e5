extension VerdictReport {
    /// The report as JUnit XML, in the form that GitHub, GitLab and Jenkins read.
    ///
    /// Checks that were not exercised or judged are skipped. A failed "should" is a failure only in
    /// a strict verdict: elsewhere it passes with its findings as output, so that a build server
    /// and the exit status agree.
    package var junit: String {
        let failures = checks.count { counts($0) }
        let skipped = checks.count { !$0.outcome.isExercised }
        let errors = scenario.map { $0.isReached ? 0 : 1 } ?? 0
        let cases = checks.count + (scenario == nil ? 0 : 1)
        let totals =
            "tests=\"\(cases)\" failures=\"\(failures)\" errors=\"\(errors)\" time=\"0\""
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        lines.append("<testsuites name=\"qubs-mock verdict\" \(totals)>")
        // The schema of Jenkins' xUnit plugin has no `skipped` on `testsuites`.
        lines.append(
            "  <testsuite name=\"qubs-mock verdict: \(XML.escape(session))\" \(totals) "
                + "skipped=\"\(skipped)\">"
        )
        lines.append("    <properties>")
        for (name, value) in properties {
            lines.append(
                "      <property name=\"\(name)\" value=\"\(XML.escape(value))\"/>"
            )
        }
        lines.append("    </properties>")
        lines += scenarioCase
        for result in checks { lines += testCase(result) }
        let notes = [journalNote, scenarioNote].compactMap { $0 }
        if !notes.isEmpty {
            lines.append(
                "    <system-out>\(XML.escape(notes.joined(separator: "\n")))</system-out>"
            )
        }
        lines.append("  </testsuite>")
        lines.append("</testsuites>")
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whether the scenario met anything: an error where it did not, so that a build server is not green
    /// on a run that shows nothing.
    private var scenarioCase: [String] {
        guard let scenario else { return [] }
        let open =
            "    <testcase classname=\"qubs-mock.scenario\" name=\"scenario reached\" time=\"0\""
        if scenario.isReached { return [open + "/>"] }
        return [
            open + ">",
            "      <error type=\"not-reached\" message=\"\(XML.escape(scenarioNote ?? ""))\"/>",
            "    </testcase>",
        ]
    }

    private var properties: [(String, String)] {
        var properties = [
            ("result", outcome.rawValue), ("strict", String(isStrict)),
            ("journal.entries", String(journal.entries)),
            ("journal.dropped", String(journal.dropped)),
            ("coverage.called", "\(coverage.called) of \(coverage.operations.count)"),
        ]
        if let scenario { properties.append(("scenario", scenario.name)) }
        return properties
    }

    private func testCase(_ result: CheckResult) -> [String] {
        let id = result.check.id
        let group = id.split(separator: ".").first.map(String.init) ?? id
        let open =
            "    <testcase classname=\"qubs-mock.\(group)\" name=\"\(id)\" time=\"0\""
        switch result.outcome {
        case .pass: return [open + "/>"]
        case .notExercised, .notJudged:
            return [
                open + ">",
                "      <skipped message=\"\(XML.escape(result.summary))\"/>",
                "    </testcase>",
            ]
        case .fail where counts(result):
            return [
                open + ">",
                "      <failure type=\"\(result.check.level.rawValue)\" "
                    + "message=\"\(XML.escape(result.summary))\">\(XML.escape(details(result)))"
                    + "</failure>",
                "    </testcase>",
            ]
        case .fail:
            return [
                open + ">",
                "      <system-out>\(XML.escape("Should: \(result.summary)\n\(details(result))"))"
                    + "</system-out>",
                "    </testcase>",
            ]
        }
    }

    private func details(_ result: CheckResult) -> String {
        var lines = [
            "Rule: \(result.check.rule)", "\(result.basisLabel): \(result.check.basis.sentence)",
            "Fix: \(result.check.advice)",
        ]
        lines += result.lines(atMost: 10).map { "- \($0)" }
        return lines.joined(separator: "\n")
    }
}

extension CheckResult {
    /// What stands before the sentence that the check rests on.
    var basisLabel: String {
        check.basis.section.map { "Documentation, \"\($0)\"" } ?? "Good practice"
    }
}

extension Evidence {
    /// The case in one line: what was seen, and the requests.
    var line: String { "\(note) \(particulars)" }

    /// The requests: those with one method and path together, each with its number in the journal, its
    /// answer, and when it came.
    var particulars: String {
        var parts: [String] = []
        var last: (method: String, path: String)?
        for request in requests {
            let one = "#\(request.id) \(request.answer) at \(Seconds.text(request.offset))"
            if let last, last == (request.method, request.path) {
                parts[parts.count - 1] += " > \(one)"
            } else {
                parts.append("\(request.method) \(request.path): \(one)")
            }
            last = (request.method, request.path)
        }
        return parts.joined(separator: "; ")
    }
}

extension CheckResult {
    /// The first cases that failed, one in a line; the summary has told what was seen in the first.
    func lines(atMost count: Int) -> [String] {
        var lines = evidence.prefix(count).enumerated().map { place, evidence in
            place == 0 ? evidence.particulars : evidence.line
        }
        if failures > count { lines.append("And \(failures - count) more.") }
        return lines
    }
}

/// XML text.
enum XML {
    /// Escapes text for content and for attribute values; drops what XML 1.0 cannot hold.
    static func escape(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "\"": output += "&quot;"
            case "\n": output += "\n"
            case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": output += "?"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
