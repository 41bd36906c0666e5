import Contract
import JSON
import Testing

@Suite("Schemas")
struct SchemaTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let schema: String
        let value: String
        let expected: [String]
        var testDescription: String { "\(schema) ⊨ \(value)" }

        static func accepts(_ schema: String, _ values: String...) -> [Case] {
            values.map { Case(schema: schema, value: $0, expected: []) }
        }

        static func refuses(_ schema: String, _ value: String, _ expected: String...) -> [Case] {
            [Case(schema: schema, value: value, expected: expected)]
        }
    }

    static let types: [Case] =
        Case.accepts(
            #"{"type": "integer"}"#,
            "0",
            "-7",
            "1.0",
            "1e2",
            "123456789012345678901234567890"
        )
        + Case.refuses(#"{"type": "integer"}"#, "1.5", " type")
        + Case.refuses(#"{"type": "integer"}"#, #""1""#, " type")
        + Case.accepts(#"{"type": "number"}"#, "0", "1.5", "1e400")
        + Case.accepts(#"{"type": ["string", "null"]}"#, "null", #""""#)
        + Case.refuses(#"{"type": ["string", "null"]}"#, "false", " type")
        + Case.refuses(#"{"type": "object"}"#, "[]", " type")
        + Case.refuses(#"{"type": "boolean"}"#, "null", " type")
        + Case.accepts("{}", "null", "[1]", #"{"a": 1}"#)

    static let scalars: [Case] =
        Case.accepts(#"{"enum": ["A", 1, null]}"#, #""A""#, "1.0", "null")
        + Case.refuses(#"{"enum": ["A", 1, null]}"#, #""a""#, " enum")
        // U+212A KELVIN SIGN is canonically equivalent to K, and still another text.
        + Case.refuses(#"{"enum": ["K"]}"#, #""\u212a""#, " enum")
        + Case.accepts(#"{"const": {"a": 1, "b": [true]}}"#, #"{"b": [true], "a": 1.0}"#)
        + Case.refuses(#"{"const": "final"}"#, #""Final""#, " const")
        + Case.accepts(#"{"minLength": 2, "maxLength": 3}"#, #""ab""#, #""日本語""#, #""😀😀😀""#, "7")
        + Case.refuses(#"{"minLength": 2, "maxLength": 3}"#, #""😀""#, " minLength")
        // One character, two code points: code points count.
        + Case.refuses(#"{"maxLength": 1}"#, #""e\u0301""#, " maxLength")
        + Case.accepts(#"{"x-max-utf8-octets": 6}"#, #""日本""#, #""abcdef""#)
        + Case.refuses(#"{"x-max-utf8-octets": 5}"#, #""日本""#, " x-max-utf8-octets")
        + Case.accepts(#"{"minimum": 1, "maximum": 500}"#, "1", "500", "1.5", #""x""#)
        + Case.refuses(#"{"minimum": 1, "maximum": 500}"#, "0", " minimum")
        + Case.refuses(#"{"minimum": 1, "maximum": 500}"#, "500.5", " maximum")
        + Case.refuses(#"{"maximum": 9007199254740992}"#, "9007199254740993", " maximum")
        + Case.refuses(#"{"maximum": 5}"#, "1e400", " maximum")

    static let formats: [Case] =
        Case.accepts(
            #"{"format": "date"}"#,
            #""2025-01-31""#,
            #""2024-02-29""#,
            #""2000-02-29""#,
            #""0001-01-01""#,
            #""9999-12-31""#
        )
        + [
            "2025-02-29", "1900-02-29", "0000-01-01", "2025-13-01", "2025-00-10", "2025-04-31",
            "2025-1-01", "01-01-2025", "2025-01-01T00:00:00Z", "2025/01/01", " 2025-01-01", "",
        ]
        .flatMap { Case.refuses(#"{"format": "date"}"#, "\"\($0)\"", " format") }
        + Case.accepts(
            #"{"format": "date-time"}"#,
            #""2025-01-10T03:04:05Z""#,
            #""2025-01-10T03:04:05.123456789Z""#,
            #""2025-01-10T23:59:59+10:00""#,
            #""2025-01-10t03:04:05z""#
        )
        + [
            "2025-01-10T03:04:60Z", "2025-01-10T24:00:00Z", "2025-01-10T03:04:05", "2025-01-10",
            "2025-01-10 03:04:05Z", "2025-01-10T03:04:05.Z", "2025-01-10T03:04:05+1000",
            "2025-01-10T03:04:05+24:00", "2025-02-30T03:04:05Z", "2025-01-10T03:04:05Zx",
            "2025-01-10T03:04:05.",
        ]
        .flatMap { Case.refuses(#"{"format": "date-time"}"#, "\"\($0)\"", " format") }
        + Case.accepts(#"{"format": "uuid"}"#, #""989dd0c7-13bb-4bba-b7a0-53a28bdf5155""#)
        + [
            "989dd0c7-13bb-4bba-b7a0-53a28bdf515", "989dd0c713bb4bbab7a053a28bdf5155",
            "989dd0c7-13bb-4bba-b7a0-53a28bdf515g",
        ]
        .flatMap { Case.refuses(#"{"format": "uuid"}"#, "\"\($0)\"", " format") }
        + Case.accepts(
            #"{"format": "uri"}"#,
            #""https://example.com/a%20b?c=d#e""#,
            #""urn:a""#
        )
        + ["example.com", "https://exa mple.com", "://x", "1a:b", "https://a/%2", "a:", "a:é"]
        .flatMap { Case.refuses(#"{"format": "uri"}"#, "\"\($0)\"", " format") }
        + Case.accepts(#"{"format": "int32"}"#, "2147483647", "-2147483648", "1.5")
        + Case.refuses(#"{"format": "int32"}"#, "2147483648", " format")
        + Case.accepts(#"{"format": "int64"}"#, "9223372036854775807")
        + Case.refuses(#"{"format": "int64"}"#, "9223372036854775808", " format")

    static let structures: [Case] =
        Case.accepts(#"{"items": {"type": "string"}, "minItems": 1, "maxItems": 2}"#, #"["a"]"#)
        + Case.refuses(#"{"items": {"type": "string"}, "minItems": 1}"#, "[]", " minItems")
        + Case.accepts(
            #"{"minProperties": 1, "maxProperties": 2}"#,
            #"{"a": 1}"#,
            #"{"a": 1, "b": 2}"#
        )
        + Case.refuses(#"{"minProperties": 1}"#, "{}", " minProperties")
        + Case.refuses(#"{"maxProperties": 0}"#, #"{"a": 1}"#, " maxProperties")
        + Case.refuses(
            #"{"items": {"type": "string"}, "maxItems": 2}"#,
            #"["a", 1, "b"]"#,
            " maxItems",
            "/1 type"
        )
        + Case.accepts(#"{"properties": {"a": {"type": "string"}}}"#, #"{"b": 1}"#, "{}")
        + Case.refuses(
            #"{"properties": {"a": {"type": "string"}, "~/": {"type": "null"}},"#
                + #" "required": ["c", "a"]}"#,
            #"{"~/": 1, "a": 2}"#,
            "/c required",
            "/~0~1 type",
            "/a type"
        )
        + Case.refuses(
            #"{"properties": {"name": {}}, "additionalProperties": false}"#,
            #"{"nmae": 1, "name": 2}"#,
            "/nmae additionalProperties"
        )
        + Case.refuses(
            #"{"additionalProperties": {"type": "integer"}}"#,
            #"{"a": 1, "b": "x"}"#,
            "/b type"
        )
        + Case.refuses(
            ##"{"$ref": "#/components/schemas/Tree"}"##,
            #"{"children": [{"children": [{"name": 1}]}]}"#,
            "/children/0/children/0/name type"
        )
        + Case.refuses(
            ##"{"$ref": "#/components/schemas/Tree/properties/name", "maxLength": 1}"##,
            #""ab""#,
            " maxLength"
        )
        + Case.refuses(
            #"{"allOf": [{"minimum": 2}, {"maximum": 0}]}"#,
            "1",
            " minimum",
            " maximum"
        )

    static let alternatives: [Case] =
        Case.accepts(#"{"anyOf": [{"type": "string"}, {"minimum": 3}]}"#, #""a""#, "3")
        + Case.refuses(#"{"anyOf": [{"type": "string"}, {"minimum": 3}]}"#, "2", " minimum")
        + Case.accepts(
            ##"{"oneOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}"##,
            "null",
            "{}"
        )
        // The branch of the same type is the one that was meant.
        + Case.refuses(
            ##"{"oneOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}"##,
            #"{"name": 1}"#,
            "/name type"
        )
        + Case.refuses(
            ##"{"oneOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}"##,
            "1",
            " oneOf"
        )
        + Case.refuses(
            #"{"oneOf": [{"minimum": 1}, {"minimum": 2}]}"#,
            "3",
            " oneOf"
        )
        + Case.refuses(
            #"{"oneOf": [{"type": "object", "required": ["a", "b"]},"#
                + #" {"type": "object", "required": ["c"]}]}"#,
            #"{}"#,
            "/c required"
        )

    static let closed: [Case] =
        Case.accepts(
            ##"{"allOf": [{"$ref": "#/components/schemas/Tree"}], "properties": {"extra": {}},"##
                + #" "unevaluatedProperties": false}"#,
            #"{"name": "n", "children": [], "extra": 1}"#
        )
        + Case.refuses(
            ##"{"allOf": [{"$ref": "#/components/schemas/Tree"}], "properties": {"extra": {}},"##
                + #" "unevaluatedProperties": false}"#,
            #"{"nam": "n", "extra": 1}"#,
            "/nam unevaluatedProperties"
        )
        // Only the object itself is closed, not what is in it.
        + Case.accepts(
            ##"{"$ref": "#/components/schemas/Tree", "unevaluatedProperties": false}"##,
            #"{"children": [{"other": 1}]}"#
        )

    @Test(
        "A value is valid just when it keeps every keyword",
        arguments: types + scalars + formats + structures + alternatives + closed
    )
    func validation(_ example: Case) throws {
        let schema = try #require(try Self.schema(example.schema))
        let value = try JSONParser.parse(example.value.utf8)
        #expect(schema.violations(of: value).map(\.brief) == example.expected)
    }

    static func schema(_ text: String) throws -> Schema? {
        let contract = try TestContract.make(
            components: #"""
                "schemas": {"Test": \#(text),
                  "Tree": {"type": "object", "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}}
                """#
        )
        return contract.namedSchema("Test")
    }

    struct Matching: Sendable, CustomTestStringConvertible {
        let pattern: String
        let matching: [String]
        let others: [String]
        var testDescription: String { pattern }
    }

    static let patterns = [
        Matching(
            pattern: #"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$"#,
            matching: ["00:00:00", "19:59:59", "23:00:01"],
            others: [
                "24:00:00", "1:00:00", "12:60:00", "12:00:00 ", " 12:00:00", "12:00", "１２:00:00",
            ]
        ),
        Matching(
            pattern: #"\S"#,
            matching: ["a", "  b ", "\u{200B}"],
            others: ["", " ", "\t\n\r", "\u{00A0}\u{3000}\u{FEFF}\u{2028}"]
        ),
        Matching(
            pattern: #"^[\x21-\x7e]+$"#,
            matching: ["!", "~abc"],
            others: ["", "a b", "é", "a\u{7F}"]
        ),
        Matching(pattern: "b", matching: ["b", "abc"], others: ["", "ac", "B"]),
        Matching(pattern: "^a|b$", matching: ["ax", "xb", "a", "b"], others: ["xa", "bx", ""]),
        Matching(
            pattern: "^(ab){2,3}$",
            matching: ["abab", "ababab"],
            others: ["ab", "abababab", "aba"]
        ),
        Matching(pattern: "^a{2,}$", matching: ["aa", "aaaa"], others: ["a", ""]),
        Matching(
            pattern: "^a{3}b?c*$",
            matching: ["aaa", "aaab", "aaabcc"],
            others: ["aa", "aaabb"]
        ),
        Matching(pattern: #"^[^\d\s]$"#, matching: ["x", "😀"], others: ["1", " ", ""]),
        Matching(
            pattern: #"^[\w.-]+@\w+\.com$"#,
            matching: ["a.b-c@d_e.com"],
            others: ["a@b,com", "@b.com"]
        ),
        Matching(pattern: "^.$", matching: ["x", "é", "😀"], others: ["\n", "", "ab", "e\u{301}"]),
        Matching(pattern: "^(?:|x)$", matching: ["", "x"], others: ["y"]),
        Matching(
            pattern: #"^\u00e9[\]\-\\]$"#,
            matching: ["é]", "é-", "é\\"],
            others: ["é", "e]"]
        ),
        Matching(pattern: "", matching: ["", "a"], others: []),
        // Exponential for engines that go back: linear here.
        Matching(
            pattern: "^((a|a)*|(a*)*)*$",
            matching: [String(repeating: "a", count: 2_000)],
            others: [String(repeating: "a", count: 2_000) + "b"]
        ),
    ]

    @Test("A pattern is searched as ECMA-262 has it", arguments: patterns)
    func pattern(_ example: Matching) throws {
        let keyword = JSONWriter.text(of: .string(example.pattern))
        let schema = try #require(try Self.schema("{\"pattern\": \(keyword)}"))
        for text in example.matching {
            #expect(schema.violations(of: .string(text)) == [], "\(text.debugDescription)")
        }
        for text in example.others {
            #expect(
                schema.violations(of: .string(text)).map(\.keyword) == ["pattern"],
                "\(text.debugDescription)"
            )
        }
    }

    @Test("A violation points at the rule in the document, through references")
    func contractPointer() throws {
        let schema = try #require(
            try Self.schema(##"{"items": {"$ref": "#/components/schemas/Tree"}}"##)
        )
        let violation = try #require(
            schema.violations(of: [["name": true]]).first
        )
        #expect(violation.name == "/0/name")
        #expect(
            violation.contractPointer.description == "/components/schemas/Tree/properties/name/type"
        )
        #expect(violation.expected == "string")
        #expect(violation.message == "Send a string, not a boolean.")
    }

    @Test(
        "Free text is never quoted, and enumerated values and dates at most 64 characters of them"
    )
    func quoting() throws {
        let secret = "Jane Doe, 220000"
        for keyword in [
            #""maxLength": 3"#, #""pattern": "^x$""#, #""x-max-utf8-octets": 1"#,
            #""format": "uuid""#,
            #""format": "uri""#, #""type": "integer""#,
        ] {
            let schema = try #require(try Self.schema("{\(keyword)}"))
            let violation = try #require(schema.violations(of: .string(secret)).first)
            #expect(!violation.message.contains("Jane"))
            #expect(violation.safeValue == nil)
        }
        let long = String(repeating: "é", count: 200)
        let schema = try #require(try Self.schema(#"{"enum": ["A"]}"#))
        let violation = try #require(schema.violations(of: .string(long)).first)
        #expect(violation.safeValue == String(repeating: "é", count: 64) + "…")
        #expect(violation.message == "Send A; not \"\(String(repeating: "é", count: 64))…\".")
    }

    @Test("A text with the same slip everywhere is told a hundred times at most")
    func flood() throws {
        let schema = try #require(try Self.schema(#"{"items": {"type": "string"}}"#))
        let value = JSONValue.array(Array(repeating: 1, count: 10_000))
        #expect(schema.violations(of: value).count == 100)
    }
}
