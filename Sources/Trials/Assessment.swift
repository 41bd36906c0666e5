package import Verdict

/// What a trial counts for, once the failures that are known are taken out.
package struct Assessment: Sendable {
    /// The failed checks that fail the trial.
    package let new: [CheckResult]
    /// The failed checks that the baseline lists.
    package let known: [CheckResult]
    /// The checks that the baseline lists, and that pass now.
    package let stale: [CheckResult]
    /// The exit status that the trial alone would have.
    package let exit: VerdictExit

    /// - Parameters:
    ///   - baseline: The failures that are known; `nil` where nobody listed any.
    ///   - asksForMarks: Whether it is a failure that a scenario met nothing that it is about.
    package init(_ trial: Trial, baseline: Baseline? = nil, asksForMarks: Bool = true) {
        let report = trial.verdict
        let listed = baseline?.checks(of: trial.subject) ?? []
        let failed = report.failures.filter { report.counts($0) }
        new = failed.filter { !listed.contains($0.check.id) }
        known = failed.filter { listed.contains($0.check.id) }
        stale = report.checks(.pass).filter { listed.contains($0.check.id) }
        // A command often fails because of what a check found.
        let isExplained = !known.isEmpty && !trial.end.wasStopped && trial.end.status != nil
        if !new.isEmpty || !stale.isEmpty {
            exit = .fail
        } else if !trial.differences.isEmpty {
            exit = .fail
        } else if trial.end.isFailed, !isExplained {
            exit = .commandFailed
        } else if report.outcome == .notExercised
            || (asksForMarks && report.scenario?.isReached == false)
        {
            exit = .notExercised
        } else {
            exit = .pass
        }
    }

    /// The word of the reports.
    package var outcome: String { exit.word }
}

extension VerdictExit {
    /// The word of the reports.
    package var word: String {
        switch self {
        case .pass: "pass"
        case .fail: "fail"
        case .notExercised: "not-exercised"
        case .commandFailed, .usage: "error"
        }
    }

    /// The worst of several, in the order 64, 3, 1, 2, 0.
    package static func worst(of statuses: some Sequence<VerdictExit>) -> VerdictExit {
        let order: [VerdictExit] = [.usage, .commandFailed, .fail, .notExercised]
        let all = Array(statuses)
        return order.first { all.contains($0) } ?? .pass
    }
}
