package import JSON
package import Verdict

/// What several trials of one client say.
package struct TrialReport: Sendable {
    /// Such as `run --suite`.
    package let title: String
    /// Whether it is about one run, whose verdict says it all.
    package let isSingle: Bool
    package let trials: [Trial]
    /// One for each trial.
    package let assessments: [Assessment]
    /// The checks that had to be exercised somewhere, and were not.
    package let unmet: [String]
    /// What fails the whole beside its trials, one sentence each.
    package let faults: [String]
    /// What a reader should know, one sentence each.
    package let notes: [String]
    /// How long all of it took.
    package let seconds: Double
    package let exit: VerdictExit
    /// Whether what fails is written down, and so fails nothing.
    package let writesBaseline: Bool

    /// - Parameters:
    ///   - required: The checks that must be exercised somewhere.
    ///   - faults: What makes the whole worthless, such as requests in a wrong session.
    package init(
        title: String,
        isSingle: Bool = false,
        trials: [Trial],
        baseline: Baseline? = nil,
        required: [String] = [],
        asksForMarks: (Trial) -> Bool = { _ in true },
        faults: [String] = [],
        notes: [String] = [],
        seconds: Double,
        writesBaseline: Bool = false
    ) {
        self.writesBaseline = writesBaseline
        self.title = title
        self.isSingle = isSingle
        self.trials = trials
        assessments = trials.map {
            Assessment($0, baseline: baseline, asksForMarks: asksForMarks($0))
        }
        unmet = required.filter { id in
            !trials.contains { trial in
                trial.verdict.checks.contains { $0.check.id == id && $0.outcome.isExercised }
            }
        }
        self.faults = faults
        self.notes = notes
        self.seconds = seconds
        var statuses = assessments.map(\.exit)
        if !unmet.isEmpty { statuses.append(.fail) }
        if !faults.isEmpty { statuses.append(.commandFailed) }
        exit = VerdictExit.worst(of: statuses)
    }

    /// The trials with what they count for.
    package var all: [(trial: Trial, assessment: Assessment)] {
        Array(zip(trials, assessments))
    }

    /// How long the trials took together.
    package var sum: Double { trials.reduce(0) { $0 + $1.end.seconds } }

    /// The result in one line.
    package var headline: String {
        let counts = Dictionary(grouping: assessments, by: \.exit).mapValues(\.count)
        var parts: [String] = []
        for (exit, words) in [
            (VerdictExit.pass, "pass"), (.fail, "fail"), (.notExercised, "incomplete"),
            (.commandFailed, "could not be judged"),
        ] {
            if let count = counts[exit] { parts.append("\(count) \(words)") }
        }
        let known = assessments.reduce(0) { $0 + $1.known.count }
        let stale = assessments.reduce(0) { $0 + $1.stale.count }
        if known > 0 { parts.append("\(known) known failure\(known == 1 ? "" : "s")") }
        if stale > 0 { parts.append("\(stale) stale line\(stale == 1 ? "" : "s") in the baseline") }
        return "\(trials.count) trial\(trials.count == 1 ? "" : "s"): "
            + parts.joined(separator: ", ") + "."
    }

    /// What stands against a trial, one line each, most important first.
    func findings(of place: Int) -> [String] {
        let trial = trials[place]
        let assessment = assessments[place]
        var lines: [String] = []
        lines += assessment.new.map { "\($0.check.id): \($0.summary)" }
        lines += assessment.stale.map {
            "stale: the baseline lists \($0.check.id) for \(trial.name), and it passes now."
        }
        lines += trial.differences
        if trial.end.isFailed, let line = trial.end.line { lines.append(line) }
        if let note = trial.verdict.scenarioNote, assessment.exit == .notExercised {
            lines.append(note)
        }
        return lines
    }

    /// What fails the whole beside its trials.
    var generalFindings: [String] {
        faults
            + unmet.map { "\($0) is required, and no trial exercised it." }
    }

    // MARK: JSON

    /// The report as JSON.
    ///
    /// - Parameter isWhole: Whether verdicts of trials that pass are told in full, too.
    package func json(isWhole: Bool = true) -> JSONValue {
        var object = JSONObject()
        object["result"] = .string(exit.word)
        object["summary"] = .string(headline)
        object["conclusion"] = conclusion.json
        object["seconds"] = Self.number(seconds)
        if !generalFindings.isEmpty {
            object["faults"] = .array(generalFindings.map { .string($0) })
        }
        object["trials"] = .array(
            trials.indices.map { json(of: $0, isWhole: isWhole) }
        )
        return .object(object)
    }

    private func json(of place: Int, isWhole: Bool) -> JSONValue {
        let (trial, assessment) = all[place]
        var object = JSONObject()
        switch trial.subject {
        case .plain: object["scenario"] = .null
        case .scenario(let name): object["scenario"] = .string(name)
        case .parts(let parts):
            object["name"] = .string(trial.name)
            if parts.count == 1, let member = parts.first?.member {
                object[member.name] = member.value
            } else {
                object["pair"] = .array(parts.map(Self.json))
                if !trial.sufficient.isEmpty {
                    object["suffices"] = .array(trial.sufficient.map(Self.json))
                }
            }
        }
        object["session"] = .string(trial.session)
        object["outcome"] = .string(assessment.outcome)
        object["conclusion"] = conclusion(of: place).json
        object["exit"] = trial.end.status.map { .integer(Int($0)) } ?? .null
        if let line = trial.end.line { object["command"] = .string(line) }
        object["seconds"] = Self.number(trial.end.seconds)
        object["verdict"] =
            isWhole || assessment.exit != .pass
            ? trial.verdict.json
            : [
                "session": .string(trial.session),
                "result": .string(trial.verdict.outcome.rawValue),
                "summary": .string(trial.verdict.headline),
            ]
        object["effects"] = trial.effects["items"] ?? .array([])
        if !assessment.known.isEmpty {
            object["known"] = .array(assessment.known.map { .string($0.check.id) })
        }
        if !assessment.stale.isEmpty {
            object["stale"] = .array(assessment.stale.map { .string($0.check.id) })
        }
        if !trial.differences.isEmpty {
            object["differences"] = .array(trial.differences.map { .string($0) })
        }
        if !trial.attempts.isEmpty {
            object["attempts"] = .array(trial.attempts.map { .string($0) })
        }
        object["repeat"] = trial.repetition.map { .string($0) } ?? .null
        return .object(object)
    }

    private static func json(_ part: Trial.Part) -> JSONValue {
        .object(JSONObject([part.member]))
    }

    private static func number(_ seconds: Double) -> JSONValue {
        JSONNumber((seconds * 1000).rounded() / 1000).map { .number($0) } ?? .null
    }
}

/// Seconds for people: one digit of fraction.
func text(ofSeconds seconds: Double) -> String {
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
}
