import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Testing
import Time
import TestSupport

@Suite("When faults strike")
struct FaultWhenTests {
    /// A `when` (nothing: always), so many requests, and which of them fail, counted from 1.
    static let counted: [(when: String, requests: Int, failing: Set<Int>)] = [
        ("", 3, [1, 2, 3]), (#""when":{"first":2},"#, 4, [1, 2]),
        (#""when":{"nth":[3,5]},"#, 7, [3, 5]), (#""when":{"every":3},"#, 10, [3, 6, 9]),
        (#""when":{"every":1},"#, 2, [1, 2]), (#""when":{"probability":0},"#, 5, []),
        (#""when":{"probability":1},"#, 3, [1, 2, 3]),
    ]

    @Test("Requests are counted from 1, and exactly those named fail")
    func counts() throws {
        let server = try TestServer()
        for (when, requests, failing) in Self.counted {
            try server.arm(#"\#(when)"then":{"status":503}"#, on: TestServer.summaryID)
            let statuses = try server.statuses(requests)
            #expect(statuses == (1...requests).map { failing.contains($0) ? 503 : 200 }, "\(when)")
            // Other operations are not counted.
            #expect(try server.get("sites").status == 200)
            #expect(try server.counts() == [failing.count, requests], "\(when)")
        }
    }

    @Test("A sequence goes step by step; an empty step is a normal answer, and so is all after it")
    func sequence() throws {
        let server = try TestServer()
        try server.arm(
            #""sequence":[{"status":429,"retryAfter":2},{},{"status":500,"detail":"Boom."},{}]"#,
            on: TestServer.summaryID
        )
        let answers = try (0..<6).map { _ in try server.get(TestServer.summaryPath) }
        #expect(answers.map(\.status) == [429, 200, 500, 200, 200, 200])
        #expect(answers.map { $0.field("x-mock-fault") } == ["r", nil, "r", nil, nil, nil])
        #expect(answers[0].field("retry-after") == "2")
        #expect(answers[2].json["detail"] == "Boom.")
        // Spent, and still there with its counters.
        #expect(try server.counts() == [2, 6])
        let list = try server.control("GET", "/faults").json["items"]?.array
        #expect(list?.map { $0["id"] } == ["r"])
    }

    @Test("A window opens and closes by the session's clock, from when it was set")
    func window() throws {
        let server = try TestServer()
        server.advance(seconds: 100)
        try server.arm(
            #""when":{"window":{"after":"PT30S","for":"PT10S"}},"then":{"status":503}"#,
            on: TestServer.summaryID
        )
        var statuses = try server.statuses(1)
        for seconds in [29, 1, 9, 1] as [Int64] {
            server.advance(seconds: seconds)
            statuses += try server.statuses(1)
        }
        #expect(statuses == [200, 200, 503, 503, 200])
        #expect(try server.counts() == [2, 5])
        // Only one end.
        for (window, expected) in [
            (#"{"after":"PT2S"}"#, [200, 503, 503]), (#"{"for":"PT2S"}"#, [503, 200, 200]),
        ] {
            try server.arm(
                #""when":{"window":\#(window)},"then":{"status":503}"#,
                on: TestServer.summaryID
            )
            var statuses = try server.statuses(1)
            for _ in 0..<2 {
                server.advance(seconds: 2)
                statuses += try server.statuses(1)
            }
            #expect(statuses == expected, "\(window)")
        }
    }

    @Test("A rate lets 5 through in any 10 seconds, and Retry-After says when the next may come")
    func rate() throws {
        let server = try TestServer()
        try server.arm(
            #""when":{"rate":{"requests":5,"per":"PT10S"}},"then":{"status":429}"#,
            on: TestServer.summaryID
        )
        // At 0, 2, 4, 6 and 8 seconds, then too many.
        for _ in 0..<5 {
            #expect(try server.statuses(1) == [200])
            server.advance(seconds: 2)
        }
        // The window slides: at 10 that of 0 is gone, and one place is free.
        #expect(try server.statuses(1) == [200])
        let refused = try server.get(TestServer.summaryPath)
        #expect(refused.status == 429 && refused.field("retry-after") == "2")
        server.advance(seconds: 1)
        let sooner = try server.get(TestServer.summaryPath)
        #expect(sooner.status == 429 && sooner.field("retry-after") == "1")
        // Each client has a quota of its own.
        #expect(try server.statuses(5, as: "group-partner") == [200, 200, 200, 200, 200])
        #expect(try server.statuses(1, as: "group-partner") == [429])
        server.advance(seconds: 1)
        // What was refused did not count.
        #expect(try server.statuses(2) == [200, 429])
        #expect(try server.counts() == [4, 16])
    }

    @Test("A rate without effects answers 429; one with a transport fault does that")
    func rateEffects() throws {
        let server = try TestServer()
        let rate = #""when":{"rate":{"requests":1,"per":"PT10S"}}"#
        try server.arm(rate, on: TestServer.summaryID)
        #expect(try server.statuses(2) == [200, 429])
        try server.arm(
            rate + #","then":{"transport":"EMPTY_RESPONSE"}"#,
            on: TestServer.summaryID
        )
        #expect(try server.statuses(1) == [200])
        #expect(try server.wireGet().octets.isEmpty)
        #expect(try server.counts() == [1, 2])
    }

    @Test(
        "Who waits as Retry-After says gets through, and who comes a second early does not",
        arguments: ["seconds", "date"]
    )
    func retryAfter(form: String) throws {
        let server = try TestServer()
        try server.arm(
            #""when":{"rate":{"requests":1,"per":"PT7S"}},"#
                + #""then":{"retryAfter":{"form":"\#(form)"}}"#,
            on: TestServer.summaryID
        )
        #expect(try server.statuses(1) == [200])
        let refused = try server.get(TestServer.summaryPath)
        let expected = form == "seconds" ? "7" : "Sun, 01 Jun 2025 00:00:07 GMT"
        #expect(refused.field("retry-after") == expected)
        server.advance(seconds: 6)
        #expect(try server.statuses(1) == [429])
        server.advance(seconds: 1)
        #expect(try server.statuses(1) == [200])
    }

    @Test("A rule ends after its ttl by the session's clock, and stays to be read")
    func ttl() throws {
        let server = try TestServer()
        try server.arm(#""then":{"status":500},"ttl":"PT5M""#, on: TestServer.summaryID)
        #expect(try server.statuses(1) == [500])
        server.advance(seconds: 299)
        #expect(try server.statuses(1) == [500])
        server.advance(seconds: 1)
        #expect(try server.statuses(2) == [200, 200])
        #expect(try server.counts() == [2, 2])
    }

    // MARK: Many at once

    /// The ordinals of the requests that a probability of 0.3 met among a thousand, in the order of the
    /// journal.
    private func failing(_ server: TestServer, connections: Int) throws -> [Int] {
        try server.arm(
            #""when":{"probability":0.3,"seed":7},"then":{"status":503}"#,
            on: "Integrations_ListSites"
        )
        #expect(try server.control("DELETE", "/requests").status == 204)
        let request = try server.requestText("GET", "sites")
        let share = 1000 / connections
        let clients = try (0..<connections).map { _ in
            try RawClient(port: server.listener.port)
        }
        var statuses: [Int] = []
        var answered = 0
        while answered < share {
            // In pipelines of ten, so that all connections are busy at once.
            let count = min(10, share - answered)
            for client in clients { try client.send(String(repeating: request, count: count)) }
            for client in clients {
                for _ in 0..<count { statuses.append(try client.response().status) }
            }
            answered += count
        }
        for _ in statuses.count..<1000 {
            statuses.append(try clients[0].exchange(request).status)
        }
        let failed = statuses.filter { $0 == 503 }.count
        #expect(failed + statuses.filter { $0 == 200 }.count == 1000)
        #expect(try server.counts() == [failed, 1000])
        let entries = try server.entries("?limit=1000").reversed()
        #expect(entries.count == 1000)
        let ordinals = entries.compactMap { $0["fault"]?["ordinal"]?.int }
        #expect(ordinals.count == failed)
        return ordinals
    }

    @Test("The same of 1,000 requests fail in every run, over one connection or sixteen")
    func probability() throws {
        let server = try TestServer()
        let serial = try failing(server, connections: 1)
        #expect((250...350).contains(serial.count))
        // One after the other, the ordinals are the numbers of the requests.
        #expect(serial == serial.sorted() && Set(serial).count == serial.count)
        #expect(try failing(server, connections: 1) == serial)
        for _ in 0..<2 {
            #expect(try failing(server, connections: 16).sorted() == serial)
        }
    }

    @Test("Of many at once exactly so many fall under first and nth")
    func atomic() throws {
        let server = try TestServer()
        try server.arm(
            """
            [{"id":"a","match":{"operation":"Integrations_ListSites"},"when":{"first":7},
              "then":{"status":503}},
             {"id":"b","match":{"operation":"Integrations_ListSites"},"when":{"nth":[3,50,80]},
              "then":{"status":500}}]
            """
        )
        let request = try server.requestText("GET", "sites")
        let clients = try (0..<16).map { _ in try RawClient(port: server.listener.port) }
        for client in clients { try client.send(String(repeating: request, count: 6)) }
        let statuses = try clients.flatMap { client in
            try (0..<6).map { _ in try client.response().status }
        }
        #expect(statuses.filter { $0 == 503 }.count == 7)
        // The third was the first rule's.
        #expect(statuses.filter { $0 == 500 }.count == 2)
        #expect(try server.counts("a") == [7, 96])
        #expect(try server.counts("b") == [2, 96])
    }

    @Test("48 requests that are held back delay nobody else")
    func held() throws {
        // One worker for all: whatever a delay held up would hold up the others, too. And no time
        // passes, so that those which are held back stay so until the others are answered.
        let time = TransportClock.driven()
        let server = try TestServer {
            $0.transport.workers = 1
            $0.transport.clock = time
        }
        try server.arm(#""then":{"delay":"1s"}"#, on: "Integrations_ListSites")
        let request = try server.requestText("GET", "sites")
        let other = try server.requestText()
        let clients = try (0..<48).map { _ in try RawClient(port: server.listener.port) }
        for client in clients { try client.send(request) }
        try eventually("all 48 are there") { try server.counts() == [48, 48] }
        for _ in 0..<50 {
            let client = try RawClient(port: server.listener.port)
            #expect(try client.exchange(other).status == 200)
        }
        let unanswered = try server.entries("?operation=Integrations_ListSites&limit=48")
        #expect(unanswered.count == 48)
        #expect(unanswered.allSatisfy { $0["status"] == .null })
        try #require(time.advance(by: .seconds(1)))
        for client in clients { #expect(try client.response().status == 200) }
    }
}
