import JSON
import Testing

@Suite("JSON")
struct JSONTests {
    @Test(
        "What is valid comes back as it went in",
        arguments: [
            "null", "true", "false", "0", "-0", "1.50", "1e3", "-12.5E-7", "\"\"", "[]", "{}",
            #"{"b":1,"a":[true,null,{"c":"d"}]}"#, #""q\"\\\n\t\r\b\f\u0000\u001f""#,
            "\"é漢𠮷\u{301}\"", "123456789012345678901234567890",
        ]
    )
    func roundTrip(text: String) throws {
        #expect(JSONWriter.text(of: try JSONParser.parse(Array(text.utf8))) == text)
    }

    @Test(
        "Escapes and white space are normalised",
        arguments: [
            (" [ 1 , 2 ]\r\n", "[1,2]"), (#""\u0041\/\uD842\uDFB7""#, "\"A/𠮷\""),
            (#"{ "a" : "\u00e9" }"#, #"{"a":"é"}"#),
        ]
    )
    func normalised(text: String, expected: String) throws {
        #expect(JSONWriter.text(of: try JSONParser.parse(Array(text.utf8))) == expected)
    }

    /// A malformed text and what is wrong with it.
    struct Malformed: Sendable, CustomTestStringConvertible {
        let octets: [UInt8]
        let kind: JSONError.Kind
        var testDescription: String { String(decoding: octets, as: UTF8.self) }

        init(_ text: String, _ kind: JSONError.Kind) {
            octets = Array(text.utf8)
            self.kind = kind
        }

        init(octets: [UInt8], _ kind: JSONError.Kind) {
            self.octets = octets
            self.kind = kind
        }
    }

    static let malformed: [Malformed] = [
        Malformed("", .unexpectedEnd),
        Malformed(" ", .unexpectedEnd),
        Malformed("[1", .unexpectedEnd),
        Malformed("{\"a\"", .unexpectedEnd),
        Malformed("\"a", .unexpectedEnd),
        Malformed("tru", .unexpectedEnd),
        Malformed("[1,]", .unexpectedOctet(0x5D)),
        Malformed("{,}", .unexpectedOctet(0x2C)),
        Malformed("{\"a\":1,}", .unexpectedOctet(0x7D)),
        Malformed("'a'", .unexpectedOctet(0x27)),
        Malformed("NaN", .unexpectedOctet(0x4E)),
        Malformed("1 2", .trailingContent),
        Malformed("{}x", .trailingContent),
        Malformed("01", .malformedNumber),
        Malformed("1.", .malformedNumber),
        Malformed("-", .malformedNumber),
        Malformed("1e", .malformedNumber),
        Malformed("1e+", .malformedNumber),
        Malformed("+1", .unexpectedOctet(0x2B)),
        Malformed(".5", .unexpectedOctet(0x2E)),
        Malformed("\"\\x\"", .invalidEscape),
        Malformed("\"\\u00g0\"", .invalidEscape),
        Malformed("\"a\nb\"", .controlCharacter),
        Malformed("\"\\ud800\"", .loneSurrogate),
        Malformed("\"\\udc00\"", .loneSurrogate),
        Malformed("\"\\ud800\\u0041\"", .loneSurrogate),
        Malformed("{\"a\":1,\"a\":2}", .duplicateMember),
        Malformed("{\"a\":1,\"\\u0061\":2}", .duplicateMember),
        Malformed("\u{FEFF}1", .foreignEncoding(.markedUTF8)),
        Malformed("\u{FEFF}", .foreignEncoding(.markedUTF8)),
        Malformed(octets: [0xEF, 0xBB], .unexpectedOctet(0xEF)),
        Malformed(octets: [0xFE, 0xFF, 0x00, 0x31], .foreignEncoding(.utf16)),
        Malformed(octets: [0xFF, 0xFE, 0x31, 0x00], .foreignEncoding(.utf16)),
        Malformed(octets: [0x00, 0x31], .foreignEncoding(.utf16)),
        Malformed(octets: [0x31, 0x00], .foreignEncoding(.utf16)),
        Malformed(octets: [0x7B, 0x00, 0x7D, 0x00], .foreignEncoding(.utf16)),
        Malformed(octets: [0x00, 0x7B, 0x00, 0x7D], .foreignEncoding(.utf16)),
        Malformed(octets: [0x00, 0x00, 0xFE, 0xFF, 0, 0, 0, 0x31], .foreignEncoding(.utf32)),
        Malformed(octets: [0xFF, 0xFE, 0x00, 0x00, 0x31, 0, 0, 0], .foreignEncoding(.utf32)),
        Malformed(octets: [0x00, 0x00, 0x00, 0x31], .foreignEncoding(.utf32)),
        Malformed(octets: [0x31, 0x00, 0x00, 0x00], .foreignEncoding(.utf32)),
        Malformed(octets: [0x00], .unexpectedOctet(0)),
        Malformed(octets: [0xFF], .unexpectedOctet(0xFF)),
        Malformed(octets: [0x22, 0xC3, 0x28, 0x22], .invalidUTF8),
        Malformed(octets: [0x22, 0xED, 0xA0, 0x80, 0x22], .invalidUTF8),
        Malformed(octets: [0x22, 0x5C, 0x6E, 0xFF, 0x22], .invalidUTF8),
    ]

    @Test("What is malformed is refused, with its kind", arguments: malformed)
    func refused(row: Malformed) {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(row.octets) }
        #expect(error?.kind == row.kind)
    }

    @Test(
        "Whoever wrote a text is told line and column of its fault",
        arguments: [
            ("[1,\n  2,]", "line 2, column 5: unexpected ']'"),
            ("{\"é漢\": x}", "line 1, column 8: unexpected 'x'"),
            ("[1\n\n", "line 3, column 1: the text ends too early"),
            ("[\u{1}]", "line 1, column 2: a character that JSON does not allow here"),
            ("", "there is nothing in it: JSON is expected"),
            ("\t\r\n ", "there is nothing in it: JSON is expected"),
        ]
    )
    func places(text: String, line: String) throws {
        let octets = Array(text.utf8)
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(octets) }
        #expect(error?.explanation(in: octets) == line)
    }

    @Test("Another encoding is named, with what to send")
    func encodings() {
        for (octets, word) in [
            ([0xEF, 0xBB, 0xBF, 0x31], "byte order mark"), ([0x31, 0x00], "UTF-16"),
            ([0x00, 0x00, 0x00, 0x31], "UTF-32"),
        ] as [([UInt8], String)] {
            let error = #expect(throws: JSONError.self) { try JSONParser.parse(octets) }
            #expect(error?.explanation.contains(word) == true)
            #expect(error?.explanation.contains("send UTF-8") == true && error?.offset == 0)
        }
    }

    @Test("The pointer of an error has no name of a million octets")
    func longNames() throws {
        let name = String(repeating: "é", count: 500_000)
        let error = #expect(throws: JSONError.self) {
            try JSONParser.parse(Array(#"{"a":{"\#(name)":[tru]}}"#.utf8))
        }
        let tokens = try #require(error?.pointer.tokens)
        #expect(tokens.first == "a" && tokens.last == "0")
        #expect(tokens[1] == String(repeating: "é", count: 128) + "…")
        #expect(JSONPointer.shownToken("日本") == "日本")
        let exact = String(repeating: "日", count: 128)
        #expect(JSONPointer.shownToken(exact) == exact)
    }

    @Test("Members by the ten thousand are kept in order, and each name once")
    func manyMembers() throws {
        for count in [1, 11, 12, 13, 14, 10_000] {
            let members = (0..<count).map { #""m\#($0)":\#($0)"# }
            let text = "{" + members.joined(separator: ",") + "}"
            let object = try #require(try JSONParser.parse(Array(text.utf8)).object)
            #expect(object.members.map(\.name) == (0..<count).map { "m\($0)" })
            #expect(object["m\(count - 1)"] == .integer(count - 1) && object["m\(count)"] == nil)
            let twice = text.dropLast() + #","m\#(count / 2)":0}"#
            let error = #expect(throws: JSONError.self) { try JSONParser.parse(Array(twice.utf8)) }
            #expect(error?.kind == .duplicateMember)
        }
    }

    @Test("Nesting is bounded, arrays and objects alike")
    func depth() throws {
        let open = [UInt8](repeating: UInt8(ascii: "["), count: 64)
        let close = [UInt8](repeating: UInt8(ascii: "]"), count: 64)
        _ = try JSONParser.parse(open + close)
        let error = #expect(throws: JSONError.self) {
            try JSONParser.parse([UInt8(ascii: "[")] + open + close + [UInt8(ascii: "]")])
        }
        #expect(error?.kind == .tooDeep(limit: 64))
        #expect(throws: JSONError.self) {
            try JSONParser.parse([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
        }
    }

    @Test("A fault is located by pointer and offset")
    func location() {
        let error = #expect(throws: JSONError.self) {
            try JSONParser.parse(Array(#"{"items":[{"a":1},{"b":x}]}"#.utf8))
        }
        #expect(error?.pointer.description == "/items/1/b")
        #expect(error?.offset == 23)
    }

    @Test("Integers are integers however they are spelled")
    func integers() throws {
        #expect(try JSONParser.parse(Array("1.0".utf8)).int == 1)
        #expect(try JSONParser.parse(Array("1e2".utf8)).int == 100)
        #expect(try JSONParser.parse(Array("1.5".utf8)).int == nil)
        #expect(try JSONParser.parse(Array("1e400".utf8)).int == nil)
        for value in [0, 7, -7, Int.max, Int.min] {
            var output: [UInt8] = []
            JSONWriter.append(value, to: &output)
            #expect(String(decoding: output, as: UTF8.self) == String(value))
        }
    }

    @Test("Large objects find their members and keep their order")
    func largeObject() throws {
        var object = JSONObject()
        for index in 0..<100 { object["m\(index)"] = .integer(index) }
        object["m50"] = nil
        #expect(object.count == 99)
        #expect(object["m99"] == 99)
        #expect(object["m50"] == nil)
        #expect(object.members.first?.name == "m0")
    }

    @Test("Every octet that must be escaped is, at every offset of a word")
    func escapes() throws {
        for offset in 0..<17 {
            for scalar in ["\"", "\\", "\u{1}", "\u{1f}", "\u{7f}", "é", " ", "!"] {
                let text =
                    String(repeating: "a", count: offset) + scalar
                    + String(repeating: "b", count: 17 - offset)
                let octets = JSONWriter.octets(of: .string(text))
                #expect(try JSONParser.parse(octets) == .string(text))
            }
        }
    }

    @Test("Pointers are parsed, written and followed as RFC 6901 §5 shows")
    func pointers() throws {
        let document = try JSONParser.parse(
            Array(#"{"foo":["bar","baz"],"":0,"a/b":1,"m~n":8}"#.utf8)
        )
        for (text, value) in [
            ("/foo/0", JSONValue.string("bar")), ("/", 0), ("/a~1b", 1), ("/m~0n", 8),
        ] {
            let pointer = try #require(JSONPointer(parsing: text))
            #expect(pointer.value(in: document) == value)
            #expect(pointer.description == text)
        }
        #expect(JSONPointer(parsing: "/foo/01")?.value(in: document) == nil)
        #expect(JSONPointer(parsing: "foo") == nil)
        #expect(JSONPointer(parsing: "/~2") == nil)
        // A mark that combines with "/" into one character is the token's all the same.
        for token in ["\u{5C2}ient", "\u{301}", "\u{20DD}/~\u{FE0F}"] {
            let pointer = JSONPointer([token, token])
            #expect(JSONPointer(parsing: pointer.description) == pointer)
        }
    }
}
