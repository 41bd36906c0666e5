import HTTPTransport
import JSON
import MockServer
import Testing
import TestSupport

@Suite("What the journal and the log withhold")
struct WithheldTests {
    /// A patient of the default data.
    private static let name = "Hortensia Applegarth"
    /// The Medicare number of a billing record of the default data.
    private static let medicare = "9255228813"

    /// Whether a text holds one of the words that must not be repeated.
    private func leaks(_ text: String, _ words: [String]) -> Bool {
        words.contains { text.contains($0) }
    }

    /// Requests that put a name, a number or a token where none belongs.
    private func slip(_ server: TestServer) throws -> [String] {
        let token = try server.token()
        let api = "/integrations/v1/acme"
        let encoded = "Hortensia%20Applegarth"
        let targets = [
            ("GET", "\(api)/appointments/\(encoded)"), ("GET", "\(api)/appointments/\(token)"),
            ("GET", "/integrations/v1/\(encoded)/sites"), ("GET", "\(api)/patients/\(token)"),
            ("PUT", "/uploads/\(encoded)?expires=99&session=default&signature=x"),
            ("GET", "\(api)/appointments/by-status/\(encoded)"),
            ("GET", "\(api)/appointments?skip=\(Self.medicare)"),
            ("GET", "\(api)/sites?\(encoded)=1"), ("GET", "\(api)/sites?\(token)=1"),
            ("GET", "\(api)/sites?note=\(encoded)"), ("DELETE", "\(api)/patients/\(encoded)"),
            ("GET", "\(api)/patient/\(encoded)"),
        ]
        let authorization = ("Authorization", "Bearer \(token)")
        for (method, target) in targets {
            let content: [UInt8]? = method == "PUT" ? [1] : nil
            for fields in [[], [authorization]] {
                _ = try server.send(method, target, fields, content, validates: false)
            }
        }
        for id in ["Hortensia.Applegarth", String(token.prefix(100)), "Applegarth,Hortensia"] {
            _ = try server.get("sites", fields: [("X-Correlation-Id", id)])
            _ = try server.get("nothing", fields: [("X-Correlation-Id", id)])
        }
        for agent in ["x \(token)", Self.name, "good/1.0 (\(Self.name)) Hortensia.Applegarth/1"] {
            _ = try server.get("sites", fields: [("User-Agent", agent)])
        }
        return ["Hortensia", "Applegarth", Self.medicare, String(token.prefix(40))]
    }

    private func makeServer() throws -> TestServer {
        let server = try TestServer()
        let put = try server.control(
            "PUT",
            "/data/acme/patients/P1",
            ["patientName": .string(Self.name), "dateOfBirth": "1990-02-28"]
        )
        #expect(put.status == 201)
        #expect(
            try server.control(
                "PUT",
                "/data/acme/appointments/T1",
                [
                    "scheduledSite": "Central Clinic", "status": "PENDING REPORTING",
                    "patientId": "P1",
                ]
            ).status == 201
        )
        return server
    }

    @Test("No name, number or token that was found can be read anywhere")
    func withheld() throws {
        let server = try makeServer()
        let words = try slip(server)
        let journal = try server.control("GET", "/requests?limit=10000")
        #expect(!leaks(journal.text, words))
        let entries = try #require(journal.json["items"]?.array)
        #expect(entries.count > 25)
        for format in ["json", "markdown", "junit", "text"] {
            let verdict = try server.control("GET", "/verdict?format=\(format)").text
            #expect(!leaks(verdict, words), "\(format)")
        }
        let agents = Set(entries.compactMap { $0["fields"]?["userAgent"]?.string })
        #expect(agents == ["good/1.0"])
    }

    @Test("What may be a name is withheld while its request is held up, until it is an identifier")
    func held() throws {
        let server = try makeServer()
        try server.arm(#"{"id":"r","then":{"delay":"PT100S"}}"#)
        let path = "/integrations/v1/acme/patients/Hortensia%20Applegarth"
        let client = try RawClient(port: server.listener.port)
        try client.send(
            try server.requestText("GET", path, [("X-Correlation-Id", "Hortensia.Applegarth")])
        )
        try server.awaitStruck()
        let told = try server.control("GET", "/requests?limit=1").text
        #expect(!leaks(told, ["Hortensia", "Applegarth"]), "\(told)")
        client.reset()
        // A path that leads somewhere is shown when that is known.
        try server.arm(#"{"id":"r","then":{"delay":"100ms"}}"#)
        #expect(try server.get("sites/Central%20Clinic").status == 200)
        let newest = try server.entries("?limit=1").first
        #expect(newest?["path"]?.string?.hasSuffix("Central%20Clinic") == true)
        #expect(newest?["findings"] == [])
    }

    @Test("A held request without a name is shown and not blamed, the index being made meanwhile")
    func heldWithoutName() throws {
        let server = try makeServer()
        try server.arm(#"{"id":"r","then":{"delay":"PT100S"}}"#)
        for target in ["/integrations/v1/acme/sites", "/integrations/v1/acme/sites?note=a%20b"] {
            // Forgets the index.
            #expect(try server.control("POST", "/reset", ["scope": ["data"]]).status == 204)
            let client = try RawClient(port: server.listener.port)
            try client.send(
                try server.requestText("GET", target, [("X-Correlation-Id", "some.id-of.mine")])
            )
            try server.awaitStruck()
            let entry = try server.entries("?limit=1").first
            #expect(entry?["path"] == "/integrations/v1/acme/sites")
            #expect(entry?["requestId"] == "some.id-of.mine")
            client.reset()
            let verdict = try server.control("GET", "/verdict").json
            let checks = verdict["checks"]?.array ?? []
            let failed = checks.filter { $0["result"] == "fail" }.compactMap { $0["id"]?.string }
            #expect(!checks.isEmpty && failed.allSatisfy { !$0.hasPrefix("privacy.") }, "\(failed)")
        }
    }

    @Test("A request that is refused while its content is read belongs to its session and client")
    func refusedContent() throws {
        let server = try TestServer()
        let token = try server.token("acme-partner+s1")
        let client = try RawClient(port: server.listener.port)
        let answer = try client.exchange(
            "POST /integrations/v1/acme/\(TestServer.commentsPath) HTTP/1.1\r\nHost: localhost\r\n"
                + "Authorization: Bearer \(token)\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nnot-a-size\r\n"
        )
        #expect(answer.status == 400)
        let mine = try server.entries("?session=s1&limit=1").first
        #expect(mine?["reason"] == "message" && mine?["client"] == "acme-partner")
        #expect(try server.entries().isEmpty)
    }

    @Test("An expired token opens no session")
    func expiredToken() throws {
        let server = try TestServer()
        let order: JSONValue = ["clientId": "acme-partner+gone", "flaw": "expired"]
        let token = try server.control("POST", "/tokens", order).json["access_token"]?.string
        #expect(try server.control("DELETE", "/sessions/gone").status == 204)
        // The clock of `default` is not asked either: by it the token is good.
        #expect(
            try server.control(
                "PUT",
                "/clock",
                ["mode": "frozen", "now": "2000-01-01T00:00:00Z"]
            ).status == 200
        )
        let refused = try server.send(
            "GET",
            "/integrations/v1/acme/sites",
            [("Authorization", "Bearer \(try #require(token))")]
        )
        #expect(refused.status == 401)
        #expect(try server.control("GET", "/sessions").json["items"]?.array?.count == 1)
    }

    @Test("An entry that was deleted while its request was held up does not come back")
    func deletedMeanwhile() throws {
        let time = TransportClock.driven()
        let server = try TestServer { $0.transport.clock = time }
        try server.arm(#"{"id":"r","then":{"delay":"100ms"}}"#)
        let client = try RawClient(port: server.listener.port)
        try client.send(try server.requestText())
        try server.awaitStruck()
        #expect(try server.control("DELETE", "/requests").status == 204)
        try #require(time.advance(by: .milliseconds(100)))
        #expect(try client.response().status == 200)
        #expect(try server.entries().isEmpty)
    }

    @Test("A session that cannot be had is told, whatever the token; the journal knows why")
    func sessions() throws {
        let server = try TestServer()
        for index in 0..<256 {
            #expect(try server.control("PUT", "/sessions/m\(index)").status == 201)
        }
        let order: JSONValue = ["clientId": "acme-partner+one-more"]
        #expect(try server.control("POST", "/tokens", order).status == 503)
        #expect(try server.control("DELETE", "/sessions/m0").status == 204)
        let token = try server.control("POST", "/tokens", order).json["access_token"]?.string
        #expect(try server.control("DELETE", "/sessions/one-more").status == 204)
        #expect(try server.control("PUT", "/sessions/m0").status == 201)
        let refused = try server.send(
            "GET",
            "/integrations/v1/acme/sites",
            [("Authorization", "Bearer \(try #require(token))")]
        )
        #expect(refused.status == 503 && refused.text.contains("256 sessions"))
        #expect(try server.entries("?limit=1").first?["reason"] == "unavailable")
    }

    /// Refusals of the mock's own, and the reason that the journal has for them.
    private static let reasons: [(fields: [(String, String)], status: Int, reason: JSONValue)] = [
        ([("Prefer", "code=200")], 400, "contract"),
        ([("X-Mock-Session", "a b")], 401, "token-missing"),
        ([("Content-Encoding", "gzip")], 415, "content-coding"),
    ]

    @Test("Every refusal has its reason in the journal")
    func reasons() throws {
        let server = try TestServer()
        for (fields, status, reason) in Self.reasons {
            let isAnonymous = fields.first?.0 == "X-Mock-Session"
            let answer = try server.post(
                TestServer.commentsPath,
                ["commentText": "a"],
                as: isAnonymous ? nil : "acme-partner",
                fields: fields
            )
            #expect(answer.status == status)
            #expect(try server.entries("?limit=1").first?["reason"] == reason, "\(fields)")
        }
        let list = try server.get("appointments/A123456/attachments").json.array
        let url = try #require(list?.compactMap { $0["url"]?.string }.first)
        let target = String(try #require(url.split(separator: server.baseURL).first))
        #expect(try server.send("GET", target, [("Range", "bytes=99999999-")]).status == 416)
        #expect(try server.entries("?limit=1").first?["reason"] == "range")
    }

    @Test("A value of an unknown parameter has the digest of the value")
    func unknownValues() throws {
        let server = try TestServer()
        var digests: [JSONValue?] = []
        for query in ["foo=1", "foo=2222", "foo=", "f%6Fo=1", "a=2&foo=1"] {
            #expect(try server.get("sites?\(query)").status == 200)
            let entry = try server.entries("?limit=1").first
            let foo = entry?["query"]?.array?.first { $0["name"] == "foo" }
            digests.append(foo?["digest"])
        }
        #expect(Set(digests.prefix(3)).count == 3 && !digests.contains(nil))
        #expect(digests[3] == digests[0] && digests[4] == digests[0])
    }

    @Test("A control request that is refused before its content was read is no entry either")
    func earlyControl() throws {
        let server = try TestServer()
        let port = server.listener.port
        for (head, status) in [
            (
                "POST /__admin/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n",
                413
            ),
            (
                "POST /__admin/faults HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 999999999\r\n",
                403
            ),
            (
                "GET /__admin/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip, chunked\r\n",
                501
            ),
            ("GET /__admin/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: magic\r\n", 417),
        ] {
            let client = try RawClient(port: port)
            let answer = try client.exchange(head + "\r\n")
            #expect(answer.status == status, "\(head)")
            #expect(answer.field("cache-control") == "no-store", "\(head)")
            client.close()
        }
        #expect(try server.entries().isEmpty)
        let coded = try server.send(
            "POST",
            "/__admin/clock/advance",
            [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
            Array(#"{"by":"1s"}"#.utf8)
        )
        #expect(coded.status == 415)
    }
}
