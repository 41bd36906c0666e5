import Chance
import HTTPMessage
import Testing

/// What a parser made of octets: a line for each head, then the error or what was left over.
struct ParserTranscript: Equatable, CustomStringConvertible {
    var heads: [String] = []
    var error: MessageError?
    var leftover = 0

    var description: String { "\(heads) \(error.map { "\($0)" } ?? "") +\(leftover)" }
}

enum Feeding: CaseIterable {
    case whole
    case octetByOctet
    case inThirds

    /// Feeds octets to a parser the way a connection would: what is not consumed is shown again.
    ///
    /// Content is skipped by its declared length.
    func transcript(of octets: [UInt8], limits: Limits = Limits()) -> ParserTranscript {
        var parser = RequestParser(limits: limits)
        var transcript = ParserTranscript()
        var start = 0
        var end = 0
        while end < octets.count {
            switch self {
            case .whole: end = octets.count
            case .octetByOctet: end += 1
            case .inThirds: end = min(octets.count, end + max(1, octets.count / 3))
            }
            do throws(MessageError) {
                while start < end {
                    let shown = octets[start..<end]
                    let parsed = try shown.withUnsafeBufferPointer {
                        (octets) throws(MessageError) in
                        try parser.parse(UnsafeRawBufferPointer(octets))
                    }
                    guard let parsed else { break }
                    transcript.heads.append(parsed.head.line)
                    start += parsed.consumed
                    if case .length(let length) = parsed.head.framing { start += length }
                }
            } catch {
                transcript.error = error
                return transcript
            }
        }
        transcript.leftover = max(0, octets.count - start)
        return transcript
    }
}

@Suite("Request parser")
struct RequestParserTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let rule: String
        let octets: [UInt8]
        let head: String?
        let error: MessageError?

        static func takes(_ rule: String, _ text: String, _ head: String) -> Case {
            Case(rule: rule, octets: Array(text.utf8), head: head, error: nil)
        }

        static func refuses(_ rule: String, _ text: String, _ error: MessageError) -> Case {
            Case(rule: rule, octets: Array(text.utf8), head: nil, error: error)
        }

        static func refuses(_ rule: String, octets: [UInt8], _ error: MessageError) -> Case {
            Case(rule: rule, octets: octets, head: nil, error: error)
        }

        var testDescription: String { rule }
    }

    /// A head with these field lines behind a good request line and Host.
    static func fields(_ lines: String, method: String = "POST") -> String {
        "\(method) / HTTP/1.1\r\nHost: h\r\n\(lines)\r\n\r\n"
    }

    static let taken: [Case] = [
        .takes(
            "9112 §3: a request line and a Host",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / 1.1 Host=<h>"
        ),
        .takes(
            "9112 §2.2: one empty line before it",
            "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / 1.1 Host=<h>"
        ),
        .takes(
            "9112 §3.2.1: origin-form with a query",
            "GET /a/b?c=d?e HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /a/b?c=d?e 1.1 Host=<h>"
        ),
        .takes(
            "9112 §3.2.1: an empty query is one",
            "GET /a? HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /a? 1.1 Host=<h>"
        ),
        .takes(
            "9112 §3.2.1: escapes stay as they are",
            "GET /%2F%zz HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /%2F%zz 1.1 Host=<h>"
        ),
        .takes(
            "9112 §3.2.2: absolute-form is reduced to its path",
            "GET http://a:80/b?c HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET absolute /b?c 1.1 Host=<h>"
        ),
        .takes(
            "3986 §3.1: a scheme has no case",
            "GET HTTP://a/b HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET absolute /b 1.1 Host=<h>"
        ),
        .takes(
            "9112 §3.2.2: an empty path is a slash",
            "GET http://a HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET absolute / 1.1 Host=<h>"
        ),
        .takes(
            "9112 §3.2.2: an empty path may have a query",
            "GET http://[::1]:8?q HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET absolute /?q 1.1 Host=<h>"
        ),
        .takes(
            "9112 §3.2.4: asterisk-form is for OPTIONS",
            "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
            "OPTIONS asterisk  1.1 Host=<h>"
        ),
        .takes(
            "9112 §2.3: HTTP/1.0 needs no Host and closes",
            "GET / HTTP/1.0\r\n\r\n",
            "GET / 1.0 closes"
        ),
        .takes(
            "9112 §9.3: HTTP/1.0 closes whatever it asks",
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET / 1.0 Connection=<keep-alive> closes"
        ),
        .takes(
            "9110 §6.2: a higher minor version is 1.1",
            "GET / HTTP/1.9\r\nHost: h\r\n\r\n",
            "GET / 1.1 Host=<h>"
        ),
        .takes("9110 §9.1: HEAD", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "HEAD / 1.1 Host=<h>"),
        .takes("9110 §9.1: PUT", "PUT / HTTP/1.1\r\nHost: h\r\n\r\n", "PUT / 1.1 Host=<h>"),
        .takes(
            "9110 §9.1: DELETE",
            "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n",
            "DELETE / 1.1 Host=<h>"
        ),
        .takes("9110 §9.1: TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", "TRACE / 1.1 Host=<h>"),
        .takes("5789 §2: PATCH", "PATCH / HTTP/1.1\r\nHost: h\r\n\r\n", "PATCH / 1.1 Host=<h>"),
        .takes("10008 §2: QUERY", "QUERY / HTTP/1.1\r\nHost: h\r\n\r\n", "QUERY / 1.1 Host=<h>"),
        .takes(
            "9110 §7.2: a host with a port",
            "GET / HTTP/1.1\r\nhOST: example.org:8080\r\n\r\n",
            "GET / 1.1 hOST=<example.org:8080>"
        ),
        .takes(
            "3986 §3.2.3: a port may be empty",
            "GET / HTTP/1.1\r\nHost: h:\r\n\r\n",
            "GET / 1.1 Host=<h:>"
        ),
        .takes(
            "3986 §3.2.2: an IPv6 literal",
            "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
            "GET / 1.1 Host=<[::1]:80>"
        ),
        .takes(
            "9110 §5.5: white space around a value is not in it",
            fields("A: \t b  c \t "),
            "POST / 1.1 Host=<h> A=<b  c>"
        ),
        .takes("9110 §5.5: a value may be empty", fields("A:"), "POST / 1.1 Host=<h> A=<>"),
        .takes(
            "9110 §5.5: a value may have a tab and obs-text",
            fields("A: b\tc\u{E9}, d e f g h i j k"),
            "POST / 1.1 Host=<h> A=<b\tc\u{E9}, d e f g h i j k>"
        ),
        .takes(
            "9110 §5.3: lines keep order, case and repetition",
            fields("x: 1\r\nY: 2\r\nX: 3"),
            "POST / 1.1 Host=<h> x=<1> Y=<2> X=<3>"
        ),
        .takes(
            "9112 §6.3: a length",
            fields("Content-Length: 0012"),
            "POST / 1.1 Host=<h> Content-Length=<0012> length 12"
        ),
        .takes(
            "9112 §6.3: no content is a length too",
            fields("Content-Length: 0"),
            "POST / 1.1 Host=<h> Content-Length=<0> length 0"
        ),
        .takes(
            "9112 §7: a coding has no case",
            fields("Transfer-Encoding: ChunkeD"),
            "POST / 1.1 Host=<h> Transfer-Encoding=<ChunkeD> chunked"
        ),
        .takes(
            "9110 §5.6.1: empty list elements are nothing",
            fields("Transfer-Encoding: , chunked,"),
            "POST / 1.1 Host=<h> Transfer-Encoding=<, chunked,> chunked"
        ),
        .takes(
            "9112 §9.6: close, somewhere in the list",
            fields("Connection: a\r\nConnection: b , CLOSE"),
            "POST / 1.1 Host=<h> Connection=<a> Connection=<b , CLOSE> closes"
        ),
        .takes(
            "9110 §10.1.1: an expectation",
            fields("Expect: 100-Continue\r\nContent-Length: 1"),
            "POST / 1.1 Host=<h> Expect=<100-Continue> Content-Length=<1> length 1 expects"
        ),
        .takes(
            "9110 §10.1.1: nothing to expect without content",
            fields("Expect: 100-continue"),
            "POST / 1.1 Host=<h> Expect=<100-continue>"
        ),
        .takes(
            "9110 §10.1.1: HTTP/1.0 expects nothing",
            "POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\n",
            "POST / 1.0 Expect=<x> Content-Length=<1> length 1 closes"
        ),
        .takes(
            "9110 §7.8: Upgrade is only a field",
            fields("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c", method: "GET"),
            "GET / 1.1 Host=<h> Connection=<Upgrade, HTTP2-Settings> Upgrade=<h2c>"
        ),
    ]

    static let refused: [Case] = [
        .refuses("8446 §5.1: a TLS handshake", octets: [0x16, 3, 1, 2, 0, 1], .tlsHandshake),
        .refuses(
            "9113 §3.4: the preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            .unsupportedVersion
        ),
        .refuses(
            "9112 §2.2: two empty lines before it",
            "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedRequestLine
        ),
        .refuses(
            "9112 §2.2: an empty line with a bare LF",
            "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            .bareLineFeed
        ),
        .refuses(
            "9112 §2.2: a bare CR before it",
            "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            .bareCarriageReturn
        ),
        .refuses(
            "9112 §2.2: a request line with a bare LF",
            "GET / HTTP/1.1\nHost: h\r\n\r\n",
            .bareLineFeed
        ),
        .refuses(
            "9112 §2.2: a field line with a bare LF",
            "GET / HTTP/1.1\r\nHost: h\n\r\n",
            .bareLineFeed
        ),
        .refuses(
            "9112 §2.2: an empty line with a bare LF at the end",
            "GET / HTTP/1.1\r\nHost: h\r\n\n",
            .bareLineFeed
        ),
        .refuses("9112 §2.2: a CR within a value", fields("A: b\rc"), .bareCarriageReturn),
        .refuses("9112 §2.2: a CR before the CRLF", fields("A: b\r"), .bareCarriageReturn),
        .refuses(
            "9112 §2.2: a CR within the method",
            "GE\rT / HTTP/1.1\r\n\r\n",
            .bareCarriageReturn
        ),
        .refuses(
            "9112 §2.2: white space before the first field",
            "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
            .lineFolding
        ),
        .refuses(
            "9112 §3: white space before the method",
            " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedMethod
        ),
        .refuses(
            "9112 §3: two spaces before the target",
            "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedRequestLine
        ),
        .refuses(
            "9112 §3: two spaces before the version",
            "GET /  HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedVersion
        ),
        .refuses(
            "9112 §3: a space in the target",
            "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedVersion
        ),
        .refuses(
            "9112 §3: a space after the version",
            "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
            .malformedVersion
        ),
        .refuses("9112 §3: a tab between", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", .malformedMethod),
        .refuses("9112 §3: no version", "GET /\r\n\r\n", .malformedRequestLine),
        .refuses("9112 §3: a method alone", "GET\r\n\r\n", .malformedRequestLine),
        .refuses(
            "9112 §3.1: a method that is no token",
            "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedMethod
        ),
        .refuses(
            "9110 §9.1: a method nobody defines",
            "BREW / HTTP/1.1\r\nHost: h\r\n\r\n",
            .unknownMethod
        ),
        .refuses(
            "9110 §9.1: a long method nobody defines",
            "PROPPATCHES / HTTP/1.1\r\nHost: h\r\n\r\n",
            .unknownMethod
        ),
        .refuses(
            "9110 §9.1: methods have case",
            "get / HTTP/1.1\r\nHost: h\r\n\r\n",
            .unknownMethod
        ),
        .refuses(
            "9110 §9.3.6: CONNECT is for proxies",
            "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
            .connectMethod
        ),
        .refuses(
            "9112 §2.3: the version has case",
            "GET / http/1.1\r\nHost: h\r\n\r\n",
            .malformedVersion
        ),
        .refuses(
            "9112 §2.3: the version without a minor one",
            "GET / HTTP/2\r\nHost: h\r\n\r\n",
            .malformedVersion
        ),
        .refuses("9112 §2.3: digits alone", "GET / HTTP/1.x\r\nHost: h\r\n\r\n", .malformedVersion),
        .refuses(
            "9112 §2.3: one digit each",
            "GET / HTTP/1.10\r\nHost: h\r\n\r\n",
            .malformedVersion
        ),
        .refuses(
            "9110 §15.6.6: another major version",
            "GET / HTTP/0.9\r\nHost: h\r\n\r\n",
            .unsupportedVersion
        ),
        .refuses(
            "9112 §3.2: a raw octet above ASCII",
            "GET /\u{E9} HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedTarget
        ),
        .refuses("9112 §3.2: a NUL", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
        .refuses("9112 §3.2: a DEL", "GET /\u{7F} HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
        .refuses(
            "9110 §4.2.5: a fragment",
            "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedTarget
        ),
        .refuses(
            "9112 §3.2.1: a path without its slash",
            "GET a/b HTTP/1.1\r\nHost: h\r\n\r\n",
            .misplacedTargetForm
        ),
        .refuses(
            "9112 §3.2.1: a query without a path",
            "GET ?a HTTP/1.1\r\nHost: h\r\n\r\n",
            .misplacedTargetForm
        ),
        .refuses(
            "9112 §3.2.3: authority-form without CONNECT",
            "GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
            .misplacedTargetForm
        ),
        .refuses(
            "9112 §3.2.4: an asterisk without OPTIONS",
            "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
            .misplacedTargetForm
        ),
        .refuses(
            "9112 §3.2.4: more than an asterisk",
            "OPTIONS *? HTTP/1.1\r\nHost: h\r\n\r\n",
            .misplacedTargetForm
        ),
        .refuses(
            "9112 §3.2.2: another scheme",
            "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
            .unsupportedScheme
        ),
        .refuses(
            "9112 §3.2.2: https on a plain port",
            "GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
            .unsupportedScheme
        ),
        .refuses(
            "9110 §4.2.4: user information",
            "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedAuthority
        ),
        .refuses(
            "9110 §4.2.1: an empty host",
            "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n",
            .malformedAuthority
        ),
        .refuses("9112 §3.2: no Host", "GET / HTTP/1.1\r\n\r\n", .missingHost),
        .refuses("9112 §3.2: two Hosts", fields("Host: h"), .repeatedHost),
        .refuses(
            "9112 §3.2: two Hosts in HTTP/1.0",
            "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
            .repeatedHost
        ),
        .refuses("9110 §4.2.1: an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .malformedHost),
        .refuses(
            "9112 §3.2: a Host with a path",
            "GET / HTTP/1.1\r\nHost: h/a\r\n\r\n",
            .malformedHost
        ),
        .refuses(
            "9112 §3.2: a Host with user information",
            "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n",
            .malformedHost
        ),
        .refuses(
            "9112 §3.2: a Host that is a list",
            "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
            .malformedHost
        ),
        .refuses(
            "9112 §3.2: a port of letters",
            "GET / HTTP/1.1\r\nHost: h:a\r\n\r\n",
            .malformedHost
        ),
        .refuses(
            "9112 §3.2: a port too high",
            "GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n",
            .malformedHost
        ),
        .refuses(
            "3986 §3.2.2: a literal without its end",
            "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
            .malformedHost
        ),
        .refuses(
            "3986 §3.2.2: half an escape",
            "GET / HTTP/1.1\r\nHost: a%4\r\n\r\n",
            .malformedHost
        ),
        .refuses("9112 §5: no colon", fields("A b"), .malformedFieldName),
        .refuses("9112 §5: no colon at all", fields("A"), .malformedFieldName),
        .refuses("9112 §5: no name", fields(": a"), .malformedFieldName),
        .refuses("9112 §5: a name that is no token", fields("A@b: c"), .malformedFieldName),
        .refuses(
            "9112 §5.1: white space before the colon",
            fields("Content-Length : 5"),
            .whiteSpaceBeforeColon
        ),
        .refuses("9112 §5.1: a tab before the colon", fields("A\t: 5"), .whiteSpaceBeforeColon),
        .refuses("9112 §5.2: a folded line", fields("A: b\r\n c"), .lineFolding),
        .refuses("9112 §5.2: a line folded with a tab", fields("A: b\r\n\tc: d"), .lineFolding),
        .refuses("9110 §5.5: a NUL in a value", fields("A: b\0"), .malformedFieldValue),
        .refuses(
            "9110 §5.5: a control character in a value",
            fields("A: bcdefghijkl\u{1}"),
            .malformedFieldValue
        ),
        .refuses(
            "9110 §5.5: a DEL in a value",
            fields("A: bcdefghijkl\u{7F}mnopq"),
            .malformedFieldValue
        ),
        .refuses(
            "9110 §10.1.1: another expectation",
            fields("Expect: 200-ok"),
            .unsupportedExpectation
        ),
        .refuses(
            "9110 §10.1.1: another expectation beside it",
            fields("Expect: 100-continue, x"),
            .unsupportedExpectation
        ),
        .refuses("9110 §8.6: a sign", fields("Content-Length: +5"), .malformedContentLength),
        .refuses("9110 §8.6: a minus sign", fields("Content-Length: -1"), .malformedContentLength),
        .refuses("9110 §8.6: no number", fields("Content-Length:"), .malformedContentLength),
        .refuses("9110 §8.6: hexadecimal", fields("Content-Length: 0x5"), .malformedContentLength),
        .refuses(
            "9110 §8.6: a space within",
            fields("Content-Length: 1 2"),
            .malformedContentLength
        ),
        .refuses(
            "9110 §8.6: a list, even of equals",
            fields("Content-Length: 5, 5"),
            .malformedContentLength
        ),
        .refuses(
            "9112 §6.3: two lengths",
            fields("Content-Length: 5\r\nContent-Length: 6"),
            .repeatedContentLength
        ),
        .refuses(
            "9112 §6.3: two equal lengths",
            fields("Content-Length: 5\r\ncontent-length: 5"),
            .repeatedContentLength
        ),
        .refuses(
            "9112 §6.1: a length and a coding",
            fields("Content-Length: 5\r\nTransfer-Encoding: chunked"),
            .contentLengthWithTransferEncoding
        ),
        .refuses(
            "9112 §6.1: a coding and a length",
            fields("Transfer-Encoding: chunked\r\nContent-Length: 5"),
            .contentLengthWithTransferEncoding
        ),
        .refuses(
            "9112 §6.1: a coding in HTTP/1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            .transferEncodingInHTTP10
        ),
        .refuses(
            "9112 §6.1: chunked is not last",
            fields("Transfer-Encoding: chunked, gzip"),
            .malformedTransferEncoding
        ),
        .refuses(
            "9112 §6.1: no chunked",
            fields("Transfer-Encoding: gzip"),
            .malformedTransferEncoding
        ),
        .refuses(
            "9112 §7: identity is no coding",
            fields("Transfer-Encoding: identity"),
            .malformedTransferEncoding
        ),
        .refuses(
            "9112 §6.1: chunked twice",
            fields("Transfer-Encoding: chunked, chunked"),
            .malformedTransferEncoding
        ),
        .refuses(
            "9112 §6.1: chunked in two lines",
            fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            .malformedTransferEncoding
        ),
        .refuses(
            "9112 §6.1: not quite chunked",
            fields("Transfer-Encoding: xchunked"),
            .malformedTransferEncoding
        ),
        .refuses(
            "9112 §7: chunked has no parameters",
            fields("Transfer-Encoding: chunked;a=b"),
            .malformedTransferEncoding
        ),
        .refuses(
            "9112 §6.1: a vertical tab before chunked",
            fields("Transfer-Encoding: \u{B}chunked"),
            .malformedFieldValue
        ),
        .refuses(
            "9112 §6.1: an empty coding",
            fields("Transfer-Encoding:"),
            .malformedTransferEncoding
        ),
        .refuses(
            "9112 §6.1: a coding before chunked",
            fields("Transfer-Encoding: gzip, chunked"),
            .unsupportedTransferCoding
        ),
        .refuses(
            "9112 §6.1: a line before chunked",
            fields("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
            .unsupportedTransferCoding
        ),
    ]

    @Test("A well-formed head is taken, however it arrives", arguments: taken, Feeding.allCases)
    func takes(_ row: Case, feeding: Feeding) throws {
        let head = try #require(row.head)
        let content = [UInt8](
            repeating: UInt8(ascii: "x"),
            count: head.contains("length 12")
                ? 12 : head.contains("length 1 ") ? 1 : head.hasSuffix("length 1 expects") ? 1 : 0
        )
        let alone = feeding.transcript(of: row.octets + content)
        #expect(alone == ParserTranscript(heads: [head]))
        let next = Array("GET /next HTTP/1.1\r\nHost: n\r\n\r\nGE".utf8)
        let followed = feeding.transcript(of: row.octets + content + next)
        #expect(
            followed
                == ParserTranscript(heads: [head, "GET /next 1.1 Host=<n>"], leftover: 2)
        )
    }

    @Test(
        "What two readers could read differently is refused",
        arguments: refused,
        Feeding.allCases
    )
    func refuses(_ row: Case, feeding: Feeding) throws {
        let error = try #require(row.error)
        #expect(feeding.transcript(of: row.octets) == ParserTranscript(error: error))
        let behind = Array("GET /before HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
        let next = Array("GET /next HTTP/1.1\r\nHost: n\r\n\r\n".utf8)
        #expect(
            feeding.transcript(of: behind + row.octets + next)
                == ParserTranscript(heads: ["GET /before 1.1 Host=<b>"], error: error)
        )
    }

    @Test("Every prefix of a well-formed head is incomplete", arguments: taken)
    func prefixes(_ row: Case) {
        for end in 0..<row.octets.count {
            let transcript = Feeding.whole.transcript(of: Array(row.octets[..<end]))
            #expect(transcript == ParserTranscript(leftover: end))
        }
    }

    struct LimitCase: Sendable {
        let octets: String
        let error: MessageError?
    }

    static let atTheLimits: [LimitCase] = {
        let line = { (count: Int) in
            "GET /\(String(repeating: "a", count: count - 14)) HTTP/1.1\r\nHost: h\r\n\r\n"
        }
        // "Host: h" with its CRLF takes nine octets.
        let section = { (count: Int) in
            "GET / HTTP/1.1\r\nHost: h\r\nA:\(String(repeating: "b", count: count - 13))\r\n\r\n"
        }
        let lines = { (count: Int) in
            "GET / HTTP/1.1\r\nHost: h\r\n\(String(repeating: "A:b\r\n", count: count - 1))\r\n"
        }
        return [
            LimitCase(octets: line(8192), error: nil),
            LimitCase(octets: line(8193), error: .requestLineTooLong(limit: 8192)),
            LimitCase(octets: line(20000), error: .requestLineTooLong(limit: 8192)),
            LimitCase(octets: section(32768), error: nil),
            LimitCase(octets: section(32769), error: .fieldSectionTooLarge(limit: 32768)),
            LimitCase(octets: section(80000), error: .fieldSectionTooLarge(limit: 32768)),
            LimitCase(octets: lines(100), error: nil),
            LimitCase(octets: lines(101), error: .tooManyFieldLines(limit: 100)),
        ]
    }()

    @Test("A limit is the last octet that is taken", arguments: atTheLimits, Feeding.allCases)
    func limits(_ row: LimitCase, feeding: Feeding) {
        let transcript = feeding.transcript(of: Array(row.octets.utf8))
        #expect(transcript.error == row.error)
        #expect(transcript.heads.count == (row.error == nil ? 1 : 0))
    }

    @Test("A line that never ends is refused at its limit")
    func endlessLine() {
        let endless = [UInt8](repeating: UInt8(ascii: "a"), count: 9000)
        for feeding in Feeding.allCases {
            #expect(feeding.transcript(of: endless).error == .requestLineTooLong(limit: 8192))
        }
    }

    @Test("A number no machine can count to is a length nevertheless")
    func hugeLength() throws {
        let digits = String(repeating: "9", count: 40)
        let octets = Array(Self.fields("Content-Length: \(digits)").utf8)
        var parser = RequestParser()
        let parsed = try octets.withUnsafeBytes { try parser.parse($0) }
        #expect(parsed?.head.framing == .length(.max))
    }

    @Test("The method is known to whoever answers a refused head")
    func methodOfRefusedHead() {
        var parser = RequestParser()
        #expect(parser.method == nil)
        let octets = Array("HEAD / HTTP/1.1\r\n: \r\n\r\n".utf8)
        #expect(throws: MessageError.malformedFieldName) {
            try octets.withUnsafeBytes { try parser.parse($0) }
        }
        #expect(parser.method == .head)
    }

    @Test("Any octets give heads or an error, and alike however they arrive")
    func anyOctets() {
        var generator = SplitMix64(seed: 9112)
        let seeds = (Self.taken + Self.refused).map(\.octets)
        for _ in 0..<4000 {
            var octets = seeds[generator.below(seeds.count)]
            for _ in 0...generator.below(3) {
                let position = generator.below(octets.count + 1)
                switch generator.below(4) {
                case 0 where position < octets.count: octets.remove(at: position)
                case 1 where position < octets.count:
                    octets[position] = UInt8(generator.below(256))
                case 2: octets.insert(UInt8(generator.below(256)), at: position)
                default:
                    octets.insert(contentsOf: seeds[generator.below(seeds.count)], at: position)
                }
            }
            let whole = Feeding.whole.transcript(of: octets)
            #expect(Feeding.octetByOctet.transcript(of: octets) == whole)
            #expect(Feeding.inThirds.transcript(of: octets) == whole)
        }
    }
}

extension SplitMix64 {
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
