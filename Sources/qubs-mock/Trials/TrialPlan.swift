import JSON
import MockServer
import Trials
import Verdict

/// A trial that is to be made.
struct TrialPlan: Sendable {
    var subject: Trial.Subject
    var session: String
    var scenario: Scenario?
    /// Fault rules beside those of the options.
    var rules: [JSONValue] = []
    var readings: [(id: String, value: String)] = []
    /// Whether the faults and readings of the options are left out.
    var isClean = false

    /// How long the scenario is expected to take; 0 where nobody has said.
    var expectedSeconds: Int64 { scenario?.pack.expectedSeconds ?? 0 }

    init(subject: Trial.Subject, session: String, scenario: Scenario? = nil) {
        self.subject = subject
        self.session = session
        self.scenario = scenario
        guard case .parts(let parts) = subject else { return }
        for part in parts {
            switch part {
            case .fault(_, let rule): rules.append(rule)
            case .reading(let id, let value): readings.append((id, value))
            }
        }
    }
}
