import JSON

/// Reads fault rules and collects everything that is wrong with them.
///
/// A value that is returned is of use only while `errors` is empty.
struct FaultRuleParser {
    let vocabulary: MatchVocabulary
    let defaultSeed: Int64
    private(set) var errors: [FaultRuleError] = []

    init(vocabulary: MatchVocabulary, defaultSeed: Int64) {
        self.vocabulary = vocabulary
        self.defaultSeed = defaultSeed
    }

    /// Nobody reads further, and a large document of nonsense must not make a larger answer.
    private static let maximumErrors = 1_000

    mutating func refuse(_ pointer: JSONPointer, _ reason: String) {
        guard errors.count < Self.maximumErrors else { return }
        errors.append(FaultRuleError(pointer: pointer, reason: reason))
    }

    // MARK: Rules

    /// One rule, or an array of them.
    mutating func rules(_ document: JSONValue) -> [FaultRule] {
        guard case .array(let elements) = document else {
            return rule(document, at: JSONPointer()).map { [$0] } ?? []
        }
        if elements.isEmpty { refuse(JSONPointer(), "An array of rules has at least one.") }
        return elements.enumerated().compactMap { rule($1, at: JSONPointer([String($0)])) }
    }

    private static let ruleMembers = ["id", "match", "sequence", "when", "then", "ttl"]

    private mutating func rule(_ value: JSONValue, at pointer: JSONPointer) -> FaultRule? {
        guard let object = object(value, at: pointer, "A rule") else { return nil }
        var id: String?
        var match = anyPartnerOperation
        var sequence: [FaultEffects?]?
        var trigger: Trigger?
        var then: FaultEffects?
        var ttl: Int64?
        // Effects are checked against what the rest of the rule makes possible.
        let named = object["match"]?["operation"]?.string?.lowercased()
        let context = EffectContext(
            isTokenRule: named == "token",
            isRate: object["when"]?.object?["rate"] != nil
        )
        for member in object.members {
            let here = pointer.appending(member.name)
            switch member.name {
            case "id": id = self.id(member.value, at: here)
            case "match": match = self.match(member.value, at: here) ?? match
            case "sequence":
                sequence = self.sequence(member.value, at: here, in: context)
            case "when": trigger = self.trigger(member.value, at: here)
            case "then": then = effects(member.value, at: here, in: context)
            case "ttl": ttl = duration(member.value, at: here, least: 1)
            case let name where Self.effectMembers.contains(name):
                refuse(here, "Effects stand in `then`, or in a step of `sequence`.")
            case let name: refuseUnknown(name, at: here, among: Self.ruleMembers)
            }
        }
        checkParts(of: object, at: pointer)
        let plot: FaultRule.Plot
        if let sequence {
            plot = .sequence(sequence)
        } else {
            var effects = then ?? FaultEffects()
            if context.isRate, effects.transport == nil { effects.status = effects.status ?? 429 }
            plot = .when(trigger?.trigger ?? .always, then: effects)
        }
        return FaultRule(
            id: id,
            source: object,
            pointer: pointer,
            match: match,
            plot: plot,
            ttlNanoseconds: ttl,
            seed: trigger?.seed ?? defaultSeed,
            knownClients: vocabulary.knownClients
        )
    }

    /// A rule says when and what, once: `sequence`, or `then` with or without `when`.
    private mutating func checkParts(of object: JSONObject, at pointer: JSONPointer) {
        if object["sequence"] != nil {
            for other in ["when", "then"] where object[other] != nil {
                refuse(
                    pointer.appending(other),
                    "A rule has either `sequence`, or `then` with or without `when`."
                )
            }
        } else if object["then"] == nil, object["when"]?.object?["rate"] == nil {
            let reason =
                object["when"] == nil
                ? "A rule needs `then` (what goes wrong), or `sequence` (what goes wrong in turn)."
                : "`when` needs `then`, which says what goes wrong."
            refuse(pointer.appending("then"), reason)
        }
    }

    private mutating func id(_ value: JSONValue, at pointer: JSONPointer) -> String? {
        guard let text = string(value, at: pointer) else { return nil }
        if text == PreferredFault.ruleID {
            refuse(pointer, "`\(text)` is kept for faults that a `Prefer` field asks for.")
        } else if !Self.isID(text) {
            refuse(
                pointer,
                "An id is 1 to 64 letters, digits, `.`, `_` or `-`, the first a letter or digit."
            )
        }
        return text
    }

    /// An id stands in a field value and in a path, where it must need no escape.
    private static func isID(_ text: String) -> Bool {
        func isAlphanumeric(_ octet: UInt8) -> Bool {
            (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet & 0xDF)
        }
        return (1...64).contains(text.utf8.count) && text.utf8.first.map(isAlphanumeric) == true
            && text.utf8.allSatisfy { isAlphanumeric($0) || [0x2E, 0x5F, 0x2D].contains($0) }
    }

    private mutating func sequence(
        _ value: JSONValue,
        at pointer: JSONPointer,
        in context: EffectContext
    ) -> [FaultEffects?]? {
        guard let steps = array(value, at: pointer, "A sequence") else { return nil }
        if steps.isEmpty {
            refuse(pointer, "A sequence has at least one step.")
        } else if steps.allSatisfy({ $0.object?.isEmpty == true }) {
            refuse(pointer, "A sequence of normal answers alone does nothing.")
        }
        return steps.enumerated().map { index, step -> FaultEffects? in
            if step.object?.isEmpty == true { return nil }
            return effects(step, at: pointer.appending(index), in: context)
        }
    }
}

// MARK: Readers of single values

extension FaultRuleParser {
    mutating func object(
        _ value: JSONValue,
        at pointer: JSONPointer,
        _ what: String
    ) -> JSONObject? {
        if let object = value.object { return object }
        refuse(pointer, "\(what) is an object, not \(value.withArticle).")
        return nil
    }

    mutating func array(
        _ value: JSONValue,
        at pointer: JSONPointer,
        _ what: String
    ) -> [JSONValue]? {
        if let array = value.array { return array }
        refuse(pointer, "\(what) is an array, not \(value.withArticle).")
        return nil
    }

    mutating func string(_ value: JSONValue, at pointer: JSONPointer) -> String? {
        if let string = value.string { return string }
        refuse(pointer, "This is a string, not \(value.withArticle).")
        return nil
    }

    mutating func integer(
        _ value: JSONValue,
        at pointer: JSONPointer,
        in range: ClosedRange<Int>
    ) -> Int? {
        if let integer = value.int, range.contains(integer) { return integer }
        refuse(
            pointer,
            range.upperBound == .max
                ? "This is an integer of at least \(range.lowerBound)."
                : "This is an integer from \(range.lowerBound) to \(range.upperBound)."
        )
        return nil
    }

    /// A duration in nanoseconds.
    ///
    /// - Parameter least: 0, or 1 where an empty time would make the rule do nothing.
    mutating func duration(_ value: JSONValue, at pointer: JSONPointer, least: Int64) -> Int64? {
        guard case .string(let text) = value else {
            refuse(pointer, "A duration is a string with its unit, such as \"250ms\" or \"PT2S\".")
            return nil
        }
        do throws(FaultDuration.Fault) {
            let nanoseconds = try FaultDuration.nanoseconds(parsing: text)
            if nanoseconds < least { refuse(pointer, "This duration is longer than zero.") }
            return nanoseconds
        } catch {
            refuse(pointer, "A duration \(error.explanation).")
            return nil
        }
    }

    /// One of the words of an enumeration.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: JSONValue,
        at pointer: JSONPointer,
        as type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        if let text = value.string, let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        let nearest = value.string.flatMap { NearestName.of($0, among: words) }
        let hint = nearest.map { " Did you mean `\($0)`?" } ?? ""
        refuse(pointer, "This is one of \(Self.list(words)).\(hint)")
        return nil
    }

    mutating func refuseUnknown(_ name: String, at pointer: JSONPointer, among known: [String]) {
        let nearest = NearestName.of(name, among: known)
        let hint = nearest.map { " Did you mean `\($0)`?" } ?? ""
        refuse(pointer, "Unknown member; here may stand \(Self.list(known)).\(hint)")
    }

    /// Names in a sentence.
    static func list(_ names: [String]) -> String {
        names.map { "`\($0)`" }.joined(separator: ", ")
    }

    /// Refuses members beside a pair that needs both, or misses one of its own.
    mutating func check(
        _ object: JSONObject,
        at pointer: JSONPointer,
        needs required: [String],
        mayHave optional: [String] = []
    ) {
        let known = required + optional
        for member in object.members where !known.contains(member.name) {
            refuseUnknown(member.name, at: pointer.appending(member.name), among: known)
        }
        for name in required where object[name] == nil {
            refuse(pointer.appending(name), "`\(name)` is missing.")
        }
    }
}

extension JSONValue {
    /// The type of this value in a sentence.
    fileprivate var withArticle: String {
        switch self {
        case .null: "null"
        case .array, .object: "an \(typeName)"
        default: "a \(typeName)"
        }
    }
}
