import JSON
import Time

/// Reads fault rules and collects everything that is wrong with them beyond their form.
///
/// Which members there are, their types, words and ranges, is for the contract of the control API
/// to say (`FaultRules`), and is checked by it before. Here stands what a schema cannot say: names
/// that must be real, durations, and what excludes what. A value that is returned is of use only
/// while `errors` is empty.
struct FaultRuleParser {
    let vocabulary: MatchVocabulary
    let defaultSeed: Int64
    let edges: EdgeCatalogue
    private(set) var errors: [FaultRuleError] = []

    init(vocabulary: MatchVocabulary, edges: EdgeCatalogue, defaultSeed: Int64) {
        self.edges = edges
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
        if elements.isEmpty { refuseForm(JSONPointer()) }
        return elements.enumerated().compactMap { rule($1, at: JSONPointer([String($0)])) }
    }

    private mutating func rule(_ value: JSONValue, at pointer: JSONPointer) -> FaultRule? {
        guard let object = object(value, at: pointer) else { return nil }
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
            isRate: object["when"]?.object?["rate"] != nil,
            operation: named
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
            default: refuseForm(here)
            }
        }
        checkParts(of: object, at: pointer)
        checkWindow(trigger?.trigger, within: ttl, at: pointer)
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

    /// A window that opens when the rule is no longer there would never be seen.
    private mutating func checkWindow(
        _ trigger: FaultTrigger?,
        within ttl: Int64?,
        at pointer: JSONPointer
    ) {
        guard case .window(let after, _) = trigger, let ttl, after >= ttl else { return }
        refuse(
            pointer.appending("when").appending("window").appending("after"),
            "Never fires: the rule's `ttl` is over before the window begins."
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
        }
        return text
    }

    private mutating func sequence(
        _ value: JSONValue,
        at pointer: JSONPointer,
        in context: EffectContext
    ) -> [FaultEffects?]? {
        guard let steps = array(value, at: pointer) else { return nil }
        if steps.allSatisfy({ $0.object?.isEmpty == true }) {
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
    /// Refuses what the contract would not have let through.
    mutating func refuseForm(_ pointer: JSONPointer) {
        refuse(pointer, "This is not of the form that /__admin/openapi.yaml describes.")
    }

    /// What a value is read as; where it is nothing of the kind, its form is refused.
    private mutating func read<Read>(_ read: Read?, at pointer: JSONPointer) -> Read? {
        if read == nil { refuseForm(pointer) }
        return read
    }

    mutating func object(_ value: JSONValue, at pointer: JSONPointer) -> JSONObject? {
        read(value.object, at: pointer)
    }

    mutating func array(_ value: JSONValue, at pointer: JSONPointer) -> [JSONValue]? {
        read(value.array, at: pointer)
    }

    mutating func string(_ value: JSONValue, at pointer: JSONPointer) -> String? {
        read(value.string, at: pointer)
    }

    /// An integer within what the arithmetic here can bear; the contract has narrower bounds.
    mutating func integer(
        _ value: JSONValue,
        at pointer: JSONPointer,
        least: Int = 1
    ) -> Int? {
        read(value.int.flatMap { $0 >= least ? $0 : nil }, at: pointer)
    }

    mutating func number(
        _ value: JSONValue,
        at pointer: JSONPointer,
        in range: ClosedRange<Double>
    ) -> Double? {
        read(value.double.flatMap { range.contains($0) ? $0 : nil }, at: pointer)
    }

    /// A member of an object that the contract requires.
    mutating func required(
        _ name: String,
        of object: JSONObject,
        at pointer: JSONPointer
    ) -> JSONValue? {
        read(object[name], at: pointer.appending(name))
    }

    /// The longest duration that a rule may name, in nanoseconds: 24 hours.
    static let maximumNanoseconds: Int64 = 86_400_000_000_000

    /// A duration in nanoseconds.
    ///
    /// - Parameter least: 0, or 1 where an empty time would make the rule do nothing.
    mutating func duration(_ value: JSONValue, at pointer: JSONPointer, least: Int64) -> Int64? {
        guard let text = string(value, at: pointer) else { return nil }
        do throws(DurationError) {
            let nanoseconds = try DurationText.nanoseconds(
                parsing: text,
                maximum: Self.maximumNanoseconds
            )
            if nanoseconds < least { refuse(pointer, "This duration is longer than zero.") }
            return nanoseconds
        } catch {
            refuse(pointer, "A duration \(error.explanation).")
            return nil
        }
    }

    /// One of the words of an enumeration.
    mutating func choice<Choice: RawRepresentable>(
        _ value: JSONValue,
        at pointer: JSONPointer,
        as type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        read(value.string.flatMap(Choice.init(rawValue:)), at: pointer)
    }

    /// Names in a sentence.
    static func list(_ names: [String]) -> String {
        names.map { "`\($0)`" }.joined(separator: ", ")
    }
}
