import JSON
import OAuth
import Testing

@Suite("Client registry")
struct ClientRegistryTests {
    @Test("Clients keep their order and their grants")
    func reading() throws {
        let registry = try ClientRegistry([
            ["clientId": "a", "clientSecret": "s", "domains": ["acme"]],
            [
                "clientId": "b", "clientSecret": "t", "domains": ["globex", "acme"],
                "sites": ["North Clinic"], "permissions": ["appointments:read_billing"],
                "providerNumbers": ["1234567A"], "refreshTokens": true, "disabled": true,
            ],
        ])
        #expect(registry.clients.map(\.id) == ["a", "b"])
        #expect(registry.domains == ["acme", "globex"])
        let plain = try #require(registry["a"])
        #expect(plain == Client(id: "a", secret: "s", domains: ["acme"]))
        #expect(plain.sites == nil)
        #expect(!plain.getsRefreshTokens)
        #expect(!plain.isDisabled)
        let other = try #require(registry["b"])
        #expect(
            other
                == Client(
                    id: "b",
                    secret: "t",
                    domains: ["globex", "acme"],
                    sites: ["North Clinic"],
                    permissions: ["appointments:read_billing"],
                    providerNumbers: ["1234567A"],
                    getsRefreshTokens: true,
                    isDisabled: true
                )
        )
        #expect(registry["c"] == nil)
    }

    @Test(
        "Every fault of a registry is found, with its place",
        arguments: [
            ("{}", [""]),
            ("[1]", ["/0"]),
            ("[{}]", ["/0/clientId", "/0/clientSecret", "/0/domains"]),
            (#"[{"clientId":"a","clientSecret":"","domains":["x"]}]"#, ["/0/clientSecret"]),
            (#"[{"clientId":"a+b","clientSecret":"s","domains":["x"]}]"#, ["/0/clientId"]),
            (#"[{"clientId":"a:b","clientSecret":"s","domains":["x"]}]"#, ["/0/clientId"]),
            (#"[{"clientId":"a b","clientSecret":"s","domains":["x"]}]"#, ["/0/clientId"]),
            (#"[{"clientId":"é","clientSecret":"s","domains":["x"]}]"#, ["/0/clientId"]),
            (#"[{"clientId":"","clientSecret":"s","domains":["x"]}]"#, ["/0/clientId"]),
            (
                #"[{"clientId":"a","clientSecret":"s","domain":["x"],"domains":[1,"","y","y"]}]"#,
                ["/0/domain", "/0/domains/0", "/0/domains/1", "/0/domains/3"]
            ),
            (
                #"[{"clientId":"a","clientSecret":"s","domains":["x"],"sites":"all","disabled":1}]"#,
                ["/0/sites", "/0/disabled"]
            ),
            (
                #"""
                [{"clientId":"a","clientSecret":"s","domains":["x"]},
                 {"clientId":"a","clientSecret":"t","domains":["x"]}]
                """#,
                ["/1/clientId"]
            ),
        ]
    )
    func faults(text: String, pointers: [String]) throws {
        let value = try JSONParser.parse(Array(text.utf8))
        let error = try #require(throws: ClientRegistryError.self) { try ClientRegistry(value) }
        #expect(error.faults.map(\.pointer.description) == pointers)
    }

    @Test("A fault never shows a secret")
    func discretion() throws {
        let value: JSONValue = [
            ["clientId": "a", "clientSecret": ["hunter2"], "domains": []],
            ["clientId": "a", "clientSecret": "hunter2", "domains": []],
        ]
        let error = try #require(throws: ClientRegistryError.self) { try ClientRegistry(value) }
        #expect(!"\(error)".contains("hunter2"))
    }

    @Test("A client's secret shows in no log")
    func logs() {
        let client = Support.partner
        var dumped = ""
        dump(client, to: &dumped)
        for text in ["\(client)", String(reflecting: client), dumped] {
            #expect(text.contains("acme-partner"))
            #expect(!text.contains("secret"))
        }
    }

    @Test(
        "What follows the plus sign is the session",
        arguments: [
            ("acme-partner", "acme-partner", "default"),
            ("acme-partner+s1", "acme-partner", "s1"),
            ("acme-partner+Run_7.a-b", "acme-partner", "Run_7.a-b"),
            ("acme-north+default", "acme-north", "default"),
            (
                "acme-partner+" + String(repeating: "x", count: 64), "acme-partner",
                String(repeating: "x", count: 64)
            ),
        ]
    )
    func sessions(identifier: String, id: String, session: String) throws {
        let (client, name) = try Support.clients.resolve(identifier)
        #expect(client.id == id)
        #expect(name == session)
    }

    @Test(
        "An identifier that names no client or session is an invalid client, with a hint",
        arguments: [
            ("acme-partner+", "letters, digits"),
            ("acme-partner+s 1", "letters, digits"),
            ("acme-partner+a+b", "letters, digits"),
            ("acme-partner+é", "letters, digits"),
            ("acme-partner+" + String(repeating: "x", count: 65), "1 to 64"),
            ("acme-partner s1", "%2B"),
            ("acme-patner", "did you mean acme-partner?"),
            ("Acme-Partner+s1", "did you mean acme-partner?"),
            ("somebody-else", "there are acme-partner, acme-north"),
            ("", "there are acme-partner, acme-north"),
            (String(repeating: "x", count: 100_000), "there are acme-partner, acme-north"),
        ]
    )
    func unresolved(identifier: String, hint: String) throws {
        let error = try #require(throws: OAuthError.self) {
            try Support.clients.resolve(identifier)
        }
        #expect(error.code == .invalidClient)
        #expect(error.description.contains(hint))
    }

    @Test(
        "The nearest name is at most three edits away, and near for its length",
        arguments: [
            ("acme-partner", "acme-partner"), ("acmepartner", "acme-partner"),
            ("ACME-NORTH", "acme-north"), ("acme-nrht", "acme-north"), ("acme", nil),
            ("zzz", nil), ("", nil),
        ] as [(String, String?)]
    )
    func nearest(text: String, name: String?) {
        #expect(Support.clients.nearest(to: text) == name)
    }

    @Test(
        "A session name has 1 to 64 letters, digits, periods, underscores and hyphens",
        arguments: [
            ("default", true), ("A.b_c-9", true), ("", false), ("a b", false), ("a/b", false),
            ("ä", false), ("a\n", false), ("a+b", false),
            (String(repeating: "x", count: 64), true), (String(repeating: "x", count: 65), false),
        ]
    )
    func sessionNames(name: String, isValid: Bool) {
        #expect(SessionName.isValid(name) == isValid)
    }

    @Test("A secret is compared whole")
    func secrets() {
        #expect(Support.partner.hasSecret("acme-partner-secret".utf8))
        #expect(!Support.partner.hasSecret("acme-partner-secre".utf8))
        #expect(!Support.partner.hasSecret("acme-partner-secret ".utf8))
        #expect(!Support.partner.hasSecret("Acme-partner-secret".utf8))
        #expect(!Support.partner.hasSecret([]))
    }
}
