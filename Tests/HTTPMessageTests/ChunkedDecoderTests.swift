import HTTPMessage
import Testing

@Suite("Chunked decoder")
struct ChunkedDecoderTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let rule: String
        let coded: String
        let content: String?
        let error: MessageError?

        static func takes(_ rule: String, _ coded: String, _ content: String) -> Case {
            Case(rule: rule, coded: coded, content: content, error: nil)
        }

        static func refuses(_ rule: String, _ coded: String, _ error: MessageError) -> Case {
            Case(rule: rule, coded: coded, content: nil, error: error)
        }

        var testDescription: String { rule }
    }

    static let cases: [Case] = [
        .takes("§7.1: no content", "0\r\n\r\n", ""),
        .takes("§7.1: one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        .takes("§7.1: several chunks", "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "hello"),
        .takes(
            "§7.1: hexadecimal of either case",
            "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
            "01234567890123456789"
        ),
        .takes("§7.1: leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello"),
        .takes(
            "§7.1: data may look like framing",
            "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
            "\r\n0\r\n\r\n"
        ),
        .takes(
            "§7.1.1: extensions are dropped",
            "5;a;b=c;d=\"e;\\\"f\"\r\nhello\r\n0;x\r\n\r\n",
            "hello"
        ),
        .takes("§7.1.1: bad white space in extensions", "5 ; a = b\r\nhello\r\n0\r\n\r\n", "hello"),
        .takes(
            "§7.1.2: trailers are dropped",
            "5\r\nhello\r\n0\r\nA: b\r\nHost: c\r\n\r\n",
            "hello"
        ),
        .refuses("§7.1: no digit", "\r\n", .malformedChunkSize),
        .refuses("§7.1: a sign", "+5\r\nhello\r\n0\r\n\r\n", .malformedChunkSize),
        .refuses("§7.1: a minus sign", "-1\r\n", .malformedChunkSize),
        .refuses("§7.1: a prefix", "0x5\r\nhello\r\n0\r\n\r\n", .malformedChunkSize),
        .refuses("§7.1: white space in front", " 5\r\nhello\r\n0\r\n\r\n", .malformedChunkSize),
        .refuses("§7.1: white space behind", "5 \r\nhello\r\n0\r\n\r\n", .malformedChunkSize),
        .refuses("§7.1: an underscore", "1_0\r\n", .malformedChunkSize),
        .refuses("§7.1: a size line with a bare LF", "5\nhello\r\n0\r\n\r\n", .bareLineFeed),
        .refuses("§7.1: a CR within the size line", "5\r;a\r\nhello\r\n", .malformedChunkSize),
        .refuses("§7.1: data that is too long", "4\r\nhello\r\n0\r\n\r\n", .unterminatedChunk),
        .refuses("§7.1: data with a bare LF behind", "5\r\nhello\n0\r\n\r\n", .unterminatedChunk),
        .refuses("§7.1: data with a CR alone behind", "5\r\nhello\r0\r\n\r\n", .unterminatedChunk),
        .refuses("§7.1.1: an extension without a name", "5;\r\nhello\r\n", .malformedChunkSize),
        .refuses(
            "§7.1.1: an extension without its value",
            "5;a=\r\nhello\r\n",
            .malformedChunkSize
        ),
        .refuses(
            "§7.1.1: a quoted value without its end",
            "5;a=\"b\r\nhello\r\n",
            .malformedChunkSize
        ),
        .refuses(
            "§7.1.1: white space behind the last extension",
            "5;a \r\nhello\r\n",
            .malformedChunkSize
        ),
        .refuses(
            "§7.1.1: a control character in an extension",
            "5;a=\u{1}\r\nhello\r\n",
            .malformedChunkSize
        ),
        .refuses(
            "§7.1.1: a line too long",
            "5;\(String(repeating: "a", count: 255))\r\n",
            .chunkLineTooLong(limit: 256)
        ),
        .refuses("§7.1.2: a trailer line that is folded", "0\r\nA: b\r\n c\r\n\r\n", .lineFolding),
        .refuses("§7.1.2: a trailer line without a colon", "0\r\nA\r\n\r\n", .malformedFieldName),
        .refuses("§7.1.2: a trailer line with a bare LF", "0\r\nA: b\n\r\n", .bareLineFeed),
        .refuses("§7.1.2: an end with a bare LF", "0\r\n\n", .bareLineFeed),
        .refuses(
            "§7.1.2: a trailer too large",
            "0\r\nA: \(String(repeating: "b", count: 8192))\r\n\r\n",
            .trailerSectionTooLarge(limit: 8192)
        ),
        .refuses(
            "§7.1.2: too many trailer lines",
            "0\r\n\(String(repeating: "A:\r\n", count: 101))\r\n",
            .trailerSectionTooLarge(limit: 8192)
        ),
        .refuses(
            "9110 §15.5.14: content above the maximum",
            "3e8\r\n",
            .contentTooLarge(limit: 64)
        ),
        .refuses(
            "9110 §15.5.14: chunks above the maximum",
            "3f\r\n\(String(repeating: "a", count: 63))\r\n2\r\n",
            .contentTooLarge(limit: 64)
        ),
        .refuses(
            "§7.1: a size no machine can count to",
            "ffffffffffffffffffff\r\n",
            .contentTooLarge(limit: 64)
        ),
        .refuses(
            "§7.1: a size that would wrap around",
            "10000000000000005\r\nhello\r\n",
            .contentTooLarge(limit: 64)
        ),
    ]

    /// Decodes in pieces; the content and how many octets were consumed, or the error.
    private func decode(
        _ coded: [UInt8],
        step: Int
    ) throws(MessageError) -> (content: String, consumed: Int, isComplete: Bool) {
        var decoder = ChunkedDecoder(maximumContentOctets: 64)
        var content: [UInt8] = []
        var consumed = 0
        while consumed < coded.count, !decoder.isComplete {
            let end = min(coded.count, consumed + step)
            consumed += try coded[consumed..<end].withUnsafeBufferPointer {
                (octets) throws(MessageError) in
                try decoder.decode(UnsafeRawBufferPointer(octets), appendingTo: &content)
            }
        }
        return (String(decoding: content, as: UTF8.self), consumed, decoder.isComplete)
    }

    @Test("Content is decoded alike however it arrives", arguments: cases, [1, 2, 7, 100_000])
    func decodes(_ row: Case, step: Int) throws {
        for next in ["", "GET / HTTP/1.1\r\n\r\n"] {
            if let error = row.error {
                #expect(throws: error) { try decode(Array((row.coded + next).utf8), step: step) }
            } else {
                let decoded = try decode(Array((row.coded + next).utf8), step: step)
                #expect(decoded.content == row.content)
                #expect(decoded.consumed == row.coded.utf8.count)
                #expect(decoded.isComplete)
            }
        }
    }

    @Test("The maximum itself is taken")
    func maximum() throws {
        let data = String(repeating: "a", count: 64)
        let decoded = try decode(Array("40\r\n\(data)\r\n0\r\n\r\n".utf8), step: 5)
        #expect(decoded.content == data)
    }

    @Test("Content without its end is not complete")
    func incomplete() throws {
        let coded = Array("5\r\nhello\r\n0\r\nA: b\r\n\r\n".utf8)
        for end in 0..<coded.count {
            let decoded = try decode(Array(coded[..<end]), step: 3)
            #expect(!decoded.isComplete)
            #expect(decoded.consumed == end)
        }
    }
}
