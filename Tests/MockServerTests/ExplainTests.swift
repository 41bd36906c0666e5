import Contract
import Foundation
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import MockServer
import Synchronization
import Testing
import TestSupport

@Suite("Explanations")
struct ExplainTests {
    /// A rule that is said to be broken.
    private struct Rule {
        var name: String
        var rule: String
        var expected: JSONValue
        var sent: JSONValue = .null
    }

    // MARK: The link to an explanation

    /// Follows the field `Link` of an answer; `nil` where there is none.
    private func explanation(of answer: TestServer.Answer, _ server: TestServer) throws
        -> JSONValue?
    {
        guard let link = answer.field("link") else { return nil }
        let match = try #require(link.wholeMatch(of: /<\/__admin(.+)>; rel="help"/), "\(link)")
        let told = try server.control("GET", String(match.1))
        #expect(told.status == 200, "\(told.text)")
        return told.json
    }

    @Test("Each refusal, and each injected failure, links to its explanation")
    func link() throws {
        let server = try TestServer()
        let refusals: [(String, TestServer.Answer)] = [
            ("parameter", try server.get("appointments?take=0")),
            ("token", try server.get("sites", as: nil)),
            ("domain", try server.get("sites", domain: "globex")),
            ("path", try server.get("no-such-list")),
            ("method", try server.get("sites", method: "DELETE")),
            ("token endpoint", try server.postForm("grant_type=nope")),
            ("session", try server.get("appointments?take=0", as: "acme-partner+linked")),
            ("injected", try server.get("sites", fields: [("Prefer", "code=503")])),
            ("injected 4xx", try server.get("sites", fields: [("Prefer", "code=429")])),
        ]
        for (name, answer) in refusals {
            let told = try #require(try explanation(of: answer, server), "\(name)")
            #expect(told["status"]?.int == answer.status, "\(name): \(told)")
            let named = answer.field("link")?.contains("?session=linked>") == true
            #expect(named == (name == "session"), "\(name)")
        }
        #expect(try server.get("sites").field("link") == nil)
        #expect(try server.get("sites", fields: [("Prefer", "delay=1")]).field("link") == nil)
        #expect(try server.control("GET", "/faults/nope").field("link") == nil)
    }

    @Test("No link where there is no field of ours, or no journal")
    func noLink() throws {
        for server in [
            try TestServer { $0.sendsFaultHeader = false }, try TestServer { $0.journalSize = 0 },
        ] {
            let answer = try server.get("appointments?take=0")
            #expect(answer.status == 400 && answer.field("link") == nil)
        }
    }

    // MARK: Parameters

    /// A query, the rule that it breaks, and the value that is nearest to it.
    private static let parameters: [(path: String, rule: Rule, nearest: String)] = [
        (
            "appointments?take=0", Rule(name: "take", rule: "minimum", expected: 1, sent: "0"),
            "take=1"
        ),
        (
            "appointments?take=501",
            Rule(name: "take", rule: "maximum", expected: 500, sent: "501"), "take=500"
        ),
        (
            "appointments?skip=-1", Rule(name: "skip", rule: "minimum", expected: 0, sent: "-1"),
            "skip=0"
        ),
        (
            "appointments?take=5.5",
            Rule(name: "take", rule: "type", expected: "integer", sent: "5.5"), "take=100"
        ),
        (
            "appointments?take=many", Rule(name: "take", rule: "type", expected: "integer"),
            "take=100"
        ),
        (
            "appointments?take=1&take=2", Rule(name: "take", rule: "repetition", expected: .null),
            "take=100"
        ),
        (
            "appointments?startDate=2025-13-01",
            Rule(name: "startDate", rule: "format", expected: "date", sent: "2025-13-01"),
            "startDate=2019-08-24"
        ),
        (
            "appointments?startDate=2025-02-01&endDate=2025-01-01",
            Rule(name: "startDate", rule: "x-not-after", expected: "endDate", sent: "2025-02-01"),
            "startDate=2019-08-24&endDate=2019-08-24"
        ),
        (
            "appointments/A123456/attachments?disposition=inlin",
            Rule(name: "disposition", rule: "enum", expected: ["inline", "attachment"]),
            "disposition=inline"
        ),
    ]

    @Test(
        "A parameter that is wrong: the rule, what it expects, what was sent, a request that works"
    )
    func parameters() throws {
        let server = try TestServer()
        let shell = try Shell(server)
        for (path, rule, nearest) in Self.parameters {
            #expect(try server.get(path).status == 400, "\(path)")
            let told = try server.explainNewest()
            #expect(told["status"] == 400)
            #expect(told["summary"] == "The request breaks the contract: see rules.")
            expect([rule], in: told, at: "query")
            #expect(told["curl"]?.string?.contains("?\(nearest)'") == true, "\(told)")
            #expect(try shell.run(told["curl"]) == [200], "\(path)")
        }
    }

    @Test("All rules that are broken are told, in the order of the contract")
    func several() throws {
        let server = try TestServer()
        #expect(try server.get("appointments?take=0&skip=-1&zz=1").status == 400)
        let told = try server.explainNewest()
        let names = told["rules"]?.array?.compactMap { $0["name"]?.string } ?? []
        #expect(names.sorted() == ["skip", "take"])
        #expect(try Shell(server).run(told["curl"]) == [200])
    }

    @Test("What is right is kept; of a site, one that is there stands for what is not kept")
    func kept() throws {
        let server = try TestServer()
        let query = "take=0&skip=3&scheduledSite=Central%20Clinic&nextToken=x&zz=Jane"
        #expect(try server.get("appointments?\(query)").status == 400)
        let line = try #require(try server.explainNewest()["curl"]?.string)
        #expect(line.contains("skip=3&take=1'") || line.contains("take=1&skip=3"), "\(line)")
        let site = try #require(line.firstMatch(of: /scheduledSite=([^&']+)/)?.1)
        #expect(try server.get("sites/\(site)").status == 200)
        #expect(!line.contains("zz") && !line.contains("nextToken"))
    }

    // MARK: Contents

    /// A content, where it is wrong, and the keyword.
    static let contents: [(path: String, body: JSONValue, name: String, rule: String)] = [
        (TestServer.commentsPath, [:], "/commentText", "required"),
        (TestServer.commentsPath, ["commentText": ""], "/commentText", "minLength"),
        (TestServer.commentsPath, ["commentText": 5], "/commentText", "type"),
        (
            TestServer.commentsPath, ["commentText": "x", "commentType": "ZZ"], "/commentType",
            "enum"
        ),
        (TestServer.uploadsPath, ["items": []], "/items", "minItems"),
        (TestServer.uploadsPath, ["items": [["fileName": 5]]], "/items/0/fileName", "type"),
        (
            TestServer.reportPath, ["reportText": "x", "reportStatus": "draft"], "/reportStatus",
            "pattern"
        ),
        // No schema states these.
        (
            "reporting/appointments/A900007/comments", ["commentText": "x", "commentType": "PC"],
            "/commentType", "patient"
        ),
        (
            TestServer.reportPath,
            [
                "reportText": "x", "reportStatus": "final",
                "reportedAtUtc": "9999-12-31T23:59:59-01:00",
            ], "/reportedAtUtc", "format"
        ),
    ]

    @Test("A content that is wrong is told by its pointer, never by what it held")
    func contents() throws {
        let server = try TestServer()
        let shell = try Shell(server)
        for (path, body, name, rule) in Self.contents {
            #expect(try server.post(path, body).status == 400, "\(name)")
            let told = try server.explainNewest()
            let found = told["rules"]?.array?.first { $0["name"]?.string == name }
            #expect(found?["rule"]?.string == rule, "\(told)")
            #expect(found?["where"] == "body" && found?["sent"] == .null)
            #expect(found?["message"]?.string?.contains("ZZ") == false)
            #expect(found?["message"]?.string?.contains("draft") == false)
            expectPlaces(told)
            #expect(try shell.run(told["curl"]) == [200], "\(told)")
        }
    }

    // MARK: Refusals

    /// A request that is refused, and what is said of that.
    struct Refusal {
        let reason: JournalRefusal?
        let status: Int
        /// Words of the summary.
        let words: String
        /// Of the first rule: where, name, rule, what is expected; `nil` where there is none.
        var rule: (place: String, name: String?, rule: String, expected: JSONValue)?
        /// What was sent, as the rule tells.
        var sent: JSONValue = .null
        /// A part of the line of curl; `nil` where there is none.
        var line: String?
        /// The statuses that the line gets.
        var again = [200]
        /// Who pastes it.
        var client = "acme-partner"
        let send: @Sendable (TestServer) throws -> Int
    }

    private static let billing = "appointments/A123456/billing"

    static let refusals: [Refusal] = [
        Refusal(
            reason: nil,
            status: 200,
            words: "nothing was wrong",
            line: "/acme/sites'",
            send: { try $0.get("sites").status }
        ),
        Refusal(
            reason: .route,
            status: 404,
            words: "No operation has this path",
            rule: ("path", nil, "paths", .null),
            sent: "/integrations/v1/acme/sties",
            line: "/integrations/v1/acme/sites'",
            send: { try $0.get("sties").status }
        ),
        Refusal(
            reason: .route,
            status: 404,
            words: "No operation has this path",
            rule: ("path", nil, "paths", .null),
            sent: "/integrations/v1/acme/site/Nowhere",
            line: "/integrations/v1/acme/sites/",
            send: { try $0.get("site/Nowhere").status }
        ),
        Refusal(
            reason: .method,
            status: 405,
            words: "method is not possible",
            rule: ("method", nil, "paths", ["GET", "HEAD"]),
            sent: "DELETE",
            line: "/acme/sites'",
            send: { try $0.get("sites", method: "DELETE").status }
        ),
        Refusal(
            reason: .method,
            status: 405,
            words: "method is not possible",
            rule: ("method", nil, "paths", ["POST"]),
            sent: "GET",
            line: "grant_type=client_credentials",
            send: { try $0.send("GET", "/oauth2/token").status }
        ),
        Refusal(
            reason: .tokenMissing,
            status: 401,
            words: "none was sent",
            rule: ("header", "Authorization", "security", "Bearer <token>"),
            line: "/acme/sites' -H 'Authorization: Bearer <token>'",
            send: { try $0.get("sites", as: nil).status }
        ),
        // Not everybody may read this: the line asks for a token that opens it.
        Refusal(
            reason: .tokenMissing,
            status: 401,
            words: "none was sent",
            rule: ("header", "Authorization", "security", "Bearer <token>"),
            line: "client_id=acme-partner'",
            again: [200, 200],
            send: { try $0.get(billing, as: nil).status }
        ),
        Refusal(
            reason: .tokenExpired,
            status: 401,
            words: "had expired",
            rule: ("header", "Authorization", "security", "Bearer <token>"),
            line: "/acme/sites' -H 'Authorization: Bearer <token>'",
            send: { server in
                _ = try server.token()
                server.advance(seconds: 7200)
                return try server.get("sites").status
            }
        ),
        Refusal(
            reason: .tokenInvalid,
            status: 401,
            words: "not one that this mock accepts",
            rule: ("header", "Authorization", "security", "Bearer <token>"),
            line: "/acme/sites'",
            send: { try $0.get("sites", as: nil, fields: [("Authorization", "Bearer x")]).status }
        ),
        Refusal(
            reason: .domain,
            status: 403,
            words: "domain in the path",
            rule: ("path", "domain", "domains", ["acme"]),
            sent: "globex",
            line: "/integrations/v1/acme/sites'",
            send: { try $0.get("sites", domain: "globex").status }
        ),
        Refusal(
            reason: .site,
            status: 403,
            words: "site in the path",
            rule: ("path", "siteName", "x-site-grant", ["North Clinic"]),
            sent: "Central Clinic",
            line: "/acme/sites/North%20Clinic'",
            client: "acme-north",
            send: { try $0.get("sites/Central%20Clinic", as: "acme-north").status }
        ),
        Refusal(
            reason: .permission,
            status: 403,
            words: "lacks the permission that the operation needs; use the client acme-partner",
            rule: (
                "header", "Authorization", "x-required-permission", "appointments:read_billing"
            ),
            line: "client_id=acme-partner'",
            again: [200, 200],
            send: { try $0.get(billing, as: "acme-north").status }
        ),
        Refusal(
            reason: .providerNumbers,
            status: 403,
            words: "needs provider numbers in the token; use the client acme-referrer",
            rule: ("header", "Authorization", "x-required-grant", "providerNumbers"),
            line: "client_id=acme-referrer'",
            again: [200, 200],
            client: "acme-referrer",
            send: { try $0.get("appointments/referrer").status }
        ),
        // Another client of the same domain.
        Refusal(
            reason: .providerNumbers,
            status: 403,
            words: "use the client group-partner",
            rule: ("header", "Authorization", "x-required-grant", "providerNumbers"),
            line: "/globex/appointments/referrer'",
            again: [200, 200],
            client: "group-partner",
            send: {
                try $0.get("appointments/referrer", as: "globex-partner", domain: "globex").status
            }
        ),
        Refusal(
            reason: .contract,
            status: 400,
            words: "breaks the contract",
            rule: ("header", "Prefer", "prefer", .null),
            line: "/acme/sites'",
            send: { try $0.get("sites", fields: [("Prefer", "code=200")]).status }
        ),
        Refusal(
            reason: .mediaType,
            status: 415,
            words: "Content-Type",
            rule: ("header", "Content-Type", "content", ["application/json"]),
            sent: "text/plain",
            line: "'Content-Type: application/json'",
            send: {
                try $0.postOctets(
                    TestServer.commentsPath,
                    [0x7B],
                    [("Content-Type", "text/plain")]
                ).status
            }
        ),
        Refusal(
            reason: .mediaType,
            status: 415,
            words: "Content-Type",
            rule: ("header", "Content-Type", "content", ["application/json"]),
            sent: "application/json",
            line: "'Content-Type: application/json'",
            send: {
                let type = ("Content-Type", "application/json")
                return try $0.postOctets(TestServer.commentsPath, [0x7B], [type, type]).status
            }
        ),
        Refusal(
            reason: .host,
            status: 403,
            words: "The Host is not one",
            rule: ("header", "Host", "host", .null),
            line: "/acme/sites'",
            send: { try $0.get("sites", fields: [("Host", "evil.example")]).status }
        ),
        Refusal(
            reason: .origin,
            status: 403,
            words: "A web page of another origin",
            rule: ("header", "Origin", "origin", .null),
            line: "/acme/sites'",
            send: { try $0.get("sites", fields: [("Origin", "https://evil.example")]).status }
        ),
        Refusal(
            reason: .contentCoding,
            status: 415,
            words: "content coding",
            rule: ("header", "Content-Encoding", "content-coding", "identity"),
            line: "'Content-Type: application/json'",
            send: {
                try $0.post(
                    TestServer.commentsPath,
                    ["commentText": "a"],
                    fields: [("Content-Encoding", "gzip")]
                ).status
            }
        ),
        Refusal(
            reason: .nextToken,
            status: 400,
            words: "nextToken is not one",
            rule: ("query", "nextToken", "next-token", .null),
            line: "/by-status/ARRIVED?pageSize=7'",
            send: {
                try $0.get("appointments/by-status/ARRIVED?nextToken=x&pageSize=7").status
            }
        ),
        Refusal(
            reason: .idempotencyKey,
            status: 400,
            words: "visible ASCII",
            rule: ("header", "Idempotency-Key", "pattern", #"^[\x21-\x7e]+$"#),
            line: "'Idempotency-Key: <a new key>'",
            send: {
                try $0.post(TestServer.commentsPath, ["commentText": "a"], key: "a b").status
            }
        ),
        Refusal(
            reason: .idempotencyConflict,
            status: 409,
            words: "used for another payload",
            rule: ("header", "Idempotency-Key", "x-idempotency-retention", "PT24H"),
            line: "'Idempotency-Key: <a new key>'",
            send: { server in
                let path = TestServer.commentsPath
                _ = try server.post(path, ["commentText": "a"], key: "k")
                return try server.post(path, ["commentText": "b"], key: "k").status
            }
        ),
        Refusal(
            reason: .notFound,
            status: 404,
            words: "does not exist",
            rule: ("path", "appointmentId", "not-found", .null),
            sent: "NOBODY",
            line: "/acme/appointments/A123456'",
            send: { try $0.get("appointments/NOBODY").status }
        ),
        Refusal(
            reason: .notPending,
            status: 404,
            words: "does not wait for a report",
            rule: ("path", "appointmentId", "x-reporting", "PENDING REPORTING"),
            sent: "A900082",
            line: "/acme/reporting/appointments/A123456'",
            send: { try $0.get("reporting/appointments/A900082").status }
        ),
        Refusal(
            reason: .tooLarge,
            status: 413,
            words: "larger than allowed",
            rule: ("body", nil, "content-length", .integer(16 << 20)),
            line: "reportText",
            send: { server in
                let head =
                    "POST /integrations/v1/acme/\(TestServer.reportPath) HTTP/1.1\r\n"
                    + "Host: localhost\r\nAuthorization: Bearer \(try server.token())\r\n"
                    + "Content-Type: application/json\r\nContent-Length: 16777217\r\n\r\n"
                return try RawClient(port: server.listener.port).exchange(head).status
            }
        ),
        Refusal(
            reason: .unavailable,
            status: 503,
            words: "could not serve",
            rule: ("server", nil, "capacity", .null),
            send: { server in
                let order: JSONValue = ["clientId": "acme-partner+one-more"]
                let issued = try server.control("POST", "/tokens", order)
                let token = try #require(issued.json["access_token"]?.string)
                _ = try server.control("DELETE", "/sessions/one-more")
                for index in 0..<256 {
                    _ = try server.control("PUT", "/sessions/m\(index)")
                }
                let field = ("Authorization", "Bearer \(token)")
                return try server.get("sites", as: nil, fields: [field]).status
            }
        ),
    ]

    /// Token requests that are refused; the journal keeps nothing of a form.
    static let grants: [Refusal] = [
        Refusal(
            reason: .grant,
            status: 400,
            words: "token endpoint refused",
            rule: (
                "body", "client_id", "invalid_client",
                [
                    "acme-partner", "acme-referrer", "acme-north", "globex-partner",
                    "group-partner", "acme-refresh",
                ]
            ),
            line: "'client_id=<client_id>'",
            send: { try $0.postForm("grant_type=client_credentials&client_id=nobody").status }
        ),
        Refusal(
            reason: .grant,
            status: 400,
            words: "token endpoint refused",
            rule: ("body", "grant_type", "grant", ["client_credentials"]),
            line: "'client_id=acme-partner'",
            send: {
                try $0.postForm(
                    "grant_type=password&client_id=acme-partner&client_secret=acme-partner-secret"
                ).status
            }
        ),
        Refusal(
            reason: .grant,
            status: 401,
            words: "token endpoint refused",
            rule: ("body", "client_secret", "invalid_client", .null),
            line: "'client_id=acme-partner'",
            send: { server in
                let basic = "Basic \(Data("acme-partner:wrong".utf8).base64EncodedString())"
                return try server.postForm(
                    "grant_type=client_credentials",
                    fields: [("Authorization", basic)]
                ).status
            }
        ),
        Refusal(
            reason: .grant,
            status: 400,
            words: "token endpoint refused",
            rule: (
                "header", "Content-Type", "content", ["application/x-www-form-urlencoded"]
            ),
            sent: "application/json",
            line: "'client_id=<client_id>'",
            send: { try $0.postForm("{}", type: "application/json").status }
        ),
        Refusal(
            reason: .grant,
            status: 400,
            words: "token endpoint refused",
            rule: ("body", "refresh_token", "invalid_grant", .null),
            line: "'client_id=acme-refresh'",
            client: "acme-refresh",
            send: {
                try $0.postForm(
                    "grant_type=refresh_token&client_id=acme-refresh"
                        + "&client_secret=acme-refresh-secret&refresh_token=x"
                ).status
            }
        ),
        // A disabled client gets no token: another one does.
        Refusal(
            reason: .grant,
            status: 400,
            words: "token endpoint refused",
            rule: (
                "body", "client_id", "invalid_client",
                [
                    "acme-partner", "acme-referrer", "acme-north", "globex-partner",
                    "group-partner", "acme-refresh",
                ]
            ),
            sent: "acme-disabled",
            line: "'client_id=acme-partner'",
            send: { try $0.askToken("acme-disabled").status }
        ),
    ]

    /// Transfers that are refused.
    static let transfers: [Refusal] = [
        Refusal(
            reason: .urlSignature,
            status: 403,
            words: "not one that was given out",
            rule: ("query", "signature", "signature", .null),
            line: "curl -i -X PUT '<uploadUrl>' -H 'Content-Type: application/pdf'",
            send: { try transfer($0) { $0 + "A" } }
        ),
        Refusal(
            reason: .urlSignature,
            status: 403,
            words: "not one that was given out",
            rule: ("query", "signature", "signature", .null),
            line: "/acme/reporting/appointments/A123456/report/attachments'",
            send: {
                try $0.send("PUT", "/uploads/x?expires=1&session=default&signature=x", [], [1])
                    .status
            }
        ),
        Refusal(
            reason: .urlExpired,
            status: 403,
            words: "had expired",
            rule: ("query", "expires", "expires", "later than 2025-06-01T00:15:00Z"),
            sent: "2025-06-01T00:15:00Z",
            line: "/acme/reporting/appointments/A123457/report/attachments'",
            send: { try transfer($0, of: "A123457", after: 900) }
        ),
        Refusal(
            reason: .urlUsed,
            status: 403,
            words: "has had its content",
            rule: ("path", "guid", "single-use", .null),
            line: "/acme/reporting/appointments/A123457/report/attachments'",
            send: { server in
                let target = try announce(server, "A123457")
                for _ in 0..<2 { _ = try put(server, target) }
                return 403
            }
        ),
        // An upload that was accepted cannot be repeated; a new one can be asked for.
        Refusal(
            reason: nil,
            status: 200,
            words: "nothing was wrong",
            line: "/acme/reporting/appointments/A123457/report/attachments'",
            send: { try transfer($0, of: "A123457") }
        ),
        Refusal(
            reason: .uploadContentType,
            status: 403,
            words: "Content-Type that was announced",
            rule: ("header", "Content-Type", "content-type", "application/pdf"),
            sent: "text/plain",
            line: "curl -i -X PUT '<uploadUrl>' -H 'Content-Type: application/pdf'",
            send: { try transfer($0, type: "text/plain") }
        ),
        Refusal(
            reason: .uploadContentLength,
            status: 411,
            words: "needs Content-Length",
            rule: ("header", "Content-Length", "required", true),
            line: "curl -i -X PUT '<uploadUrl>' -H 'Content-Type: application/pdf'",
            send: { server in
                let head =
                    "PUT \(try announce(server)) HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/pdf\r\nTransfer-Encoding: chunked\r\n\r\n"
                return try RawClient(port: server.listener.port).exchange(head).status
            }
        ),
        Refusal(
            reason: .tooLarge,
            status: 413,
            words: "larger than allowed",
            rule: ("body", nil, "content-length", 2_097_152),
            line: "curl -i -X PUT '<uploadUrl>' -H 'Content-Type: application/pdf'",
            send: { server in
                let head =
                    "PUT \(try announce(server)) HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/pdf\r\nContent-Length: 2097153\r\n\r\n"
                return try RawClient(port: server.listener.port).exchange(head).status
            }
        ),
        Refusal(
            reason: .range,
            status: 416,
            words: "no bytes in the range",
            rule: ("header", "Range", "range", 692),
            line: "curl -D - -o '<file>' '<url>'",
            send: { server in
                let url = try downloadURL(server)
                return try server.send("GET", url, [("Range", "bytes=99999999-")]).status
            }
        ),
        Refusal(
            reason: nil,
            status: 200,
            words: "nothing was wrong",
            line: "curl -D - -o '<file>' '<url>'",
            send: { try $0.send("GET", try downloadURL($0)).status }
        ),
        Refusal(
            reason: .urlExpired,
            status: 403,
            words: "had expired",
            rule: ("query", "expires", "expires", "later than 2025-06-01T00:15:00Z"),
            sent: "2025-06-01T00:15:00Z",
            line: "/acme/appointments/A123456/attachments/989dd0c7-13bb-4bba-b7a0-53a28bdf5155'",
            send: { server in
                let url = try downloadURL(server)
                server.advance(seconds: 900)
                return try server.send("GET", url).status
            }
        ),
        Refusal(
            reason: .urlSignature,
            status: 403,
            words: "not one that was given out",
            rule: ("query", "signature", "signature", .null),
            line: "/acme/appointments/A123456/attachments/",
            send: {
                let query = "expires=1&disposition=inline&session=default&signature=x"
                return try $0.send("GET", "/attachments/nothing?\(query)").status
            }
        ),
    ]

    @Test("Each refusal has its sentence, its rule, and a line of curl that works")
    func refusals() throws {
        var reasons: Set<JournalRefusal> = []
        for refusal in Self.refusals + Self.grants + Self.transfers {
            let server = try TestServer()
            let place = "\(refusal.reason?.rawValue ?? "none") \(refusal.line ?? "no line")"
            #expect(try refusal.send(server) == refusal.status, "\(place)")
            let entry = try #require(try server.entries("?limit=1").first)
            #expect(entry["reason"]?.string == refusal.reason?.rawValue, "\(place)")
            if let reason = refusal.reason { reasons.insert(reason) }
            let told = try server.explainNewest()
            #expect(told["status"]?.int == refusal.status, "\(place)")
            #expect(told["summary"]?.string?.contains(refusal.words) == true, "\(told)")
            let found = told["rules"]?.array?.first
            #expect(found?["where"]?.string == refusal.rule?.place, "\(told)")
            #expect(found?["name"]?.string == refusal.rule?.name, "\(told)")
            #expect(found?["rule"]?.string == refusal.rule?.rule, "\(told)")
            #expect(found?["expected"] == refusal.rule?.expected, "\(told)")
            if refusal.rule != nil { #expect(found?["sent"] == refusal.sent, "\(told)") }
            expectPlaces(told)
            guard let part = refusal.line else {
                #expect(told["curl"] == .null, "\(told)")
                continue
            }
            #expect(told["curl"]?.string?.contains(part) == true, "\(told)")
            let shell = try Shell(server, as: refusal.client)
            #expect(try shell.run(told["curl"]) == refusal.again, "\(told)")
        }
        // The octets of `message` have a test of their own; the control API alone has the other one,
        // and is not journalled.
        // Those of readings are told in the tests of the readings.
        let elsewhere: Set<JournalRefusal> = [
            .message, .conflict, .keyInFlight, .storageCredentials,
        ]
        #expect(reasons.union(elsewhere) == Set(JournalRefusal.allCases))
    }

    @Test("A document of the server that does not know the method says so, in the journal as well")
    func documentMethods() throws {
        let server = try TestServer()
        #expect(try server.send("DELETE", "/openapi.yaml").status == 405)
        #expect(try server.entries("?limit=1").first?["reason"] == "method")
        let told = try server.explainNewest()
        #expect(told["summary"]?.string?.contains("the method is not possible") == true, "\(told)")
        #expect(told["rules"]?.array?.first?["expected"] == ["GET", "HEAD"], "\(told)")
    }

    // MARK: Transfers

    /// Announces an upload.
    private static func announce(
        _ server: TestServer,
        _ appointment: String = "A123456"
    ) throws -> String {
        let answer = try server.post(
            "reporting/appointments/\(appointment)/report/attachments",
            ["items": [["fileName": "report.pdf", "contentType": "application/pdf"]]]
        )
        return try noted(answer.json["items"]?.array?.first?["uploadUrl"], server)
    }

    private static func put(
        _ server: TestServer,
        _ target: String,
        type: String = "application/pdf"
    ) throws -> Int {
        try server.send("PUT", target, [("Content-Type", type)], Array("%PDF".utf8)).status
    }

    /// Announces an upload and carries it out.
    ///
    /// - Parameter change: What becomes of its URL.
    private static func transfer(
        _ server: TestServer,
        of appointment: String = "A123456",
        type: String = "application/pdf",
        after seconds: Int64 = 0,
        _ change: (String) -> String = { $0 }
    ) throws -> Int {
        let target = change(try announce(server, appointment))
        if seconds > 0 { server.advance(seconds: seconds) }
        return try put(server, target, type: type)
    }

    /// The URL of an attachment of the default data.
    private static func downloadURL(_ server: TestServer) throws -> String {
        let guid = "989dd0c7-13bb-4bba-b7a0-53a28bdf5155"
        let answer = try server.get("appointments/A123456/attachments/\(guid)")
        return try noted(answer.json["url"], server)
    }

    /// The last presigned URL of each server, by its port: whoever has it can fill it in.
    fileprivate static let urls = Mutex<[Int: String]>([:])

    /// Path and query of a URL, which is noted.
    private static func noted(_ url: JSONValue?, _ server: TestServer) throws -> String {
        let text = try #require(url?.string)
        urls.withLock { $0[server.listener.port] = text }
        return try server.target(of: url)
    }

    @Test("No signature is shown, and who announced an upload is who asks for a new URL")
    func signatures() throws {
        let server = try TestServer()
        let shell = try Shell(server, as: "group-partner")
        let path = "reporting/appointments/A123457/report/attachments"
        let answer = try server.post(
            path,
            ["items": [["fileName": "Jane Doe.pdf"]]],
            as: "group-partner"
        )
        let target = try Self.noted(answer.json["items"]?.array?.first?["uploadUrl"], server)
        #expect(try Self.put(server, target + "A") == 403)
        let told = try server.explainNewest()
        let text = JSONWriter.text(of: told)
        #expect(!text.contains("signature=") && !text.contains("Jane"), "\(text)")
        #expect(try shell.run(told["curl"]) == [200])
        #expect(try Self.put(server, target) == 403)
        let line = try server.explainNewest()["curl"]
        #expect(line?.string?.contains("/acme/\(path)'") == true)
        #expect(try shell.run(line) == [200])
    }

    // MARK: Paths

    /// A request that is refused for what its path names: by whom, and a part of the line.
    private static let paths: [(client: String, target: String, status: Int, line: String)] = [
        // The way that was taken is kept.
        (
            "acme-partner", "/integrations/v1/acme/sites/NOPE/settings", 404,
            "/integrations/v1/acme/sites/Example%20Site/settings'"
        ),
        (
            "acme-partner", "/_mock/openapi/integrations/v1/acme/sites/NOPE/settings", 404,
            "/_mock/openapi/integrations/v1/acme/sites/Example%20Site/settings'"
        ),
        (
            "acme-partner", "/_mock/openapi/integrations/v1/acme/appointments/NOPE", 404,
            "/_mock/openapi/integrations/v1/acme/appointments/A123456'"
        ),
        // What was probably meant.
        (
            "acme-partner", "/integrations/v1/acme/sites/Harbour%20Imagin", 404,
            "/sites/Harbour%20Imaging'"
        ),
        (
            "acme-partner",
            "/integrations/v1/acme/appointments/by-status/APPOINTMENT%20CANCELLED?pageSize=3", 400,
            "/by-status/APPPOINTMENT%20CANCELLED?pageSize=3'"
        ),
        (
            "acme-partner", "/integrations/v1/acme/appointments/by-status/PENDING%20REPORTNG", 400,
            "/by-status/PENDING%20REPORTING'"
        ),
        (
            "acme-partner", "/integrations/v1/acme/appointments/by-status/%FF", 400,
            "/by-status/NOT%20ARRIVED'"
        ),
        (
            "acme-partner", "/integrations/v1/acme/sites/Central%20Clinic/staff-skill", 404,
            "/integrations/v1/acme/sites/Central%20Clinic/staff-skills'"
        ),
        (
            "acme-partner", "/integrations/v1/acme/appointment/by-status/PENDING%20REPORTING",
            404, "/integrations/v1/acme/appointments/by-status/PENDING%20REPORTING'"
        ),
        // What there is in the domain, and for the client.
        ("globex-partner", "/integrations/v1/globex/appointments/NOPE", 404, "/v1/globex/"),
        ("globex-partner", "/integrations/v1/acme/patients/NOPE", 403, "/v1/globex/patients/"),
        ("globex-partner", "/integrations/v1/globex/patients/NOPE", 404, "/globex/patients/"),
        ("globex-partner", "/integrations/v1/nowhere/sites/X", 403, "/v1/globex/sites/"),
        (
            "globex-partner", "/integrations/v1/globex/appointments/NOPE/attachments/x", 404,
            "/v1/globex/appointments/"
        ),
        ("acme-north", "/integrations/v1/acme/sites/NOPE", 403, "/acme/sites/North%20Clinic'"),
        (
            "acme-north", "/integrations/v1/acme/sites/Example%20Site/exam-codes", 403,
            "/acme/sites/North%20Clinic/exam-codes'"
        ),
        // A comment is no attachment; what has none has no part that could be named.
        (
            "acme-partner", "/integrations/v1/acme/reporting/appointments/A123456/comments/x", 404,
            "/acme/reporting/appointments/A123456/comments/"
        ),
        (
            "acme-partner", "/integrations/v1/acme/reporting/appointments/A900074/comments/x", 404,
            "/acme/reporting/appointments/A"
        ),
        (
            "acme-partner", "/integrations/v1/acme/appointments/A900070/attachments/x", 404,
            "/acme/appointments/A123456/attachments/"
        ),
        (
            "acme-partner",
            "/integrations/v1/acme/reporting/appointments/A900082/attachments/x", 404,
            "/acme/reporting/appointments/A123456/attachments/"
        ),
        // What a shell or curl would take for something else.
        ("acme-partner", "/integrations/v1/acme/appointments/[1-3]", 404, "/appointments/A"),
        ("acme-partner", "/integrations/v1/acme/appointments/{a,b}", 404, "/appointments/A"),
        ("acme-partner", "/integrations/v1/acme/appointments/'$(id)'", 404, "/appointments/A"),
        (
            "acme-partner", "/integrations/v1/acme/sites/St%20Mary's%20&%20Childrens", 404,
            "/sites/St%20Mary%27s%20%26%20Children%27s'"
        ),
    ]

    @Test("The line names what is there, for the caller, by the way that was taken")
    func paths() throws {
        let server = try TestServer()
        for (client, target, status, part) in Self.paths {
            #expect(try server.get(target, as: client).status == status, "\(target)")
            let told = try server.explainNewest()
            #expect(told["curl"]?.string?.contains(part) == true, "\(target): \(told)")
            #expect(try Shell(server, as: client).run(told["curl"]) == [200], "\(told)")
        }
    }

    @Test("A path that was accepted is repeated as it was, whatever curl makes of its signs")
    func globbing() throws {
        let server = try TestServer()
        let shell = try Shell(server)
        let record: JSONValue = ["scheduledSite": "Central Clinic", "status": "ARRIVED"]
        for (id, sent) in [("A[1-3]", "A[1-3]"), ("{a,b}", "{a,b}"), ("it's", "it's")] {
            let path = "/data/acme/appointments/\(PercentCoding.encode(id))"
            #expect(try server.control("PUT", path, record).status == 201)
            #expect(try server.get("appointments/\(sent)").status == 200)
            let told = try server.explainNewest()
            #expect(try shell.run(told["curl"]) == [200], "\(told)")
            let again = try #require(try server.entries("?limit=1").first)
            #expect(again["path"]?.string?.hasSuffix("/appointments/\(sent)") == true)
        }
    }

    /// Whoever asks for something that is not there, of any operation, is told what is there.
    @Test(
        "Of every operation, nonsense leads to a line that works, with a token and without",
        arguments: ["acme-partner", "acme-referrer", "acme-north", "globex-partner", nil]
    )
    func everyOperation(client: String?) throws {
        let server = try TestServer()
        let shell = try Shell(server, as: client ?? "acme-partner")
        var lines: [String] = []
        for operation in TestServer.contract.operations where operation.isPartnerOperation {
            var path = operation.pathTemplate.replacing("{domain}", with: "nowhere")
            path.replace("{status}", with: "nothing")
            path.replace(/\{[^}]*\}/, with: "NOPE")
            let answer = try server.get(path, as: client, method: operation.method.rawValue)
            #expect(answer.status >= 400, "\(path)")
            lines.append(try #require(try server.explainNewest()["curl"]?.string, "\(path)"))
        }
        let statuses = try shell.run(lines)
        #expect(statuses.count >= 28 && statuses.allSatisfy { $0 == 200 }, "\(lines)")
    }

    @Test("What is like nothing has no line; documents and HEAD are repeated")
    func documents() throws {
        let server = try TestServer()
        _ = try server.send("GET", "/favicon.ico")
        let far = try server.explainNewest()
        #expect(far["nearestOperations"] == [] && far["curl"] == .null)
        // Who asks for one of the server's own documents is told so.
        #expect(try server.send("GET", "/openapi.json").status == 200)
        #expect(try Shell(server).run(try server.explainNewest()["curl"]) == [200])
        #expect(try server.get("sites", method: "HEAD").status == 200)
        let head = try server.explainNewest()["curl"]
        #expect(head?.string?.hasPrefix("curl -I ") == true)
        #expect(try Shell(server).run(head) == [200])
    }

    @Test("The line is for the session of the request")
    func sessions() throws {
        let server = try TestServer()
        let record: JSONValue = ["scheduledSite": "Central Clinic", "status": "ARRIVED"]
        #expect(try server.get("appointments/S1", as: "acme-north+s1").status == 404)
        let path = "/data/acme/appointments/S1?session=s1"
        #expect(try server.control("PUT", path, record).status == 201)
        #expect(try server.get("appointments/S1/billing", as: "acme-north+s1").status == 403)
        let told = try server.control("GET", "/requests/3/explain?session=s1").json
        let line = try #require(told["curl"]?.string)
        #expect(line.contains("client_id=acme-partner+s1'"), "\(line)")
        #expect(line.contains("/appointments/S1/billing'"), "\(line)")
        #expect(try Shell(server).run(told["curl"]) == [200, 200])
    }

    @Test("What else is wrong is told beside what the request was refused for")
    func both() throws {
        let server = try TestServer()
        let answer = try server.get("sites", as: nil, fields: [("X-Mock-Session", "a b")])
        #expect(answer.status == 401)
        let told = try server.explainNewest()
        let rules = told["rules"]?.array?.compactMap { $0["rule"]?.string }
        #expect(rules == ["session", "security"], "\(told)")
        #expect(try Shell(server).run(told["curl"]) == [200])
    }

    // MARK: Nearest operations

    @Test("An unknown path names the nearest operations, a wrong method those of the path")
    func nearest() throws {
        let server = try TestServer()
        _ = try server.get("appointment/A123456")
        let route = try server.explainNewest()
        let operations = route["nearestOperations"]?.array?.compactMap(\.string) ?? []
        #expect(
            operations.first?.contains("(Integrations_GetAppointment_Summary)") == true,
            "\(operations)"
        )
        _ = try server.get(TestServer.commentsPath, method: "PATCH")
        let method = try server.explainNewest()
        #expect(
            method["nearestOperations"]?.array?.compactMap(\.string).sorted() == [
                "GET /integrations/v1/acme/\(TestServer.commentsPath) "
                    + "(Integrations_ListPendingReportingAppointmentComments)",
                "POST /integrations/v1/acme/\(TestServer.commentsPath) "
                    + "(Integrations_CreatePendingReportingAppointmentComment)",
            ]
        )
    }

    // MARK: Octets that are no request

    /// Malformed messages, their status, and whether it is known what was asked for.
    private static let messages: [(octets: String, status: Int, isKnown: Bool)] = [
        ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, false),
        (
            "GET /integrations/v1/acme/sites HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
            400, true
        ),
        ("GET /\(String(repeating: "x", count: 9000)) HTTP/1.1\r\n\r\n", 414, false),
        (
            "GET /integrations/v1/acme/sites/X HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\n\r\n",
            417,
            true
        ),
        ("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, false),
        ("GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 505, false),
    ]

    @Test("Of octets that are no request only the rule of HTTP is told")
    func messages() throws {
        let server = try TestServer()
        for (octets, status, isKnown) in Self.messages {
            #expect(
                try RawClient(port: server.listener.port).exchange(octets).status == status,
                "\(octets.prefix(80))"
            )
            let told = try server.explainNewest()
            let rule = try #require(told["rules"]?.array?.first)
            #expect(rule["where"] == "message" && rule["rule"] == "http", "\(told)")
            #expect(rule["expected"] == .null && rule["contract"] == nil, "\(rule)")
            #expect(told["summary"] == rule["message"])
            #expect(JSONWriter.octets(of: told).count < 2000)
            #expect((told["curl"] != .null) == isKnown, "\(told)")
            if isKnown { #expect(try Shell(server).run(told["curl"]) == [200]) }
        }
    }

    // MARK: Faults

    @Test("A fault does not hide why the request was refused, or would have been")
    func faults() throws {
        let server = try TestServer()
        let shell = try Shell(server)
        let late = [("Prefer", "delay=1")]
        #expect(try server.get("appointments?take=0", fields: late).status == 400)
        let delayed = try server.explainNewest()
        #expect(
            delayed["summary"] == """
                A fault was injected by rule prefer (delay, phase before). The refusal is not its \
                doing: The request breaks the contract: see rules.
                """
        )
        #expect(delayed["rules"]?.array?.first?["rule"] == "minimum")
        #expect(try shell.run(delayed["curl"]) == [200])
        // The status is the fault's, and the request would not have done without it either.
        try server.arm(
            #""when":{"first":1},"then":{"status":500,"phase":"after"}"#,
            on: TestServer.summaryID
        )
        #expect(try server.get("appointments/NOPE").status == 500)
        let hidden = try server.explainNewest()
        let words = "Without it the request would have been refused, too"
        #expect(hidden["summary"]?.string?.contains(words) == true, "\(hidden)")
        #expect(hidden["rules"]?.array?.first?["rule"] == "not-found")
        #expect(try shell.run(hidden["curl"]) == [200])
        // Nothing else was wrong, or nobody looked.
        #expect(try server.get("sites", fields: late).status == 200)
        let fine = try server.explainNewest()["summary"]?.string
        #expect(fine?.hasSuffix("200: nothing was wrong with it.") == true)
        #expect(try server.get("sites", fields: [("Prefer", "code=503")]).status == 503)
        let injected = try server.explainNewest()
        #expect(
            injected["summary"]
                == "A fault was injected by rule prefer (status, phase before)."
        )
        #expect(injected["rules"] == [])
        #expect(try shell.run(injected["curl"]) == [200])
    }

    // MARK: What is withheld

    @Test("Nothing is made of a path or a correlation id that is withheld")
    func withheld() throws {
        let server = try TestServer()
        let token = try server.token()
        let name = "Hortensia Applegarth"
        let encoded = "Hortensia%20Applegarth"
        let put = try server.control(
            "PUT",
            "/data/acme/patients/P1",
            ["patientName": .string(name), "dateOfBirth": "1990-02-28"]
        )
        #expect(put.status == 201)
        let api = "/integrations/v1/acme"
        let targets = [
            ("GET", "\(api)/appointments/\(encoded)"), ("GET", "\(api)/appointments/\(token)"),
            ("GET", "/integrations/v1/\(encoded)/sites"), ("GET", "\(api)/patients/\(token)"),
            ("PUT", "/uploads/\(encoded)?expires=99&session=default&signature=x"),
            ("GET", "/attachments/\(encoded)?expires=9&session=default&signature=x&disposition=x"),
            ("GET", "\(api)/appointments/by-status/\(encoded)"),
            ("GET", "\(api)/sites/\(encoded)"), ("GET", "\(api)/appointments?skip=9255228813"),
            ("GET", "\(api)/sites?\(encoded)=1"), ("GET", "\(api)/sites?note=\(encoded)"),
            ("DELETE", "\(api)/patients/\(encoded)"), ("GET", "\(api)/patient/\(encoded)"),
            ("GET", "\(api)/appointments?take=0&note=\(encoded)"),
        ]
        for (method, target) in targets {
            for fields in [[], [("Authorization", "Bearer \(token)")]] {
                let content: [UInt8]? = method == "PUT" ? [1] : nil
                _ = try server.send(method, target, fields, content, validates: false)
            }
        }
        let identified = [("X-Correlation-Id", "Hortensia.Applegarth")]
        _ = try server.get("sites", fields: identified)
        _ = try server.get("sites/NOPE", fields: identified)
        let entries = try server.entries("?limit=100").filter { $0["findings"] != [] }
        #expect(entries.count >= 2 * targets.count)
        let shell = try Shell(server)
        var lines: [String] = []
        for entry in entries {
            let id = try #require(entry["id"]?.int)
            let told = try server.control("GET", "/requests/\(id)/explain")
            for word in ["Hortensia", "Applegarth", "9255228813", String(token.prefix(40))] {
                #expect(!told.text.contains(word), "\(entry["method"] ?? .null): \(told.text)")
            }
            if let line = told.json["curl"]?.string {
                lines.append(line)
            } else {
                // An unknown path that is withheld is like nothing.
                #expect(told.json["nearestOperations"] == [], "\(told.text)")
            }
            expectPlaces(told.json)
        }
        #expect(lines.count > targets.count)
        #expect(try shell.run(lines).allSatisfy { $0 == 200 }, "\(lines)")
    }

    // MARK: Reading

    private func expect(_ rules: [Rule], in told: JSONValue, at place: String) {
        let found = told["rules"]?.array ?? []
        #expect(found.count == rules.count, "\(told)")
        for (one, rule) in zip(found, rules) {
            #expect(one["where"]?.string == place)
            #expect(one["name"]?.string == rule.name && one["rule"]?.string == rule.rule)
            #expect(one["expected"] == rule.expected, "\(told)")
            #expect(one["sent"] == rule.sent, "\(told)")
            #expect(one["contract"]?.string?.isEmpty == false)
        }
        expectPlaces(told)
    }

    /// Holds the rules of an explanation against the contract: each place is one, each sentence is
    /// said.
    private func expectPlaces(_ told: JSONValue) {
        for rule in told["rules"]?.array ?? [] {
            #expect(rule["message"]?.string?.isEmpty == false)
            guard let place = rule["contract"]?.string else { continue }
            let pointer = JSONPointer(parsing: place)
            #expect(!place.isEmpty)
            #expect(pointer?.value(in: TestServer.contract.document) != nil, "\(place)")
        }
    }
}

/// Pastes lines of curl into a shell, with real values in place of what stands in angle brackets.
private struct Shell {
    let server: TestServer
    let client: String
    let folder: TemporaryFolder

    init(_ server: TestServer, as client: String = "acme-partner") throws {
        self.server = server
        self.client = client
        folder = try TemporaryFolder()
        try Data("%PDF-1.4 tiny".utf8).write(to: URL(filePath: folder.path("report.pdf")))
    }

    /// The status of each answer that a line gets, in their order.
    func run(_ line: JSONValue?) throws -> [Int] { try run([try #require(line?.string)]) }

    /// The status of each answer that some lines get, in their order.
    func run(_ lines: [String]) throws -> [Int] {
        let lines = try lines.enumerated().map { try filled($0.element, number: $0.offset) }
        // Whatever is printed is the reader's; the status of each answer goes its own way.
        let script = """
            curl() { command curl -sS -w '%{stderr}%{http_code}\\n' "$@"; }
            \(lines.joined(separator: "\n"))
            """
        let shell = try ChildProcess("/bin/bash", ["-c", script], in: folder)
        #expect(try shell.exitStatus() == 0, "\(lines) \(shell.errorOutput)")
        return try shell.errorLines.map { try #require(Int($0), "\($0): \(lines)") }
    }

    /// A line without angle brackets.
    private func filled(_ line: String, number: Int) throws -> String {
        var text = line
        let named = line.firstMatch(of: /client_id=([a-z-]+)/).map { String($0.1) }
        let url = ExplainTests.urls.withLock { $0[server.listener.port] } ?? ""
        // Each is asked for only where it is needed.
        let values: [(String, () throws -> String)] = [
            ("<token>", { try token() }),
            ("<a new key>", { "key-\(UUID().uuidString)-\(number)" }),
            ("<client_id>", { client }),
            ("<client_secret>", { TestServer.secret(of: named ?? client) }),
            ("<file>", { "report.pdf" }), ("<uploadUrl>", { url }), ("<url>", { url }),
        ]
        for (placeholder, value) in values where text.contains(placeholder) {
            text = text.replacing(placeholder, with: try value())
        }
        try #require(!text.contains("<"), "\(text)")
        return text
    }

    /// A new token: one that was asked for before may have expired.
    private func token() throws -> String {
        try #require(try server.askToken(client).json["access_token"]?.string)
    }
}
