import Testing
import Verdict

/// How often the rules about pauses are wrong, drawn many times over.
///
/// The numbers are the same in every run: `Mixer` is seeded.
@Suite struct PauseSimulationTests {
    /// How a client chooses its pauses.
    enum Policy: String, CaseIterable {
        case constant
        /// ±25 % of a constant.
        case constantWithJitter
        case linear
        case doubling
        case growingByHalf
        /// ±25 % of a doubling one.
        case equalJitter
        /// Half of a doubling one, and a random half.
        case halfJitter
        /// Anything up to a doubling one.
        case fullJitter
        /// From the first pause up to three times the last one.
        case decorrelated

        /// Three pauses in seconds.
        func pauses(from base: Double, _ random: inout Mixer) -> [Double] {
            var last = base
            return (0..<3).map { place in
                let doubled = base * Double(1 << place)
                switch self {
                case .constant: return base
                case .constantWithJitter:
                    return base * Double.random(in: 0.75...1.25, using: &random)
                case .linear: return base * Double(place + 1)
                case .doubling: return doubled
                case .growingByHalf: return base * [1, 1.5, 2.25][place]
                case .equalJitter: return doubled * Double.random(in: 0.75...1.25, using: &random)
                case .halfJitter: return doubled * Double.random(in: 0.5...1, using: &random)
                case .fullJitter: return Double.random(in: 0...doubled, using: &random)
                case .decorrelated:
                    last = Double.random(in: base...(3 * last), using: &random)
                    return last
                }
            }
        }

        var grows: Bool { self != .constant && self != .constantWithJitter }

        var isRandom: Bool {
            switch self {
            case .constant, .linear, .doubling, .growingByHalf: false
            default: true
            }
        }
    }

    /// A client on a machine.
    struct Row: CustomTestStringConvertible {
        let policy: Policy
        /// The first pause, in seconds.
        let base: Double
        /// What the machine adds at most, in seconds.
        let noise: Double
        let chains: Int

        var testDescription: String {
            "\(policy.rawValue) from \(base) s, up to \(noise) s added, \(chains) chains"
        }
    }

    /// Six chains are the fewest that are judged; seven is what `flaky-network` makes.
    static let rows = Policy.allCases.flatMap { policy in
        [0.1, 0.5].flatMap { base in
            [0, 0.05].flatMap { noise in
                [6, 7].map { Row(policy: policy, base: base, noise: noise, chains: $0) }
            }
        }
    }

    private static let draws = 1_000
    /// One percent: as a number of draws.
    private static let bound = 10

    @Test("Growth and jitter are misjudged in less than one percent of runs", arguments: rows)
    func errors(row: Row) {
        var random = Mixer(state: 1)
        var growthErrors = 0
        var jitterErrors = 0
        var withoutPause = 0
        for _ in 1...Self.draws {
            let chains = (1...row.chains).map { _ in
                row.policy.pauses(from: row.base, &random).map {
                    Int64(($0 + Double.random(in: 0...max(row.noise, 1e-9), using: &random)) * 1e9)
                }
            }
            let growth = PauseRules.growth(of: chains)?.answer
            if growth == (row.policy.grows ? .notAsAsked : .asAsked) { growthErrors += 1 }
            // Statuses and broken connections by turns, as the scenario has them.
            let halves = [chains.prefix((row.chains + 1) / 2), chains.suffix(row.chains / 2)]
            let groups = halves.flatMap { half in (0..<3).map { place in half.map { $0[place] } } }
            let jitter = PauseRules.spread(of: groups)?.answer
            if jitter == (row.policy.isRandom ? .notAsAsked : .asAsked) { jitterErrors += 1 }
            if chains.contains(where: { PauseRules.firstWithoutPause(in: $0) != nil }) {
                withoutPause += 1
            }
        }
        #expect(growthErrors < Self.bound)
        #expect(jitterErrors < Self.bound)
        #expect(withoutPause < Self.bound)
    }

    @Test(
        "What is judged in a quiet house is judged at all",
        arguments: rows.filter { $0.noise == 0 && $0.chains == 7 && $0.base >= 0.5 }
    )
    func power(row: Row) {
        var random = Mixer(state: 2)
        var growth = 0
        var jitter = 0
        for _ in 1...Self.draws {
            let chains = (1...row.chains).map { _ in
                row.policy.pauses(from: row.base, &random).map { Int64($0 * 1e9) }
            }
            if PauseRules.growth(of: chains)?.answer != .open { growth += 1 }
            let groups = (0..<3).map { place in chains.map { $0[place] } }
            if PauseRules.spread(of: groups)?.answer != .open { jitter += 1 }
        }
        #expect(growth > Self.draws * 9 / 10)
        #expect(jitter > Self.draws * 9 / 10)
    }

    @Test("A client that does not wait is found though its machine stumbles now and then")
    func noPause() {
        var random = Mixer(state: 3)
        var missed = 0
        for _ in 1...Self.draws {
            let isFound = (1...7).contains { _ in
                let pauses = (0..<3).map { _ in
                    // One pause in ten lasts tens of milliseconds: the machine's, not the client's.
                    Bool.random(using: &random) || Double.random(in: 0...1, using: &random) > 0.2
                        ? Int64.random(in: 100_000...4_000_000, using: &random) : 40_000_000
                }
                return PauseRules.firstWithoutPause(in: pauses) != nil
            }
            if !isFound { missed += 1 }
        }
        #expect(missed < Self.bound)
    }
}
