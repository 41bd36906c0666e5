import Contract
import HTTPMessage
import JSON

/// What holds for any request and the contract; the corpus and the fuzzer try it.
enum ContractInvariants {
    /// A request as text: method and target, field lines, an empty line, content.
    ///
    /// Each line ends in LF, and nothing is checked: the contract sees what no parser would pass.
    static func request(_ octets: [UInt8]) -> HTTPRequest {
        var rest = octets[...]
        func line() -> ArraySlice<UInt8> {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            let line = rest[..<end]
            rest = rest[min(end + 1, rest.endIndex)...]
            return line
        }
        let first = line().split(separator: UInt8(ascii: " "), maxSplits: 1)
        let method = first.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let target = first.count == 2 ? first[1] : []
        let mark = target.firstIndex(of: UInt8(ascii: "?"))
        var fields: [(String, String)] = []
        while !rest.isEmpty {
            let field = line()
            if field.isEmpty { break }
            let text = String(decoding: field, as: UTF8.self)
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            let value = text[colon...].dropFirst().drop { $0 == " " }
            fields.append((String(text[..<colon]), String(value)))
        }
        return HTTPRequest(
            method: HTTPMethod(method),
            target: RequestTarget(
                path: Array(target[..<(mark ?? target.endIndex)]),
                query: mark.map { Array(target[($0 + 1)...]) }
            ),
            fields: Fields(fields),
            content: Array(rest)
        )
    }

    /// A request is refused with words, or its values are those of the contract.
    ///
    /// - Returns: What was broken, or `nil`.
    static func check(_ octets: [UInt8], _ contract: OpenAPIContract) -> String? {
        let request = request(octets)
        if let fault = pairs(of: request.target.query ?? []) { return fault }
        switch contract.route(method: request.method, path: request.target.path) {
        case .notFound:
            let near = contract.nearestPaths(to: request.target.path, method: request.method)
            for suggestion in near where !suggestion.path.hasPrefix("/") {
                return "the suggestion \(suggestion.path)"
            }
            return nil
        case .methodNotAllowed(let allowed, _):
            return allowed.contains(request.method) ? "405 for a method that is allowed" : nil
        case .matched(let operation, let match):
            let valid = contract.validate(request, operation: operation, match: match)
            return fault(of: valid, for: request, operation: operation)
        }
    }

    private static func fault(
        of valid: ValidatedRequest,
        for request: HTTPRequest,
        operation: Contract.Operation
    ) -> String? {
        if valid.isValid != (valid.refusalStatus == nil) { return "valid and refused" }
        for violation in valid.violations {
            if violation.message.isEmpty { return "a violation without words" }
            if violation.message.contains(where: \.isNewline) { return "words of two lines" }
            // 64 characters, and an ellipsis where more was sent.
            if let value = violation.safeValue, value.unicodeScalars.count > 65 {
                return "a quoted value of \(value.unicodeScalars.count) characters"
            }
            if violation.location == .body, !violation.name.isEmpty,
                JSONPointer(parsing: violation.name) == nil
            {
                return "the pointer \(violation.name)"
            }
        }
        guard valid.isValid else { return nil }
        for parameter in operation.parameters where parameter.isRequired {
            // Each parameter's value has one of these types.
            if !valid.has(required: parameter.name) { return "\(parameter.name) is required" }
        }
        if operation.requestBody?.isRequired == true, valid.contentRange?.isJSON == true,
            request.content.isEmpty
        {
            return "content is required"
        }
        return nil
    }

    /// The pairs of a query are its text, cut at `&` and the first `=`.
    private static func pairs(of query: [UInt8]) -> String? {
        var expected: [[UInt8]] = []
        for part in query.split(separator: UInt8(ascii: "&")) {
            let cut = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            expected.append(Array(part[..<cut]))
            expected.append(Array(part[cut...].dropFirst()))
        }
        var found: [[UInt8]] = []
        for (name, value) in QueryPairs(query) { found += [Array(name), Array(value)] }
        return found == expected ? nil : "the pairs \(found), not \(expected)"
    }
}

extension ValidatedRequest {
    /// Whether a parameter was sent.
    fileprivate func has(required name: String) -> Bool {
        operation.parameters.firstIndex { $0.name == name }.map { wasSent(at: $0) } ?? false
    }
}
