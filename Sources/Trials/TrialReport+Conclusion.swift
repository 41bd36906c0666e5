package import Verdict

extension TrialReport {
    /// The exit status with its reason.
    package var conclusion: Conclusion {
        if writesBaseline, exit == .fail || exit == .notExercised {
            return Conclusion(.pass, "what fails is written down as known")
        }
        guard isSingle, let one = assessments.first else { return Conclusion(exit, severalReason) }
        if exit == one.exit { return conclusion(of: 0) }
        return Conclusion(
            exit,
            faults.isEmpty ? "a required check was not exercised" : "the run could not be judged"
        )
    }

    /// What one trial alone concludes.
    package func conclusion(of place: Int) -> Conclusion {
        let (trial, assessment) = all[place]
        return Conclusion(assessment.exit, reason(trial, assessment))
    }

    private func reason(_ trial: Trial, _ assessment: Assessment) -> String {
        let verdict = trial.verdict.conclusion
        switch assessment.exit {
        case .pass:
            let known = assessment.known.count
            return known == 0
                ? verdict.reason
                : "all that failed is known: \(known) check\(known == 1 ? "" : "s") of the baseline"
        case .fail where !assessment.new.isEmpty:
            let word = trial.verdict.isStrict ? "check" : "must"
            let count = assessment.new.count
            return count == 1 ? "a \(word) failed" : "\(count) \(word)s failed"
        case .fail:
            return assessment.stale.isEmpty
                ? "its effects are not those of the clean trial"
                : "the baseline lists what passes now"
        case .notExercised: return verdict.reason
        case .commandFailed, .usage:
            return trial.end.way == .overdue ? "your command was stopped" : "your command failed"
        }
    }

    /// Why a suite or a sweep ends as it does.
    private var severalReason: String {
        switch exit {
        case .pass: "every trial passes"
        case .fail where unmet.isEmpty || assessments.contains { $0.exit == .fail }:
            "a trial failed"
        case .fail: "a required check was exercised in no trial"
        case .notExercised: "a trial was incomplete"
        case .commandFailed, .usage:
            faults.isEmpty ? "a command could not be judged" : "the trials are worth nothing"
        }
    }
}
