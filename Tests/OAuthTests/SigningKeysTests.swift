import JSON
import OAuth
import Testing

@Suite("Signing keys")
struct SigningKeysTests {
    @Test("RS256 gives the signature of RFC 7515 §A.2")
    func rfcVector() throws {
        let input = """
            eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
            cGxlLmNvbS9pc19yb290Ijp0cnVlfQ
            """
        let signature = """
            cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_\
            O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIA\
            RNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPq\
            vhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77\
            Rw
            """
        let key = try SigningKey(jwk: Support.rfcKey)
        #expect(Base64URL.encode(try key.signature(over: input.octets)) == signature)
        let octets = try #require(Base64URL.decode(signature.utf8))
        #expect(key.hasSigned(input.octets, signature: octets))
        #expect(!key.hasSigned((input + "A").octets, signature: octets))
        #expect(!key.hasSigned(input.octets, signature: []))
        #expect(!key.hasSigned(input.octets, signature: octets + [0]))
    }

    @Test("A key without a name gets its thumbprint (RFC 7638)")
    func thumbprint() throws {
        // The digest of {"e":"AQAB","kty":"RSA","n":"..."} for this modulus.
        let text = JSONWriter.text(of: [
            "e": "AQAB", "kty": "RSA", "n": try #require(Support.rfcKey["n"]),
        ])
        let key = try SigningKey(jwk: Support.rfcKey)
        #expect(key.id == Base64URL.encode(SHA256Digest.octets(of: text.utf8)))
        #expect(try SigningKey(jwk: Support.developmentKey).id == "development")
    }

    @Test("The public key has no private member")
    func publicJWK() throws {
        let jwk = try #require(try SigningKey(jwk: Support.developmentKey).publicJWK.object)
        #expect(jwk.members.map(\.name) == ["kty", "use", "alg", "kid", "n", "e"])
        #expect(jwk["n"] == Support.rfcKey["n"])
        #expect(jwk["e"] == "AQAB")
        #expect(jwk["kid"] == "development")
    }

    /// A change to the good key, and what it should be refused for.
    struct BadKey: Sendable, CustomTestStringConvertible {
        let member: String
        let value: JSONValue?
        let error: SigningKeyError
        var testDescription: String { "\(member): \(error)" }

        init(_ member: String, _ value: JSONValue?, _ error: SigningKeyError) {
            self.member = member
            self.value = value
            self.error = error
        }

        static let cases: [BadKey] =
            ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map {
                BadKey($0, nil, .badMember($0))
            } + [
                BadKey("n", 5, .badMember("n")),
                BadKey("n", "", .badMember("n")),
                BadKey("e", "AAEAAQ", .badMember("e")),
                BadKey("d", "a=", .badMember("d")),
                BadKey("kty", "EC", .notRSA),
                BadKey("kty", nil, .notRSA),
                BadKey("alg", "RS512", .badMember("alg")),
                BadKey("use", "enc", .badMember("use")),
                BadKey("kid", 1, .badMember("kid")),
                BadKey("kid", "", .badKeyID),
                BadKey("kid", "a b", .badKeyID),
                BadKey("kid", "a\r\nSet-Cookie: x", .badKeyID),
                BadKey("kid", "\u{0}", .badKeyID),
                BadKey("kid", "clé", .badKeyID),
                BadKey("kid", .string(String(repeating: "k", count: 129)), .badKeyID),
                BadKey("n", "_w", .tooShort(bits: 8)),
                BadKey("n", Support.otherModulus, .inconsistentKey),
                BadKey("e", "AQ", .inconsistentKey),
                BadKey("e", "AQAA", .inconsistentKey),
                BadKey("e", "AQAAAAE", .inconsistentKey),
                BadKey("e", "Aw", .inconsistentKey),
                BadKey("d", Support.rfcKey["n"], .inconsistentKey),
                BadKey("q", "AQ", .inconsistentKey),
                BadKey("p", Support.rfcKey["q"], .inconsistentKey),
                BadKey("d", Support.rfcKey["dp"], .inconsistentKey),
            ]
    }

    @Test("A key that cannot sign is refused at once", arguments: BadKey.cases)
    func badKey(bad: BadKey) throws {
        var object = try #require(Support.rfcKey.object)
        object[bad.member] = bad.value
        #expect(throws: bad.error) { try SigningKey(jwk: .object(object)) }
    }

    @Test("A new key has 2048 bits and signs what it alone verifies")
    func generated() throws {
        let key = try SigningKey()
        let other = try SigningKey()
        #expect(key.id != other.id)
        let signature = try key.signature(over: "message".octets)
        #expect(signature.count == 256)
        #expect(key.hasSigned("message".octets, signature: signature))
        #expect(!key.hasSigned("massage".octets, signature: signature))
        #expect(!other.hasSigned("message".octets, signature: signature))
        #expect(key.hasSigned([], signature: try key.signature(over: [])))
        #expect(key.publicJWK["e"] == "AQAB")
        let modulus = try #require(key.publicJWK["n"]?.string)
        #expect(Base64URL.decode(modulus.utf8)?.count == 256)
    }

    @Test("A key must be an object")
    func notAnObject() {
        #expect(throws: SigningKeyError.notAnObject) { try SigningKey(jwk: ["a"]) }
    }

    @Test("A retired key stays in the key set for one token lifetime, to the second")
    func overlap() throws {
        let keys = try Support.keys()
        #expect(Self.ids(in: keys.jwks(now: 100)) == ["development"])
        let generation = keys.generation
        let key = try keys.rotate(now: 100)
        #expect(keys.generation != generation)
        #expect(keys.current.id == key.id)
        #expect(Self.ids(in: keys.jwks(now: 100)) == [key.id, "development"])
        #expect(Self.ids(in: keys.jwks(now: 100 + 3599)) == [key.id, "development"])
        #expect(Self.ids(in: keys.jwks(now: 100 + 3600)) == [key.id])
        #expect(keys.entries(now: 100).map(\.retiresAt) == [nil, 3700])
    }

    @Test("While a clock stands still, the oldest keys go when there are too many")
    func manyRotations() throws {
        let keys = try SigningKeys(
            developmentKey: Support.developmentKey,
            maximumRetiredKeys: 1
        )
        let first = try keys.rotate(now: 100)
        #expect(Self.ids(in: keys.jwks(now: 100)) == [first.id, "development"])
        let second = try keys.rotate(now: 100)
        #expect(Self.ids(in: keys.jwks(now: 100)) == [second.id, first.id])
    }

    @Test("The metadata name the addresses under the base URL")
    func metadata() {
        let metadata = ServerMetadata.json(baseURL: "http://127.0.0.1:8080")
        #expect(metadata["issuer"] == "https://qubs-mock.invalid")
        #expect(metadata["token_endpoint"] == "http://127.0.0.1:8080/oauth2/token")
        #expect(metadata["jwks_uri"] == "http://127.0.0.1:8080/.well-known/jwks.json")
        #expect(metadata["grant_types_supported"] == ["client_credentials", "refresh_token"])
    }

    private static func ids(in keySet: JSONValue) -> [String?] {
        keySet["keys"]?.array?.map { $0["kid"]?.string } ?? []
    }
}
