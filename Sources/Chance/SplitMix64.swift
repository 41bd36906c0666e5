/// Pseudo-random numbers that a seed decides: SplitMix64 (Steele, Lea and Flood, 2014).
///
/// The same numbers in every run, on every machine and in every version: seeded data, faults, trials
/// and tests rest on them. Not for secrets.
@frozen
package struct SplitMix64: RandomNumberGenerator, Sendable {
    /// What the state grows by with each number: 2^64 divided by the golden ratio, made odd.
    package static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    @usableFromInline package var state: UInt64

    @inlinable
    package init(seed: UInt64) { state = seed }

    @inlinable
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// Spreads every bit of the input over all of the output.
    @inlinable
    package static func mix(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
