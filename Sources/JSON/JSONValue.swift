/// A JSON value (RFC 8259 §3) that keeps what the text said.
///
/// Objects keep the order of their members, numbers keep their digits: a contract that must
/// report violations in document order, and data that must come back as they went in, need both.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// An integer value.
    package static func integer(_ value: Int) -> JSONValue {
        .number(JSONNumber(value))
    }

    /// The text, where this is a string.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The truth value, where this is `true` or `false`.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number as an `Int`, where this is a number with an integral value in range (`3.0` is 3).
    package var int: Int? {
        if case .number(let value) = self { value.int } else { nil }
    }

    /// The number as a `Double`, where this is a number.
    package var double: Double? {
        if case .number(let value) = self { value.double } else { nil }
    }

    /// The elements, where this is an array.
    package var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, where this is an object.
    package var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// Whether this is `null`.
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The value of a member, where this is an object that has it.
    package subscript(name: String) -> JSONValue? {
        object?[name]
    }

    /// The same value with the members of each object sorted by the octets of their names.
    ///
    /// - Parameter text: What stands in the place of each string; by default, the string.
    package func sorted(text: (String) -> JSONValue = { .string($0) }) -> JSONValue {
        switch self {
        case .null, .bool, .number: return self
        case .string(let value): return text(value)
        case .array(let elements): return .array(elements.map { $0.sorted(text: text) })
        case .object(let object):
            var result = JSONObject()
            // `String` compares by canonical equivalence, under which two names may be one.
            let members = object.members.sorted {
                $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
            }
            for member in members { result[member.name] = member.value.sorted(text: text) }
            return .object(result)
        }
    }

    /// The JSON word for the type of this value: `null`, `boolean`, `number`, `string`, `array`, `object`.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }

    /// Members in the order written; of a repeated name the first wins.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

/// The members of a JSON object, in the order of the text, without duplicates.
package struct JSONObject: Sendable, Hashable {
    /// One name and its value.
    package struct Member: Sendable, Hashable {
        package let name: String
        package var value: JSONValue
    }

    /// Names and values in order.
    package private(set) var members: [Member]
    /// Where a member stands, kept only for objects large enough to be worth it.
    private var positions: [String: Int]

    /// Above this many members a dictionary beats a linear search.
    private static let linearSearchMaximum = 12

    package init() {
        members = []
        positions = [:]
    }

    /// An object of these members; `nil` when a name is repeated.
    package init?(members: [Member]) {
        self.init()
        self.members.reserveCapacity(members.count)
        for member in members {
            if self[member.name] != nil { return nil }
            append(member)
        }
    }

    /// An object of these members; of a repeated name the first counts.
    package init(_ pairs: [(String, JSONValue)]) {
        self.init()
        for (name, value) in pairs where self[name] == nil { self[name] = value }
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }

    /// The value of a member.
    ///
    /// Setting a new name appends it; setting `nil` removes it.
    package subscript(name: String) -> JSONValue? {
        get {
            guard let position = position(of: name) else { return nil }
            return members[position].value
        }
        set {
            switch (position(of: name), newValue) {
            case (let position?, let value?):
                members[position].value = value
            case (let position?, nil):
                members.remove(at: position)
                reindex()
            case (nil, let value?):
                append(Member(name: name, value: value))
            case (nil, nil):
                break
            }
        }
    }

    /// Whether there is a member of this name.
    func contains(_ name: String) -> Bool { position(of: name) != nil }

    /// Appends a member whose name is known to be new, which saves to look for it again.
    mutating func append(newName name: String, _ value: JSONValue) {
        append(Member(name: name, value: value))
    }

    private func position(of name: String) -> Int? {
        if members.count > Self.linearSearchMaximum { return positions[name] }
        return members.firstIndex { $0.name == name }
    }

    private mutating func append(_ member: Member) {
        members.append(member)
        if members.count == Self.linearSearchMaximum + 1 {
            reindex()
        } else if members.count > Self.linearSearchMaximum {
            positions[member.name] = members.count - 1
        }
    }

    private mutating func reindex() {
        positions.removeAll(keepingCapacity: true)
        guard members.count > Self.linearSearchMaximum else { return }
        for (position, member) in members.enumerated() { positions[member.name] = position }
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members == right.members
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(members)
    }
}

/// A JSON number (RFC 8259 §6), kept as it was written.
package struct JSONNumber: Sendable, Hashable {
    /// The digits, as in the text.
    package let text: String

    /// A number from text that is known to match the grammar of RFC 8259 §6.
    init(verified text: String) { self.text = text }

    package init(_ value: some BinaryInteger) { text = String(value) }

    /// A number from a finite `Double`, in its shortest form; `nil` for NaN and infinities.
    package init?(_ value: Double) {
        guard value.isFinite else { return nil }
        if value == value.rounded(), abs(value) < 1e15 {
            text = String(Int(value))
        } else {
            text = String(value)
        }
    }

    /// The same number with a decimal place; `nil` where its text has decimals or an exponent.
    package var withDecimals: JSONNumber? {
        Int(text) == nil ? nil : JSONNumber(verified: text + ".0")
    }

    /// The value as an `Int`, where it is integral and in range.
    package var int: Int? {
        if let value = Int(text) { return value }
        guard let value = Double(text) else { return nil }
        return Int(exactly: value)
    }

    /// The nearest `Double`; infinite where the number is too large for one.
    package var double: Double { Double(text) ?? .infinity }

    /// Whether the number is mathematically an integer (`1.0` and `1e2` are).
    package var isIntegral: Bool {
        if Int(text) != nil { return true }
        guard
            text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") })
        else { return true }
        let value = double
        return value.isFinite && value == value.rounded()
    }
}
