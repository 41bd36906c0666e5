import Journal

extension VerdictReport {
    /// What a reader must know of the scenario, one sentence each: that nothing or not all of what it is
    /// about was put to the test, and why; empty where all of it was.
    package var scenarioNotes: [String] { scenarioNotes(refersBelow: false) }

    /// The same.
    ///
    /// - Parameter refersBelow: Whether a report gives the reason of what was not judged below.
    func scenarioNotes(refersBelow: Bool) -> [String] {
        guard let scenario, !scenario.isReached || !scenario.missing.isEmpty else { return [] }
        var notes: [String]
        if scenario.isReached {
            notes = ["This run tested only a part of what scenario \(scenario.name) is about."]
            notes += reasons(scenario.missing, refersBelow)
        } else {
            let disturbed = scenario.disturbed
            notes = [
                disturbed == 0
                    ? "Nothing that scenario \(scenario.name) is about happened."
                    : "Scenario \(scenario.name) disturbed "
                        + "\(disturbed == 1 ? "1 request" : "\(disturbed) requests"), but none of the "
                        + "checks that it is about came to a result."
            ]
            notes += reasons(scenario.missing, refersBelow) + absences(scenario.notAsked)
        }
        if let last = scenario.lastFailure {
            notes.append("The client sent nothing more after \(last): what follows was not tested.")
        }
        return notes
    }

    /// The same in one text; `nil` where there is none.
    package var scenarioNote: String? {
        let notes = scenarioNotes
        return notes.isEmpty ? nil : notes.joined(separator: " ")
    }

    /// Checks with what was seen of each; those of which the same is said together.
    private func reasons(_ ids: [String], _ refersBelow: Bool) -> [String] {
        grouped(
            ids.compactMap { id in
                checks.first { $0.check.id == id }.map {
                    let isBelow = refersBelow && $0.outcome == .notJudged
                    return (id, $0.outcome.words + (isBelow ? "; see below." : ". \($0.summary)"))
                }
            }
        )
    }

    /// Checks with the calls that were not made.
    private func absences(_ ids: [String]) -> [String] {
        grouped(ids.map { ($0, "the client \(CheckSubject($0).absence).") })
    }

    private func grouped(_ told: [(id: String, text: String)]) -> [String] {
        var texts: [String] = []
        for one in told where !texts.contains(one.text) { texts.append(one.text) }
        return texts.map { text in
            told.filter { $0.text == text }.map(\.id).joined(separator: ", ") + ": " + text
        }
    }
}

extension Timeline {
    /// The last request of a client that ended by itself after that had failed, in a few words.
    var lastFailure: String? {
        guard context.hasEnded,
            let last = entries.indices.last(where: { entries[$0].client != nil })
        else { return nil }
        let entry = entries[last]
        guard !entry.succeeded, entry.delivery != .pending, entry.lostAnswer || entry.status != nil
        else { return nil }
        return "#\(entry.id) (\(name(last)): \(RetryChecks.outcome(entry)))"
    }
}
