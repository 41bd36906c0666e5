/// Why octets are no request that this server takes.
///
/// The connection closes after each of them: where one message ends and the next begins is
/// either unknown or no longer worth knowing.
package enum MessageError: Error, Hashable, Sendable {
    // The request line (RFC 9112 §3).
    /// The first octet opens a TLS handshake (RFC 8446 §5.1).
    case tlsHandshake
    case malformedRequestLine
    case requestLineTooLong(limit: Int)
    case malformedMethod
    /// A method of none of RFC 9110, RFC 5789 (PATCH) and RFC 10008 (QUERY).
    case unknownMethod
    /// CONNECT, which only a proxy can honour.
    case connectMethod
    case malformedVersion
    /// A major version other than 1, the preface of HTTP/2 included.
    case unsupportedVersion
    /// An octet that is not visible ASCII, or a fragment.
    case malformedTarget
    /// `*` without OPTIONS, or a target that does not begin with `/`.
    case misplacedTargetForm
    /// Absolute-form with a scheme that is not `http`.
    case unsupportedScheme
    /// Absolute-form whose authority is not a host and an optional port.
    case malformedAuthority

    // Lines and fields (RFC 9112 §2.2 and §5).
    case bareLineFeed
    case bareCarriageReturn
    case fieldSectionTooLarge(limit: Int)
    case tooManyFieldLines(limit: Int)
    case lineFolding
    case whiteSpaceBeforeColon
    case malformedFieldName
    case malformedFieldValue
    case missingHost
    case repeatedHost
    case malformedHost
    case unsupportedExpectation

    // Content (RFC 9112 §6 and §7).
    case malformedContentLength
    case repeatedContentLength
    case contentLengthWithTransferEncoding
    case transferEncodingInHTTP10
    /// `chunked` is not the last transfer coding, or is there twice.
    case malformedTransferEncoding
    /// A transfer coding before `chunked`.
    case unsupportedTransferCoding
    case malformedChunkSize
    case chunkLineTooLong(limit: Int)
    /// Chunk data that is not followed by CRLF.
    case unterminatedChunk
    case trailerSectionTooLarge(limit: Int)
    case contentTooLarge(limit: Int)

    // The connection.
    /// The client ended the connection within a head.
    case incompleteHead
    /// The client ended the connection within the content.
    case incompleteContent
    case headTimeout
    case contentTimeout
    case tooManyConnections
    /// The contents of all requests fill the memory that there is for them.
    case noRoomForContent

    /// The status code that fits (RFC 9110 §15): 400, 408, 413, 414, 417, 431, 501, 503 or 505.
    package var suggestedStatus: Int {
        switch self {
        case .headTimeout, .contentTimeout: 408
        case .contentTooLarge: 413
        case .requestLineTooLong: 414
        case .unsupportedExpectation: 417
        case .fieldSectionTooLarge, .tooManyFieldLines, .trailerSectionTooLarge: 431
        case .unknownMethod, .connectMethod, .unsupportedTransferCoding: 501
        case .tooManyConnections, .noRoomForContent: 503
        case .unsupportedVersion: 505
        case .tlsHandshake, .malformedRequestLine, .malformedMethod, .malformedVersion,
            .malformedTarget, .misplacedTargetForm, .unsupportedScheme, .malformedAuthority,
            .bareLineFeed, .bareCarriageReturn, .lineFolding, .whiteSpaceBeforeColon,
            .malformedFieldName, .malformedFieldValue, .missingHost, .repeatedHost,
            .malformedHost, .malformedContentLength, .repeatedContentLength,
            .contentLengthWithTransferEncoding, .transferEncodingInHTTP10,
            .malformedTransferEncoding, .malformedChunkSize, .chunkLineTooLong,
            .unterminatedChunk, .incompleteHead, .incompleteContent:
            400
        }
    }

    /// One sentence for the client's author.
    ///
    /// It repeats nothing that the client sent.
    package var explanation: String {
        switch self {
        case .tlsHandshake:
            "This port speaks plain HTTP, and the connection opened with a TLS handshake: use http://."
        case .malformedRequestLine:
            "The request line is not a method, a target and a version with one space between them."
        case .requestLineTooLong(let limit): "The request line is longer than \(limit) octets."
        case .malformedMethod: "The method is not a token."
        case .unknownMethod:
            "The method is not one that RFC 9110, RFC 5789 (PATCH) or RFC 10008 (QUERY) defines."
        case .connectMethod: "CONNECT asks a proxy for a tunnel, and this server is no proxy."
        case .malformedVersion: "The request line does not end in HTTP/ and a version, in capitals."
        case .unsupportedVersion: "The major version of the protocol is not 1."
        case .malformedTarget:
            "The request target has an octet that must be percent-encoded there."
        case .misplacedTargetForm:
            "The request target does not begin with a slash, and no other form fits this method."
        case .unsupportedScheme: "The request target is absolute, with another scheme than http."
        case .malformedAuthority:
            "The authority of the request target is not a host with an optional port."
        case .bareLineFeed: "A line ends in LF without CR."
        case .bareCarriageReturn: "A CR stands where no line ends."
        case .fieldSectionTooLarge(let limit):
            "The header section is larger than \(limit) octets."
        case .tooManyFieldLines(let limit): "The header section has more than \(limit) lines."
        case .lineFolding: "A field line begins with white space, as folded lines once did."
        case .whiteSpaceBeforeColon: "White space stands between a field name and its colon."
        case .malformedFieldName: "A field line does not begin with a token and a colon."
        case .malformedFieldValue: "A field value has a control character."
        case .missingHost: "HTTP/1.1 requires a Host field, and the request has none."
        case .repeatedHost: "The request has more than one Host field."
        case .malformedHost: "The Host field is not a host with an optional port."
        case .unsupportedExpectation: "The only expectation that is met here is 100-continue."
        case .malformedContentLength: "The Content-Length field is not a number in digits alone."
        case .repeatedContentLength: "The request has more than one Content-Length field."
        case .contentLengthWithTransferEncoding:
            "The request has both a Content-Length and a Transfer-Encoding field."
        case .transferEncodingInHTTP10: "HTTP/1.0 does not know the Transfer-Encoding field."
        case .malformedTransferEncoding:
            "The Transfer-Encoding field does not end in chunked, named exactly once."
        case .unsupportedTransferCoding: "The only transfer coding that is decoded is chunked."
        case .malformedChunkSize:
            "A chunk does not begin with its size in hexadecimal digits and well-formed extensions."
        case .chunkLineTooLong(let limit): "A chunk-size line is longer than \(limit) octets."
        case .unterminatedChunk: "The data of a chunk is not followed by CRLF."
        case .trailerSectionTooLarge(let limit):
            "The trailer section is larger than \(limit) octets or has too many lines."
        case .contentTooLarge(let limit): "The content is larger than \(limit) octets."
        case .incompleteHead: "The connection ended before the header section did."
        case .incompleteContent: "The connection ended before the content did."
        case .headTimeout: "The header section did not arrive in time."
        case .contentTimeout: "The content stopped arriving."
        case .tooManyConnections: "As many connections are open as the server may keep."
        case .noRoomForContent:
            "The contents of other requests fill the memory that the server has for them."
        }
    }
}
