import JSON

extension FaultRuleParser {
    /// What the rest of a rule says about its effects.
    struct EffectContext {
        /// Whether the rule is about the token endpoint.
        var isTokenRule: Bool
        /// Whether the rule refuses what exceeds a rate, with 429 unless it says otherwise.
        var isRate: Bool
        /// The operation that the rule is about, in small letters, where it names one.
        var operation: String?
    }

    private static let effectMembers = [
        "phase", "status", "retryAfter", "detail", "delay", "transport", "truncateAt", "drip",
        "bytesPerSecond", "content", "token", "edge",
    ]

    /// Reads `then`, or a step that is not empty.
    mutating func effects(
        _ value: JSONValue,
        at pointer: JSONPointer,
        in context: EffectContext
    ) -> FaultEffects? {
        guard let object = object(value, at: pointer) else { return nil }
        var effects = FaultEffects()
        for member in object.members {
            let value = member.value
            let here = pointer.appending(member.name)
            switch member.name {
            case "phase":
                effects.phase = choice(value, at: here, as: FaultPhase.self) ?? .before
            case "status": effects.status = integer(value, at: here, least: 400)
            case "retryAfter": retryAfter(value, at: here, in: context, into: &effects)
            case "detail": effects.detail = string(value, at: here)
            case "delay": effects.delay = delay(value, at: here)
            case "transport":
                effects.transport = choice(value, at: here, as: TransportFault.self)
            case "truncateAt": effects.truncateAt = truncation(value, at: here)
            case "drip": effects.drip = drip(value, at: here)
            case "bytesPerSecond": effects.bytesPerSecond = integer(value, at: here)
            case "content": effects.content = choice(value, at: here, as: ContentFault.self)
            case "token": effects.token = choice(value, at: here, as: TokenFault.self)
            case "edge": break  // Below: it goes by the status, wherever that stands.
            default: refuseForm(here)
            }
        }
        edge(in: object, at: pointer, in: context, into: &effects)
        if !context.isRate, object.members.allSatisfy({ $0.name == "phase" }) {
            refuse(pointer, "This names no effect, so it would do nothing.")
        }
        checkTogether(object, at: pointer, in: context)
        return effects
    }

    /// Refuses effects of which one would hide the other.
    private mutating func checkTogether(
        _ object: JSONObject,
        at pointer: JSONPointer,
        in context: EffectContext
    ) {
        func has(_ name: String) -> Bool { object[name] != nil }
        let answersStatus = has("status") || has("edge") || (context.isRate && !has("transport"))
        for member in object.members {
            let here = pointer.appending(member.name)
            switch member.name {
            case "transport":
                // Only a delay leaves a transport fault what it is, and a cut says where it strikes.
                var beside = ["phase", "delay", "transport"]
                let transport = object["transport"]?.string.flatMap(TransportFault.init)
                if transport == .connectionResetByPeer || transport == .hang {
                    beside.append("truncateAt")
                }
                let hidden = object.members.map(\.name).filter {
                    Self.effectMembers.contains($0) && !beside.contains($0)
                }
                if !hidden.isEmpty {
                    let list = hidden.map { "`\($0)`" }.joined(separator: ", ")
                    refuse(here, "A transport fault decides the whole answer: drop \(list), or it.")
                }
            case "edge":
                let hidden = ["retryAfter", "detail", "content"].filter(has)
                if !hidden.isEmpty {
                    let list = Self.list(hidden)
                    refuse(
                        here,
                        "An edge brings fields and content of its own: drop \(list), or it."
                    )
                }
            case "retryAfter", "detail":
                if !answersStatus, !has("transport") {
                    refuse(here, "`\(member.name)` stands only beside `status`.")
                }
            case "truncateAt", "drip", "bytesPerSecond":
                if object["content"]?.string == ContentFault.empty.rawValue {
                    refuse(here, "Empty content cannot be cut or slowed.")
                } else if member.name == "bytesPerSecond", has("drip") {
                    refuse(here, "`drip` and `bytesPerSecond` are two paces for one content.")
                }
            case "token":
                if !context.isTokenRule {
                    refuse(here, "`token` needs `match` with `\"operation\": \"token\"`.")
                } else if answersStatus {
                    refuse(here, "With a `status`, no token is handed out that could be flawed.")
                } else if let content = object["content"]?.string,
                    content == ContentFault.empty.rawValue
                        || content == ContentFault.html.rawValue
                {
                    refuse(
                        here,
                        "With this `content`, no token is handed out that could be flawed."
                    )
                }
            default: break
            }
        }
    }

    /// An integer of seconds, or an object with a form; a rate computes seconds that are not given.
    private mutating func retryAfter(
        _ value: JSONValue,
        at pointer: JSONPointer,
        in context: EffectContext,
        into effects: inout FaultEffects
    ) {
        guard let object = value.object else {
            effects.retryAfterSeconds = integer(value, at: pointer, least: 0)
            return
        }
        if let raw = object["raw"] {
            let here = pointer.appending("raw")
            let lines = raw.array ?? [raw]
            effects.retryAfterLines = lines.compactMap { string($0, at: here) }
            for other in ["seconds", "form"] where object[other] != nil {
                refuse(pointer.appending(other), "`raw` is all that is sent: drop this, or it.")
            }
            return
        }
        if let form = object["form"] {
            let form = choice(form, at: pointer.appending("form"), as: RetryAfterForm.self)
            effects.retryAfterForm = form ?? .seconds
        }
        let here = pointer.appending("seconds")
        if let seconds = object["seconds"] {
            effects.retryAfterSeconds = integer(seconds, at: here, least: 0)
        } else if let usual = effects.retryAfterForm.usualSeconds {
            effects.retryAfterSeconds = usual
        } else if !context.isRate {
            refuse(here, "Say how many seconds: only a rate knows them itself.")
        }
    }

    /// Octets where the number is an integer; a fraction where it is not, and below 1.
    private mutating func truncation(_ value: JSONValue, at pointer: JSONPointer) -> Truncation? {
        if case .number(let number) = value {
            // 1.0 is refused: whoever writes it may mean one octet, or all of them.
            if let octets = Int(number.text) ?? (number.double == 1 ? nil : number.int) {
                if octets >= 0 { return .octets(octets) }
            } else if (0..<1).contains(number.double) {
                return .fraction(number.double)
            }
        }
        refuse(pointer, "This is a number of octets, or a fraction from 0 to below 1.")
        return nil
    }

    private mutating func drip(_ value: JSONValue, at pointer: JSONPointer) -> Drip? {
        guard let object = object(value, at: pointer) else { return nil }
        let chunks = required("chunks", of: object, at: pointer).map {
            integer($0, at: pointer.appending("chunks"))
        }
        let over = required("over", of: object, at: pointer).map {
            duration($0, at: pointer.appending("over"), least: 1)
        }
        guard let chunks = chunks ?? nil, let over = over ?? nil else { return nil }
        return Drip(chunks: chunks, overNanoseconds: over)
    }

    /// A duration, or an object with `uniform`, `lognormal`, or two percentiles.
    private mutating func delay(_ value: JSONValue, at pointer: JSONPointer) -> FaultDelay? {
        guard let object = value.object else {
            return duration(value, at: pointer, least: 0).map(FaultDelay.fixed)
        }
        let percentiles = (half: object["p50"], most: object["p99"])
        switch (object["uniform"], object["lognormal"], percentiles.half ?? percentiles.most) {
        case (let bounds?, nil, nil): return uniform(bounds, at: pointer.appending("uniform"))
        case (nil, let shape?, nil): return lognormal(shape, at: pointer.appending("lognormal"))
        case (nil, nil, .some):
            return lognormal(p50: percentiles.half, p99: percentiles.most, at: pointer)
        default:
            refuse(pointer, "A delay has `uniform`, or `lognormal`, or `p50` with `p99`.")
            return nil
        }
    }

    /// The log-normal distribution through two percentiles.
    private mutating func lognormal(
        p50: JSONValue?,
        p99: JSONValue?,
        at pointer: JSONPointer
    ) -> FaultDelay? {
        guard let p50, let p99 else {
            let missing = p50 == nil ? "p50" : "p99"
            refuse(pointer, "One percentile makes no distribution: say `\(missing)`, too.")
            return nil
        }
        let median = duration(p50, at: pointer.appending("p50"), least: 1)
        let most = duration(p99, at: pointer.appending("p99"), least: 1)
        guard let median, let most, median >= 1 else { return nil }
        guard median <= most else {
            refuse(pointer.appending("p99"), "`p99` is not below `p50`.")
            return nil
        }
        // 99 of a hundred lie below the mean and 2.326 deviations.
        let sigma =
            Elementary.naturalLogarithm(Double(most) / Double(median)) / 2.326_347_874_040_841
        return .lognormal(median: median, sigma: sigma, maximum: Self.maximumNanoseconds)
    }

    private mutating func uniform(_ value: JSONValue, at pointer: JSONPointer) -> FaultDelay? {
        guard let bounds = array(value, at: pointer) else { return nil }
        guard bounds.count == 2 else {
            refuseForm(pointer)
            return nil
        }
        let least = duration(bounds[0], at: pointer.appending(0), least: 0)
        let most = duration(bounds[1], at: pointer.appending(1), least: 0)
        guard let least, let most else { return nil }
        guard least <= most else {
            refuse(pointer, "`uniform` has the least duration first.")
            return nil
        }
        return .uniform(least, most)
    }

    private mutating func lognormal(_ value: JSONValue, at pointer: JSONPointer) -> FaultDelay? {
        guard let object = object(value, at: pointer) else { return nil }
        let median = required("median", of: object, at: pointer).map {
            duration($0, at: pointer.appending("median"), least: 1)
        }
        let maximum = required("max", of: object, at: pointer).map {
            duration($0, at: pointer.appending("max"), least: 1)
        }
        let sigma = required("sigma", of: object, at: pointer).map {
            number($0, at: pointer.appending("sigma"), in: 0 ... .greatestFiniteMagnitude)
        }
        guard let median = median ?? nil, let maximum = maximum ?? nil, let sigma = sigma ?? nil
        else { return nil }
        if maximum < median {
            refuse(pointer.appending("max"), "`max` is not below `median`.")
        }
        return .lognormal(median: median, sigma: sigma, maximum: maximum)
    }
}
