import Chance
import Testing
import Verdict

/// Clients whose pauses are drawn, and what the rules say of them.
///
/// The numbers are the same in every run: `SplitMix64` is seeded.
enum PauseSimulation {
    /// How a client chooses its pauses.
    enum Policy: String, CaseIterable {
        case constant = "constant"
        case constantWithJitter = "constant, ±25 %"
        case constantWithLargeJitter = "constant, ±50 %"
        case constantWithFullJitter = "anything up to a constant"
        case constantWithAddedSecond = "constant, and up to a second"
        case shrinking = "each half of the one before"
        case linear = "1, 2, 3 times"
        case doubling = "1, 2, 4 times"
        case growingByHalf = "1, 1.5, 2.25 times"
        case growingByHalfWithJitter = "1, 1.5, 2.25 times, ±25 %"
        case gRPC = "1, 1.6, 2.56 times, ±20 % (gRPC)"
        case equalJitter = "doubling, ±25 %"
        case largeJitter = "doubling, ±50 %"
        case halfJitter = "half of a doubling one, and a random half"
        case fullJitter = "anything up to a doubling one (AWS)"
        case addedPause = "doubling, and up to the first pause"
        case addedTenfold = "doubling, and up to ten first pauses"
        case addedSecond = "doubling, and up to a second (stamina, tenacity)"
        case ceiling = "1, 2, 2 times, and up to the first pause"
        case decorrelated = "from the first up to three times the last"

        /// Three pauses in seconds.
        func pauses(from base: Double, _ random: inout SplitMix64) -> [Double] {
            func draw(_ low: Double, _ high: Double) -> Double {
                Double.random(in: low...high, using: &random)
            }
            var last = base
            return (0..<3).map { place in
                let doubled = base * Double(1 << place)
                switch self {
                case .constant: return base
                case .constantWithJitter: return base * draw(0.75, 1.25)
                case .constantWithLargeJitter: return base * draw(0.5, 1.5)
                case .constantWithFullJitter: return draw(0, base)
                case .constantWithAddedSecond: return base + draw(0, 1)
                case .shrinking: return base / Double(1 << place)
                case .linear: return base * Double(place + 1)
                case .doubling: return doubled
                case .growingByHalf: return base * [1, 1.5, 2.25][place]
                case .growingByHalfWithJitter:
                    return base * [1, 1.5, 2.25][place] * draw(0.75, 1.25)
                case .gRPC: return base * [1, 1.6, 2.56][place] * draw(0.8, 1.2)
                case .equalJitter: return doubled * draw(0.75, 1.25)
                case .largeJitter: return doubled * draw(0.5, 1.5)
                case .halfJitter: return doubled * draw(0.5, 1)
                case .fullJitter: return draw(0, doubled)
                case .addedPause: return doubled + draw(0, base)
                case .addedTenfold: return doubled + draw(0, 10 * base)
                case .addedSecond: return doubled + draw(0, 1)
                case .ceiling: return min(2 * base, doubled) + draw(0, base)
                case .decorrelated:
                    last = draw(base, 3 * last)
                    return last
                }
            }
        }

        var grows: Bool {
            switch self {
            case .constant, .constantWithJitter, .constantWithLargeJitter,
                .constantWithFullJitter, .constantWithAddedSecond, .shrinking:
                false
            default: true
            }
        }

        var isRandom: Bool {
            switch self {
            case .constant, .shrinking, .linear, .doubling, .growingByHalf: false
            default: true
            }
        }
    }

    /// How long the first pause is, and what the machine adds at most, in seconds.
    struct Machine {
        let base: Double
        let noise: Double
    }

    static let machines = [Machine(base: 0.1, noise: 0.05), Machine(base: 0.5, noise: 0)]

    /// A client on a machine.
    struct Row: CustomTestStringConvertible {
        let policy: Policy
        let machine: Machine
        let chains: Int

        var testDescription: String {
            "\(policy.rawValue) from \(machine.base) s, up to \(machine.noise) s added, \(chains) chains"
        }
    }

    /// What the rules said in many runs.
    struct Rates {
        var growthWrong = 0
        var growthOpen = 0
        var jitterWrong = 0
        var jitterOpen = 0
        var withoutPause = 0

        /// The worst of each.
        func worst(_ other: Rates) -> Rates {
            Rates(
                growthWrong: max(growthWrong, other.growthWrong),
                growthOpen: max(growthOpen, other.growthOpen),
                jitterWrong: max(jitterWrong, other.jitterWrong),
                jitterOpen: max(jitterOpen, other.jitterOpen),
                withoutPause: max(withoutPause, other.withoutPause)
            )
        }
    }

    /// Six chains are the fewest that are judged; seven is what `flaky-network` makes of the good client.
    static let sampleSizes = [6, 7]
    static let draws = 1_000

    static let rows = Policy.allCases.flatMap { policy in
        machines.flatMap { machine in
            sampleSizes.map { Row(policy: policy, machine: machine, chains: $0) }
        }
    }

    /// The rates of all rows, drawn once.
    static let allRates = rows.map { (row: $0, rates: rates($0)) }

    private static func rates(_ row: Row) -> Rates {
        var random = SplitMix64(seed: 1)
        var rates = Rates()
        for _ in 1...draws {
            let chains = (1...row.chains).map { _ in
                row.policy.pauses(from: row.machine.base, &random).map {
                    Int64(
                        ($0 + Double.random(in: 0...max(row.machine.noise, 1e-9), using: &random))
                            * 1e9
                    )
                }
            }
            switch PauseRules.growth(of: chains)?.answer {
            case .asAsked: rates.growthWrong += row.policy.grows ? 0 : 1
            case .notAsAsked: rates.growthWrong += row.policy.grows ? 1 : 0
            case .open, nil: rates.growthOpen += 1
            }
            // Statuses and broken connections by turns, as the scenario has them.
            let halves = [chains.prefix((row.chains + 1) / 2), chains.suffix(row.chains / 2)]
            let groups = halves.flatMap { half in (0..<3).map { place in half.map { $0[place] } } }
            switch PauseRules.spread(of: groups)?.answer {
            case .asAsked: rates.jitterWrong += row.policy.isRandom ? 0 : 1
            case .notAsAsked: rates.jitterWrong += row.policy.isRandom ? 1 : 0
            case .open, nil: rates.jitterOpen += 1
            }
            if chains.contains(where: { PauseRules.firstWithoutPause(in: $0) != nil }) {
                rates.withoutPause += 1
            }
        }
        return rates
    }

    /// The table of docs/checks.md: the worst over all first pauses and machines.
    static var table: [String] {
        var lines = [
            "| pauses | grow | chains | backs-off wrong | not judged | jitters wrong | not judged | pauses wrong |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for policy in Policy.allCases {
            for chains in sampleSizes {
                let worst = allRates.filter {
                    $0.row.policy == policy && $0.row.chains == chains
                }
                .reduce(Rates()) { $0.worst($1.rates) }
                let shares = [
                    worst.growthWrong, worst.growthOpen, worst.jitterWrong, worst.jitterOpen,
                    worst.withoutPause,
                ].map { percent($0) }
                lines.append(
                    "| \(policy.rawValue) | \(policy.grows ? "yes" : "no") | \(chains) | "
                        + shares.joined(separator: " | ") + " |"
                )
            }
        }
        return lines
    }

    private static func percent(_ count: Int) -> String {
        let tenths = count * 1_000 / draws
        return "\(tenths / 10).\(tenths % 10) %"
    }
}

/// How often the rules about pauses are wrong, drawn many times over.
@Suite struct PauseSimulationTests {
    /// One percent: as a number of draws.
    private static let bound = PauseSimulation.draws / 100

    @Test("Growth and jitter are misjudged in less than one percent of runs")
    func errors() {
        for (row, rates) in PauseSimulation.allRates {
            #expect(rates.growthWrong < Self.bound, "\(row)")
            #expect(rates.jitterWrong < Self.bound, "\(row)")
            #expect(rates.withoutPause < Self.bound, "\(row)")
        }
    }

    @Test("What is judged in a quiet house is judged at all")
    func power() {
        // Where jitter hides growth, nothing is said, of good clients and of bad ones.
        let hidden: Set<PauseSimulation.Policy> = [
            .constantWithLargeJitter, .constantWithFullJitter, .constantWithAddedSecond,
            .addedTenfold, .addedSecond,
        ]
        // Large jitter, and growth that shows all the same, mostly.
        let mostly: Set<PauseSimulation.Policy> = [.fullJitter, .decorrelated, .ceiling]
        for (row, rates) in PauseSimulation.allRates
        where row.machine.noise == 0 && row.chains == 7 {
            let policy = row.policy
            let share = hidden.contains(policy) ? 100 : mostly.contains(policy) ? 40 : 10
            #expect(rates.growthOpen <= PauseSimulation.draws * share / 100, "\(policy.rawValue)")
            #expect(rates.jitterOpen <= PauseSimulation.draws / 10, "\(policy.rawValue)")
        }
    }

    @Test("A client that does not wait is found though its machine stumbles now and then")
    func noPause() {
        var random = SplitMix64(seed: 3)
        var missed = 0
        for _ in 1...PauseSimulation.draws {
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
