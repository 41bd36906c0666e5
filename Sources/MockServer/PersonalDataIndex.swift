import Store

/// The full names and Medicare numbers of a session's data, as digests.
///
/// A name is kept as the sum of the digests of its given and its family part, so that both orders
/// are one entry and 500,000 names take 4 MB.
struct PersonalDataIndex: Sendable {
    /// Digits of the shortest number that is taken for one of a Medicare card: more than a date has.
    static let shortestNumber = 9
    /// Words between a given and a family name that are taken for middle names.
    private static let maximumMiddleWords = 2

    private let names: [UInt64]
    private let numbers: [UInt64]
    /// Words of the longest given or family name.
    private let longestPart: Int

    init(names list: [(given: String, family: String)], medicareNumbers: [String]) {
        var builder = Builder()
        for name in list { builder.add(given: name.given, family: name.family) }
        for number in medicareNumbers { builder.add(medicareNumber: number) }
        self = builder.index
    }

    /// Reads the records.
    init(_ reader: SessionReader) throws(StoreError) {
        var builder = Builder()
        try reader.forEachPatientName { builder.add(given: $0, family: $1) }
        try reader.forEachMedicareNumber { builder.add(medicareNumber: $0) }
        self = builder.index
    }

    private init(_ builder: Builder) {
        names = Self.sortedOnce(builder.names)
        numbers = Self.sortedOnce(builder.numbers)
        longestPart = builder.longestPart
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
        var numbers: [UInt64] = []
        var longestPart = 1

        var index: PersonalDataIndex { PersonalDataIndex(self) }

        mutating func add(given: String, family: String) {
            let given = PersonalText(given).words
            let family = PersonalText(family).words
            guard !given.isEmpty, !family.isEmpty else { return }
            longestPart = max(longestPart, given.count, family.count)
            names.append(digest(of: given[...]) &+ digest(of: family[...]))
        }

        mutating func add(medicareNumber text: String) {
            let digits = text.utf8.filter { 0x30...0x39 ~= $0 }
            guard digits.count >= PersonalDataIndex.shortestNumber else { return }
            if let number = value(of: digits[...]) { numbers.append(number) }
        }
    }

    // MARK: Looking

    /// Whether a text holds the given and the family name of one patient, in any order.
    func holdsName(_ text: PersonalText) -> Bool {
        let words = text.words
        guard words.count > 1 else { return false }
        for start in words.indices.dropLast() {
            for firstEnd in (start + 1)...min(start + longestPart, words.count - 1) {
                let first = digest(of: words[start..<firstEnd])
                for second in firstEnd...min(firstEnd + Self.maximumMiddleWords, words.count - 1) {
                    for end in (second + 1)...min(second + longestPart, words.count)
                    where contains(names, first &+ digest(of: words[second..<end])) {
                        return true
                    }
                }
            }
        }
        return false
    }

    /// Whether one text is the given and another the family name of one patient.
    func holdName(_ texts: [PersonalText]) -> Bool {
        let parts = texts.filter { (1...longestPart).contains($0.words.count) }
            .prefix(Self.maximumParts).map { digest(of: $0.words[...]) }
        for (place, part) in parts.enumerated() {
            for other in parts[(place + 1)...] where contains(names, part &+ other) { return true }
        }
        return false
    }

    /// Query parameters that are put together in pairs.
    private static let maximumParts = 32

    /// Whether a text holds a Medicare number, with or without the reference number behind it.
    func holdsMedicareNumber(_ text: PersonalText) -> Bool {
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
    var digest: UInt64 = 0x9E37_79B9_7F4A_7C15
    for word in words {
        digest ^= word
        digest = (digest ^ digest >> 30) &* 0xBF58_476D_1CE4_E5B9
        digest = (digest ^ digest >> 27) &* 0x94D0_49BB_1331_11EB
        digest ^= digest >> 31
    }
    return digest
}

/// A number with its length, so that leading zeros count; `nil` beyond 18 digits.
private func value(of digits: ArraySlice<UInt8>) -> UInt64? {
    guard digits.count <= 18 else { return nil }
    return digits.reduce(1) { $0 * 10 + UInt64($1 - 0x30) }
}
