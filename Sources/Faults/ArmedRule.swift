import Time

/// A rule with its counters.
struct ArmedRule: Sendable {
    /// What a rule that fires for a request will do to it, should it be the one to act.
    struct Firing {
        let effects: FaultEffects
        /// Chance for the effects.
        var draws: FaultDraws
        /// Where a rate was exceeded: how long until a request would pass.
        var nanosecondsUntilFree: Int64?
    }

    let rule: FaultRule
    let id: String
    let setAt: Int64
    var hits = 0
    private(set) var seen = 0
    private let idHash: UInt64
    /// By client; `nil` stands for all that nobody knows, so that guesses fill no memory.
    private var windows: [String?: RateWindow] = [:]

    init(rule: FaultRule, id: String, setAt: Int64) {
        self.rule = rule
        self.id = id
        self.setAt = setAt
        idHash = FaultDraws.hash(of: id)
    }

    var listing: FaultPlan.Listing {
        FaultPlan.Listing(id: id, rule: rule.source, hits: hits, seen: seen)
    }

    /// Counts a request that matches; `nil` where the rule does not fire, or its `ttl` is over.
    mutating func count(_ facts: RequestFacts, now: Int64) -> Firing? {
        let age = now.subtractingSaturated(setAt)
        if let ttl = rule.ttlNanoseconds, age >= ttl { return nil }
        seen += 1
        // The first number of a request decides whether, the others decide how.
        var draws = FaultDraws(seed: rule.seed, ruleHash: idHash, ordinal: seen)
        let chance = draws.unit()
        switch rule.plot {
        case .sequence(let steps):
            guard seen <= steps.count, let effects = steps[seen - 1] else { return nil }
            return Firing(effects: effects, draws: draws)
        case .when(let trigger, let effects):
            var firing = Firing(effects: effects, draws: draws)
            let fires: Bool
            switch trigger {
            case .always: fires = true
            case .first(let count): fires = seen <= count
            case .nth(let ordinals): fires = ordinals.contains(seen)
            case .every(let interval): fires = seen % interval == 0
            case .probability(let probability): fires = chance < probability
            case .window(let after, let length):
                let since = age.subtractingSaturated(after)
                fires = since >= 0 && (length.map { since < $0 } ?? true)
            case .rate(let requests, let nanoseconds):
                let client = facts.client.flatMap { rule.knownClients.contains($0) ? $0 : nil }
                firing.nanosecondsUntilFree = windows[client, default: RateWindow()].refusal(
                    requests: requests,
                    nanoseconds: nanoseconds,
                    now: now
                )
                fires = firing.nanosecondsUntilFree != nil
            }
            return fires ? firing : nil
        }
    }

    /// The effects of a firing, with every choice made.
    func decision(for firing: Firing, now: Int64) -> FaultDecision {
        var draws = firing.draws
        let effects = firing.effects
        var decision = FaultDecision(ruleID: id, ordinal: seen, phase: effects.phase)
        decision.delayNanoseconds = effects.delay?.nanoseconds(using: &draws) ?? 0
        if effects.transport == .randomDataThenClose || effects.edge != nil {
            decision.noiseSeed = draws.next()
        }
        decision.status = effects.status
        let untilFree = firing.nanosecondsUntilFree.map {
            max(1, Int($0.subtractingSaturated(1) / 1_000_000_000) + 1)
        }
        if effects.status != nil, effects.edge == nil {
            if !effects.retryAfterLines.isEmpty {
                decision.retryAfter = RetryAfter(seconds: 0, raw: effects.retryAfterLines)
            } else if let seconds = effects.retryAfterSeconds ?? untilFree {
                decision.retryAfter = RetryAfter(seconds: seconds, form: effects.retryAfterForm)
            }
        }
        decision.detail = effects.detail
        decision.transport = effects.transport
        decision.truncateAt = effects.truncateAt
        decision.drip = effects.drip
        decision.bytesPerSecond = effects.bytesPerSecond
        decision.content = effects.content
        decision.token = effects.token
        decision.edge = effects.edge
        decision.holdNanoseconds = rule.ttlNanoseconds.map {
            max(0, $0.subtractingSaturated(now.subtractingSaturated(setAt)))
        }
        return decision
    }
}
