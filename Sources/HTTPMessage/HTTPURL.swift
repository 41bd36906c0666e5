/// The URL of a server, `http` or `https` (RFC 9110 §4.2, RFC 3986 §3).
///
///     http-URI = "http" "://" authority path-abempty [ "?" query ]
///
/// A query or a fragment is refused: other URLs are made by adding a path to this one.
package struct HTTPURL: Sendable, Hashable {
    package enum Scheme: String, Sendable {
        case http
        case https

        /// The port of a URL that names none.
        package var defaultPort: Int { self == .http ? 80 : 443 }
    }

    /// Why a text is no URL of a server.
    package enum Flaw: Error, Equatable, CustomStringConvertible {
        case scheme
        case userinfo
        case host
        case port
        case path
        case query
        case fragment
        /// What must be percent-encoded, or stands nowhere in a URL.
        case character

        package var description: String {
            switch self {
            case .scheme: "it begins with neither http:// nor https://"
            case .userinfo: "it has a user name"
            case .host: "it has no host, or one that is no name and no address"
            case .port: "its port is no number from 1 to 65535"
            case .path: "its path has a % without two hexadecimal digits"
            case .query: "it has a query"
            case .fragment: "it has a fragment"
            case .character: "it has a space or another character that must be percent-encoded"
            }
        }
    }

    package let scheme: Scheme
    package let authority: Authority
    /// Empty, or from its first `/` on; without a slash at the end.
    package let path: String

    /// Reads a URL.
    ///
    /// Scheme and host may have capital letters (RFC 3986 §6.2.2.1); an empty port is none, and a
    /// slash at the end changes nothing.
    package init(_ text: String) throws(Flaw) {
        guard let colon = text.firstRange(of: "://"),
            let scheme = Scheme(rawValue: text[..<colon.lowerBound].lowercased())
        else { throw .scheme }
        let rest = Array(text[colon.upperBound...].utf8)
        if let octet = rest.first(where: { !Self.mayStand($0) }) {
            if octet == UInt8(ascii: "?") { throw .query }
            if octet == UInt8(ascii: "#") { throw .fragment }
            throw .character
        }
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        self.scheme = scheme
        authority = try Self.authority(rest[..<slash])
        var path = rest[slash...]
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        if path.contains(where: Self.isBracket) { throw .character }
        guard PercentCoding.decode(path) != nil else { throw .path }
        self.path = String(decoding: path, as: UTF8.self)
    }

    /// The port, named or not.
    package var port: Int { authority.port ?? scheme.defaultPort }

    /// The URL as it was read: in lower case but for its path, without a slash at the end.
    package var text: String { "\(scheme.rawValue)://\(authority.text)\(path)" }

    private static func authority(_ octets: ArraySlice<UInt8>) throws(Flaw) -> Authority {
        if octets.contains(UInt8(ascii: "@")) { throw .userinfo }
        let host = Authority.host(of: octets)
        // A percent-encoded name would have to be decoded by whoever looks it up.
        guard !host.isEmpty, !host.contains(UInt8(ascii: "%")) else { throw .host }
        if host.first == UInt8(ascii: "[") {
            guard isIPv6Address(host.dropFirst().dropLast()) else { throw .host }
        }
        let port = octets[host.endIndex...]
        guard port.isEmpty || port.first == UInt8(ascii: ":") else { throw .host }
        guard let authority = Authority(String(decoding: octets, as: UTF8.self)) else {
            let isHost = host.withUnsafeBytes(FieldSyntax.isAuthority)
            throw isHost ? .port : .host
        }
        guard authority.port != 0 else { throw .port }
        return authority
    }

    /// Whether an octet may stand behind the scheme: unreserved, `%`, gen-delims but `?` and `#`,
    /// sub-delims (RFC 3986 §2).
    private static func mayStand(_ octet: UInt8) -> Bool {
        guard octet > 0x20, octet < 0x7F else { return false }
        return !"\"#<>?\\^`{|}".utf8.contains(octet)
    }

    /// Brackets stand around an IP literal and nowhere else (§3.2.2).
    private static func isBracket(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: "[") || octet == UInt8(ascii: "]")
    }

    /// Whether octets are an IPv6 address (RFC 3986 §3.2.2): eight groups of up to four
    /// hexadecimal digits, of which `::` stands for one or more; the last two may be an IPv4
    /// address.
    private static func isIPv6Address(_ octets: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: octets, as: UTF8.self)
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return false }
        var count = 0
        for (index, half) in halves.enumerated() where !half.isEmpty {
            let groups = half.split(separator: ":", omittingEmptySubsequences: false)
            for (position, group) in groups.enumerated() {
                let isLast = index == halves.count - 1 && position == groups.count - 1
                if isLast, isIPv4Address(group) {
                    count += 2
                } else if (1...4).contains(group.utf8.count),
                    group.utf8.allSatisfy({ PercentCoding.hexValue($0) != nil })
                {
                    count += 1
                } else {
                    return false
                }
            }
        }
        return halves.count == 2 ? count < 8 : count == 8
    }

    private static func isIPv4Address(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && UInt8(part) != nil && part.first != "+"
            }
    }
}
