package import JSON
import Synchronization

/// The armed rules of one session, or its own counters over the rules of `--faults`.
///
/// Every matching rule counts a request; the first that fires, in the order set, acts. Counting is
/// atomic: of so many requests exactly so many fall under `first`, whatever threads they come on.
package final class FaultPlan: Sendable {
    /// An armed rule, as a client may see it.
    package struct Listing: Hashable, Sendable {
        package let id: String
        /// The rule as it was set.
        package let rule: JSONObject
        /// How often the rule acted.
        package let hits: Int
        /// How many requests it matched while it lived.
        package let seen: Int

        /// The members of the rule as it was set, with `id`, `hits` and `seen`.
        package var json: JSONValue {
            var object = JSONObject()
            object["id"] = .string(id)
            for member in rule.members { object[member.name] = member.value }
            object["hits"] = .integer(hits)
            object["seen"] = .integer(seen)
            return .object(object)
        }
    }

    private let state: Mutex<[ArmedRule]>
    /// `FaultMatch.interest` of all rules together: a request that none is about takes no lock.
    private let interest: Atomic<UInt64>
    /// Whether some rule tells attempts apart.
    private let attempts: Atomic<Bool>
    private let original: [FaultRule]

    /// A plan that arms these rules, whose `id`s are unique.
    ///
    /// - Parameter now: The session clock in nanoseconds, here and below.
    package init(rules: [FaultRule] = [], now: Int64 = 0) throws(FaultError) {
        let armed = try Self.arm(rules, beside: [], reserved: [], now: now)
        original = rules
        state = Mutex(armed)
        interest = Atomic(Self.interest(of: armed))
        attempts = Atomic(Self.asksForAttempts(armed))
    }

    /// A plan without rules.
    package init() {
        original = []
        state = Mutex([])
        interest = Atomic(0)
        attempts = Atomic(false)
    }

    // MARK: Arming

    /// How many rules a plan holds: each is looked at for each request that it might match.
    package static let maximumRules = 1_000

    /// Arms rules behind those that are there, all or none.
    ///
    /// A rule without `id` becomes `rule-1`, or the first such name that is free.
    ///
    /// - Parameter reserved: Ids that are taken elsewhere.
    /// - Returns: The rules as armed, in order.
    /// - Throws: `FaultError.repeatedIDs`.
    @discardableResult
    package func add(
        _ rules: [FaultRule],
        reserving reserved: Set<String> = [],
        now: Int64
    ) throws(FaultError) -> [Listing] {
        try change { armed throws(FaultError) in
            guard armed.count + rules.count <= Self.maximumRules else { throw .tooMany }
            let added = try Self.arm(rules, beside: armed, reserved: reserved, now: now)
            armed += added
            return added.map(\.listing)
        }
    }

    /// Arms rules in place of those that are there, all or none; as `add`.
    @discardableResult
    package func replaceAll(
        with rules: [FaultRule],
        now: Int64
    ) throws(FaultError) -> [Listing] {
        try change { armed throws(FaultError) in
            armed = try Self.arm(rules, beside: [], reserved: [], now: now)
            return armed.map(\.listing)
        }
    }

    /// Removes a rule; false where there is none with this id.
    @discardableResult
    package func remove(id: String) -> Bool {
        change { armed in
            guard let index = armed.firstIndex(where: { $0.id == id }) else { return false }
            armed.remove(at: index)
            return true
        }
    }

    /// Removes all rules.
    package func clear() {
        change { $0.removeAll() }
    }

    /// Arms anew the rules that the plan was made with, and no others; all counters start again.
    package func rearm(now: Int64) {
        change { armed in
            // Their ids were unique when the plan was made.
            armed = (try? Self.arm(original, beside: [], reserved: [], now: now)) ?? []
        }
    }

    /// The armed rules in the order set, those that are spent included.
    package var listings: [Listing] {
        state.withLock { $0.map(\.listing) }
    }

    /// The armed rule with this id.
    package func listing(id: String) -> Listing? {
        state.withLock { armed in armed.first { $0.id == id }?.listing }
    }

    private func change<Result: Sendable, Failure: Error>(
        _ body: (inout sending [ArmedRule]) throws(Failure) -> sending Result
    ) throws(Failure) -> Result {
        try state.withLock { armed throws(Failure) in
            defer {
                attempts.store(Self.asksForAttempts(armed), ordering: .releasing)
                interest.store(Self.interest(of: armed), ordering: .releasing)
            }
            return try body(&armed)
        }
    }

    private static func interest(of armed: [ArmedRule]) -> UInt64 {
        armed.reduce(0) { $0 | $1.rule.match.interest }
    }

    private static func asksForAttempts(_ armed: [ArmedRule]) -> Bool {
        armed.contains { $0.rule.match.attempt != nil }
    }

    /// Gives every rule an id and a beginning.
    private static func arm(
        _ rules: [FaultRule],
        beside present: [ArmedRule],
        reserved: Set<String>,
        now: Int64
    ) throws(FaultError) -> [ArmedRule] {
        var taken = reserved.union(present.map(\.id))
        var repeated: [FaultRuleError] = []
        for rule in rules {
            guard let id = rule.id, !taken.insert(id).inserted else { continue }
            repeated.append(
                FaultRuleError(
                    pointer: rule.pointer.appending("id"),
                    reason: "There is a rule `\(id)` already."
                )
            )
        }
        guard repeated.isEmpty else { throw .repeatedIDs(repeated) }
        var number = 0
        return rules.map { rule in
            var id = rule.id
            while id == nil {
                number += 1
                if taken.insert("rule-\(number)").inserted { id = "rule-\(number)" }
            }
            return ArmedRule(rule: rule, id: id ?? "", setAt: now)
        }
    }

    // MARK: Deciding

    /// Whether some rule is about an operation: without a lock, for the many requests that none is.
    package func concerns(operation: Int) -> Bool {
        interest.load(ordering: .acquiring) & FaultMatch.bit(of: operation) != 0
    }

    /// Whether some rule asks whether a request repeats one that failed.
    package var asksForAttempts: Bool { attempts.load(ordering: .acquiring) }

    /// Counts a request under every rule that matches, and says what shall go wrong with it.
    ///
    /// To be called once for each request, before the operation.
    ///
    /// - Parameter isCountedOnly: Whether something of higher precedence acts already.
    package func decide(
        _ facts: RequestFacts,
        now: Int64,
        isCountedOnly: Bool = false
    ) -> FaultDecision? {
        guard concerns(operation: facts.operation) else { return nil }
        return state.withLock { armed in
            var decision: FaultDecision?
            for index in armed.indices where armed[index].rule.match.matches(facts) {
                guard let firing = armed[index].count(facts, now: now) else { continue }
                if decision == nil, !isCountedOnly {
                    armed[index].hits += 1
                    decision = armed[index].decision(for: firing, now: now)
                }
            }
            return decision
        }
    }
}
