extension VerdictReport {
    /// The verdicts on several sessions as one: each finding names its session.
    ///
    /// A check fails where it fails in some session; it passes where it passes in some, and fails or is
    /// doubtful in none.
    ///
    /// - Parameters:
    ///   - reports: At least one, with the same checks in the same order.
    ///   - name: What the sessions are called together.
    package init(merging reports: [VerdictReport], as name: String) {
        let first = reports[0]
        session = name
        isStrict = first.isStrict
        required = first.required
        checks = first.checks.indices.map { place in
            CheckResult(merging: reports.map { ($0.session, $0.checks[place]) })
        }
        coverage = Coverage(merging: reports.map(\.coverage))
        journal = (
            reports.reduce(0) { $0 + $1.journal.entries },
            reports.reduce(0) { $0 + $1.journal.dropped }
        )
        let played = reports.compactMap(\.scenario)
        let exercised = Set(checks.filter(\.outcome.isExercised).map(\.check.id))
        var names: [String] = []
        for one in played where !names.contains(one.name) { names.append(one.name) }
        scenario =
            played.isEmpty
            ? nil
            : PlayedScenario(
                name: names.joined(separator: ","),
                missing: Set(played.flatMap(\.missing)).subtracting(exercised).sorted(),
                notAsked: Set(played.flatMap(\.notAsked)).subtracting(exercised)
                    .subtracting(played.flatMap(\.missing)).sorted(),
                isReached: played.allSatisfy(\.isReached),
                disturbed: played.reduce(0) { $0 + $1.disturbed },
                lastFailure: played.count == 1 ? played[0].lastFailure : nil
            )
        let outcomes = reports.map(\.outcome)
        outcome =
            outcomes.contains(.fail) ? .fail : outcomes.contains(.pass) ? .pass : .notExercised
    }
}

extension CheckResult {
    /// The results of one check in several sessions.
    fileprivate init(merging results: [(session: String, result: CheckResult)]) {
        let check = results[0].result.check
        let isDoubtful = results.contains { $0.result.isDoubtful }
        // As within one session: what may be a failure forbids to speak of a pass.
        let ranks: [Outcome] =
            isDoubtful
            ? [.fail, .notJudged, .pass, .notExercised] : [.fail, .pass, .notJudged, .notExercised]
        let outcome =
            ranks.first { rank in results.contains { $0.result.outcome == rank } } ?? .notExercised
        let deciding = results.filter { $0.result.outcome == outcome }
        let summary: String
        switch (outcome, deciding.count) {
        case (.notExercised, _): summary = deciding.first?.result.summary ?? ""
        case (_, 1): summary = "\(deciding[0].session): \(deciding[0].result.summary)"
        default:
            summary =
                "\(deciding.count) sessions, first \(deciding[0].session): "
                + deciding[0].result.summary
        }
        func all(_ cases: (CheckResult) -> [Evidence]) -> [Evidence] {
            let named = results.flatMap { session, result in
                cases(result).map { evidence in
                    var evidence = evidence
                    evidence.session = session
                    return evidence
                }
            }
            return Array(named.prefix(Self.maximumEvidence))
        }
        let undecided = outcome == .notJudged ? all(\.undecided) : []
        let lead =
            deciding.count == 1
            ? deciding[0].result.lead.map { "\(deciding[0].session): \($0)" }
            : outcome == .fail ? "It failed in \(deciding.count) sessions." : nil
        var remarks: [String] = []
        for (session, result) in results where outcome.isExercised {
            remarks += result.remarks.map { "\(session): \($0)" }
        }
        self.init(
            check: check,
            outcome: outcome,
            summary: summary,
            evidence: all(\.evidence),
            failures: results.reduce(0) { $0 + $1.result.failures },
            isDoubtful: isDoubtful,
            undecided: undecided,
            toDecide: undecided.isEmpty ? nil : results.lazy.compactMap(\.result.toDecide).first,
            lead: lead,
            remarks: remarks,
            advice: deciding.map(\.result.advice).max { $0.count < $1.count }
        )
    }
}
