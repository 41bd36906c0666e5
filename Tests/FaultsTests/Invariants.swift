import Faults
import JSON

/// What holds for any octets; the corpus and the fuzzer try it.
///
/// Each returns what was broken, or `nil`.
enum Invariants {
    static let all: [String: @Sendable ([UInt8]) -> String?] = [
        "faults": faultRules, "prefer": preferences, "control": ControlInvariants.check,
    ]

    /// Rules are refused with reasons, or arm, count, and are the same rules when set again.
    @Sendable static func faultRules(_ octets: [UInt8]) -> String? {
        guard let document = try? JSONParser.parse(octets) else { return nil }
        let rules: [FaultRule]
        do throws(FaultError) {
            rules = try FaultRuleReader.sample.rules(document)
        } catch {
            guard case .invalid(let errors) = error, !errors.isEmpty else {
                return "refused without a reason"
            }
            for error in errors where error.reason.isEmpty { return "an empty reason" }
            return nil
        }
        if rules.isEmpty { return "no rule, and no error" }
        guard let plan = try? FaultPlan(rules: rules) else { return nil }
        let facts = [
            MatchVocabulary.sample.facts(),
            MatchVocabulary.sample.facts("token", method: "POST", domain: nil),
            MatchVocabulary.sample.facts(
                "Integrations_SubmitPendingReportingAppointmentReport",
                method: "POST",
                domain: "globex",
                client: "other",
                appointmentId: "A123456"
            ),
        ]
        for step in 0..<12 {
            let decision = plan.decide(facts[step % 3], now: Int64(step) * second)
            if let status = decision?.status, !(400...599).contains(status) {
                return "the status \(status)"
            }
            if let delay = decision?.delayNanoseconds, delay < 0 { return "a delay below zero" }
        }
        for listing in plan.listings {
            if listing.hits > listing.seen { return "more hits than requests" }
            var again = listing.rule
            again["id"] = .string(listing.id)
            guard
                let reread = try? FaultRuleReader.sample.rules(.object(again)),
                reread.count == 1
            else { return "a rule that was taken is refused when it is set again" }
        }
        return nil
    }

    /// Preferences: taken, ignored or malformed.
    @Sendable static func preferences(_ octets: [UInt8]) -> String? {
        let text = String(decoding: octets, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let decision = try? PreferredFault.parse(lines) {
            if decision.delayNanoseconds < 0 { return "a delay below zero" }
            if let status = decision.status, !(400...599).contains(status) {
                return "the status \(status)"
            }
        }
        return nil
    }
}
