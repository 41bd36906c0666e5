package import Journal

/// What the journal of a session says about its client.
package struct VerdictReport: Sendable {
    package let session: String
    package let outcome: Outcome
    /// All checks, in the order of the catalogue.
    package let checks: [CheckResult]
    package let coverage: Coverage
    /// How many requests were judged, and how many had been dropped before.
    package let journal: (entries: Int, dropped: UInt64)
    /// The scenario that was played.
    package let scenario: PlayedScenario?
    package let isStrict: Bool
    /// The checks that count; `nil` for all.
    package let required: Set<String>?

    /// The result of the whole; the raw values are the words of the reports.
    package enum Outcome: String, Sendable {
        case pass
        case fail
        case notExercised = "not-exercised"
    }

    /// What became of a scenario.
    package struct PlayedScenario: Sendable {
        package let name: String
        /// The pass marks that were not exercised, though the client made such calls.
        package let missing: [String]
        /// The pass marks about calls that the client did not make.
        package let notAsked: [String]
        /// Whether it met anything: one of its pass marks was exercised, or it has none.
        package let isReached: Bool
        /// How many requests a fault acted on.
        package let disturbed: Int
        /// The last request of a client that ended after it had failed; `nil` where it did not.
        package let lastFailure: String?
    }

    /// The checks that failed: musts first, those that are not required last; among each of these by what
    /// a failure breaks (`Check.harms`), then in the order of the catalogue.
    package var failures: [CheckResult] {
        // The sort keeps the order of the catalogue within a rank.
        let failed = checks(.fail).sorted { $0.check.rank < $1.check.rank }
        let asked = failed.filter { isRequired($0.check) }
        return asked.filter { $0.check.level == .must }
            + asked.filter { $0.check.level == .should }
            + failed.filter { !isRequired($0.check) }
    }

    /// The checks with one outcome.
    package func checks(_ outcome: CheckResult.Outcome) -> [CheckResult] {
        checks.filter { $0.outcome == outcome }
    }

    /// Whether a failed check fails the whole.
    package func counts(_ result: CheckResult) -> Bool {
        result.outcome == .fail && (isStrict || result.check.level == .must)
            && isRequired(result.check)
    }

    /// The result of a check in words for people: what failed and does not count is a warning.
    package func word(for result: CheckResult) -> String {
        result.outcome == .fail && !counts(result) ? "warning" : result.outcome.words
    }

    /// Whether a check is among those that are asked for.
    package func isRequired(_ check: Check) -> Bool { required?.contains(check.id) ?? true }
}

/// How a command that prints a verdict ends.
package enum VerdictExit: Int32, Sendable {
    /// Every exercised check passes.
    case pass = 0
    /// Some check fails: a "must", or any with `--strict`.
    case fail = 1
    /// Nothing was exercised, or nothing that the scenario is about.
    case notExercised = 2
    /// The command under test failed, or the mock did.
    case commandFailed = 3
    /// The command line was wrong.
    case usage = 64

    /// The status of a finished run.
    ///
    /// A mock that failed saw too little to judge. Otherwise a failed check says more than the
    /// status of the command, which often fails because of it; and a command that failed is the
    /// likely reason of what was not exercised.
    package init(_ report: VerdictReport, commandFailed: Bool = false, mockFailed: Bool = false) {
        if mockFailed {
            self = .commandFailed
        } else if report.outcome == .fail {
            self = .fail
        } else if commandFailed {
            self = .commandFailed
        } else if report.outcome == .notExercised || report.scenario?.isReached == false {
            self = .notExercised
        } else {
            self = .pass
        }
    }
}

/// Judges a client by the journal of its session.
///
/// A pure function: the same entries, in any order, give the same report.
package func verdict(of entries: [JournalEntry], context: VerdictContext) -> VerdictReport {
    let timeline = Timeline(entries, context)
    let results = Check.all.map { check in
        context.unprovable[check.id].map { CheckResult(check, notJudged: $0) }
            ?? CheckResult(check, check.judge(timeline))
    }
    let isFailed = results.contains {
        $0.outcome == .fail && (context.isStrict || $0.check.level == .must)
            && (context.required?.contains($0.check.id) ?? true)
    }
    let exercised = Set(results.filter(\.outcome.isExercised).map(\.check.id))
    let outcome: VerdictReport.Outcome =
        isFailed ? .fail : exercised.isEmpty ? .notExercised : .pass
    let scenario = context.scenario.map { scenario in
        let open = scenario.passMarks.filter { !exercised.contains($0) }
        let notAsked = open.filter { !CheckSubject($0).isCalled(timeline) }
        return VerdictReport.PlayedScenario(
            name: scenario.name,
            missing: open.filter { !notAsked.contains($0) },
            notAsked: notAsked,
            isReached: scenario.passMarks.isEmpty
                || scenario.passMarks.contains { exercised.contains($0) },
            disturbed: timeline.entries.count { $0.details.fault != nil },
            lastFailure: timeline.lastFailure
        )
    }
    return VerdictReport(
        session: context.session,
        outcome: outcome,
        checks: results,
        coverage: Coverage(timeline),
        journal: (entries.count, context.dropped),
        scenario: scenario,
        isStrict: context.isStrict,
        required: context.required
    )
}
