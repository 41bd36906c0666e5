import JSON

extension FaultRuleParser {
    /// A trigger, and the seed that stands beside a probability.
    struct Trigger {
        var trigger: FaultTrigger
        var seed: Int64?
    }

    /// Reads `when`: exactly one form, and a `seed` beside `probability`.
    mutating func trigger(_ value: JSONValue, at pointer: JSONPointer) -> Trigger? {
        guard let object = object(value, at: pointer) else { return nil }
        var result: Trigger?
        var seed: Int64?
        var formsSeen = 0
        for member in object.members {
            let here = pointer.appending(member.name)
            if member.name == "seed" {
                seed = integer(member.value, at: here, least: .min).map(Int64.init)
                if object["probability"] == nil {
                    refuse(here, "`seed` stands only beside `probability`.")
                }
                continue
            }
            formsSeen += 1
            if formsSeen > 1 { refuse(here, "`when` has one form only; make this a second rule.") }
            result = form(member.name, member.value, at: here).map { Trigger(trigger: $0) }
        }
        if object.isEmpty { refuseForm(pointer) }
        result?.seed = seed
        return result
    }

    private mutating func form(
        _ name: String,
        _ value: JSONValue,
        at pointer: JSONPointer
    ) -> FaultTrigger? {
        switch name {
        case "first": return integer(value, at: pointer).map(FaultTrigger.first)
        case "every": return integer(value, at: pointer).map(FaultTrigger.every)
        case "nth": return nth(value, at: pointer)
        case "probability":
            return number(value, at: pointer, in: 0...1).map(FaultTrigger.probability)
        case "window": return window(value, at: pointer)
        case "rate": return rate(value, at: pointer)
        default:
            refuseForm(pointer)
            return nil
        }
    }

    private mutating func nth(_ value: JSONValue, at pointer: JSONPointer) -> FaultTrigger? {
        guard let elements = array(value, at: pointer) else { return nil }
        var ordinals: Set<Int> = []
        for (index, element) in elements.enumerated() {
            let here = pointer.appending(index)
            guard let ordinal = integer(element, at: here) else { continue }
            if !ordinals.insert(ordinal).inserted { refuse(here, "\(ordinal) stands here twice.") }
        }
        return .nth(ordinals)
    }

    private mutating func window(_ value: JSONValue, at pointer: JSONPointer) -> FaultTrigger? {
        guard let object = object(value, at: pointer) else { return nil }
        let after = object["after"].map { duration($0, at: pointer.appending("after"), least: 0) }
        let length = object["for"].map { duration($0, at: pointer.appending("for"), least: 1) }
        return .window(after: (after ?? 0) ?? 0, length: length ?? nil)
    }

    private mutating func rate(_ value: JSONValue, at pointer: JSONPointer) -> FaultTrigger? {
        guard let object = object(value, at: pointer) else { return nil }
        let requests = required("requests", of: object, at: pointer).map {
            integer($0, at: pointer.appending("requests"))
        }
        let per = required("per", of: object, at: pointer).map {
            duration($0, at: pointer.appending("per"), least: 1)
        }
        guard let requests = requests ?? nil, let per = per ?? nil else { return nil }
        return .rate(requests: requests, nanoseconds: per)
    }
}
