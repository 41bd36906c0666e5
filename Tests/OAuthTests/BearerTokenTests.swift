import Chance
import JSON
import OAuth
import Testing

@Suite("Bearer token")
struct BearerTokenTests {
    let keys: SigningKeys
    let issuer: TokenIssuer
    let verifier: TokenVerifier

    init() throws {
        keys = try Support.keys()
        issuer = TokenIssuer(keys: keys)
        verifier = TokenVerifier(keys: keys)
    }

    private func token(
        _ client: Client = Support.partner,
        session: String = "s1",
        flaw: TokenFlaw? = nil
    ) throws -> String {
        var generator = SplitMix64(seed: 1)
        return try issuer.issue(
            to: client,
            session: session,
            now: Support.now,
            flaw: flaw,
            using: &generator
        ).accessToken
    }

    @Test(
        "Every flaw is refused for what it is",
        arguments: [
            (.expired, .expired(secondsAgo: 60)),
            (.notYetValid, .notYetValid(inSeconds: 600)),
            (.wrongIssuer, .wrongIssuer),
            (.wrongKey, .unknownKey),
            (.tampered, .wrongSignature),
            (.unsigned, .unsigned),
            (.hmacConfusion, .wrongAlgorithm("HS256")),
            (.idToken, .idToken),
            (.garbage, .malformed(.parts)),
        ] as [(TokenFlaw, TokenError)]
    )
    func flaws(flaw: TokenFlaw, fault: TokenError) throws {
        #expect(flaw.expectedStatus == 401)
        let token = try token(flaw: flaw)
        #expect(throws: fault) { try verifier.verify(token.octets, now: Support.now) }
    }

    @Test("A token of confused algorithms has the public key's PEM for a secret (RFC 8725 §2.1)")
    func hmacConfusion() throws {
        let token = try token(flaw: .hmacConfusion)
        let parts = token.split(separator: ".")
        try #require(parts.count == 3)
        let code = HMACSHA256(key: Support.rfcPublicPEM.utf8)
            .code(over: "\(parts[0]).\(parts[1])".utf8)
        #expect(String(parts[2]) == Base64URL.encode(code))
    }

    @Test("Two flaws are good tokens that open no domain of the client")
    func domainFlaws() throws {
        for flaw in TokenFlaw.allCases where flaw.expectedStatus == 403 {
            let principal = try verifier.verify(
                token(Support.north, flaw: flaw).octets,
                now: Support.now
            ).principal
            #expect(!principal.mayUse(domain: "acme"))
            #expect(!principal.mayUse(domain: "globex"))
            #expect(principal.domains.count == (flaw == .noDomains ? 0 : 1))
            #expect(principal.session == "s1")
        }
        let name = try token(
            Client(id: "x", secret: "x", domains: ["wrong-domain"]),
            flaw: .wrongDomain
        )
        let claims = try #require(try Support.claims(of: name))
        #expect(claims["domains"] != ["wrong-domain"])
    }

    @Test("The names of the flaws are those of the control interface")
    func flawNames() {
        #expect(
            TokenFlaw.allCases.map(\.rawValue) == [
                "expired", "not-yet-valid", "wrong-issuer", "wrong-key", "tampered", "unsigned",
                "hmac-confusion", "id-token", "garbage", "no-domains", "wrong-domain",
            ]
        )
    }

    @Test(
        "There is no leeway: a token is good from nbf to before exp",
        arguments: [
            (999, .notYetValid(inSeconds: 1)), (1000, nil), (1999, nil),
            (2000, .expired(secondsAgo: 0)), (2065, .expired(secondsAgo: 65)),
        ] as [(Int64, TokenError?)]
    )
    func noLeeway(now: Int64, fault: TokenError?) throws {
        let verified = try verifier.inspect(signed(["nbf": 1000, "exp": 2000]).octets)
        #expect(errorOf { () throws(TokenError) in try verified.check(at: now) } == fault)
    }

    @Test(
        "iat may be ahead by a step of the system's clock, and no more",
        arguments: [
            (995, nil), (994, .issuedInFuture(bySeconds: 6)), (0, .issuedInFuture(bySeconds: 1000)),
            (.min, .issuedInFuture(bySeconds: .max)),
        ] as [(Int64, TokenError?)]
    )
    func issuedAhead(now: Int64, error: TokenError?) throws {
        let verified = try verifier.inspect(signed(["iat": 1000, "exp": 2000]).octets)
        #expect(errorOf { () throws(TokenError) in try verified.check(at: now) } == error)
    }

    @Test("Any times in claims that the key has signed: a token or an error, at any clock")
    func anyTimes() throws {
        var generator = SplitMix64(seed: 11)
        let ends = [
            "0", "-1", "1e400", "-1e400", "1e18", "253402300799", "253402300800",
            "9223372036854775807", "-9223372036854775808", "9223372036854775808", "0.5",
            "-62135596800", "-62135596801", "1e-400", "\"1\"", "null",
        ]
        func any() -> String {
            let choice = Int.random(in: 0..<ends.count * 2, using: &generator)
            return choice < ends.count
                ? ends[choice] : String(Int64(bitPattern: generator.next()))
        }
        for _ in 0..<2_000 {
            let text = "{\"iat\":\(any()),\"nbf\":\(any()),\"exp\":\(any())}"
            let claims = try JSONParser.parse(Array(text.utf8))
            let token = try signed(claims)
            guard let verified = try? verifier.inspect(token.octets) else { continue }
            for now in [Int64.min, 0, Support.now, .max, Int64(bitPattern: generator.next())] {
                let error = errorOf { () throws(TokenError) in try verified.check(at: now) }
                if let error { #expect(error.explanation.hasSuffix(".")) }
            }
        }
    }

    @Test("A time with a fraction counts from the next whole second")
    func fractions() throws {
        let claims = try JSONParser.parse(Array(#"{"nbf":999.5,"exp":1.9995e3}"#.utf8))
        let verified = try verifier.inspect(signed(claims).octets)
        #expect(verified.notBefore == 1000)
        #expect(verified.expiresAt == 2000)
    }

    /// Good claims with some changed, or removed by `null`, and signed.
    private func signed(_ changes: JSONValue, header: JSONValue? = nil) throws -> String {
        var claims: JSONObject =
            try #require(
                ([
                    "iss": "https://qubs-mock.invalid", "client_id": "acme-partner",
                    "token_use": "access", "iat": 1000, "exp": 2000, "jti": "j",
                    "domains": ["acme"], "session": "s1",
                ] as JSONValue).object
            )
        for member in changes.object?.members ?? [] {
            claims[member.name] = member.value.isNull ? JSONValue?.none : member.value
        }
        return try Support.token(
            header: header ?? ["alg": "RS256", "kid": "development"],
            claims: JSONWriter.octets(of: .object(claims)),
            key: keys.current
        )
    }

    @Test(
        "A signed token must have the claims, in their types",
        arguments: [
            (["iss": nil], .badClaim("iss")),
            (["iss": ["https://qubs-mock.invalid"]], .badClaim("iss")),
            (["iss": "https://qubs-mock.invalid/"], .wrongIssuer),
            (["token_use": nil], .badClaim("token_use")),
            (["token_use": "Access"], .badClaim("token_use")),
            (["token_use": "id"], .idToken),
            (["client_id": nil], .badClaim("client_id")),
            (["client_id": 1], .badClaim("client_id")),
            (["jti": nil], .badClaim("jti")),
            (["exp": nil], .badClaim("exp")),
            (["exp": "2000"], .badClaim("exp")),
            (["nbf": true], .badClaim("nbf")),
            (["iat": []], .badClaim("iat")),
            (["domains": "acme"], .badClaim("domains")),
            (["domains": ["acme", 1]], .badClaim("domains")),
            (["sites": "all"], .badClaim("sites")),
            (["providerNumbers": [1]], .badClaim("providerNumbers")),
            (["permissions": [[]]], .badClaim("permissions")),
            (["session": 1], .badClaim("session")),
            (["session": "a/b"], .badClaim("session")),
        ] as [(JSONValue, TokenError)]
    )
    func badClaims(changes: JSONValue, fault: TokenError) throws {
        let token = try signed(changes)
        #expect(throws: fault) { try verifier.inspect(token.octets) }
    }

    @Test("Grants that a token does not have are none, but all sites")
    func absentGrants() throws {
        let principal = try verifier.inspect(
            signed(["domains": nil, "session": nil, "iat": nil]).octets
        ).principal
        #expect(principal.domains == [])
        #expect(principal.sites == nil)
        #expect(principal.permissions == [])
        #expect(principal.providerNumbers == [])
        #expect(!principal.isReferrer)
        #expect(principal.session == "default")
    }

    @Test(
        "The header must have RS256, a known kid and no crit, though the signature is good",
        arguments: [
            (["alg": "RS384", "kid": "development"], .wrongAlgorithm("RS384")),
            (["alg": "rs256", "kid": "development"], .wrongAlgorithm(nil)),
            (["alg": "hunter2", "kid": "development"], .wrongAlgorithm(nil)),
            (["alg": "none", "kid": "development"], .unsigned),
            (["alg": 256, "kid": "development"], .malformed(.header)),
            (["kid": "development"], .malformed(.header)),
            (["alg": "RS256"], .missingKeyID),
            (["alg": "RS256", "kid": 1], .missingKeyID),
            (["alg": "RS256", "kid": "Development"], .unknownKey),
            (["alg": "RS256", "kid": ""], .unknownKey),
            (["alg": "RS256", "kid": "development", "crit": ["exp"]], .criticalExtension),
            (["alg": "RS256", "kid": "development", "b64": false, "crit": []], .criticalExtension),
        ] as [(JSONValue, TokenError)]
    )
    func headers(header: JSONValue, fault: TokenError) throws {
        let token = try signed([:], header: header)
        #expect(throws: fault) { try verifier.inspect(token.octets) }
    }

    @Test(
        "What is no JWT is refused as that",
        arguments: [
            ("", .nothing), ("abc", .parts), ("a.b", .parts), ("a.b.c.d", .parts),
            ("a.b.c.d.e", .encrypted), ("a.b.c.d.e.f", .parts), ("\"a.b.c\"", .quoted),
            ("'a.b.c'", .quoted), ("Bearer a.b.c", .scheme), ("..", .header),
            ("a.b.c", .header), ("W10.W10.W10", .header), ("e30.e30.e30", .header),
            ("é.é.é", .header), ("eyJhbGciOiJSUzI1NiJ9=.e30.AA", .header),
            ("eyJhbGciOiJSUzI1NiIsImtpZCI6ImRldmVsb3BtZW50In0.e30.A", .signature),
            ("eyJhbGciOiJSUzI1NiIsImtpZCI6ImRldmVsb3BtZW50In0.e30.A+A/", .signature),
            ("eyJhbGciOiJSUzI1NiIsImFsZyI6Im5vbmUifQ.e30.AA", .header),
        ] as [(String, TokenError.Part)]
    )
    func malformed(text: String, part: TokenError.Part) {
        #expect(throws: TokenError.malformed(part)) { try verifier.inspect(text.octets) }
    }

    @Test("Claims that are no object are refused after the signature", arguments: ["", "[]", "{"])
    func malformedClaims(text: String) throws {
        let token = try Support.token(
            header: ["alg": "RS256", "kid": "development"],
            claims: Array(text.utf8),
            key: keys.current
        )
        #expect(throws: TokenError.malformed(.claims)) { try verifier.inspect(token.octets) }
    }

    @Test("No change of one character goes unnoticed")
    func everyCharacter() throws {
        let token = Array(try token().utf8)
        for index in token.indices {
            var changed = token
            changed[index] =
                changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: TokenError.self) { try verifier.inspect(changed[...]) }
        }
        for length in stride(from: 0, to: token.count, by: 7) {
            #expect(throws: TokenError.self) { try verifier.inspect(token[..<length]) }
        }
    }

    @Test("A token of a retired key is good until the key leaves the key set")
    func rotation() throws {
        let old = try signed(["exp": 100_000])
        try keys.rotate(now: 5000)
        let new = try signed(
            ["exp": 100_000],
            header: ["alg": "RS256", "kid": .string(keys.current.id)]
        )
        let verified = try verifier.inspect(old.octets)
        try verified.check(at: 5000)
        try verified.check(at: 8599)
        #expect(throws: TokenError.unknownKey) { try verified.check(at: 8600) }
        // Keys may go by another clock than the session.
        try verified.check(at: 50_000, keysAt: 5000)
        #expect(throws: TokenError.unknownKey) { try verified.check(at: 5000, keysAt: 8600) }
        _ = try verifier.verify(new.octets, now: 99_999)
    }

    @Test("The session can be read from a token that is refused")
    func unverifiedSession() throws {
        for flaw in TokenFlaw.allCases {
            let session = TokenVerifier.unverifiedSession(try token(flaw: flaw).octets)
            #expect(session == (flaw == .garbage || flaw == .idToken ? nil : "s1"))
        }
        #expect(TokenVerifier.unverifiedSession("abc".octets) == nil)
        #expect(TokenVerifier.unverifiedSession("a.b.c".octets) == nil)
        let odd = try signed(["session": "a/b"])
        #expect(TokenVerifier.unverifiedSession(odd.octets) == nil)
    }

    @Test(
        "Credentials are the scheme Bearer in any case, and what follows",
        arguments: [
            (nil, .absent), ("", .otherScheme), ("Basic abc", .otherScheme),
            ("Bearerabc", .otherScheme), ("eyJ.e30.AA", .otherScheme), ("Bear", .otherScheme),
            ("Bearer a.b.c", .token("a.b.c".octets)), ("bEARER  a.b.c", .token("a.b.c".octets)),
            ("Bearer", .token([])), ("Bearer ", .token([])), ("Bearer a b", .token("a b".octets)),
        ] as [(String?, BearerCredentials)]
    )
    func credentials(field: String?, credentials: BearerCredentials) {
        #expect(BearerCredentials(authorization: field?.octets) == credentials)
        if case .token = credentials {
            #expect(credentials.explanation == nil)
        } else {
            #expect(credentials.explanation?.contains("Bearer") == true)
        }
    }

    @Test("A challenge has an error only where a token was sent (RFC 6750 §3.1)")
    func challenges() {
        #expect(BearerChallenge.text(for: nil) == #"Bearer realm="qubs-mock""#)
        #expect(
            BearerChallenge.text(for: .expired(secondsAgo: 65)) == """
                Bearer realm="qubs-mock", error="invalid_token", \
                error_description="The token expired 65 s ago by the mock's clock; \
                POST /oauth2/token gives another."
                """
        )
    }

    @Test("Every fault has a sentence of its own, in the characters of RFC 6750 §3")
    func explanations() {
        let faults: [TokenError] = [
            .malformed(.nothing), .malformed(.parts), .malformed(.encrypted), .malformed(.quoted),
            .malformed(.scheme), .malformed(.header), .malformed(.claims), .malformed(.signature),
            .unsigned, .wrongAlgorithm("HS256"), .wrongAlgorithm(nil), .criticalExtension,
            .missingKeyID, .unknownKey, .wrongSignature, .wrongIssuer, .idToken, .badClaim("exp"),
            .expired(secondsAgo: 0), .expired(secondsAgo: 1), .notYetValid(inSeconds: 1),
            .severalFields, .timeOutOfRange("exp"), .issuedInFuture(bySeconds: 6),
        ]
        #expect(Set(faults.map(\.explanation)).count == faults.count)
        for fault in faults {
            let text = fault.explanation
            #expect(text.hasSuffix("."))
            #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
        }
    }

    @Test("Domains and sites are compared octet by octet")
    func membership() {
        let principal = Principal(
            clientID: "c",
            session: "default",
            domains: ["acme"],
            sites: ["Caf\u{E9}", "North Clinic"],
            permissions: ["appointments:read_billing"],
            providerNumbers: [],
            tokenID: "j"
        )
        #expect(principal.mayUse(domain: "acme"))
        #expect(principal.mayUse(domain: "xacme".octets.dropFirst()))
        for name in ["", "acm", "acmes", "Acme", "globex"] {
            #expect(!principal.mayUse(domain: name))
        }
        #expect(principal.mayUse(site: "Caf\u{E9}"))
        #expect(!principal.mayUse(site: "Cafe\u{301}"))
        #expect(principal.mayUse(site: "North Clinic".octets))
        #expect(!principal.mayUse(site: "Central Clinic"))
        #expect(principal.holds(permission: "appointments:read_billing"))
        #expect(!principal.holds(permission: "appointments"))
    }

    private func errorOf(_ body: () throws(TokenError) -> Void) -> TokenError? {
        do throws(TokenError) {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
