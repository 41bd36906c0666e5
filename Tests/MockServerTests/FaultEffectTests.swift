import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Testing
import Time
import TestSupport

@Suite("What faults do, octet for octet")
struct FaultEffectTests {
    static let commentID = "Integrations_CreatePendingReportingAppointmentComment"
    static let reportID = "Integrations_SubmitPendingReportingAppointmentReport"

    // MARK: Status

    @Test("An injected status is an error of the API, and the operation does not run")
    func status() throws {
        let server = try TestServer()
        for status in [400, 401, 403, 404, 409, 418, 429, 500, 503, 599] {
            try expectInjected(status, server)
        }
        #expect(try server.commentTexts().filter { $0.hasPrefix("Not kept") }.count == 10)
    }

    private func expectInjected(_ status: Int, _ server: TestServer) throws {
        try server.arm(#""sequence":[{"status":\#(status)}]"#, on: Self.commentID)
        let text = "Not kept: \(status)."
        let answer = try server.send(
            "POST",
            "/integrations/v1/acme/\(TestServer.commentsPath)",
            [
                ("Authorization", "Bearer \(try server.token())"), ("X-Correlation-Id", "mine"),
                ("Content-Type", "application/json"), ("Idempotency-Key", "k-\(status)"),
            ],
            Array(#"{"commentText":"\#(text)"}"#.utf8),
            // The contract names no status that the API does not have.
            validates: ![418, 599].contains(status)
        )
        #expect(answer.status == status)
        #expect(answer.field("content-type") == "application/problem+json")
        #expect(answer.field("x-mock-fault") == "r")
        #expect(answer.field("x-correlation-id") == "mine")
        #expect(answer.json["status"]?.int == status && answer.json["requestId"] == "mine")
        #expect(answer.json["instance"]?.string?.hasSuffix("A123456/comments") == true)
        #expect(answer.field("retry-after") == nil)
        let challenge = answer.field("www-authenticate")
        #expect((challenge?.contains("error=\"invalid_token\"") == true) == (status == 401))
        #expect(try !server.commentTexts().contains(text))
        // The key is free.
        let again = try server.post(
            TestServer.commentsPath,
            ["commentText": .string(text)],
            key: "k-\(status)"
        )
        #expect(again.status == 200 && again.field("idempotency-replayed") == nil)
    }

    @Test("Retry-After comes in seconds, or as the date of the session's clock, rounded up")
    func retryAfter() throws {
        let server = try TestServer()
        // Half a second past the full one: a date may not be too early.
        server.application.sessions.default.clock.set(
            .frozen,
            nanoseconds: TestServer.start * 1_000_000_000 + 500_000_000
        )
        try server.arm(
            #"""
            "sequence":[{"status":429,"retryAfter":2},
              {"status":429,"retryAfter":{"seconds":2}},
              {"status":503,"retryAfter":{"seconds":2,"form":"date"}},
              {"status":503,"retryAfter":0}]
            """#,
            on: TestServer.summaryID
        )
        let values = try (0..<4).map { _ in
            try server.get(TestServer.summaryPath).field("retry-after")
        }
        #expect(values == ["2", "2", "Sun, 01 Jun 2025 00:00:03 GMT", "0"])
        let noted = try server.entries("?operation=\(TestServer.summaryID)").map {
            $0["retryAfter"]
        }
        #expect(noted[1] == ["seconds": 2, "form": "date"])
        #expect(noted[3] == ["seconds": 2, "form": "seconds"])
    }

    @Test("The detail of a rule is the detail of the problem, and status 429 after the commit too")
    func detail() throws {
        let server = try TestServer()
        try server.arm(
            #""sequence":[{"phase":"after","status":429,"retryAfter":1,"detail":"Später 😀."}]"#,
            on: Self.commentID
        )
        let body: JSONValue = ["commentText": "Kept."]
        let answer = try server.post(TestServer.commentsPath, body, key: "k")
        #expect(answer.status == 429 && answer.field("retry-after") == "1")
        #expect(answer.json["detail"] == "Später 😀.")
        #expect(try server.commentTexts().filter { $0 == "Kept." }.count == 1)
        let again = try server.post(TestServer.commentsPath, body, key: "k")
        #expect(again.status == 200 && again.field("idempotency-replayed") == "true")
        #expect(try server.commentTexts().filter { $0 == "Kept." }.count == 1)
    }

    // MARK: Delay

    /// A delay, and what it is at least and at most, in milliseconds.
    static let delays: [(delay: String, least: Double, most: Double)] = [
        (#""250ms""#, 250, 250), (#""PT0.1S""#, 100, 100),
        (#"{"uniform":["20ms","60ms"]}"#, 20, 60),
        (#"{"lognormal":{"median":"30ms","sigma":0.8,"max":"60ms"}}"#, 0, 60),
    ]

    @Test("A delay passes before the first octet", arguments: delays.indices)
    func delay(index: Int) throws {
        let (delay, least, most) = Self.delays[index]
        var all: [[Double]] = []
        for _ in 0..<2 {
            let server = try TestServer()
            try server.arm(#""then":{"delay":\#(delay)}"#, on: TestServer.summaryID)
            let count = least == most ? 1 : 8
            let answers = try (0..<count).map { _ in try server.wireGet() }
            let noted = try server.entries("?operation=\(TestServer.summaryID)").reversed()
                .compactMap { $0["fault"]?["delaySeconds"]?.double }
            #expect(noted.count == count)
            for (answer, seconds) in zip(answers, noted) {
                #expect(answer.status == 200)
                #expect(answer.first >= .seconds(seconds))
                #expect(seconds * 1000 >= least - 0.001 && seconds * 1000 <= most + 0.001)
            }
            if least < most { #expect(Set(noted).count > 2) }
            all.append(noted)
        }
        // Drawn by seed, rule and ordinal.
        #expect(all[0] == all[1])
    }

    @Test("A delay comes before what else a rule does")
    func delayAndMore() throws {
        let server = try TestServer()
        try server.arm(
            #"""
            "sequence":[{"delay":"60ms","status":503},
              {"delay":"60ms","transport":"CONNECTION_RESET_BY_PEER"},
              {"delay":"60ms","transport":"EMPTY_RESPONSE"},
              {"delay":"60ms","phase":"after","status":500}]
            """#,
            on: TestServer.summaryID
        )
        let answers = try (0..<4).map { _ in try server.wireGet() }
        #expect(answers.map(\.status) == [503, nil, nil, 500])
        #expect(answers.map(\.ending) == [.end, .reset, .end, .end])
        #expect(answers.allSatisfy { $0.first >= .milliseconds(60) })
    }

    // MARK: Transport

    /// How a request for a comment ends under a transport fault, and whether it had its effect.
    static let transports: [(transport: String, phase: String, runs: Bool)] = [
        ("CONNECTION_RESET_BY_PEER", "before", false), ("CONNECTION_RESET_BY_PEER", "after", true),
        ("EMPTY_RESPONSE", "before", false), ("EMPTY_RESPONSE", "after", true),
        ("HANG", "before", false), ("HANG", "after", true),
        ("RANDOM_DATA_THEN_CLOSE", "before", true), ("RANDOM_DATA_THEN_CLOSE", "after", true),
        ("MALFORMED_RESPONSE_CHUNK", "before", true), ("MALFORMED_RESPONSE_CHUNK", "after", true),
    ]

    @Test("Transport faults look as they are called, and lose the answer of what ran")
    func transport() throws {
        let server = try TestServer()
        for (transport, phase, runs) in Self.transports {
            try expectTransport(transport, phase, runs: runs, server)
        }
    }

    private func expectTransport(
        _ transport: String,
        _ phase: String,
        runs: Bool,
        _ server: TestServer
    ) throws {
        let text = "Lost: \(transport) \(phase)."
        let key = "\(transport)-\(phase)"
        try server.arm(
            #""sequence":[{"phase":"\#(phase)","transport":"\#(transport)"}]"#,
            on: Self.commentID
        )
        let request = try server.requestText(
            "POST",
            TestServer.commentsPath,
            [("Idempotency-Key", key)],
            #"{"commentText":"\#(text)"}"#
        )
        let answer = try server.wire(request, patienceSeconds: 0.3)
        switch transport {
        case "CONNECTION_RESET_BY_PEER":
            #expect(answer.octets.isEmpty && answer.ending == .reset)
        case "EMPTY_RESPONSE": #expect(answer.octets.isEmpty && answer.ending == .end)
        case "HANG": #expect(answer.octets.isEmpty && answer.ending == .silence)
        case "RANDOM_DATA_THEN_CLOSE":
            #expect(answer.ending == .end && answer.octets.count > 16)
            // Neither HTTP/ nor the empty line that may come before it.
            #expect(answer.octets.first.map { $0 >= 0x80 } == true)
        default: expectBadChunk(answer)
        }
        #expect(try server.counts() == [1, 1])
        #expect(try server.commentTexts().contains(text) == runs, "\(key)")
        let body: JSONValue = ["commentText": .string(text)]
        let again = try server.post(TestServer.commentsPath, body, key: key)
        #expect(again.status == 200)
        #expect((again.field("idempotency-replayed") == "true") == runs, "\(key)")
        #expect(try server.commentTexts().filter { $0 == text }.count == 1, "\(key)")
    }

    /// 200 and chunked, a beginning of good chunks, then none, and no end.
    private func expectBadChunk(_ answer: WireAnswer) {
        #expect(answer.status == 200 && answer.ending == .end)
        #expect(answer.field("Transfer-Encoding") == "chunked")
        #expect(answer.field("Content-Length") == nil)
        #expect(answer.field("Content-Type") == "application/json")
        var decoder = ChunkedDecoder(maximumContentOctets: 1 << 20)
        var content: [UInt8] = []
        var rest = answer.content
        #expect(throws: MessageError.self) {
            try rest.withUnsafeMutableBytes {
                _ = try decoder.decode(UnsafeRawBufferPointer($0), appendingTo: &content)
            }
        }
        #expect(!content.isEmpty && !decoder.isComplete)
    }

    @Test("Random data differ from answer to answer, and are the same in every run of a seed")
    func random() throws {
        func answers(seed: UInt64) throws -> [[UInt8]] {
            let server = try TestServer { $0.seed = seed }
            try server.arm(
                #""then":{"transport":"RANDOM_DATA_THEN_CLOSE"}"#,
                on: TestServer.summaryID
            )
            return try (0..<8).map { _ in try server.wireGet().octets }
        }
        let first = try answers(seed: 1)
        #expect(Set(first).count == 8)
        #expect(first.allSatisfy { $0.count == 256 && $0[0] >= 0x80 })
        #expect(try answers(seed: 1) == first)
        #expect(try answers(seed: 2) != first)
    }

    @Test("A HANG ends with the ttl of its rule")
    func hang() throws {
        let server = try TestServer()
        try server.arm(#""then":{"transport":"HANG"},"ttl":"400ms""#, on: TestServer.summaryID)
        let answer = try server.wireGet()
        #expect(answer.octets.isEmpty && answer.ending == .end)
        #expect(answer.total >= .milliseconds(400))
    }

    @Test("A report whose answer was lost is replayed by its key, and exists once")
    func lostReport() throws {
        let server = try TestServer()
        for step in [
            #"{"phase":"after","status":500}"#,
            #"{"phase":"after","transport":"CONNECTION_RESET_BY_PEER"}"#,
            #"{"phase":"after","transport":"HANG"}"#,
            #"{"phase":"after","transport":"EMPTY_RESPONSE"}"#, #"{"truncateAt":5}"#,
            #"{"content":"html"}"#,
        ] {
            try expectOneReport(step, server)
            #expect(try server.control("POST", "/reset").status == 204)
            server.application.sessions.default.clock.set(
                .frozen,
                nanoseconds: TestServer.start * 1_000_000_000
            )
        }
    }

    private func expectOneReport(_ step: String, _ server: TestServer) throws {
        try server.arm(#""sequence":[\#(step)]"#, on: Self.reportID)
        let text = #"{"reportText":"No acute abnormality.","reportStatus":"final"}"#
        let first = try server.wire(
            try server.requestText(
                "POST",
                TestServer.reportPath,
                [("Idempotency-Key", "k"), ("Connection", "close")],
                text
            ),
            patienceSeconds: 0.3
        )
        let guid = (try? JSONParser.parse(first.content))?["reportGuid"]
        #expect(guid == nil)
        if step.contains("500") { #expect(first.status == 500) }
        let answers = try (0..<2).map { _ in
            try server.post(TestServer.reportPath, try TestServer.json(text), key: "k")
        }
        #expect(answers.map(\.status) == [200, 200])
        #expect(answers.map { $0.field("idempotency-replayed") } == ["true", "true"])
        #expect(answers[0].response.content == answers[1].response.content)
        #expect(answers[0].json["reportGuid"]?.string?.isEmpty == false)
        let entries = try server.entries("?operation=\(Self.reportID)")
        #expect(entries.map { $0["committed"] } == [false, false, true])
        #expect(entries.map { $0["idempotency"] } == ["replay", "replay", "first"])
        let ledger = try server.control("GET", "/idempotency").json["items"]?.array
        #expect(ledger?.map { $0["replays"] } == [2])
        #expect(try server.counts() == [1, 3])
    }

    // MARK: Cut and slow content

    /// A `truncateAt`, and how many of so many octets it leaves.
    static let cuts: [(at: String, kept: @Sendable (Int) -> Int)] = [
        ("0", { _ in 0 }), ("1", { _ in 1 }), ("50", { _ in 50 }), ("0.5", { $0 / 2 }),
        ("0.0", { _ in 0 }), ("0.25", { $0 / 4 }),
    ]

    @Test("Cut content ends with FIN under the Content-Length of the whole")
    func truncation() throws {
        let server = try TestServer()
        let whole = try server.get(TestServer.summaryPath).response.content
        for (at, kept) in Self.cuts {
            try server.arm(#""then":{"truncateAt":\#(at)}"#, on: TestServer.summaryID)
            // On a connection that would live on.
            let answer = try server.wire(try server.requestText())
            #expect(answer.status == 200 && answer.ending == .end)
            #expect(answer.field("Content-Length") == String(whole.count))
            #expect(answer.field("Connection") == nil)
            #expect(answer.content == Array(whole.prefix(kept(whole.count))), "\(at)")
            #expect(try server.counts() == [1, 1])
        }
    }

    @Test("Dripped content comes in pieces, the last at the end of the time, and whole")
    func drip() throws {
        let server = try TestServer()
        let whole = try server.get(TestServer.summaryPath).response.content
        try server.arm(
            #""then":{"drip":{"chunks":4,"over":"400ms"}}"#,
            on: TestServer.summaryID
        )
        let client = try RawClient(port: server.listener.port)
        let clock = ContinuousClock()
        let start = clock.now
        try client.send(try server.requestText())
        let head = try client.readHead()
        #expect(head.contains("Content-Length: \(whole.count)\r\n"))
        var content: [UInt8] = []
        for piece in 1...4 {
            // What a piece has more than the one before is there no sooner than its time.
            let end = whole.count * piece / 4
            content += try client.read(exactly: end - content.count)
            #expect(clock.now - start >= .milliseconds(100 * piece))
        }
        #expect(content == whole)
        // The connection lives on.
        #expect(try client.exchange(try server.requestText("GET", "sites")).status == 200)
    }

    @Test("Content at a number of octets a second takes its time, from the first octet on")
    func pace() throws {
        let server = try TestServer()
        let whole = try server.get(TestServer.summaryPath).response.content
        let rate = whole.count * 5 / 2
        try server.arm(#""then":{"bytesPerSecond":\#(rate)}"#, on: TestServer.summaryID)
        let client = try RawClient(port: server.listener.port)
        let clock = ContinuousClock()
        let start = clock.now
        try client.send(try server.requestText())
        _ = try client.readHead()
        var content: [UInt8] = []
        while content.count < whole.count {
            content += try client.read(exactly: min(50, whole.count - content.count))
            // Never more than the pace allows: there is no burst.
            #expect(clock.now - start >= .seconds(Double(content.count) / Double(rate)))
        }
        #expect(content == whole)
        #expect(clock.now - start >= .milliseconds(400))
    }

    @Test("Effects combine: a delayed, dripped 200, and an injected error that is cut")
    func combined() throws {
        let server = try TestServer()
        let whole = try server.get(TestServer.summaryPath).response.content
        try server.arm(
            #"""
            "sequence":[{"delay":"150ms","drip":{"chunks":2,"over":"200ms"}},
              {"status":503,"retryAfter":1,"truncateAt":20},
              {"drip":{"chunks":2,"over":"100ms"},"truncateAt":0.5},
              {"status":502,"content":"html"}]
            """#,
            on: TestServer.summaryID
        )
        let slow = try server.wireGet()
        #expect(slow.status == 200 && slow.content == whole)
        #expect(slow.first >= .milliseconds(150) && slow.total >= .milliseconds(350))
        let cut = try server.wireGet()
        #expect(cut.status == 503 && cut.content.count == 20 && cut.ending == .end)
        #expect(cut.field("Retry-After") == "1")
        #expect(cut.field("Content-Length").flatMap { Int($0) } ?? 0 > 20)
        let both = try server.wireGet()
        #expect(both.content == Array(whole.prefix(whole.count / 2)))
        #expect(both.total >= .milliseconds(100))
        let page = try server.wireGet()
        #expect(page.status == 502)
        #expect(String(decoding: page.content, as: UTF8.self).contains("<title>502 Bad Gateway<"))
        let effects = try server.entries("?operation=\(TestServer.summaryID)&limit=4").map {
            $0["fault"]?["effects"]
        }
        #expect(
            effects == [
                ["status", "content"], ["truncation", "slow"], ["status", "truncation"],
                ["delay", "slow"],
            ]
        )
    }

    // MARK: Content

    @Test("Only the named thing is wrong with spoiled content, under the true status")
    func content() throws {
        let server = try TestServer()
        for fault in ["malformed-json", "empty", "html", "wrong-content-type"] {
            for status in [200, 404] { try expectSpoiled(fault, status, server) }
        }
    }

    private func expectSpoiled(_ fault: String, _ status: Int, _ server: TestServer) throws {
        #expect(try server.control("DELETE", "/faults").status == 204)
        let path = status == 200 ? TestServer.summaryPath : "appointments/NOBODY"
        let fields = [("X-Correlation-Id", "mine")]
        let honest = try server.wireGet(path, fields: fields)
        #expect(honest.status == status)
        try server.arm(#""then":{"content":"\#(fault)"}"#, on: TestServer.summaryID)
        let answer = try server.wireGet(path, fields: fields)
        #expect(answer.status == status && answer.ending == .end)
        #expect(answer.field("Content-Length") == String(answer.content.count))
        let parsed = try? JSONParser.parse(answer.content)
        let type = answer.field("Content-Type")
        switch fault {
        case "malformed-json":
            #expect(parsed == nil && answer.content.count > 10)
            #expect(type == honest.field("Content-Type"))
        case "empty":
            #expect(answer.content.isEmpty)
            #expect(type == honest.field("Content-Type"))
        case "html":
            #expect(String(decoding: answer.content, as: UTF8.self).hasPrefix("<html>"))
            #expect(type == "text/html")
        default:
            #expect(answer.content == honest.content)
            #expect(type == "text/plain; charset=utf-8")
        }
        // All other fields are as they were, and once; the link names the request.
        func others(_ answer: WireAnswer) -> [String] {
            answer.head.split(separator: "\r\n").map(String.init).filter { line in
                !["Content-Type:", "Content-Length:", "X-Mock-Fault:", "Link:"].contains {
                    line.hasPrefix($0)
                }
            }.sorted()
        }
        #expect((answer.field("Link") == nil) == (status == 200))
        #expect(others(answer) == others(honest))
        #expect(answer.head.ranges(of: "Content-Type:").count == 1)
        #expect(answer.field("X-Mock-Fault") == "r")
    }

    @Test("A HEAD of spoiled content has none, and an upload or download can be spoiled, too")
    func transfers() throws {
        let server = try TestServer()
        try server.arm(
            #"""
            [{"id":"up","match":{"operation":"upload"},
              "sequence":[{"status":500},{"phase":"after","transport":"EMPTY_RESPONSE"}]},
             {"id":"down","match":{"operation":"download"},"sequence":[{"truncateAt":5},{}]},
             {"id":"head","match":{"method":"HEAD"},"then":{"content":"html"}}]
            """#
        )
        let upload = try server.post(TestServer.uploadsPath, TestServer.writes[1].body)
        let item = try #require(upload.json["items"]?.array?.first)
        let target = try server.target(of: item["uploadUrl"])
        let pdf = [("Content-Type", "application/pdf")]
        let octets = Array("%PDF-1.7 made up".utf8)
        #expect(try server.send("PUT", target, pdf, octets).status == 500)
        // Stored, and the answer lost; so the URL has had its content.
        #expect(throws: RawClient.Failure.self) { try server.send("PUT", target, pdf, octets) }
        #expect(try server.send("PUT", target, pdf, octets).status == 403)
        let guid = try #require(item["guid"]?.string)
        let url = try server.get("appointments/A123456/attachments/\(guid)").json["url"]
        let cut = try server.wireGet(try server.target(of: url))
        #expect(cut.content == Array(octets.prefix(5)))
        #expect(cut.field("Content-Length") == String(octets.count))
        let whole = try server.send("GET", try server.target(of: url))
        #expect(whole.response.content == octets)
        #expect(try server.counts("up") == [2, 3])
        #expect(try server.counts("down") == [1, 2])
        let head = try server.wire(
            try server.requestText("HEAD", TestServer.summaryPath, [("Connection", "close")])
        )
        #expect(head.status == 200 && head.content.isEmpty)
        #expect(head.field("Content-Type") == "text/html")
    }
}
