import Chance

/// The random numbers of one request under one rule, or of one answer under one reading.
///
/// A function of seed, rule id and ordinal alone, so the same requests fail in every run, however
/// many connections they come over. SplitMix64 (Steele, Lea and Flood, 2014) makes the numbers;
/// its finaliser also mixes the three arguments, the id as its FNV-1a hash. Changing any of this
/// changes every seeded test of every user.
package struct FaultDraws {
    private var numbers: SplitMix64

    package init(seed: Int64, ruleHash: UInt64, ordinal: Int) {
        let increment = SplitMix64.increment
        let key = SplitMix64.mix(UInt64(bitPattern: seed) &+ increment) ^ ruleHash
        let start = SplitMix64.mix(key) &+ UInt64(ordinal) &* increment
        numbers = SplitMix64(seed: SplitMix64.mix(start))
    }

    /// The numbers from a state on.
    init(state: UInt64) { numbers = SplitMix64(seed: state) }

    package mutating func next() -> UInt64 {
        numbers.next()
    }

    /// Evenly from 0 up to, but without, 1.
    package mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Normal with mean 0 and deviation 1, by Marsaglia's polar method.
    mutating func normal() -> Double {
        while true {
            let x = 2 * unit() - 1
            let y = 2 * unit() - 1
            let square = x * x + y * y
            if square > 0, square < 1 {
                return x * (-2 * Elementary.naturalLogarithm(square) / square).squareRoot()
            }
        }
    }

    /// The 64-bit FNV-1a hash.
    package static func hash(of id: String) -> UInt64 {
        id.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
