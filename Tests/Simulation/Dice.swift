import Chance

/// Chance that a seed decides: the same numbers in every run, on every machine.
struct Dice {
    private var numbers: SplitMix64

    init(seed: UInt64) { numbers = SplitMix64(seed: seed &* SplitMix64.increment) }

    /// A number from 0 up to, and without, the bound.
    mutating func below(_ bound: Int) -> Int { Int(numbers.next() % UInt64(max(1, bound))) }

    /// Whether what happens once in so many times happens now.
    mutating func once(in times: Int) -> Bool { below(times) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}
