import JSON
import Time

/// What an access token says (RFC 7519 §4.1, and the grants of the API).
package struct AccessTokenClaims: Sendable, Equatable {
    /// The one value of `scope`: the API asks clients for none, and permissions are no scopes.
    package static let scope = "integrations"
    /// The values of `token_use`.
    package enum Use: String, Sendable {
        case access
        case id
    }

    /// Every claim an access token may hold, in its order.
    static let names = [
        "iss", "sub", "client_id", "token_use", "scope", "iat", "exp", "nbf", "jti", "domains",
        "sites", "providerNumbers", "permissions", "session",
    ]

    /// `iss`.
    package var issuer: String
    /// `sub` and `client_id`: the client without its session suffix.
    package var clientID: String
    /// `iat`, in seconds since 1970.
    package var issuedAt: Int64
    /// `exp`: the first second in which the token is good no more.
    package var expiresAt: Int64
    /// `nbf`: the first second in which the token is good; `nil` where it is so from the start.
    package var notBefore: Int64?
    /// `jti`.
    package var tokenID: String
    /// The tenants that the token opens.
    package var domains: [String]
    /// `nil` for all sites; the claim is absent then.
    package var sites: [String]?
    /// What referrer operations filter by.
    package var providerNumbers: [String]
    /// Such as `appointments:read_billing`.
    package var permissions: [String]
    /// The session that the credential chose.
    package var session: String

    /// What a token for a client says.
    package init(
        client: Client,
        session: String,
        issuedAt: Int64,
        expiresAt: Int64,
        tokenID: String
    ) {
        issuer = ServerMetadata.issuer
        clientID = client.id
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.tokenID = tokenID
        domains = client.domains
        sites = client.sites
        providerNumbers = client.providerNumbers
        permissions = client.permissions
        self.session = session
    }

    /// The claims of a token whose signature is good.
    ///
    /// - Throws: `wrongIssuer`, `wrongUse` or `badClaim`. Time is not looked at.
    init(verified json: JSONValue) throws(TokenError) {
        guard let issuer = json["iss"]?.string else { throw .badClaim("iss") }
        guard issuer == ServerMetadata.issuer else { throw .wrongIssuer }
        self.issuer = issuer
        switch json["token_use"]?.string.flatMap(Use.init(rawValue:)) {
        case .access: break
        case .id: throw .idToken
        case nil: throw .badClaim("token_use")
        }
        guard let clientID = json["client_id"]?.string else { throw .badClaim("client_id") }
        self.clientID = clientID
        guard let tokenID = json["jti"]?.string else { throw .badClaim("jti") }
        self.tokenID = tokenID
        guard let expiresAt = try Self.seconds("exp", of: json) else { throw .badClaim("exp") }
        self.expiresAt = expiresAt
        notBefore = try Self.seconds("nbf", of: json)
        issuedAt = try Self.seconds("iat", of: json) ?? 0
        domains = try Self.texts("domains", of: json) ?? []
        sites = try Self.texts("sites", of: json)
        providerNumbers = try Self.texts("providerNumbers", of: json) ?? []
        permissions = try Self.texts("permissions", of: json) ?? []
        switch json["session"] {
        case nil: session = SessionName.default
        case .string(let name) where SessionName.isValid(name): session = name
        default: throw .badClaim("session")
        }
    }

    /// The claims set (RFC 7519 §4) of an access token.
    var json: JSONValue {
        var object = JSONObject()
        object["iss"] = .string(issuer)
        object["sub"] = .string(clientID)
        object["client_id"] = .string(clientID)
        object["token_use"] = .string(Use.access.rawValue)
        object["scope"] = .string(Self.scope)
        object["iat"] = .integer(Int(issuedAt))
        object["exp"] = .integer(Int(expiresAt))
        object["nbf"] = notBefore.map { .integer(Int($0)) }
        object["jti"] = .string(tokenID)
        object["domains"] = Self.array(domains)
        object["sites"] = sites.map(Self.array)
        object["providerNumbers"] = Self.array(providerNumbers)
        object["permissions"] = Self.array(permissions)
        object["session"] = .string(session)
        return .object(object)
    }

    private static func array(_ texts: [String]) -> JSONValue {
        .array(texts.map(JSONValue.string))
    }

    /// A NumericDate (RFC 7519 §2), which may have a fraction: the first whole second at or after it.
    ///
    /// The signing key is published, so a claim may be any number: one that cannot be written as a
    /// date-time is refused.
    private static func seconds(
        _ name: String,
        of json: JSONValue
    ) throws(TokenError) -> Int64? {
        guard let value = json[name] else { return nil }
        guard let exact = value.double else { throw .badClaim(name) }
        let whole = value.int.map(Int64.init) ?? Int64(exactly: exact.rounded(.up))
        guard let whole, Instant.writableSeconds.contains(whole) else {
            throw .timeOutOfRange(name)
        }
        return whole
    }

    private static func texts(
        _ name: String,
        of json: JSONValue
    ) throws(TokenError) -> [String]? {
        guard let value = json[name] else { return nil }
        guard let elements = value.array else { throw .badClaim(name) }
        var texts: [String] = []
        for element in elements {
            guard let text = element.string else { throw .badClaim(name) }
            texts.append(text)
        }
        return texts
    }
}
