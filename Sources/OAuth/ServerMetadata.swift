package import JSON

/// What the server says about itself at `/.well-known/openid-configuration` (RFC 8414 §2).
package enum ServerMetadata {
    /// The `iss` of every token.
    ///
    /// A constant, not the address of the server: tokens made offline, or before a restart on
    /// another port, stay good, and no token of the mock can pass for one of the true service.
    package static let issuer = "https://qubs-mock.invalid"

    /// The metadata, with addresses under a base URL that has no slash at its end.
    package static func json(baseURL: String) -> JSONValue {
        [
            "issuer": .string(issuer),
            "token_endpoint": .string(baseURL + "/oauth2/token"),
            "jwks_uri": .string(baseURL + "/.well-known/jwks.json"),
            "grant_types_supported": ["client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            // Required by RFC 8414, though there is no authorization endpoint to take one.
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": [.string(AccessTokenClaims.scope)],
            "claims_supported": .array(AccessTokenClaims.names.map(JSONValue.string)),
        ]
    }
}
