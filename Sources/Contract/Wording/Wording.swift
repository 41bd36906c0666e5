import JSON
import Suggestions

/// The sentences of violations: what to send, and no data of the client but a number, a date or an
/// enumerated value.
enum Wording {
    /// A sentence, and what of the client's value may be shown.
    struct Quoting {
        let message: String
        let safeValue: String?
        var suggestion: String?
    }

    /// The most characters of a client's value that a message quotes.
    static let maximumQuotedCharacters = 64

    /// The beginning of a value, with an ellipsis where something is left out.
    ///
    /// What a terminal or a report would obey rather than show stands as U+FFFD.
    static func cut(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            if count == maximumQuotedCharacters {
                shown.append("…")
                break
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: shown.append("\u{FFFD}")
            default: shown.append(scalar)
            }
            count += 1
        }
        return String(shown)
    }

    /// A value that should have been a number, a date or a truth value, where it is like one.
    ///
    /// Any other text may be anything, a name included, and is not repeated.
    static func quotable(_ text: String) -> String? {
        let isAlike = text.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "/"),
                UInt8(ascii: "T"), UInt8(ascii: "Z"), UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            default: false
            }
        }
        return isAlike && text.utf8.count <= maximumQuotedCharacters ? text : nil
    }

    private static func not(_ text: String) -> String {
        quotable(text).map { ", not \"\($0)\"" } ?? ""
    }

    // MARK: - Presence

    static let missingMember = "Send this member: it is required."
    static let missingContent = "Send a JSON document: the content is required."
    static let ambiguous = "Send a value that fits only one of the documented forms."

    static func missingParameter(_ parameter: Parameter) -> String {
        let kind = parameter.location == .header ? "header" : "\(parameter.location) parameter"
        return "Send the \(kind) `\(parameter.name)`: it is required."
    }

    /// - Parameter hint: `x-members-hint`, for members that people put in the wrong place.
    static func unknownMember(suggestion: String?, known: [String], hint: String?) -> String {
        if let suggestion { return "There is no such member here; did you mean `\(suggestion)`?" }
        if known.isEmpty { return "Leave this member out: none is known here." }
        let names = known.map { "`\($0)`" }.joined(separator: ", ")
        let text = "Leave this member out: the members known here are \(names)."
        return hint.map { "\(text) \($0)" } ?? text
    }

    static func unknownParameter(suggestion: String?, known: [String]) -> String {
        if let suggestion { return "There is no such parameter; did you mean `\(suggestion)`?" }
        if known.isEmpty { return "Leave this parameter out: the operation has none." }
        let names = known.map { "`\($0)`" }.joined(separator: ", ")
        return "Leave this parameter out: those of the operation are \(names)."
    }

    // MARK: - Types and values

    static func type(
        _ types: JSONTypes,
        of value: JSONValue,
        at location: Violation.Location
    ) -> String {
        let words = types.words.map(phrase)
        let expected =
            words.count < 2
            ? words.first ?? "nothing"
            : words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        let sent =
            if types.contains(.integer), !types.contains(.number), case .number = value {
                "a number with a fraction"
            } else {
                phrase(value.typeName)
            }
        return location == .body ? "Send \(expected), not \(sent)." : "Send \(expected)."
    }

    private static func phrase(_ word: String) -> String {
        switch word {
        case "integer", "array", "object": "an \(word)"
        case "null": "null"
        default: "a \(word)"
        }
    }

    static func enumeration(
        _ values: [JSONValue],
        sent value: JSONValue,
        at location: Violation.Location
    ) -> Quoting {
        let texts = values.map { $0.string ?? JSONWriter.text(of: $0) }
        let list = texts.joined(separator: ", ")
        let expected = texts.count == 1 ? "Send \(list)" : "Send one of: \(list)"
        let sent: String
        switch value {
        case .string(let text): sent = text
        case .number(let number): sent = number.text
        case .bool, .null: sent = JSONWriter.text(of: value)
        case .array, .object: return Quoting(message: expected + ".", safeValue: nil)
        }
        let quoted = cut(sent)
        guard let meant = EditDistance.nearest(to: sent, among: texts) else {
            return Quoting(message: "\(expected); not \"\(quoted)\".", safeValue: quoted)
        }
        // The slip is explained where its kind is known.
        let reason =
            if location == .path, sent.utf8.contains(UInt8(ascii: "+")) {
                " In a path `+` is a plus sign, and a space is %20."
            } else if sent.utf8.contains(UInt8(ascii: "%")) {
                " The value was percent-encoded twice."
            } else {
                ""
            }
        return Quoting(
            message: "Did you mean \"\(meant)\" instead of \"\(quoted)\"?\(reason) \(expected).",
            safeValue: quoted,
            suggestion: meant
        )
    }

    // MARK: - Strings

    static func length(_ rules: SchemaNode.Rules, count: Int) -> String {
        let allowed: String
        switch (rules.minLength, rules.maxLength) {
        case (0, let most?): allowed = "at most \(characters(most))"
        case (let least, nil): allowed = "at least \(characters(least))"
        case (let least, let most?) where least == most: allowed = "exactly \(characters(most))"
        case (let least, let most?): allowed = "\(least) to \(characters(most))"
        }
        return "Send \(allowed), not \(count)."
    }

    private static func characters(_ count: Int) -> String {
        count == 1 ? "1 character" : "\(count) characters"
    }

    static func octets(maximum: Int, count: Int) -> String {
        "Send at most \(maximum) octets of UTF-8, not \(count)."
    }

    /// For patterns that have no `x-pattern-hint`, which says it in words.
    static func pattern(_ pattern: Pattern) -> String {
        "Send a text that matches the pattern \(pattern.source)"
    }

    static func format(_ format: Format, sent text: String) -> Quoting {
        switch format {
        case .date:
            return Quoting(
                message: "Send a date as yyyy-MM-dd, such as 2025-01-31\(not(text)).",
                safeValue: quotable(text)
            )
        case .dateTime:
            return Quoting(
                message: "Send an instant such as 2025-01-31T03:04:05Z (RFC 3339)\(not(text)).",
                safeValue: quotable(text)
            )
        case .uuid:
            return Quoting(
                message: "Send a UUID, such as 123e4567-e89b-12d3-a456-426614174000.",
                safeValue: nil
            )
        case .uri:
            return Quoting(
                message: "Send an absolute URI, such as https://example.com/a.",
                safeValue: nil
            )
        case .int32, .int64, .double, .binary:
            return Quoting(message: "Send a \(format.rawValue).", safeValue: nil)
        }
    }

    // MARK: - Numbers, arrays and objects

    static func range(_ rules: SchemaNode.Rules, sent text: String) -> String {
        "Send \(allowedNumbers(rules)), not \(cut(text))."
    }

    static func number(_ rules: SchemaNode.Rules, sent text: String) -> String {
        text.isEmpty
            ? "Send \(allowedNumbers(rules)), or leave the parameter out: its value is empty."
            : "Send \(allowedNumbers(rules))\(not(text))."
    }

    private static func allowedNumbers(_ rules: SchemaNode.Rules) -> String {
        let kind = rules.types?.contains(.number) == true ? "a number" : "an integer"
        let format = rules.format?.integers
        let least = rules.minimum?.text ?? format.map { String($0.lowerBound) }
        let most = rules.maximum?.text ?? format.map { String($0.upperBound) }
        switch (least, most) {
        case (let least?, let most?): return "\(kind) from \(least) to \(most)"
        case (let least?, nil): return "\(kind) of at least \(least)"
        case (nil, let most?): return "\(kind) of at most \(most)"
        case (nil, nil): return kind
        }
    }

    static func items(_ rules: SchemaNode.Rules, count: Int) -> String {
        amount("element", from: rules.minItems, to: rules.maxItems, not: count)
    }

    /// How many members an object has, by `minProperties` and `maxProperties`.
    static func members(_ rules: SchemaNode.Rules, count: Int) -> String {
        let names = rules.properties.map { "`\($0.name)`" }.joined(separator: ", ")
        let text = amount("member", from: rules.minProperties, to: rules.maxProperties, not: count)
        return names.isEmpty ? text : "\(text) The members known here are \(names)."
    }

    private static func amount(
        _ noun: String,
        from least: Int,
        to most: Int?,
        not count: Int
    ) -> String {
        func counted(_ count: Int) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }
        return switch (least, most) {
        case (0, let most?): "Send at most \(counted(most)), not \(count)."
        case (let least, nil): "Send at least \(counted(least)), not \(count)."
        case (let least, let most?) where least == most:
            "Send exactly \(counted(most)), not \(count)."
        case (let least, let most?): "Send \(least) to \(counted(most)), not \(count)."
        }
    }

    // MARK: - Parameters

    static func repetition(_ parameter: Parameter) -> String {
        "Send `\(parameter.name)` only once."
    }

    static func encoding(_ parameter: Parameter) -> String {
        parameter.location == .header
            ? "Send text in UTF-8."
            : "Send percent-encoded UTF-8: each `%` with two hexadecimal digits behind it."
    }

    static func boolean(sent text: String) -> String {
        "Send true or false\(not(text))."
    }

    static func order(_ first: Parameter, _ second: Parameter, _ sent: String, _ limit: String)
        -> String
    {
        "Send a `\(first.name)` that is not after `\(second.name)`: \(sent) is later than \(limit)."
    }
}
