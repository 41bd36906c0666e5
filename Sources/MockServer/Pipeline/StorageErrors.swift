import HTTPMessage
import HTTPTransport
import Journal
import Readings

extension AnswerReading {
    /// Writes a refused transfer as Amazon S3 does, where a reading wants it.
    func reformTransfer(_ response: inout HTTPResponse, of call: Call) {
        guard response.status >= 400,
            response.field("Content-Type") == "application/problem+json",
            call.departs(to: StorageManner.s3)
        else { return }
        let (code, message) = Self.storageError(
            status: response.status,
            refusal: call.entry.refusal
        )
        response.fields.removeAll { $0.name == "Content-Type" }
        response.fields.insert(HTTPResponse.Field("Content-Type", "application/xml"), at: 0)
        response.content = Array(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>\(code)</Code><Message>\(message)</Message>\
            <RequestId>\(Self.escaped(call.correlation.text))</RequestId></Error>
            """.utf8
        )
    }

    /// The code and sentence of an error, as the API reference of S3 lists them.
    private static func storageError(
        status: Int,
        refusal: JournalRefusal?
    ) -> (code: String, message: String) {
        switch (refusal, status) {
        case (.urlExpired, _): ("AccessDenied", "Request has expired")
        case (.urlSignature, _), (.uploadContentType, 403):
            (
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                    + "Check your key and signing method."
            )
        case (.storageCredentials, _):
            (
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                    + "Signature query string parameter or the Authorization header should be "
                    + "specified"
            )
        case (_, 403): ("AccessDenied", "Access Denied")
        case (_, 404): ("NoSuchKey", "The specified key does not exist.")
        case (_, 411):
            ("MissingContentLength", "You must provide the Content-Length HTTP header.")
        case (_, 413):
            ("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        case (_, 416): ("InvalidRange", "The requested range is not satisfiable")
        case (_, 429), (_, 503): ("SlowDown", "Please reduce your request rate.")
        case (_, 500...):
            ("InternalError", "We encountered an internal error. Please try again.")
        default: ("InvalidRequest", "The request is not valid.")
        }
    }

    private static func escaped(_ text: String) -> String {
        var output = ""
        for character in text {
            switch character {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            default: output.append(character)
            }
        }
        return output
    }
}
