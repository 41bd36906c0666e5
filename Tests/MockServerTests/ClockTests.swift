import JSON
import MockServer
import QUBS
import Testing
import TestSupport
import Time

@Suite("Clock")
struct ClockTests {
    @Test("The clock is set, stands, and moves forward only")
    func modes() throws {
        let server = try TestServer()
        #expect(
            try server.control("GET", "/clock").json["now"] == "2025-06-01T00:00:00.000000Z"
        )
        _ = try server.token()
        let set = try server.control(
            "PUT",
            "/clock",
            ["mode": "frozen", "now": "2030-02-28T23:59:59+01:00"]
        )
        #expect(set.status == 200)
        #expect(set.json["mode"] == "frozen")
        #expect(set.json["now"] == "2030-02-28T22:59:59.000000Z")
        let advanced = try server.control("POST", "/clock/advance", ["by": "PT61M"])
        #expect(advanced.status == 200)
        #expect(advanced.json["mode"] == "frozen")
        #expect(advanced.json["now"] == "2030-03-01T00:00:59.000000Z")
        #expect(try server.control("GET", "/clock").json == advanced.json)
        #expect(try server.get("sites").status == 401)
        #expect(try server.get("sites", as: nil).field("date") == "Fri, 01 Mar 2030 00:00:59 GMT")
        // Freezing what stands changes nothing.
        let frozen = try server.control("PUT", "/clock", ["mode": "frozen"])
        #expect(frozen.json["now"] == "2030-03-01T00:00:59.000000Z")
        // Setting, in place of advancing, goes anywhere.
        let back = try server.control(
            "PUT",
            "/clock",
            ["mode": "frozen", "now": "2025-06-01T00:00:10Z"]
        )
        #expect(back.status == 200)
        #expect(try server.get("sites").status == 200)
    }

    @Test("A real clock runs from where it is set, and advancing keeps it running")
    func real() throws {
        let server = try TestServer()
        func seconds(_ answer: TestServer.Answer) throws -> Int64 {
            #expect(answer.json["mode"] == "real")
            return server.application.sessions.default.clock.now().secondsSince1970
        }
        let from = try server.control(
            "PUT",
            "/clock",
            ["mode": "real", "now": "2040-01-01T00:00:00Z"]
        )
        let year2040: Int64 = 2_208_988_800
        #expect((year2040...year2040 + 60).contains(try seconds(from)))
        let advanced = try server.control("POST", "/clock/advance", ["by": "P1D"])
        #expect((year2040 + 86_400...year2040 + 86_460).contains(try seconds(advanced)))
        let clock = server.application.sessions.default.clock
        let first = clock.read().nanoseconds
        while clock.read().nanoseconds == first {}
        #expect(clock.read().nanoseconds > first)
        // Frozen where it runs; then the system's time again.
        let frozen = try server.control("PUT", "/clock", ["mode": "frozen"])
        #expect(frozen.json["mode"] == "frozen")
        #expect((year2040 + 86_400...year2040 + 86_460).contains(clock.now().secondsSince1970))
        let system = SystemTime.wall() / 1_000_000_000
        let real = try seconds(try server.control("PUT", "/clock", ["mode": "real"]))
        #expect((system...system + 60).contains(real))
    }

    @Test(
        "What is no time forward is refused, and the clock stays",
        arguments: [
            ("-PT1S", "/by"), ("PT-1S", "/by"), ("", "/by"), ("1", "/by"), ("P", "/by"),
            ("P1M", "/by"), ("P1Y", "/by"), ("PT1", "/by"), ("soon", "/by"),
            ("P99999999999D", "/by"), ("P100000D", "/by"),
            ("PT999999999999999999999999999999S", "/by"),
        ]
    )
    func durations(by: String, pointer: String) throws {
        let server = try TestServer()
        let answer = try server.control("POST", "/clock/advance", ["by": .string(by)])
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["errors"]?[pointer] != nil)
        #expect(try server.control("GET", "/clock").json["now"] == "2025-06-01T00:00:00.000000Z")
    }

    @Test(
        "What is no setting is refused, and the clock stays",
        arguments: [
            ([:], "/mode"), (["mode": "fast"], "/mode"), (["mode": nil], "/mode"),
            (["mode": "frozen", "now": "2025-06-01"], "/now"),
            (["mode": "frozen", "now": 5], "/now"),
            (["mode": "frozen", "now": "1969-12-31T23:59:59Z"], "/now"),
            (["mode": "frozen", "now": "2200-01-02T00:00:00Z"], "/now"),
            (["mode": "frozen", "now": "2025-06-31T00:00:00Z"], "/now"),
            (["mode": "frozen", "at": "2025-06-01T00:00:00Z"], "/at"),
        ] as [(JSONValue, String)]
    )
    func settings(body: JSONValue, pointer: String) throws {
        let server = try TestServer()
        let answer = try server.control("PUT", "/clock", body)
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["errors"]?[pointer] != nil, "\(answer.text)")
        #expect(try server.control("GET", "/clock").json["now"] == "2025-06-01T00:00:00.000000Z")
    }

    @Test(
        "Any number of great leaps, back and forth, ends nothing",
        arguments: ["frozen", "real"]
    )
    func leaps(mode: String) throws {
        let server = try TestServer()
        for _ in 0..<6 {
            let start: JSONValue = ["mode": .string(mode), "now": "1970-01-02T00:00:00Z"]
            #expect(try server.control("PUT", "/clock", start).status == 200)
            let leap = try server.control("POST", "/clock/advance", ["by": "P80000D"])
            #expect(leap.status == 200, "\(leap.text)")
            #expect(leap.json["now"]?.string?.hasPrefix("2189-") == true)
        }
        #expect(try server.control("POST", "/reset", ["scope": ["clock"]]).status == 204)
        #expect(try server.control("GET", "/clock").json["mode"] == "real")
    }

    @Test("The clock stamps what is made: comments, reports, attachments, answers")
    func stamps() throws {
        let server = try TestServer()
        server.advance(seconds: 1800)
        let now: JSONValue = "2025-06-01T00:30:00Z"
        let comment = try server.post(TestServer.commentsPath, ["commentText": "x"])
        #expect(comment.json["commentDateTime"] == now)
        #expect(comment.field("date") == "Sun, 01 Jun 2025 00:30:00 GMT")
        let report = try server.post(TestServer.reportPath, TestServer.writes[2].body)
        #expect(report.json["reportedAtUtc"] == now)
        let upload = try server.post(TestServer.uploadsPath, TestServer.writes[1].body)
        let item = try #require(upload.json["items"]?.array?.first)
        #expect(item["uploadUrlExpiresAtUtc"] == "2025-06-01T00:45:00Z")
        let guid = try #require(item["guid"]?.string)
        let attachment = try server.get("appointments/A123456/attachments/\(guid)")
        #expect(attachment.json["addedDateTime"] == now)
    }

    @Test("A paging token works for 24 hours by the clock")
    func pagingTokens() throws {
        let server = try TestServer()
        let list = "appointments/by-status/ARRIVED?pageSize=10"
        let token = try #require(try server.get(list).json["nextToken"]?.string)
        server.advance(seconds: 3000)
        #expect(try server.get("\(list)&nextToken=\(token)").status == 200)
        func fresh() throws -> [(String, String)] {
            let json = try server.control("POST", "/tokens", ["clientId": "acme-partner"]).json
            return [("Authorization", "Bearer \(try #require(json["access_token"]?.string))")]
        }
        server.advance(seconds: 86_399 - 3000)
        let path = "\(list)&nextToken=\(token)"
        #expect(try server.get(path, as: nil, fields: try fresh()).status == 200)
        server.advance(seconds: 1)
        #expect(try server.get(path, as: nil, fields: try fresh()).status == 400)
    }
}
