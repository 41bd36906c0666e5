package import Faults

/// The readings of one answer, every choice made.
package struct ReadingSet: Sendable {
    /// What was drawn, out of line: nearly no answer has it.
    private final class Drawn: Sendable {
        /// By the position of the reading, the position of its value.
        let values: [UInt8]
        let lifetime: Int?
        let seed: Int64
        let ordinal: Int

        init(values: [UInt8], lifetime: Int?, seed: Int64, ordinal: Int) {
            self.values = values
            self.lifetime = lifetime
            self.seed = seed
            self.ordinal = ordinal
        }
    }

    private let drawn: Drawn?

    /// Every reading at its default.
    package static let defaults = ReadingSet(nil)

    private init(_ drawn: Drawn?) { self.drawn = drawn }

    /// Draws what is left to chance, as a function of seed, reading and ordinal alone.
    ///
    /// - Parameter ordinal: Which answer of the session this is.
    init(_ catalogue: ReadingCatalogue, _ settings: ReadingSettings, seed: Int64, ordinal: Int) {
        var values: [UInt8] = []
        var lifetime: Int?
        for id in ReadingID.allCases {
            var draws = Self.draws(for: id, seed: seed, ordinal: ordinal)
            let words = catalogue[id].values
            var position = 0
            switch settings[id] {
            case .value(let chosen): position = chosen
            case .number(let number): lifetime = number
            case .mixed: position = Int(draws.unit() * Double(words.count))
            case nil:
                // The first number decides whether, the second which of the others.
                if draws.unit() < settings.dose, words.count > 1 {
                    position = 1 + Int(draws.unit() * Double(words.count - 1))
                }
            }
            if id == .tokenLifetime, lifetime == nil, position > 0 {
                lifetime = Int(words[position].word)
            }
            values.append(UInt8(position))
        }
        drawn = Drawn(values: values, lifetime: lifetime, seed: seed, ordinal: ordinal)
    }

    private static func draws(for id: ReadingID, seed: Int64, ordinal: Int) -> FaultDraws {
        FaultDraws(seed: seed, ruleHash: FaultDraws.hash(of: id.rawValue), ordinal: ordinal)
    }

    /// Whether every reading has its default because nothing else was ever asked for.
    package var isDefault: Bool { drawn == nil }

    /// The value of a reading.
    package func value<Value: Reading>(of reading: Value.Type = Value.self) -> Value {
        let values = Value.allCases
        guard let drawn else { return values[0] }
        return values[Int(drawn.values[Value.id.position])]
    }

    /// Whether a reading has this value, which is not its default.
    ///
    /// Costs next to nothing where everything has its default: it is asked for each answer.
    package func departs<Value: Reading>(to value: Value) -> Bool {
        drawn != nil && self.value(of: Value.self) == value
    }

    /// The value of a reading that takes no numbers, as it is written.
    package func word(of id: ReadingID) -> String {
        guard let values = id.values else { return "" }
        return values[Int(drawn?.values[id.position] ?? 0)]
    }

    /// How long a token is good, in seconds; `nil` for the default.
    package var tokenLifetimeSeconds: Int? { drawn?.lifetime }

    /// Further numbers for a reading whose value needs some.
    package func draws(for id: ReadingID) -> FaultDraws {
        let seed = drawn?.seed ?? 0
        // Beside the numbers that chose the value.
        return FaultDraws(
            seed: seed,
            ruleHash: FaultDraws.hash(of: "\(id.rawValue)/more"),
            ordinal: drawn?.ordinal ?? 0
        )
    }
}
