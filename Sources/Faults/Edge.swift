/// What stands in front of such an API, or between it and its clients, and answers in a voice of its
/// own.
///
/// `fixtures/edges/` describes them, one file for each. Nobody but QUBS knows what they have: every
/// edge is an assumption, made from what its maker publishes.
package struct Edge: Sendable {
    package let name: String
    package let title: String
    /// How it speaks, in a sentence.
    package let about: String
    /// Where it is met, such as `token`; `nil` for everywhere.
    package let operations: [String]?
    /// What it was made from.
    package let sources: [String]
    /// One for each status that it knows, the usual one first.
    package let answers: [Answer]

    /// What it answers under one status.
    package struct Answer: Sendable, Hashable {
        /// 200, or 400 to 599.
        package let status: Int
        /// Why it answers so.
        package let meaning: String
        package let fields: [Field]
        /// With places for ids, such as `{uuid}`.
        package let content: String

        /// Whether it says that something went wrong.
        package var isError: Bool { status >= 400 }
    }

    /// A field of an answer.
    package struct Field: Sendable, Hashable {
        package let name: String
        /// With places for ids, such as `{uuid}`.
        package let value: String
    }

    /// Its answer under a status; without one, the usual one.
    func answer(_ status: Int?) -> Answer? {
        guard let status else { return answers.first }
        return answers.first { $0.status == status }
    }
}

/// The ids of one answer of an edge: the same in its fields as in its content.
package struct EdgeIDs {
    private let values: [(place: String, value: String)]

    /// - Parameter seed: What the ids are made from.
    package init(seed: UInt64) {
        var draws = FaultDraws(state: seed)
        func digits(_ count: Int) -> String {
            let text = String(draws.next(), radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text.prefix(count)
        }
        let long = digits(16)
        let (first, second) = (Array(digits(16)), Array(digits(16)))
        let uuid =
            String(first[0..<8]) + "-" + String(first[8..<12]) + "-4" + String(first[13..<16])
            + "-a"
            + String(second[1..<4]) + "-" + String(second[4..<16])
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        // 16 octets, as base64 has them.
        let opaque = String((0..<22).map { _ in alphabet[Int(draws.next() % 64)] }) + "=="
        values = [
            ("{uuid}", uuid), ("{hex16}", long), ("{HEX16}", long.uppercased()),
            ("{base64}", opaque),
        ]
    }

    /// A text with its places filled.
    package func fill(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        var text = text
        for (place, value) in values { text = Self.replace(place, in: text, by: value) }
        return text
    }

    private static func replace(_ place: String, in text: String, by value: String) -> String {
        let sought = Array(place.utf8)
        let octets = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < octets.count {
            if octets[index...].starts(with: sought) {
                result.append(contentsOf: value.utf8)
                index += sought.count
            } else {
                result.append(octets[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
