/// A report as JUnit XML, in the form that GitHub, GitLab and Jenkins read.
package struct JUnit {
    package var name: String
    package var suites: [Suite]

    package init(name: String, suites: [Suite]) {
        self.name = name
        self.suites = suites
    }

    /// What belongs together: the checks of a trial, or the trials of a sweep.
    package struct Suite {
        package var name: String
        /// How long it took.
        package var seconds: Double
        package var properties: [(name: String, value: String)] = []
        package var cases: [Case] = []
        /// What a reader must know.
        package var notes: [String] = []

        package init(name: String, seconds: Double = 0) {
            self.name = name
            self.seconds = seconds
        }
    }

    package struct Case {
        /// Groups cases: words with dots between them.
        package var group: String
        package var name: String
        package var outcome: Outcome
        package var seconds: Double

        package init(group: String, name: String, _ outcome: Outcome, seconds: Double = 0) {
            self.group = group
            self.name = name
            self.outcome = outcome
            self.seconds = seconds
        }
    }

    package enum Outcome {
        case pass
        /// Passed, with something to read.
        case note(String)
        case skipped(String)
        case failure(kind: String, message: String, details: String)
        case error(kind: String, message: String, details: String)
    }

    /// The document.
    package var text: String {
        let cases = suites.flatMap(\.cases)
        let seconds = suites.reduce(0) { $0 + $1.seconds }
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        // The schema of Jenkins' xUnit plugin has no `skipped` on `testsuites`.
        lines.append(
            "<testsuites name=\"\(XML.escape(name))\" \(Self.totals(of: cases, seconds))>"
        )
        for suite in suites {
            let skipped = suite.cases.count {
                if case .skipped = $0.outcome { true } else { false }
            }
            lines.append(
                "  <testsuite name=\"\(XML.escape(suite.name))\" "
                    + "\(Self.totals(of: suite.cases, suite.seconds)) skipped=\"\(skipped)\">"
            )
            if !suite.properties.isEmpty {
                lines.append("    <properties>")
                // Some readers keep the properties of all suites together, and refuse a name that
                // comes twice (Python's xunitparserx).
                let prefix = suites.count > 1 ? "\(suite.name)." : ""
                for (name, value) in suite.properties {
                    lines.append(
                        "      <property name=\"\(XML.escape(prefix + name))\" "
                            + "value=\"\(XML.escape(value))\"/>"
                    )
                }
                lines.append("    </properties>")
            }
            for one in suite.cases { lines += Self.lines(of: one) }
            if !suite.notes.isEmpty {
                let notes = suite.notes.joined(separator: "\n")
                lines.append("    <system-out>\(XML.escape(notes))</system-out>")
            }
            lines.append("  </testsuite>")
        }
        lines.append("</testsuites>")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func totals(of cases: [Case], _ seconds: Double) -> String {
        var failures = 0
        var errors = 0
        for one in cases {
            switch one.outcome {
            case .failure: failures += 1
            case .error: errors += 1
            case .pass, .note, .skipped: break
            }
        }
        return "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\" "
            + "time=\"\(text(seconds))\""
    }

    private static func lines(of one: Case) -> [String] {
        let open =
            "    <testcase classname=\"\(XML.escape(one.group))\" name=\"\(XML.escape(one.name))\" "
            + "time=\"\(text(one.seconds))\""
        let inner: String
        switch one.outcome {
        case .pass: return [open + "/>"]
        case .note(let text): inner = "<system-out>\(XML.escape(text))</system-out>"
        case .skipped(let reason): inner = "<skipped message=\"\(XML.escape(reason))\"/>"
        case .failure(let kind, let message, let details):
            inner = element("failure", kind, message, details)
        case .error(let kind, let message, let details):
            inner = element("error", kind, message, details)
        }
        return [open + ">", "      \(inner)", "    </testcase>"]
    }

    private static func element(
        _ name: String,
        _ kind: String,
        _ message: String,
        _ details: String
    ) -> String {
        let open = "<\(name) type=\"\(XML.escape(kind))\" message=\"\(XML.escape(message))\""
        return details.isEmpty ? open + "/>" : "\(open)>\(XML.escape(details))</\(name)>"
    }

    private static func text(_ seconds: Double) -> String {
        seconds == 0 ? "0" : Seconds.digits(Int64(seconds * 1_000_000_000))
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
