import JSON

/// Turns the text of one parameter into a value, and collects what is wrong with it.
struct ParameterDecoder {
    let schemas: SchemaSet

    /// Decodes and checks one value of a parameter (of an array: one element).
    ///
    /// - Returns: `.absent` where the text is refused; why has been appended to `violations`.
    func value(
        of text: String,
        for parameter: Parameter,
        violations: inout [Violation]
    ) -> ParameterValue {
        switch parameter.kind {
        case .string:
            if parameter.acceptsAnything { return .string(text) }
            return check(.string(text), parameter, &violations) ? .string(text) : .absent
        case .integer: return integer(text, parameter, &violations)
        case .number:
            guard let value = try? JSONParser.parse(text.utf8, maximumDepth: 0),
                case .number(let number) = value, number.text.utf8.count == text.utf8.count
            else {
                reportNumber(text, parameter, &violations)
                return .absent
            }
            return check(value, parameter, &violations) ? .number(number.double) : .absent
        case .boolean:
            guard text == "true" || text == "false" else {
                report(
                    parameter,
                    "type",
                    Wording.boolean(sent: text),
                    safeValue: Wording.quotable(text),
                    &violations
                )
                return .absent
            }
            let value = text == "true"
            return check(.bool(value), parameter, &violations) ? .boolean(value) : .absent
        }
    }

    private func integer(
        _ text: String,
        _ parameter: Parameter,
        _ violations: inout [Violation]
    ) -> ParameterValue {
        var value: Int
        switch IntegerText(text) {
        case .value(let exact): value = exact
        case .tooLarge(let isNegative):
            guard parameter.clamp != nil else {
                reportNumber(text, parameter, &violations)
                return .absent
            }
            value = isNegative ? .min : .max
        case .malformed:
            reportNumber(text, parameter, &violations)
            return .absent
        }
        if let clamp = parameter.clamp {
            value = min(max(value, clamp.lowerBound), clamp.upperBound)
        }
        if parameter.acceptedIntegers?.contains(value) == true { return .integer(value) }
        return check(.integer(value), parameter, &violations) ? .integer(value) : .absent
    }

    private func check(
        _ value: JSONValue,
        _ parameter: Parameter,
        _ violations: inout [Violation]
    ) -> Bool {
        if parameter.acceptsAnything { return true }
        var validator = SchemaValidator(
            schemas: schemas,
            location: parameter.location,
            parameterName: parameter.name
        )
        validator.check(value, against: parameter.schemaIndex)
        violations += validator.violations
        return validator.violations.isEmpty
    }

    private func reportNumber(
        _ text: String,
        _ parameter: Parameter,
        _ violations: inout [Violation]
    ) {
        let node = schemas.resolved(parameter.schemaIndex)
        report(
            parameter,
            "type",
            Wording.number(node.rules, sent: text),
            safeValue: Wording.quotable(text),
            &violations
        )
    }

    private func report(
        _ parameter: Parameter,
        _ keyword: String,
        _ message: String,
        safeValue: String?,
        _ violations: inout [Violation]
    ) {
        let node = schemas.resolved(parameter.schemaIndex)
        violations.append(
            Violation(
                location: parameter.location,
                name: parameter.name,
                keyword: keyword,
                message: message,
                expected: node.source[keyword],
                safeValue: safeValue,
                contractPointer: node.location.appending(keyword).pointer
            )
        )
    }
}
