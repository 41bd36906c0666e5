import HTTPTransport
import MockServer
import Synchronization
import TestSupport
import Testing

@Suite("The watchdog of the event loops")
struct WatchdogTests {
    /// What clients do, and the work of the worker that must be watched for it.
    static let works: [(request: String, work: String)] = [
        (
            "GET /integrations/v1/acme/sites HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /integrations"
        ),
        ("GET /__admin/ready HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /__admin/ready"),
        (
            "POST /__admin/reset HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: 2\r\n\r\n{}", "POST /__admin/reset"
        ),
        ("no request\r\n\r\n", "a refusal of"),
    ]

    @Test("Every turn is measured: one that is longer than it may be is told", arguments: works)
    func offence(request: String, work: String) throws {
        let server = try TestServer()
        // Now each turn takes too long.
        server.application.watchdog.limit.store(0, ordering: .relaxed)
        let client = try RawClient(port: server.listener.port)
        _ = try client.exchange(request)
        for work in [work, "the end of an answer", "the end of a batch"] {
            try eventually(work) {
                server.application.watchdog.offences.contains { $0.work.hasPrefix(work) }
            }
        }
        #expect(server.application.watchdog.offences.allSatisfy { $0.nanoseconds > 0 })
    }

    @Test("The departure of a client is measured, too")
    func departure() throws {
        let server = try TestServer()
        try server.arm(#""then":{"delay":"PT125S"}"#, on: TestServer.summaryID)
        server.application.watchdog.limit.store(0, ordering: .relaxed)
        let client = try RawClient(port: server.listener.port)
        try client.send(try server.requestText())
        try server.awaitStruck()
        client.close()
        try eventually("the departure") {
            server.application.watchdog.offences.contains { $0.work == "the departure of a client" }
        }
    }
}
