package import JSON

/// What a report says of the whole: an exit status, its one word, and its reason.
package struct Conclusion: Sendable, Equatable {
    package let exit: VerdictExit
    /// Why it is this one, in a few words.
    package let reason: String

    package init(_ exit: VerdictExit, _ reason: String) {
        self.exit = exit
        self.reason = reason
    }

    /// The last line of a report.
    package var line: String { "qubs-mock's exit status: \(exit.rawValue) (\(reason))." }

    /// The members of a report's `conclusion`.
    package var json: JSONValue {
        [
            "word": .string(exit.name), "exitStatus": .integer(Int(exit.rawValue)),
            "reason": .string(reason),
        ]
    }
}

extension VerdictExit {
    /// The one word for it in reports for people.
    package var name: String {
        switch self {
        case .pass: "pass"
        case .fail: "fail"
        case .notExercised: "incomplete"
        case .commandFailed, .usage: "error"
        }
    }

    /// The same word as the mark before a headline.
    package var mark: String { name.uppercased() }
}

extension VerdictReport {
    /// What the verdict alone concludes, whatever became of the command.
    package var conclusion: Conclusion {
        let exit = VerdictExit(self)
        let counted = isStrict ? "check" : "must"
        switch exit {
        case .fail:
            let failed = failures.count { counts($0) }
            return Conclusion(
                exit,
                failed == 1 ? "a \(counted) failed" : "\(failed) \(counted)s failed"
            )
        case .notExercised where outcome == .notExercised:
            return Conclusion(exit, "incomplete: nothing was put to the test")
        case .notExercised:
            return Conclusion(
                exit,
                "incomplete: nothing that scenario \(scenario?.name ?? "") is about was put to the test"
            )
        case .pass, .commandFailed, .usage:
            return Conclusion(
                exit,
                "every \(counted) that was put to the test passes" + warningsThatDoNotCount
            )
        }
    }
}

extension VerdictReport {
    /// What warnings mean for the exit status, as the end of a sentence; empty without any.
    private var warningsThatDoNotCount: String {
        let warnings = failures.count
        if warnings == 0 { return "" }
        let words = warnings == 1 ? "1 warning, which counts" : "\(warnings) warnings, which count"
        return "; " + words + (required == nil ? " only with --strict" : " for nothing here")
    }
}

/// How a run ended beside its verdict.
package struct RunEnd: Sendable {
    package let conclusion: Conclusion
    /// How the command ended, in one sentence; `nil` where it ended as it should.
    package let commandLine: String?
    /// What is said where not one request came.
    package var silence: String?
    /// What the verdict does not say, one line each.
    package let notes: [String]

    package init(_ conclusion: Conclusion, commandLine: String?, notes: [String] = []) {
        self.conclusion = conclusion
        self.commandLine = commandLine
        self.notes = notes
    }
}
