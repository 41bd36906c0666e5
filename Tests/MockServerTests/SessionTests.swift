import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Testing
import TestSupport

@Suite("Sessions")
struct SessionTests {
    private func names(_ server: TestServer) throws -> [String] {
        let items = try server.control("GET", "/sessions").json["items"]?.array ?? []
        return items.compactMap { $0["name"]?.string }
    }

    // MARK: Choosing one

    @Test("What happens in a session stays there: data, ledger, journal, clock, faults")
    func isolation() throws {
        let server = try TestServer()
        let (one, two) = ("acme-partner+one", "acme-partner+two")
        // The same key in each: three comments.
        for client in [one, two, "acme-partner"] {
            let answer = try server.post(
                TestServer.commentsPath,
                ["commentText": .string("By \(client).")],
                as: client,
                key: "k"
            )
            #expect(answer.status == 200)
            #expect(answer.json["createdBy"]?["userId"] == "acme-partner")
        }
        for client in [one, two, "acme-partner"] {
            let texts = try server.commentTexts(as: client).filter { $0.hasPrefix("By ") }
            #expect(texts == ["By \(client)."])
        }
        for query in ["?session=one", "?session=two", ""] {
            let ledger = try server.control("GET", "/idempotency\(query)").json["items"]?.array
            #expect(ledger?.count == 1)
            let requests = try server.control("GET", "/requests\(query)").json["items"]?.array
            // A token, the comment, the list.
            #expect(requests?.count == 3)
            let session = query.isEmpty ? "default" : String(query.dropFirst(9))
            #expect(requests?.allSatisfy { $0["session"]?.string == session } == true)
        }
        // Clock.
        let frozen: JSONValue = ["mode": "frozen", "now": "2031-01-01T00:00:00Z"]
        #expect(try server.control("PUT", "/clock?session=one", frozen).status == 200)
        #expect(try server.get("sites", as: one).status == 401)
        #expect(try server.get("sites", as: one).field("date") == "Wed, 01 Jan 2031 00:00:00 GMT")
        #expect(try server.get("sites", as: two).status == 200)
        #expect(try server.get("sites").field("date") == "Sun, 01 Jun 2025 00:00:00 GMT")
        // Faults.
        let rule: JSONValue = ["sequence": [["status": 503], ["status": 503], ["status": 503]]]
        #expect(try server.control("POST", "/faults?session=two", rule).status == 201)
        #expect(try server.get("sites", as: two).status == 503)
        #expect(try server.get("sites").status == 200)
        #expect(try server.control("GET", "/faults").json["items"] == [])
        // Reset.
        #expect(try server.control("POST", "/reset?session=two").status == 204)
        #expect(try server.commentTexts(as: two).allSatisfy { !$0.hasPrefix("By ") })
        #expect(try server.commentTexts().contains("By acme-partner."))
        #expect(try names(server) == ["default", "one", "two"])
    }

    @Test("A paging token and presigned URLs belong to the session that gave them")
    func capabilities() throws {
        let server = try TestServer()
        let list = "appointments/by-status/ARRIVED?pageSize=5"
        let token = try #require(
            try server.get(list, as: "acme-partner+one").json["nextToken"]?.string
        )
        let next = "\(list)&nextToken=\(token)"
        #expect(try server.get(next, as: "acme-partner+one").status == 200)
        #expect(try server.get(next, as: "acme-partner+two").status == 400)
        #expect(try server.get(next).status == 400)
        let answer = try server.post(
            TestServer.uploadsPath,
            TestServer.writes[1].body,
            as: "acme-partner+one"
        )
        let item = try #require(answer.json["items"]?.array?.first)
        let target = try server.target(of: item["uploadUrl"])
        let pdf = [("Content-Type", "application/pdf")]
        let elsewhere = target.replacing("session=one", with: "session=two")
        #expect(elsewhere != target)
        #expect(try server.send("PUT", elsewhere, pdf, Array("x".utf8)).status == 403)
        #expect(try server.send("PUT", target, pdf, Array("x".utf8)).status == 200)
        let guid = try #require(item["guid"]?.string)
        let path = "appointments/A123456/attachments/\(guid)"
        #expect(try server.get(path, as: "acme-partner+two").status == 404)
        let url = try server.target(of: try server.get(path, as: "acme-partner+one").json["url"])
        #expect(try server.send("GET", url).text == "x")
        // The session's clock ends its URLs.
        _ = try server.control("POST", "/clock/advance?session=one", ["by": "PT15M"])
        #expect(try server.send("GET", url).status == 403)
    }

    @Test(
        "A session name is 1 to 64 letters, digits, dots, underscores and hyphens",
        arguments: [
            ("A.b_c-9", true), (String(repeating: "s", count: 64), true), ("default", true),
            ("..", false), ("...", true), ("", false), (String(repeating: "s", count: 65), false),
            ("a/b", false),
            ("a b", false), ("é", false), ("a+b", false), ("a%00", false),
        ]
    )
    func sessionNames(name: String, isGood: Bool) throws {
        let server = try TestServer()
        let answer = try server.askToken("acme-partner+\(name)")
        #expect(answer.status == (isGood ? 200 : 400), "\(answer.text)")
        if isGood {
            #expect(Set(try names(server)) == ["default", name])
            let client = "acme-partner+\(name)"
            let answer = try server.post(
                TestServer.commentsPath,
                ["commentText": "Mine."],
                as: client
            )
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try server.commentTexts(as: client).contains("Mine."))
        } else {
            #expect(answer.json["error"] == "invalid_client")
            #expect(try names(server) == ["default"])
            let encoded = PercentCoding.encode(name)
            let read = try server.control("GET", "/clock?session=\(encoded)").status
            #expect(read == (name == ".." ? 404 : 400))
            #expect(
                try server.control("PUT", "/clock?session=\(encoded)", ["mode": "real"]).status
                    == 400
            )
            if !name.isEmpty, name != ".." {
                #expect(try server.control("PUT", "/sessions/\(encoded)").status == 400)
            }
        }
    }

    @Test("X-Mock-Session chooses the session of a token; a suffix of the client wins over it")
    func header() throws {
        let server = try TestServer()
        let byHeader = try server.askToken(fields: [("X-Mock-Session", "one")])
        let token = try #require(byHeader.json["access_token"]?.string)
        let answer = try server.post(
            TestServer.commentsPath,
            ["commentText": "One."],
            as: nil,
            fields: [("Authorization", "Bearer \(token)")]
        )
        #expect(answer.status == 200)
        #expect(try server.commentTexts(as: "acme-partner+one").contains("One."))
        #expect(try !server.commentTexts().contains("One."))
        _ = try server.askToken("acme-partner+two", fields: [("X-Mock-Session", "three")])
        #expect(try names(server) == ["default", "one", "two"])
        #expect(try server.askToken(fields: [("X-Mock-Session", "a b")]).status == 400)
        // The credential chooses where there is one.
        let sent = try server.post(
            TestServer.commentsPath,
            ["commentText": "Default."],
            fields: [("X-Mock-Session", "one")]
        )
        #expect(sent.status == 200)
        #expect(try server.commentTexts().contains("Default."))
    }

    @Test("Reading opens no session: 404; writing does")
    func opening() throws {
        let server = try TestServer()
        for path in [
            "/clock", "/requests", "/requests/count", "/idempotency", "/snapshots", "/faults",
        ] {
            #expect(try server.control("GET", "\(path)?session=new").status == 404, "\(path)")
        }
        #expect(
            try server.control("POST", "/snapshots/s/restore?session=new").status == 404
        )
        #expect(try server.control("DELETE", "/sessions/new").status == 404)
        #expect(try names(server) == ["default"])
        let writes: [(String, String, JSONValue?)] = [
            ("PUT", "/clock?session=w1", ["mode": "real"]),
            ("POST", "/clock/advance?session=w2", ["by": "PT1S"]),
            ("POST", "/reset?session=w3", nil), ("PUT", "/snapshots/s?session=w4", nil),
            ("POST", "/faults?session=w5", ["sequence": [["status": 503]]]),
            (
                "PUT", "/data/acme/appointments/X?session=w6",
                ["scheduledSite": "Central Clinic", "status": "ARRIVED"]
            ),
            ("PUT", "/sessions/w7", nil),
        ]
        for (method, path, body) in writes {
            let answer = try server.control(method, path, body)
            #expect((200...204).contains(answer.status), "\(path): \(answer.text)")
        }
        #expect(try names(server) == ["default", "w1", "w2", "w3", "w4", "w5", "w6", "w7"])
        #expect(try server.control("PUT", "/sessions/w7").status == 200)
        #expect(try server.control("PUT", "/sessions/w8").status == 201)
    }

    // MARK: Ending one

    @Test("A dropped session starts afresh, with all that was in it gone")
    func dropping() throws {
        let server = try TestServer()
        let client = "acme-partner+one"
        _ = try server.post(TestServer.commentsPath, ["commentText": "Old."], as: client, key: "k")
        let upload = try server.post(TestServer.uploadsPath, TestServer.writes[1].body, as: client)
        let target = try server.target(of: upload.json["items"]?.array?.first?["uploadUrl"])
        _ = try server.control("PUT", "/snapshots/s?session=one")
        _ = try server.control("POST", "/faults?session=one", ["sequence": [[:], ["status": 500]]])
        _ = try server.control("POST", "/clock/advance?session=one", ["by": "PT10M"])
        #expect(try server.control("DELETE", "/sessions/one").status == 204)
        #expect(try server.control("DELETE", "/sessions/one").status == 404)
        #expect(try names(server) == ["default"])
        let put = try server.send("PUT", target, [("Content-Type", "application/pdf")], [1])
        #expect(put.status == 403)
        #expect(try names(server) == ["default"])
        // The token is still good, and opens it again.
        #expect(try !server.commentTexts(as: client).contains("Old."))
        #expect(try names(server) == ["default", "one"])
        for list in ["idempotency", "snapshots", "faults"] {
            #expect(try server.control("GET", "/\(list)?session=one").json["items"] == [])
        }
        #expect(try server.control("GET", "/requests/count?session=one").json["count"] == 1)
        #expect(try server.control("GET", "/clock?session=one").json["moves"] == 0)
        let again = try server.post(
            TestServer.commentsPath,
            ["commentText": "Old."],
            as: client,
            key: "k"
        )
        #expect(again.field("idempotency-replayed") == nil)
        #expect(try server.control("DELETE", "/sessions/default").status == 409)
    }

    @Test("There may be 256 sessions; the next is refused until one is dropped")
    func limit() throws {
        let server = try TestServer()
        _ = try server.token()
        for index in 0..<256 {
            #expect(try server.control("PUT", "/sessions/s\(index)").status == 201)
        }
        for refused in [
            try server.control("PUT", "/sessions/more"),
            try server.control("PUT", "/clock?session=more", ["mode": "real"]),
            try server.askToken("acme-partner+more"),
        ] {
            #expect(refused.status == 503)
            #expect(refused.text.contains("256 sessions"), "\(refused.text)")
        }
        // Those that are open go on.
        #expect(try server.get("sites").status == 200)
        #expect(try server.control("PUT", "/sessions/s255").status == 200)
        #expect(try server.askToken("acme-partner+s7").status == 200)
        #expect(try server.control("DELETE", "/sessions/s7").status == 204)
        #expect(try server.askToken("acme-partner+more").status == 200)
        #expect(try server.askToken("acme-partner+s7").status == 503)
    }

    // MARK: At once

    @Test("50 sessions at once run the same test, and each sees its own comment alone")
    func fifty() throws {
        let server = try TestServer()
        let clients = try (0..<50).map { _ in try RawClient(port: server.listener.port) }
        let forms = (0..<50).map { index in
            "grant_type=client_credentials&client_id=acme-partner%2Bp\(index)"
                + "&client_secret=acme-partner-secret"
        }
        let tokens = try IdempotencyTests.exchange(
            forms.map { form in
                "POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(form.utf8.count)\r\n"
                    + "Content-Type: application/x-www-form-urlencoded\r\n\r\n\(form)"
            },
            clients
        ).map { try #require(try JSONParser.parse($0.content)["access_token"]?.string) }
        let target = "/integrations/v1/acme/\(TestServer.commentsPath)"
        for round in 1...3 {
            let posted = try IdempotencyTests.exchange(
                tokens.enumerated().map { index, token in
                    let body = "{\"commentText\":\"Mine: \(index).\"}"
                    return
                        "POST \(target) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n"
                        + "Content-Type: application/json\r\nIdempotency-Key: \(round)\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                },
                clients
            )
            #expect(posted.allSatisfy { $0.status == 200 })
            let lists = try IdempotencyTests.exchange(
                tokens.map { token in
                    "GET \(target) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\r\n"
                },
                clients
            )
            for (index, list) in lists.enumerated() {
                let texts = try JSONParser.parse(list.content).array?.compactMap {
                    $0["commentText"]?.string
                }
                let mine = texts?.filter { $0.hasPrefix("Mine: ") }
                #expect(mine == Array(repeating: "Mine: \(index).", count: round))
            }
        }
        #expect(try names(server).count == 51)
    }

    @Test("A session that is dropped while others use it opens again, whole")
    func droppingAtOnce() throws {
        let server = try TestServer()
        let token = try server.token("acme-partner+busy")
        let clients = try (0..<24).map { _ in try RawClient(port: server.listener.port) }
        let target = "/integrations/v1/acme/\(TestServer.commentsPath)"
        let body = "{\"commentText\":\"x\"}"
        let requests = (0..<24).map { index in
            switch index % 4 {
            case 0: "DELETE /__admin/sessions/busy HTTP/1.1\r\nHost: localhost\r\n\r\n"
            case 1: "PUT /__admin/sessions/busy HTTP/1.1\r\nHost: localhost\r\n\r\n"
            case 2:
                "POST \(target) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
                    + "\r\n\(body)"
            default:
                "GET \(target) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\r\n"
            }
        }
        for _ in 0..<30 {
            let answers = try IdempotencyTests.exchange(requests, clients)
            // 503 for who held the session when it ended: "try again".
            let statuses = Set(answers.map(\.status))
            #expect(statuses.isSubset(of: [200, 201, 204, 404, 503]), "\(statuses)")
            #expect(try server.get("sites", as: "acme-partner+busy").status == 200)
            let comment = try server.post(
                TestServer.commentsPath,
                ["commentText": "After."],
                as: "acme-partner+busy"
            )
            #expect(comment.status == 200, "\(comment.text)")
        }
    }
}
