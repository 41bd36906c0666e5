import HTTPTransport
import JSON
import MockServer
import QUBS
import Testing
import TestSupport
import Time

@Suite("Faults: when delays are over, and what they are beside")
struct FaultTimingTests {
    static let sitesID = "Integrations_ListSites"

    @Test(
        "A held up answer takes nothing of the client's own time",
        arguments: [#"{"delay":"600ms"}"#, #"{"delay":"600ms","phase":"after"}"#]
    )
    func idleTime(effects: String) throws {
        let time = TransportClock.driven()
        let server = try TestServer {
            $0.transport.idleTimeout = .milliseconds(500)
            $0.transport.headTimeout = .milliseconds(500)
            $0.transport.contentTimeout = .milliseconds(500)
            $0.transport.clock = time
        }
        try server.arm(#""then":\#(effects)"#, on: Self.sitesID)
        let next = try server.requestText()
        let comment = try server.requestText(
            "POST",
            TestServer.commentsPath,
            [],
            #"{"commentText":"a"}"#
        )
        // What has come of the next request meanwhile: nothing, a part of its head, of its content.
        for (later, early) in [(next, 0), (next, 30), (comment, comment.utf8.count - 10)] {
            let client = try RawClient(port: server.listener.port)
            let octets = Array(later.utf8)
            try client.send(Array(try server.requestText("GET", "sites").utf8) + octets[..<early])
            try #require(time.advance(by: .milliseconds(600)))
            #expect(try client.response().status == 200)
            try client.send(Array(octets[early...]))
            #expect(try client.response().status == 200, "\(early)")
            client.close()
        }
    }

    @Test(
        "An injected answer is made when its delay is over",
        arguments: ["before", "after"]
    )
    func retryAfterADelay(phase: String) throws {
        let time = TransportClock.driven()
        let server = try TestServer { $0.transport.clock = time }
        try server.arm(
            #"""
            "then":{"phase":"\#(phase)","delay":"3s","status":429,
              "retryAfter":{"seconds":7,"form":"date"}}
            """#,
            on: Self.sitesID
        )
        let client = try RawClient(port: server.listener.port)
        try client.send(try server.requestText("GET", "sites"))
        try server.awaitStruck()
        server.advance(seconds: 100)
        try #require(time.advance(by: .seconds(3)))
        let answer = try client.response()
        let moment = Instant(secondsSince1970: TestServer.start + 100)
        #expect(answer.status == 429)
        #expect(answer.field("date") == moment.imfFixdate)
        #expect(
            answer.field("retry-after")
                == Instant(
                    secondsSince1970: TestServer.start + 107
                ).imfFixdate
        )
    }

    @Test("A request that is refused before its content was read is held up as well")
    func refusedEarly() throws {
        let time = TransportClock.driven()
        let server = try TestServer { $0.transport.clock = time }
        try server.arm(
            #""then":{"delay":"2s"}"#,
            on: "Integrations_SubmitPendingReportingAppointmentReport"
        )
        let client = try RawClient(port: server.listener.port)
        try client.send(
            try server.requestText(
                "POST",
                "reporting/appointments/A123456/report",
                [("Content-Type", "application/json"), ("Content-Length", "20971520")]
            )
        )
        // Not before the delay is over: the time is moved only once the server waits for its end.
        try #require(time.advance(by: .seconds(2)))
        let answer = try client.response()
        #expect(answer.status == 413 && answer.field("x-mock-fault") == "r")
    }

    @Test("A HANG behind a delay ends with its rule, too", arguments: ["before", "after"])
    func hangBehindADelay(phase: String) throws {
        let time = TransportClock.driven()
        let server = try TestServer { $0.transport.clock = time }
        try server.arm(
            #""then":{"phase":"\#(phase)","transport":"HANG","delay":"2s"},"ttl":"6s""#,
            on: Self.sitesID
        )
        let client = try RawClient(port: server.listener.port)
        try client.send(try server.requestText("GET", "sites"))
        // First the delay, then what is left of the rule.
        try #require(time.advance(by: .seconds(2)))
        try #require(time.advance(by: .seconds(4)))
        #expect(client.read() == .end)
    }

    @Test("A token that expires while its call is held up is refused")
    func expiry() throws {
        let time = TransportClock.driven()
        let server = try TestServer { $0.transport.clock = time }
        try server.arm(#""when":{"first":1},"then":{"delay":"3s"}"#, on: Self.sitesID)
        let client = try RawClient(port: server.listener.port)
        try client.send(try server.requestText("GET", "sites"))
        try server.awaitStruck()
        server.advance(seconds: 3600)
        try #require(time.advance(by: .seconds(3)))
        #expect(try client.response().status == 401)
        #expect(try server.entries("?limit=1").first?["reason"] == "token-expired")
    }

    @Test("A request that names a session which is not open meets no rule, and is in no journal")
    func noSession() throws {
        let server = try TestServer()
        let list = try server.get("appointments/A123456/attachments", as: "acme-partner+gone")
        let url = try #require(list.json.array?.compactMap { $0["url"]?.string }.first)
        let target = String(try #require(url.split(separator: server.baseURL).first))
        #expect(try server.control("DELETE", "/sessions/gone").status == 204)
        try server.arm(
            #"[{"id":"r","then":{"status":500}},{"match":{"operation":"download"},"then":{"status":500}}]"#
        )
        #expect(try server.send("GET", target).status == 403)
        let nameless = try server.get("sites", as: nil, fields: [("X-Mock-Session", "gone")])
        #expect(nameless.status == 401)
        #expect(try server.counts() == [0, 0])
        #expect(try server.entries().isEmpty)
        // A fault that the request asks for itself is its own.
        let asked = try server.get(
            "sites",
            as: nil,
            fields: [("X-Mock-Session", "gone"), ("Prefer", "code=503")]
        )
        #expect(asked.status == 503)
    }

    // MARK: Whole answers

    @Test("An injected 401 is the one of the endpoint, with its challenge")
    func unauthorized() throws {
        let server = try TestServer()
        let anonymous = try server.get("sites", as: nil, fields: [("Prefer", "code=401")])
        #expect(anonymous.field("www-authenticate") == #"Bearer realm="qubs-mock""#)
        let token = try server.askToken(fields: [("Prefer", "code=401")])
        #expect(token.json["error"] == "invalid_client")
        #expect(token.field("www-authenticate")?.hasPrefix("Basic ") == true)
        #expect(token.field("cache-control") == "no-store")
        #expect(token.field("pragma") == "no-cache")
        let malformed = try server.askToken(fields: [("Prefer", "code=999")])
        #expect(malformed.status == 400 && malformed.json["error"] == "invalid_request")
        #expect(malformed.field("cache-control") == "no-store")
        for (status, name) in [(405, "allow"), (407, "proxy-authenticate"), (426, "upgrade")] {
            let answer = try server.send(
                "GET",
                "/integrations/v1/acme/sites",
                [("Prefer", "code=\(status)")],
                validates: false
            )
            #expect(answer.status == status && answer.field(name) != nil)
        }
    }

    @Test("An effect that has nothing to act on is none")
    func nothingToActOn() throws {
        let server = try TestServer()
        let path = TestServer.summaryPath
        for (effects, method) in [
            (#"{"truncateAt":1000000}"#, "GET"), (#"{"truncateAt":5}"#, "HEAD"),
            (#"{"bytesPerSecond":1}"#, "HEAD"), (#"{"delay":"0s"}"#, "GET"),
            (#"{"transport":"MALFORMED_RESPONSE_CHUNK"}"#, "HEAD"),
        ] {
            try server.arm(#""then":\#(effects)"#, on: TestServer.summaryID)
            let client = try RawClient(port: server.listener.port)
            for _ in 0..<2 {
                try client.send(try server.requestText(method, path))
                let answer = try client.response(toHead: method == "HEAD")
                #expect(answer.status == 200 && answer.field("x-mock-fault") == nil, "\(effects)")
            }
            #expect(try server.entries("?limit=1").first?["fault"] == .null)
        }
        // What is no JSON cannot be malformed JSON.
        let list = try server.get("appointments/A123456/attachments").json.array
        let url = try #require(list?.compactMap { $0["url"]?.string }.first)
        let target = String(try #require(url.split(separator: server.baseURL).first))
        let whole = try server.send("GET", target)
        try server.arm(#""then":{"content":"malformed-json"}"#, on: "download")
        let spoilt = try server.send("GET", target)
        #expect(spoilt.response.content == whole.response.content)
        #expect(spoilt.field("x-mock-fault") == nil)
    }

    @Test("A connection may be reset, or fall silent, within the content")
    func cutByTransport() throws {
        let server = try TestServer()
        let whole = try server.get(TestServer.summaryPath).response.content
        for (transport, ending) in [
            ("CONNECTION_RESET_BY_PEER", RawClient.Reading.reset), ("HANG", .end),
        ] {
            try server.arm(
                #""then":{"transport":"\#(transport)","truncateAt":20},"ttl":"300ms""#,
                on: TestServer.summaryID
            )
            let client = try RawClient(port: server.listener.port)
            try client.send(try server.requestText())
            let head = try client.readHead()
            #expect(head.contains("Content-Length: \(whole.count)\r\n"))
            #expect(try client.read(exactly: 20) == Array(whole.prefix(20)))
            #expect(client.read() == ending)
            let newest = try server.entries("?limit=1").first
            #expect(newest?["status"] == 200, "\(transport)")
        }
    }

    @Test("A broken chunked answer has no field of another status")
    func brokenChunk() throws {
        let server = try TestServer()
        try server.arm(#""then":{"transport":"MALFORMED_RESPONSE_CHUNK"}"#, on: Self.sitesID)
        let text = "GET /integrations/v1/acme/sites HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let answer = try server.wire(text)
        #expect(answer.status == 200 && answer.field("WWW-Authenticate") == nil)
    }
}
