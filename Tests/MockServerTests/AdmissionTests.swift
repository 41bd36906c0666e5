import HTTPTransport
import JSON
import MockServer
import TestSupport
import Testing

@Suite("Content that is not taken")
struct AdmissionTests {
    private static let size = 15 << 20

    /// The head of a POST that announces 15 MiB.
    private static func head(
        _ target: String,
        _ lines: String = "",
        method: String = "POST",
        length: Int = size
    ) -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(lines)"
            + "Content-Length: \(length)\r\n\r\n"
    }

    private static let comments = "/integrations/v1/acme/\(TestServer.commentsPath)"
    private static let json = "Content-Type: application/json\r\n"

    /// Requests that are refused for something other than their content, and the status.
    static let refused: [(head: String, status: Int)] = [
        (head("/nowhere", json), 404),
        (head(comments, json, method: "PUT"), 405),
        (head("/openapi.json", json), 405),
        (head(comments, json), 401),
        (head(comments, json + "Authorization: Bearer x.y.z\r\n"), 401),
        (head(comments, "Authorization: Bearer TOKEN\r\nContent-Type: text/plain\r\n"), 415),
        (
            head(
                comments,
                json + "Authorization: Bearer TOKEN\r\nContent-Encoding: gzip\r\n"
            ), 415
        ),
        (
            head(
                comments.replacing("acme", with: "globex"),
                json + "Authorization: Bearer TOKEN\r\n"
            ), 403
        ),
        (head("/oauth2/token", "Content-Type: application/x-www-form-urlencoded\r\n"), 413),
        (head("/__admin/faults", json, method: "PUT"), 413),
        (head("/__admin/nowhere", json, length: 1_000_000), 404),
        (head("/__admin/health", json, length: 1_000_000), 405),
        (head("/__admin/faults", json + "Origin: http://evil.example\r\n", length: 1_000_000), 403),
    ]

    @Test(
        "What route, method, token or type refuses is answered before its content",
        arguments: refused
    )
    func refusedAtOnce(head: String, status: Int) throws {
        let server = try TestServer()
        let head = head.replacing("TOKEN", with: try server.token())
        let before = try server.entries().count
        for variant in [
            head, head.replacing("\r\n\r\n", with: "\r\nExpect: 100-continue\r\n\r\n"),
        ] {
            let client = try RawClient(port: server.listener.port)
            // Not an octet of the content is sent.
            let answer = try client.exchange(variant)
            #expect(answer.status == status)
            #expect(answer.field("connection") == "close")
            #expect(answer.field("x-correlation-id") != nil)
            #expect(client.read() == .end)
        }
        let entries = try server.entries()
        let isJournalled = !head.contains("/__admin")
        #expect(entries.count == before + (isJournalled ? 2 : 0))
        if isJournalled {
            #expect(entries.first?["status"]?.int == status)
            #expect(entries.first?["reason"] != .null)
        }
    }

    @Test("Small content is read, and the connection lives on when its request is refused")
    func smallContent() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.listener.port)
        let content = String(repeating: " ", count: 65_536)
        for _ in 0..<3 {
            let answer = try client.exchange(
                Self.head(Self.comments, Self.json, length: content.utf8.count) + content
            )
            #expect(answer.status == 401 && answer.field("connection") == nil)
        }
    }

    @Test("A rule sees a request whose content is not taken, and acts in its place")
    func ruleBefore() throws {
        let server = try TestServer()
        try server.arm(
            #""then":{"status":503,"retryAfter":3}"#,
            on: "Integrations_CreatePendingReportingAppointmentComment"
        )
        let client = try RawClient(port: server.listener.port)
        let answer = try client.exchange(Self.head(Self.comments, Self.json))
        #expect(answer.status == 503 && answer.field("x-mock-fault") == "r")
        #expect(try server.counts() == [1, 1])
        // What no route has meets no rule.
        let other = try RawClient(port: server.listener.port)
        #expect(try other.exchange(Self.head("/nowhere", Self.json)).status == 404)
        #expect(try server.counts() == [1, 1])
    }

    @Test("The content of sixty clients that may not send any is not kept")
    func unauthorised() throws {
        let server = try TestServer()
        let clients = try (0..<60).map { _ in try RawClient(port: server.listener.port) }
        let content = [UInt8](repeating: 0x20, count: 1 << 20)
        for client in clients {
            try client.send(Self.head(Self.comments, Self.json))
            try client.send(content)
            #expect(server.listener.statistics.heldOctets == 0)
        }
        for client in clients { #expect(try client.response().status == 401) }
    }

    @Test("Content that is taken counts until its answer is there")
    func counted() throws {
        let time = TransportClock.driven()
        let server = try TestServer { $0.transport.clock = time }
        try server.arm(
            #""then":{"delay":"3s"}"#,
            on: "Integrations_CreatePendingReportingAppointmentComment"
        )
        let text = #"{"commentText":"\#(String(repeating: "a", count: 200_000))"}"#
        let client = try RawClient(port: server.listener.port)
        try client.send(try server.requestText("POST", TestServer.commentsPath, [], text))
        try server.awaitStruck()
        #expect(server.listener.statistics.heldOctets == text.utf8.count)
        try #require(time.advance(by: .seconds(3)))
        #expect(try client.response().status == 200)
        try eventually("no content is held") { server.listener.statistics.heldOctets == 0 }
    }
}
