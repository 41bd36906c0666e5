import Verdict

extension TrialReport {
    /// The report as JUnit XML: a suite for each scenario, or one with a case for each trial.
    package var junit: String {
        JUnit(name: "qubs-mock \(title)", suites: suites).text
    }

    private var suites: [JUnit.Suite] {
        let isSweep = trials.contains { if case .parts = $0.subject { true } else { false } }
        var suites = isSweep ? [sweepSuite] : all.map { suite(of: $0, $1) }
        if !generalFindings.isEmpty {
            var suite = JUnit.Suite(name: "qubs-mock \(title)")
            suite.cases = generalFindings.map {
                JUnit.Case(
                    group: "qubs-mock.trials",
                    name: "whole",
                    .error(kind: "whole", message: $0, details: "")
                )
            }
            suites.append(suite)
        }
        return suites
    }

    /// The checks of one trial; the command is a case as well, with the time that it took.
    private func suite(of trial: Trial, _ assessment: Assessment) -> JUnit.Suite {
        let stale = Set(assessment.stale.map(\.check.id))
        let group = trial.verdict.scenario?.name ?? "qubs-mock"
        var suite = trial.verdict.junitSuite(
            name: group,
            seconds: trial.end.seconds,
            known: Set(assessment.known.map(\.check.id))
        )
        for place in suite.cases.indices where stale.contains(suite.cases[place].name) {
            suite.cases[place].outcome = .failure(
                kind: "stale",
                message: "The baseline lists this check as failing, and it passes now.",
                details: ""
            )
        }
        let command: JUnit.Outcome
        if trial.end.isFailed, assessment.exit == .commandFailed {
            command = .error(
                kind: "command",
                message: trial.end.line ?? "",
                details: trial.output
            )
        } else if let line = trial.end.line {
            command = .note(line)
        } else {
            command = .pass
        }
        suite.cases.insert(
            JUnit.Case(
                group: group + ".command",
                name: "command",
                command,
                seconds: trial.end.seconds
            ),
            at: 0
        )
        return suite
    }

    private var sweepSuite: JUnit.Suite {
        var suite = JUnit.Suite(name: "qubs-mock \(title)", seconds: seconds)
        for (place, pair) in all.enumerated() {
            let (trial, assessment) = pair
            let group: String
            switch trial.subject {
            case .plain, .scenario: group = "sweep.clean"
            case .parts(let parts) where parts.count > 1: group = "sweep.pairs"
            case .parts(let parts):
                if case .reading? = parts.first {
                    group = "sweep.readings"
                } else {
                    let operation = trial.name.prefix { $0 != " " }
                    group = "sweep.\(operation)"
                }
            }
            let outcome: JUnit.Outcome
            if assessment.exit == .pass {
                outcome = .pass
            } else {
                let found = findings(of: place)
                outcome = .failure(
                    kind: assessment.outcome,
                    message: found.first ?? "",
                    details: (found.dropFirst() + trial.attempts
                        + (trial.repetition.map { ["Repeat: \($0)"] } ?? []))
                        .joined(separator: "\n")
                )
            }
            suite.cases.append(
                JUnit.Case(group: group, name: trial.name, outcome, seconds: trial.end.seconds)
            )
        }
        suite.notes = notes
        return suite
    }
}
