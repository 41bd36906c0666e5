import HTTPMessage
import HTTPTransport
import Journal

/// The hosts that requests may name, and the web pages that may send them (design §6, Safety).
///
/// A site that somebody visits can make the browser send requests to this machine. Three things tell
/// them from a client's own:
///
/// - `Host` (RFC 9110 §7.2) is the site's own name where the site has its name resolve to loopback
///   (DNS rebinding). It is checked on loopback only: off loopback, a server may have any name.
/// - `Origin` (RFC 6454 §7) names the site. Browsers send it with each request that may write.
/// - `Sec-Fetch-Site: cross-site` (Fetch Metadata §2.3) comes with the rest. Links that a person
///   follows, and contents that a page shows, are let pass: they change nothing.
///
/// Clients that are no browsers send neither of the last two.
struct KnownHosts: Sendable {
    /// Whether only this machine can connect.
    let isLoopback: Bool
    /// Hosts beside those of loopback, in lower case, without port and brackets.
    private let names: Set<String>

    init(configuration: Configuration) {
        isLoopback = Self.isLoopback(configuration.transport.host)
        var names = Set(configuration.allowedHosts)
        if let publicURL = configuration.publicURL { names.insert(publicURL.authority.host) }
        self.names = names
    }

    /// Refuses what a web page of another site sends.
    ///
    /// - Throws: 403 for a `Host` that is not known, on loopback; for an `Origin` that is not known;
    ///   for what the browser says comes from another site.
    func check(_ request: HTTPRequest) throws(Problem) {
        let host = request.target.authority.map { $0[...] } ?? request.fields.first("host")
        if isLoopback, let host, !isKnown(host) { throw Self.foreign(host) }
        if request.fields.first("origin") != nil {
            for origin in request.fields.values(named: "origin")
            where !isKnown(origin: origin, host: host) {
                throw Self.foreignOrigin
            }
        } else if let site = request.fields.first("sec-fetch-site"),
            FieldSyntax.matches(site, "cross-site"), !Self.isHarmless(request)
        {
            throw Self.foreignOrigin
        }
    }

    /// 403 that names the host as the client wrote it, where it is one, since a proxy or a container
    /// may have put another there than the client's author knows.
    private static func foreign(_ authority: ArraySlice<UInt8>) -> Problem {
        let host = Authority(String(decoding: authority, as: UTF8.self))?.host ?? ""
        let sent = (1...64).contains(host.utf8.count) ? ", not \(host)" : ""
        return Problem(
            .host,
            403,
            "The Host must be localhost, a loopback address, the host of --public-url, or one that "
                + "--allow-host names\(sent)."
        )
    }

    private static let foreignOrigin = Problem(
        .origin,
        403,
        "Requests from web pages of other sites are refused: --allow-host names sites that may "
            + "send them."
    )

    /// Whether a page may have the browser send this without being asked: to show a content, or to
    /// follow a link.
    private static func isHarmless(_ request: HTTPRequest) -> Bool {
        guard request.method == .get || request.method == .head else { return false }
        if PresignedURL.isDownload(request.target.path) { return true }
        return request.fields.first("sec-fetch-mode").map { FieldSyntax.matches($0, "navigate") }
            ?? false
    }

    private func isKnown(_ authority: ArraySlice<UInt8>) -> Bool {
        // What nearly every client sends costs no text.
        let host = Authority.host(of: authority)
        if FieldSyntax.matches(host, "127.0.0.1") || FieldSyntax.matches(host, "localhost") {
            return true
        }
        return Authority(String(decoding: authority, as: UTF8.self)).map { isKnown($0.host) }
            ?? false
    }

    private func isKnown(_ host: String) -> Bool {
        Self.isLoopback(host) || names.contains(host)
    }

    /// Whether an origin, `scheme "://" host [ ":" port ]` (RFC 6454 §6.1), is at home here.
    ///
    /// Any port will do: a page that a developer serves on this machine is no stranger. Off loopback
    /// the server's own pages are of the host that the request names.
    private func isKnown(origin: ArraySlice<UInt8>, host: ArraySlice<UInt8>?) -> Bool {
        guard let origin = try? HTTPURL(String(decoding: origin, as: UTF8.self)),
            origin.path.isEmpty
        else { return false }
        if isKnown(origin.authority.host) { return true }
        guard !isLoopback, let host else { return false }
        return Authority(String(decoding: host, as: UTF8.self)) == origin.authority
    }

    /// Whether a host is a name or an address of loopback, IPv4 within IPv6 included (RFC 6761 §6.3,
    /// RFC 1122 §3.2.1.3, RFC 4291 §2.5.5.2).
    static func isLoopback(_ host: String) -> Bool {
        var host = Authority(host: host, port: nil).host
        if host.hasSuffix("."), !host.hasSuffix("..") { host.removeLast() }
        if host == "localhost" || host.hasSuffix(".localhost") || host == "::1" { return true }
        let mapped = "::ffff:"
        if host.hasPrefix(mapped) { host = String(host.dropFirst(mapped.count)) }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { (UInt8($0) != nil) && !$0.hasPrefix("+") }
    }
}
