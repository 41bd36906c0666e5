import Journal

/// Retries of keyed writes that changed the key, or left it out.
///
/// They are no attempts of one chain, since the server takes them for calls of their own; but they are
/// attempts of the client, which has to wait before them as before any other.
struct KeyChanges {
    /// The attempt that repeats each entry with another key, by index.
    private(set) var next: [Int: Int] = [:]
    /// The attempt that each entry repeats with another key, by index.
    private(set) var previous: [Int: Int] = [:]

    init() {}

    /// - Parameter time: With its chains linked.
    init(_ time: Timeline) {
        // When each key was first seen: a key that was in use before a request failed belongs to
        // another call that ran at the same time, and is no new key for the failed one.
        var firstUse: [ClientKey: Int64] = [:]
        for entry in time.entries {
            if let key = ClientKey(entry), firstUse[key] == nil { firstUse[key] = entry.arrival }
        }
        let keyable = time.entries.indices.filter { time.facts($0)?.idempotencyRetention != nil }
        for group in time.groups(of: keyable, by: { CallKey($0, content: true) }) {
            // A later request is the retry of one earlier request at most, and no retry with a key that
            // was kept is one with another: such places are passed over once and for all.
            var free = FreePlaces(group.count)
            for (place, index) in group.enumerated() where time.previous[index] != nil {
                free.take(place)
            }
            for index in group where Self.isToBeRepeated(index, time) && time.next[index] == nil {
                let end = time.ends[index]
                let key = ClientKey(time.entries[index])
                var place = free.first(from: time.firstPlace(in: group, arrivingAtOrAfter: end))
                for _ in 0..<Self.maximumCandidates where place < group.count {
                    let candidate = group[place]
                    if candidate != index {
                        if time.entries[candidate].arrival - end > Timeline.longestPause { break }
                        let other = ClientKey(time.entries[candidate])
                        if time.callers.relation(of: candidate, to: index) != .same
                            || time.isDisturbed(index, candidate)
                        {
                            // Somebody else says the same.
                        } else if other.map({ $0 != key && (firstUse[$0] ?? 0) >= end }) ?? true {
                            next[index] = candidate
                            previous[candidate] = index
                            free.take(place)
                            break
                        }
                    }
                    place = free.first(from: place + 1)
                }
            }
        }
    }

    /// Whether a keyed write failed in a way after which it is sent again.
    static func isToBeRepeated(_ index: Int, _ time: Timeline) -> Bool {
        let entry = time.entries[index]
        return entry.details.idempotencyKey != nil && (entry.isTransient || entry.status == 401)
            && time.ends[index] != .max && !time.takenUp[index]
    }

    /// Requests with the same content that are looked at for the retry of one.
    private static let maximumCandidates = 1000

    /// Places in a list that can be taken, each once.
    private struct FreePlaces {
        /// For each place one at or behind it that may be free, the end of the list included.
        private var next: [Int]

        init(_ count: Int) { next = Array(0...count) }

        /// The first free place from here on; the end of the list where there is none.
        mutating func first(from place: Int) -> Int {
            var free = place
            while next[free] != free { free = next[free] }
            // The way is short the next time.
            var passed = place
            while passed != free {
                let following = next[passed]
                next[passed] = free
                passed = following
            }
            return free
        }

        mutating func take(_ place: Int) { next[place] = place + 1 }
    }
}
