import HTTPMessage
import JSON

/// Holds a response against the contract.
struct ResponseValidator {
    let schemas: SchemaSet

    /// Everything wrong with a response.
    ///
    /// - Parameters:
    ///   - method: Of the request; the answer to HEAD has no content to check.
    ///   - rules: The `responses` that may be answered.
    ///   - location: Of these `responses` in the document.
    func violations(
        of response: HTTPResponse,
        to method: HTTPMethod,
        rules: [ResponseRule],
        at location: DocumentLocation
    ) -> [Violation] {
        guard let rule = Self.rule(for: response.status, among: rules) else {
            return [
                Violation(
                    location: .status,
                    name: "status",
                    keyword: "status",
                    message: "The status \(response.status) is not documented here.",
                    safeValue: String(response.status),
                    contractPointer: location.pointer
                )
            ]
        }
        var violations = checkHeaders(of: response, against: rule)
        violations += checkContent(of: response, to: method, against: rule)
        return violations
    }

    static func rule(for status: Int, among rules: [ResponseRule]) -> ResponseRule? {
        rules.first { $0.statuses == .exactly(status) }
            ?? rules.first { $0.statuses == .hundred(status / 100) }
            ?? rules.first { $0.statuses == .others }
    }

    private func checkHeaders(
        of response: HTTPResponse,
        against rule: ResponseRule
    ) -> [Violation] {
        var violations: [Violation] = []
        for header in rule.headers {
            guard let text = response.field(header.name) else {
                if header.isRequired {
                    violations.append(
                        Violation(
                            location: .header,
                            name: header.name,
                            keyword: "required",
                            message: "The header \(header.name) is missing.",
                            expected: .bool(true),
                            contractPointer: header.documentLocation.pointer
                        )
                    )
                }
                continue
            }
            violations += checkHeader(header, text)
        }
        return violations
    }

    /// Tries the text of a header as each type that its schema allows.
    private func checkHeader(_ header: ResponseRule.Header, _ text: String) -> [Violation] {
        let types = schemas.types(header.schemaIndex)
        var candidates: [JSONValue] = []
        if !types.isDisjoint(with: [.integer, .number]), case .value(let value) = IntegerText(text)
        {
            candidates.append(.integer(value))
        }
        if types.contains(.boolean), text == "true" || text == "false" {
            candidates.append(.bool(text == "true"))
        }
        candidates.append(.string(text))
        // Where none fits, the first says best what is wrong.
        var first: [Violation]?
        for candidate in candidates {
            var validator = SchemaValidator(
                schemas: schemas,
                location: .header,
                parameterName: header.name
            )
            validator.check(candidate, against: header.schemaIndex)
            if validator.violations.isEmpty { return [] }
            first = first ?? validator.violations
        }
        return first ?? []
    }

    private func checkContent(
        of response: HTTPResponse,
        to method: HTTPMethod,
        against rule: ResponseRule
    ) -> [Violation] {
        func violation(_ name: String, _ message: String) -> Violation {
            Violation(
                location: name.isEmpty ? .body : .header,
                name: name,
                keyword: "content",
                message: message,
                contractPointer: rule.documentLocation.appending("content").pointer
            )
        }
        if method == .head, !response.content.isEmpty {
            return [violation("", "The answer to HEAD has content.")]
        }
        if rule.contents.isEmpty {
            return response.content.isEmpty
                ? [] : [violation("", "There is content where none is documented.")]
        }
        let sent = response.field("Content-Type")
        let content: MediaContent
        if let type = sent.flatMap({ MediaRange($0) }),
            let known = rule.contents.first(where: { $0.range.contains(type) })
        {
            content = known
        } else if sent == nil, let any = rule.contents.first(where: { $0.range.isWildcard }) {
            content = any
        } else {
            let documented = rule.contents.map(\.range.description).joined(separator: ", ")
            return [violation("Content-Type", "The documented content types are: \(documented).")]
        }
        guard method != .head, content.range.isJSON, let schema = content.schemaIndex else {
            return []
        }
        do throws(JSONError) {
            let value = try JSONParser.parse(response.content)
            var validator = SchemaValidator(schemas: schemas, location: .body)
            validator.check(value, against: schema)
            var undocumented = UndocumentedMembers(schemas: schemas)
            undocumented.look(at: value, against: schema)
            return validator.violations + undocumented.violations
        } catch {
            return [
                Violation(
                    location: .body,
                    name: error.pointer.description,
                    keyword: "json",
                    message: error.explanation,
                    contractPointer: rule.documentLocation.appending("content").pointer
                )
            ]
        }
    }
}
