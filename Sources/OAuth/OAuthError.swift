package import JSON

/// A refusal of the token endpoint (RFC 6749 §5.2).
package struct OAuthError: Error, Equatable, Sendable {
    /// The values of `error`.
    package enum Code: String, Sendable, CaseIterable {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case unauthorizedClient = "unauthorized_client"
        case unsupportedGrantType = "unsupported_grant_type"
        /// Not of §5.2: from §4.1.2.1, for failures that a fault rule injects.
        case temporarilyUnavailable = "temporarily_unavailable"
        /// Not of §5.2: from §4.1.2.1, for failures of the server's own.
        case serverError = "server_error"
    }

    /// The `error`.
    package let code: Code
    /// One sentence that says what to do, in the characters §5.2 allows; never holds a secret.
    package let description: String
    /// The status code to answer with.
    package let status: Int
    /// Whether the answer must carry `WWW-Authenticate` with `basicChallenge`.
    package let usesBasicChallenge: Bool

    /// A refusal; characters that §5.2 forbids in a description become `?`.
    package init(
        code: Code,
        description: String,
        status: Int = 400,
        usesBasicChallenge: Bool = false
    ) {
        self.code = code
        self.description = ErrorText.restricted(description)
        self.status = status
        self.usesBasicChallenge = usesBasicChallenge
    }

    /// The value of `WWW-Authenticate` beside a 401 (RFC 7617 §2).
    package static let basicChallenge = #"Basic realm="qubs-mock", charset="UTF-8""#

    /// The content of the answer: `error` and `error_description`.
    package var json: JSONValue {
        ["error": .string(code.rawValue), "error_description": .string(description)]
    }
}

/// Text for `error_description`, in JSON (RFC 6749 §5.2) and in a challenge (RFC 6750 §3).
enum ErrorText {
    /// The text with every character outside %x20-21, %x23-5B and %x5D-7E replaced by `?`.
    static func restricted(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x20...0x21, 0x23...0x5B, 0x5D...0x7E: output.unicodeScalars.append(scalar)
            default: output.append("?")
            }
        }
        return output
    }
}
