import Chance

extension SplitMix64 {
    /// A text of these pieces.
    mutating func text(of pieces: [String], count: ClosedRange<Int>) -> String {
        (0..<Int.random(in: count, using: &self))
            .map { _ in pieces[Int.random(in: pieces.indices, using: &self)] }
            .joined()
    }
}
