import Contract
import HTTPTransport
import JSON
import MockServer
import Testing
import Time
import TestSupport

@Suite("Clients that give up")
struct DepartureTests {
    /// The newest entry, once `isDone` says that it is what is waited for.
    private func entry(
        _ server: TestServer,
        until isDone: (JSONValue) -> Bool
    ) throws -> JSONValue {
        var found: JSONValue?
        try eventually("the journal shows it") {
            found = try server.entries("?limit=1").first
            return found.map(isDone) ?? false
        }
        return try #require(found)
    }

    private func result(_ id: String, _ server: TestServer) throws -> String? {
        try server.control("GET", "/verdict").json["checks"]?.array?
            .first { $0["id"]?.string == id }?["result"]?.string
    }

    @Test(
        "When a client gives up is known at once, however long its answer is still held up",
        arguments: [
            #"{"delay":"PT125S"}"#, #"{"delay":"PT125S","phase":"after"}"#,
            #"{"delay":"PT125S","status":503}"#, #"{"transport":"HANG"}"#,
        ],
        [false, true]
    )
    func givesUp(effects: String, resets: Bool) throws {
        let server = try TestServer()
        try server.arm(#""when":{"first":1},"then":\#(effects)"#, on: TestServer.summaryID)
        let client = try RawClient(port: server.listener.port)
        try client.send(try server.requestText())
        // It is seen while it runs.
        let held = try entry(server) { $0["fault"]?["rule"]?.string == "r" }
        #expect(held["answer"]?["delivery"] == "pending")
        #expect(try result("retry.retries-transient", server) == "not-exercised")
        if resets { client.reset() } else { client.close() }
        let left = try entry(server) { $0["answer"]?["delivery"] == "client-left" }
        #expect(left["id"] == held["id"])
        let times = try #require(left["monotonicSeconds"])
        let arrival = try #require(times["arrival"]?.double)
        let end = try #require(times["lastOctet"]?.double)
        // The answer itself is held up for longer, or for good.
        #expect((arrival..<(arrival + 125)).contains(end))
        // The retry is one, and nothing is held against the client.
        #expect(try server.statuses(1) == [200])
        #expect(try result("retry.retries-transient", server) == "pass")
        #expect(try result("transport.times-out", server) == "pass")
    }

    @Test("A client that has only ended its side gets its late answer, and the journal says so")
    func halfClose() throws {
        let server = try TestServer()
        try server.arm(#""then":{"delay":"100ms"}"#, on: TestServer.summaryID)
        let client = try RawClient(port: server.listener.port)
        try client.send(try server.requestText())
        client.finishSending()
        #expect(try client.response().status == 200)
        client.close()
        let answered = try entry(server) { $0["answer"]?["delivery"] == "complete" }
        #expect(answered["status"] == 200 && answered["fault"]?["effects"] == ["delay"])
        #expect(try server.control("GET", "/requests/count").json["count"] == 2)
    }

    @Test("An operation that was held up runs though its client has left, and is one entry")
    func runsAll() throws {
        let time = TransportClock.driven()
        let server = try TestServer { $0.transport.clock = time }
        let path = "reporting/appointments/A123456/report"
        try server.arm(
            #""when":{"first":1},"then":{"delay":"100ms"}"#,
            on: "Integrations_SubmitPendingReportingAppointmentReport"
        )
        let client = try RawClient(port: server.listener.port)
        try client.send(
            try server.requestText(
                "POST",
                path,
                [("Idempotency-Key", "k")],
                #"{"reportText":"Clear.","reportStatus":"final"}"#
            )
        )
        _ = try entry(server) { $0["fault"]?["rule"]?.string == "r" }
        client.close()
        _ = try entry(server) { $0["answer"]?["delivery"] == "client-left" }
        try #require(time.advance(by: .milliseconds(100)))
        let done = try entry(server) { $0["committed"] == true }
        #expect(done["answer"]?["delivery"] == "client-left")
        #expect(done["status"] == 200 && done["idempotency"] == "first")
        let again = try server.post(
            path,
            ["reportText": "Clear.", "reportStatus": "final"],
            key: "k"
        )
        #expect(again.field("idempotency-replayed") == "true")
        #expect(
            try server.control("GET", "/requests/count?status=2xx").json["count"] == 3
        )
    }

    @Test("Where a silent fault takes the operation's place, the journal has no status")
    func noStatus() throws {
        let server = try TestServer()
        for transport in ["CONNECTION_RESET_BY_PEER", "EMPTY_RESPONSE", "HANG"] {
            for (phase, status) in [("before", JSONValue.null), ("after", 200)] {
                try server.arm(
                    #""then":{"transport":"\#(transport)","phase":"\#(phase)"},"ttl":"1s""#,
                    on: TestServer.summaryID
                )
                let answer = try server.wireGet(patienceSeconds: 0.1)
                #expect(answer.octets.isEmpty)
                let newest = try entry(server) { $0["answer"]?["delivery"] != "pending" }
                #expect(newest["status"] == status, "\(transport) \(phase)")
            }
        }
        #expect(try server.control("GET", "/requests/count?status=5xx").json["count"] == 0)
    }
}
