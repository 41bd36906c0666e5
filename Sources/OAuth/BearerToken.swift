package import JSON
import Time

/// What an `Authorization` field offers to an API operation (RFC 6750 §2.1).
package enum BearerCredentials: Equatable, Sendable {
    /// There is no such field.
    case absent
    /// The field has another scheme, or a token without any.
    case otherScheme
    /// What follows the scheme, which may be anything.
    case token(ArraySlice<UInt8>)

    /// Reads a field value: the scheme in any case, spaces, and the token.
    package init(authorization: ArraySlice<UInt8>?) {
        guard let value = authorization else {
            self = .absent
            return
        }
        guard let rest = AuthorizationScheme.credentials(of: value, scheme: "bearer") else {
            self = .otherScheme
            return
        }
        self = .token(rest)
    }

    /// One sentence for a client that sent no token; `nil` for one that did.
    package var explanation: String? {
        switch self {
        case .absent:
            "Send an access token in the Authorization field (Bearer and the token); "
                + "POST /oauth2/token gives one."
        case .otherScheme:
            "The Authorization field must be the word Bearer, a space, and an access token."
        case .token: nil
        }
    }
}

/// The parts of an `Authorization` field (RFC 9110 §11.4): `auth-scheme [ 1*SP credentials ]`.
enum AuthorizationScheme {
    /// What follows a scheme, given in lower case; `nil` where the field has another one.
    static func credentials(
        of value: ArraySlice<UInt8>,
        scheme: StaticString
    ) -> ArraySlice<UInt8>? {
        let length = scheme.utf8CodeUnitCount
        guard value.count >= length else { return nil }
        for offset in 0..<length {
            let octet = value[value.startIndex + offset]
            let isUpperCase = octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z")
            guard (isUpperCase ? octet | 0x20 : octet) == scheme.utf8Start[offset] else {
                return nil
            }
        }
        let rest = value.dropFirst(length)
        guard let next = rest.first else { return rest }
        guard next == UInt8(ascii: " ") else { return nil }
        return rest.drop { $0 == UInt8(ascii: " ") }
    }
}

/// The value of `WWW-Authenticate` beside a 401 of the API (RFC 6750 §3).
package enum BearerChallenge {
    /// The challenge, with the error of the token where one was sent.
    ///
    /// - Parameter error: `nil` for a request without a token: §3.1 wants no `error` then.
    package static func text(for error: TokenError?) -> String {
        text(describing: error?.explanation)
    }

    /// The challenge, with what is wrong with the token where one was sent.
    package static func text(describing explanation: String?) -> String {
        let challenge = #"Bearer realm="qubs-mock""#
        guard let explanation else { return challenge }
        let description = ErrorText.restricted(explanation)
        return challenge + #", error="invalid_token", error_description="\#(description)""#
    }
}

/// A token of which everything but the time has been verified.
package struct VerifiedToken: Sendable {
    /// Who may do what with it.
    package let principal: Principal
    /// `iat`, in seconds since 1970.
    package let issuedAt: Int64
    /// `nbf`, where the token has one.
    package let notBefore: Int64?
    /// `exp`: the first second in which the token is good no more.
    package let expiresAt: Int64
    /// When the key that signed it is published no more; `nil` while it signs.
    let keyRetiresAt: Int64?

    /// The session that the credential chose.
    package var session: String { principal.session }
    /// The `jti`.
    package var tokenID: String { principal.tokenID }

    /// Checks the token against the time.
    ///
    /// `exp` and `nbf` have no leeway. `iat` may lie ahead by a step of the system's clock; more is
    /// refused, as API gateways do: such a token was made by another clock, or the session's clock
    /// was set back.
    ///
    /// - Parameters:
    ///   - now: The clock of the token's session.
    ///   - keysNow: The clock that rotations go by, where it is another one.
    package func check(at now: Int64, keysAt keysNow: Int64? = nil) throws(TokenError) {
        guard now < expiresAt else {
            throw .expired(secondsAgo: now.subtractingSaturated(expiresAt))
        }
        if let notBefore, now < notBefore {
            throw .notYetValid(inSeconds: notBefore.subtractingSaturated(now))
        }
        let lead = issuedAt.subtractingSaturated(now)
        guard lead <= SessionClock.stepSeconds else { throw .issuedInFuture(bySeconds: lead) }
        if let keyRetiresAt, keyRetiresAt <= keysNow ?? now { throw .unknownKey }
    }
}

/// Verifies access tokens (RFC 7519 §7.2, RFC 8725).
///
/// In two steps: `inspect`, which is slow and whose result may be kept until the keys change, and
/// `VerifiedToken.check`, which is fast and depends on the time.
package struct TokenVerifier: Sendable {
    /// The keys that may have signed.
    package let keys: SigningKeys

    /// A verifier of tokens that these keys signed.
    package init(keys: SigningKeys) { self.keys = keys }

    /// Verifies everything that does not depend on the time.
    ///
    /// Structure, `alg` (RS256 and no other, whatever the key), `crit`, `kid`, the signature, then
    /// `iss`, `token_use` and the form of the other claims.
    package func inspect(_ token: ArraySlice<UInt8>) throws(TokenError) -> VerifiedToken {
        try Self.refuseCommonMistakes(in: token)
        let parts = try JWS.Parts(token)
        guard let header = JWS.Parts.object(parts.header) else { throw .malformed(.header) }
        try Self.checkAlgorithm(of: header)
        guard header["crit"] == nil else { throw .criticalExtension }
        guard let keyID = header["kid"]?.string else { throw .missingKeyID }
        guard let entry = keys.entry(id: ArraySlice(keyID.utf8)) else { throw .unknownKey }
        guard let signature = Base64URL.decode(parts.signature) else {
            throw .malformed(.signature)
        }
        guard entry.key.hasSigned(parts.signingInput, signature: signature) else {
            throw .wrongSignature
        }
        guard let json = JWS.Parts.object(parts.payload) else { throw .malformed(.claims) }
        let claims = try AccessTokenClaims(verified: json)
        return VerifiedToken(
            principal: Principal(
                clientID: claims.clientID,
                session: claims.session,
                domains: claims.domains,
                sites: claims.sites,
                permissions: claims.permissions,
                providerNumbers: claims.providerNumbers,
                tokenID: claims.tokenID
            ),
            issuedAt: claims.issuedAt,
            notBefore: claims.notBefore,
            expiresAt: claims.expiresAt,
            keyRetiresAt: entry.retiresAt
        )
    }

    /// Verifies a token, the time included; see `VerifiedToken.check`.
    package func verify(
        _ token: ArraySlice<UInt8>,
        now: Int64,
        keysNow: Int64? = nil
    ) throws(TokenError) -> VerifiedToken {
        let verified = try inspect(token)
        try verified.check(at: now, keysAt: keysNow)
        return verified
    }

    /// The session that a token claims, though its signature may be wrong.
    ///
    /// Only to choose whose journal and clock a refusal belongs to.
    ///
    /// - Returns: A well-formed name; `nil` where the token has none that can be read.
    package static func unverifiedSession(_ token: ArraySlice<UInt8>) -> String? {
        guard let name = unverifiedClaims(token)?["session"]?.string, SessionName.isValid(name)
        else { return nil }
        return name
    }

    /// The claims of a token that nobody has verified; `nil` where it is no JWT.
    package static func unverifiedClaims(_ token: ArraySlice<UInt8>) -> JSONValue? {
        // Many a token is none: that is an answer here, not an error.
        guard let parts = try? JWS.Parts(token) else { return nil }
        return JWS.Parts.object(parts.payload)
    }

    private static func refuseCommonMistakes(
        in token: ArraySlice<UInt8>
    ) throws(TokenError) {
        guard let first = token.first else { throw .malformed(.nothing) }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { throw .malformed(.quoted) }
        if AuthorizationScheme.credentials(of: token, scheme: "bearer") != nil {
            throw .malformed(.scheme)
        }
    }

    private static func checkAlgorithm(of header: JSONValue) throws(TokenError) {
        guard let name = header["alg"]?.string else { throw .malformed(.header) }
        switch name {
        case "RS256": return
        case "none": throw .unsigned
        case "HS256", "HS384", "HS512", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256",
            "PS384", "PS512", "EdDSA":
            throw .wrongAlgorithm(name)
        default: throw .wrongAlgorithm(nil)
        }
    }
}
