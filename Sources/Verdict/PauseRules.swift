import Glibc

/// What can be said about a client's pauses, and from how many of them on.
///
/// A pause is a number drawn by the client and prolonged by its machine. Each rule therefore has
/// three answers: as asked, not as asked, and a zone between in which nobody could tell. The margins
/// are such that over the pauses of scenario `flaky-network` both errors stay below one percent, for
/// constant, growing and decorrelated pauses, with jitter of all kinds, on a machine that adds up to
/// 50 ms to each: `PauseSimulationTests` draws them.
package enum PauseRules {
    /// The answer of a rule.
    package enum Answer: Sendable {
        case asAsked
        case notAsAsked
        case open
    }

    // MARK: Pauses at all

    /// Three pauses in a row below 10 ms are none: full jitter from 100 ms on draws such a chain once
    /// in ten thousand.
    package static let shortestPause: Int64 = 10_000_000
    package static let pausesInARow = 3

    /// The place of the first of three pauses in a row that are next to nothing.
    package static func firstWithoutPause(in pauses: [Int64]) -> Int? {
        var short = 0
        for (place, pause) in pauses.enumerated() {
            short = pause < shortestPause ? short + 1 : 0
            if short == pausesInARow { return place + 1 - pausesInARow }
        }
        return nil
    }

    // MARK: Growth

    /// How many chains, and how many pauses in each, it takes to see growth.
    package static let chainsForGrowth = 6
    package static let pausesForGrowth = 3
    /// The last pauses are so many times the first where they grow; doubling makes four of it.
    package static let ratioOfGrowth = 1.5
    /// Up to here they do not.
    package static let ratioWithoutGrowth = 1.2
    /// So many standard errors above one is a ratio that chance does not make.
    package static let certaintyOfGrowth = 2.8
    /// Pauses that deviate by more than this share of their mean may hide growth: a random second added to
    /// a tenth, two and four of it looks like no growth at all.
    package static let deviationThatHides = 0.2
    /// So many standard errors below the first pauses are last ones that shrink.
    package static let certaintyOfShrinking = 3.0
    /// Below this mean, the machine's own delays are what is measured.
    package static let measurable = 50_000_000.0

    /// The mean of the first and of the last pauses of some chains.
    package struct Growth: Sendable {
        package let first: Double
        package let last: Double
        /// How many pauses of each chain were compared.
        package let places: Int
        /// How far pauses at one place deviate, as a share of their mean.
        package let deviation: Double
        package let answer: Answer

        /// Whether the pauses are too short to compare.
        package var isTooShort: Bool { max(first, last) < measurable }
    }

    /// Whether pauses grow.
    ///
    /// Chains are compared as far as all of them reach, so that a long one does not stand for the others.
    ///
    /// - Parameter chains: For each chain three or more pauses after like failures, in order.
    /// - Returns: `nil` for too few chains.
    package static func growth(of chains: [[Int64]]) -> Growth? {
        guard chains.count >= chainsForGrowth, let length = chains.map(\.count).min(),
            length >= pausesForGrowth
        else { return nil }
        let places = (0..<length).map { place in chains.map { $0[place] } }
        let first = mean(places[0])
        let last = mean(places[length - 1])
        let deviation = shareOfDeviation(places)
        // Of the quotient of two means.
        let error = deviation * (2 / Double(chains.count)).squareRoot()
        let answer: Answer
        if max(first, last) < measurable {
            answer = .open
        } else if last >= first * max(ratioOfGrowth, exp(certaintyOfGrowth * error)) {
            answer = .asAsked
        } else if last <= first * ratioWithoutGrowth, deviation <= deviationThatHides {
            answer = .notAsAsked
        } else {
            let isShrinking =
                first - last >= certaintyOfShrinking * deviation
                * ((first * first + last * last) / Double(chains.count)).squareRoot()
            answer = isShrinking && last < first ? .notAsAsked : .open
        }
        return Growth(
            first: first,
            last: last,
            places: length,
            deviation: deviation,
            answer: answer
        )
    }

    /// How far pauses deviate from the mean of their place, as a share of it, over all places.
    private static func shareOfDeviation(_ places: [[Int64]]) -> Double {
        let shares = places.map { lengths in
            let mean = max(1, mean(lengths))
            let squares = lengths.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            return squares / Double(lengths.count - 1) / (mean * mean)
        }
        return (shares.reduce(0, +) / Double(places.count)).squareRoot()
    }

    // MARK: Spread

    /// How many pauses, beyond the first of each group, it takes to see jitter.
    package static let comparisonsForSpread = 6
    /// The share of their mean that pauses with jitter deviate by at least.
    package static let shareOfJitter = 0.04
    /// The nanoseconds that they deviate by at least: a busy machine alone makes half of that.
    package static let leastJitter = 30_000_000.0
    /// Up to this share of their mean they are the same.
    package static let shareWithoutJitter = 0.02

    /// How far pauses deviate from those that should be like them.
    package struct Spread: Sendable {
        /// The standard deviation within groups, in nanoseconds.
        package let deviation: Double
        /// The mean pause (the root of the mean square), in nanoseconds.
        package let mean: Double
        package let answer: Answer
    }

    /// Whether pauses differ.
    ///
    /// - Parameter groups: Pauses that a client without jitter would make alike: after the same kind
    ///   of failure, at the same place of their chains.
    /// - Returns: `nil` for too few pauses.
    package static func spread(of groups: [[Int64]]) -> Spread? {
        var comparisons = 0
        var squares = 0.0
        var level = 0.0
        for group in groups where group.count > 1 {
            let mean = mean(group)
            squares += group.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            level += Double(group.count - 1) * mean * mean
            comparisons += group.count - 1
        }
        guard comparisons >= comparisonsForSpread else { return nil }
        let deviation = (squares / Double(comparisons)).squareRoot()
        let mean = (level / Double(comparisons)).squareRoot()
        let answer: Answer
        if deviation >= max(leastJitter, shareOfJitter * mean) {
            answer = .asAsked
        } else {
            answer = deviation <= shareWithoutJitter * mean ? .notAsAsked : .open
        }
        return Spread(deviation: deviation, mean: mean, answer: answer)
    }

    private static func mean(_ lengths: [Int64]) -> Double {
        lengths.reduce(0) { $0 + Double($1) } / Double(lengths.count)
    }
}
