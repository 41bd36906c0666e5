import Faults

/// An order of a long list that is another one in each request, of which a stretch is asked for.
///
/// The list is cut into blocks from a drawn place on, and each block is shuffled. So only the blocks
/// that the stretch touches must be read, however long the list is, and an item still moves across
/// the borders of pages.
struct ShuffledBlocks {
    private static let size = 64

    /// The first item to read, and how many.
    let first: Int
    let count: Int

    private let skip: Int
    private let take: Int
    private let shift: Int
    private let draws: FaultDraws

    init(skip: Int, take: Int, _ draws: FaultDraws) {
        var draws = draws
        let size = Self.size
        shift = Int(draws.unit() * Double(size))
        self.skip = skip
        self.take = take
        self.draws = draws
        first = max(0, (skip + shift) / size * size - shift)
        count = ((skip + take - 1 + shift) / size + 1) * size - shift - first
    }

    /// Which of the items that were read belong to the stretch, in their new order.
    ///
    /// - Parameter items: How many were read: fewer than `count` where the list ends.
    func choose(from items: Int) -> ArraySlice<Int> {
        var draws = draws
        var order: [Int] = []
        while order.count < items {
            // Up to the border of the block, counted in the whole list.
            let start = first + order.count
            let length = Self.size - (start + shift) % Self.size
            let block = Array(order.count..<min(order.count + length, items))
            order += Self.shuffled(block, &draws)
        }
        return order.dropFirst(skip - first).prefix(take)
    }

    /// The elements in a drawn order (Fisher and Yates).
    static func shuffled(_ elements: [Int], _ draws: inout FaultDraws) -> [Int] {
        var elements = elements
        for index in elements.indices.dropFirst().reversed() {
            elements.swapAt(index, Int(draws.unit() * Double(index + 1)))
        }
        return elements
    }
}
