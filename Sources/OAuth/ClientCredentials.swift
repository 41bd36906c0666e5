/// The credentials of a client, in the form or by HTTP Basic (RFC 6749 §2.3.1).
struct ClientCredentials {
    let identifier: String
    /// What the secret may be: each reading of what was sent, at least one.
    private let secrets: [[UInt8]]
    /// Whether they came in the `Authorization` field.
    private let areBasic: Bool

    /// Finds the credentials of a request.
    ///
    /// - Throws: `invalid_client` where there are none or they cannot be read; `invalid_request`
    ///   for two ways of authentication at once (§2.3).
    init(
        _ parameters: FormParameters,
        authorization: ArraySlice<UInt8>?
    ) throws(OAuthError) {
        if let authorization,
            let encoded = AuthorizationScheme.credentials(of: authorization, scheme: "basic")
        {
            (identifier, secrets) = try Self.decode(basic: encoded)
            areBasic = true
            let otherIdentifier = parameters["client_id"]
            guard parameters["client_secret"] == nil, (otherIdentifier ?? identifier) == identifier
            else {
                throw .init(
                    code: .invalidRequest,
                    description: "Credentials stand both in the Authorization field and in the "
                        + "form; use one of them."
                )
            }
            return
        }
        areBasic = false
        guard let identifier = parameters["client_id"], let secret = parameters["client_secret"]
        else {
            throw Self.missing(
                hasIdentifier: parameters["client_id"] != nil,
                hasSecret: parameters["client_secret"] != nil,
                hasField: authorization != nil
            )
        }
        self.identifier = identifier
        secrets = [Array(secret.utf8)]
    }

    /// The client and session whose credentials these are.
    ///
    /// - Throws: `invalid_client` where they are wrong, or the client is disabled.
    func authenticate(
        among clients: ClientRegistry
    ) throws(OAuthError) -> (client: Client, session: String) {
        let (client, session): (Client, String)
        do throws(OAuthError) {
            (client, session) = try clients.resolve(identifier)
        } catch {
            throw Self.refusal(error.description, isBasic: areBasic)
        }
        guard secrets.contains(where: client.hasSecret) else {
            throw Self.refusal(adviceOnSecret(of: client), isBasic: areBasic)
        }
        guard !client.isDisabled else {
            throw Self.refusal("Client \(client.id) is disabled.", isBasic: areBasic)
        }
        return (client, session)
    }

    private func adviceOnSecret(of client: Client) -> String {
        let space = UInt8(ascii: " ")
        let secret = secrets[0]
        let withPlus = secret.map { $0 == space ? UInt8(ascii: "+") : $0 }
        if !areBasic, secret.contains(space), client.hasSecret(withPlus) {
            return "The client_secret has a space where a '+' was meant: in a form, encode '+' "
                + "as %2B."
        }
        let trimmed = secret.drop { $0 <= space }.reversed().drop { $0 <= space }.reversed()
        if trimmed.count < secret.count, client.hasSecret(Array(trimmed)) {
            return "The client_secret has white space around it, such as the line feed of a file."
        }
        return "The client_secret of \(client.id) is wrong."
    }

    /// Reads `user-id ":" password` in base64 (RFC 7617 §2).
    ///
    /// RFC 6749 §2.3.1 wants both form-encoded first; many clients send them as they are, and some
    /// percent-encode them. So the secret may be any of the three. In the identifier `%XX` is
    /// decoded, and `+` stays: a session follows it.
    private static func decode(
        basic encoded: ArraySlice<UInt8>
    ) throws(OAuthError) -> (identifier: String, secrets: [[UInt8]]) {
        guard let pair = Base64URL.decodePadded(encoded),
            let colon = pair.firstIndex(of: UInt8(ascii: ":"))
        else {
            throw refusal(
                "The Authorization field must be Basic and base64 of client_id:client_secret.",
                isBasic: true
            )
        }
        func decoded(_ text: ArraySlice<UInt8>, plusIsSpace: Bool) -> [UInt8] {
            PercentEncoding.decode(text, plusIsSpace: plusIsSpace, isStrict: false) ?? []
        }
        let name = decoded(pair[..<colon], plusIsSpace: false)
        let secret = pair[(colon + 1)...]
        guard let identifier = String(validating: name, as: UTF8.self) else {
            throw refusal("The client_id in the Authorization field is not UTF-8.", isBasic: true)
        }
        return (
            identifier,
            [
                Array(secret), decoded(secret, plusIsSpace: false),
                decoded(secret, plusIsSpace: true),
            ]
        )
    }

    private static func missing(
        hasIdentifier: Bool,
        hasSecret: Bool,
        hasField: Bool
    ) -> OAuthError {
        let description =
            switch (hasIdentifier, hasSecret) {
            case (true, _): "Parameter client_secret is missing."
            case (_, true): "Parameter client_id is missing."
            default:
                hasField
                    ? "The Authorization field has no Basic credentials here; send those, or "
                        + "client_id and client_secret in the form."
                    : "Client credentials are missing: send client_id and client_secret in the "
                        + "form, or by HTTP Basic."
            }
        return refusal(description, isBasic: hasField)
    }

    private static func refusal(_ description: String, isBasic: Bool) -> OAuthError {
        OAuthError(
            code: .invalidClient,
            description: description,
            status: isBasic ? 401 : 400,
            usesBasicChallenge: isBasic
        )
    }
}
