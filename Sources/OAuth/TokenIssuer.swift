import Time

/// Issues tokens: who asks and the time in, tokens out.
///
/// `now` is the clock of the session, in seconds since 1970. Nothing is kept: a refresh token
/// carries what must be known, under a code that only this server (and its next start) can make.
package struct TokenIssuer: Sendable {
    /// How long an access token and an ID token are good, in seconds: 60 minutes.
    package static let defaultLifetimeSeconds: Int64 = 3600
    /// Lifetimes that may be asked for, in seconds: up to a year.
    package static let lifetimesInSeconds: ClosedRange<Int64> = 1...31_536_000
    /// How long a refresh token is good, in seconds: 5 days.
    package static let refreshLifetimeSeconds: Int64 = 432_000

    let keys: SigningKeys

    /// An issuer that signs with the present key.
    package init(keys: SigningKeys) { self.keys = keys }

    /// Answers a token request (`POST /oauth2/token`).
    ///
    /// - Parameters:
    ///   - request: Whose credentials and grant type have been checked.
    ///   - lifetimeSeconds: Of the access token; brought into `lifetimesInSeconds`.
    ///   - flaw: What shall be wrong with the access token.
    /// - Throws: `invalid_grant` for a refresh token that is not good; `server_error`.
    package func issue(
        for request: TokenRequest,
        now: Int64,
        lifetimeSeconds: Int64 = defaultLifetimeSeconds,
        flaw: TokenFlaw? = nil,
        using generator: inout some RandomNumberGenerator
    ) throws(OAuthError) -> TokenResponse {
        let lifetime = Self.clamped(lifetimeSeconds)
        return switch request.grant {
        case .clientCredentials:
            try issue(
                to: request.client,
                session: request.session,
                now: now,
                lifetimeSeconds: lifetime,
                flaw: flaw,
                using: &generator
            )
        case .refreshToken(let text):
            try refresh(
                text,
                for: request,
                now: now,
                lifetime: lifetime,
                flaw: flaw,
                using: &generator
            )
        }
    }

    /// Issues what the client credentials grant gives a client, without asking for credentials.
    ///
    /// - Parameters:
    ///   - session: A valid session name.
    ///   - lifetimeSeconds: Of the access token; brought into `lifetimesInSeconds`.
    ///   - flaw: What shall be wrong with the access token.
    /// - Throws: `server_error` when the cryptography library fails.
    package func issue(
        to client: Client,
        session: String,
        now: Int64,
        lifetimeSeconds: Int64 = defaultLifetimeSeconds,
        flaw: TokenFlaw? = nil,
        using generator: inout some RandomNumberGenerator
    ) throws(OAuthError) -> TokenResponse {
        let lifetime = Self.clamped(lifetimeSeconds)
        let accessToken = try accessToken(
            client: client,
            session: session,
            now: now,
            lifetime: lifetime,
            flaw: flaw,
            using: &generator
        )
        let refreshToken = RefreshToken(
            clientID: client.id,
            session: session,
            expiresAt: now.addingSaturated(Self.refreshLifetimeSeconds)
        )
        return TokenResponse(
            accessToken: accessToken,
            expiresInSeconds: lifetime,
            refreshToken: client.getsRefreshTokens
                ? refreshToken.sealed(with: keys.secret, using: &generator) : nil,
            idToken: nil
        )
    }

    private func refresh(
        _ text: String,
        for request: TokenRequest,
        now: Int64,
        lifetime: Int64,
        flaw: TokenFlaw?,
        using generator: inout some RandomNumberGenerator
    ) throws(OAuthError) -> TokenResponse {
        guard let token = RefreshToken(text, openedWith: keys.secret) else {
            throw .init(
                code: .invalidGrant,
                description: "The refresh token is not one of this mock's, or was changed."
            )
        }
        guard token.clientID == request.client.id else {
            throw .init(
                code: .invalidGrant,
                description: "The refresh token was issued to another client."
            )
        }
        guard token.session == request.session else {
            throw .init(
                code: .invalidGrant,
                description: "The refresh token was issued in another session of this client."
            )
        }
        let left = token.expiresAt.subtractingSaturated(now)
        guard left > 0 else {
            throw .init(
                code: .invalidGrant,
                description: "The refresh token expired \(left.magnitude) s ago by the "
                    + "mock's clock; use client_credentials for a new one."
            )
        }
        guard left <= Self.refreshLifetimeSeconds.addingSaturated(SessionClock.stepSeconds) else {
            throw .init(
                code: .invalidGrant,
                description: "The refresh token was issued after the present of the mock's clock; "
                    + "use client_credentials for a new one."
            )
        }
        let accessToken = try accessToken(
            client: request.client,
            session: request.session,
            now: now,
            lifetime: lifetime,
            flaw: flaw,
            using: &generator
        )
        let claims = IDTokenClaims(
            clientID: request.client.id,
            issuedAt: now,
            expiresAt: now.addingSaturated(Self.defaultLifetimeSeconds),
            tokenID: generator.uuid()
        )
        let idToken = try signed(claims.json)
        return TokenResponse(
            accessToken: accessToken,
            expiresInSeconds: lifetime,
            refreshToken: nil,
            idToken: idToken
        )
    }

    private static func clamped(_ lifetime: Int64) -> Int64 {
        min(max(lifetime, lifetimesInSeconds.lowerBound), lifetimesInSeconds.upperBound)
    }
}
