import HTTPMessage
import JSON
import OAuth
import Testing
import TestSupport

@Suite("Faults of the token endpoint")
struct TokenLaboratoryTests {
    @Test("A flawed token looks like any other to who asks for it, and is refused where it is used")
    func flaws() throws {
        let server = try TestServer()
        for flaw in TokenFlaw.allCases { try expectFlawed(flaw, server) }
    }

    private func expectFlawed(_ flaw: TokenFlaw, _ server: TestServer) throws {
        try server.arm(#""sequence":[{"token":"\#(flaw.rawValue)"}]"#, on: "token")
        let flawed = try server.askToken()
        #expect(flawed.status == 200)
        #expect(flawed.field("x-mock-fault") == "r")
        #expect(flawed.json["token_type"] == "Bearer" && flawed.json["expires_in"] == 3600)
        let text = try #require(flawed.json["access_token"]?.string)
        let use = try server.get("sites", as: nil, fields: [("Authorization", "Bearer \(text)")])
        let isForbidden = flaw.expectedStatus == 403
        #expect(use.status == flaw.expectedStatus, "\(use.text)")
        let challenge = use.field("www-authenticate")
        #expect(challenge?.contains("error=\"invalid_token\"") == (isForbidden ? nil : true))
        // The next one is good.
        let good = try #require(try server.askToken().json["access_token"]?.string)
        let again = try server.get("sites", as: nil, fields: [("Authorization", "Bearer \(good)")])
        #expect(again.status == 200)
        #expect(try server.counts() == [1, 2])
        let noted = try server.entries("?operation=token&limit=2").map { $0["fault"] }
        #expect(noted[1]?["effects"] == ["token"] && noted[0] == .null)
    }

    @Test("An injected status is an error of the token endpoint, with Retry-After where asked")
    func status() throws {
        let server = try TestServer()
        try server.arm(
            #"""
            "sequence":[{"status":503,"retryAfter":1},{"status":429,"detail":"Slower."},
              {"status":400},{"status":500}]
            """#,
            on: "token"
        )
        let answers = try (0..<4).map { _ in try server.askToken() }
        #expect(answers.map(\.status) == [503, 429, 400, 500])
        #expect(
            answers.map { $0.json["error"]?.string } == [
                "temporarily_unavailable", "temporarily_unavailable", "invalid_request",
                "server_error",
            ]
        )
        #expect(answers[0].field("retry-after") == "1")
        #expect(answers[1].json["error_description"] == "Slower.")
        for answer in answers {
            #expect(answer.field("content-type") == "application/json")
            #expect(answer.field("cache-control") == "no-store")
            #expect(answer.json["access_token"] == nil)
        }
        #expect(try server.askToken().status == 200)
    }

    @Test("The answer can be lost, slow or spoiled, too")
    func content() throws {
        let server = try TestServer()
        try server.arm(
            #"""
            "sequence":[{"content":"html"},{"content":"malformed-json"},{"truncateAt":0.5},
              {"phase":"after","transport":"CONNECTION_RESET_BY_PEER"},
              {"token":"expired","content":"wrong-content-type"}]
            """#,
            on: "token"
        )
        let page = try server.askToken(validates: false)
        #expect(page.status == 200 && page.field("content-type") == "text/html")
        let malformed = try server.askToken(validates: false)
        #expect(malformed.status == 200 && malformed.json == .null)
        for _ in 0..<2 { #expect(throws: RawClient.Failure.self) { try server.askToken() } }
        let typed = try server.askToken(validates: false)
        #expect(typed.field("content-type") == "text/plain; charset=utf-8")
        #expect(typed.json["access_token"]?.string != nil)
        #expect(try server.counts() == [5, 5])
    }

    @Test("A client is matched by its id, before its secret is looked at")
    func client() throws {
        let server = try TestServer()
        try server.arm(
            #"{"id":"r","match":{"operation":"token","client":"acme-north"},"then":{"status":503}}"#
        )
        #expect(try server.askToken().status == 200)
        #expect(try server.askToken("acme-north").status == 503)
        // A session of its own has rules of its own.
        #expect(try server.askToken("acme-north+s1").status == 200)
        #expect(try server.counts() == [1, 1])
    }
}
