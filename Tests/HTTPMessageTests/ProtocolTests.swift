import HTTPMessage
import Testing

// A row per rule, named by RFC and section. Rows that a head alone decides and that
// RequestParserTests has already are not repeated; these go through framing and content to the
// next message, as a connection does.

extension Feeding {
    /// Feeds octets to a parser and to decoders of content.
    ///
    /// - Parameter maximumContentOctets: More is refused, announced or not.
    func messages(of octets: [UInt8], maximumContentOctets: Int = 64) -> MessageTranscript {
        var reader = MessageReader(maximumContentOctets: maximumContentOctets)
        var end = 0
        do throws(MessageError) {
            while end < octets.count {
                switch self {
                case .whole: end = octets.count
                case .octetByOctet: end += 1
                case .inThirds: end = min(octets.count, end + max(1, octets.count / 3))
                }
                try reader.advance(octets[..<end])
            }
        } catch {
            reader.transcript.error = error
            return reader.transcript
        }
        reader.transcript.leftover = octets.count - reader.start
        return reader.transcript
    }
}

@Suite("HTTP/1.1, a row per rule")
struct ProtocolTests {
    struct Row: CustomTestStringConvertible, Sendable {
        /// RFC and section.
        let section: String
        let rule: String
        let octets: [UInt8]
        /// The messages that are taken, each in a line.
        let messages: [String]
        /// What is refused after them.
        let error: MessageError?

        var testDescription: String { "\(section): \(rule)" }
    }

    static let rows =
        framingRows + chunkedRows + requestLineRows + targetRows + hostRows + fieldRows
        + connectionRows + expectationRows

    @Test(
        "Messages are told apart alike, however they arrive and whatever stands behind them",
        arguments: rows,
        Feeding.allCases
    )
    func messages(_ row: Row, feeding: Feeding) {
        let before = Array("PUT /before HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\nB".utf8)
        let next = Array("GET /next HTTP/1.1\r\nHost: n\r\n\r\n".utf8)
        let first = "PUT /before 1.1 Host=<b> Content-Length=<1> length 1 [B]"
        #expect(
            feeding.messages(of: row.octets)
                == MessageTranscript(messages: row.messages, error: row.error)
        )
        let behind = row.error == nil ? ["GET /next 1.1 Host=<n>"] : []
        #expect(
            feeding.messages(of: before + row.octets + next)
                == MessageTranscript(messages: [first] + row.messages + behind, error: row.error)
        )
    }

    @Test("A message that has not ended is no error", arguments: rows.filter { $0.error == nil })
    func prefixes(_ row: Row) {
        for end in row.octets.indices {
            let transcript = Feeding.whole.messages(of: Array(row.octets[..<end]))
            #expect(transcript.error == nil)
            #expect(transcript.messages.count < row.messages.count)
        }
    }

    @Test("Each rule stands in one row")
    func distinct() {
        #expect(Set(Self.rows.map(\.testDescription)).count == Self.rows.count)
        #expect(Set(Self.rows.map(\.octets)).count == Self.rows.count)
    }

    // MARK: Every octet in every place

    /// `tchar` (9110 §5.6.2), written out as the RFC has it.
    static let tokenOctets = Set(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8
    )

    /// The error, or `nil`, for an octet between two texts.
    private func error(_ before: String, _ octet: UInt8, _ after: String) -> MessageError? {
        Feeding.whole.messages(of: Array(before.utf8) + [octet] + Array(after.utf8)).error
    }

    @Test("9110 §5.1: a field name is a token, octet for octet", arguments: UInt8.min...UInt8.max)
    func fieldNameOctets(octet: UInt8) {
        let error = error("GET / HTTP/1.1\r\nHost: h\r\nA", octet, "B: c\r\n\r\n")
        // A colon ends the name, and what follows is the value.
        let isFine = Self.tokenOctets.contains(octet) || octet == UInt8(ascii: ":")
        #expect((error == nil) == isFine)
    }

    @Test("9110 §5.5: a value has no control characters", arguments: UInt8.min...UInt8.max)
    func fieldValueOctets(octet: UInt8) {
        let isFine = octet == 9 || (octet >= 32 && octet != 127)
        #expect((error("GET / HTTP/1.1\r\nHost: h\r\nA: b", octet, "c\r\n\r\n") == nil) == isFine)
        #expect((error("GET / HTTP/1.1\r\nHost: h\r\nA:", octet, "\r\n\r\n") == nil) == isFine)
    }

    @Test(
        "9110 §9.1: a method is a token, and an unknown one is told from none",
        arguments: UInt8.min...UInt8.max
    )
    func methodOctets(octet: UInt8) {
        let error = error("GE", octet, "T / HTTP/1.1\r\nHost: h\r\n\r\n")
        switch octet {
        case _ where Self.tokenOctets.contains(octet): #expect(error == .unknownMethod)
        case UInt8(ascii: "\r"): #expect(error == .bareCarriageReturn)
        case UInt8(ascii: "\n"): #expect(error == .bareLineFeed)
        case UInt8(ascii: " "): #expect(error?.suggestedStatus == 400)
        default: #expect(error == .malformedMethod)
        }
    }

    @Test("9112 §3.2: a target is visible ASCII", arguments: UInt8.min...UInt8.max)
    func targetOctets(octet: UInt8) {
        let error = error("GET /a", octet, "b HTTP/1.1\r\nHost: h\r\n\r\n")
        let isFine = (0x21...0x7E).contains(octet) && octet != UInt8(ascii: "#")
        #expect((error == nil) == isFine)
        #expect(error == nil || error?.suggestedStatus == 400)
    }

    /// Octets are looked at eight or more at a time: the one that is wrong may stand anywhere in them.
    @Test("A wrong octet is found in every place of a long text", arguments: 0..<100)
    func everyPlace(place: Int) {
        let before = String(repeating: "a", count: place)
        let after = String(repeating: "~", count: 99 - place)
        let behind = " HTTP/1.1\r\nHost: h\r\n\r\n"
        for octet: UInt8 in [0x00, 0x1F, 0x7F] {
            #expect(error("GET /" + before, octet, after + behind) == .malformedTarget)
            let value = error(
                "GET / HTTP/1.1\r\nHost: h\r\nA: b" + before,
                octet,
                after + "\r\n\r\n"
            )
            #expect(value == .malformedFieldValue)
        }
        #expect(error("GET /" + before, UInt8(ascii: "#"), after + behind) == .malformedTarget)
        #expect(error("GET /" + before, 0xE9, after + behind) == .malformedTarget)
        // Not a control character, and allowed in a value (9110 §5.5).
        #expect(
            error("GET / HTTP/1.1\r\nHost: h\r\nA: b" + before, 0xE9, after + "\r\n\r\n") == nil
        )
        #expect(error("GET /" + before, UInt8(ascii: "?"), after + behind) == nil)
    }

    @Test("3986 §3.2.2: a host is a reg-name, octet for octet", arguments: UInt8.min...UInt8.max)
    func hostOctets(octet: UInt8) {
        let unreserved = Set("-._~".utf8)
        let delimiters = Set("!$&'()*+,;=".utf8)
        let isAlphanumeric =
            (48...57).contains(octet) || (65...90).contains(octet) || (97...122).contains(octet)
        let host = error("GET / HTTP/1.1\r\nHost: a", octet, "1\r\n\r\n")
        let target = error("GET http://a", octet, "1/ HTTP/1.1\r\nHost: a\r\n\r\n")
        switch octet {
        case _ where isAlphanumeric || unreserved.contains(octet) || delimiters.contains(octet),
            UInt8(ascii: ":"):
            #expect(host == nil)
            #expect(target == nil)
        case UInt8(ascii: "/"), UInt8(ascii: "?"):
            #expect(host == .malformedHost)
            #expect(target == nil, "the path or the query begins")
        default:
            #expect(host != nil)
            #expect(target != nil)
        }
    }

    @Test("9112 §7.1: a chunk size is hexadecimal, octet for octet", arguments: 0...255)
    func chunkSizeOctets(octet: Int) {
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        let error = error(head, UInt8(octet), "\r\n")
        let isDigit = Set("0123456789abcdefABCDEF".utf8).contains(UInt8(octet))
        #expect((error == nil) == isDigit)
    }

    @Test(
        "9112 §2.3: the version is digits, octet for octet",
        arguments: UInt8.min...UInt8.max
    )
    func versionOctets(octet: UInt8) {
        let isDigit = (48...57).contains(octet)
        let minor = error("GET / HTTP/1.", octet, "\r\nHost: h\r\n\r\n")
        #expect((minor == nil) == isDigit)
        let major = error("GET / HTTP/", octet, ".1\r\nHost: h\r\n\r\n")
        switch octet {
        case UInt8(ascii: "1"): #expect(major == nil)
        case _ where isDigit: #expect(major == .unsupportedVersion)
        default: #expect(major?.suggestedStatus == 400)
        }
    }
}

// MARK: - Rows

extension ProtocolTests {
    static func takes(
        _ section: String,
        _ rule: String,
        _ text: String,
        _ messages: String...
    ) -> Row {
        Row(section: section, rule: rule, octets: Array(text.utf8), messages: messages, error: nil)
    }

    static func refuses(
        _ section: String,
        _ rule: String,
        _ text: String,
        _ error: MessageError
    ) -> Row {
        Row(section: section, rule: rule, octets: Array(text.utf8), messages: [], error: error)
    }

    /// A request with these field lines behind a good request line and Host, and this content.
    static func post(_ lines: String, _ content: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: h\r\n\(lines)\r\n\r\n\(content)"
    }

    /// A request with chunked content.
    static func chunked(_ coded: String) -> String { post("Transfer-Encoding: chunked", coded) }

    static func chunkedLine(_ content: String) -> String {
        "POST / 1.1 Host=<h> Transfer-Encoding=<chunked> chunked [\(content)]"
    }

    static func get(_ target: String, host: String = "h") -> String {
        "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
    }

    static func version(_ text: String) -> String { "GET / \(text)\r\nHost: h\r\n\r\n" }

    static func method(_ text: String) -> String { "\(text) / HTTP/1.1\r\nHost: h\r\n\r\n" }

    static let framingRows: [Row] = [
        takes(
            "9112 §6.2",
            "content is as long as its length says, and looks like nothing else",
            post("Content-Length: 18", "GET / HTTP/1.1\r\n\r\n"),
            "POST / 1.1 Host=<h> Content-Length=<18> length 18 [GET / HTTP/1.1\r\n\r\n]"
        ),
        takes(
            "9112 §6.3",
            "without a framing field there is no content, in POST neither",
            post("A: b"),
            "POST / 1.1 Host=<h> A=<b>"
        ),
        takes(
            "9110 §9.3.1",
            "GET may have content, which is skipped to its end",
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nGET ",
            "GET / 1.1 Host=<h> Content-Length=<4> length 4 [GET ]"
        ),
        takes(
            "9110 §9.3.2",
            "HEAD may have content too",
            "HEAD / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            "HEAD / 1.1 Host=<h> Transfer-Encoding=<chunked> chunked [a]"
        ),
        takes(
            "9110 §9.3.7",
            "OPTIONS may have content too",
            "OPTIONS * HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na",
            "OPTIONS asterisk  1.1 Host=<h> Content-Length=<1> length 1 [a]"
        ),
        takes(
            "9112 §6.2",
            "white space around a length is none of it",
            post("Content-Length: \t 1 \t", "a"),
            "POST / 1.1 Host=<h> Content-Length=<1> length 1 [a]"
        ),
        takes(
            "9110 §5.1",
            "a field name has no case, a framing field's neither",
            post("cONTENT-lENGTH: 1", "a"),
            "POST / 1.1 Host=<h> cONTENT-lENGTH=<1> length 1 [a]"
        ),
        takes(
            "9110 §5.1",
            "a name with an underscore is another name",
            post("Content_Length: 1\r\nTransfer_Encoding: chunked"),
            "POST / 1.1 Host=<h> Content_Length=<1> Transfer_Encoding=<chunked>"
        ),
        takes(
            "9112 §6.1",
            "white space around chunked is none of it",
            post("Transfer-Encoding: \tchunked \t", "0\r\n\r\n"),
            "POST / 1.1 Host=<h> Transfer-Encoding=<chunked> chunked []"
        ),
        takes(
            "9112 §6.3",
            "the largest length that may come is taken",
            post("Content-Length: 64", String(repeating: "x", count: 64)),
            "POST / 1.1 Host=<h> Content-Length=<64> length 64 ["
                + String(repeating: "x", count: 64) + "]"
        ),
        refuses(
            "9110 §15.5.14",
            "one octet more is too large before it comes",
            post("Content-Length: 65"),
            .contentTooLarge(limit: 64)
        ),
        refuses(
            "9112 §6.2",
            "a length above 64 bits does not wrap around",
            post("Content-Length: 18446744073709551617", "a"),
            .contentTooLarge(limit: 64)
        ),
        refuses(
            "9112 §6.2",
            "nor does one above 63 bits",
            post("Content-Length: 9223372036854775809", "a"),
            .contentTooLarge(limit: 64)
        ),
        refuses(
            "9112 §6.2",
            "nor one above 32 bits",
            post("Content-Length: 4294967297", "a"),
            .contentTooLarge(limit: 64)
        ),
        refuses(
            "9110 §8.6",
            "a decimal fraction",
            post("Content-Length: 1.0", "a"),
            .malformedContentLength
        ),
        refuses(
            "9110 §8.6",
            "an exponent",
            post("Content-Length: 1e1", "aaaaaaaaaa"),
            .malformedContentLength
        ),
        refuses(
            "9110 §8.6",
            "a parameter",
            post("Content-Length: 1;a", "a"),
            .malformedContentLength
        ),
        refuses(
            "9110 §8.6",
            "a quoted number",
            post("Content-Length: \"1\"", "a"),
            .malformedContentLength
        ),
        refuses(
            "9110 §8.6",
            "a digit of another script",
            post("Content-Length: \u{661}", "a"),
            .malformedContentLength
        ),
        refuses(
            "9110 §8.6",
            "an underscore between digits",
            post("Content-Length: 1_0", "aaaaaaaaaa"),
            .malformedContentLength
        ),
        refuses(
            "9110 §8.6",
            "an empty element in front",
            post("Content-Length: ,1", "a"),
            .malformedContentLength
        ),
        refuses(
            "9110 §8.6",
            "a number and white space from a vertical tab",
            post("Content-Length: 1\u{B}", "a"),
            .malformedFieldValue
        ),
        refuses(
            "9112 §6.3",
            "a good length before a bad one",
            post("Content-Length: 1\r\nContent-Length: x", "a"),
            .repeatedContentLength
        ),
        refuses(
            "9112 §6.3",
            "three lengths",
            post("Content-Length: 1\r\nA: b\r\nContent-Length: 1\r\nContent-Length: 1", "a"),
            .repeatedContentLength
        ),
        refuses(
            "9112 §6.1",
            "length and coding, however written",
            post("content-LENGTH: 0\r\nA: b\r\ntransfer-ENCODING: CHUNKED", "0\r\n\r\n"),
            .contentLengthWithTransferEncoding
        ),
        refuses(
            "9112 §6.1",
            "a bad length and a coding",
            post("Content-Length: x\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
            .contentLengthWithTransferEncoding
        ),
        refuses(
            "9112 §6.1",
            "two lengths and a coding",
            post(
                "Content-Length: 1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
                "0\r\n\r\n"
            ),
            .repeatedContentLength
        ),
        refuses(
            "9112 §6.1",
            "a coding in HTTP/1.0 with a length",
            "POST / HTTP/1.0\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
            .transferEncodingInHTTP10
        ),
        refuses(
            "9112 §6.1",
            "chunked in quotes",
            post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n"),
            .malformedTransferEncoding
        ),
        refuses(
            "9112 §6.1",
            "chunked with a word beside it",
            post("Transfer-Encoding: chunked x", "0\r\n\r\n"),
            .malformedTransferEncoding
        ),
        refuses(
            "9112 §6.1",
            "chunked and then an unknown coding in a line of its own",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "0\r\n\r\n"),
            .malformedTransferEncoding
        ),
        refuses(
            "9112 §7",
            "identity before chunked",
            post("Transfer-Encoding: identity, chunked", "0\r\n\r\n"),
            .unsupportedTransferCoding
        ),
        refuses(
            "9112 §6.1",
            "an unclosed quote that would hide chunked",
            post("Transfer-Encoding: \"a, chunked", "0\r\n\r\n"),
            .malformedTransferEncoding
        ),
        refuses(
            "9112 §5.1",
            "a coding behind a name with a space",
            post("Transfer-Encoding : chunked", "0\r\n\r\n"),
            .whiteSpaceBeforeColon
        ),
        refuses(
            "9112 §5.2",
            "a coding in a folded line",
            post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
            .lineFolding
        ),
        refuses(
            "9112 §2.2",
            "a coding behind a bare LF",
            post("A: b\nTransfer-Encoding: chunked", "0\r\n\r\n"),
            .bareLineFeed
        ),
        refuses(
            "9112 §2.2",
            "a length behind a bare CR",
            post("A: b\rContent-Length: 1", "a"),
            .bareCarriageReturn
        ),
        refuses(
            "9110 §5.5",
            "a NUL behind chunked",
            post("Transfer-Encoding: chunked\0", "0\r\n\r\n"),
            .malformedFieldValue
        ),
        refuses(
            "9110 §5.1",
            "a NUL in a framing field's name",
            post("Transfer-Encoding\0: chunked", "0\r\n\r\n"),
            .malformedFieldName
        ),
    ]

    static let chunkedRows: [Row] = [
        takes(
            "9112 §7.1",
            "chunks end with the last one, and the next message begins there",
            chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
            chunkedLine("abcde")
        ),
        takes(
            "9112 §7.1",
            "a last chunk of many zeros",
            chunked("1\r\na\r\n0000000\r\n\r\n"),
            chunkedLine("a")
        ),
        takes(
            "9112 §7.1.1",
            "extensions are ignored, quoted ones too",
            chunked("1;a;b=c;d=\"\\\"; e\"\r\na\r\n0;f\r\n\r\n"),
            chunkedLine("a")
        ),
        takes(
            "9112 §7.1.2",
            "trailers cannot bring framing",
            chunked("0\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\nHost: x\r\n\r\n"),
            chunkedLine("")
        ),
        takes(
            "9112 §7.1",
            "content of exactly the maximum",
            chunked("40\r\n\(String(repeating: "x", count: 64))\r\n0\r\n\r\n"),
            chunkedLine(String(repeating: "x", count: 64))
        ),
        refuses(
            "9112 §7.1",
            "a size with a leading plus sign",
            chunked("+1\r\na\r\n0\r\n\r\n"),
            .malformedChunkSize
        ),
        refuses("9112 §7.1", "an empty size line", chunked("\r\n0\r\n\r\n"), .malformedChunkSize),
        refuses(
            "9112 §7.1",
            "a size that is followed by a space",
            chunked("1 \r\na\r\n0\r\n\r\n"),
            .malformedChunkSize
        ),
        refuses(
            "9112 §7.1",
            "a size above 64 bits does not wrap around",
            chunked("10000000000000001\r\na\r\n0\r\n\r\n"),
            .contentTooLarge(limit: 64)
        ),
        refuses(
            "9112 §7.1",
            "nor does one above 32 bits",
            chunked("100000001\r\na\r\n0\r\n\r\n"),
            .contentTooLarge(limit: 64)
        ),
        refuses(
            "9112 §7.1",
            "a chunk that is longer than its size",
            chunked("1\r\nab\r\n0\r\n\r\n"),
            .unterminatedChunk
        ),
        refuses(
            "9112 §7.1",
            "a chunk that is shorter than its size",
            chunked("3\r\na\r\n0\r\n\r\n"),
            .unterminatedChunk
        ),
        refuses(
            "9112 §7.1",
            "a chunk that ends in LF",
            chunked("1\r\na\n0\r\n\r\n"),
            .unterminatedChunk
        ),
        refuses(
            "9112 §2.2",
            "a size line that ends in LF",
            chunked("1\na\r\n0\r\n\r\n"),
            .bareLineFeed
        ),
        refuses(
            "9112 §7.1.1",
            "an extension that hides a line end",
            chunked("1;a=\"\n\"\r\na\r\n0\r\n\r\n"),
            .bareLineFeed
        ),
        refuses(
            "9112 §7.1.1",
            "an extension that hides a CR",
            chunked("1;a\r;b\r\na\r\n0\r\n\r\n"),
            .malformedChunkSize
        ),
        refuses(
            "9112 §7.1.2",
            "a folded trailer",
            chunked("0\r\nA: b\r\n c\r\n\r\n"),
            .lineFolding
        ),
        refuses(
            "9112 §7.1.2",
            "a trailer that is no field line",
            chunked("0\r\nGET / HTTP/1.1\r\n\r\n"),
            .malformedFieldName
        ),
        refuses(
            "9112 §7.1.2",
            "a trailer whose name has a space",
            chunked("0\r\nA : b\r\n\r\n"),
            .whiteSpaceBeforeColon
        ),
        refuses(
            "9112 §7.1.2",
            "a NUL in a trailer",
            chunked("0\r\nA: \0\r\n\r\n"),
            .malformedFieldValue
        ),
    ]

    static let requestLineRows: [Row] = [
        takes(
            "9112 §2.2",
            "an empty line between two messages",
            "\r\n" + get("/a"),
            "GET /a 1.1 Host=<h>"
        ),
        takes(
            "9112 §3",
            "two messages, the first with content",
            post("Content-Length: 2", "ab") + get("/b"),
            "POST / 1.1 Host=<h> Content-Length=<2> length 2 [ab]",
            "GET /b 1.1 Host=<h>"
        ),
        Row(
            section: "9112 §6.3",
            rule: "content that nobody announced is the next message",
            octets: Array(post("Content-Length: 2", "ab {}").utf8),
            messages: ["POST / 1.1 Host=<h> Content-Length=<2> length 2 [ab]"],
            error: .malformedMethod
        ),
        refuses("9112 §2.3", "HTTP/3.0", version("HTTP/3.0"), .unsupportedVersion),
        refuses("9112 §2.3", "HTTP/2.0", version("HTTP/2.0"), .unsupportedVersion),
        refuses("9112 §2.3", "two digits before the dot", version("HTTP/11.1"), .malformedVersion),
        refuses("9112 §2.3", "a missing minor version", version("HTTP/1."), .malformedVersion),
        refuses("9112 §2.3", "a comma for the dot", version("HTTP/1,1"), .malformedVersion),
        refuses("9112 §2.3", "another protocol", version("ICAP/1.0"), .malformedVersion),
        refuses("9112 §2.3", "a letter more", version("HTTPS/1.1"), .malformedVersion),
        refuses("9112 §2.3", "a NUL behind it", version("HTTP/1.1\0"), .malformedVersion),
        refuses("9112 §2.3", "a tab behind it", version("HTTP/1.1\t"), .malformedVersion),
        refuses("9112 §2.3", "the simple request of HTTP/0.9", "GET /\r\n", .malformedRequestLine),
        refuses("9110 §9.1", "PROPFIND is not known here", method("PROPFIND"), .unknownMethod),
        refuses("9110 §9.1", "a beginning of GET", method("GE"), .unknownMethod),
        refuses("9110 §9.1", "more than GET", method("GETS"), .unknownMethod),
        refuses("9110 §9.1", "GET in mixed case", method("Get"), .unknownMethod),
        refuses("9110 §9.1", "a method in quotes", method("\"GET\""), .malformedMethod),
        refuses(
            "9110 §9.1",
            "a method of 300 octets",
            method(String(repeating: "A", count: 300)),
            .unknownMethod
        ),
        refuses("9112 §3", "a form feed between", "GET\u{C}/ HTTP/1.1\r\n\r\n", .malformedMethod),
        refuses(
            "9112 §3",
            "a status line is no request line",
            "HTTP/1.1 200 OK\r\n\r\n",
            .malformedMethod
        ),
        refuses(
            "9112 §3",
            "octets that are not ASCII",
            "\u{20AC} / HTTP/1.1\r\n\r\n",
            .malformedMethod
        ),
    ]

    static let targetRows: [Row] = [
        takes(
            "3986 §6.2.2",
            "dot segments stay",
            get("/a/../b/./c"),
            "GET /a/../b/./c 1.1 Host=<h>"
        ),
        takes("3986 §3.3", "empty segments stay", get("//a//"), "GET //a// 1.1 Host=<h>"),
        takes(
            "3986 §2.1",
            "an escaped NUL stays escaped",
            get("/%00%2e%2e%2f"),
            "GET /%00%2e%2e%2f 1.1 Host=<h>"
        ),
        takes(
            "3986 §3.4",
            "a query may have slashes and question marks",
            get("/a?/b?c"),
            "GET /a?/b?c 1.1 Host=<h>"
        ),
        takes(
            "9112 §3.2.2",
            "an absolute target with another Host is taken for itself",
            get("http://example.org/a"),
            "GET absolute /a 1.1 Host=<h>"
        ),
        takes(
            "9112 §3.2.2",
            "an absolute target in HTTP/1.0",
            "GET http://h/a HTTP/1.0\r\n\r\n",
            "GET absolute /a 1.0 closes"
        ),
        takes(
            "9112 §3.2.2",
            "OPTIONS of an absolute target without a path",
            "OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n",
            "OPTIONS absolute / 1.1 Host=<h>"
        ),
        refuses(
            "9112 §3.2.3",
            "CONNECT to an authority",
            "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
            .connectMethod
        ),
        refuses(
            "9112 §3.2.3",
            "CONNECT to a path",
            "CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n",
            .connectMethod
        ),
        refuses("9112 §3.2.4", "two asterisks", "OPTIONS ** HTTP/1.1\r\n", .misplacedTargetForm),
        refuses("9112 §3.2.4", "HEAD of *", "HEAD * HTTP/1.1\r\n", .misplacedTargetForm),
        refuses("9112 §3.2.2", "one slash after the scheme", get("http:/h/"), .misplacedTargetForm),
        refuses("9112 §3.2.2", "no slash after the scheme", get("http:h"), .misplacedTargetForm),
        refuses("9112 §3.2.2", "a scheme alone", get("http://"), .malformedAuthority),
        refuses("9112 §3.2.2", "a query for a host", get("http://?a"), .malformedAuthority),
        refuses("9110 §4.2.4", "empty user information", get("http://@h/"), .malformedAuthority),
        refuses("9110 §4.2.4", "a password", get("http://a:b@h/"), .malformedAuthority),
        refuses("3986 §3.2.3", "a port of letters", get("http://h:8x/"), .malformedAuthority),
        refuses("3986 §3.2.3", "a port above 65535", get("http://h:65536/"), .malformedAuthority),
        refuses(
            "3986 §3.1",
            "a scheme that begins with a digit",
            get("1://h/"),
            .unsupportedScheme
        ),
        refuses("3986 §3.1", "a file", get("file:///etc/passwd"), .unsupportedScheme),
        refuses("9112 §3.2", "a backslash for the slash", get("\\a"), .misplacedTargetForm),
        refuses("9112 §3.2", "a relative path", get("../a"), .misplacedTargetForm),
        refuses("9112 §3.2", "a fragment alone", get("/#"), .malformedTarget),
    ]

    static let hostRows: [Row] = [
        takes(
            "3986 §3.2.2",
            "an IPv4 address",
            get("/", host: "1.2.3.4"),
            "GET / 1.1 Host=<1.2.3.4>"
        ),
        takes("3986 §3.2.2", "an escaped octet", get("/", host: "a%41"), "GET / 1.1 Host=<a%41>"),
        takes("3986 §3.2.2", "an underscore", get("/", host: "a_b.c"), "GET / 1.1 Host=<a_b.c>"),
        takes(
            "3986 §3.2.3",
            "the highest port",
            get("/", host: "h:65535"),
            "GET / 1.1 Host=<h:65535>"
        ),
        takes(
            "9112 §3.2",
            "a Host that stands last",
            "GET / HTTP/1.1\r\nA: b\r\nHost: h\r\n\r\n",
            "GET / 1.1 A=<b> Host=<h>"
        ),
        takes(
            "9112 §3.2",
            "HTTP/1.0 with a Host",
            "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
            "GET / 1.0 Host=<h> closes"
        ),
        refuses("9112 §3.2", "a Host with a scheme", get("/", host: "http://h"), .malformedHost),
        refuses("9112 §3.2", "a Host with a query", get("/", host: "h?a"), .malformedHost),
        refuses("9112 §3.2", "a Host with a fragment", get("/", host: "h#a"), .malformedHost),
        refuses("9112 §3.2", "a Host with a space", get("/", host: "a b"), .malformedHost),
        refuses("9112 §3.2", "a Host with a backslash", get("/", host: "a\\b"), .malformedHost),
        refuses("9112 §3.2", "a Host with obs-text", get("/", host: "\u{E9}"), .malformedHost),
        refuses("9112 §3.2", "a port alone", get("/", host: ":80"), .malformedHost),
        refuses("9112 §3.2", "two ports", get("/", host: "h:80:80"), .malformedHost),
        refuses("9112 §3.2", "a negative port", get("/", host: "h:-1"), .malformedHost),
        refuses("9112 §3.2", "a signed port", get("/", host: "h:+1"), .malformedHost),
        refuses(
            "9112 §3.2",
            "a port no machine can count to",
            get("/", host: "h:99999999999999999999999"),
            .malformedHost
        ),
        refuses("3986 §3.2.2", "an empty literal", get("/", host: "[]"), .malformedHost),
        refuses("3986 §3.2.2", "text behind a literal", get("/", host: "[::1]a"), .malformedHost),
        refuses(
            "3986 §3.2.2",
            "an address without brackets",
            get("/", host: "::1"),
            .malformedHost
        ),
        refuses("3986 §2.1", "an escape of no digits", get("/", host: "%zz"), .malformedHost),
        refuses(
            "9112 §3.2",
            "two equal Hosts in other case",
            "GET / HTTP/1.1\r\nHost: h\r\nHOST: h\r\n\r\n",
            .repeatedHost
        ),
        refuses(
            "9112 §3.2",
            "an absolute target needs its Host, too",
            "GET http://h/ HTTP/1.1\r\n\r\n",
            .missingHost
        ),
        refuses(
            "9112 §3.2",
            "a malformed Host in HTTP/1.0",
            "GET / HTTP/1.0\r\nHost: a b\r\n\r\n",
            .malformedHost
        ),
    ]

    static let fieldRows: [Row] = [
        takes(
            "9112 §5",
            "white space after the colon is optional",
            post("A:b\r\nC:\t d"),
            "POST / 1.1 Host=<h> A=<b> C=<d>"
        ),
        takes(
            "9110 §5.5",
            "a value may have colons",
            post("A:: b:c"),
            "POST / 1.1 Host=<h> A=<: b:c>"
        ),
        takes(
            "9110 §5.5",
            "white space alone is empty",
            post("A: \t "),
            "POST / 1.1 Host=<h> A=<>"
        ),
        takes(
            "9110 §5.6.2",
            "a name may be any token",
            post("!#$%&'*+-.^_`|~1: a"),
            "POST / 1.1 Host=<h> !#$%&'*+-.^_`|~1=<a>"
        ),
        refuses("9112 §5.2", "a folded empty line", post("A: b\r\n \r\nC: d"), .lineFolding),
        refuses("9112 §5.2", "a fold of white space alone", post("A: b\r\n\t"), .lineFolding),
        refuses("9112 §2.2", "two CRs before LF", post("A: b\r"), .bareCarriageReturn),
        refuses("9112 §2.2", "an LF for the empty line", post("A: b\r\n\n"), .bareLineFeed),
        refuses("9112 §5.1", "no colon but a tab", post("A\tb"), .malformedFieldName),
        refuses("9112 §5", "a line of a colon", post(":"), .malformedFieldName),
        refuses("9110 §5.1", "a name in quotes", post("\"A\": b"), .malformedFieldName),
        refuses("9110 §5.1", "a name with obs-text", post("\u{E9}: b"), .malformedFieldName),
        refuses("9110 §5.5", "an escape character", post("A: \u{1B}[1m"), .malformedFieldValue),
        refuses(
            "9112 §3",
            "a second request line among the fields",
            post("GET / HTTP/1.1"),
            .malformedFieldName
        ),
    ]

    static let connectionRows: [Row] = [
        takes(
            "9112 §9.6",
            "close behind other options",
            post("Connection: keep-alive, Close"),
            "POST / 1.1 Host=<h> Connection=<keep-alive, Close> closes"
        ),
        takes(
            "9112 §9.6",
            "an empty element before close",
            post("Connection: ,close"),
            "POST / 1.1 Host=<h> Connection=<,close> closes"
        ),
        takes(
            "9110 §7.6.1",
            "a word that only begins like close",
            post("Connection: closed, not-close"),
            "POST / 1.1 Host=<h> Connection=<closed, not-close>"
        ),
        takes(
            "9110 §7.6.1",
            "close as another option's value is none",
            post("Connection: a=close"),
            "POST / 1.1 Host=<h> Connection=<a=close>"
        ),
        takes(
            "9110 §7.6.1",
            "the field of proxies says nothing here",
            post("Proxy-Connection: close"),
            "POST / 1.1 Host=<h> Proxy-Connection=<close>"
        ),
        takes(
            "9110 §7.6.1",
            "naming a framing field does not remove it",
            post("Connection: Content-Length\r\nContent-Length: 1", "a"),
            "POST / 1.1 Host=<h> Connection=<Content-Length> Content-Length=<1> length 1 [a]"
        ),
        takes(
            "9112 §9.3",
            "HTTP/1.1 needs no keep-alive",
            post("Connection: keep-alive"),
            "POST / 1.1 Host=<h> Connection=<keep-alive>"
        ),
        takes(
            "9110 §7.8",
            "an upgrade to anything is ignored",
            post("Connection: upgrade\r\nUpgrade: websocket, TLS/1.3"),
            "POST / 1.1 Host=<h> Connection=<upgrade> Upgrade=<websocket, TLS/1.3>"
        ),
    ]

    static let expectationRows: [Row] = [
        takes(
            "9110 §10.1.1",
            "the same expectation twice",
            post("Expect: 100-continue, 100-continue\r\nContent-Length: 1", "a"),
            "POST / 1.1 Host=<h> Expect=<100-continue, 100-continue> Content-Length=<1> length 1"
                + " expects [a]"
        ),
        takes(
            "9110 §10.1.1",
            "an empty expectation is none",
            post("Expect:\r\nContent-Length: 1", "a"),
            "POST / 1.1 Host=<h> Expect=<> Content-Length=<1> length 1 [a]"
        ),
        refuses(
            "9110 §10.1.1",
            "an expectation with a parameter",
            post("Expect: 100-continue;a=b"),
            .unsupportedExpectation
        ),
        refuses(
            "9110 §10.1.1",
            "an expectation in quotes",
            post("Expect: \"100-continue\""),
            .unsupportedExpectation
        ),
        refuses(
            "9110 §10.1.1",
            "another expectation in a second line",
            post("Expect: 100-continue\r\nExpect: a"),
            .unsupportedExpectation
        ),
    ]
}
