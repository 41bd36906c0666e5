import JSON

/// What an ID token says (OpenID Connect Core 1.0 §2), as far as a client without a user has it.
struct IDTokenClaims {
    let clientID: String
    /// In seconds since 1970, as `expiresAt`.
    let issuedAt: Int64
    let expiresAt: Int64
    let tokenID: String

    /// The claims set.
    var json: JSONValue {
        [
            "iss": .string(ServerMetadata.issuer), "sub": .string(clientID),
            "aud": .string(clientID), "token_use": .string(AccessTokenClaims.Use.id.rawValue),
            "iat": .integer(Int(issuedAt)), "exp": .integer(Int(expiresAt)),
            "jti": .string(tokenID),
        ]
    }
}
