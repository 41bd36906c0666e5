import HTTPTransport
import JSON
import Testing
import TestSupport

@Suite("Work is bounded, whatever is sent")
struct BoundedWorkTests {
    /// Rows that look like the beginning of a token, again and again.
    private static let row = [UInt8](repeatElement(Array("eyJ".utf8), count: 350_000).joined())

    @Test("A row of token beginnings costs no more than another text, known sender or not")
    func tokenRows() throws {
        let server = try TestServer()
        let content = Array(#"{"commentText":""#.utf8) + Self.row + Array(#""}"#.utf8)
        for client in [nil, "acme-partner"] {
            var fields = [("Content-Type", "application/json")]
            if let client {
                fields.append(("Authorization", "Bearer \(try server.token(client))"))
            }
            let answer = try server.send(
                "POST",
                "/integrations/v1/acme/\(TestServer.commentsPath)",
                fields,
                content
            )
            #expect(answer.status == (client == nil ? 401 : 200))
        }
        let form = Array("client_id=".utf8) + Self.row.prefix(60_000)
        let type = [("Content-Type", "application/x-www-form-urlencoded")]
        #expect(try server.send("POST", "/oauth2/token", type, form).status == 400)
        let query = String(decoding: Self.row.prefix(7_800), as: UTF8.self)
        #expect(try server.get("sites?a=\(query)").status == 200)
    }

    @Test("A token in content is found where its sender is known, and only there")
    func tokenInContent() throws {
        let server = try TestServer()
        let token = try server.token()
        let body: JSONValue = ["commentText": .string("x \(token)")]
        #expect(try server.post(TestServer.commentsPath, body, as: nil).status == 401)
        #expect(try server.entries("?limit=1").first?["findings"] == [])
        _ = try server.post(TestServer.commentsPath, body)
        #expect(try server.entries("?limit=1").first?["findings"] == ["token-in-content"])
    }

    /// A JSON object of so many members that no schema knows, beside some it does.
    private static func crowded(_ members: String, count: Int) -> [UInt8] {
        Array(("{" + members + (0..<count).map { #","m\#($0)":0"# }.joined() + "}").utf8)
    }

    @Test("Large content is answered as small content is: order of checks, journal, effects")
    func largeContent() throws {
        let server = try TestServer()
        let large = Self.crowded(#""commentText":"a""#, count: 20_000)
        let target = "/integrations/v1/acme/\(TestServer.commentsPath)"
        let json = ("Content-Type", "application/json")
        let token = ("Authorization", "Bearer \(try server.token())")
        let cases:
            [(fields: [(String, String)], content: [UInt8], status: Int, reason: JSONValue)] =
                [
                    ([json], large, 401, "token-missing"),
                    ([token], large, 415, "media-type"),
                    ([json, token], large + [UInt8(ascii: "}")], 400, "contract"),
                    ([json, token, ("Idempotency-Key", "k-1")], large, 200, .null),
                    ([json, token, ("Idempotency-Key", "k-1")], large, 200, .null),
                    (
                        [json, token, ("Idempotency-Key", "k-1"), ("Prefer", "code=429")], large,
                        429, .null
                    ),
                ]
        for (fields, content, status, reason) in cases {
            let answer = try server.send("POST", target, fields, content)
            #expect(answer.status == status, "\(answer.text.prefix(200))")
            let entry = try server.entries("?limit=1").first
            #expect(entry?["reason"] == reason && entry?["status"] == .integer(status))
            // Content is not read where sender or media type is refused.
            let isRead = ![401, 415].contains(status)
            #expect(entry?["content"]?["octets"]?.int == (isRead ? content.count : 0))
            #expect((entry?["content"]?["digest"]?.string != nil) == isRead)
        }
        let outcomes = try server.entries("?limit=3").map { $0["idempotency"] }
        #expect(outcomes == [.null, "replay", "first"])
    }

    @Test("Clients that leave while their large content is worked on are noted as such")
    func largeContentOfNobody() throws {
        let server = try TestServer()
        let json = ("Content-Type", "application/json")
        let token = ("Authorization", "Bearer \(try server.token())")
        let large = Self.crowded(#""commentText":"a""#, count: 20_000)
        let target = "/integrations/v1/acme/\(TestServer.commentsPath)"
        let head =
            Array(try server.requestText("POST", target, [json, token], nil).utf8).dropLast(2)
            + Array("Content-Length: \(large.count)\r\n\r\n".utf8)
        // Whether the answer or the end of the connection comes first is chance: one of many is lost.
        try eventually("a client that left") {
            let client = try RawClient(port: server.listener.port)
            try client.send(head + large)
            client.reset()
            return try server.entries("?limit=100").contains {
                $0["answer"]?["delivery"] == "client-left"
            }
        }
        #expect(try server.send("POST", target, [json, token], large).status == 200)
    }

    @Test("Large content that a delay holds up, before and after")
    func largeAndDelayed() throws {
        let server = try TestServer()
        let large = Self.crowded(#""commentText":"a""#, count: 20_000)
        let fields = [
            ("Content-Type", "application/json"), ("Authorization", "Bearer \(try server.token())"),
        ]
        for phase in ["before", "after"] {
            try server.arm(#"{"id":"r","then":{"phase":"\#(phase)","delay":"20ms"}}"#)
            let target = "/integrations/v1/acme/\(TestServer.commentsPath)"
            #expect(try server.send("POST", target, fields, large).status == 200)
            let entry = try server.entries("?limit=1").first
            #expect(entry?["fault"]?["phase"] == .string(phase) && entry?["committed"] == true)
        }
    }

    @Test("A control document of a megabyte stops at its hundredth violation")
    func largeDocuments() throws {
        let server = try TestServer()
        let json = [("Content-Type", "application/json")]
        for (method, path, start) in [
            ("PUT", "/clock", #""mode":"frozen""#), ("PUT", "/faults", #""id":"r","then":{}"#),
            ("PUT", "/data/acme/patients/P9", #""patientName":"a""#),
        ] {
            let document = Self.crowded(start, count: 60_000)
            let answer = try server.send(method, "/__admin" + path, json, document)
            #expect(answer.status == 400, "\(path)")
            let errors = answer.json["errors"]?.object?.members ?? []
            #expect((1...100).contains(errors.count), "\(path)")
        }
        let steps =
            Array(#"{"sequence":["#.utf8)
            + Array(repeatElement("{},", count: 200_000).joined().utf8)
            + Array("{}]}".utf8)
        let answer = try server.send("PUT", "/__admin/faults", json, steps)
        #expect(answer.status == 400 && answer.text.contains("1000"))
        let numbers =
            Array(#"{"providerNumbers":["#.utf8)
            + Array(repeatElement(#""a","#, count: 200_000).joined().utf8) + Array(#""a"]}"#.utf8)
        let put = try server.send("PUT", "/__admin/data/acme/appointments/A9", json, numbers)
        #expect(put.status == 400 && put.text.contains("/providerNumbers"))
    }

    @Test("Four rotations run or wait at most; every one is answered, and other sessions go on")
    func rotations() throws {
        let server = try TestServer()
        let clients = try (0..<24).map { _ in
            let client = try RawClient(port: server.listener.port)
            try client.send(
                Array("POST /__admin/keys/rotate HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
            )
            return client
        }
        #expect(try server.control("POST", "/reset").status == 204)
        var refused = 0
        for client in clients {
            let response = try client.response()
            TestServer.validate(response, to: "POST", "/__admin/keys/rotate")
            #expect(response.status == 200 || response.status == 503)
            if response.status == 503 {
                refused += 1
                #expect(response.field("retry-after") == "1")
            }
            client.close()
        }
        #expect(refused > 0 && refused <= 20)
        #expect(try server.control("POST", "/keys/rotate").status == 200)
    }

    @Test("A text with a byte order mark, or in UTF-16, is told so")
    func encodings() throws {
        let server = try TestServer()
        let target = "/integrations/v1/acme/\(TestServer.commentsPath)"
        let fields = [
            ("Content-Type", "application/json"), ("Authorization", "Bearer \(try server.token())"),
        ]
        let text = Array(#"{"commentText":"a"}"#.utf8)
        for (content, word) in [
            ([0xEF, 0xBB, 0xBF] + text, "byte order mark"),
            ([0xFF, 0xFE] + text.flatMap { [$0, 0] }, "UTF-16"),
            (text.flatMap { [0, $0] }, "UTF-16"), (text.flatMap { [0, 0, 0, $0] }, "UTF-32"),
        ] as [([UInt8], String)] {
            let answer = try server.send("POST", target, fields, content)
            #expect(answer.status == 400 && answer.text.contains(word), "\(answer.text)")
        }
    }

    @Test("The journal keeps ten violations of a request, and cuts its path")
    func journalBounds() throws {
        let server = try TestServer()
        let body: JSONValue = ["items": .array((0..<50).map(JSONValue.integer))]
        #expect(try server.post(TestServer.uploadsPath, body, key: "k").status == 400)
        _ = try server.get("sites/" + String(repeating: "x", count: 5_000))
        let entries = try server.entries("?limit=2")
        #expect((entries.first?["path"]?.string?.utf8.count ?? 0) < 1_030)
        #expect(entries.last?["violations"]?.array?.count == 10)
        #expect(entries.last?["violationsOmitted"]?.int ?? 0 > 5)
        // Older ones can be asked for.
        let newest = try #require(entries.first?["id"]?.int)
        let older = try server.entries("?before=\(newest)&limit=1")
        #expect(older.first?["id"]?.int == newest - 1)
        #expect(try server.control("GET", "/requests?before=0").status == 400)
    }
}
