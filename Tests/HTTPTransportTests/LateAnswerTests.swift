import HTTPMessage
import HTTPTransport
import Testing
import TestSupport

@Suite("Answers that come late")
struct LateAnswerTests {
    /// More than the buffers of both sides hold, so that the socket is soon full.
    private static let large = [UInt8](repeating: UInt8(ascii: "a"), count: 250_000)

    /// Answers `/large` at once, `/late` and `/broken` a moment later, anything else with its path.
    private func makeServer() throws -> TestListener {
        try TestListener(
            TestHandler { request, exchange in
                switch String(decoding: request.target.path, as: UTF8.self) {
                case "/large": return Reply(HTTPResponse(status: 200, content: Self.large))
                case "/late":
                    exchange.perform(after: .milliseconds(2)) { exchange.send(.text("late")) }
                    return nil
                case "/broken":
                    exchange.perform(after: .milliseconds(2)) {
                        exchange.send(.text("", delivery: Delivery(ending: .raw([0xFF]))))
                    }
                    return nil
                default: return .echo(request)
                }
            }
        )
    }

    @Test(
        "A late answer waits for the octets before it, and reaches no other client",
        arguments: ["/late", "/broken"]
    )
    func blocked(last: String) throws {
        let server = try makeServer()
        let pairs = 40
        let slow = try (0..<2).map { _ in try server.client(receiveBufferOctets: 4096) }
        for client in slow {
            for _ in 0..<pairs { try client.send(get("/large") + get("/late")) }
            try client.send(get("/large") + get(last))
        }
        // Nobody reads; others are served meanwhile, each its own.
        for number in 0..<200 {
            let other = try server.client()
            #expect(try other.exchange(get("/\(number)")).text == "GET /\(number) ")
        }
        for client in slow {
            for _ in 0..<pairs {
                #expect(try client.response().content == Self.large)
                #expect(try client.response().text == "late")
            }
            #expect(try client.response().content == Self.large)
            if last == "/late" {
                #expect(try client.response().text == "late")
            } else {
                #expect(client.readToEnd() == ([0xFF], .end))
            }
        }
    }
}
