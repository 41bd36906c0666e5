/// What an `Authorization` field of the scheme Basic holds (RFC 7617 §2), as it was sent.
package struct BasicCredentials: Equatable, Sendable {
    package let user: [UInt8]
    package let password: [UInt8]

    /// Reads a field value; `nil` where it has another scheme, or no user and password.
    package init?(authorization: ArraySlice<UInt8>?) {
        guard let value = authorization,
            let encoded = AuthorizationScheme.credentials(of: value, scheme: "basic"),
            let pair = Base64URL.decodePadded(encoded),
            let colon = pair.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        user = Array(pair[..<colon])
        password = Array(pair[(colon + 1)...])
    }
}
