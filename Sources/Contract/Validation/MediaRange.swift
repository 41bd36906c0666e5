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
        let essence = Self.trimmed(Array(text.utf8.prefix { $0 != UInt8(ascii: ";") })[...])
        guard let slash = essence.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let type = essence[..<slash]
        let subtype = essence[(slash + 1)...]
        guard Self.isToken(type), Self.isToken(subtype) else { return nil }
        self.type = String(decoding: type, as: UTF8.self).lowercased()
        self.subtype = String(decoding: subtype, as: UTF8.self).lowercased()
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

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ octet: UInt8?) -> Bool {
            octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t")
        }
        var octets = octets
        while isSpace(octets.first) { octets.removeFirst() }
        while isSpace(octets.last) { octets.removeLast() }
        return octets
    }

    // token = 1*tchar (RFC 9110 §5.6.2)
    private static func isToken(_ octets: ArraySlice<UInt8>) -> Bool {
        !octets.isEmpty
            && octets.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(octet)
                }
            }
    }
}
