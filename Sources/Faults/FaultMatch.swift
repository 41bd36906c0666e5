/// Which requests a rule is about, compiled from its `match`.
struct FaultMatch: Sendable {
    /// By operation index.
    var operations: [Bool]
    var method: String?
    var domain: String?
    var client: String?
    var appointmentId: String?
    var attempt: Attempt?

    /// Which attempts at a call are meant.
    enum Attempt: String, CaseIterable {
        /// Not those that repeat a call that failed.
        case first
        /// Only those.
        case repeated
    }

    func matches(_ facts: RequestFacts) -> Bool {
        guard operations.indices.contains(facts.operation), operations[facts.operation] else {
            return false
        }
        if let method, method != facts.method { return false }
        if let domain, domain != facts.domain { return false }
        if let client, client != facts.client { return false }
        if let appointmentId, appointmentId != facts.appointmentId { return false }
        if let attempt, (attempt == .repeated) != facts.isRepeated { return false }
        return true
    }

    /// One bit for each operation; the last bit stands for all from the 64th on.
    var interest: UInt64 {
        operations.indices.reduce(0) { operations[$1] ? $0 | Self.bit(of: $1) : $0 }
    }

    static func bit(of operation: Int) -> UInt64 { 1 << UInt64(min(max(operation, 0), 63)) }
}
