import HTTPMessage
import HTTPTransport
import Journal
import OAuth

/// Who may use the control API (design §6, Safety).
///
/// Loopback only by default. Bound elsewhere, a token is needed. Without a valid token, a page of
/// another origin and a foreign `Host` are refused: a browser on this machine must not be made to
/// steer the mock by a site that it visits.
struct ControlAccess: Sendable {
    /// Whether a token is needed, since others than this machine can connect.
    let needsToken: Bool
    /// What the token is; there is always one where `needsToken`.
    let token: String?
    /// Whether `token` was made here, so that it must be shown.
    let isGenerated: Bool
    /// Hosts that a request may name, in lower case, without port.
    private let hosts: Set<String>

    init(configuration: Configuration) {
        needsToken = !Self.isLoopback(configuration.transport.host)
        if let token = configuration.adminToken {
            self.token = token
            isGenerated = false
        } else if needsToken {
            var generator = SystemRandomNumberGenerator()
            token = Base64URL.encode(generator.octets(count: 24))
            isGenerated = true
        } else {
            token = nil
            isGenerated = false
        }
        var hosts = Set(configuration.allowedHosts)
        if let publicURL = configuration.publicURL { hosts.insert(publicURL.authority.host) }
        self.hosts = hosts
    }

    /// Refuses a request of whom it does not know.
    ///
    /// - Parameter needsToken: Whether the operation is one that needs a token off loopback.
    /// - Throws: 401 without a valid token where one is needed; 403 for a foreign origin or host.
    func check(_ request: HTTPRequest, needsToken operationNeedsToken: Bool) throws(Problem) {
        let fields = request.fields
        if let token,
            case .token(let sent) = BearerCredentials(
                authorization: fields.first("authorization")
            ),
            ConstantTime.areEqual(Array(token.utf8), sent)
        {
            return
        }
        if needsToken, operationNeedsToken {
            throw Problem(
                .tokenMissing,
                401,
                "The server is not bound to loopback: send the admin token as a bearer token. "
                    + "It was given by --admin-token, or printed when the server started.",
                fields: [
                    HTTPResponse.Field("WWW-Authenticate", "Bearer realm=\"qubs-mock control\"")
                ]
            )
        }
        if !needsToken, let host = request.host,
            !(Self.host(ofAuthority: host).map(isKnown) ?? false)
        {
            throw Problem(
                .host,
                403,
                "The Host of a control request must be localhost, a loopback address, or the "
                    + "host of --public-url."
            )
        }
        for origin in fields.values(named: "origin") {
            let host = Self.host(ofOrigin: String(decoding: origin, as: UTF8.self))
            guard let host, isKnown(host) else {
                throw Problem(
                    .origin,
                    403,
                    "Control requests from pages of another origin are refused."
                )
            }
        }
    }

    private func isKnown(_ host: String) -> Bool {
        Self.isLoopback(host) || hosts.contains(host)
    }

    /// Whether a host is `localhost` or a loopback address, of IPv4 within IPv6 (RFC 4291 §2.5.5.2),
    /// too.
    static func isLoopback(_ host: String) -> Bool {
        var host = host.lowercased()
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" || host == "::1" { return true }
        let mapped = "::ffff:"
        if host.hasPrefix(mapped) { host = String(host.dropFirst(mapped.count)) }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { (UInt8($0) != nil) && !$0.hasPrefix("+") }
    }

    /// The host of `host:port`, in lower case and without brackets; `nil` for anything else.
    private static func host(ofAuthority authority: some StringProtocol) -> String? {
        Authority(authority)?.host
    }

    /// The host of an origin, `scheme "://" host [ ":" port ]` (RFC 6454 §6.1).
    ///
    /// Any port of this machine is at home here: a page that a developer serves on it is no stranger.
    private static func host(ofOrigin origin: String) -> String? {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return host(ofAuthority: origin.dropFirst(scheme.count))
        }
        return nil
    }
}
