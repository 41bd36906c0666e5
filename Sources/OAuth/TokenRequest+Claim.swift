extension TokenRequest {
    /// The client and session that a request claims to come from, its secret unchecked.
    ///
    /// Only to choose whose clock, faults and journal an answer belongs to.
    ///
    /// - Returns: `nil` where the request names no known client.
    package static func claim(
        form: ArraySlice<UInt8>,
        authorization: ArraySlice<UInt8>?,
        clients: ClientRegistry
    ) -> (client: Client, session: String)? {
        // What is wrong with the form or the credentials is for the real check to say.
        guard let parameters = try? FormParameters(form),
            let credentials = try? ClientCredentials(parameters, authorization: authorization)
        else { return nil }
        return try? clients.resolve(credentials.identifier)
    }
}
