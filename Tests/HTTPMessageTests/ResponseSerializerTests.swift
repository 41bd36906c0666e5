import HTTPMessage
import Testing

@Suite("Response serializer")
struct ResponseSerializerTests {
    private func serialized(
        _ response: HTTPResponse,
        omitsContent: Bool = false,
        closes: Bool = false
    ) -> String {
        var output: [UInt8] = []
        ResponseSerializer.append(
            response,
            to: &output,
            omitsContent: omitsContent,
            closes: closes
        )
        return String(decoding: output, as: UTF8.self)
    }

    @Test("A response has a status line, its fields in order, its length and its content")
    func whole() {
        let response = HTTPResponse(
            status: 201,
            fields: [.init("B", "1"), .init("A", "\u{E9}\t2")],
            content: Array("hello, world".utf8)
        )
        #expect(
            serialized(response)
                == "HTTP/1.1 201 Created\r\nB: 1\r\nA: \u{E9}\t2\r\nContent-Length: 12\r\n\r\nhello, world"
        )
    }

    @Test("A control character becomes a space in every place of a value", arguments: 0..<70)
    func everyPlace(place: Int) {
        let before = String(repeating: "a", count: place)
        let after = String(repeating: "\u{E9}", count: 70 - place)
        for character in ["\r", "\n", "\0", "\u{7F}"] {
            let field = HTTPResponse.Field("A", before + character + after)
            #expect(
                serialized(HTTPResponse(status: 200, fields: [field]))
                    == "HTTP/1.1 200 OK\r\nA: \(before) \(after)\r\nContent-Length: 0\r\n\r\n"
            )
        }
    }

    @Test("HEAD is told the length of the content that GET would have brought (9110 §9.3.2)")
    func head() {
        let response = HTTPResponse(status: 200, content: Array("hello".utf8))
        #expect(
            serialized(response, omitsContent: true)
                == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        )
    }

    @Test("204 and 304 have neither content nor length (9110 §8.6)", arguments: [204, 304])
    func withoutContent(_ status: Int) {
        let text = serialized(HTTPResponse(status: status, content: Array("hello".utf8)))
        #expect(text.hasPrefix("HTTP/1.1 \(status) N"))
        #expect(text.hasSuffix("\r\n\r\n"))
        #expect(!text.contains("Content-Length"))
    }

    @Test("No content has a length of 0")
    func emptyContent() {
        #expect(
            serialized(HTTPResponse(status: 404))
                == "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        )
    }

    @Test("The last response says so (9112 §9.6)")
    func closes() {
        #expect(
            serialized(HTTPResponse(status: 408), closes: true)
                == "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    }

    @Test("The fields that delimit a message are the serializer's alone")
    func ownFields() {
        let response = HTTPResponse(
            status: 200,
            fields: [
                .init("content-LENGTH", "7"), .init("Transfer-Encoding", "chunked"),
                .init("Connection", "keep-alive"), .init("Content-Lengtx", "1"),
            ]
        )
        #expect(
            serialized(response)
                == "HTTP/1.1 200 OK\r\nContent-Lengtx: 1\r\nContent-Length: 0\r\n\r\n"
        )
    }

    @Test("No field value begins a line of its own")
    func splitting() {
        let response = HTTPResponse(
            status: 200,
            fields: [.init("A", "b\r\nEvil: 1\n\0"), .init("Long-Name", "12345678\u{7F}9")]
        )
        #expect(
            serialized(response)
                == "HTTP/1.1 200 OK\r\nA: b  Evil: 1  \r\nLong-Name: 12345678 9\r\nContent-Length: 0\r\n\r\n"
        )
    }

    @Test("A status code nobody registered is still three digits and a phrase")
    func unknownStatus() {
        #expect(serialized(HTTPResponse(status: 599)).hasPrefix("HTTP/1.1 599 Server Error\r\n"))
    }

    @Test("Every suggested status has a reason phrase, and every explanation is a sentence")
    func messageErrors() {
        let errors: [MessageError] = [
            .tlsHandshake, .malformedRequestLine, .requestLineTooLong(limit: 1), .malformedMethod,
            .unknownMethod, .connectMethod, .malformedVersion, .unsupportedVersion,
            .malformedTarget, .misplacedTargetForm, .unsupportedScheme, .malformedAuthority,
            .bareLineFeed, .bareCarriageReturn, .fieldSectionTooLarge(limit: 1),
            .tooManyFieldLines(limit: 1), .lineFolding, .whiteSpaceBeforeColon,
            .malformedFieldName, .malformedFieldValue, .missingHost, .repeatedHost,
            .malformedHost, .unsupportedExpectation, .malformedContentLength,
            .repeatedContentLength, .contentLengthWithTransferEncoding, .transferEncodingInHTTP10,
            .malformedTransferEncoding, .unsupportedTransferCoding, .malformedChunkSize,
            .chunkLineTooLong(limit: 1), .unterminatedChunk, .trailerSectionTooLarge(limit: 1),
            .contentTooLarge(limit: 1), .incompleteHead, .incompleteContent, .headTimeout,
            .contentTimeout, .tooManyConnections,
        ]
        for error in errors {
            #expect("\(StatusCode.reasonPhrase(of: error.suggestedStatus))" != "Unknown")
            #expect(error.explanation.hasSuffix("."))
            #expect(error.explanation.first?.isUppercase == true)
        }
        #expect(Set(errors).count == errors.count)
    }
}
