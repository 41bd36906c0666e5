package import HTTPMessage
import JSON
package import Journal
import OAuth

/// A refusal: why a request is refused, and the problem details of its answer (RFC 7807, now
/// RFC 9457).
///
/// The reason is part of every initialiser. A function that refuses throws the problem; the pipeline
/// alone writes its reason into the journal, and the explanation follows from the reason.
package struct Problem: Error, Sendable {
    /// Why, in the words of the journal.
    package let reason: JournalRefusal
    /// 400 to 599.
    package var status: Int
    /// One sentence that says what to do, without personal data.
    package var detail: String
    /// Parameter name or JSON pointer to messages, on 400 only.
    package var errors: [(name: String, messages: [String])]
    /// Fields to send beside the usual ones (`Allow`, `WWW-Authenticate`, `Retry-After`).
    package var fields: [HTTPResponse.Field]
    /// The error code where the token endpoint chose one (RFC 6749 §5.2); else the status decides.
    var oauthCode: OAuthError.Code?
    /// The sentence for the log alone.
    var logged: String?

    package init(
        _ reason: JournalRefusal,
        _ status: Int,
        _ detail: String,
        errors: [(name: String, messages: [String])] = [],
        fields: [HTTPResponse.Field] = []
    ) {
        self.reason = reason
        self.status = status
        self.detail = detail
        self.errors = errors
        self.fields = fields
    }

    /// All messages of a name together, in the order of the names: JSON has each member once.
    static func grouped(
        _ faults: [(name: String, message: String)]
    ) -> [(name: String, messages: [String])] {
        var errors: [(name: String, messages: [String])] = []
        var places: [String: Int] = [:]
        for (name, message) in faults {
            if let place = places[name] {
                errors[place].messages.append(message)
            } else {
                places[name] = errors.count
                errors.append((name, [message]))
            }
        }
        return errors
    }

    /// The answer, without `X-Correlation-Id` and `Date`, which every answer gets.
    ///
    /// - Parameters:
    ///   - instance: The path of the request.
    ///   - requestID: The correlation id of the answer.
    package func response(instance: String, requestID: String) -> HTTPResponse {
        Self.response(
            status: status,
            detail: detail,
            errors: errors,
            fields: fields,
            instance: instance,
            requestID: requestID
        )
    }

    /// The answer with problem details that are no refusal of the mock's own: a fault injected them.
    static func response(
        status: Int,
        detail: String,
        errors: [(name: String, messages: [String])] = [],
        fields: [HTTPResponse.Field] = [],
        instance: String,
        requestID: String
    ) -> HTTPResponse {
        var content: [UInt8] = []
        content.reserveCapacity(256 + detail.utf8.count)
        func member(_ name: StaticString, _ value: String, last: Bool = false) {
            content.append(UInt8(ascii: "\""))
            content.append(
                contentsOf: UnsafeBufferPointer(
                    start: name.utf8Start,
                    count: name.utf8CodeUnitCount
                )
            )
            content.append(contentsOf: "\":".utf8)
            JSONWriter.append(string: value, to: &content)
            if !last { content.append(UInt8(ascii: ",")) }
        }
        content.append(UInt8(ascii: "{"))
        member("type", type(ofStatus: status))
        member("title", StatusCode.title(of: status))
        content.append(contentsOf: "\"status\":".utf8)
        JSONWriter.append(status, to: &content)
        content.append(UInt8(ascii: ","))
        member("detail", detail)
        member("instance", instance)
        member("requestId", requestID, last: errors.isEmpty)
        if !errors.isEmpty {
            content.append(contentsOf: "\"errors\":{".utf8)
            for (index, error) in errors.enumerated() {
                if index > 0 { content.append(UInt8(ascii: ",")) }
                JSONWriter.append(string: error.name, to: &content)
                content.append(UInt8(ascii: ":"))
                JSONWriter.append(.array(error.messages.map(JSONValue.string)), to: &content)
            }
            content.append(UInt8(ascii: "}"))
        }
        content.append(UInt8(ascii: "}"))
        return HTTPResponse(
            status: status,
            fields: [HTTPResponse.Field("Content-Type", "application/problem+json")] + fields,
            content: content
        )
    }

    /// The URI of the section that defines a status code.
    package static func type(ofStatus status: Int) -> String {
        let rfc = "https://www.rfc-editor.org/rfc/"
        let section: Int
        switch status {
        case 400...417: section = status - 399
        case 421: section = 20
        case 422: section = 21
        case 426: section = 22
        case 428: return rfc + "rfc6585#section-3"
        case 429: return rfc + "rfc6585#section-4"
        case 431: return rfc + "rfc6585#section-5"
        case 500...505: return rfc + "rfc9110#section-15.6.\(status - 499)"
        case 507: return rfc + "rfc4918#section-11.5"
        case 500...: return rfc + "rfc9110#section-15.6"
        default: return rfc + "rfc9110#section-15.5"
        }
        return rfc + "rfc9110#section-15.5.\(section)"
    }
}

extension StatusCode {
    /// The reason phrase of a status code, as text.
    static func title(of status: Int) -> String { "\(reasonPhrase(of: status))" }
}
