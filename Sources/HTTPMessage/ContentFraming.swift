/// How the content of a request is delimited (RFC 9112 §6.3).
package enum ContentFraming: Sendable, Hashable {
    /// No framing field: there is no content.
    case none
    /// `Content-Length`, in octets; may be 0. A number too large for an `Int` is `Int.max`.
    case length(Int)
    case chunked

    /// Whether octets of content, or at least of a framing, follow the head.
    package var announcesContent: Bool {
        switch self {
        case .none, .length(0): false
        case .length, .chunked: true
        }
    }

    /// Decides how the content of a request is delimited.
    ///
    /// Follows RFC 9112 §6.3. Where the RFC lets a server choose, this one refuses: both framing
    /// fields at once is an error (§6.1), and so is a repeated `Content-Length`, even an equal
    /// one, since two readers who disagree about where a message ends are how requests are
    /// smuggled.
    ///
    /// - Throws: A `MessageError` whose `suggestedStatus` is 400 or 501.
    package init(of fields: Fields, version: HTTPVersion) throws(MessageError) {
        var lengthLine: Int?
        var codings: [ArraySlice<UInt8>] = []
        var hasTransferEncoding = false
        for index in 0..<fields.count {
            if fields.isNamed("content-length", at: index) {
                guard lengthLine == nil else { throw .repeatedContentLength }
                lengthLine = index
            } else if fields.isNamed("transfer-encoding", at: index) {
                hasTransferEncoding = true
                guard let elements = FieldSyntax.listElements(fields.value(at: index)) else {
                    throw .malformedTransferEncoding
                }
                codings += elements
            }
        }
        guard hasTransferEncoding else {
            guard let lengthLine else {
                self = .none
                return
            }
            self = .length(try Self.length(fields.value(at: lengthLine)))
            return
        }
        guard version == .http11 else { throw .transferEncodingInHTTP10 }
        guard lengthLine == nil else { throw .contentLengthWithTransferEncoding }
        let chunkedCount = codings.count { FieldSyntax.matches($0, "chunked") }
        guard chunkedCount == 1, let last = codings.last, FieldSyntax.matches(last, "chunked")
        else { throw .malformedTransferEncoding }
        guard codings.count == 1 else { throw .unsupportedTransferCoding }
        self = .chunked
    }

    /// `Content-Length = 1*DIGIT` (RFC 9110 §8.6); too large a number is `Int.max`.
    private static func length(_ value: ArraySlice<UInt8>) throws(MessageError) -> Int {
        guard !value.isEmpty else { throw .malformedContentLength }
        var length = 0
        for octet in value {
            let digit = octet &- UInt8(ascii: "0")
            guard digit < 10 else { throw .malformedContentLength }
            let (product, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit))
            length = overflow || carry ? .max : sum
        }
        return length
    }
}
