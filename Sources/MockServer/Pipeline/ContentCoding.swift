import Contract
import HTTPMessage
import Journal

/// Content codings (RFC 9110 §8.4), none of which is taken.
enum ContentCoding {
    /// 415 for content under a coding such as gzip, which nobody here takes (RFC 9110 §15.5.16).
    ///
    /// The coding is looked at before the content: without decoding, that cannot be read.
    static func refuseCoding(
        of request: HTTPRequest,
        for operation: Operation
    ) throws(Problem) {
        guard operation.requestBody != nil, request.fields.first("content-encoding") != nil,
            !request.fields.values(named: "content-encoding").allSatisfy(Self.isIdentity)
        else { return }
        throw Problem(
            .contentCoding,
            415,
            "Send the content as it is, without Content-Encoding.",
            fields: [HTTPResponse.Field("Accept-Encoding", "identity")]
        )
    }

    /// Whether a list of content codings names none but `identity` (RFC 9110 §8.4, §12.5.3).
    private static func isIdentity(_ codings: ArraySlice<UInt8>) -> Bool {
        FieldSyntax.listElements(codings)?
            .allSatisfy { FieldSyntax.matches($0, "identity") } ?? false
    }
}
