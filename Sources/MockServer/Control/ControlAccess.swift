import HTTPMessage
import Journal
import OAuth

/// Who may use the control API (design §6, Safety).
///
/// Loopback only by default. Bound elsewhere, a token is needed. Without a valid token, `KnownHosts`
/// decides.
struct ControlAccess: Sendable {
    /// Whether a token is needed, since others than this machine can connect.
    let needsToken: Bool
    /// What the token is; there is always one where `needsToken`.
    let token: String?
    /// Whether `token` was made here, so that it must be shown.
    let isGenerated: Bool
    private let hosts: KnownHosts

    init(configuration: Configuration, hosts: KnownHosts) {
        self.hosts = hosts
        needsToken = !hosts.isLoopback
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
    }

    /// Refuses requests from unknown hosts and pages, and those without a token where one is needed.
    ///
    /// - Parameter needsToken: Whether the operation is one that needs a token off loopback.
    /// - Throws: 401 without a valid token where one is needed; 403 for a foreign origin or host.
    func check(_ request: HTTPRequest, needsToken operationNeedsToken: Bool) throws(Problem) {
        let authorization = request.fields.first("authorization")
        if let token,
            case .token(let sent) = BearerCredentials(authorization: authorization),
            ConstantTime.areEqual(Array(token.utf8), sent)
        {
            return
        }
        // Browsers send Basic unasked, with what a page of another site has them send, too: it opens
        // the door, and nothing that is foreign.
        if let token, let basic = BasicCredentials(authorization: authorization),
            ConstantTime.areEqual(Array(token.utf8), basic.password[...])
        {
            return try hosts.check(request)
        }
        if needsToken, operationNeedsToken {
            throw Problem(
                .tokenMissing,
                401,
                "The server is not bound to loopback: send the admin token as a bearer token, or as "
                    + "the password of HTTP Basic. It was given by --admin-token, or printed when "
                    + "the server started.",
                fields: [
                    HTTPResponse.Field("WWW-Authenticate", "Bearer realm=\"qubs-mock control\""),
                    HTTPResponse.Field(
                        "WWW-Authenticate",
                        "Basic realm=\"qubs-mock control\", charset=\"UTF-8\""
                    ),
                ]
            )
        }
        try hosts.check(request)
    }
}
