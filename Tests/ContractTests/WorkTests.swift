import Contract
import HTTPMessage
import JSON
import Testing

@Suite("Validation stops when enough is wrong")
struct WorkTests {
    private func schema(_ text: String) throws -> Schema {
        let contract = try TestContract.make(components: #""schemas": {"S": \#(text)}"#)
        return try #require(contract.namedSchema("S"))
    }

    /// Values of a hundred thousand parts, and how many of these may be looked at.
    private static let cases: [(schema: String, value: JSONValue, limit: Int)] = {
        let numbers = JSONValue.array((0..<100_000).map(JSONValue.integer))
        let members = JSONValue.object(
            JSONObject((0..<100_000).map { ("m\($0)", JSONValue.integer($0)) })
        )
        let closed = #""properties": {"mm": {}}, "additionalProperties": false"#
        return [
            (#"{"items": {"type": "string"}}"#, numbers, 102),
            (#"{"items": {"enum": ["a", "b"]}}"#, numbers, 102),
            (#"{"items": {"oneOf": [{"type": "string"}, {"maximum": -1}]}}"#, numbers, 400),
            (#"{"items": {"allOf": [{"maximum": -1}, {"maximum": -2}]}}"#, numbers, 400),
            (#"{"maxItems": 10, "items": {"type": "integer"}}"#, numbers, 11),
            ("{\(closed)}", members, 1),
            (#"{"additionalProperties": {"type": "string"}}"#, members, 102),
            (#"{"maxProperties": 10, "additionalProperties": {}}"#, members, 11),
            (#"{"anyOf": [{\#(closed)}, {"maxProperties": 3}]}"#, members, 3),
        ]
    }()

    @Test(
        "Of a hundred thousand wrong values, about a hundred are looked at",
        arguments: cases.indices
    )
    func work(index: Int) throws {
        let (text, value, limit) = Self.cases[index]
        let result = try schema(text).inspect(value)
        #expect(result.valuesChecked <= limit, "\(text)")
        #expect((1...100).contains(result.violations.count), "\(text)")
    }

    @Test("What is valid is looked at once")
    func valid() throws {
        let value = JSONValue.array((0..<10_000).map(JSONValue.integer))
        let result = try schema(#"{"items": {"type": "integer", "minimum": 0}}"#).inspect(value)
        #expect(result.valuesChecked == 10_001 && result.violations.isEmpty)
    }

    @Test("The hundred violations of a query and a body are a hundred together")
    func together() throws {
        let parameters = (0..<30).map { TestContract.query("q\($0)", #"{"type": "integer"}"#) }
        let contract = try TestContract.make(
            paths: TestContract.operation(
                "post",
                "/a",
                id: "A",
                parameters: parameters + [
                    TestContract.query("list", #"{"type": "array", "items": {"type": "integer"}}"#)
                ],
                extra: #"""
                    "requestBody": {"required": true, "content": {"application/json":
                        {"schema": {"items": {"type": "string"}}}}}
                    """#
            ),
            root: #""x-refuse-unknown-parameters": true"#
        )
        let start = (0..<30).map { "q\($0)=x" } + (0..<60).map { "u\($0)=x" }
        for count in [0, 2_000] {
            let query = start + [String](repeating: "list=x", count: count)
            let content = JSONWriter.text(of: .array((0..<1000).map(JSONValue.integer)))
            let request = TestContract.request(
                .post,
                "/a?" + query.joined(separator: "&"),
                [("Content-Type", "application/json")],
                content
            )
            let result = try #require(contract.validated(request))
            #expect(result.violations.count == 100)
        }
    }

    @Test("An array in a query grows in place")
    func arrays() throws {
        let contract = try TestContract.make(
            paths: TestContract.get(
                "/a",
                id: "A",
                parameters: [
                    TestContract.query("list", #"{"type": "array", "items": {"type": "string"}}"#)
                ]
            )
        )
        let query = (0..<2_000).map { "list=\($0)" }.joined(separator: "&")
        let request = TestContract.request(.get, "/a?" + query)
        let result = try #require(contract.validated(request))
        #expect(result.strings("list") == (0..<2_000).map(String.init))
    }

    @Test("A pointer in a violation has no name of a million octets")
    func longNames() throws {
        let name = String(repeating: "x", count: 1_000_000)
        let inner = JSONValue.array((0..<200).map(JSONValue.integer))
        let value = JSONValue.object(JSONObject([(name, inner)]))
        let text = #"{"additionalProperties": {"items": {"type": "string"}}}"#
        let violations = try schema(text).violations(of: value)
        #expect(violations.count == 100)
        #expect(violations.allSatisfy { $0.name.utf8.count < 200 })
    }

    @Test("The first value of an unknown parameter is at hand")
    func unknownValues() throws {
        let contract = try TestContract.make(paths: TestContract.get("/a", id: "A"))
        let request = TestContract.request(.get, "/a?x=1&y&x=2&%78=3&z=%41")
        let result = try #require(contract.validated(request))
        #expect(result.unknownParameters.map(\.name) == ["x", "y", "z"])
        #expect(
            result.unknownParameters.map { String(decoding: $0.encodedValue, as: UTF8.self) }
                == ["1", "", "%41"]
        )
    }
}
