import HTTPMessage
import JSON

/// Compiles the schemas of a document into nodes, and refuses what it could not enforce.
struct SchemaCompiler {
    /// The keywords that ask something of a value, and the annotations that do not.
    private enum Keyword: String, CaseIterable {
        case reference = "$ref"
        case type, `enum`, const, format, pattern
        case minLength, maxLength
        case maxUTF8Octets = "x-max-utf8-octets"
        case minimum, maximum
        case items, minItems, maxItems
        case properties, required, additionalProperties, unevaluatedProperties
        case minProperties, maxProperties
        case allOf, anyOf, oneOf
        case title, description, `default`, example, examples, deprecated, readOnly
        case comment = "$comment"

        /// By name: to compare with all in turn takes ten times as long.
        static let known = Dictionary(
            uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) }
        )
    }

    /// Schemas with more members than this get a dictionary.
    private static let linearSearchMaximum = 8

    let document: JSONValue
    private var nodes: [SchemaNode?] = []
    private var indices: [String: Int] = [:]
    /// Schemas with `unevaluatedProperties: false`, finished when everything else is compiled.
    private var closed: [Int] = []

    init(document: JSONValue) { self.document = document }

    /// Compiles the schema at a place of the document, once however often it is asked for.
    mutating func compile(
        reference text: String,
        from location: DocumentLocation
    ) throws(ContractError) -> Int {
        if let known = indices[text] { return known }
        let (value, target) = try References.resolve(text, in: document, from: location)
        return try compile(value, at: target, as: text)
    }

    /// Compiles a schema that stands in place.
    mutating func compile(
        _ value: JSONValue,
        at location: DocumentLocation,
        as reference: String? = nil
    ) throws(ContractError) -> Int {
        guard let object = value.object else {
            throw ContractError(.wrongValue(expected: "a schema object"), at: location.pointer)
        }
        let index = nodes.count
        nodes.append(nil)
        // Known before its parts are, so that it may refer to itself.
        if let reference { indices[reference] = index }
        var rules = SchemaNode.Rules()
        for member in object.members {
            try apply(member, of: index, at: location, to: &rules)
        }
        if rules.properties.count > Self.linearSearchMaximum {
            for (position, property) in rules.properties.enumerated() {
                rules.propertyPositions[property.name] = position
            }
        }
        nodes[index] = SchemaNode(location: location, source: object, rules: rules)
        return index
    }

    /// The finished set; nothing more can be compiled.
    mutating func finish() throws(ContractError) -> SchemaSet {
        try refuseEndlessReferences()
        for index in closed { try close(index) }
        return SchemaSet(nodes: nodes.compactMap { $0 }, indices: indices)
    }

    private mutating func apply(
        _ member: JSONObject.Member,
        of index: Int,
        at location: DocumentLocation,
        to rules: inout SchemaNode.Rules
    ) throws(ContractError) {
        let value = member.value
        func place() -> DocumentLocation { location.appending(member.name) }
        func fault(_ expected: String) -> ContractError {
            ContractError(.wrongValue(expected: expected), at: place().pointer)
        }
        func count() throws(ContractError) -> Int {
            guard let count = value.int, count >= 0 else { throw fault("a count") }
            return count
        }
        guard let keyword = Keyword.known[member.name] else {
            if member.name.hasPrefix("x-") { return }
            throw ContractError(.unsupportedKeyword(member.name), at: place().pointer)
        }
        switch keyword {
        case .reference:
            guard let text = value.string else { throw fault("a reference") }
            rules.reference = try compile(reference: text, from: place())
        case .type: rules.types = try types(value, at: place())
        case .enum:
            guard let values = value.array, !values.isEmpty else { throw fault("values") }
            rules.enumeration = values
        case .const: rules.constant = value
        case .format:
            guard let word = value.string else { throw fault("a format") }
            guard let format = Format(rawValue: word) else {
                throw ContractError(
                    .unsupported("the format \(word) is not supported"),
                    at: place().pointer
                )
            }
            rules.format = format
        case .pattern: rules.pattern = try pattern(value, at: place())
        case .minLength: rules.minLength = try count()
        case .maxLength: rules.maxLength = try count()
        case .maxUTF8Octets: rules.maxUTF8Octets = try count()
        case .minimum, .maximum:
            guard case .number(let number) = value else { throw fault("a number") }
            if keyword == .minimum {
                rules.minimum = NumericBound(number)
            } else {
                rules.maximum = NumericBound(number)
            }
        case .items: rules.items = try compile(value, at: place())
        case .minItems: rules.minItems = try count()
        case .maxItems: rules.maxItems = try count()
        case .properties:
            guard let object = value.object else { throw fault("an object of schemas") }
            let place = place()
            for property in object.members {
                let schema = try compile(property.value, at: place.appending(property.name))
                rules.properties.append(.init(name: property.name, schema: schema))
            }
        case .required:
            guard let names = value.array?.compactMap(\.string), names.count == value.array?.count
            else { throw fault("an array of names") }
            rules.required = names
        case .minProperties: rules.minProperties = try count()
        case .maxProperties: rules.maxProperties = try count()
        case .additionalProperties:
            switch value {
            case .bool(true): rules.additional = .allowed
            case .bool(false): rules.additional = .refused(keyword: member.name)
            default: rules.additional = .schema(try compile(value, at: place()))
            }
        case .unevaluatedProperties:
            guard value == .bool(false) else { throw fault("false") }
            closed.append(index)
        case .allOf: rules.allOf = try branches(value, at: place())
        case .anyOf: rules.anyOf = try branches(value, at: place())
        case .oneOf: rules.oneOf = try branches(value, at: place())
        case .title, .description, .default, .example, .examples, .deprecated, .readOnly, .comment:
            break
        }
    }

    private func types(
        _ value: JSONValue,
        at location: DocumentLocation
    ) throws(ContractError) -> JSONTypes {
        var types: JSONTypes = []
        for word in value.array ?? [value] {
            guard let type = word.string.flatMap({ JSONTypes(word: $0) }) else {
                throw ContractError(.wrongValue(expected: "a type"), at: location.pointer)
            }
            types.insert(type)
        }
        return types
    }

    private func pattern(
        _ value: JSONValue,
        at location: DocumentLocation
    ) throws(ContractError) -> Pattern {
        guard let text = value.string else {
            throw ContractError(.wrongValue(expected: "a pattern"), at: location.pointer)
        }
        do {
            return try Pattern(text)
        } catch {
            throw ContractError(.badPattern(text, reason: error.reason), at: location.pointer)
        }
    }

    private mutating func branches(
        _ value: JSONValue,
        at location: DocumentLocation
    ) throws(ContractError) -> [Int] {
        guard let values = value.array, !values.isEmpty else {
            throw ContractError(.wrongValue(expected: "an array of schemas"), at: location.pointer)
        }
        var branches: [Int] = []
        for (position, value) in values.enumerated() {
            branches.append(try compile(value, at: location.appending(position)))
        }
        return branches
    }

    // MARK: - What needs every schema to be there

    private func node(_ index: Int) -> SchemaNode {
        guard let node = nodes[index] else { preconditionFailure("a schema is not compiled yet") }
        return node
    }

    /// The schemas that a schema applies to the same value.
    private func inPlace(_ node: SchemaNode) -> [Int] {
        let branches = node.rules.allOf + node.rules.anyOf + node.rules.oneOf
        return node.rules.reference.map { branches + [$0] } ?? branches
    }

    /// Refuses a schema that applies itself to the same value: the first of them.
    private func refuseEndlessReferences() throws(ContractError) {
        /// Those that lead nowhere back, so that no circle leads through them.
        var isSettled = [Bool](repeating: false, count: nodes.count)
        var endless: Int?
        // From the last to the first: most of what a schema includes is settled by then.
        for index in nodes.indices.reversed() {
            if isEndless(index, isSettled) { endless = index } else { isSettled[index] = true }
        }
        if let endless {
            throw ContractError(.endlessReference, at: node(endless).location.pointer)
        }
    }

    private func isEndless(_ index: Int, _ isSettled: [Bool]) -> Bool {
        var pending = inPlace(node(index))
        if pending.isEmpty { return false }
        var seen: Set<Int> = []
        while let next = pending.popLast() {
            if next == index { return true }
            if !isSettled[next], seen.insert(next).inserted { pending += inPlace(node(next)) }
        }
        return false
    }

    /// Gives a schema with `unevaluatedProperties: false` the names that it must let pass.
    private mutating func close(_ index: Int) throws(ContractError) {
        let node = node(index)
        let location = node.location.appending("unevaluatedProperties")
        var rules = node.rules
        guard case .allowed = rules.additional, rules.oneOf.isEmpty, rules.anyOf.isEmpty,
            node.source["additionalProperties"] == nil
        else {
            throw ContractError(
                .unsupported(
                    "beside additionalProperties, oneOf or anyOf this keyword is not supported"
                ),
                at: location.pointer
            )
        }
        var names: Set<String> = []
        var pending = inPlace(node)
        while let next = pending.popLast() {
            let other = self.node(next)
            guard other.rules.oneOf.isEmpty, other.rules.anyOf.isEmpty,
                other.source["additionalProperties"] == nil
            else {
                throw ContractError(
                    .unsupported("a schema it includes has additionalProperties, oneOf or anyOf"),
                    at: location.pointer
                )
            }
            names.formUnion(other.rules.properties.map(\.name))
            pending += inPlace(other)
        }
        rules.additional = .refused(keyword: "unevaluatedProperties")
        rules.evaluatedElsewhere = names
        nodes[index] = SchemaNode(location: node.location, source: node.source, rules: rules)
    }
}
