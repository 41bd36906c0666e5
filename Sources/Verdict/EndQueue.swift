/// Entries that wait for a moment, the earliest first; of two at one moment, the one that arrived first.
///
/// A binary heap: a journal may hold a hundred thousand requests that all run at once, and what looks
/// through those that run for each that arrives costs the square.
struct EndQueue {
    private struct Item {
        let time: Int64
        let index: Int

        func isBefore(_ other: Item) -> Bool {
            time != other.time ? time < other.time : index < other.index
        }
    }

    private var items: [Item] = []

    /// Adds an entry, by its place in the timeline.
    mutating func insert(_ index: Int, at time: Int64) {
        items.append(Item(time: time, index: index))
        var place = items.count - 1
        while place > 0, items[place].isBefore(items[(place - 1) / 2]) {
            items.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Takes out the first entry, where its moment is not after a time.
    mutating func pop(notAfter time: Int64) -> Int? {
        guard let first = items.first, first.time <= time else { return nil }
        let last = items.removeLast()
        guard !items.isEmpty else { return first.index }
        items[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < items.count && items[child].isBefore(items[least]) {
                least = child
            }
            if least == place { return first.index }
            items.swapAt(place, least)
            place = least
        }
    }
}
