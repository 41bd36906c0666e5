package import JSON

/// What is wrong with a signing key, or with making or using one.
package enum SigningKeyError: Error, Equatable, Sendable {
    /// The value is not a JSON object.
    case notAnObject
    /// A member of the JWK is missing, or not of the form that RFC 7518 §6.3 gives it.
    case badMember(String)
    /// `kid` is no text that a header, a URL and a log can hold unchanged.
    case badKeyID
    /// `kty` is not `RSA`.
    case notRSA
    /// The modulus has fewer than 2048 bits (RFC 7518 §3.3).
    case tooShort(bits: Int)
    /// The numbers do not make one key.
    case inconsistentKey
    /// The cryptography library could not make a key.
    case generationFailed
    /// The cryptography library could not sign.
    case signingFailed

    /// One sentence for whoever wrote the key.
    package var explanation: String {
        switch self {
        case .notAnObject: "The signing key must be a JSON object, a JWK."
        case .badMember(let name): "Member \(name) of the signing key is missing or malformed."
        case .badKeyID:
            "Member kid of the signing key is 1 to 128 visible ASCII characters, without spaces."
        case .notRSA: "The signing key must be an RSA key for RS256."
        case .tooShort(let bits): "The signing key has \(bits) bits; RS256 needs at least 2048."
        case .inconsistentKey: "The numbers of the signing key do not belong together."
        case .generationFailed: "A new signing key could not be made."
        case .signingFailed: "The token could not be signed."
        }
    }

    /// The member of the JWK at fault, where it is one.
    package var pointer: JSONPointer {
        switch self {
        case .badMember(let name): JSONPointer([name])
        case .badKeyID: JSONPointer(["kid"])
        case .notRSA: JSONPointer(["kty"])
        case .tooShort: JSONPointer(["n"])
        default: JSONPointer()
        }
    }
}

/// A key that signs tokens, and the name under which it is published.
package struct SigningKey: Sendable {
    /// The `kid`.
    package let id: String
    let privateKey: RS256.PrivateKey

    /// A key from a private JWK for RSA (RFC 7518 §6.3.2): `n`, `e`, `d`, `p`, `q`.
    ///
    /// `dp`, `dq` and `qi` must be there too, as the RFC says, but are computed anew.
    package init(jwk: JSONValue) throws(SigningKeyError) {
        guard jwk.object != nil else { throw .notAnObject }
        guard jwk["kty"] == "RSA" else { throw .notRSA }
        if let algorithm = jwk["alg"], algorithm != "RS256" { throw .badMember("alg") }
        if let use = jwk["use"], use != "sig" { throw .badMember("use") }
        let modulus = try JWK.number("n", of: jwk)
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard bits >= 2048 else { throw .tooShort(bits: bits) }
        for name in ["dp", "dq", "qi"] { _ = try JWK.number(name, of: jwk) }
        privateKey = try RS256.PrivateKey(
            modulus: modulus,
            publicExponent: JWK.number("e", of: jwk),
            privateExponent: JWK.number("d", of: jwk),
            firstPrime: JWK.number("p", of: jwk),
            secondPrime: JWK.number("q", of: jwk)
        )
        switch jwk["kid"] {
        case nil: id = JWK.thumbprint(of: privateKey.publicKey)
        case .string(let id):
            guard (1...128).contains(id.utf8.count),
                id.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else { throw .badKeyID }
            self.id = id
        default: throw .badMember("kid")
        }
    }

    /// A new key of 2048 bits, named by its thumbprint (RFC 7638).
    ///
    /// Takes about 0.1 s.
    package init() throws(SigningKeyError) {
        privateKey = try RS256.PrivateKey()
        id = JWK.thumbprint(of: privateKey.publicKey)
    }

    /// The RS256 signature over a message (RFC 7518 §3.3), as long as the modulus.
    package func signature(over message: ArraySlice<UInt8>) throws(SigningKeyError) -> [UInt8] {
        try message.withUnsafeBufferPointer { message throws(SigningKeyError) in
            try privateKey.signature(over: message)
        }
    }

    /// Whether this key made a signature over a message.
    package func hasSigned(_ message: ArraySlice<UInt8>, signature: [UInt8]) -> Bool {
        message.withUnsafeBufferPointer {
            privateKey.publicKey.isValid(signature, over: $0)
        }
    }

    /// The public JWK.
    package var publicJWK: JSONValue { JWK.publicKey(privateKey.publicKey, id: id) }
}

/// RSA keys as JSON (RFC 7517, RFC 7518 §6.3).
enum JWK {
    /// A member that holds a Base64urlUInt: big-endian, without leading zeros (RFC 7518 §2).
    static func number(_ name: String, of jwk: JSONValue) throws(SigningKeyError) -> [UInt8] {
        guard let text = jwk[name]?.string, let octets = Base64URL.decode(text.utf8),
            let first = octets.first, first != 0
        else { throw .badMember(name) }
        return octets
    }

    /// The public JWK of a key that signs with RS256.
    static func publicKey(_ key: RS256.PublicKey, id: String) -> JSONValue {
        [
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": .string(id),
            "n": .string(Base64URL.encode(key.modulus)),
            "e": .string(Base64URL.encode(key.exponent)),
        ]
    }

    /// The thumbprint (RFC 7638 §3): a digest of the required members in lexical order.
    static func thumbprint(of key: RS256.PublicKey) -> String {
        let members: JSONValue = [
            "e": .string(Base64URL.encode(key.exponent)), "kty": "RSA",
            "n": .string(Base64URL.encode(key.modulus)),
        ]
        return Base64URL.encode(SHA256Digest.octets(of: JSONWriter.octets(of: members)))
    }
}
