import HTTPTransport
import JSON
import MockServer
import Testing
import Time
import Readings
import TestSupport

@Suite("Idempotency")
struct IdempotencyTests {
    // MARK: Replay and conflict

    @Test(
        "The same key and payload get the first answer again, without another effect",
        arguments: TestServer.writes.indices
    )
    func replay(index: Int) throws {
        let (path, body) = TestServer.writes[index]
        let server = try TestServer()
        let first = try server.post(path, body, key: "k-1")
        let comments = try server.commentTexts()
        let attachments = try server.get("appointments/A123456/attachments").json.array?.count
        // What the answer holds is the first time's, whatever the clock says.
        server.advance(seconds: 60)
        let second = try server.post(path, body, key: "k-1")
        #expect(first.status == 200 && second.status == 200)
        #expect(second.response.content == first.response.content)
        #expect(first.field("idempotency-replayed") == nil)
        #expect(second.field("idempotency-replayed") == "true")
        #expect(second.field("x-correlation-id") != first.field("x-correlation-id"))
        #expect(second.field("date") == "Sun, 01 Jun 2025 00:01:00 GMT")
        #expect(try server.commentTexts() == comments)
        #expect(
            try server.get("appointments/A123456/attachments").json.array?.count == attachments
        )
    }

    @Test("Without a key each request has its effect")
    func withoutKey() throws {
        let server = try TestServer()
        let guids = try (0..<3).map { _ in
            try server.post(TestServer.commentsPath, ["commentText": "Twice."]).json["guid"]
        }
        #expect(Set(guids).count == 3)
        #expect(try server.commentTexts().filter { $0 == "Twice." }.count == 3)
    }

    /// Bodies against `{"commentText":"é/","commentType":"AC","x":{"a":1,"b":[true,null]}}`.
    static let payloads: [(body: String, status: Int)] = [
        (
            " {\n\"commentText\" : \"é/\",\"commentType\":\"AC\",\"x\":{\"a\":1,\"b\":[true,null]}} ",
            200
        ),
        ("{\"x\":{\"b\":[true,null],\"a\":1},\"commentType\":\"AC\",\"commentText\":\"é/\"}", 200),
        (
            "{\"commentText\":\"\\u00E9\\/\",\"commentType\":\"\\u0041C\",\"x\":{\"a\":1,\"b\":[true,null]}}",
            200
        ),
        (
            "{\"commentText\":\"e\\u0301/\",\"commentType\":\"AC\",\"x\":{\"a\":1,\"b\":[true,null]}}",
            409
        ),
        ("{\"commentText\":\"é/ \",\"commentType\":\"AC\",\"x\":{\"a\":1,\"b\":[true,null]}}", 409),
        ("{\"commentText\":\"é/\",\"commentType\":\"AC\",\"x\":{\"a\":1,\"b\":[null,true]}}", 409),
        (
            "{\"commentText\":\"é/\",\"commentType\":\"AC\",\"x\":{\"a\":\"1\",\"b\":[true,null]}}",
            409
        ),
        ("{\"commentText\":\"é/\",\"commentType\":\"AC\"}", 409),
        (
            "{\"commentText\":\"é/\",\"commentType\":\"AC\",\"isAlert\":null,\"x\":{\"a\":1,\"b\":[true,null]}}",
            409
        ),
    ]

    @Test(
        "Payloads are compared as JSON, members in any order; another one under the key is 409",
        arguments: payloads.indices
    )
    func normalisation(index: Int) throws {
        let (body, status) = Self.payloads[index]
        let server = try TestServer()
        let fields = [("Content-Type", "application/json"), ("Idempotency-Key", "k")]
        let first = try server.postOctets(
            TestServer.commentsPath,
            Array(
                "{\"commentText\":\"é/\",\"commentType\":\"AC\",\"x\":{\"a\":1,\"b\":[true,null]}}"
                    .utf8
            ),
            fields
        )
        #expect(first.status == 200)
        let second = try server.postOctets(TestServer.commentsPath, Array(body.utf8), fields)
        #expect(second.status == status, "\(second.text)")
        #expect((second.response.content == first.response.content) == (status == 200))
        let count = try server.commentTexts().filter { $0.hasSuffix("/") || $0.hasSuffix("/ ") }
            .count
        #expect(count == 1)
    }

    @Test("A key that is used up by a conflict still replays its own payload")
    func conflictKeepsKey() throws {
        let server = try TestServer()
        let first = try server.post(TestServer.commentsPath, ["commentText": "a"], key: "k")
        #expect(
            try server.post(TestServer.commentsPath, ["commentText": "b"], key: "k").status == 409
        )
        let again = try server.post(TestServer.commentsPath, ["commentText": "a"], key: "k")
        #expect(again.response.content == first.response.content)
        #expect(try !server.commentTexts().contains("b"))
    }

    // MARK: Keys

    @Test(
        "A key is 1 to 128 visible ASCII characters",
        arguments: [
            ("", 400), (String(repeating: "k", count: 128), 200),
            (String(repeating: "k", count: 129), 400), ("with space", 400), ("tab\there", 400),
            ("é", 400), ("\u{7F}", 400), ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", 200),
        ]
    )
    func keys(key: String, status: Int) throws {
        let server = try TestServer()
        let answer = try server.post(TestServer.commentsPath, ["commentText": "x"], key: key)
        // DEL is no field content at all: the message is refused, not the key.
        #expect(answer.status == status, "\(answer.text)")
        #expect(try server.commentTexts().filter { $0 == "x" }.count == (status == 200 ? 1 : 0))
    }

    @Test("Two key fields are 400, equal ones too")
    func twoKeys() throws {
        let server = try TestServer()
        for (one, other) in [("a", "b"), ("a", "a")] {
            let answer = try server.post(
                TestServer.commentsPath,
                ["commentText": "x"],
                key: one,
                fields: [("idempotency-key", other)]
            )
            #expect(answer.status == 400)
            #expect(answer.json["errors"]?["Idempotency-Key"] != nil)
        }
        #expect(try !server.commentTexts().contains("x"))
    }

    @Test("The same key is another one for another client, domain, operation or appointment")
    func scope() throws {
        let server = try TestServer()
        let body: JSONValue = [
            "commentText": "x", "items": [["fileName": "a"]], "reportText": "x",
            "reportStatus": "final",
        ]
        var answers: Set<[UInt8]> = []
        let requests: [(path: String, client: String, domain: String)] = [
            (TestServer.commentsPath, "acme-partner", "acme"),
            (TestServer.commentsPath, "group-partner", "acme"),
            (TestServer.uploadsPath, "acme-partner", "acme"),
            (TestServer.reportPath, "acme-partner", "acme"),
            ("reporting/appointments/A123457/comments", "acme-partner", "acme"),
            ("reporting/appointments/A900066/comments", "group-partner", "globex"),
        ]
        for (path, client, domain) in requests {
            let answer = try server.post(path, body, as: client, domain: domain, key: "k")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.field("idempotency-replayed") == nil, "\(path) \(client) \(domain)")
            answers.insert(answer.response.content)
        }
        #expect(answers.count == requests.count)
        // The documentation's mock prefix is the same operation.
        let prefixed = try server.post(
            "/_mock/openapi/integrations/v1/acme/\(TestServer.commentsPath)",
            body,
            key: "k"
        )
        #expect(prefixed.field("idempotency-replayed") == "true")
    }

    // MARK: Retention

    @Test(
        "Keys are kept 24 hours, those of upload URLs 15 minutes, to the second",
        arguments: zip(TestServer.writes.indices, [Int64(86_400), 900, 86_400])
    )
    func retention(index: Int, seconds: Int64) throws {
        let (path, body) = TestServer.writes[index]
        let server = try TestServer()
        // A fraction of a second changes nothing: the API's time has whole ones.
        server.application.sessions.default.clock.set(
            .frozen,
            nanoseconds: TestServer.start * 1_000_000_000 + 500_000_000
        )
        let lasting = try server.control(
            "POST",
            "/tokens",
            ["clientId": "acme-partner", "expiresIn": 1_000_000]
        )
        let token = try #require(lasting.json["access_token"]?.string)
        func post() throws -> TestServer.Answer {
            let fields = [("Authorization", "Bearer \(token)")]
            return try server.post(path, body, as: nil, key: "k", fields: fields)
        }
        let first = try post()
        server.advance(seconds: seconds - 1)
        let before = try post()
        #expect(before.response.content == first.response.content)
        #expect(before.field("idempotency-replayed") == "true")
        // A replay does not keep the key any longer.
        server.advance(seconds: 1)
        #expect(try server.control("GET", "/idempotency").json["items"] == [])
        let after = try post()
        #expect(after.status == 200)
        #expect(after.field("idempotency-replayed") == nil)
        #expect(after.response.content != first.response.content)
        // What was forgotten conflicts with nothing, and is kept as long again.
        server.advance(seconds: seconds - 1)
        let again = try post()
        #expect(again.response.content == after.response.content)
    }

    // MARK: What comes before and after the ledger

    @Test("A failed attempt frees its key")
    func failureFreesKey() throws {
        let server = try TestServer()
        let path = TestServer.commentsPath
        #expect(try server.post(path, ["commentText": " "], key: "k").status == 400)
        #expect(try server.post(path, ["commentText": "x"], as: nil, key: "k").status == 401)
        let late = "reporting/appointments/MINE/comments"
        #expect(try server.post(late, ["commentText": "a"], key: "k").status == 404)
        _ = try server.control(
            "PUT",
            "/data/acme/appointments/MINE",
            ["scheduledSite": "Central Clinic", "status": "PENDING REPORTING"]
        )
        for body: JSONValue in [["commentText": "b"]] {
            let answer = try server.post(late, body, key: "k")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.field("idempotency-replayed") == nil)
        }
        #expect(try server.post(path, ["commentText": "x"], key: "k").status == 200)
    }

    @Test("400 and 403 come before the ledger, the ledger before 404")
    func order() throws {
        let server = try TestServer { $0.readings[.finalReport] = .value(1) }
        let path = TestServer.reportPath
        let body: JSONValue = ["reportText": "x", "reportStatus": "final"]
        let first = try server.post(path, body, as: "group-partner", key: "k")
        #expect(first.status == 200)
        #expect(try server.get("appointments/A123456").json["status"] == "FINALISED")
        let replay = try server.post(path, body, as: "group-partner", key: "k")
        #expect(replay.response.content == first.response.content)
        #expect(replay.field("idempotency-replayed") == "true")
        let other: JSONValue = ["reportText": "y", "reportStatus": "final"]
        #expect(try server.post(path, other, as: "group-partner", key: "k").status == 409)
        #expect(try server.post(path, other, as: "group-partner", key: "k2").status == 404)
        #expect(try server.post(path, [:], as: "group-partner", key: "k").status == 400)
        #expect(try server.post(path, other, as: "acme-partner", key: "k").status == 404)
        #expect(try server.post(path, other, as: "globex-partner", key: "k").status == 403)
        // A deleted appointment, too.
        #expect(try server.control("DELETE", "/data/acme/appointments/A123456").status == 204)
        #expect(try server.post(path, body, as: "group-partner", key: "k").status == 200)
        #expect(try server.post(path, body, as: "group-partner", key: "k3").status == 404)
    }

    @Test("An answer that was lost comes again by its key, with one effect")
    func lostAnswer() throws {
        let server = try TestServer()
        let rule: JSONValue = [
            "id": "lost",
            "match": ["operation": "Integrations_CreatePendingReportingAppointmentComment"],
            "sequence": [["phase": "after", "transport": "CONNECTION_RESET_BY_PEER"]],
        ]
        #expect(try server.control("POST", "/faults", rule).status == 201)
        #expect(throws: RawClient.Failure.self) {
            try server.post(TestServer.commentsPath, ["commentText": "Lost."], key: "k")
        }
        let again = try server.post(TestServer.commentsPath, ["commentText": "Lost."], key: "k")
        #expect(again.status == 200)
        #expect(again.field("idempotency-replayed") == "true")
        #expect(try server.commentTexts().filter { $0 == "Lost." }.count == 1)
    }

    @Test("A client that leaves before the answer has had its effect once")
    func clientLeaves() throws {
        let server = try TestServer()
        let request = try Self.request(server, key: "k", text: "Gone.")
        for _ in 0..<5 {
            let client = try RawClient(port: server.listener.port)
            try client.send(request)
            client.reset()
        }
        let answer = try server.post(TestServer.commentsPath, ["commentText": "Gone."], key: "k")
        #expect(answer.status == 200)
        #expect(try server.commentTexts().filter { $0 == "Gone." }.count == 1)
    }

    @Test("The ledger is listed without its keys, with replays and conflicts counted")
    func listing() throws {
        let server = try TestServer()
        let path = TestServer.commentsPath
        _ = try server.post(path, ["commentText": "x"], key: "my-secret-key")
        for _ in 0..<2 { _ = try server.post(path, ["commentText": "x"], key: "my-secret-key") }
        _ = try server.post(path, ["commentText": "y"], key: "my-secret-key")
        _ = try server.post(TestServer.uploadsPath, TestServer.writes[1].body, key: "my-secret-key")
        let list = try server.control("GET", "/idempotency")
        #expect(!list.text.contains("my-secret-key"))
        let items = try #require(list.json["items"]?.array)
        #expect(items.count == 2)
        // The next to expire comes first.
        #expect(items.first?["expiresAt"] == "2025-06-01T00:15:00Z")
        let comment = try #require(items.last)
        #expect(comment["expiresAt"] == "2025-06-02T00:00:00Z")
        #expect(
            comment["operation"] == "Integrations_CreatePendingReportingAppointmentComment"
        )
        #expect(comment["appointmentId"] == "A123456")
        #expect(comment["replays"] == 2 && comment["conflicts"] == 1)
        #expect(items.first?["keyDigest"] == comment["keyDigest"])
    }

    // MARK: At once

    @Test("64 requests with one key at once have one effect and 64 equal answers")
    func parallel() throws {
        let server = try TestServer()
        let clients = try (0..<64).map { _ in try RawClient(port: server.listener.port) }
        for round in 0..<25 {
            let request = try Self.request(server, key: "round-\(round)", text: "Round \(round).")
            let answers = try Self.exchange(Array(repeating: request, count: 64), clients)
            #expect(answers.allSatisfy { $0.status == 200 })
            #expect(Set(answers.map(\.content)).count == 1)
            #expect(answers.filter { $0.field("idempotency-replayed") == nil }.count == 1)
            let texts = try server.commentTexts()
            #expect(texts.filter { $0 == "Round \(round)." }.count == 1)
        }
        let ledger = try server.control("GET", "/idempotency").json["items"]?.array ?? []
        #expect(ledger.count == 25)
        #expect(ledger.allSatisfy { $0["replays"] == 63 && $0["conflicts"] == 0 })
    }

    @Test("Of two payloads under one key at once, one wins and the other is 409")
    func parallelConflict() throws {
        let server = try TestServer()
        let clients = try (0..<64).map { _ in try RawClient(port: server.listener.port) }
        for round in 0..<10 {
            let requests = try (0..<64).map { index in
                try Self.request(
                    server,
                    key: "round-\(round)",
                    text: "Round \(round): \(index % 2)."
                )
            }
            let answers = try Self.exchange(requests, clients)
            let good = answers.filter { $0.status == 200 }
            #expect(good.count == 32)
            #expect(answers.filter { $0.status == 409 }.count == 32)
            #expect(Set(good.map(\.content)).count == 1)
            let texts = try server.commentTexts()
            #expect(texts.filter { $0.hasPrefix("Round \(round):") }.count == 1)
        }
    }

    /// A POST of a comment, on a connection that stays.
    static func request(_ server: TestServer, key: String, text: String) throws -> String {
        let body = "{\"commentText\":\"\(text)\"}"
        return
            "POST /integrations/v1/acme/\(TestServer.commentsPath) HTTP/1.1\r\nHost: localhost\r\n"
            + "Authorization: Bearer \(try server.token())\r\nIdempotency-Key: \(key)\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// Sends each request on its client so that all of them end at nearly the same moment.
    static func exchange(
        _ requests: [String],
        _ clients: [RawClient]
    ) throws -> [RawClient.Response] {
        for (client, request) in zip(clients, requests) {
            try client.send(Array(request.utf8.dropLast()))
        }
        for (client, request) in zip(clients, requests) {
            try client.send(Array(request.utf8.suffix(1)))
        }
        return try clients.prefix(requests.count).map { try $0.response() }
    }
}
