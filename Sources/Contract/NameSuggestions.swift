/// Names that a wrong one was probably meant to be.
enum NameSuggestions {
    private static let maximum = 3

    /// Up to three of some names, the nearest first.
    ///
    /// A name counts as near when it is within a third of its length, or holds the wrong one as a
    /// part.
    static func nearest(to text: String, among names: [String]) -> [String] {
        guard !text.isEmpty, text.utf8.count <= 256 else { return [] }
        let wanted = text.lowercased()
        var candidates: [(name: String, distance: Int)] = []
        for name in names {
            let other = name.lowercased()
            let distance = EditDistance.between(wanted.utf8, other.utf8)
            if distance <= max(2, other.utf8.count / 3) {
                candidates.append((name, distance))
            } else if wanted.utf8.count >= 4, other.contains(wanted) {
                // A part is as far away as any name that is near.
                candidates.append((name, other.utf8.count))
            }
        }
        // A stable sort: equally near names stay in document order.
        let sorted = candidates.enumerated().sorted {
            ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
        }
        return sorted.prefix(maximum).map(\.element.name)
    }
}
