import Privacy
import Testing

@Suite("Tokens where none belong")
struct TokenScanTests {
    private static let header = "eyJhbGciOiJSUzI1NiJ9"
    private static let token = "\(header).eyJzdWIiOiJhIn0.c2lnbmF0dXJl"

    /// Texts, and whether a token is in them.
    private static let cases: [(text: String, isFound: Bool)] = [
        ("", false), ("eyJ", false), ("J", false), ("yJ", false), ("eyJ.eyJ.eyJ", false),
        (token, true), ("\"\(token)\"", true), ("Bearer \(token) and more", true),
        (".\(token)", true), ("x.\(token)", true),
        // A row that only holds one is an identifier of another kind.
        ("x\(token)", false), ("-\(token)", false),
        ("\(header).\(header)", false), ("\(header).\(header).", false),
        ("\(header).\(header).123456789", false), ("\(header).\(header).1234567890", true),
        ("\(header).\(header) .1234567890", false), ("\(header)..\(header).1234567890", false),
        ("\(header).short.1234567890", false), ("eyJhb.\(header).1234567890", false),
        // The second row begins a token where the first cannot.
        ("eyJhb.\(header).\(header).1234567890", true),
        ("\(header).\(header)\(String(repeating: ".", count: 50))\(token)", true),
    ]

    @Test("A token is found where it stands by itself", arguments: cases.indices)
    func found(index: Int) {
        let (text, isFound) = Self.cases[index]
        #expect(TokenScan.holdsToken(Array(text.utf8)[...]) == isFound, "\(text)")
        // As a slice of something longer, too.
        let wrapped = Array("eyJ\(text)".utf8)
        #expect(TokenScan.holdsToken(wrapped[3...]) == isFound, "\(text)")
    }

    @Test("The value of an excepted name is not looked at")
    func exception() {
        let form = Array("a=b&client_assertion=\(Self.token)".utf8)
        #expect(!TokenScan.holdsToken(form[...], except: "client_assertion"))
        #expect(TokenScan.holdsToken(form[...], except: "assertion_client"))
        #expect(TokenScan.holdsToken(form[...]))
        let other = Array("client_assertion=x&a=\(Self.token)".utf8)
        #expect(TokenScan.holdsToken(other[...], except: "client_assertion"))
    }

    @Test("Where tokens are marked, those without a mark are passed over")
    func marks() {
        let marks = [Array("c3Vi".utf8), Array("aXNz".utf8)]
        for (claims, isFound) in [
            ("eyJzdWIiOiJhIn0", false), ("eyJhc3ViOiJhIn0", true), ("eyJhaXNzOiJhIn0", true),
        ] {
            let other = "\(Self.header).eyJwdWIiOiJhIn0.c2lnbmF0dXJl"
            let text = Array("\(other) \(Self.header).\(claims).c2lnbmF0dXJl \(other)".utf8)
            #expect(TokenScan.holdsToken(text[...], marks: marks) == isFound, "\(claims)")
            let outcome = TokenScan.search(text[...], marks: marks)
            #expect(outcome.octetsVisited <= 4 * text.count)
        }
        // The signature is none of the claims.
        let signed = Array("\(Self.header).eyJzdWIiOiJhIn0.aaaaaaaaaac3Vi".utf8)
        #expect(!TokenScan.holdsToken(signed[...], marks: marks))
    }

    /// Rows that make a careless search begin again and again.
    private static let pieces = [
        "eyJ", "eyJ.", ".eyJ", "eyJ..", "J", "yJ", "eyJeyJ ", "eyJaaaaaaaaaa.",
        "eyJaaaaaaaaaa.eyJaaaaaaaaaa. ", "eyJaaaaaaaaaa.bbbbbbbbbb.ccccccccc ", ".", "a", " eyJ",
        "client_assertion=eyJaaaaaaaaaa.bbbbbbbbbb.cccccccccc&",
    ]

    @Test(
        "No octet is looked at more than three times, whatever the text",
        arguments: pieces
    )
    func work(piece: String) {
        for size in [1, 100, 4096, 1 << 20] {
            let octets = Array(repeatElement(Array(piece.utf8), count: size / piece.utf8.count + 1))
                .flatMap { $0 }
            let outcome = TokenScan.search(octets[...], except: "client_assertion")
            #expect(outcome.octetsVisited <= 3 * octets.count, "\(piece) \(size)")
        }
    }

    @Test("A row of 4 MiB is looked at twice, not by its square")
    func longRow() {
        let row = [UInt8](repeating: UInt8(ascii: "J"), count: 4 << 20)
        let octets = Array("eyJ".utf8) + row
        let outcome = TokenScan.search(octets[...])
        #expect(!outcome.isFound && outcome.octetsVisited <= 2 * octets.count)
    }

    @Test("Any text of the letters of tokens is searched in linear work")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("eyJ.a ".utf8)
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...200, using: &generator)
            let octets = (0..<count).map { _ in letters.randomElement(using: &generator) ?? 0x20 }
            let outcome = TokenScan.search(octets[...])
            #expect(outcome.octetsVisited <= 3 * count)
            #expect(outcome.isFound == Self.isFoundPlainly(octets), "\(octets)")
        }
    }

    /// The rule, tried at each place.
    private static func isFoundPlainly(_ octets: [UInt8]) -> Bool {
        func isOctet(_ octet: UInt8) -> Bool {
            octet != UInt8(ascii: ".") && octet != UInt8(ascii: " ")
        }
        return octets.indices.contains { start in
            guard octets[start...].starts(with: "eyJ".utf8),
                start == 0 || !isOctet(octets[start - 1])
            else { return false }
            let text = octets[start...].prefix { $0 != UInt8(ascii: " ") }
            let rows = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            return rows.count >= 3 && rows.prefix(3).allSatisfy { $0.count >= 10 }
        }
    }

    @Test("A part of a token is a long row that begins like one")
    func parts() {
        let long = "eyJ" + String(repeating: "a", count: 21)
        for (text, isFound) in [
            (long, true), (String(long.dropLast()), false), ("x\(long)", false),
            ("x \(long)", true), (".\(long)", true), ("eyJ \(long)", true), ("", false),
        ] {
            #expect(TokenScan.holdsPart(Array(text.utf8)[...]) == isFound, "\(text)")
        }
    }
}
