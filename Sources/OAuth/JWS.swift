import JSON

/// A JSON Web Signature in compact serialization (RFC 7515 §7.1):
/// `BASE64URL(header) "." BASE64URL(payload) "." BASE64URL(signature)`.
enum JWS {
    /// The three parts of a token, not yet decoded.
    struct Parts {
        let header: ArraySlice<UInt8>
        let payload: ArraySlice<UInt8>
        let signature: ArraySlice<UInt8>
        /// What the signature is over: header, period and payload (§5.1).
        let signingInput: ArraySlice<UInt8>

        /// Cuts a token at its two periods.
        init(_ token: ArraySlice<UInt8>) throws(TokenError) {
            let period = UInt8(ascii: ".")
            guard let first = token.firstIndex(of: period),
                let second = token[(first + 1)...].firstIndex(of: period)
            else { throw .malformed(.parts) }
            guard !token[(second + 1)...].contains(period) else {
                // Five parts are an encrypted token (RFC 7516 §7.1).
                throw .malformed(token.count { $0 == period } == 4 ? .encrypted : .parts)
            }
            header = token[..<first]
            payload = token[(first + 1)..<second]
            signature = token[(second + 1)...]
            signingInput = token[..<second]
        }

        /// The header, or the payload, as the JSON object it must be.
        static func object(_ part: ArraySlice<UInt8>) -> JSONValue? {
            guard let octets = Base64URL.decode(part) else { return nil }
            // What was wrong with the JSON helps nobody: a client does not write it by hand.
            guard let value = try? JSONParser.parse(octets), value.object != nil else { return nil }
            return value
        }
    }

    /// The signing input for a header and a payload.
    static func signingInput(header: JSONValue, payload: JSONValue) -> [UInt8] {
        Base64URL.encodedOctets(JSONWriter.octets(of: header)) + [UInt8(ascii: ".")]
            + Base64URL.encodedOctets(JSONWriter.octets(of: payload))
    }

    /// The token of a signing input and its signature.
    static func token(_ signingInput: [UInt8], signature: [UInt8]) -> String {
        String(
            decoding: signingInput + [UInt8(ascii: ".")] + Base64URL.encodedOctets(signature),
            as: UTF8.self
        )
    }

    /// A token signed with RS256.
    static func token(
        payload: JSONValue,
        key: SigningKey
    ) throws(SigningKeyError) -> String {
        let input = signingInput(header: header(keyID: key.id), payload: payload)
        return token(input, signature: try key.signature(over: input[...]))
    }

    /// The header of a token signed with RS256.
    static func header(keyID: String) -> JSONValue {
        ["alg": "RS256", "typ": "JWT", "kid": .string(keyID)]
    }
}
