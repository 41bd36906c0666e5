/// What may be wrong with a token, on demand.
package enum TokenFlaw: String, Sendable, CaseIterable {
    /// `exp` was a minute ago.
    case expired
    /// `nbf` is in ten minutes.
    case notYetValid = "not-yet-valid"
    /// `iss` is not the mock's.
    case wrongIssuer = "wrong-issuer"
    /// Signed by a key that the key set does not list.
    case wrongKey = "wrong-key"
    /// The claims were changed after they were signed.
    case tampered
    /// `alg` is `none`, and there is no signature.
    case unsigned
    /// `alg` is `HS256`, with the public key for a secret (RFC 8725 §2.1).
    case hmacConfusion = "hmac-confusion"
    /// An ID token in the place of an access token.
    case idToken = "id-token"
    /// No JWT at all.
    case garbage
    /// Good, but opens no domain.
    case noDomains = "no-domains"
    /// Good, but opens only a domain that does not exist.
    case wrongDomain = "wrong-domain"

    /// The status code that the API answers to a token with this flaw.
    package var expectedStatus: Int {
        switch self {
        case .noDomains, .wrongDomain: 403
        default: 401
        }
    }
}
