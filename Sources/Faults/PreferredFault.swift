import Time

/// A fault that a request asks for itself, in its `Prefer` field (RFC 7240).
///
/// `code=429, retry-after=2`, `delay=500` (milliseconds), `fault=reset`; they combine as the
/// effects of a rule do. Other preferences are ignored, and so is what cannot be read as one.
package enum PreferredFault {
    /// The rule id of such faults.
    package static let ruleID = "prefer"

    /// A preference that is known here, with a value that is impossible (400).
    package struct Malformed: Error, Hashable, Sendable {
        /// The preference, in lower case.
        package let preference: String
        /// One sentence for the client, without what it sent.
        package let reason: String
    }

    private static let faults: [(name: String, transport: TransportFault, phase: FaultPhase)] = [
        ("reset", .connectionResetByPeer, .before),
        ("reset-after", .connectionResetByPeer, .after),
        ("empty", .emptyResponse, .before),
        ("empty-after", .emptyResponse, .after),
        ("hang", .hang, .before),
        ("hang-after", .hang, .after),
        ("garbage", .randomDataThenClose, .before),
        ("bad-chunk", .malformedResponseChunk, .before),
    ]

    private static let names = ["code", "retry-after", "delay", "fault"]

    private static let maximumSeconds: Int64 = 86_400

    /// The fault that the `Prefer` field lines ask for, `nil` where they ask for none.
    ///
    /// - Parameter fieldLines: Field values, in the order received. Of a repeated preference the
    ///   first counts (§2).
    package static func parse(_ fieldLines: [String]) throws(Malformed) -> FaultDecision? {
        var decision = FaultDecision(ruleID: ruleID)
        var seen: Set<String> = []
        for preference in fieldLines.flatMap(PreferSyntax.preferences) {
            guard names.contains(preference.name), seen.insert(preference.name).inserted else {
                continue
            }
            if let name = preference.parameterNames.first(where: names.contains) {
                throw Malformed(
                    preference: name,
                    reason: "`\(name)` stands behind a comma, not behind a semicolon."
                )
            }
            switch preference.name {
            case "code":
                decision.status = Int(try number(in: preference, from: 400, to: 599))
            case "retry-after":
                let seconds = try number(in: preference, from: 0, to: maximumSeconds)
                decision.retryAfter = RetryAfter(seconds: Int(seconds))
            case "delay":
                let milliseconds = try number(in: preference, from: 0, to: 86_400_000)
                decision.delayNanoseconds = milliseconds.multipliedSaturated(by: 1_000_000)
            default:
                guard let fault = faults.first(where: { $0.name == preference.value }) else {
                    let list = faults.map { "`\($0.name)`" }.joined(separator: ", ")
                    throw Malformed(preference: "fault", reason: "`fault` is one of \(list).")
                }
                decision.transport = fault.transport
                decision.phase = fault.phase
            }
        }
        if decision.status != nil, decision.transport != nil {
            throw Malformed(
                preference: "fault",
                reason: "`fault` decides the whole answer, so it does not stand beside `code`."
            )
        }
        if decision.status == nil, decision.retryAfter != nil {
            throw Malformed(
                preference: "retry-after",
                reason: "`retry-after` stands only beside `code`."
            )
        }
        return seen.isEmpty ? nil : decision
    }

    /// What `Preference-Applied` says of a decision that `parse` made (RFC 7240 §3); `nil` where it
    /// asks for nothing.
    ///
    /// - Parameter actsOnConnection: Whether `fault` found something to act on.
    package static func applied(
        of decision: FaultDecision,
        actsOnConnection: Bool = true
    ) -> String? {
        var parts: [String] = []
        if let status = decision.status { parts.append("code=\(status)") }
        if let retryAfter = decision.retryAfter {
            parts.append("retry-after=\(retryAfter.seconds)")
        }
        if decision.delayNanoseconds > 0 {
            parts.append("delay=\(decision.delayNanoseconds / 1_000_000)")
        }
        if actsOnConnection, let transport = decision.transport,
            let fault = faults.first(where: {
                $0.transport == transport && $0.phase == decision.phase
            })
        {
            parts.append("fault=\(fault.name)")
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func number(
        in preference: PreferSyntax.Preference,
        from least: Int64,
        to most: Int64
    ) throws(Malformed) -> Int64 {
        let digits = preference.value?.utf8 ?? "".utf8
        // `Int64("+5")` is 5; RFC 7240 has no numbers, so this is the DIGIT of RFC 5234.
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = preference.value.flatMap({ Int64($0) }), (least...most).contains(number)
        else {
            throw Malformed(
                preference: preference.name,
                reason: "`\(preference.name)` is an integer from \(least) to \(most)."
            )
        }
        return number
    }
}
