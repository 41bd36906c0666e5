import Contract
import HTTPMessage
import JSON
import Journal

/// Why a request was refused: the rule, what it expects, and the nearest valid request.
struct Explanation {
    private let entry: JournalEntry
    private let contract: OpenAPIContract
    private let baseURL: String
    private let grantedDomain: String?

    /// - Parameter grantedDomain: A domain that the caller's tokens open.
    init(
        of entry: JournalEntry,
        contract: OpenAPIContract,
        baseURL: String,
        grantedDomain: String?
    ) {
        self.entry = entry
        self.grantedDomain = grantedDomain
        self.contract = contract
        self.baseURL = baseURL
    }

    var json: JSONValue {
        var object = JSONObject([
            ("id", .number(JSONNumber(entry.id))), ("requestId", .string(entry.requestID)),
            ("status", entry.status.map { .integer(Int($0)) } ?? .null),
            ("summary", .string(summary)), ("rules", .array(rules)),
        ])
        if entry.refusal == .route || entry.refusal == .method {
            object["nearestOperations"] = .array(
                suggestions.map { .string("\($0.method.rawValue) \($0.path) (\($0.operationID))") }
            )
        }
        object["curl"] = curl.map(JSONValue.string) ?? .null
        return .object(object)
    }

    private var operation: Operation? {
        entry.operation.flatMap { contract.operation(id: $0) }
            ?? (entry.kind == .token ? contract.operation(id: OperationID.token) : nil)
    }

    /// What is possible on the path, or on the nearest ones.
    private var suggestions: [PathSuggestion] {
        let path = Array(entry.path.utf8)
        if entry.refusal == .method {
            return HTTPMethod.registered.compactMap { method in
                guard method != .head,
                    case .matched(let operation, _) = contract.route(method: method, path: path)
                else { return nil }
                return PathSuggestion(path: entry.path, operationID: operation.id, method: method)
            }
        }
        return contract.nearestPaths(to: path, method: HTTPMethod(entry.method))
    }

    /// What the path names that has to be something else.
    private var refusedPathParameters: Set<String> {
        switch entry.refusal {
        case .domain: ["domain"]
        case .site: ["siteName"]
        case .notFound, .notPending:
            Set(
                (operation?.parameters ?? []).filter {
                    $0.location == .path && $0.name != "domain"
                }.map(\.name)
            )
        default: []
        }
    }

    /// One sentence.
    private var summary: String {
        if let fault = entry.details.fault {
            return "A fault was injected by rule \(fault.rule) "
                + "(\(fault.effects.names.joined(separator: ", ")), phase \(fault.phase.rawValue))."
        }
        switch entry.refusal {
        case .none:
            return "The request was answered \(entry.status.map(String.init) ?? "-"): "
                + "nothing was wrong with it."
        case .message:
            return entry.details.violations.first?.message
                ?? "The octets were no valid HTTP request, or broke a limit."
        case .route: return "No operation has this path."
        case .method: return "The path is known, the method is not possible on it."
        case .tokenMissing: return "The operation needs a bearer token, and none was sent."
        case .tokenExpired: return "The token had expired by the session's clock."
        case .tokenInvalid: return "The token is not one that this mock accepts."
        case .domain: return "The domain in the path is not among those of the token."
        case .site: return "The site in the path is not among those of the token."
        case .permission: return "The token lacks the permission that the operation needs."
        case .providerNumbers: return "The operation needs provider numbers in the token."
        case .contract: return "The request breaks the contract: see rules."
        case .mediaType: return "The Content-Type is not one that the operation takes."
        case .nextToken: return "The nextToken is not one that was issued for this list."
        case .idempotencyKey:
            return "The Idempotency-Key must be 1 to 128 visible ASCII characters, sent once."
        case .idempotencyConflict: return "The Idempotency-Key was used for another payload."
        case .notFound: return "What the path names does not exist in this domain."
        case .notPending: return "The appointment does not wait for a report."
        case .grant: return "The token endpoint refused the request (RFC 6749 section 5.2)."
        case .urlSignature: return "The presigned URL is not one that was given out."
        case .urlExpired: return "The presigned URL had expired by the session's clock."
        case .urlUsed: return "The upload URL has had its content."
        case .uploadContentType: return "The upload needs the Content-Type that was announced."
        case .uploadContentLength: return "The upload needs Content-Length."
        case .tooLarge: return "The content is larger than allowed."
        case .range: return "The content has no octets in the range that was asked for."
        case .unavailable: return "The mock itself could not serve the request."
        }
    }

    /// The rules that were broken, with what the contract says there.
    private var rules: [JSONValue] {
        entry.details.violations.map { violation in
            let pointer = JSONPointer(parsing: violation.contractPointer)
            let schema = pointer?.value(in: contract.document)
            let expected =
                schema?[violation.keyword] ?? schema?["schema"]?[violation.keyword] ?? schema
            let sent = entry.details.query.first { $0.name == violation.name }?.value
            var shown = violation.sent.map(JSONValue.string) ?? .null
            if case .integer(let number) = sent { shown = .string(String(number)) }
            if case .word(let word) = sent { shown = .string(word) }
            return [
                "where": .string(violation.location), "name": .string(violation.name),
                "rule": .string(violation.keyword), "message": .string(violation.message),
                "expected": expected ?? .null, "sent": shown,
                "contract": .string(violation.contractPointer),
            ]
        }
    }

    // MARK: - The nearest valid request

    /// The same request with what was wrong put right by the contract's examples.
    private var curl: String? {
        if entry.refusal == .route || entry.refusal == .method {
            guard let suggestion = suggestions.first else { return nil }
            return line(
                method: suggestion.method.rawValue,
                path: suggestion.path,
                operation: contract.operation(id: suggestion.operationID),
                query: ""
            )
        }
        guard let operation else { return nil }
        let refused = refusedPathParameters
        let wrong = Set(entry.details.violations.map(\.name)).union(refused)
        var path = entry.path
        if !refused.isEmpty || entry.details.violations.contains(where: { $0.location == "path" }) {
            path = examplePath(of: operation, keeping: entry.path, wrong: wrong)
        }
        var pairs: [String] = []
        for parameter in entry.details.query where parameter.isKnown {
            if !wrong.contains(parameter.name) {
                switch parameter.value {
                case .integer(let number): pairs.append("\(parameter.name)=\(number)")
                case .word(let word):
                    pairs.append("\(parameter.name)=\(PercentCoding.encode(word))")
                case .digest:
                    // What was sent is not kept; the contract's example stands in.
                    if parameter.name != "nextToken" {
                        append(example(of: parameter.name, operation), parameter.name, to: &pairs)
                    }
                }
            } else if parameter.name != "nextToken" {
                append(example(of: parameter.name, operation), parameter.name, to: &pairs)
            }
        }
        return line(
            method: operation.method.rawValue,
            path: path,
            operation: operation,
            query: pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
        )
    }

    private func append(_ value: String?, _ name: String, to pairs: inout [String]) {
        if let value { pairs.append("\(name)=\(PercentCoding.encode(value))") }
    }

    private func example(of name: String, _ operation: Operation) -> String? {
        guard let parameter = operation.parameters.first(where: { $0.name == name }) else {
            return nil
        }
        if let example = parameter.example { return Self.text(of: example) }
        let schema = contract.schema(of: parameter).source
        return (schema["default"] ?? schema["enum"]?.array?.first).flatMap(Self.text)
    }

    private static func text(of value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let flag): flag ? "true" : "false"
        default: nil
        }
    }

    /// The path with examples in place of the parameters that were wrong.
    private func examplePath(
        of operation: Operation,
        keeping path: String,
        wrong: Set<String>
    ) -> String {
        let template = operation.pathTemplate.split(
            separator: "/",
            omittingEmptySubsequences: false
        )
        let sent = path.split(separator: "/", omittingEmptySubsequences: false)
        let offset = max(0, sent.count - template.count)
        return template.enumerated().map { index, segment -> String in
            guard segment.hasPrefix("{") else { return String(segment) }
            let name = String(segment.dropFirst().dropLast())
            let isKept = !wrong.contains(name) && index + offset < sent.count
            if isKept { return String(sent[index + offset]) }
            if name == "domain", let domain = grantedDomain { return domain }
            return PercentCoding.encode(example(of: name, operation) ?? name)
        }.joined(separator: "/")
    }

    private func line(
        method: String,
        path: String,
        operation: Operation?,
        query: String
    ) -> String {
        var parts = ["curl -i"]
        if method != "GET" { parts.append("-X \(method)") }
        parts.append(Self.quoted(baseURL + path + query))
        if operation?.requiresToken == true {
            parts.append("-H 'Authorization: Bearer <token>'")
        }
        if operation?.idempotencyRetentionSeconds != nil {
            parts.append("-H 'Idempotency-Key: <a new key>'")
        }
        if let content = operation?.requestBody?.contents.first {
            if content.range.isJSON {
                parts.append("-H 'Content-Type: application/json'")
                if let example = content.example ?? bodyExample(content) {
                    parts.append("-d \(Self.quoted(JSONWriter.text(of: example)))")
                }
            } else if operation?.id == OperationID.token {
                parts.append("-d grant_type=client_credentials -d client_id=<client_id>")
                parts.append("-d client_secret=<client_secret>")
            }
        }
        return parts.joined(separator: " ")
    }

    /// A body made of the examples of its required members.
    private func bodyExample(_ content: MediaContent) -> JSONValue? {
        guard let schema = contract.schema(of: content) else { return nil }
        return SchemaExample.value(of: schema.source, in: contract.document)
    }

    /// A word of the shell, in single quotation marks.
    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}

/// Examples put together from those of a schema's members.
enum SchemaExample {
    /// A valid value for a schema; required members, and others that have an example of their own.
    static func value(of schema: JSONValue, in document: JSONValue) -> JSONValue? {
        if let reference = schema["$ref"]?.string {
            guard let target = JSONPointer(parsing: reference)?.value(in: document) else {
                return nil
            }
            return value(of: target, in: document)
        }
        if let example = schema["examples"]?.array?.first ?? schema["example"] { return example }
        if let properties = schema["properties"]?.object {
            let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
            var object = JSONObject()
            for member in properties.members where required.contains(member.name) {
                object[member.name] = value(of: member.value, in: document)
            }
            return .object(object)
        }
        if let items = schema["items"] {
            return value(of: items, in: document).map { .array([$0]) }
        }
        return schema["enum"]?.array?.first
    }
}
