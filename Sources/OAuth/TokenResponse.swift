package import JSON

/// A successful answer of the token endpoint (RFC 6749 §5.1).
package struct TokenResponse: Sendable, Equatable {
    /// A JWT, signed with RS256 unless a flaw was asked for.
    package let accessToken: String
    /// The lifetime of the access token, as told to the client whatever the flaw.
    package let expiresInSeconds: Int64
    /// An opaque text, for clients that are configured to get one.
    package let refreshToken: String?
    /// A JWT, for the `refresh_token` grant.
    package let idToken: String?

    /// The content of the answer.
    package var json: JSONValue {
        var object = JSONObject()
        object["access_token"] = .string(accessToken)
        object["expires_in"] = .integer(Int(expiresInSeconds))
        object["token_type"] = "Bearer"
        object["refresh_token"] = refreshToken.map(JSONValue.string)
        object["id_token"] = idToken.map(JSONValue.string)
        return .object(object)
    }
}
