/// Names that a wrong one was probably meant to be.
package enum NameSuggestions {
    private static let maximum = 3
    /// Beyond this a name is a mistake of another kind, and comparing it is only work.
    private static let maximumOctets = 256
    /// Of more names than that, the first are looked at.
    private static let maximumNames = 1000
    /// A part of a name tells something from so many octets on.
    private static let minimumPartOctets = 4

    /// Up to three of some names, the nearest first, without regard to case.
    ///
    /// Only what is near is a guess worth making: a name within a third of its length, and one edit
    /// in any case; where there is none, the only one that holds the wrong one as a part.
    ///
    /// - Parameter spellings: The forms of a name that the wrong one is compared with.
    package static func nearest(
        to text: String,
        among names: [String],
        spellings: (String) -> [String] = { [$0] }
    ) -> [String] {
        guard !text.isEmpty, text.utf8.count <= maximumOctets else { return [] }
        let wanted = text.lowercased()
        var candidates: [(name: String, distance: Int)] = []
        var holders: [String] = []
        for name in names.prefix(maximumNames) {
            let forms = spellings(name).map { $0.lowercased() }
            if let distance = forms.compactMap({ distance(from: wanted, to: $0) }).min() {
                candidates.append((name, distance))
            } else if wanted.utf8.count >= minimumPartOctets,
                forms.contains(where: { $0.contains(wanted) }), !holders.contains(name)
            {
                holders.append(name)
            }
        }
        if candidates.isEmpty { return holders.count == 1 ? holders : [] }
        // A stable sort: equally near names stay in the order given.
        let sorted = candidates.enumerated().sorted {
            ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
        }
        return sorted.prefix(maximum).map(\.element.name)
    }

    /// How far a spelling is from what is wanted; `nil` where it is not near.
    private static func distance(from wanted: String, to spelling: String) -> Int? {
        let allowed = max(1, spelling.utf8.count / 3)
        // Every octet more or less is an edit: most names need no comparison.
        guard abs(wanted.utf8.count - spelling.utf8.count) <= allowed else { return nil }
        let distance = EditDistance.between(wanted.utf8, spelling.utf8)
        return distance <= allowed ? distance : nil
    }
}
