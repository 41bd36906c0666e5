import HTTPMessage
import Testing

@Suite("Field syntax")
struct FieldSyntaxTests {
    private func octets(_ text: String) -> ArraySlice<UInt8> {
        Array("<\(text)>".utf8)[1...].dropLast()
    }

    private func text(_ octets: some Sequence<UInt8>) -> String {
        String(decoding: Array(octets), as: UTF8.self)
    }

    @Test("A token octet is one of the RFC's 77")
    func tokenOctets() {
        let named = Set("!#$%&'*+-.^_`|~".utf8)
        var count = 0
        for octet in UInt8.min...UInt8.max {
            let isAlphanumeric =
                (48...57).contains(octet) || (65...90).contains(octet) || (97...122).contains(octet)
            #expect(FieldSyntax.isTokenOctet(octet) == (isAlphanumeric || named.contains(octet)))
            count += FieldSyntax.isTokenOctet(octet) ? 1 : 0
        }
        #expect(count == 77)
        #expect(FieldSyntax.isToken(octets("a-b")))
        #expect(!FieldSyntax.isToken(octets("")))
        #expect(!FieldSyntax.isToken(octets("a b")))
    }

    @Test(
        "A list is split at commas outside quotes, and empty elements are dropped",
        arguments: [
            ("a, b", ["a", "b"]), ("", []), (" , ,", []), ("a,,b\t,", ["a", "b"]),
            ("\"a,b\", c", ["\"a,b\"", "c"]), ("\"a\\\",b\",c", ["\"a\\\",b\"", "c"]),
            ("\"a", nil), ("\"a\\", nil),
        ] as [(String, [String]?)]
    )
    func lists(_ value: String, expected: [String]?) {
        #expect(FieldSyntax.listElements(octets(value))?.map(text) == expected)
    }

    @Test("A list names a word without regard to case")
    func listNames() {
        #expect(FieldSyntax.list(octets("keep-alive, Close"), names: "close"))
        #expect(!FieldSyntax.list(octets("closed"), names: "close"))
        #expect(!FieldSyntax.list(octets("\"close"), names: "close"))
    }

    @Test(
        "A quoted-string is read without quotes and escapes",
        arguments: [
            ("\"\"", ""), ("\"a b\"", "a b"), ("\"a\\\"\\\\b\"", "a\"\\b"), ("\"", nil), ("a", nil),
            ("\"a\"b\"", nil), ("\"a\\\"", nil), ("\"\u{1}\"", nil),
        ] as [(String, String?)]
    )
    func quotedStrings(_ value: String, expected: String?) {
        #expect(FieldSyntax.quotedString(octets(value)).map { text($0) } == expected)
    }

    @Test(
        "A media type is type, subtype and parameters",
        arguments: [
            ("application/json", "application/json []"),
            ("Text/HTML; Charset=UTF-8", "text/html [charset=UTF-8]"),
            (
                "multipart/form-data;boundary=\"a;b\" ; c=d;",
                "multipart/form-data [boundary=a;b, c=d]"
            ),
            ("application/problem+json ;x=1", "application/problem+json [x=1]"),
            ("", nil), ("json", nil), ("a/", nil), ("/b", nil), ("a/b c", nil), ("a/b; c", nil),
            ("a/b; c=", nil), ("a/b; c =d", nil), ("a/b; c=\"d", nil), ("a/b, c/d", nil),
        ] as [(String, String?)]
    )
    func mediaTypes(_ value: String, expected: String?) {
        let mediaType = MediaType(octets(value))
        let described = mediaType.map { type in
            let parameters = type.parameters.map { "\($0.name)=\($0.value)" }
            return "\(type.essence) [\(parameters.joined(separator: ", "))]"
        }
        #expect(described == expected)
    }

    @Test("A parameter is found by its name in lower case")
    func parameterLookup() throws {
        let type = try #require(MediaType(octets("a/b;X=1;x=2")))
        #expect(type.parameter("x") == "1")
        #expect(type.parameter("y") == nil)
    }
}
