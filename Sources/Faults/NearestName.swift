/// Finds the name that was probably meant.
enum NearestName {
    /// Beyond this a name is a mistake of another kind, and comparing it is only work.
    private static let maximumCharacters = 200
    /// A part of a name tells something from so many characters on.
    private static let minimumPartCharacters = 4

    /// The candidate with the least edit distance, the earliest of equals.
    ///
    /// Only what is near is a guess worth making: within a third of the candidate's length, and
    /// one edit in any case; else a name that holds the one sought as a part. Case does not count.
    ///
    /// - Parameter spellings: The forms of a candidate that a name is compared with.
    /// - Returns: `nil` where no candidate is near.
    static func of(
        _ name: String,
        among candidates: [String],
        spellings: (String) -> [String] = { [$0] }
    ) -> String? {
        let sought = Array(name.lowercased().unicodeScalars.prefix(maximumCharacters))
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            for spelling in spellings(candidate) {
                let other = Array(spelling.lowercased().unicodeScalars)
                let distance = editDistance(sought, other)
                let isNear =
                    distance <= max(1, other.count / 3)
                    || (sought.count >= minimumPartCharacters && other.contains(sought))
                if isNear, distance < best?.distance ?? .max { best = (candidate, distance) }
            }
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    static func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        if left.isEmpty { return right.count }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            current.reserveCapacity(right.count + 1)
            for column in right.indices {
                let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
                var least = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
