/// The credentials of a client, in the form or by HTTP Basic (RFC 6749 §2.3.1).
struct ClientCredentials {
    let identifier: String
    private let secret: [UInt8]
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
            (identifier, secret) = try Self.decode(basic: encoded)
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
        self.secret = Array(secret.utf8)
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
        guard client.hasSecret(secret) else {
            throw Self.refusal(adviceOnSecret(of: client), isBasic: areBasic)
        }
        guard !client.isDisabled else {
            throw Self.refusal("Client \(client.id) is disabled.", isBasic: areBasic)
        }
        return (client, session)
    }

    private func adviceOnSecret(of client: Client) -> String {
        let space = UInt8(ascii: " ")
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

    /// Reads `user-id ":" password` in base64 (RFC 7617 §2), with `%XX` in either decoded.
    ///
    /// RFC 6749 would have `+` decoded to a space, too; it stays, since a session follows it and
    /// hardly any client encodes it.
    private static func decode(
        basic encoded: ArraySlice<UInt8>
    ) throws(OAuthError) -> (identifier: String, secret: [UInt8]) {
        guard let pair = Base64URL.decodePadded(encoded),
            let colon = pair.firstIndex(of: UInt8(ascii: ":"))
        else {
            throw refusal(
                "The Authorization field must be Basic and base64 of client_id:client_secret.",
                isBasic: true
            )
        }
        let halves = [pair[..<colon], pair[(colon + 1)...]].map {
            PercentEncoding.decode($0, plusIsSpace: false, isStrict: false) ?? []
        }
        guard let identifier = String(validating: halves[0], as: UTF8.self) else {
            throw refusal("The client_id in the Authorization field is not UTF-8.", isBasic: true)
        }
        return (identifier, halves[1])
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
