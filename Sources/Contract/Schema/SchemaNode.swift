import JSON

/// One schema object, compiled: what it asks of a value, with references as indices into a
/// `SchemaSet`.
final class SchemaNode: Sendable {
    /// What `additionalProperties` (or `unevaluatedProperties: false`) says of members not named.
    enum Additional: Sendable {
        case allowed
        case refused(keyword: String)
        case schema(Int)
    }

    /// A named member and the index of its schema.
    struct Property: Sendable {
        let name: String
        let schema: Int
    }

    let location: DocumentLocation
    /// The schema object as it stands in the document.
    let source: JSONObject
    let rules: Rules

    /// What the keywords say; absent keywords ask for nothing.
    struct Rules: Sendable {
        var reference: Int?
        var types: JSONTypes?
        var enumeration: [JSONValue]?
        var constant: JSONValue?
        var format: Format?
        var pattern: Pattern?
        var minLength = 0
        var maxLength: Int?
        var maxUTF8Octets: Int?
        var minimum: NumericBound?
        var maximum: NumericBound?
        var items: Int?
        var minItems = 0
        var maxItems: Int?
        var properties: [Property] = []
        /// Positions in `properties`, where there are many.
        var propertyPositions: [String: Int] = [:]
        var required: [String] = []
        var minProperties = 0
        var maxProperties: Int?
        var additional = Additional.allowed
        /// Names that `unevaluatedProperties: false` allows because other schemas of the same
        /// object have them.
        var evaluatedElsewhere: Set<String> = []
        var allOf: [Int] = []
        var anyOf: [Int] = []
        var oneOf: [Int] = []
    }

    init(location: DocumentLocation, source: JSONObject, rules: Rules) {
        self.location = location
        self.source = source
        self.rules = rules
    }

    /// The index of the schema of a member; `nil` where it is not among `properties`.
    func property(_ name: String) -> Int? {
        if rules.propertyPositions.isEmpty {
            for property in rules.properties where property.name == name { return property.schema }
            return nil
        }
        return rules.propertyPositions[name].map { rules.properties[$0].schema }
    }

    /// Whether every value is valid.
    var acceptsAnything: Bool {
        rules.types == nil && acceptsEveryString && rules.minimum == nil && rules.maximum == nil
            && rules.items == nil && rules.minItems == 0 && rules.maxItems == nil
            && rules.properties.isEmpty && rules.required.isEmpty
            && rules.minProperties == 0 && rules.maxProperties == nil
            && { if case .allowed = rules.additional { true } else { false } }()
    }

    /// The valid integers, where nothing but bounds and format decides.
    var acceptedIntegers: ClosedRange<Int>? {
        guard rules.reference == nil, rules.enumeration == nil, rules.constant == nil,
            rules.allOf.isEmpty, rules.anyOf.isEmpty, rules.oneOf.isEmpty
        else { return nil }
        var range = rules.format?.integers ?? Int.min...Int.max
        if let minimum = rules.minimum {
            guard let least = minimum.exact, least <= range.upperBound else { return nil }
            range = max(least, range.lowerBound)...range.upperBound
        }
        if let maximum = rules.maximum {
            guard let most = maximum.exact, most >= range.lowerBound else { return nil }
            range = range.lowerBound...min(most, range.upperBound)
        }
        return range
    }

    /// Whether every string is valid, the type apart.
    var acceptsEveryString: Bool {
        rules.reference == nil && rules.enumeration == nil && rules.constant == nil
            && (rules.format == nil || rules.format == .binary) && rules.pattern == nil
            && rules.minLength == 0 && rules.maxLength == nil && rules.maxUTF8Octets == nil
            && rules.allOf.isEmpty && rules.anyOf.isEmpty && rules.oneOf.isEmpty
    }
}

/// Types of JSON values, as `type` names them.
struct JSONTypes: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    static let null = JSONTypes(rawValue: 1)
    static let boolean = JSONTypes(rawValue: 2)
    static let integer = JSONTypes(rawValue: 4)
    static let number = JSONTypes(rawValue: 8)
    static let string = JSONTypes(rawValue: 16)
    static let array = JSONTypes(rawValue: 32)
    static let object = JSONTypes(rawValue: 64)

    static let all: JSONTypes = [.null, .boolean, .integer, .number, .string, .array, .object]

    private static let names: [(name: String, type: JSONTypes)] = [
        ("string", .string), ("integer", .integer), ("number", .number), ("boolean", .boolean),
        ("array", .array), ("object", .object), ("null", .null),
    ]

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The type that a word of JSON Schema names.
    init?(word: String) {
        guard let known = Self.names.first(where: { $0.name == word }) else { return nil }
        self = known.type
    }

    /// The types that a value has: an integral number is an integer, too.
    init(of value: JSONValue) {
        self =
            switch value {
            case .null: .null
            case .bool: .boolean
            case .number(let number): number.isIntegral ? [.integer, .number] : .number
            case .string: .string
            case .array: .array
            case .object: .object
            }
    }

    /// The words for these types, those that other words cover left out.
    var words: [String] {
        Self.names.filter { contains($0.type) && !($0.type == .integer && contains(.number)) }
            .map(\.name)
    }
}

/// The value of `minimum` or `maximum`.
struct NumericBound: Sendable {
    /// The bound, where it is an integer.
    let exact: Int?
    private let approximate: Double
    /// As it stands in the contract.
    let text: String

    init(_ number: JSONNumber) {
        exact = number.int
        approximate = number.double
        text = number.text
    }

    func isGreater(than number: JSONNumber) -> Bool {
        if let exact, let value = number.int { return exact > value }
        return approximate > number.double
    }

    func isLess(than number: JSONNumber) -> Bool {
        if let exact, let value = number.int { return exact < value }
        return approximate < number.double
    }
}
