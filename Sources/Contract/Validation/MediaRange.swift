package import HTTPMessage

/// A media type or range of the contract, such as `application/json` or `*/*` (RFC 9110 §8.3.1,
/// §12.5.1).
package struct MediaRange: Hashable, Sendable, CustomStringConvertible {
    /// In lower case.
    package let type: String
    /// In lower case.
    package let subtype: String

    /// Parses `type/subtype`, leaving out parameters; `nil` where that is not the form.
    package init?(_ text: some StringProtocol) {
        let essence = Self.trimmed(text.prefix { $0 != ";" })
        guard let slash = essence.firstIndex(of: "/") else { return nil }
        let type = essence[..<slash]
        let subtype = essence[essence.index(after: slash)...]
        guard Self.isToken(type), Self.isToken(subtype) else { return nil }
        self.type = type.lowercased()
        self.subtype = subtype.lowercased()
    }

    /// The range that a media type alone makes up.
    package init(of type: MediaType) {
        self.type = type.type
        subtype = type.subtype
    }

    package var description: String { "\(type)/\(subtype)" }

    /// Whether the content is JSON (`application/json`, or a `+json` type, RFC 6839 §3.1).
    package var isJSON: Bool { subtype == "json" || subtype.hasSuffix("+json") }

    /// Whether everything matches, a missing media type included.
    package var isWildcard: Bool { type == "*" && subtype == "*" }

    /// Whether a media type falls into this range.
    package func contains(_ other: MediaRange) -> Bool {
        (type == "*" || type == other.type) && (subtype == "*" || subtype == other.subtype)
    }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        var text = Substring(text)
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    // token = 1*tchar (RFC 9110 §5.6.2)
    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(octet)
                }
            }
    }
}
