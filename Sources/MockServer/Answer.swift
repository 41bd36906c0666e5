import HTTPMessage
import JSON
import Journal

/// What an operation answers, before the fields that every answer gets.
struct Answer {
    var status = 200
    /// `nil` for an answer without content.
    var contentType: String?
    var content: [UInt8] = []
    var fields: [HTTPResponse.Field] = []
    /// For the journal: how many items a list has.
    var itemCount: Int?
    /// For the journal: the `nextToken` in the content.
    var nextToken: String?

    /// An answer with JSON that is ready to send.
    static func json(_ content: [UInt8], status: Int = 200) -> Answer {
        Answer(status: status, contentType: "application/json", content: content)
    }

    /// An answer with a JSON value.
    static func json(_ value: JSONValue, status: Int = 200) -> Answer {
        json(JSONWriter.octets(of: value), status: status)
    }

    /// A success without content.
    static let noContent = Answer(status: 204)

    /// The response message.
    var response: HTTPResponse {
        var all: [HTTPResponse.Field] = []
        // With those that every answer gets.
        all.reserveCapacity(fields.count + 4)
        if let contentType { all.append(HTTPResponse.Field("Content-Type", contentType)) }
        all += fields
        return HTTPResponse(status: status, fields: all, content: content)
    }
}
