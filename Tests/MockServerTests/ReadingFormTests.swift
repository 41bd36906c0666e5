import HTTPTransport
import JSON
import MockServer
import Readings
import TestSupport
import Testing

@Suite("Readings: what a client sees")
struct ReadingFormTests {
    /// A server with one reading, chosen by the control API.
    private static func server(_ id: String, _ value: String) throws -> TestServer {
        let server = try TestServer()
        let choice = JSONObject([(id, .string(value))])
        let answer = try server.control("PUT", "/readings", .object(choice))
        #expect(answer.status == 200, "\(answer.text)")
        return server
    }

    private static let operational = "appointments/operational/by-id/A123456"

    @Test("Nullable members without a value can be left out, required ones never")
    func absent() throws {
        let path = "appointments/by-status/CANCELLATION%20LIST?pageSize=500"
        let plain = try TestServer().get(path)
        #expect(plain.text.contains("\"appointmentDate\":null") || plain.text.contains(":null"))
        let page = try Self.server("absent", "omitted").get(path)
        #expect(page.json["nextToken"] == .null, "page-end rules it")
        #expect(!page.text.replacing("\"nextToken\":null", with: "").contains(":null"))
        #expect(page.json["items"]?.array?.count == plain.json["items"]?.array?.count)
    }

    static let instantForms: [(value: String, text: String)] = [
        ("seconds", "2025-01-12T03:40:00Z"), ("fractions", "2025-01-12T03:40:00.1234567Z"),
        ("offset", "2025-01-12T03:40:00+00:00"),
    ]

    @Test("Instants have the form of the reading", arguments: instantForms)
    func instants(value: String, text: String) throws {
        let server = try Self.server("instants", value)
        let answer = try server.get(Self.operational)
        #expect(answer.json["arrivalDateTime"] == .string(text))
        #expect(answer.json["appointmentDate"] == "2025-01-12", "a date is no instant")
    }

    @Test("Numbers that may have decimals have one; integers have none")
    func numbers() throws {
        let server = try Self.server("numbers", "decimal")
        let text = try server.get(Self.operational).text
        #expect(text.contains("\"waitingTotalTime\":5.0"))
        #expect(text.contains("\"scanTotalTime\":20.5"))
        let codes = try server.get("sites/Central%20Clinic/exam-codes").text
        #expect(codes.contains("\"totalDuration\":") && !codes.contains(".0"))
    }

    @Test("JSON in another text is the same value")
    func spaced() throws {
        let plain = try TestServer()
        let server = try Self.server("json-text", "spaced")
        for path in [Self.operational, "sites", "appointments/NOSUCH", "appointments?take=9"] {
            let answer = try server.get(path, fields: [("X-Correlation-Id", "same")])
            let expected = try plain.get(path, fields: [("X-Correlation-Id", "same")])
            #expect(answer.json.sorted() == expected.json.sorted())
            #expect(answer.response.content.count > expected.response.content.count)
        }
        #expect(try server.get(Self.operational).text.contains("\\u"))
    }

    @Test("The media type can have a charset, on errors too; contents of files never")
    func charset() throws {
        let server = try Self.server("content-type", "charset")
        #expect(try server.get("sites").field("content-type") == "application/json; charset=utf-8")
        #expect(
            try server.get("patients/0").field("content-type")
                == "application/problem+json; charset=utf-8"
        )
        let list = try server.get("appointments/A123456/attachments").json.array ?? []
        let url = try server.target(
            of: try #require(list.first { $0["url"]?.string != nil })["url"]
        )
        let type = try server.send("GET", url).field("content-type") ?? ""
        #expect(!type.isEmpty && !type.contains("charset"))
        #expect(try server.control("GET", "/version").field("content-type") == "application/json")
    }

    @Test("Chunks carry the same content; HTTP/1.0, HEAD, 204 and cuts are spared")
    func chunked() throws {
        let plain = try TestServer()
        let server = try Self.server("framing", "chunked")
        let answer = try server.get("sites")
        #expect(answer.field("transfer-encoding") == "chunked")
        #expect(answer.field("content-length") == nil)
        #expect(answer.response.content == (try plain.get("sites")).response.content)
        let head = try server.get("sites", method: "HEAD")
        #expect(head.field("transfer-encoding") == "chunked" && head.response.content.isEmpty)
        // Two on one connection: the first has its end.
        let client = try RawClient(port: server.listener.port)
        let fields = "Host: localhost\r\nAuthorization: Bearer \(try server.token())\r\n\r\n"
        let target = "/integrations/v1/acme/sites"
        for _ in 1...2 {
            let response = try client.exchange("GET \(target) HTTP/1.1\r\n\(fields)")
            #expect(response.content == answer.response.content)
        }
        let old = try client.exchange("GET \(target) HTTP/1.0\r\n\(fields)")
        #expect(old.field("transfer-encoding") == nil)
        #expect(old.content == answer.response.content)
        _ = try server.control("POST", "/faults", ["then": ["delay": "1ms"], "when": ["first": 1]])
        let late = try server.get("sites")
        #expect(late.field("transfer-encoding") == "chunked")
        #expect(late.response.content == answer.response.content)
        _ = try server.control("PUT", "/faults", ["then": ["truncateAt": 10]])
        let cut = try RawClient(port: server.listener.port)
        try cut.send("GET \(target) HTTP/1.1\r\n\(fields)")
        let octets = String(decoding: cut.readToEnd().octets, as: UTF8.self)
        #expect(octets.contains("Content-Length: ") && !octets.contains("chunked"))
    }

    @Test("Field names can be in lower case, all of them")
    func lowerNames() throws {
        let server = try Self.server("field-names", "lower")
        let client = try RawClient(port: server.listener.port)
        try client.send(
            "GET /integrations/v1/acme/sites HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + "Prefer: code=429, retry-after=1\r\nAuthorization: Bearer \(try server.token())\r\n\r\n"
        )
        let text = String(decoding: client.readToEnd().octets, as: UTF8.self)
        let head = text.prefix { $0 != "{" }
        for line in head.split(separator: "\r\n").dropFirst() {
            let name = line.prefix { $0 != ":" }
            #expect(name == name.lowercased())
        }
        for name in [
            "content-type", "content-length", "connection", "retry-after", "x-correlation-id",
            "date",
            "x-mock-fault",
        ] {
            #expect(head.contains("\r\n\(name): "), "\(name)")
        }
    }

    @Test("Errors can have an id of their own")
    func requestID() throws {
        let server = try Self.server("request-id", "own")
        let answer = try server.get("patients/0", fields: [("X-Correlation-Id", "mine")])
        #expect(answer.field("x-correlation-id") == "mine")
        let id = try #require(answer.json["requestId"]?.string)
        #expect(id != "mine" && !id.isEmpty)
        #expect(try server.control("GET", "/requests/mine").status == 200)
    }

    @Test("Errors can be short, or a gateway's where one would answer")
    func errors() throws {
        let server = try Self.server("errors", "minimal")
        let missing = try server.get("patients/0")
        let names = missing.json.object?.members.map(\.name)
        #expect(names == ["type", "title", "status", "requestId"])
        _ = try server.control("PUT", "/readings", ["errors": "gateway"])
        func answer(_ path: String, _ fields: [(String, String)], as client: String?) throws
            -> TestServer.Answer
        {
            var all = fields
            if let client { all.append(("Authorization", "Bearer \(try server.token(client))")) }
            return try server.send("GET", "/integrations/v1/acme/\(path)", all, validates: false)
        }
        let rows: [(path: String, fields: [(String, String)], client: String?, message: String)] = [
            ("sites", [], nil, "Unauthorized"), ("sites", [], "globex-partner", "Forbidden"),
            ("sites", [("Prefer", "code=429, retry-after=1")], "acme-partner", "Too Many Requests"),
            ("sites", [("Prefer", "code=503")], "acme-partner", "Service Unavailable"),
        ]
        for row in rows {
            let refused = try answer(row.path, row.fields, as: row.client)
            #expect(refused.json == ["message": .string(row.message)])
            #expect(refused.field("content-type") == "application/json")
        }
        #expect(try answer("patients/0", [], as: "acme-partner").json["title"] == "Not Found")
        let limited = try answer(
            "sites",
            [("Prefer", "code=429, retry-after=1")],
            as: "acme-partner"
        )
        #expect(limited.field("retry-after") == "1")
        // The token endpoint has errors of its own.
        #expect(try server.postForm("x=1").json["error"] == "invalid_request")
    }

    @Test(
        "Members and statuses can be ones that nobody has heard of, but not where they are asked for"
    )
    func unknown() throws {
        let server = try TestServer()
        _ = try server.token()
        _ = try server.control(
            "PUT",
            "/readings",
            ["unknown-members": "some", "unknown-statuses": "some"]
        )
        func get(_ path: String) throws -> JSONValue {
            try server.send(
                "GET",
                "/integrations/v1/acme/\(path)",
                [("Authorization", "Bearer \(try server.token())")],
                validates: false
            ).json
        }
        let one = try get("appointments/A123456")
        #expect(one["status"] == .string(AnswerRewriter.unknownStatus))
        #expect(one[AnswerRewriter.unknownMember] != nil)
        let list = try get("appointments?take=9").array ?? []
        let unknown = list.count { $0["status"]?.string == AnswerRewriter.unknownStatus }
        #expect(unknown == 3)
        let page = try get("appointments/by-status/ARRIVED?pageSize=9")["items"]?.array ?? []
        #expect(page.allSatisfy { $0["status"] == "ARRIVED" && $0["addedLater"] != nil })
        #expect(try get("reporting/appointments/A123456")["status"] == "PENDING REPORTING")
    }

    // MARK: What operations do

    @Test("The aliases are the readings of their names")
    func writes() throws {
        let server = try TestServer()
        _ = try server.control(
            "PUT",
            "/readings",
            ["created-status": 201, "final-report": "finalises", "replay-mark": "none"]
        )
        let report: JSONValue = ["reportText": "x", "reportStatus": "final"]
        let first = try server.post(TestServer.reportPath, report, key: "k")
        #expect(first.status == 201)
        #expect(try server.get("appointments/A123456").json["status"] == "FINALISED")
        _ = try server.control("PUT", "/readings", ["created-status": 200])
        let replay = try server.post(TestServer.reportPath, report, key: "k")
        #expect(replay.status == 201, "a replay repeats the status of the first")
        #expect(replay.field("idempotency-replayed") == nil)
        #expect(replay.response.content == first.response.content)
        _ = try server.control("PUT", "/readings", ["replay-after-pending": "404"])
        #expect(try server.post(TestServer.reportPath, report, key: "k").status == 404)
        _ = try server.control("DELETE", "/readings")
        let marked = try server.post(TestServer.reportPath, report, key: "k")
        #expect(marked.field("idempotency-replayed") == "true")
    }

    @Test("A replay is a replay under 404 while its appointment waits")
    func replayWhilePending() throws {
        let server = try Self.server("replay-after-pending", "404")
        let path = TestServer.commentsPath
        #expect(try server.post(path, ["commentText": "x"], key: "k").status == 200)
        let replay = try server.post(path, ["commentText": "x"], key: "k")
        #expect(replay.status == 200 && replay.field("idempotency-replayed") == "true")
    }

    @Test("Who has no grant may get an empty list")
    func missingGrant() throws {
        let server = try Self.server("missing-grant", "empty")
        for path in ["appointments/referrer", "appointments/referrer/operational"] {
            let answer = try server.get(path)
            #expect(answer.status == 200 && answer.json == [])
        }
        let page = try server.get("appointments/referrer/by-status/ARRIVED")
        #expect(page.json["items"] == [])
        let rows = try server.get("appointments/referrer", as: "acme-referrer").json.array
        #expect(rows?.isEmpty == false, "who has one gets rows")
    }

    @Test("A site that does not exist may be refused, one without rows never")
    func unknownSite() throws {
        for (value, status) in [("empty", 200), ("400", 400), ("404", 404)] {
            let server = try Self.server("unknown-site-filter", value)
            let path = "appointments?startDate=2199-01-01&scheduledSite="
            #expect(try server.get("\(path)Nowhere").status == status)
            #expect(try server.get("\(path)Central%20Clinic").json == [])
            let referrer = "appointments/referrer/operational?scheduledSite=Nowhere"
            #expect(try server.get(referrer, as: "acme-referrer").status == status)
        }
    }

    @Test("Without a billing record there may be no billing")
    func noBilling() throws {
        let path = "appointments/\(TestServer.withoutBilling)/billing"
        #expect(try TestServer().get(path).status == 200)
        let server = try Self.server("no-billing", "404")
        #expect(try server.get(path).status == 404)
        #expect(try server.get("appointments/A123456/billing").status == 200)
    }

    @Test("Tokens live as long as the reading says, by the session's clock")
    func tokenLifetime() throws {
        let server = try Self.server("token-lifetime", "60")
        let answer = try server.askToken()
        #expect(answer.json["expires_in"] == 60)
        #expect(try server.get("sites").status == 200)
        server.advance(seconds: 59)
        #expect(try server.get("sites").status == 200)
        server.advance(seconds: 1)
        #expect(try server.get("sites").status == 401)
        _ = try server.control("PUT", "/readings", ["token-type": "bearer"])
        #expect(try server.askToken().json["token_type"] == "bearer")
        let refreshed = try server.askToken("acme-refresh").json["refresh_token"]?.string ?? ""
        let renewed = try server.postForm(
            "grant_type=refresh_token&client_id=acme-refresh&client_secret=acme-refresh-secret"
                + "&refresh_token=\(refreshed)"
        )
        #expect(renewed.json["expires_in"] == 60)
    }
}
