import HTTPMessage
import JSON
import Suggestions

/// Holds a request against its operation: parameters, then rules between them, then content.
struct RequestValidator {
    let schemas: SchemaSet

    func validate(
        _ request: HTTPRequest,
        operation: Operation,
        match: PathMatch
    ) -> ValidatedRequest {
        var result = ValidatedRequest(operation: operation)
        readPath(match, into: &result)
        if let query = request.target.query { readQuery(query, into: &result) }
        if operation.hasHeaderParameters { readFields(request.fields, into: &result) }
        let missing = operation.requiredMask & ~result.sent
        if missing != 0 { reportMissing(missing, in: &result) }
        for order in operation.dateOrders { checkOrder(order, in: &result) }
        if operation.refusesUnknownParameters { reportUnknown(in: &result) }
        if let body = operation.requestBody { readContent(of: request, body, into: &result) }
        return result
    }

    private var decoder: ParameterDecoder { ParameterDecoder(schemas: schemas) }

    // MARK: - Path

    private func readPath(_ match: PathMatch, into result: inout ValidatedRequest) {
        precondition(match.count == result.operation.pathParameterCount)
        for position in 0..<match.count {
            let parameter = result.operation.parameters[position]
            result.sent |= 1 << UInt64(position)
            guard let text = match.value(at: position) else {
                report(parameter, "percent-encoding", Wording.encoding(parameter), in: &result)
                continue
            }
            result.values[position] = decoder.value(
                of: text,
                for: parameter,
                violations: &result.violations
            )
        }
    }

    // MARK: - Query

    private func readQuery(_ query: [UInt8], into result: inout ValidatedRequest) {
        let operation = result.operation
        var repeated: UInt64 = 0
        for (name, value) in QueryPairs(query) {
            guard let position = position(of: name, in: operation) else {
                noteUnknown(name, value, in: &result)
                continue
            }
            let parameter = operation.parameters[position]
            let bit: UInt64 = 1 << UInt64(position)
            if result.sent & bit != 0, !parameter.isArray {
                // Which of the values was meant cannot be known.
                if repeated & bit == 0 {
                    repeated |= bit
                    result.values[position] = .absent
                    report(parameter, "repetition", Wording.repetition(parameter), in: &result)
                }
                continue
            }
            let isFirst = result.sent & bit == 0
            result.sent |= bit
            // Refused in any case, and nobody reads more.
            if result.violations.count >= SchemaValidator.maximumViolations { continue }
            guard let text = EncodedText.decode(value, plusIsSpace: true) else {
                result.values[position] = .absent
                report(parameter, "percent-encoding", Wording.encoding(parameter), in: &result)
                continue
            }
            let decoded = decoder.value(
                of: text,
                for: parameter,
                violations: &result.violations
            )
            if parameter.isArray {
                append(decoded, isFirst: isFirst, at: position, in: &result)
            } else {
                result.values[position] = decoded
            }
        }
    }

    /// The position of the query parameter with this encoded name.
    private func position(of name: ArraySlice<UInt8>, in operation: Operation) -> Int? {
        if name.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) {
            guard let decoded = PercentCoding.decode(name, plusIsSpace: true) else { return nil }
            return plainPosition(of: decoded[...], in: operation)
        }
        return plainPosition(of: name, in: operation)
    }

    private func plainPosition(of name: ArraySlice<UInt8>, in operation: Operation) -> Int? {
        for position in operation.pathParameterCount..<operation.parameters.count {
            let parameter = operation.parameters[position]
            if parameter.location == .query, EncodedText.areEqual(name, parameter.nameOctets) {
                return position
            }
        }
        return nil
    }

    private func append(
        _ element: ParameterValue,
        isFirst: Bool,
        at position: Int,
        in result: inout ValidatedRequest
    ) {
        guard element != .absent else { return }
        if !isFirst, case .array(var elements) = result.values[position] {
            // Let go of before it grows, or each time all of it would be copied.
            result.values[position] = .absent
            elements.append(element)
            result.values[position] = .array(elements)
        } else {
            result.values[position] = .array([element])
        }
    }

    private static let maximumUnknownNames = 64

    private func noteUnknown(
        _ name: ArraySlice<UInt8>,
        _ value: ArraySlice<UInt8>,
        in result: inout ValidatedRequest
    ) {
        // Each name is compared with those before it: a query full of names must stay cheap.
        guard result.unknownParameters.count < Self.maximumUnknownNames else { return }
        let text =
            EncodedText.decode(name, plusIsSpace: true) ?? String(decoding: name, as: UTF8.self)
        if result.unknownParameters.contains(where: { $0.name == text }) { return }
        result.unknownParameters.append(
            ValidatedRequest.UnknownParameter(name: text, encodedValue: value)
        )
    }

    // MARK: - Fields

    private func readFields(_ fields: Fields, into result: inout ValidatedRequest) {
        let parameters = result.operation.parameters
        for position in result.operation.pathParameterCount..<parameters.count
        where parameters[position].location == .header {
            let parameter = parameters[position]
            guard let first = fields.index(of: parameter.nameOctets, from: 0) else { continue }
            result.sent |= 1 << UInt64(position)
            let second = fields.index(of: parameter.nameOctets, from: first + 1)
            if parameter.acceptsAnything {
                result.values[position] = .string(
                    combinedValue(of: parameter, in: fields, first: first, second: second)
                )
                continue
            }
            if second != nil {
                result.values[position] = .absent
                report(parameter, "repetition", Wording.repetition(parameter), in: &result)
                continue
            }
            guard let text = EncodedText.validated(fields.value(at: first)) else {
                result.values[position] = .absent
                report(parameter, "percent-encoding", Wording.encoding(parameter), in: &result)
                continue
            }
            result.values[position] = decoder.value(
                of: text,
                for: parameter,
                violations: &result.violations
            )
        }
    }

    /// The value of a field that refuses nothing: repaired where it is not UTF-8, its lines joined
    /// as RFC 9110 §5.3 has it.
    private func combinedValue(
        of parameter: Parameter,
        in fields: Fields,
        first: Int,
        second: Int?
    ) -> String {
        var text = String(decoding: fields.value(at: first), as: UTF8.self)
        var next = second
        while let index = next {
            text += ", " + String(decoding: fields.value(at: index), as: UTF8.self)
            next = fields.index(of: parameter.nameOctets, from: index + 1)
        }
        return text
    }

    // MARK: - Between parameters

    private func reportMissing(_ missing: UInt64, in result: inout ValidatedRequest) {
        for (position, parameter) in result.operation.parameters.enumerated()
        where missing & (1 << UInt64(position)) != 0 {
            report(
                parameter,
                "required",
                Wording.missingParameter(parameter),
                expected: .bool(true),
                isStated: true,
                in: &result
            )
        }
    }

    private func reportUnknown(in result: inout ValidatedRequest) {
        let operation = result.operation
        let known = operation.parameters.filter { $0.location == .query }.map(\.name)
        for name in result.unknownQueryNames.prefix(room(in: result)) {
            let suggestion = EditDistance.nearest(to: name, among: known)
            result.violations.append(
                Violation(
                    location: .query,
                    name: Wording.cut(name),
                    keyword: "x-refuse-unknown-parameters",
                    message: Wording.unknownParameter(suggestion: suggestion, known: known),
                    expected: .bool(true),
                    suggestion: suggestion,
                    contractPointer: DocumentLocation.root.appending("x-refuse-unknown-parameters")
                        .pointer
                )
            )
        }
    }

    private func checkOrder(
        _ order: (first: Int, second: Int),
        in result: inout ValidatedRequest
    ) {
        // Valid dates compare as their texts do.
        guard case .string(let first) = result.values[order.first],
            case .string(let second) = result.values[order.second], first > second
        else { return }
        let parameter = result.operation.parameters[order.first]
        let limit = result.operation.parameters[order.second]
        report(
            parameter,
            "x-not-after",
            Wording.order(parameter, limit, first, second),
            expected: .string(limit.name),
            safeValue: first,
            isStated: true,
            in: &result
        )
    }

    /// How many violations are still told.
    private func room(in result: ValidatedRequest) -> Int {
        max(0, SchemaValidator.maximumViolations - result.violations.count)
    }

    private func report(
        _ parameter: Parameter,
        _ keyword: String,
        _ message: String,
        expected: JSONValue? = nil,
        safeValue: String? = nil,
        isStated: Bool = false,
        in result: inout ValidatedRequest
    ) {
        result.violations.append(
            Violation(
                location: parameter.location,
                name: parameter.name,
                keyword: keyword,
                message: message,
                expected: expected,
                safeValue: safeValue,
                contractPointer: isStated
                    ? parameter.pointer.appending(keyword) : parameter.pointer
            )
        )
    }

    // MARK: - Content

    private func readContent(
        of request: HTTPRequest,
        _ body: RequestBody,
        into result: inout ValidatedRequest
    ) {
        let contractPointer = result.operation.documentLocation.appending("requestBody")
        // Where there is no content, its type says nothing (RFC 9110 §8.3).
        if request.content.isEmpty, body.contents.contains(where: { $0.range.isJSON }) {
            guard body.isRequired else { return }
            result.contentFault = .missing
            result.violations.append(
                Violation(
                    location: .body,
                    name: "",
                    keyword: "required",
                    message: Wording.missingContent,
                    expected: .bool(true),
                    contractPointer: contractPointer.appending("required").pointer
                )
            )
            return
        }
        let sent = request.fields.index(of: Self.contentType, from: 0)
        if sent == nil, request.content.isEmpty, !body.isRequired { return }
        guard let content = content(of: body, sent: sent, in: request.fields) else {
            result.contentFault = .unsupportedMediaType(supported: body.contents.map(\.range))
            return
        }
        result.contentRange = content.range
        guard content.range.isJSON else { return }
        do throws(JSONError) {
            let value = try JSONParser.parse(request.content)
            result.body = value
            guard let schema = content.schemaIndex else { return }
            var validator = SchemaValidator(schemas: schemas, location: .body)
            validator.check(value, against: schema)
            result.violations += validator.violations.prefix(room(in: result))
        } catch {
            result.contentFault = .malformedJSON(error)
            result.violations.append(
                Violation(
                    location: .body,
                    name: error.pointer.description,
                    keyword: "json",
                    message: error.explanation,
                    contractPointer: contractPointer.pointer
                )
            )
        }
    }

    private static let contentType = Array("content-type".utf8)

    /// The entry of the contract for the media type that was sent.
    private func content(of body: RequestBody, sent: Int?, in fields: Fields) -> MediaContent? {
        if let wildcard = body.contents.first(where: { $0.range.isWildcard }) { return wildcard }
        guard let sent, fields.index(of: Self.contentType, from: sent + 1) == nil else {
            return nil
        }
        let value = fields.value(at: sent)
        if let usual = body.contents.first(where: { value.elementsEqual($0.usualSpelling) }) {
            return usual
        }
        guard let type = MediaType(value) else { return nil }
        return body.contents.first { $0.range.contains(MediaRange(of: type)) }
    }
}

extension Fields {
    /// The position of the next line with this name; `name` must be in lower case.
    fileprivate func index(of name: [UInt8], from start: Int) -> Int? {
        octets.withUnsafeBufferPointer { octets in
            name.withUnsafeBufferPointer { name in
                for index in start..<lines.count {
                    let offset = Int(lines[index].nameStart)
                    guard Int(lines[index].nameEnd) - offset == name.count else { continue }
                    var position = 0
                    while position < name.count,
                        Fields.lowercased(octets[offset + position]) == name[position]
                    {
                        position += 1
                    }
                    if position == name.count { return index }
                }
                return nil
            }
        }
    }
}
