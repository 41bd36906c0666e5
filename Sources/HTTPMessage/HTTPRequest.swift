/// A request message (RFC 9112 §3), complete: head and content.
///
/// A value that owns its octets, so that it may wait (for a delay, for a running twin) after the
/// connection's buffer has moved on.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod
    package var target: RequestTarget
    package var version: HTTPVersion
    package var fields: Fields
    /// The content, without its transfer coding.
    package var content: [UInt8]

    package init(
        method: HTTPMethod,
        target: RequestTarget,
        version: HTTPVersion = .http11,
        fields: Fields = Fields(),
        content: [UInt8] = []
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.content = content
    }

    /// The host and port that the client means: an absolute target's, else the `Host` field's.
    package var host: String? {
        target.authority.map { String(decoding: $0, as: UTF8.self) } ?? fields.text("host")
    }
}

/// A protocol version (RFC 9110 §2.5).
///
/// Only HTTP/1.x reaches a handler.
package enum HTTPVersion: Sendable, Hashable {
    case http10
    case http11
}

/// A method (RFC 9110 §9), compared with case.
package struct HTTPMethod: Sendable, Hashable {
    /// The token as it was sent.
    package let rawValue: String

    package init(_ rawValue: String) { self.rawValue = rawValue }

    package static let get = HTTPMethod("GET")
    package static let head = HTTPMethod("HEAD")
    package static let post = HTTPMethod("POST")
    package static let put = HTTPMethod("PUT")
    package static let delete = HTTPMethod("DELETE")
    package static let connect = HTTPMethod("CONNECT")
    package static let options = HTTPMethod("OPTIONS")
    package static let trace = HTTPMethod("TRACE")
    package static let patch = HTTPMethod("PATCH")
    package static let query = HTTPMethod("QUERY")
}
