/// How far two texts are apart.
package enum EditDistance {
    /// The least number of insertions, deletions, replacements and swaps of neighbours (optimal
    /// string alignment).
    package static func between(
        _ left: some Sequence<UInt8>,
        _ right: some Sequence<UInt8>
    ) -> Int {
        let left = Array(left)
        let right = Array(right)
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforePrevious = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        var current = previous
        for row in 1...left.count {
            current[0] = row
            for column in 1...right.count {
                let cost = left[row - 1] == right[column - 1] ? 0 : 1
                var best = min(
                    previous[column] + 1,
                    current[column - 1] + 1,
                    previous[column - 1] + cost
                )
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    best = min(best, beforePrevious[column - 2] + 1)
                }
                current[column] = best
            }
            (beforePrevious, previous, current) = (previous, current, beforePrevious)
        }
        return previous[right.count]
    }

    /// The one of some values that a text was probably meant to be.
    ///
    /// A value that differs only in case, in the signs used for a space, or in how often it was
    /// percent-encoded wins; else the nearest within two edits, fewer where the value is short.
    package static func nearest(to text: String, among values: [String]) -> String? {
        guard text.utf8.count <= 256 else { return nil }
        let wanted = normalized(text)
        if let same = values.first(where: { normalized($0) == wanted }) { return same }
        var nearest: (value: String, distance: Int)?
        for value in values {
            let other = normalized(value)
            guard abs(other.count - wanted.count) <= 2 else { continue }
            let distance = between(wanted, other)
            if distance <= allowed(for: other.count), distance < nearest?.distance ?? .max {
                nearest = (value, distance)
            }
        }
        return nearest?.value
    }

    /// How many edits a text of this many octets may be away from what it was meant to be.
    package static func allowed(for count: Int) -> Int { count <= 4 ? 1 : 2 }

    /// Lower case, `+` and `_` and `%20` as spaces.
    private static func normalized(_ text: String) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let octet = rest.popFirst() {
            switch octet {
            case UInt8(ascii: "+"), UInt8(ascii: "_"): octets.append(UInt8(ascii: " "))
            case UInt8(ascii: "%") where rest.starts(with: "20".utf8):
                rest = rest.dropFirst(2)
                octets.append(UInt8(ascii: " "))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): octets.append(octet | 0x20)
            default: octets.append(octet)
            }
        }
        return octets
    }
}
