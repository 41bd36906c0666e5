import JSON
import Suggestions

/// Holds values against schemas and collects every violation, in the order of the value's text.
struct SchemaValidator {
    private enum Step {
        case member(String)
        case element(Int)
    }

    /// A long text with the same slip everywhere must not cost memory and time without end, and
    /// nobody reads more: from the hundredth on nothing is looked at.
    static let maximumViolations = 100

    let schemas: SchemaSet
    let location: Violation.Location
    /// The name of the parameter that is checked; `nil` where violations are named by JSON
    /// pointers.
    let parameterName: String?
    private(set) var violations: [Violation] = []
    /// How many values were held against a schema, a value counted for each of them.
    private(set) var valuesChecked = 0
    private var steps: [Step] = []

    init(schemas: SchemaSet, location: Violation.Location, parameterName: String? = nil) {
        self.schemas = schemas
        self.location = location
        self.parameterName = parameterName
    }

    /// Checks a value; what is wrong is appended to `violations`.
    mutating func check(_ value: JSONValue, against index: Int) {
        if isFull { return }
        valuesChecked += 1
        let node = schemas[index]
        if let reference = node.rules.reference { check(value, against: reference) }
        if let types = node.rules.types, types.isDisjoint(with: JSONTypes(of: value)) {
            report(node, "type", Wording.type(types, of: value, at: location))
            return
        }
        checkValue(value, of: node)
        switch value {
        case .string(let text): checkString(text, of: node)
        case .number(let number): checkNumber(number, of: node)
        case .array(let elements): checkArray(elements, of: node)
        case .object(let object): checkObject(object, of: node)
        case .null, .bool: break
        }
        for branch in node.rules.allOf { check(value, against: branch) }
        if !node.rules.anyOf.isEmpty { checkAlternatives(value, of: node, exactlyOne: false) }
        if !node.rules.oneOf.isEmpty { checkAlternatives(value, of: node, exactlyOne: true) }
    }

    /// Whether as much is wrong as is told.
    private var isFull: Bool { violations.count >= Self.maximumViolations }

    // MARK: - Reporting

    private mutating func report(
        _ node: SchemaNode,
        _ keyword: String,
        _ message: String,
        safeValue: String? = nil,
        suggestion: String? = nil
    ) {
        if isFull { return }
        violations.append(
            Violation(
                location: location,
                name: parameterName ?? currentPointer.description,
                keyword: keyword,
                message: message,
                expected: node.source[keyword],
                safeValue: safeValue,
                suggestion: suggestion,
                contractPointer: node.location.appending(keyword).pointer
            )
        )
    }

    private var currentPointer: JSONPointer {
        JSONPointer(
            steps.map { step in
                switch step {
                // A name of a million octets would stand in every violation below it.
                case .member(let name): JSONPointer.shownToken(name)
                case .element(let index): String(index)
                }
            }
        )
    }

    // MARK: - Keywords

    private mutating func checkValue(_ value: JSONValue, of node: SchemaNode) {
        if let values = node.rules.enumeration,
            !values.contains(where: { JSONEquality.areEqual($0, value) })
        {
            let wording = Wording.enumeration(values, sent: value, at: location)
            report(
                node,
                "enum",
                wording.message,
                safeValue: wording.safeValue,
                suggestion: wording.suggestion
            )
        }
        if let constant = node.rules.constant, !JSONEquality.areEqual(constant, value) {
            let wording = Wording.enumeration([constant], sent: value, at: location)
            report(
                node,
                "const",
                wording.message,
                safeValue: wording.safeValue,
                suggestion: wording.suggestion
            )
        }
    }

    private mutating func checkString(_ text: String, of node: SchemaNode) {
        if node.rules.minLength > 0 || node.rules.maxLength != nil {
            let octets = text.utf8.count
            // Every scalar takes one to four octets: the count itself is seldom needed.
            if octets > node.rules.maxLength ?? .max || octets < 4 * node.rules.minLength {
                let count = text.unicodeScalars.count
                let keyword =
                    count < node.rules.minLength
                    ? "minLength" : count > node.rules.maxLength ?? .max ? "maxLength" : nil
                if let keyword {
                    report(node, keyword, Wording.length(node.rules, count: count))
                    return
                }
            }
        }
        if let maximum = node.rules.maxUTF8Octets, text.utf8.count > maximum {
            report(
                node,
                "x-max-utf8-octets",
                Wording.octets(maximum: maximum, count: text.utf8.count)
            )
        }
        if let pattern = node.rules.pattern, !pattern.matches(text) {
            let hint = node.source["x-pattern-hint"]?.string
            report(node, "pattern", hint ?? Wording.pattern(pattern))
        }
        if let format = node.rules.format, !format.accepts(text) {
            let wording = Wording.format(format, sent: text)
            report(node, "format", wording.message, safeValue: wording.safeValue)
        }
    }

    private mutating func checkNumber(_ number: JSONNumber, of node: SchemaNode) {
        let isBelow = node.rules.minimum?.isGreater(than: number) ?? false
        let isAbove = node.rules.maximum?.isLess(than: number) ?? false
        if isBelow || isAbove {
            report(
                node,
                isBelow ? "minimum" : "maximum",
                Wording.range(node.rules, sent: number.text),
                safeValue: Wording.cut(number.text)
            )
            return
        }
        if let range = node.rules.format?.integers, number.isIntegral,
            !(number.int.map(range.contains) ?? false)
        {
            report(
                node,
                "format",
                Wording.range(node.rules, sent: number.text),
                safeValue: Wording.cut(number.text)
            )
        }
    }

    private mutating func checkArray(_ elements: [JSONValue], of node: SchemaNode) {
        if elements.count < node.rules.minItems || elements.count > node.rules.maxItems ?? .max {
            report(
                node,
                elements.count < node.rules.minItems ? "minItems" : "maxItems",
                Wording.items(node.rules, count: elements.count)
            )
        }
        guard let schema = node.rules.items else { return }
        // An array that is too long is refused as such: what is too much is not looked at.
        for (position, element) in elements.prefix(node.rules.maxItems ?? .max).enumerated() {
            if isFull { return }
            steps.append(.element(position))
            check(element, against: schema)
            steps.removeLast()
        }
    }

    private mutating func checkObject(_ object: JSONObject, of node: SchemaNode) {
        let count = object.members.count
        if count < node.rules.minProperties || count > node.rules.maxProperties ?? .max {
            report(
                node,
                count < node.rules.minProperties ? "minProperties" : "maxProperties",
                Wording.members(node.rules, count: count)
            )
        }
        for name in node.rules.required where !isFull && object[name] == nil {
            steps.append(.member(name))
            report(node, "required", Wording.missingMember)
            steps.removeLast()
        }
        for member in object.members.prefix(node.rules.maxProperties ?? .max) {
            if isFull { return }
            if let schema = node.property(member.name) {
                steps.append(.member(member.name))
                check(member.value, against: schema)
                steps.removeLast()
                continue
            }
            switch node.rules.additional {
            case .allowed: break
            case .schema(let schema):
                steps.append(.member(member.name))
                check(member.value, against: schema)
                steps.removeLast()
            case .refused(let keyword):
                if node.rules.evaluatedElsewhere.contains(member.name) { break }
                let names =
                    node.rules.properties.map(\.name) + node.rules.evaluatedElsewhere.sorted()
                let absent = names.filter { object[$0] == nil }
                let suggestion = EditDistance.nearest(to: member.name, among: absent)
                steps.append(.member(member.name))
                report(
                    node,
                    keyword,
                    Wording.unknownMember(
                        suggestion: suggestion,
                        known: names,
                        hint: node.source["x-members-hint"]?.string
                    ),
                    suggestion: suggestion
                )
                steps.removeLast()
            }
        }
    }

    /// Checks `anyOf` or `oneOf`, and says what is wrong with the branch that was probably meant.
    private mutating func checkAlternatives(
        _ value: JSONValue,
        of node: SchemaNode,
        exactlyOne: Bool
    ) {
        let keyword = exactlyOne ? "oneOf" : "anyOf"
        let branches = exactlyOne ? node.rules.oneOf : node.rules.anyOf
        let types = JSONTypes(of: value)
        var valid = 0
        var best: [Violation]?
        for branch in branches {
            if schemas.types(branch).isDisjoint(with: types) { continue }
            var attempt = SchemaValidator(
                schemas: schemas,
                location: location,
                parameterName: parameterName
            )
            attempt.steps = steps
            attempt.check(value, against: branch)
            valuesChecked += attempt.valuesChecked
            if attempt.violations.isEmpty {
                valid += 1
                if !exactlyOne { return }
            } else if best.map({ attempt.violations.count < $0.count }) ?? true {
                best = attempt.violations
            }
        }
        switch valid {
        case 1: break
        case 0:
            if let best {
                violations += best.prefix(Self.maximumViolations - violations.count)
            } else {
                let allowed = branches.reduce(into: JSONTypes()) { $0.formUnion(schemas.types($1)) }
                report(node, keyword, Wording.type(allowed, of: value, at: location))
            }
        default: report(node, keyword, Wording.ambiguous)
        }
    }
}
