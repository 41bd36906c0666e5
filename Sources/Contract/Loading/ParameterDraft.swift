import JSON

/// A parameter that is read but waits for its compiled schema.
struct ParameterDraft {
    let name: String
    let location: Violation.Location
    let documentLocation: DocumentLocation
    private let object: ContractObject
    private let schemaIndex: Int

    /// Reads a parameter object.
    init(
        _ value: JSONValue,
        at place: DocumentLocation,
        schemas: inout SchemaCompiler
    ) throws(ContractError) {
        object = try ContractObject(value, at: place)
        try object.refuseOthers([
            "name", "in", "description", "required", "deprecated", "style", "explode", "schema",
            "example", "examples",
        ])
        documentLocation = place
        guard let name = try object.string("name"), !name.isEmpty else {
            throw ContractError(.missingMember("name"), at: place.pointer)
        }
        self.name = name
        location = try Self.location(of: object)
        schemaIndex = try schemas.compile(
            try object.required("schema"),
            at: place.appending("schema")
        )
    }

    private static func location(of object: ContractObject) throws(ContractError)
        -> Violation.Location
    {
        let style = try object.string("style")
        let explode = try object.bool("explode")
        switch try object.string("in") {
        case "query":
            if let style, style != "form" { throw object.fault("style", "form") }
            if explode == false { throw object.fault("explode", "true") }
            return .query
        case "path":
            if let style, style != "simple" { throw object.fault("style", "simple") }
            guard try object.bool("required") == true else {
                throw object.fault("required", "true")
            }
            return .path
        case "header":
            if let style, style != "simple" { throw object.fault("style", "simple") }
            // OpenAPI gives these names to other members, so that a description here would be
            // ignored.
            let name = try object.string("name")?.lowercased() ?? ""
            if ["accept", "content-type", "authorization"].contains(name) {
                throw object.fault("name", "another header field")
            }
            return .header
        default: throw object.fault("in", "query, path or header")
        }
    }

    /// The parameter, once every schema is compiled.
    func finish(set: SchemaSet) throws(ContractError) -> Parameter {
        let node = set.resolved(schemaIndex)
        let types = set.types(schemaIndex)
        let isArray = types == .array
        guard !isArray || location == .query else {
            throw object.fault("schema", "no array, outside a query")
        }
        let kind: Parameter.Kind
        if isArray {
            guard let items = node.rules.items, let element = Self.kind(of: set.types(items)) else {
                throw object.fault("schema", "an array of strings, numbers or booleans")
            }
            kind = element
        } else {
            guard let scalar = Self.kind(of: types) else {
                throw object.fault("schema", "exactly one type, not an object")
            }
            kind = scalar
        }
        // Arrays are checked element by element.
        let valueIndex = isArray ? node.rules.items ?? schemaIndex : schemaIndex
        let value = set.resolved(valueIndex)
        if isArray, node.rules.minItems > 0 || node.rules.maxItems != nil {
            throw object.fault("schema", "no minItems or maxItems")
        }
        let clamp = try clamp(value.source)
        if clamp != nil, kind != .integer { throw object.fault("x-clamp", "an integer parameter") }
        return Parameter(
            name: name,
            location: location,
            isRequired: try object.bool("required") ?? false,
            kind: kind,
            isArray: isArray,
            isEnumerated: value.rules.enumeration != nil || value.rules.constant != nil,
            defaultValue: try defaultValue(node.source["default"], schema: schemaIndex, set: set),
            clamp: clamp,
            notAfter: object["x-not-after"]?.string ?? value.source["x-not-after"]?.string,
            example: object["example"] ?? node.source["example"],
            schemaIndex: valueIndex,
            acceptedIntegers: kind == .integer ? value.acceptedIntegers : nil,
            acceptsAnything: kind == .string && value.acceptsEveryString,
            documentLocation: documentLocation
        )
    }

    private static func kind(of types: JSONTypes) -> Parameter.Kind? {
        switch types {
        case .string: .string
        case .integer: .integer
        case [.integer, .number]: .number
        case .boolean: .boolean
        default: nil
        }
    }

    private func clamp(_ schema: JSONObject) throws(ContractError) -> ClosedRange<Int>? {
        guard let clamp = object["x-clamp"] ?? schema["x-clamp"] else { return nil }
        let least = clamp["minimum"]?.int ?? .min
        let most = clamp["maximum"]?.int ?? .max
        guard clamp.object?.isEmpty == false, least <= most else {
            throw object.fault("x-clamp", "a minimum and a maximum")
        }
        return least...most
    }

    private func defaultValue(
        _ value: JSONValue?,
        schema: Int,
        set: SchemaSet
    ) throws(ContractError) -> ParameterValue {
        guard let value else { return .absent }
        var validator = SchemaValidator(schemas: set, location: location, parameterName: name)
        validator.check(value, against: schema)
        guard validator.violations.isEmpty, let value = Self.value(of: value) else {
            throw object.fault("schema", "a default that is valid")
        }
        return value
    }

    private static func value(of value: JSONValue) -> ParameterValue? {
        switch value {
        case .string(let text): .string(text)
        case .bool(let value): .boolean(value)
        case .number(let number):
            number.int.map(ParameterValue.integer) ?? .number(number.double)
        case .array(let elements): .array(elements.compactMap(Self.value))
        case .null, .object: nil
        }
    }
}
