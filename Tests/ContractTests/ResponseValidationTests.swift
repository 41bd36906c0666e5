import Contract
import HTTPMessage
import JSON
import Testing

@Suite("Responses")
struct ResponseValidationTests {
    static let contract = Result { () throws(ContractError) in
        try TestContract.make(
            paths: ##"""
                "/items": {"get": {"operationId": "list", "responses": {
                    "200": {"description": "OK",
                        "headers": {
                            "X-Correlation-Id": {"$ref": "#/components/headers/Correlation"},
                            "X-Count": {"schema": {"type": "integer", "minimum": 0}},
                            "X-Limit": {"schema": {"type": ["integer", "string"], "maxLength": 3}}},
                        "content": {"application/json": {
                            "schema": {"type": "array", "items": {"type": "string"}}}}},
                    "204": {"description": "Nothing"},
                    "206": {"description": "Octets", "content": {"*/*": {
                        "schema": {"type": "string", "format": "binary"}}}},
                    "404": {"$ref": "#/components/responses/Problem"},
                    "5XX": {"$ref": "#/components/responses/Problem"}}}},
                "/any": {"get": {"operationId": "any",
                    "responses": {"default": {"description": "Any"}}}}
                """##,
            components: ##"""
                "headers": {"Correlation": {"required": true,
                    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]+$"}}},
                "responses": {"Problem": {"description": "A problem",
                    "headers": {"X-Correlation-Id": {"$ref": "#/components/headers/Correlation"}},
                    "content": {"application/problem+json": {"schema": {
                        "type": "object", "required": ["requestId"],
                        "properties": {"status": {"type": ["integer", "null"]},
                            "requestId": {"type": "string"}}}}}}}
                """##,
            root: ##""x-unrouted-responses": {"405": {"$ref": "#/components/responses/Problem"}}"##
        )
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let status: Int
        let fields: [(String, String)]
        let content: String
        let operation: String?
        let method: HTTPMethod
        let expected: [String]
        var testDescription: String {
            "\(method.rawValue) \(operation ?? "-") \(status) \(fields) \(content)"
        }

        init(
            _ status: Int,
            _ fields: [(String, String)],
            _ content: String,
            _ expected: String...,
            operation: String? = "list",
            method: HTTPMethod = .get
        ) {
            self.status = status
            self.fields = fields
            self.content = content
            self.operation = operation
            self.method = method
            self.expected = expected
        }
    }

    static let id = ("x-correlation-id", "c1")
    static let json = ("content-type", "application/json; charset=utf-8")
    static let problem = ("Content-Type", "application/problem+json")

    static let cases = [
        Case(200, [id, json], #"["a"]"#),
        Case(200, [id, json, ("X-Count", "3"), ("X-Limit", "none")], "[]", "X-Limit maxLength"),
        Case(200, [id, json, ("X-Count", "-1"), ("X-Limit", "12")], "[]", "X-Count minimum"),
        Case(200, [id, json, ("X-Count", "many")], "[]", "X-Count type"),
        Case(200, [json], "[1]", "X-Correlation-Id required", "/0 type"),
        Case(200, [("X-Correlation-Id", "a b"), json], "[]", "X-Correlation-Id pattern"),
        Case(200, [id, problem], "[]", "Content-Type content"),
        Case(200, [id], "[]", "Content-Type content"),
        Case(200, [id, json], "{", " json"),
        Case(200, [id, json], "", " json"),
        Case(200, [id, json], "", method: .head),
        Case(200, [id, json], "[]", " content", method: .head),
        Case(200, [json], "", "X-Correlation-Id required", method: .head),
        Case(204, [], ""),
        Case(204, [], "x", " content"),
        Case(206, [("Content-Type", "application/pdf")], "%PDF"),
        Case(206, [], "x"),
        Case(404, [id, problem], #"{"requestId": "c1", "status": 404}"#),
        Case(404, [id, problem], #"{"status": "404"}"#, "/requestId required", "/status type"),
        Case(404, [id, problem], #"{"requestId": "c1", "more": 1}"#, "/more properties"),
        Case(404, [id, json], #"{"requestId": "c1"}"#, "Content-Type content"),
        Case(503, [id, problem], #"{"requestId": "c1"}"#),
        Case(201, [id, json], "[]", "status status"),
        Case(405, [id, problem], #"{"requestId": "c1"}"#, "status status"),
        Case(405, [id, problem], #"{"requestId": "c1"}"#, operation: nil),
        Case(404, [id, problem], #"{"requestId": "c1"}"#, "status status", operation: nil),
        Case(418, [], "", operation: "any"),
    ]

    @Test("An answer must be documented: status, fields, content type, content", arguments: cases)
    func responses(_ example: Case) throws {
        let contract = try Self.contract.get()
        let response = HTTPResponse(
            status: example.status,
            fields: example.fields.map { HTTPResponse.Field($0.0, $0.1) },
            content: Array(example.content.utf8)
        )
        let operation = try example.operation.map { try #require(contract.operation(id: $0)) }
        let violations = contract.violations(
            of: response,
            operation: operation,
            method: example.method
        )
        #expect(violations.map(\.brief) == example.expected)
    }
}
