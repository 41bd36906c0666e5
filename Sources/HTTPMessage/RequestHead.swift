/// The head of a request: request line and header section (RFC 9112 §2.1), checked.
package struct RequestHead: Sendable {
    package let method: HTTPMethod
    package let target: RequestTarget
    package let version: HTTPVersion
    package let fields: Fields
    /// How the content is delimited.
    package let framing: ContentFraming
    /// Whether the client allows another request on the connection (RFC 9112 §9.3).
    ///
    /// Never in HTTP/1.0.
    package let persists: Bool
    /// Whether the client waits for a 100 before it sends the content (RFC 9110 §10.1.1).
    package let expectsContinue: Bool

    package init(
        method: HTTPMethod,
        target: RequestTarget,
        version: HTTPVersion = .http11,
        fields: Fields = Fields(),
        framing: ContentFraming = .none,
        persists: Bool = true,
        expectsContinue: Bool = false
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.framing = framing
        self.persists = persists
        self.expectsContinue = expectsContinue
    }
}

extension HTTPRequest {
    /// A request from its head and its content, which is already decoded.
    package init(head: consuming RequestHead, content: consuming [UInt8]) {
        self.init(
            method: head.method,
            target: head.target,
            version: head.version,
            fields: head.fields,
            content: content
        )
    }
}
