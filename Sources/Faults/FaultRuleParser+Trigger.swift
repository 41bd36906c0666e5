import JSON

extension FaultRuleParser {
    /// A trigger, and the seed that stands beside a probability.
    struct Trigger {
        var trigger: FaultTrigger
        var seed: Int64?
    }

    private static let forms = ["first", "nth", "every", "probability", "window", "rate"]
    /// The times of so many requests are kept for each client.
    private static let maximumRateRequests = 100_000

    /// Reads `when`: exactly one form, and a `seed` beside `probability`.
    mutating func trigger(_ value: JSONValue, at pointer: JSONPointer) -> Trigger? {
        guard let object = object(value, at: pointer, "`when`") else { return nil }
        var result: Trigger?
        var seed: Int64?
        var formsSeen = 0
        for member in object.members {
            let here = pointer.appending(member.name)
            if member.name == "seed" {
                seed = integer(member.value, at: here, in: .min ... .max).map(Int64.init)
                if object["probability"] == nil {
                    refuse(here, "`seed` stands only beside `probability`.")
                }
                continue
            }
            guard Self.forms.contains(member.name) else {
                refuseUnknown(member.name, at: here, among: Self.forms + ["seed"])
                continue
            }
            formsSeen += 1
            if formsSeen > 1 { refuse(here, "`when` has one form only; make this a second rule.") }
            result = form(member.name, member.value, at: here).map { Trigger(trigger: $0) }
        }
        if object.isEmpty {
            let list = Self.forms.map { "`\($0)`" }.joined(separator: ", ")
            refuse(pointer, "`when` has one of \(list); without `when` a rule always fires.")
        }
        result?.seed = seed
        return result
    }

    private mutating func form(
        _ name: String,
        _ value: JSONValue,
        at pointer: JSONPointer
    ) -> FaultTrigger? {
        switch name {
        case "first": integer(value, at: pointer, in: 1 ... .max).map(FaultTrigger.first)
        case "every": integer(value, at: pointer, in: 1 ... .max).map(FaultTrigger.every)
        case "nth": nth(value, at: pointer)
        case "probability": probability(value, at: pointer)
        case "window": window(value, at: pointer)
        default: rate(value, at: pointer)
        }
    }

    private mutating func nth(_ value: JSONValue, at pointer: JSONPointer) -> FaultTrigger? {
        guard let elements = array(value, at: pointer, "`nth`") else { return nil }
        if elements.isEmpty { refuse(pointer, "`nth` names at least one request, from 1 on.") }
        var ordinals: Set<Int> = []
        for (index, element) in elements.enumerated() {
            let here = pointer.appending(index)
            guard let ordinal = integer(element, at: here, in: 1 ... .max) else { continue }
            if !ordinals.insert(ordinal).inserted { refuse(here, "\(ordinal) stands here twice.") }
        }
        return .nth(ordinals)
    }

    private mutating func probability(
        _ value: JSONValue,
        at pointer: JSONPointer
    ) -> FaultTrigger? {
        guard let probability = value.double, (0...1).contains(probability) else {
            refuse(pointer, "A probability is a number from 0 to 1.")
            return nil
        }
        return .probability(probability)
    }

    private mutating func window(_ value: JSONValue, at pointer: JSONPointer) -> FaultTrigger? {
        guard let object = object(value, at: pointer, "`window`") else { return nil }
        check(object, at: pointer, needs: [], mayHave: ["after", "for"])
        if object["after"] == nil, object["for"] == nil {
            refuse(pointer, "A window has `after`, `for` or both.")
        }
        let after = object["after"].map { duration($0, at: pointer.appending("after"), least: 0) }
        let length = object["for"].map { duration($0, at: pointer.appending("for"), least: 1) }
        return .window(after: (after ?? 0) ?? 0, length: length ?? nil)
    }

    private mutating func rate(_ value: JSONValue, at pointer: JSONPointer) -> FaultTrigger? {
        guard let object = object(value, at: pointer, "`rate`") else { return nil }
        check(object, at: pointer, needs: ["requests", "per"])
        let requests = object["requests"].map {
            integer($0, at: pointer.appending("requests"), in: 1...Self.maximumRateRequests)
        }
        let per = object["per"].map { duration($0, at: pointer.appending("per"), least: 1) }
        guard let requests = requests ?? nil, let per = per ?? nil else { return nil }
        return .rate(requests: requests, nanoseconds: per)
    }
}
