package import JSON

/// A parameter of an operation, as the contract describes it.
package final class Parameter: Sendable {
    /// How the text of the parameter is read.
    package enum Kind: Hashable, Sendable {
        case string, integer, number, boolean
    }

    /// As the contract spells it; field names are compared without case.
    package let name: String
    /// `.path`, `.query` or `.header`.
    package let location: Violation.Location
    package let isRequired: Bool
    /// The type of the value, or of each element of an array.
    package let kind: Kind
    /// Whether the parameter may be repeated (`style: form`, `explode: true`).
    package let isArray: Bool
    /// Whether only listed values are valid.
    package let isEnumerated: Bool
    /// The value that stands in for an absent parameter; `.absent` where there is none.
    package let defaultValue: ParameterValue
    /// `x-clamp`: integers outside are moved to the nearer end instead of being refused.
    package let clamp: ClosedRange<Int>?
    /// `x-not-after`: the name of the date parameter that this one must not follow.
    package let notAfter: String?
    /// The `example` of the parameter or of its schema.
    package let example: JSONValue?
    /// Where in the contract document it stands.
    package var pointer: JSONPointer { documentLocation.pointer }

    /// The octets of the name, in lower case for fields.
    let nameOctets: [UInt8]
    /// The octets of the name, as the contract spells it.
    private let spelling: [UInt8]
    let schemaIndex: Int
    /// The valid integers, where the schema asks for nothing else: a shortcut.
    let acceptedIntegers: ClosedRange<Int>?
    /// Whether every decoded text is valid, so that there is nothing to check.
    let acceptsAnything: Bool
    let documentLocation: DocumentLocation

    init(
        name: String,
        location: Violation.Location,
        isRequired: Bool,
        kind: Kind,
        isArray: Bool,
        isEnumerated: Bool,
        defaultValue: ParameterValue,
        clamp: ClosedRange<Int>?,
        notAfter: String?,
        example: JSONValue?,
        schemaIndex: Int,
        acceptedIntegers: ClosedRange<Int>?,
        acceptsAnything: Bool,
        documentLocation: DocumentLocation
    ) {
        self.name = name
        self.location = location
        self.isRequired = isRequired
        self.kind = kind
        self.isArray = isArray
        self.isEnumerated = isEnumerated
        self.defaultValue = defaultValue
        self.clamp = clamp
        self.notAfter = notAfter
        self.example = example
        spelling = Array(name.utf8)
        nameOctets = location == .header ? Array(name.lowercased().utf8) : Array(name.utf8)
        self.schemaIndex = schemaIndex
        self.acceptedIntegers = acceptedIntegers
        self.acceptsAnything = acceptsAnything
        self.documentLocation = documentLocation
    }

    /// Whether this is the name, compared octet by octet.
    func isNamed(_ name: StaticString) -> Bool {
        guard spelling.count == name.utf8CodeUnitCount else { return false }
        return spelling.withUnsafeBufferPointer { spelling in
            for index in 0..<spelling.count where spelling[index] != name.utf8Start[index] {
                return false
            }
            return true
        }
    }
}

/// A decoded and valid parameter.
package enum ParameterValue: Hashable, Sendable {
    /// Not sent and without a default, or refused.
    case absent
    case string(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case array([ParameterValue])
}
