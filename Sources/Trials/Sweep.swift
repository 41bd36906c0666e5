import Chance
import Journal

/// The trials of a sweep, and what follows from them.
package struct Sweep: Sendable {
    package let calls: [SweepCall]
    /// What single trials try, in their order: call by call, then readings.
    package let parts: [Trial.Part]
    /// The call that each part is about; `nil` for a reading.
    private let subjects: [String?]

    /// - Parameters:
    ///   - readings: The readings to try, each with one value.
    package init(calls: [SweepCall], readings: [(id: String, value: String)]) {
        self.calls = calls
        var parts: [Trial.Part] = []
        var subjects: [String?] = []
        for call in calls {
            for fault in SweepFault.allCases where fault.fits(call) {
                parts.append(fault.part(call))
                subjects.append(call.name)
            }
        }
        for (id, value) in readings {
            parts.append(.reading(id: id, value: value))
            subjects.append(nil)
        }
        self.parts = parts
        self.subjects = subjects
    }

    /// Pairs of parts on different calls, or of different readings, each pair once.
    ///
    /// - Parameter seed: The same seed draws the same pairs.
    package func pairs(_ count: Int, seed: UInt64) -> [(first: Int, second: Int)] {
        var generator = SplitMix64(seed: seed)
        var pairs: [(Int, Int)] = []
        var seen: Set<[Int]> = []
        guard parts.count > 1 else { return [] }
        // There may be fewer pairs than are asked for.
        for _ in 0..<count * Self.drawsForEach where pairs.count < count {
            let one = Int.random(in: parts.indices, using: &generator)
            let other = Int.random(in: parts.indices, using: &generator)
            let (first, second) = (min(one, other), max(one, other))
            guard first != second, areApart(first, second), seen.insert([first, second]).inserted
            else { continue }
            pairs.append((first, second))
        }
        return pairs
    }

    private static let drawsForEach = 100

    private func areApart(_ one: Int, _ other: Int) -> Bool {
        if let call = subjects[one] { return call != subjects[other] }
        guard case .reading(let id, _) = parts[one], case .reading(let second, _) = parts[other]
        else { return true }
        return id != second
    }
}
