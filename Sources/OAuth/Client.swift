/// A client that may ask for tokens, and what its tokens will claim.
package struct Client: Sendable, Equatable {
    /// The `client_id`, without a session suffix.
    package let id: String
    /// The tenants whose data its tokens open.
    package let domains: [String]
    /// The sites its tokens are limited to; `nil` for all.
    package let sites: [String]?
    /// The permissions of its tokens.
    package let permissions: [String]
    /// The provider numbers of its tokens; some make it a referrer.
    package let providerNumbers: [String]
    /// Whether it gets refresh tokens and may use the `refresh_token` grant.
    package let getsRefreshTokens: Bool
    /// Whether it is refused in spite of right credentials.
    package let isDisabled: Bool
    private let secret: [UInt8]

    /// A client; nothing is checked, unlike in `ClientRegistry`.
    package init(
        id: String,
        secret: String,
        domains: [String],
        sites: [String]? = nil,
        permissions: [String] = [],
        providerNumbers: [String] = [],
        getsRefreshTokens: Bool = false,
        isDisabled: Bool = false
    ) {
        self.id = id
        self.secret = Array(secret.utf8)
        self.domains = domains
        self.sites = sites
        self.permissions = permissions
        self.providerNumbers = providerNumbers
        self.getsRefreshTokens = getsRefreshTokens
        self.isDisabled = isDisabled
    }

    /// Whether this is the client's secret; takes the same time wherever the two differ.
    package func hasSecret(_ candidate: some Collection<UInt8>) -> Bool {
        ConstantTime.areEqual(secret, candidate)
    }
}

extension Client: CustomStringConvertible {
    /// The client's id alone, so that no log shows its secret.
    package var description: String { id }
}

extension Client: CustomReflectable {
    /// The client's id alone, for the same reason.
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// The names of sessions.
package enum SessionName {
    /// The session of a credential that names none.
    package static let `default` = "default"
    /// What a name may be, for error messages.
    package static let rule = "1 to 64 letters, digits, '.', '_' or '-'"

    /// Whether a name has 1 to 64 octets, each an ASCII letter, a digit, `.`, `_` or `-`.
    package static func isValid(_ name: some StringProtocol) -> Bool {
        let octets = name.utf8
        // As the last segment of a path, these two would be dot segments.
        guard (1...64).contains(octets.count), name != ".", name != ".." else { return false }
        return octets.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
