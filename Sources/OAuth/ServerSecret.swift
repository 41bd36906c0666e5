package import JSON

/// A secret of the server, which authenticates what it hands out and later gets back.
///
/// It is derived from the development key: a presigned URL or a paging token outlives a restart,
/// and a rotation of the signing keys. Each purpose has its own label under the code, so that what
/// was signed for one is worth nothing for another.
package struct ServerSecret: Sendable {
    /// What a signature is for.
    package struct Purpose: Sendable, Hashable {
        let label: [UInt8]

        /// A purpose with a label of its own, which must not hold a NUL.
        package init(_ label: StaticString) {
            self.label = label.withUTF8Buffer { Array($0) } + [0]
            precondition(self.label.firstIndex(of: 0) == self.label.count - 1)
        }

        /// For the `nextToken` of cursor pages.
        package static let pagingToken = Purpose("paging-token")
        /// For the addresses of uploads and downloads.
        package static let presignedURL = Purpose("presigned-url")
        /// For refresh tokens.
        package static let refreshToken = Purpose("refresh-token")
    }

    /// How many octets of the code a sealed text carries.
    ///
    /// RFC 2104 §5 asks for at least half of the digest.
    private static let sealedCodeOctets = 16

    private let code: HMACSHA256

    /// A secret of these octets; at least 32 random ones make it as strong as the digest.
    package init(octets: some Collection<UInt8>) {
        code = HMACSHA256(key: octets)
    }

    /// The secret that belongs to a private key, given as a JWK (RFC 7517).
    package init(developmentKey jwk: JSONValue) throws(SigningKeyError) {
        let exponent = try JWK.number("d", of: jwk)
        let derivation = HMACSHA256(key: "qubs-mock server secret 1".utf8)
        self.init(octets: derivation.code(over: exponent))
    }

    /// The HMAC-SHA256 over a message for a purpose: 32 octets.
    package func signature(over message: [UInt8], for purpose: Purpose) -> [UInt8] {
        code.code(over: purpose.label + message)
    }

    /// Whether this is the signature over a message for a purpose, in constant time.
    package func isValid(
        _ signature: some Collection<UInt8>,
        over message: [UInt8],
        for purpose: Purpose
    ) -> Bool {
        ConstantTime.areEqual(self.signature(over: message, for: purpose), signature)
    }

    /// An opaque text that carries a payload, readable but not changeable: base64url.
    ///
    /// - Parameter binding: What the text is bound to but does not carry: it opens with the same only.
    package func seal(
        _ payload: [UInt8],
        boundTo binding: [UInt8] = [],
        for purpose: Purpose
    ) -> String {
        let code = signature(over: payload + binding, for: purpose).prefix(Self.sealedCodeOctets)
        return Base64URL.encode(payload + code)
    }

    /// The payload of a sealed text; `nil` when this secret did not seal it for this purpose.
    package func open(
        _ text: String,
        boundTo binding: [UInt8] = [],
        for purpose: Purpose
    ) -> [UInt8]? {
        guard let octets = Base64URL.decode(text.utf8), octets.count >= Self.sealedCodeOctets else {
            return nil
        }
        let payload = Array(octets.dropLast(Self.sealedCodeOctets))
        let code = signature(over: payload + binding, for: purpose).prefix(Self.sealedCodeOctets)
        guard ConstantTime.areEqual(code, octets.suffix(Self.sealedCodeOctets)) else { return nil }
        return payload
    }
}
