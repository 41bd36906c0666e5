/// One moment for each slot, the earliest first.
///
/// A binary heap that knows where each slot stands, so that a moment can be changed or removed
/// without leaving anything behind.
package struct TimerHeap {
    private struct Entry {
        var time: UInt64
        var slot: Int
    }

    private var entries: [Entry] = []
    /// By slot; -1 where there is no entry.
    private var positions: [Int32] = []

    package init() {}

    /// The earliest moment and its slot.
    package var first: (time: UInt64, slot: Int)? { entries.first.map { ($0.time, $0.slot) } }

    /// The moment of a slot.
    package func time(of slot: Int) -> UInt64? {
        guard slot < positions.count, positions[slot] >= 0 else { return nil }
        return entries[Int(positions[slot])].time
    }

    /// Sets the moment of a slot, whether it had one or not.
    package mutating func set(_ time: UInt64, of slot: Int) {
        while positions.count <= slot { positions.append(-1) }
        if positions[slot] >= 0 {
            let position = Int(positions[slot])
            entries[position].time = time
            siftDown(siftUp(position))
        } else {
            positions[slot] = Int32(entries.count)
            entries.append(Entry(time: time, slot: slot))
            siftUp(entries.count - 1)
        }
    }

    /// Removes the moment of a slot, if it has one.
    package mutating func remove(_ slot: Int) {
        guard slot < positions.count, positions[slot] >= 0 else { return }
        let position = Int(positions[slot])
        positions[slot] = -1
        let last = entries.removeLast()
        guard position < entries.count else { return }
        entries[position] = last
        positions[last.slot] = Int32(position)
        siftDown(siftUp(position))
    }

    @discardableResult
    private mutating func siftUp(_ start: Int) -> Int {
        var position = start
        let entry = entries[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard entry.time < entries[parent].time else { break }
            move(entries[parent], to: position)
            position = parent
        }
        move(entry, to: position)
        return position
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let entry = entries[position]
        while true {
            var child = position * 2 + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].time < entries[child].time {
                child += 1
            }
            guard entries[child].time < entry.time else { break }
            move(entries[child], to: position)
            position = child
        }
        move(entry, to: position)
    }

    private mutating func move(_ entry: Entry, to position: Int) {
        entries[position] = entry
        positions[entry.slot] = Int32(position)
    }
}
