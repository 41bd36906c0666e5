/// The authority of a server, `uri-host [ ":" port ]` (RFC 9110 §7.2).
package struct Authority: Sendable, Hashable {
    /// In lower case; an IP literal without its brackets.
    package let host: String
    /// 0 to 65535; `nil` where there is none, or an empty one (RFC 3986 §3.2.3).
    package let port: Int?

    /// Nothing is checked; an IPv6 address may have its brackets.
    package init(host: String, port: Int?) {
        let isLiteral = host.hasPrefix("[") && host.hasSuffix("]")
        self.host = (isLiteral ? String(host.dropFirst().dropLast()) : host).lowercased()
        self.port = port
    }

    /// Parses an authority; `nil` where that is not the form, as with a user name before the host.
    package init?(_ text: some StringProtocol) {
        let octets = Array(text.utf8)
        guard octets.withUnsafeBytes(FieldSyntax.isAuthority) else { return nil }
        let host = Self.host(of: octets[...])
        let isLiteral = host.first == UInt8(ascii: "[")
        self.host = String(
            decoding: (isLiteral ? host.dropFirst().dropLast() : host).map(Fields.lowercased),
            as: UTF8.self
        )
        let port = octets[host.endIndex...].dropFirst()
        self.port = port.isEmpty ? nil : Int(String(decoding: port, as: UTF8.self))
    }

    /// The host of an authority that `FieldSyntax.isAuthority` has let pass, brackets included.
    package static func host(of octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if octets.first == UInt8(ascii: "["), let end = octets.firstIndex(of: UInt8(ascii: "]")) {
            return octets[...end]
        }
        return octets.prefix { $0 != UInt8(ascii: ":") }
    }

    /// The authority as it stands in a URL: an IPv6 address in brackets (RFC 3986 §3.2.2).
    package var text: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return port.map { "\(host):\($0)" } ?? host
    }
}
