extension VerdictReport {
    /// The report as JUnit XML.
    package var junit: String {
        let name = "qubs-mock verdict"
        return JUnit(name: name, suites: [junitSuite(name: "\(name): \(session)")]).text
    }

    /// The checks as a test suite.
    ///
    /// Checks that were not exercised or judged are skipped. A failure that does not count passes
    /// with its findings as output, so that a build server and the exit status agree.
    ///
    /// - Parameters:
    ///   - seconds: How long the client was at work.
    ///   - known: The checks whose failure is known.
    package func junitSuite(
        name: String,
        seconds: Double = 0,
        known: Set<String> = []
    ) -> JUnit.Suite {
        var suite = JUnit.Suite(name: name, seconds: seconds)
        suite.properties = [
            ("result", outcome.rawValue), ("strict", String(isStrict)),
            ("journal.entries", String(journal.entries)),
            ("journal.dropped", String(journal.dropped)),
            ("coverage.called", "\(coverage.called) of \(coverage.operations.count)"),
        ]
        let group = scenario?.name ?? "qubs-mock"
        if let scenario {
            suite.properties.append(("scenario", scenario.name))
            // A build server must not be green on a run that shows nothing.
            suite.cases.append(
                JUnit.Case(
                    group: group + ".scenario",
                    name: "scenario reached",
                    scenario.isReached
                        ? .pass
                        : .error(kind: "not-reached", message: scenarioNote ?? "", details: "")
                )
            )
        }
        for result in checks {
            let id = result.check.id
            let family = id.split(separator: ".").first.map(String.init) ?? id
            suite.cases.append(
                JUnit.Case(
                    group: "\(group).\(family)",
                    name: id,
                    outcome(of: result, isKnown: known.contains(id))
                )
            )
        }
        suite.notes = [journalNote, scenarioNote].compactMap { $0 }
        return suite
    }

    private func outcome(of result: CheckResult, isKnown: Bool) -> JUnit.Outcome {
        switch result.outcome {
        case .pass: return .pass
        case .notExercised, .notJudged: return .skipped(result.summary)
        case .fail:
            if isKnown { return .skipped("Known: \(result.summary)") }
            if counts(result) {
                return .failure(
                    kind: result.check.level.rawValue,
                    message: result.summary,
                    details: details(result)
                )
            }
            let word = isRequired(result.check) ? "Warning" : "Not required"
            return .note("\(word): \(result.summary)\n\(details(result))")
        }
    }

    private func details(_ result: CheckResult) -> String {
        var lines = [
            "Rule: \(result.check.rule)", "\(result.basisLabel): \(result.check.basis.sentence)",
            "Fix: \(result.advice)",
        ]
        lines += result.remarks
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

    /// The requests in one line.
    package var sentence: String { particulars }

    /// The requests: those with one method and path together, each with its number in the journal, its
    /// answer, and when it came.
    var particulars: String {
        var parts: [String] = []
        var last: (method: String, path: String)?
        for request in requests {
            let one = request.short
            if let last, last == (request.method, request.path) {
                parts[parts.count - 1] += " > \(one)"
            } else {
                parts.append("\(request.method) \(request.path): \(one)")
            }
            last = (request.method, request.path)
        }
        // The trace-id of the request to look at first, to be found in the client's own traces.
        let trace = requests.last?.traceParent?.split(separator: "-").dropFirst().first
        return (session.map { "[\($0)] " } ?? "") + parts.joined(separator: "; ")
            + (trace.map { "; trace \($0)" } ?? "")
    }
}

extension CheckResult {
    /// The first cases that failed, one in a line.
    func lines(atMost count: Int) -> [String] {
        evidence.prefix(count).map(\.line) + [more(than: count)].compactMap { $0 }
    }

    /// How many cases are not shown; `nil` where all are.
    func more(than count: Int) -> String? {
        failures > count ? "And \(failures - count) more." : nil
    }

    /// Whether a report tells what the end of the command left open of it.
    var isShownUndecided: Bool { check.level == .must && !undecided.isEmpty }
}
