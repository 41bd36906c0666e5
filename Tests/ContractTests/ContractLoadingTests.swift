import Contract
import HTTPMessage
import JSON
import Testing

@Suite("Loading a contract")
struct ContractLoadingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let paths: String
        let components: String
        let root: String
        let problem: ContractError.Problem
        let pointer: String
        var testDescription: String { name }

        init(
            _ name: String,
            paths: String = "",
            components: String = "",
            root: String = "",
            _ problem: ContractError.Problem,
            at pointer: String
        ) {
            self.name = name
            self.paths = paths
            self.components = components
            self.root = root
            self.problem = problem
            self.pointer = pointer
        }

        /// A schema under `#/components/schemas/S`.
        static func schema(
            _ name: String,
            _ schema: String,
            _ problem: ContractError.Problem,
            at pointer: String = ""
        ) -> Case {
            Case(
                name,
                components:
                    #""schemas": {"S": \#(schema), "Open": {"additionalProperties": true}}"#,
                problem,
                at: "/components/schemas/S" + pointer
            )
        }

        /// A parameter of GET /a.
        static func parameter(
            _ name: String,
            _ parameter: String,
            _ problem: ContractError.Problem,
            at pointer: String = ""
        ) -> Case {
            Case(
                name,
                paths: TestContract.get("/a", id: "a", parameters: [parameter]),
                problem,
                at: "/paths/~1a/get/parameters/0" + pointer
            )
        }
    }

    static let schemas: [Case] = [
        .schema(
            "an unknown keyword",
            #"{"properties": {"a": {"uniqueItems": 1}}}"#,
            .unsupportedKeyword("uniqueItems"),
            at: "/properties/a/uniqueItems"
        ),
        .schema("a schema that is no object", "true", .wrongValue(expected: "a schema object")),
        .schema(
            "an unknown type",
            #"{"type": "text"}"#,
            .wrongValue(expected: "a type"),
            at: "/type"
        ),
        .schema(
            "an unknown format",
            #"{"format": "email"}"#,
            .unsupported("the format email is not supported"),
            at: "/format"
        ),
        .schema(
            "a reference to nothing",
            ##"{"items": {"$ref": "#/components/schemas/T"}}"##,
            .unresolvedReference("#/components/schemas/T"),
            at: "/items/$ref"
        ),
        .schema(
            "a reference to another document",
            #"{"$ref": "other.yaml#/a"}"#,
            .unresolvedReference("other.yaml#/a"),
            at: "/$ref"
        ),
        .schema(
            "a reference to itself",
            ##"{"$ref": "#/components/schemas/S"}"##,
            .endlessReference
        ),
        .schema(
            "a choice that holds itself",
            ##"{"oneOf": [{"type": "null"}, {"allOf": [{"$ref": "#/components/schemas/S"}]}]}"##,
            .endlessReference
        ),
        .schema(
            "two circles: the first is told, and not what leads into it",
            ##"""
            {"properties": {
                "a": {"$ref": "#/components/schemas/S/properties/b"},
                "b": {"allOf": [{"$ref": "#/components/schemas/S/properties/d"}]},
                "c": {"$ref": "#/components/schemas/S/properties/c"},
                "d": {"$ref": "#/components/schemas/S/properties/b"}
            }}
            """##,
            .endlessReference,
            at: "/properties/b"
        ),
        .schema(
            "a negative length",
            #"{"minLength": -1}"#,
            .wrongValue(expected: "a count"),
            at: "/minLength"
        ),
        .schema(
            "a bound that is no number",
            #"{"maximum": "5"}"#,
            .wrongValue(expected: "a number"),
            at: "/maximum"
        ),
        .schema(
            "an empty enumeration",
            #"{"enum": []}"#,
            .wrongValue(expected: "values"),
            at: "/enum"
        ),
        .schema(
            "required names that are no strings",
            #"{"required": [1]}"#,
            .wrongValue(expected: "an array of names"),
            at: "/required"
        ),
        .schema(
            "unevaluatedProperties other than false",
            #"{"unevaluatedProperties": true}"#,
            .wrongValue(expected: "false"),
            at: "/unevaluatedProperties"
        ),
        .schema(
            "unevaluatedProperties beside a choice",
            #"{"oneOf": [{}], "unevaluatedProperties": false}"#,
            .unsupported(
                "beside additionalProperties, oneOf or anyOf this keyword is not supported"
            ),
            at: "/unevaluatedProperties"
        ),
        .schema(
            "unevaluatedProperties over an open schema",
            ##"{"allOf": [{"$ref": "#/components/schemas/Open"}],"##
                + #" "unevaluatedProperties": false}"#,
            .unsupported("a schema it includes has additionalProperties, oneOf or anyOf"),
            at: "/unevaluatedProperties"
        ),
    ]

    static let patterns: [Case] = [
        ("a(?=b)", "only `(` and `(?:` open groups here"),
        (#"\1"#, #"the escape `\1` is not supported"#),
        (#"\b"#, #"the escape `\b` is not supported"#), ("a*?", "lazy repetition is not supported"),
        ("(a", "a `(` without its `)`"), ("a)", "a `)` without its `(`"),
        ("[a", "a `[` without its `]`"),
        ("a{2", "a `{` without its `}`"), ("a{3,2}", "bounds in the wrong order"),
        ("*a", "`*` repeats nothing"),
        ("a**", "`*` repeats nothing"), ("^*", "an assertion is repeated"),
        ("[z-a]", "a range in the wrong order"),
        (#"[\d-z]"#, "a range needs a character at each end"),
        ("a{1001}", "more than 1000 repetitions"),
        ("(a{100}){100}", "it needs more than 5000 instructions"), ("\\", "it ends with a `\\`"),
        (#"\x4"#, "a hexadecimal escape is too short"), (#"\ud800"#, "half a surrogate pair"),
    ].map { pattern, reason in
        .schema(
            "the pattern \(pattern)",
            "{\"pattern\": \(JSONWriter.text(of: .string(pattern)))}",
            .badPattern(pattern, reason: reason),
            at: "/pattern"
        )
    }

    static let parameters: [Case] = [
        .parameter(
            "a parameter in a cookie",
            #"{"name": "c", "in": "cookie", "schema": {"type": "string"}}"#,
            .wrongValue(expected: "query, path or header"),
            at: "/in"
        ),
        .parameter(
            "a parameter without a schema",
            #"{"name": "c", "in": "query"}"#,
            .missingMember("schema")
        ),
        .parameter(
            "a parameter with content",
            #"{"name": "c", "in": "query", "content": {}}"#,
            .unsupportedKeyword("content"),
            at: "/content"
        ),
        .parameter(
            "another style",
            #"{"name": "c", "in": "query", "style": "deepObject", "schema": {"type": "string"}}"#,
            .wrongValue(expected: "form"),
            at: "/style"
        ),
        .parameter(
            "lists with commas",
            #"{"name": "c", "in": "query", "explode": false, "schema": {"type": "string"}}"#,
            .wrongValue(expected: "true"),
            at: "/explode"
        ),
        .parameter(
            "a parameter of any type",
            #"{"name": "c", "in": "query", "schema": {}}"#,
            .wrongValue(expected: "exactly one type, not an object"),
            at: "/schema"
        ),
        .parameter(
            "a parameter of two types",
            #"{"name": "c", "in": "query", "schema": {"type": ["string", "integer"]}}"#,
            .wrongValue(expected: "exactly one type, not an object"),
            at: "/schema"
        ),
        .parameter(
            "an array in a header",
            TestContract.header("c", #"{"type": "array", "items": {"type": "string"}}"#),
            .wrongValue(expected: "no array, outside a query"),
            at: "/schema"
        ),
        .parameter(
            "a default that is invalid",
            TestContract.query("c", #"{"type": "integer", "maximum": 5, "default": 6}"#),
            .wrongValue(expected: "a default that is valid"),
            at: "/schema"
        ),
        .parameter(
            "clamped text",
            TestContract.query("c", #"{"type": "string"}"#, #", "x-clamp": {"minimum": 1}"#),
            .wrongValue(expected: "an integer parameter"),
            at: "/x-clamp"
        ),
        .parameter(
            "bounds of a clamp in the wrong order",
            TestContract.query(
                "c",
                #"{"type": "integer"}"#,
                #", "x-clamp": {"minimum": 2, "maximum": 1}"#
            ),
            .wrongValue(expected: "a minimum and a maximum"),
            at: "/x-clamp"
        ),
        .parameter(
            "a limit that is no parameter",
            #"{"name": "c", "in": "query", "x-not-after": "d", "schema": {"type": "string"}}"#,
            .wrongValue(expected: "the name of a parameter of /paths/~1a/get"),
            at: "/x-not-after"
        ),
        .parameter(
            "a header that OpenAPI ignores",
            #"{"name": "Authorization", "in": "header", "schema": {"type": "string"}}"#,
            .wrongValue(expected: "another header field"),
            at: "/name"
        ),
        Case(
            "a path parameter that is not in the path",
            paths: TestContract.get("/a", id: "a", parameters: [TestContract.path("b")]),
            .unmatchedPathParameter("b"),
            at: "/paths/~1a/get"
        ),
        Case(
            "a path without its parameter",
            paths: TestContract.get("/a/{b}", id: "a"),
            .unmatchedPathParameter("b"),
            at: "/paths/~1a~1{b}/get"
        ),
        Case(
            "a parameter described twice",
            paths: TestContract.get(
                "/a",
                id: "a",
                parameters: [
                    TestContract.query("q", #"{"type": "string"}"#),
                    TestContract.header("q", #"{"type": "string"}"#),
                ]
            ),
            .duplicateParameter("q"),
            at: "/paths/~1a/get/parameters/1"
        ),
    ]

    static let documents: [Case] = [
        Case(
            "an unknown member",
            root: #""webhooks": {}"#,
            .unsupportedKeyword("webhooks"),
            at: "/webhooks"
        ),
        Case(
            "a template with half a segment",
            paths: TestContract.get("/a/{b}.json", id: "a"),
            .wrongValue(expected: "a path template"),
            at: "/paths/~1a~1{b}.json"
        ),
        Case(
            "a path with a trailing slash",
            paths: TestContract.get("/a/", id: "a"),
            .wrongValue(expected: "a path template"),
            at: "/paths/~1a~1"
        ),
        Case(
            "an id that stands twice",
            paths: TestContract.get("/a", id: "a") + ", " + TestContract.get("/b", id: "a"),
            .duplicateOperationID("a"),
            at: "/paths/~1b/get"
        ),
        Case(
            "two templates that mean the same paths",
            paths: TestContract.get("/a/{b}", id: "a", parameters: [TestContract.path("b")]) + ", "
                + TestContract.get("/a/{c}", id: "b", parameters: [TestContract.path("c")]),
            .duplicateRoute("GET /a/{c}"),
            at: "/paths/~1a~1{c}/get"
        ),
        Case(
            "an alias that is taken",
            paths: TestContract.get("/a", id: "a") + ", "
                + TestContract.get("/b", id: "b", extra: #""x-path-aliases": ["/a"]"#),
            .duplicateRoute("GET /a"),
            at: "/paths/~1b/get"
        ),
        Case(
            "an alias with other parameters",
            paths: TestContract.get("/a", id: "a", extra: #""x-path-aliases": ["/b/{c}"]"#),
            .wrongValue(expected: "templates with the same parameters in the same order"),
            at: "/paths/~1a/get/x-path-aliases"
        ),
        Case(
            "an operation without id",
            paths: #""/a": {"get": {"responses": {"200": {"description": "OK"}}}}"#,
            .missingMember("operationId"),
            at: "/paths/~1a/get"
        ),
        Case(
            "an operation without responses",
            paths: #""/a": {"get": {"operationId": "a"}}"#,
            .missingMember("responses"),
            at: "/paths/~1a/get"
        ),
        Case(
            "callbacks",
            paths: TestContract.get("/a", id: "a", extra: #""callbacks": {}"#),
            .unsupportedKeyword("callbacks"),
            at: "/paths/~1a/get/callbacks"
        ),
        Case(
            "a status that is none",
            paths:
                #""/a": {"get": {"operationId": "a", "responses": {"2000": {"description": ""}}}}"#,
            .wrongValue(expected: "a status code"),
            at: "/paths/~1a/get/responses/2000"
        ),
        Case(
            "a security scheme that is not described",
            paths: TestContract.get("/a", id: "a", extra: #""security": [{"Basic": []}]"#),
            .unresolvedReference("Basic"),
            at: "/paths/~1a/get/security/0"
        ),
        Case(
            "a retention that is no duration",
            paths: TestContract.get("/a", id: "a", extra: #""x-idempotency-retention": "24h""#),
            .wrongValue(expected: "a duration such as PT24H"),
            at: "/paths/~1a/get/x-idempotency-retention"
        ),
        Case(
            "a site grant without its parameter",
            paths: TestContract.get("/a", id: "a", extra: #""x-site-grant": "site""#),
            .wrongValue(expected: "the name of a path parameter"),
            at: "/paths/~1a/get/x-site-grant"
        ),
        Case(
            "a prefix with a parameter",
            root: #""x-path-prefixes": ["/{a}"]"#,
            .wrongValue(expected: "paths without parameters"),
            at: "/x-path-prefixes"
        ),
    ]

    @Test(
        "What the engine could not enforce is refused, with its pointer",
        arguments: schemas + patterns + parameters + documents
    )
    func refusals(_ example: Case) throws {
        let text = TestContract.text(
            paths: example.paths,
            components: example.components,
            root: example.root
        )
        let document = try JSONParser.parse(text.utf8)
        let error = #expect(throws: ContractError.self) { try OpenAPIContract(document: document) }
        #expect(error?.problem == example.problem)
        #expect(error?.pointer.description == example.pointer)
    }

    @Test("A text that is not JSON, and another version of OpenAPI, are refused")
    func otherDocuments() {
        let malformed = #expect(throws: ContractError.self) {
            try OpenAPIContract(octets: "{".utf8)
        }
        guard case .malformedJSON = malformed?.problem else {
            Issue.record("expected malformed JSON")
            return
        }
        let version = #expect(throws: ContractError.self) {
            try OpenAPIContract(octets: #"{"openapi": "3.0.3", "paths": {}}"#.utf8)
        }
        #expect(version?.pointer.description == "/openapi")
        #expect(version?.description == "contract, at /openapi: expected a version 3.1.x")
    }

    @Test("Operations carry what the extensions say")
    func extensions() throws {
        let site = TestContract.path("siteName")
        let contract = try TestContract.make(
            paths: [
                TestContract.get(
                    "/integrations/v1/sites/{siteName}",
                    id: "site",
                    parameters: [site],
                    extra: #"""
                        "tags": ["Sites", "Other"], "summary": "One site",
                        "x-site-grant": "siteName",
                        "x-required-permission": "p:read", "x-required-grant": "providerNumbers",
                        "x-idempotency-retention": "PT15M", "x-provenance": "inferred",
                        "x-provenance-note": "All of it.", "x-other": 1
                        """#
                ),
                TestContract.get(
                    "/plain",
                    id: "plain",
                    extra: #""security": [{}, {"Bearer": []}]"#
                ),
            ].joined(separator: ", ")
        )
        let operation = try #require(contract.operation(id: "site"))
        #expect(operation.tag == "Sites")
        #expect(operation.summary == "One site")
        #expect(operation.siteGrantParameter == "siteName")
        #expect(operation.requiredPermission == "p:read")
        #expect(operation.requiredGrant == "providerNumbers")
        #expect(operation.idempotencyRetentionSeconds == 900)
        #expect(operation.provenance == "inferred")
        #expect(operation.isPartnerOperation)
        #expect(operation.requiresToken)
        let plain = try #require(contract.operation(id: "plain"))
        #expect(!plain.isPartnerOperation)
        #expect(!plain.requiresToken)
        let marks = contract.provenanceMarks()
        #expect(marks.map(\.operationID) == ["site"])
        #expect(marks.map(\.note) == ["All of it."])
        #expect(marks.map(\.pointer) == [operation.pointer])
    }

    @Test("Parameters of a path item belong to its operations, which may replace them")
    func pathItemParameters() throws {
        let text = TestContract.query("q", #"{"type": "string"}"#)
        let integer = TestContract.query("q", #"{"type": "integer"}"#)
        let contract = try TestContract.make(
            paths: #"""
                "/a/{id}": {"parameters": [\#(TestContract.path("id")), \#(text)],
                  "get": \#(TestContract.body(id: "get", parameters: [integer])),
                  "put": \#(TestContract.body(id: "put"))}
                """#
        )
        #expect(contract.operation(id: "get")?.parameters.map(\.kind) == [.string, .integer])
        #expect(contract.operation(id: "put")?.parameters.map(\.kind) == [.string, .string])
    }

    @Test("Schemas are found by name, by fixture and by place")
    func schemaLookup() throws {
        let contract = try TestContract.make(
            paths: TestContract.get(
                "/a",
                id: "a",
                parameters: [
                    TestContract.query("q", ##"{"$ref": "#/components/schemas/B/properties/x"}"##)
                ]
            ),
            components:
                ##"""
                "schemas": {"A": {"properties": {"a": {}}},
                  "B": {"allOf": [{"$ref": "#/components/schemas/A"}],
                    "properties": {"x": {"type": "string", "enum": ["1"]}}}}
                """##,
            root: #""x-fixture-schemas": {"exam-codes": {"type": "array"}}"#
        )
        #expect(contract.namedSchema("B") != nil)
        #expect(contract.namedSchema("C") == nil)
        #expect(
            contract.fixtureSchema("exam-codes")?.pointer.description
                == "/x-fixture-schemas/exam-codes"
        )
        #expect(
            contract.schema(at: JSONPointer(["components", "schemas", "B", "properties", "x"]))
                != nil
        )
        let parameter = try #require(contract.operation(id: "a")?.parameters.first)
        #expect(parameter.isEnumerated)
        #expect(parameter.kind == .string)
        #expect(contract.schema(of: parameter).violations(of: "2").map(\.keyword) == ["enum"])
    }
}
