import Chance
import JSON
import OAuth
import Testing

@Suite("Token issuer")
struct TokenIssuerTests {
    let keys: SigningKeys
    let issuer: TokenIssuer
    let verifier: TokenVerifier

    init() throws {
        keys = try Support.keys()
        issuer = TokenIssuer(keys: keys)
        verifier = TokenVerifier(keys: keys)
    }

    private func request(
        _ client: Client,
        session: String = "default",
        refreshToken: String? = nil
    ) throws -> TokenRequest {
        let suffix = session == "default" ? "" : "%2B" + session
        let grant =
            refreshToken.map { "grant_type=refresh_token&refresh_token=" + $0 }
            ?? "grant_type=client_credentials"
        return try TokenRequest(
            form: "\(grant)&client_id=\(client.id)\(suffix)&client_secret=\(client.id)-secret"
                .octets,
            authorization: nil,
            clients: Support.clients
        )
    }

    @Test("An access token says who, for how long, and what it opens")
    func claims() throws {
        var generator = SplitMix64(seed: 1)
        var same = SplitMix64(seed: 1)
        let response = try issuer.issue(
            for: request(Support.partner, session: "s1"),
            now: Support.now,
            using: &generator
        )
        let claims = try #require(try Support.claims(of: response.accessToken))
        #expect(
            JSONWriter.text(of: claims) == """
                {"iss":"https://qubs-mock.invalid","sub":"acme-partner","client_id":"acme-partner",\
                "token_use":"access","scope":"integrations","iat":1760000000,"exp":1760003600,\
                "jti":"\(same.uuid())","domains":["acme"],"providerNumbers":[],\
                "permissions":["appointments:read_billing"],"session":"s1"}
                """
        )
        let header = try #require(response.accessToken.split(separator: ".").first)
        #expect(
            String(decoding: try #require(Base64URL.decode(header.utf8)), as: UTF8.self)
                == #"{"alg":"RS256","typ":"JWT","kid":"development"}"#
        )
    }

    @Test("The answer is that of RFC 6749 §5.1, without a refresh token unless configured")
    func answer() throws {
        var generator = SplitMix64(seed: 1)
        let response = try issuer.issue(
            for: request(Support.partner),
            now: Support.now,
            using: &generator
        )
        let object = try #require(response.json.object)
        #expect(object.members.map(\.name) == ["access_token", "expires_in", "token_type"])
        #expect(object["expires_in"] == 3600)
        #expect(object["token_type"] == "Bearer")
        let other = try issuer.issue(
            for: request(Support.refresher),
            now: Support.now,
            using: &generator
        )
        #expect(
            other.json.object?.members.map(\.name)
                == ["access_token", "expires_in", "token_type", "refresh_token"]
        )
    }

    @Test("What was issued verifies, with the grants of the client")
    func principal() throws {
        var generator = SplitMix64(seed: 1)
        let response = try issuer.issue(
            to: Support.north,
            session: "s1",
            now: Support.now,
            using: &generator
        )
        let verified = try verifier.verify(response.accessToken.octets, now: Support.now)
        let principal = verified.principal
        #expect(principal.clientID == "acme-north")
        #expect(principal.session == "s1")
        #expect(principal.domains == ["acme", "globex"])
        #expect(principal.sites == ["North Clinic"])
        #expect(principal.providerNumbers == ["1234567A"])
        #expect(principal.isReferrer)
        #expect(principal.permissions == [])
        #expect(verified.issuedAt == Support.now)
        #expect(verified.expiresAt == Support.now + 3600)
        #expect(verified.notBefore == nil)
        #expect(verified.tokenID.utf8.count == 36)
    }

    @Test(
        "A lifetime may be chosen, from a second to a year",
        arguments: [
            (1, 1), (60, 60), (31_536_000, 31_536_000), (0, 1), (-5, 1), (.max, 31_536_000),
        ] as [(Int64, Int64)]
    )
    func lifetime(asked: Int64, given: Int64) throws {
        var generator = SplitMix64(seed: 1)
        let response = try issuer.issue(
            to: Support.partner,
            session: "default",
            now: Support.now,
            lifetimeSeconds: asked,
            using: &generator
        )
        #expect(response.expiresInSeconds == given)
        let claims = try #require(try Support.claims(of: response.accessToken))
        #expect(claims["exp"] == .integer(Int(Support.now + given)))
    }

    @Test("A clock at its last second overflows nothing", arguments: TokenFlaw.allCases)
    func lastSecond(flaw: TokenFlaw) throws {
        var generator = SplitMix64(seed: 1)
        for now in [Int64.max, .min] {
            let response = try issuer.issue(
                to: Support.refresher,
                session: "default",
                now: now,
                flaw: flaw,
                using: &generator
            )
            #expect(!response.accessToken.isEmpty)
        }
    }

    // MARK: Refresh tokens

    @Test("A refresh token gives a new access token and an ID token")
    func refresh() throws {
        var generator = SplitMix64(seed: 1)
        let first = try issuer.issue(
            for: request(Support.refresher, session: "s1"),
            now: Support.now,
            using: &generator
        )
        let refreshToken = try #require(first.refreshToken)
        let later = Support.now + 7200
        let second = try issuer.issue(
            for: request(Support.refresher, session: "s1", refreshToken: refreshToken),
            now: later,
            using: &generator
        )
        #expect(
            second.json.object?.members.map(\.name)
                == ["access_token", "expires_in", "token_type", "id_token"]
        )
        let verified = try verifier.verify(second.accessToken.octets, now: later)
        #expect(verified.principal.clientID == "acme-refresh")
        #expect(verified.session == "s1")
        #expect(verified.expiresAt == later + 3600)
        let idToken = try #require(second.idToken)
        let claims = try #require(try Support.claims(of: idToken))
        #expect(claims["token_use"] == "id")
        #expect(claims["aud"] == "acme-refresh")
        #expect(claims["exp"] == .integer(Int(later + 3600)))
        #expect(throws: TokenError.idToken) { try verifier.inspect(idToken.octets) }
    }

    @Test(
        "A refresh token is good for 5 days, to the second",
        arguments: [(0, true), (431_999, true), (432_000, false), (432_001, false)]
            as [(Int64, Bool)]
    )
    func refreshExpiry(age: Int64, isGood: Bool) throws {
        var generator = SplitMix64(seed: 1)
        let issued = try issuer.issue(
            for: request(Support.refresher),
            now: Support.now,
            using: &generator
        )
        let token: String = try #require(issued.refreshToken)
        let refresh = try request(Support.refresher, refreshToken: token)
        if isGood {
            let response = try issuer.issue(
                for: refresh,
                now: Support.now + age,
                using: &generator
            )
            #expect(response.idToken != nil)
        } else {
            let error = try #require(throws: OAuthError.self) {
                try issuer.issue(for: refresh, now: Support.now + age, using: &generator)
            }
            #expect(error.code == .invalidGrant)
            #expect(error.status == 400)
            #expect(error.description.contains("expired"))
        }
    }

    @Test("A refresh token survives a restart and a rotation of the keys")
    func refreshAfterRestart() throws {
        var generator = SplitMix64(seed: 1)
        let issued = try issuer.issue(
            for: request(Support.refresher),
            now: Support.now,
            using: &generator
        )
        let token: String = try #require(issued.refreshToken)
        let restarted = try Support.keys()
        try restarted.rotate(now: Support.now)
        let response = try TokenIssuer(keys: restarted).issue(
            for: request(Support.refresher, refreshToken: token),
            now: Support.now,
            using: &generator
        )
        let verified = try TokenVerifier(keys: restarted).verify(
            response.accessToken.octets,
            now: Support.now
        )
        #expect(verified.principal.clientID == "acme-refresh")
    }

    @Test("A refresh token is worth nothing changed, elsewhere, or to another")
    func refreshBinding() throws {
        var generator = SplitMix64(seed: 1)
        let other = Client(
            id: "acme-other",
            secret: "acme-other-secret",
            domains: ["acme"],
            getsRefreshTokens: true
        )
        let clients = ClientRegistry(uniqueClients: Support.clients.clients + [other])
        let issued = try issuer.issue(
            to: Support.refresher,
            session: "s1",
            now: Support.now,
            using: &generator
        )
        let token = try #require(issued.refreshToken)
        let forOther = try #require(
            try issuer.issue(to: other, session: "s1", now: Support.now, using: &generator)
                .refreshToken
        )
        let cases: [(token: String, session: String, hint: String)] = [
            (forOther, "s1", "another client"),
            (token, "s2", "another session"),
            (String(token.dropLast()), "s1", "not one of this mock's"),
            ("A" + token, "s1", "not one of this mock's"),
            (issued.accessToken, "s1", "not one of this mock's"),
            (keys.secret.seal([1], for: .refreshToken), "s1", "not one of this mock's"),
            (
                keys.secret.seal(
                    [UInt8](repeating: 0xFF, count: 200),
                    for: .refreshToken
                ), "s1", "not one of this mock's"
            ),
            (
                keys.secret.seal(
                    [1] + [UInt8](repeating: 0xFF, count: 40),
                    for: .refreshToken
                ), "s1", "not one of this mock's"
            ),
        ]
        for (token, session, hint) in cases {
            let request = try TokenRequest(
                form: """
                    grant_type=refresh_token&refresh_token=\(token)&\
                    client_id=acme-refresh%2B\(session)&client_secret=acme-refresh-secret
                    """.octets,
                authorization: nil,
                clients: clients
            )
            let error = try #require(throws: OAuthError.self) {
                try issuer.issue(for: request, now: Support.now, using: &generator)
            }
            #expect(error.code == .invalidGrant)
            #expect(error.description.contains(hint))
        }
    }

    @Test("No two refresh tokens are alike")
    func refreshTokensDiffer() throws {
        var generator = SplitMix64(seed: 1)
        let tokens = try (0..<4).map { _ in
            try issuer.issue(
                to: Support.refresher,
                session: "default",
                now: Support.now,
                using: &generator
            ).refreshToken
        }
        #expect(Set(tokens).count == 4)
    }
}
