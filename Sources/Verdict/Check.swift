/// One rule for clients, and the function that holds a journal against it.
package struct Check: Sendable {
    /// Stable: scenario packs and build servers name it.
    package let id: String
    package let level: Level
    /// What is counted: one, and many.
    let unit: (one: String, many: String)
    /// What is counted, one of it.
    package var counted: String { unit.one }
    /// What the check asks of a client, in one sentence.
    package let rule: String
    /// What the documentation of the API says, in our words, and under which heading.
    package let basis: Basis
    /// How to mend a client that fails.
    package let advice: String
    let judge: @Sendable (Timeline) -> Tally

    /// How much a failure weighs.
    package enum Level: String, Sendable {
        /// The documentation asks it of partners.
        case must
        /// Good practice.
        case should
    }

    /// What a check rests on.
    package enum Basis: Sendable {
        /// The documentation, by heading.
        case documentation(String, section: String)
        /// A convention of the trade that the documentation does not spell out.
        case goodPractice(String)

        /// The sentence.
        package var sentence: String {
            switch self {
            case .documentation(let sentence, _), .goodPractice(let sentence): sentence
            }
        }

        /// The heading in the documentation; `nil` for good practice.
        package var section: String? {
            if case .documentation(_, let section) = self { section } else { nil }
        }
    }
}

/// What came of one check.
package struct CheckResult: Sendable {
    package let check: Check
    package let outcome: Outcome
    /// One sentence: what was seen.
    package let summary: String
    /// The cases that failed, at most `maximumEvidence` of them.
    package let evidence: [Evidence]
    /// How many cases failed.
    package let failures: Int
    /// Whether something was seen that may be a failure, though nobody can tell.
    let isDoubtful: Bool
    /// Where nothing could be judged: the cases that the end of the command left open.
    package let undecided: [Evidence]
    /// What to do to have those judged.
    package let toDecide: String?
    /// How many cases of how many failed, in one sentence; `nil` for one of one, and where none did.
    package let lead: String?
    /// What is to be known beside that, one sentence each.
    package let remarks: [String]
    /// How to mend what failed: what the check says, and what fits these cases.
    package let advice: String

    /// What a report carries for one check: enough to see a pattern.
    package static let maximumEvidence = 50

    /// The result of a check; the raw values are the words of the reports.
    package enum Outcome: String, Sendable {
        case pass
        case fail
        /// Nothing happened that the check could judge.
        case notExercised = "not-exercised"
        /// Something happened, and the rule could not be applied to it.
        case notJudged = "not-judged"

        /// The result in words for people.
        package var words: String {
            switch self {
            case .pass: "pass"
            case .fail: "fail"
            case .notExercised: "not exercised"
            case .notJudged: "not judged"
            }
        }

        /// Whether the rule was applied at least once.
        package var isExercised: Bool { self == .pass || self == .fail }
    }

    init(
        check: Check,
        outcome: Outcome,
        summary: String,
        evidence: [Evidence],
        failures: Int,
        isDoubtful: Bool,
        undecided: [Evidence] = [],
        toDecide: String? = nil,
        lead: String? = nil,
        remarks: [String] = [],
        advice: String? = nil
    ) {
        self.check = check
        self.outcome = outcome
        self.summary = summary
        self.evidence = evidence
        self.failures = failures
        self.isDoubtful = isDoubtful
        self.undecided = undecided
        self.toDecide = toDecide
        self.lead = lead
        self.remarks = remarks
        self.advice = advice ?? check.advice
    }

    /// The result of a check that was not applied.
    init(_ check: Check, notJudged reason: String) {
        self.init(
            check: check,
            outcome: .notJudged,
            summary: reason,
            evidence: [],
            failures: 0,
            isDoubtful: false
        )
    }

    init(_ check: Check, _ tally: Tally) {
        self.check = check
        failures = tally.failures
        evidence = tally.evidence
        isDoubtful = tally.isDoubtful
        let total = tally.exercised
        let unit = total == 1 ? check.unit.one : check.unit.many
        var lead: String?
        if let first = tally.evidence.first {
            outcome = .fail
            let count = "\(tally.failures) of \(total) \(unit) broke this rule"
            if total > 1 { lead = "\(count)." }
            summary =
                total == 1
                ? first.note
                : tally.failures == 1
                    ? "\(count): \(first.note)" : "\(count). The first: \(first.note)"
        } else if total > 0, !tally.isDoubtful {
            outcome = .pass
            summary = (["\(total) \(unit)."] + tally.remarks).joined(separator: " ")
        } else if let reason = tally.notJudged {
            outcome = .notJudged
            summary = reason
        } else {
            outcome = .notExercised
            summary = "No \(check.unit.one) was seen."
        }
        self.lead = lead
        remarks = outcome.isExercised ? tally.remarks : []
        advice = ([check.advice] + (outcome == .fail ? tally.advice : [])).joined(separator: " ")
        undecided = outcome == .notJudged ? tally.undecided : []
        toDecide = undecided.isEmpty ? nil : tally.toDecide
    }
}

/// What one check counted.
struct Tally {
    /// Cases that the rule was applied to.
    private(set) var exercised = 0
    private(set) var failures = 0
    /// Of the first cases that failed.
    private(set) var evidence: [Evidence] = []
    /// Why the first case that could not be judged was not.
    private(set) var notJudged: String?
    /// Whether a case that could not be judged forbids to speak of a pass.
    private(set) var isDoubtful = false
    /// The first cases that the end of the command left open.
    private(set) var undecided: [Evidence] = []
    /// What to do to have the first of them judged.
    private(set) var toDecide: String?
    /// What is to be known beside the cases, one sentence each.
    private(set) var remarks: [String] = []
    /// How to mend what is special to these cases, one sentence each.
    private(set) var advice: [String] = []

    /// Counts cases that are as they should be.
    mutating func pass(_ count: Int = 1) { exercised += count }

    /// Counts a case that is not.
    mutating func fail(_ evidence: Evidence) {
        exercised += 1
        failures += 1
        if self.evidence.count < CheckResult.maximumEvidence { self.evidence.append(evidence) }
    }

    /// Shows more of the case that failed last.
    mutating func show(_ evidence: Evidence) {
        if self.evidence.count < CheckResult.maximumEvidence { self.evidence.append(evidence) }
    }

    /// Notes what is to be known beside the cases.
    mutating func remark(_ sentence: String) { remarks.append(sentence) }

    /// Advises what fits a case that failed.
    mutating func advise(_ sentence: String) {
        if !advice.contains(sentence) { advice.append(sentence) }
    }

    /// Counts a case by whether there is evidence against it.
    mutating func judge(_ evidence: Evidence?) {
        if let evidence { fail(evidence) } else { pass() }
    }

    /// Notes a case that may be a failure, though nobody can tell: the whole is no pass then.
    mutating func doubt(_ reason: String) {
        if !isDoubtful { notJudged = reason }
        isDoubtful = true
    }

    /// Notes a case that the rule cannot be applied to.
    mutating func cannotJudge(_ reason: String) {
        if notJudged == nil { notJudged = reason }
    }

    /// Notes a case that the end of the command left open.
    ///
    /// - Parameter toDecide: What to do to have it judged, in one sentence.
    mutating func leaveOpen(_ evidence: Evidence, toDecide: String) {
        cannotJudge(evidence.note)
        if self.toDecide == nil { self.toDecide = toDecide }
        if undecided.count < CheckResult.maximumEvidence { undecided.append(evidence) }
    }
}

/// One case that failed: which requests, what was seen, and the numbers.
package struct Evidence: Sendable {
    /// The requests concerned, in the order of their arrival; the last is the one to look at first.
    package let requests: [Request]
    /// One sentence.
    package let note: String
    /// Where it happened, in a verdict on several sessions.
    package var session: String?
    /// What was measured, in nanoseconds.
    package var gap: Int64?
    /// What it was held against, in nanoseconds.
    package var limit: Int64?
    /// What was forgiven, in nanoseconds.
    package var tolerance: Int64?

    /// A request of the journal.
    package struct Request: Sendable, Equatable {
        /// Its number in the journal.
        package let id: UInt64
        package let requestID: String
        /// `traceparent`, where it was sent.
        package var traceParent: String?
        package let method: String
        /// Unless it holds what must not be repeated.
        package let path: String
        /// The status, or what came in its place.
        package let answer: String
        /// From the first request of the journal to this one, in nanoseconds.
        package let offset: Int64
    }
}
