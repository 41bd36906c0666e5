/// A response message (RFC 9112 §4): status code, fields, content.
///
/// `Content-Length`, `Connection` and the status line's reason phrase are added by
/// `ResponseSerializer`; `Date` by whoever keeps the clock.
package struct HTTPResponse: Sendable {
    /// One field line to send.
    ///
    /// The name is spelled as it shall be sent.
    package struct Field: Sendable, Hashable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// 200 to 599.
    package var status: Int
    package var fields: [Field]
    package var content: [UInt8]
    /// Whether the content goes out in chunks (RFC 9112 §7.1) rather than under a `Content-Length`.
    package var isChunked = false
    /// Whether the serializer, too, spells the names of its fields in lower case.
    package var hasLowerNames = false

    package init(status: Int, fields: [Field] = [], content: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.content = content
    }

    /// Whether the content goes out as it is, behind the head.
    package var hasPlainContent: Bool { !isChunked && !StatusCode.forbidsContent(status) }

    /// The value of the first field of this name, compared without case.
    package func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
