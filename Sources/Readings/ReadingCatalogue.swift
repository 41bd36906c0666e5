package import JSON
import Suggestions

/// The readings that there are, as `fixtures/readings.json` describes them.
package struct ReadingCatalogue: Sendable {
    /// One reading, described.
    package struct Entry: Sendable {
        package let id: ReadingID
        package let title: String
        /// In the order of the file, the default first.
        package let values: [Value]
        /// The sentence of the documentation; `nil` where it is silent.
        package let documented: String?
        /// JSON pointers into the contract.
        package let places: [JSONPointer]
        /// The numbers that may stand in place of the values.
        package let range: ClosedRange<Int>?

        /// The value of a server that is told nothing.
        package var `default`: String { values.first?.word ?? "" }
    }

    /// One value of a reading.
    package struct Value: Sendable {
        package let word: String
        package let meaning: String
        /// Whether answers under it may break the contract.
        package let isBeyondContract: Bool
    }

    /// What is wrong with the file.
    package struct Fault: Error, Equatable {
        package let pointer: JSONPointer
        package let reason: String
    }

    /// In the order of the file.
    package let entries: [Entry]

    /// Reads the file and holds it against what the program knows.
    ///
    /// - Parameters:
    ///   - document: An array of readings.
    ///   - contract: The document into which `where` points; `nil` where that was checked before.
    /// - Throws: The first fault, an id or a value that only one side knows among them.
    package init(_ document: JSONValue, contract: JSONValue?) throws(Fault) {
        var entries: [Entry] = []
        for (index, item) in (document.array ?? []).enumerated() {
            let place = JSONPointer([String(index)])
            let entry = try Self.entry(item, at: place)
            for (number, pointer) in entry.places.enumerated()
            where contract.map({ pointer.value(in: $0) == nil }) ?? false {
                throw Fault(
                    pointer: place.appending("where").appending(number),
                    reason: "openapi.yaml has no \(pointer)"
                )
            }
            if entries.contains(where: { $0.id == entry.id }) {
                throw Fault(pointer: place, reason: "\(entry.id.rawValue) stands here twice")
            }
            entries.append(entry)
        }
        for id in ReadingID.allCases where !entries.contains(where: { $0.id == id }) {
            throw Fault(pointer: JSONPointer(), reason: "\(id.rawValue) is missing")
        }
        self.entries = entries
    }

    private static func entry(
        _ item: JSONValue,
        at place: JSONPointer
    ) throws(Fault) -> Entry {
        func text(_ name: String, in value: JSONValue, _ place: JSONPointer) throws(Fault) -> String
        {
            guard let text = value[name]?.string, !text.isEmpty else {
                throw Fault(pointer: place.appending(name), reason: "must be a text")
            }
            return text
        }
        let word = try text("id", in: item, place)
        guard let id = ReadingID(rawValue: word) else {
            throw Fault(
                pointer: place.appending("id"),
                reason: "the program has no reading \(word)"
            )
        }
        var values: [Value] = []
        for (index, value) in (item["values"]?.array ?? []).enumerated() {
            let place = place.appending("values").appending(index)
            values.append(
                Value(
                    word: try text("value", in: value, place),
                    meaning: try text("meaning", in: value, place),
                    isBeyondContract: value["beyondContract"]?.bool ?? false
                )
            )
        }
        var range: ClosedRange<Int>?
        if let known = id.values {
            guard known == values.map(\.word) else {
                throw Fault(
                    pointer: place.appending("values"),
                    reason: "must be \(known.joined(separator: ", ")), in this order"
                )
            }
        } else {
            guard let least = item["range"]?["minimum"]?.int,
                let most = item["range"]?["maximum"]?.int, least <= most,
                !values.isEmpty,
                values.allSatisfy({ Int($0.word).map { (least...most).contains($0) } ?? false })
            else {
                throw Fault(
                    pointer: place.appending("range"),
                    reason: "must have minimum and maximum, with all values between"
                )
            }
            range = least...most
        }
        var places: [JSONPointer] = []
        for (index, element) in (item["where"]?.array ?? []).enumerated() {
            guard let pointer = element.string.flatMap({ JSONPointer(parsing: $0) }) else {
                throw Fault(
                    pointer: place.appending("where").appending(index),
                    reason: "must be a JSON pointer"
                )
            }
            places.append(pointer)
        }
        return Entry(
            id: id,
            title: try text("title", in: item, place),
            values: values,
            documented: item["documented"]?.string,
            places: places,
            range: range
        )
    }

    package subscript(id: ReadingID) -> Entry {
        guard let entry = entries.first(where: { $0.id == id }) else {
            preconditionFailure("the catalogue holds every reading")
        }
        return entry
    }

    // MARK: - Choices

    /// The word of a reading that is drawn for each answer.
    package static let mixed = "mixed"

    /// Why a choice is refused.
    package struct Refusal: Error, Equatable {
        /// The reading that was named.
        package let id: String
        /// What to do.
        package let reason: String

        package init(id: String, reason: String) {
            self.id = id
            self.reason = reason
        }
    }

    /// The choice that two texts ask for.
    ///
    /// - Throws: `Refusal` with the nearest real name.
    package func choice(
        _ name: String,
        _ word: String
    ) throws(Refusal) -> (id: ReadingID, choice: ReadingChoice) {
        guard let id = ReadingID(rawValue: name) else {
            let names = entries.map(\.id.rawValue)
            let nearest = NameSuggestions.nearest(to: name, among: names).first
            throw Refusal(
                id: name,
                reason: nearest.map { "There is no such reading: did you mean \($0)?" }
                    ?? "There is no such reading: GET /__admin/readings lists them."
            )
        }
        if word == Self.mixed { return (id, .mixed) }
        let entry = self[id]
        if let range = entry.range {
            // `Int` takes a sign, which no number of seconds has here.
            guard word.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(word),
                range.contains(number)
            else {
                throw Refusal(
                    id: name,
                    reason: "It takes \(range.lowerBound) to \(range.upperBound), or mixed."
                )
            }
            return (id, .number(number))
        }
        let words = entry.values.map(\.word)
        guard let position = words.firstIndex(of: word) else {
            let all = words + [Self.mixed]
            let nearest = NameSuggestions.nearest(to: word, among: all).first
            let list = all.joined(separator: ", ")
            throw Refusal(
                id: name,
                reason: nearest.map { "It has no such value: did you mean \($0)?" }
                    ?? "It has no such value: it takes \(list)."
            )
        }
        return (id, .value(position))
    }
}

/// What was chosen for a reading.
package enum ReadingChoice: Hashable, Sendable {
    /// The place of a value among those of the reading.
    case value(Int)
    /// A number, for readings that take any.
    case number(Int)
    /// Drawn for each answer.
    case mixed
}
