import JSON
import Time

extension TokenIssuer {
    /// An access token, good but for its flaw.
    func accessToken(
        client: Client,
        session: String,
        now: Int64,
        lifetime: Int64,
        flaw: TokenFlaw?,
        using generator: inout some RandomNumberGenerator
    ) throws(OAuthError) -> String {
        var claims = AccessTokenClaims(
            client: client,
            session: session,
            issuedAt: now,
            expiresAt: now.addingSaturated(lifetime),
            tokenID: generator.uuid()
        )
        switch flaw {
        case nil: break
        case .expired:
            claims.expiresAt = now.addingSaturated(-60)
            claims.issuedAt = claims.expiresAt.subtractingSaturated(lifetime)
        case .notYetValid:
            let notBefore = now.addingSaturated(600)
            claims.notBefore = notBefore
            claims.expiresAt = notBefore.addingSaturated(lifetime)
        case .wrongIssuer: claims.issuer = "https://another-issuer.invalid"
        case .noDomains: claims.domains = []
        case .wrongDomain: claims.domains = [Self.domainOutside(client.domains)]
        case .idToken:
            let claims = IDTokenClaims(
                clientID: client.id,
                issuedAt: now,
                expiresAt: claims.expiresAt,
                tokenID: claims.tokenID
            )
            return try signed(claims.json)
        case .wrongKey:
            let stranger = try Self.serverError { () throws(SigningKeyError) in
                try keys.stranger()
            }
            return try signed(claims.json, by: stranger)
        case .tampered: return try tampered(claims)
        case .unsigned:
            let header: JSONValue = ["alg": "none", "typ": "JWT"]
            return JWS.token(
                JWS.signingInput(header: header, payload: claims.json),
                signature: []
            )
        case .hmacConfusion: return hmacConfused(claims)
        case .garbage: return Base64URL.encode(generator.octets(count: 48))
        }
        return try signed(claims.json)
    }

    /// A token signed with RS256, by the present key unless another is given.
    func signed(
        _ payload: JSONValue,
        by key: SigningKey? = nil
    ) throws(OAuthError) -> String {
        try Self.serverError { () throws(SigningKeyError) in
            try JWS.token(payload: payload, key: key ?? keys.current)
        }
    }

    /// A token that was given one more permission after it had been signed.
    private func tampered(_ claims: AccessTokenClaims) throws(OAuthError) -> String {
        let key = keys.current
        let header = JWS.header(keyID: key.id)
        let signature = try Self.serverError { () throws(SigningKeyError) in
            try key.signature(over: JWS.signingInput(header: header, payload: claims.json)[...])
        }
        var changed = claims
        changed.permissions.append("tampered")
        return JWS.token(
            JWS.signingInput(header: header, payload: changed.json),
            signature: signature
        )
    }

    /// A token for a verifier that lets `alg` choose what the key is used for.
    private func hmacConfused(_ claims: AccessTokenClaims) -> String {
        let key = keys.current
        let input = JWS.signingInput(
            header: ["alg": "HS256", "typ": "JWT", "kid": .string(key.id)],
            payload: claims.json
        )
        let code = HMACSHA256(key: key.privateKey.publicKey.pem)
        return JWS.token(input, signature: code.code(over: input))
    }

    /// The name of a domain that is not among these.
    private static func domainOutside(_ domains: [String]) -> String {
        var name = "wrong-domain"
        while domains.contains(name) { name += "-indeed" }
        return name
    }

    /// Turns a failure of the cryptography library into an error of the token endpoint.
    private static func serverError<Result>(
        _ body: () throws(SigningKeyError) -> Result
    ) throws(OAuthError) -> Result {
        do throws(SigningKeyError) {
            return try body()
        } catch {
            throw OAuthError(
                code: .serverError,
                description: error.explanation,
                status: 500
            )
        }
    }
}
