import Suggestions

/// A request to the token endpoint whose credentials and grant type are good (RFC 6749 §3.2).
package struct TokenRequest: Sendable, Equatable {
    /// What a client offers for a token.
    package enum Grant: Sendable, Equatable {
        /// Its credentials alone (§4.4).
        case clientCredentials
        /// A refresh token (§6), not yet looked at: `TokenIssuer` does that.
        case refreshToken(String)
    }

    /// Who asks.
    package let client: Client
    /// The session that `client_id` chose; whoever issues the token may put another in place of `default`.
    package var session: String
    /// What it offers.
    package let grant: Grant

    /// Checks a request, in this order: the form, the credentials, the grant type.
    ///
    /// - Parameters:
    ///   - form: The content of the request, application/x-www-form-urlencoded.
    ///   - authorization: The value of the `Authorization` field, where there is one.
    /// - Throws: What §5.2 has for the first check that fails.
    package init(
        form: ArraySlice<UInt8>,
        authorization: ArraySlice<UInt8>?,
        clients: ClientRegistry
    ) throws(OAuthError) {
        let parameters = try FormParameters(form)
        guard let grantType = parameters["grant_type"] else {
            throw Self.missingGrantType(in: form)
        }
        let credentials = try ClientCredentials(parameters, authorization: authorization)
        (client, session) = try credentials.authenticate(among: clients)
        switch grantType {
        case "client_credentials": grant = .clientCredentials
        case "refresh_token":
            guard client.getsRefreshTokens else {
                throw .init(
                    code: .unauthorizedClient,
                    description: "Client \(client.id) may not use the refresh_token grant; "
                        + "ask for a new token with client_credentials."
                )
            }
            guard let token = parameters["refresh_token"] else {
                throw .init(
                    code: .invalidRequest,
                    description: "Parameter refresh_token is missing."
                )
            }
            grant = .refreshToken(token)
        default:
            throw .init(
                code: .unsupportedGrantType,
                description: Self.advice(onUnsupported: grantType)
            )
        }
    }

    private static func missingGrantType(in form: ArraySlice<UInt8>) -> OAuthError {
        let isJSON = form.first { $0 > 0x20 } == UInt8(ascii: "{")
        let reason =
            isJSON
            ? "The content looks like JSON, where a form is expected"
            : "Parameter grant_type is missing"
        return OAuthError(
            code: .invalidRequest,
            description: "\(reason): send grant_type=client_credentials&client_id=...&"
                + "client_secret=... as application/x-www-form-urlencoded."
        )
    }

    private static func advice(onUnsupported grantType: String) -> String {
        let known = ["client_credentials", "refresh_token"]
        if let nearest = NameSuggestions.nearest(to: grantType, among: known).first {
            return "This grant_type is not known; did you mean \(nearest)?"
        }
        return "This grant_type is not supported: use client_credentials, or refresh_token."
    }
}
