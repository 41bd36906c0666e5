import Contract
import HTTPMessage
import JSON
import Testing

@Suite("Requests")
struct RequestValidationTests {
    static let contract = Result { () throws(ContractError) in
        try TestContract.make(
            paths: [
                TestContract.get(
                    "/lists/{status}",
                    id: "list",
                    parameters: [
                        TestContract.path("status", ##"{"$ref": "#/components/schemas/Status"}"##),
                        TestContract.query(
                            "pageSize",
                            #"{"type": "integer", "format": "int32", "minimum": 1, "maximum": 500,"#
                                + #" "default": 100}"#
                        ),
                        TestContract.query("nextToken", #"{"type": "string", "minLength": 1}"#),
                        TestContract.query(
                            "startDate",
                            #"{"type": "string", "format": "date"}"#,
                            #", "x-not-after": "endDate""#
                        ),
                        TestContract.query("endDate", #"{"type": "string", "format": "date"}"#),
                        TestContract.query("site", #"{"type": "string"}"#),
                        TestContract.query(
                            "ttl",
                            #"{"type": "integer", "default": 900}"#,
                            #", "x-clamp": {"minimum": 60, "maximum": 3600}"#
                        ),
                        TestContract.query("any", #"{"type": "integer"}"#),
                        TestContract.query("ratio", #"{"type": "number", "minimum": 0}"#),
                        TestContract.query("deep", #"{"type": "boolean"}"#),
                        TestContract.query(
                            "tag",
                            #"{"type": "array", "items": {"type": "string", "maxLength": 3}}"#
                        ),
                        TestContract.header("X-Trace", #"{"type": "string"}"#),
                        TestContract.header(
                            "Idempotency-Key",
                            #"{"type": "string", "minLength": 1, "maxLength": 8,"#
                                + #" "pattern": "^[\\x21-\\x7e]+$"}"#
                        ),
                    ]
                ),
                TestContract.get(
                    "/signed",
                    id: "signed",
                    parameters: [
                        TestContract.query(
                            "signature",
                            #"{"type": "string"}"#,
                            #", "required": true"#
                        )
                    ]
                ),
                TestContract.operation(
                    "post",
                    "/comments",
                    id: "comment",
                    extra:
                        ##"""
                        "requestBody": {"required": true, "content": {"application/json": {
                          "schema": {"$ref": "#/components/schemas/Comment"}}}}
                        """##
                ),
                TestContract.operation(
                    "post",
                    "/optional",
                    id: "optional",
                    extra:
                        #"""
                        "requestBody": {"content": {"application/json": {
                          "schema": {"type": "object"}}}}
                        """#
                ),
                TestContract.operation(
                    "post",
                    "/token",
                    id: "token",
                    extra:
                        #"""
                        "requestBody": {"required": true, "content": {
                          "application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}
                        """#
                ),
                TestContract.operation(
                    "put",
                    "/uploads",
                    id: "upload",
                    extra:
                        #"""
                        "requestBody": {"required": true, "content": {"*/*": {
                          "schema": {"type": "string", "format": "binary"}}}}
                        """#
                ),
            ].joined(separator: ", "),
            components: #"""
                "schemas": {
                  "Status": {"type": "string",
                    "enum": ["NOT ARRIVED", "APPPOINTMENT CANCELLED", "DICTATION INPROGRESS"]},
                  "Comment": {"type": "object", "required": ["text"], "properties": {
                    "text": {"type": "string", "minLength": 1, "pattern": "\\S"},
                    "type": {"type": ["string", "null"], "enum": ["AC", "AA", null]}}}}
                """#
        )
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let target: String
        let fields: [(String, String)]
        let expected: [String]
        var testDescription: String { "\(target) \(fields)" }

        init(
            _ query: String,
            _ expected: String...,
            path: String = "/lists/NOT%20ARRIVED",
            fields: [(String, String)] = []
        ) {
            target = path + (query.isEmpty ? "" : "?" + query)
            self.expected = expected
            self.fields = fields
        }
    }

    static let cases = [
        Case(""),
        Case("pageSize=1&nextToken=a%2Bb&startDate=2025-01-01&endDate=2025-01-01"),
        Case("pageSize=0", "pageSize minimum"),
        Case("pageSize=501", "pageSize maximum"),
        Case("pageSize=", "pageSize type"),
        Case("pageSize", "pageSize type"),
        Case("pageSize=01", "pageSize type"),
        Case("pageSize=%2B5", "pageSize type"),
        Case("pageSize=+5", "pageSize type"),
        Case("pageSize=5.0", "pageSize type"),
        Case("pageSize=1e2", "pageSize type"),
        Case("pageSize=٣", "pageSize type"),
        Case("pageSize=99999999999999999999", "pageSize type"),
        Case("%70ageSize=%31"),
        Case("pageSize=1&pageSize=1", "pageSize repetition"),
        Case("pageSize=1&pageSize=1&pageSize=x", "pageSize repetition"),
        Case("PageSize=0"),
        Case("&&pageSize=1&"),
        Case("nextToken=", "nextToken minLength"),
        Case("nextToken=%", "nextToken percent-encoding"),
        Case("nextToken=%f", "nextToken percent-encoding"),
        Case("nextToken=%ff", "nextToken percent-encoding"),
        Case("unknown=%ff&%zz=1"),
        Case("startDate=2025-02-29", "startDate format"),
        Case("startDate=2025-02-02&endDate=2025-02-01", "startDate x-not-after"),
        Case("startDate=2025-02-02&endDate=x", "endDate format"),
        Case("endDate=2025-02-01"),
        Case("ttl=x", "ttl type"),
        Case("any=-0&any=1", "any repetition"),
        Case("any=-9223372036854775808"),
        Case("any=9223372036854775808", "any type"),
        Case("ratio=1.5e1&deep=true"),
        Case("ratio=-1", "ratio minimum"),
        Case("ratio=1.", "ratio type"),
        Case("ratio=%201", "ratio type"),
        Case("ratio=%22a%22", "ratio type"),
        Case("deep=True", "deep type"),
        Case("tag=abc&tag=d"),
        Case("tag=abcd&tag=d&tag=efgh", "tag maxLength", "tag maxLength"),
        Case("", "status enum", path: "/lists/NOT+ARRIVED"),
        Case("", "status percent-encoding", path: "/lists/%C3"),
        Case(
            "pageSize=0&skip=1&ttl=a",
            "status enum",
            "pageSize minimum",
            "ttl type",
            path: "/lists/x"
        ),
        Case("", "signature required", path: "/signed"),
        Case("signature=a", path: "/signed"),
        Case("", fields: [("idempotency-key", "abc")]),
        Case("", "Idempotency-Key minLength", fields: [("Idempotency-Key", "")]),
        Case("", "Idempotency-Key maxLength", fields: [("Idempotency-Key", "123456789")]),
        Case("", "Idempotency-Key pattern", fields: [("Idempotency-Key", "a b")]),
        Case(
            "",
            "Idempotency-Key repetition",
            fields: [("Idempotency-Key", "a"), ("IDEMPOTENCY-KEY", "a")]
        ),
        // What accepts any text refuses no repetition either.
        Case("", fields: [("X-Trace", "a"), ("X-Trace", "b")]),
    ]

    @Test("Every violation of the parameters is told at once", arguments: cases)
    func parameters(_ example: Case) throws {
        let contract = try Self.contract.get()
        let request = TestContract.request(.get, example.target, example.fields)
        let result = try #require(contract.validated(request))
        #expect(result.violations.map(\.brief) == example.expected)
        #expect(result.refusalStatus == (example.expected.isEmpty ? nil : 400))
    }

    @Test("Values are typed, defaults applied, integers clamped")
    func values() throws {
        let contract = try Self.contract.get()
        let target =
            "/lists/NOT%20ARRIVED?site=Example+Site%2B&ttl=9999999999999999999&startDate=2025-01-02"
            + "&ratio=0.5&deep=false&tag=a&tag=b&x=1&y&x=2&%C3%A9=3"
        let request = TestContract.request(.get, target, [("x-trace", "t1"), ("X-Trace", "t2")])
        let result = try #require(contract.validated(request))
        #expect(result.isValid)
        #expect(result.string("status") == "NOT ARRIVED")
        #expect(result.string("site") == "Example Site+")
        #expect(result.int("pageSize") == 100)
        #expect(!result.has("pageSize"))
        #expect(result.int("ttl") == 3600)
        #expect(result.has("ttl"))
        #expect(result.int("any") == nil)
        #expect(result.string("startDate") == "2025-01-02")
        #expect(result.double("ratio") == 0.5)
        #expect(result.bool("deep") == false)
        #expect(result.strings("tag") == ["a", "b"])
        #expect(result.string("X-Trace") == "t1, t2")
        #expect(result.string("nextToken") == nil)
        #expect(result.unknownQueryNames == ["x", "y", "é"])
        #expect(result.value("nothing") == .absent)
    }

    @Test(
        "A clamped integer moves to the nearer end",
        arguments: [("0", 60), ("-99999999999999999999", 60), ("61", 61), ("3601", 3600)]
    )
    func clamping(_ sent: String, _ expected: Int) throws {
        let contract = try Self.contract.get()
        let request = TestContract.request(.get, "/lists/NOT%20ARRIVED?ttl=\(sent)")
        #expect(try #require(contract.validated(request)).int("ttl") == expected)
    }

    @Test("A refused value is no value, and not the default either")
    func refusedValues() throws {
        let contract = try Self.contract.get()
        let request = TestContract.request(.get, "/lists/NOT%20ARRIVED?pageSize=0&site=a&site=b")
        let result = try #require(contract.validated(request))
        #expect(result.value("pageSize") == .absent)
        #expect(result.value("site") == .absent)
        #expect(result.has("pageSize"))
    }

    struct Slip: Sendable {
        let segment: String
        let suggestion: String?
        let hint: String
    }

    static let slips = [
        Slip(segment: "NOT+ARRIVED", suggestion: "NOT ARRIVED", hint: "a space is %20"),
        Slip(
            segment: "APPOINTMENT%20CANCELLED",
            suggestion: "APPPOINTMENT CANCELLED",
            hint: "Did you mean \"APPPOINTMENT CANCELLED\""
        ),
        Slip(segment: "not_arrived", suggestion: "NOT ARRIVED", hint: "Did you mean"),
        Slip(segment: "NOT%2520ARRIVED", suggestion: "NOT ARRIVED", hint: "encoded twice"),
        Slip(
            segment: "DICTATION%20IN%20PROGRESS",
            suggestion: "DICTATION INPROGRESS",
            hint: "Did you mean"
        ),
        Slip(
            segment: "Jane%20Doe",
            suggestion: nil,
            hint:
                "APPPOINTMENT CANCELLED, DICTATION INPROGRESS; not \"Jane Doe\"."
        ),
    ]

    @Test("A slip in an enumerated value is recognised", arguments: slips)
    func enumerations(_ slip: Slip) throws {
        let contract = try Self.contract.get()
        let result = try #require(
            contract.validated(TestContract.request(.get, "/lists/" + slip.segment))
        )
        let violation = try #require(result.violations.first)
        #expect(violation.suggestion == slip.suggestion)
        #expect(violation.message.contains(slip.hint), "\(violation.message)")
        #expect(violation.message.contains("NOT ARRIVED, APPPOINTMENT CANCELLED"))
        #expect(violation.location == .path)
        #expect(violation.contractPointer.description == "/components/schemas/Status/enum")
    }

    @Test("Messages say what to send")
    func messages() throws {
        let contract = try Self.contract.get()
        let target = "/lists/NOT%20ARRIVED?pageSize=0&any=1.5&ttl=&startDate=01-01-2025&deep=1"
        let result = try #require(contract.validated(TestContract.request(.get, target)))
        #expect(
            result.violations.map(\.message) == [
                "Send an integer from 1 to 500, not 0.",
                "Send an integer, not \"1.5\".",
                "Send an integer, or leave the parameter out: its value is empty.",
                "Send a date as yyyy-MM-dd, such as 2025-01-31, not \"01-01-2025\".",
                "Send true or false, not \"1\".",
            ]
        )
        // A text that is like no number and no date may be a name, and is not repeated.
        let names = "/lists/NOT%20ARRIVED?any=Jane%20Doe&startDate=Jane%20Doe&deep=Jane"
        let quiet = try #require(contract.validated(TestContract.request(.get, names)))
        #expect(quiet.violations.count == 3)
        #expect(quiet.violations.allSatisfy { !$0.message.contains("Jane") && $0.safeValue == nil })
        let signed = try #require(contract.validated(TestContract.request(.get, "/signed")))
        #expect(
            signed.violations.map(\.message) == [
                "Send the query parameter `signature`: it is required."
            ]
        )
        #expect(
            signed.violations.map(\.contractPointer.description) == [
                "/paths/~1signed/get/parameters/0/required"
            ]
        )
    }

    struct Content: Sendable, CustomTestStringConvertible {
        let path: String
        let types: [String]
        let content: String
        let status: Int?
        let violations: [String]
        var testDescription: String { "\(path) \(types) \(content)" }

        init(
            _ path: String,
            _ types: [String],
            _ content: String,
            _ status: Int? = nil,
            _ violations: String...
        ) {
            self.path = path
            self.types = types
            self.content = content
            self.status = status
            self.violations = violations
        }
    }

    static let contents = [
        Content("/comments", ["application/json"], #"{"text": "a", "other": 1}"#),
        Content(
            "/comments",
            ["Application/JSON ; charset=\"utf-8\""],
            #"{"text": "a", "type": null}"#
        ),
        Content(
            "/comments",
            ["application/json"],
            #"{"text": " ", "type": "ac"}"#,
            400,
            "/text pattern",
            "/type enum"
        ),
        Content("/comments", ["application/json"], "{}", 400, "/text required"),
        Content("/comments", ["application/json"], "[]", 400, " type"),
        Content("/comments", ["application/json"], "", 400, " required"),
        Content("/comments", ["application/json"], #"{"text": "a", "text": "b"}"#, 400, " json"),
        Content("/comments", ["application/json"], #"{"text": "\ud800"}"#, 400, "/text json"),
        Content(
            "/comments",
            ["application/json"],
            String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
            400,
            "\(String(repeating: "/0", count: 64)) json"
        ),
        Content("/comments", ["text/plain"], #"{"text": "a"}"#, 415),
        Content("/comments", ["json"], #"{"text": "a"}"#, 415),
        Content("/comments", ["application/json-patch"], #"{"text": "a"}"#, 415),
        Content("/comments", ["application/json", "application/json"], #"{"text": "a"}"#, 415),
        Content("/comments", [], #"{"text": "a"}"#, 415),
        Content("/comments", ["application / json"], #"{"text": "a"}"#, 415),
        Content("/comments", ["application/ json"], #"{"text": "a"}"#, 415),
        Content("/comments", ["application/json; charset = utf-8"], #"{"text": "a"}"#, 415),
        Content("/comments", ["application/json; charset"], #"{"text": "a"}"#, 415),
        Content("/comments", ["application/json, application/json"], #"{"text": "a"}"#, 415),
        Content("/comments", ["application/json\t;\tcharset=utf-8 ; v=\"a;b\""], #"{"text": "a"}"#),
        Content("/comments", ["application/json;"], #"{"text": "a"}"#),
        // Without content its type says nothing.
        Content("/comments", [], "", 400, " required"),
        Content("/comments", ["text/plain"], "", 400, " required"),
        Content("/comments", ["application / json"], "", 400, " required"),
        Content("/optional", [], ""),
        Content("/optional", ["application/json"], ""),
        Content("/optional", ["application/json"], "1", 400, " type"),
        Content("/optional", [], "{}", 415),
        Content("/optional", ["text/plain"], ""),
        Content("/optional", ["application / json", "text/plain"], ""),
        Content("/token", ["application/x-www-form-urlencoded"], "grant_type=%zz"),
        Content("/token", ["application/json"], "{}", 415),
        Content("/uploads", [], ""),
        Content("/uploads", ["application/pdf"], "{"),
    ]

    @Test("Content is held against its media type and schema", arguments: contents)
    func content(_ example: Content) throws {
        let contract = try Self.contract.get()
        let request = TestContract.request(
            example.path == "/uploads" ? .put : .post,
            example.path,
            example.types.map { ("Content-Type", $0) },
            example.content
        )
        let result = try #require(contract.validated(request))
        #expect(result.refusalStatus == example.status)
        #expect(result.violations.map(\.brief) == example.violations)
    }

    @Test("The kinds of unreadable content are told apart")
    func contentFaults() throws {
        let contract = try Self.contract.get()
        func fault(_ types: [String], _ content: String) throws -> ValidatedRequest.ContentFault? {
            let request = TestContract.request(
                .post,
                "/comments",
                types.map { ("Content-Type", $0) },
                content
            )
            return try #require(contract.validated(request)).contentFault
        }
        let range = try #require(MediaRange("application/json"))
        #expect(try fault([], "{}") == .unsupportedMediaType(supported: [range]))
        #expect(try fault(["application/json"], "") == .missing)
        guard case .malformedJSON(let error) = try fault(["application/json"], #"{"text": }"#)
        else {
            Issue.record("expected malformed JSON")
            return
        }
        #expect(error.offset == 9)
        #expect(try fault(["application/json"], "{}") == nil)
    }

    @Test("The parsed content is kept, its form or octets are not read")
    func bodies() throws {
        let contract = try Self.contract.get()
        let json = TestContract.request(
            .post,
            "/comments",
            [("Content-Type", "application/json")],
            #"{"text": "é"}"#
        )
        let comment = try #require(contract.validated(json))
        #expect(comment.body == ["text": "é"])
        #expect(comment.contentRange?.description == "application/json")
        let upload = try #require(
            contract.validated(TestContract.request(.put, "/uploads", [], "{}"))
        )
        #expect(upload.body == nil)
        #expect(upload.contentRange?.isWildcard == true)
    }

    @Test("A query full of unknown names costs little and is told in part")
    func unknownNames() throws {
        let contract = try Self.contract.get()
        let query = (0..<2_000).map { "n\($0)" }.joined(separator: "&")
        let result = try #require(
            contract.validated(TestContract.request(.get, "/signed?signature=1&\(query)"))
        )
        #expect(result.isValid)
        #expect(result.unknownQueryNames.count == 64)
    }
}
