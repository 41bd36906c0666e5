package import Store

/// The full names and Medicare numbers of a session's data, as digests.
///
/// A name is kept as the sum of the digests of its given and its family part, so that both orders
/// are one entry and 500,000 names take 4 MB, and
/// their parts 8 MB more at most.
package struct PersonalDataIndex: Sendable {
    /// Digits of the shortest number that is taken for one of a Medicare card: more than a date has.
    package static let shortestNumber = 9
    /// Words between a given and a family name that are taken for middle names.
    private static let maximumMiddleWords = 2

    /// Words of a given or a family name that are compared; of a longer one, the first.
    ///
    /// Each character of a Japanese name is a word. What a look at a text costs grows with the square
    /// of this number, and with the words of the text.
    package static let maximumPartWords = 8

    /// The names, each as the sum of the digests of its two parts.
    private let names: [UInt64]
    /// The given and family names by themselves: most words of a text are none of these.
    private let parts: [UInt64]
    private let numbers: [UInt64]

    package init(names list: [(given: String, family: String)], medicareNumbers: [String]) {
        var builder = Builder()
        for name in list { builder.add(given: name.given, family: name.family) }
        for number in medicareNumbers { builder.add(medicareNumber: number) }
        self = builder.index
    }

    /// Reads the records.
    package init(_ reader: SessionReader) throws(StoreError) {
        var builder = Builder()
        try reader.forEachPatientName { builder.add(given: $0, family: $1) }
        try reader.forEachMedicareNumber { builder.add(medicareNumber: $0) }
        self = builder.index
    }

    private init(_ builder: Builder) {
        names = Self.sortedOnce(builder.names)
        parts = Self.sortedOnce(builder.parts)
        numbers = Self.sortedOnce(builder.numbers)
    }

    private static func sortedOnce(_ values: [UInt64]) -> [UInt64] {
        var result: [UInt64] = []
        result.reserveCapacity(values.count)
        for value in values.sorted() where result.last != value { result.append(value) }
        return result
    }

    /// Collects names and numbers.
    private struct Builder {
        var names: [UInt64] = []
        var parts: [UInt64] = []
        var numbers: [UInt64] = []

        var index: PersonalDataIndex { PersonalDataIndex(self) }

        mutating func add(given: String, family: String) {
            let given = PersonalText(given).words.prefix(maximumPartWords)
            let family = PersonalText(family).words.prefix(maximumPartWords)
            guard !given.isEmpty, !family.isEmpty else { return }
            let (first, second) = (digest(of: given), digest(of: family))
            names.append(first &+ second)
            parts.append(first)
            parts.append(second)
        }

        mutating func add(medicareNumber text: String) {
            let digits = text.utf8.filter { 0x30...0x39 ~= $0 }
            guard digits.count >= PersonalDataIndex.shortestNumber else { return }
            if let number = value(of: digits[...]) { numbers.append(number) }
        }
    }

    // MARK: Looking

    /// Whether a text holds the given and the family name of one patient, in any order.
    package func holdsName(_ text: PersonalText) -> Bool {
        var lookups = 0
        return holdsName(text, lookups: &lookups)
    }

    /// As `holdsName`, and counts what it looks up: at most 200 values for each word of the text.
    package func holdsName(_ text: PersonalText, lookups: inout Int) -> Bool {
        let words = text.words
        guard words.count > 1 else { return false }
        // The given and family names that begin at each word.
        var beginning = [[Part]](repeating: [], count: words.count)
        for start in words.indices {
            var digest = digestOfNothing
            for last in start..<min(start + Self.maximumPartWords, words.count) {
                digest = extended(digest, by: words[last])
                lookups += 1
                if contains(parts, digest) {
                    beginning[start].append(Part(digest: digest, end: last + 1))
                }
            }
        }
        for first in beginning.joined() where first.end < words.count {
            for start in first.end...min(first.end + Self.maximumMiddleWords, words.count - 1) {
                for second in beginning[start] {
                    lookups += 1
                    if contains(names, first.digest &+ second.digest) { return true }
                }
            }
        }
        return false
    }

    /// A given or family name in a text.
    private struct Part {
        let digest: UInt64
        /// The word behind it.
        let end: Int
    }

    /// Whether one text is the given and another the family name of one patient.
    package func holdName(_ texts: [PersonalText]) -> Bool {
        let digests = texts.lazy.map(\.words).filter { (1...Self.maximumPartWords) ~= $0.count }
            .prefix(Self.maximumParts).map { digest(of: $0[...]) }
            .filter { contains(parts, $0) }
        let found = Array(digests)
        for (place, part) in found.enumerated() {
            for other in found[(place + 1)...] where contains(names, part &+ other) { return true }
        }
        return false
    }

    /// Query parameters that are put together in pairs.
    private static let maximumParts = 32

    /// Whether a text holds a Medicare number, with or without the reference number behind it.
    package func holdsMedicareNumber(_ text: PersonalText) -> Bool {
        for number in text.numbers {
            for digits in [number[...], number.dropLast()] {
                if digits.count >= Self.shortestNumber, let value = value(of: digits),
                    contains(numbers, value)
                {
                    return true
                }
            }
        }
        return false
    }

    private func contains(_ sorted: [UInt64], _ value: UInt64) -> Bool {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == value
    }
}

/// A digest of words in their order; sums of two such digests do not meet by chance.
private func digest(of words: ArraySlice<UInt64>) -> UInt64 {
    words.reduce(digestOfNothing, extended)
}

private let digestOfNothing: UInt64 = 0x9E37_79B9_7F4A_7C15

/// The digest of words and one more behind them.
private func extended(_ digest: UInt64, by word: UInt64) -> UInt64 {
    var digest = digest ^ word
    digest = (digest ^ digest >> 30) &* 0xBF58_476D_1CE4_E5B9
    digest = (digest ^ digest >> 27) &* 0x94D0_49BB_1331_11EB
    return digest ^ digest >> 31
}

/// A number with its length, so that leading zeros count; `nil` beyond 18 digits.
private func value(of digits: ArraySlice<UInt8>) -> UInt64? {
    guard digits.count <= 18 else { return nil }
    return digits.reduce(1) { $0 * 10 + UInt64($1 - 0x30) }
}
