import JSON
import OAuth
import Testing

@Suite("Token request")
struct TokenRequestTests {
    static let grant = "grant_type=client_credentials"
    static let credentials = "client_id=acme-partner&client_secret=acme-partner-secret"

    /// A request that is good, and what it asks for.
    struct Good: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let form: String
        let authorization: String?
        let client: String
        let session: String
        let grant: TokenRequest.Grant

        init(
            _ rule: String,
            _ form: String,
            basic: String? = nil,
            authorization: String? = nil,
            client: String = "acme-partner",
            session: String = "default",
            grant: TokenRequest.Grant = .clientCredentials
        ) {
            testDescription = rule
            self.form = form
            self.authorization =
                basic.map { "Basic " + base64($0) } ?? authorization
            self.client = client
            self.session = session
            self.grant = grant
        }
    }

    static let good: [Good] = [
        Good("credentials in the form", "\(grant)&\(credentials)"),
        Good("any order", "\(credentials)&\(grant)"),
        Good("credentials by Basic", grant, basic: "acme-partner:acme-partner-secret"),
        Good(
            "the scheme in any case, and several spaces",
            grant,
            authorization: "bASIC   " + base64("acme-partner:acme-partner-secret")
        ),
        Good(
            "scope, audience and unknown parameters are ignored",
            "\(grant)&\(credentials)&scope=x&audience=y&resource=z"
        ),
        Good("empty pairs are no parameters", "&\(grant)&&\(credentials)&"),
        Good(
            "an empty parameter counts as omitted",
            "\(grant)&client_id=&client_secret=",
            basic: "acme-partner:acme-partner-secret"
        ),
        Good(
            "the same client_id beside Basic",
            "\(grant)&client_id=acme-partner",
            basic: "acme-partner:acme-partner-secret"
        ),
        Good(
            "another scheme beside credentials in the form",
            "\(grant)&\(credentials)",
            authorization: "Bearer abc"
        ),
        Good(
            "escapes in names and values",
            "grant%5Ftype=client%5Fcredentials&client_id=acme%2Dnorth&client_secret=p%25s%2Bt+w%3Ard",
            client: "acme-north"
        ),
        Good(
            "a session in the form",
            "\(grant)&client_id=acme-partner%2Bs1&client_secret=acme-partner-secret",
            session: "s1"
        ),
        Good(
            "a session by Basic",
            grant,
            basic: "acme-partner+s1:acme-partner-secret",
            session: "s1"
        ),
        Good(
            "a session by Basic, escaped",
            grant,
            basic: "acme-partner%2Bs1:acme-partner-secret",
            session: "s1"
        ),
        Good(
            "Basic decodes escapes, keeps + and lone percent signs, and splits at the first colon",
            grant,
            basic: "acme-north:p%s+t%20w:rd",
            client: "acme-north"
        ),
        Good(
            "a secret by Basic, as it is though it looks encoded",
            grant,
            basic: "acme-odd:a+b%2Bc d",
            client: "acme-odd"
        ),
        Good(
            "a secret by Basic, percent-encoded",
            grant,
            basic: "acme-odd:a%2Bb%252Bc%20d",
            client: "acme-odd"
        ),
        Good(
            "a secret by Basic, form-encoded",
            grant,
            basic: "acme-odd:a%2Bb%252Bc+d",
            client: "acme-odd"
        ),
        Good(
            "a refresh token",
            "grant_type=refresh_token&refresh_token=a%2Bb&client_id=acme-refresh&"
                + "client_secret=acme-refresh-secret",
            client: "acme-refresh",
            grant: .refreshToken("a+b")
        ),
    ]

    @Test("A good request names client, session and grant", arguments: good)
    func accepted(good: Good) throws {
        let request = try TokenRequest(
            form: good.form.octets,
            authorization: good.authorization?.octets,
            clients: Support.clients
        )
        #expect(request.client.id == good.client)
        #expect(request.session == good.session)
        #expect(request.grant == good.grant)
    }

    /// A request that is refused, and how.
    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let form: [UInt8]
        let authorization: String?
        let code: OAuthError.Code
        let status: Int
        let hint: String

        init(
            _ rule: String,
            _ form: String,
            basic: String? = nil,
            authorization: String? = nil,
            _ code: OAuthError.Code,
            status: Int = 400,
            hint: String = ""
        ) {
            testDescription = rule
            self.form = Array(form.utf8)
            self.authorization =
                basic.map { "Basic " + base64($0) } ?? authorization
            self.code = code
            self.status = status
            self.hint = hint
        }

        init(_ rule: String, octets: [UInt8], _ code: OAuthError.Code, hint: String) {
            testDescription = rule
            form = octets
            authorization = nil
            self.code = code
            status = 400
            self.hint = hint
        }
    }

    /// In the order of the checks: each row passes all checks of the rows before it.
    static let bad: [Bad] = [
        Bad("nothing at all", "", .invalidRequest, hint: "grant_type"),
        Bad(
            "JSON in place of a form",
            #"{"grant_type":"client_credentials"}"#,
            .invalidRequest,
            hint: "looks like JSON"
        ),
        Bad("no grant type", credentials, .invalidRequest, hint: "grant_type is missing"),
        Bad("an empty grant type", "grant_type=&\(credentials)", .invalidRequest),
        Bad("a lone percent sign", "\(grant)&\(credentials)&x=%", .invalidRequest, hint: "%25"),
        Bad("half an escape", "\(grant)&\(credentials)&x=%4", .invalidRequest, hint: "%25"),
        Bad("no escape", "\(grant)&\(credentials)&x=%4g", .invalidRequest, hint: "%25"),
        Bad("a signed escape", "\(grant)&\(credentials)&x=%+4", .invalidRequest, hint: "%25"),
        Bad(
            "escaped octets that are no UTF-8",
            "\(grant)&x=%C3%28",
            .invalidRequest,
            hint: "UTF-8"
        ),
        Bad(
            "octets that are no UTF-8",
            octets: Array(grant.utf8) + Array("&x=".utf8) + [0xFF],
            .invalidRequest,
            hint: "UTF-8"
        ),
        Bad(
            "a repeated parameter",
            "\(grant)&\(grant)&\(credentials)",
            .invalidRequest,
            hint: "grant_type stands twice"
        ),
        Bad(
            "a repeated secret, once escaped",
            "\(grant)&\(credentials)&client%5Fsecret=x",
            .invalidRequest,
            hint: "client_secret stands twice"
        ),
        Bad(
            "an unknown parameter twice, whose name is not told",
            "\(grant)&\(credentials)&hunter2=a&hunter2=a",
            .invalidRequest,
            hint: "A parameter stands twice"
        ),
        Bad("the form comes before the credentials", "client_id=x&client_id=x", .invalidRequest),
        Bad(
            "the grant type's presence comes before the credentials",
            "client_id=x",
            .invalidRequest
        ),

        Bad("no credentials", grant, .invalidClient, hint: "credentials are missing"),
        Bad(
            "no secret",
            "\(grant)&client_id=acme-partner",
            .invalidClient,
            hint: "client_secret is missing"
        ),
        Bad("no id", "\(grant)&client_secret=x", .invalidClient, hint: "client_id is missing"),
        Bad(
            "an unknown client",
            "\(grant)&client_id=acme-partnr&client_secret=x",
            .invalidClient,
            hint: "did you mean acme-partner?"
        ),
        Bad(
            "a wrong secret",
            "\(grant)&client_id=acme-partner&client_secret=hunter2",
            .invalidClient,
            hint: "of acme-partner is wrong"
        ),
        Bad(
            "a plus sign that the form made a space",
            "\(grant)&client_id=acme-partner+s1&client_secret=acme-partner-secret",
            .invalidClient,
            hint: "%2B"
        ),
        Bad(
            "a plus sign in the secret that the form made a space",
            "\(grant)&client_id=acme-plus&client_secret=a+b",
            .invalidClient,
            hint: "%2B"
        ),
        Bad(
            "a secret with the line feed of its file",
            "\(grant)&client_id=acme-partner&client_secret=acme-partner-secret%0A",
            .invalidClient,
            hint: "white space around"
        ),
        Bad(
            "a malformed session",
            "\(grant)&client_id=acme-partner%2Bs/1&client_secret=acme-partner-secret",
            .invalidClient,
            hint: "letters, digits"
        ),
        Bad(
            "a disabled client",
            "\(grant)&client_id=acme-disabled&client_secret=acme-disabled-secret",
            .invalidClient,
            hint: "acme-disabled is disabled"
        ),
        Bad(
            "a disabled client with a wrong secret",
            "\(grant)&client_id=acme-disabled&client_secret=x",
            .invalidClient,
            hint: "is wrong"
        ),
        Bad(
            "an unknown client by Basic",
            grant,
            basic: "nobody:x",
            .invalidClient,
            status: 401,
            hint: "there are acme-partner, acme-north"
        ),
        Bad(
            "a wrong secret by Basic",
            grant,
            basic: "acme-partner:hunter2",
            .invalidClient,
            status: 401,
            hint: "is wrong"
        ),
        Bad(
            "a disabled client by Basic",
            grant,
            basic: "acme-disabled:acme-disabled-secret",
            .invalidClient,
            status: 401,
            hint: "disabled"
        ),
        Bad("Basic without a colon", grant, basic: "acme-partner", .invalidClient, status: 401),
        Bad("Basic with nothing", grant, authorization: "Basic", .invalidClient, status: 401),
        Bad(
            "Basic that is no base64",
            grant,
            authorization: "Basic a:b",
            .invalidClient,
            status: 401
        ),
        Bad(
            "another scheme without credentials",
            grant,
            authorization: "Bearer hunter2",
            .invalidClient,
            status: 401,
            hint: "no Basic credentials"
        ),
        Bad(
            "credentials come before the grant type's name",
            "grant_type=password&client_id=acme-partner&client_secret=x",
            .invalidClient
        ),
        Bad(
            "both ways of authentication",
            "\(grant)&\(credentials)",
            basic: "acme-partner:acme-partner-secret",
            .invalidRequest,
            hint: "both"
        ),
        Bad(
            "another client_id beside Basic",
            "\(grant)&client_id=acme-north",
            basic: "acme-partner:acme-partner-secret",
            .invalidRequest,
            hint: "both"
        ),

        Bad(
            "an unknown grant",
            "grant_type=password&\(credentials)",
            .unsupportedGrantType,
            hint: "client_credentials"
        ),
        Bad(
            "a misspelt grant",
            "grant_type=client_credential&\(credentials)",
            .unsupportedGrantType,
            hint: "did you mean client_credentials?"
        ),
        Bad(
            "grant types have a case",
            "grant_type=CLIENT_CREDENTIALS&\(credentials)",
            .unsupportedGrantType
        ),
        Bad(
            "a grant that this client may not use",
            "grant_type=refresh_token&refresh_token=x&\(credentials)",
            .unauthorizedClient,
            hint: "may not use"
        ),
        Bad(
            "a grant not allowed comes before its parameters",
            "grant_type=refresh_token&\(credentials)",
            .unauthorizedClient
        ),
        Bad(
            "no refresh token",
            "grant_type=refresh_token&client_id=acme-refresh&client_secret=acme-refresh-secret",
            .invalidRequest,
            hint: "refresh_token is missing"
        ),
    ]

    @Test("A request is refused by the first check it fails", arguments: bad)
    func refused(bad: Bad) throws {
        let plus = Client(id: "acme-plus", secret: "a+b", domains: [])
        let clients = ClientRegistry(uniqueClients: Support.clients.clients + [plus])
        let error = try #require(throws: OAuthError.self) {
            try TokenRequest(
                form: bad.form[...],
                authorization: bad.authorization?.octets,
                clients: clients
            )
        }
        #expect(error.code == bad.code)
        #expect(error.status == bad.status)
        #expect(error.usesBasicChallenge == (bad.status == 401))
        #expect(error.description.contains(bad.hint))
        #expect(!error.description.contains("hunter2"))
        #expect(!error.description.contains("partner-secret"))
        #expect(error.description.last == "." || error.description.last == "?")
    }

    @Test(
        "A request claims a client and session, though its secret or grant is wrong",
        arguments: [
            ("grant_type=x&client_id=acme-partner%2Bs1&client_secret=x", nil, "acme-partner/s1"),
            ("client_id=acme-disabled&client_secret=x", nil, "acme-disabled/default"),
            ("", "Basic " + base64("acme-north+s2:x"), "acme-north/s2"),
            ("client_id=acme-partner%2Ba/b&client_secret=x", nil, nil),
            ("client_id=nobody&client_secret=x", nil, nil),
            ("client_id=acme-partner", nil, nil),
            ("client_id=%", nil, nil),
            ("", nil, nil),
        ] as [(String, String?, String?)]
    )
    func claim(form: String, authorization: String?, expected: String?) {
        let claim = TokenRequest.claim(
            form: form.octets,
            authorization: authorization?.octets,
            clients: Support.clients
        )
        #expect(claim.map { $0.client.id + "/" + $0.session } == expected)
    }

    @Test("A refusal is JSON in the characters of RFC 6749 §5.2")
    func json() {
        let error = OAuthError(code: .invalidGrant, description: "a \"b\" \\ é\n.")
        #expect(
            JSONWriter.text(of: error.json)
                == #"{"error":"invalid_grant","error_description":"a ?b? ? ??."}"#
        )
        #expect(OAuthError.basicChallenge.hasPrefix("Basic realm="))
    }
}

/// Plain base64, for what HTTP Basic sends.
private func base64(_ text: String) -> String {
    let unpadded = Base64URL.encode(text.utf8).map { character in
        switch character {
        case "-": "+"
        case "_": "/"
        default: String(character)
        }
    }.joined()
    return unpadded + String(repeating: "=", count: (4 - unpadded.count % 4) % 4)
}
