/// Why a bearer token is refused.
package enum TokenError: Error, Equatable, Sendable {
    /// The part of a token that is not what it should be.
    package enum Part: Sendable, Hashable {
        /// There is no token at all.
        case nothing
        /// Not three parts with periods between them.
        case parts
        /// Five parts: a JWE.
        case encrypted
        /// The token stands in quotation marks.
        case quoted
        /// The field says `Bearer` twice.
        case scheme
        case header
        case claims
        case signature
    }

    /// More than one `Authorization` field was sent.
    case severalFields
    /// The token is no JWT.
    case malformed(Part)
    /// `alg` is `none`.
    case unsigned
    /// `alg` is not `RS256`; its name, where it is a registered one (RFC 7518 §3.1).
    case wrongAlgorithm(String?)
    /// The header has `crit`, and nothing it could name is understood (RFC 7515 §4.1.11).
    case criticalExtension
    /// The header has no `kid`.
    case missingKeyID
    /// No published key has this `kid`.
    case unknownKey
    /// The key of this `kid` did not make the signature over these octets.
    case wrongSignature
    /// `iss` is not the mock's.
    case wrongIssuer
    /// An ID token was sent where an access token belongs.
    case idToken
    /// A claim is missing or of the wrong type.
    case badClaim(String)
    /// A time lies outside of the years 0001 to 9999.
    case timeOutOfRange(String)
    /// `exp` has come.
    case expired(secondsAgo: Int64)
    /// `nbf` has not come.
    case notYetValid(inSeconds: Int64)
    /// `iat` has not come.
    case issuedInFuture(bySeconds: Int64)

    /// One sentence for the client, in the characters of an `error_description`.
    ///
    /// Says what to do where that is not plain, and never quotes the token.
    package var explanation: String {
        switch self {
        case .severalFields: "Send one Authorization field at most."
        case .malformed(let part): part.explanation
        case .unsigned: "The token is not signed: its alg is none, and must be RS256."
        case .wrongAlgorithm(let name?): "The token's alg must be RS256, not \(name)."
        case .wrongAlgorithm(nil): "The token's alg must be RS256."
        case .criticalExtension: "The token's header has crit, and no extension is understood."
        case .missingKeyID: "The token's header has no kid, so no key can be chosen."
        case .unknownKey:
            "The token's kid is unknown: it names no key of /.well-known/jwks.json (any more); "
                + "ask for a new token."
        case .wrongSignature:
            "The token's signature is wrong: it was changed on its way, or another key signed it."
        case .wrongIssuer:
            "The token is from another issuer: this mock takes only iss \(ServerMetadata.issuer)."
        case .idToken: "This is an ID token (token_use is id): send the access_token instead."
        case .badClaim(let name): "The token's claim \(name) is missing or malformed."
        case .timeOutOfRange(let name):
            "The token's claim \(name) lies outside of the years 0001 to 9999."
        case .expired(0):
            "The token expired this very second by the mock's clock; POST /oauth2/token gives another."
        case .expired(let seconds):
            "The token expired \(seconds) s ago by the mock's clock; POST /oauth2/token gives another."
        case .notYetValid(let seconds):
            "The token becomes valid only in \(seconds) s by the mock's clock."
        case .issuedInFuture(let seconds):
            "The token was issued \(seconds) s after the present of the mock's clock; ask for a new "
                + "token."
        }
    }
}

extension TokenError.Part {
    fileprivate var explanation: String {
        switch self {
        case .nothing: "No token follows the word Bearer; POST /oauth2/token gives one."
        case .parts:
            "The token is no JWT: three parts with periods between them are expected; "
                + "POST /oauth2/token gives one."
        case .encrypted: "The token is encrypted (five parts); a signed one (three) is expected."
        case .quoted: "The token stands in quotation marks; send it without them."
        case .scheme: "The word Bearer stands twice before the token."
        case .header: "The token's header is not base64url of a JSON object."
        case .claims: "The token's claims are not base64url of a JSON object."
        case .signature: "The token's signature is not base64url."
        }
    }
}
