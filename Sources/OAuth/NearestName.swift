/// Guesses which of several names was meant.
package enum NearestName {
    /// The name with the fewest edits to it, at most a third of its length and at most three.
    ///
    /// Case does not count, and neither does anything beyond the 64th character: a guess must
    /// stay cheap whatever a client sends. Of equally near names the first wins.
    package static func find(_ wanted: String, among names: [String]) -> String? {
        let wanted = Array(wanted.lowercased().utf8)
        guard (1...64).contains(wanted.count) else { return nil }
        var best: (name: String, distance: Int)?
        for name in names {
            let candidate = Array(name.lowercased().utf8)
            let limit = min(3, max(1, candidate.count / 3))
            guard abs(candidate.count - wanted.count) <= limit else { continue }
            let distance = distance(candidate, wanted)
            if distance <= limit, distance < best?.distance ?? .max { best = (name, distance) }
        }
        return best?.name
    }

    /// The number of insertions, deletions and substitutions (Levenshtein).
    private static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var previous = Array(0...other.count)
        for (row, octet) in one.enumerated() {
            var current = [row + 1]
            current.reserveCapacity(other.count + 1)
            for (column, otherOctet) in other.enumerated() {
                let substitution = previous[column] + (octet == otherOctet ? 0 : 1)
                current.append(min(substitution, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[other.count]
    }
}
