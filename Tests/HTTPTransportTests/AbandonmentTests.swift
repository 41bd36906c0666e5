import Glibc
import HTTPMessage
import HTTPTransport
import Synchronization
import TestSupport
import Testing

@Suite("Clients that leave, and what they leave behind")
struct AbandonmentTests {
    /// Holds on to nothing but tells when it is let go.
    private final class Witness: Sendable {
        let gone: Queue<Int>

        init(_ gone: Queue<Int>) { self.gone = gone }

        deinit { gone.push(1) }
    }

    @Test("A held up request is let go, and its work done, as soon as its client is gone")
    func abandonedDelay() throws {
        let done = Queue<Int>()
        let gone = Queue<Int>()
        let server = try TestListener(
            TestHandler { request, exchange in
                let witness = Witness(gone)
                exchange.perform(after: .seconds(86_400), ticket: 7) {
                    done.push(request.content.count)
                    withExtendedLifetime(witness) { exchange.send(.text("nobody", ticket: 7)) }
                }
                return nil
            },
            isDriven: true
        )
        let size = 900_000
        let clients = try (0..<8).map { _ in try server.client() }
        for client in clients { try client.send(post(String(repeating: "x", count: size))) }
        for _ in clients { #expect(server.handler.received.next() == 1) }
        #expect(server.listener.statistics.heldOctets == clients.count * size)
        for client in clients { client.reset() }
        for _ in clients {
            #expect(done.next() == size)
            #expect(server.handler.delivered.next()?.report.outcome == .clientLeft)
            #expect(gone.next() == 1)
        }
        // One that only ends its side is heard out for the grace, and no longer.
        let client = try server.client()
        try client.send(post("abc"))
        #expect(server.handler.received.next() == 1)
        client.close()
        for _ in 0..<8 { _ = server.handler.departed.next() }
        #expect(server.handler.departed.next() != nil)
        #expect(done.next(within: 0) == nil)
        try server.advance(by: .seconds(5))
        #expect(done.next() == 3)
        #expect(gone.next() == 1)
        for _ in 0..<9 { _ = server.handler.open.next() }
        // The last reference goes when the loop has ended its round.
        server.listener.stop(grace: .zero)
        #expect(server.listener.statistics.heldOctets == 0)
    }

    @Test(
        "A client that leaves behind more than its socket holds is noticed, whatever it waits for",
        arguments: [
            Delivery(ending: .hang(maximum: nil)), Delivery(delay: .seconds(86_400)),
            Delivery(drip: (10, .seconds(86_400))), Delivery(bytesPerSecond: 1),
        ],
        [1, 3 << 20]
    )
    func leavesOctets(delivery: Delivery, octets: Int) throws {
        let content = String(repeating: "0123456789", count: 10)
        let server = try TestListener(
            TestHandler { _, _ in .text(content, delivery: delivery, ticket: 7) },
            isDriven: true
        ) { $0.departureGrace = .seconds(5) }
        let client = try server.client()
        let request = get("/", "X: \(String(repeating: "x", count: 900))\r\n")
        try client.send(request)
        #expect(server.handler.received.next() == 1)
        try client.send(String(repeating: request, count: octets / request.utf8.count + 1))
        client.finishSending()
        #expect(server.handler.departed.next()?.ticket == 7)
        client.close()
        if case .hang = delivery.ending {
            #expect(server.handler.delivered.next()?.report.outcome == .clientLeft)
        } else {
            // What is sent next is answered by a reset.
            var report: DeliveryReport?
            for _ in 0..<200 where report == nil {
                server.clock.move(by: .seconds(20_000))
                report = server.handler.delivered.next(within: 1)?.report
            }
            #expect(report?.outcome == .clientLeft)
        }
        server.listener.stop(grace: .zero)
        #expect(server.listener.statistics.heldOctets == 0)
    }

    @Test("A request left open is let go, too, though its client has left octets behind")
    func leavesOctetsBehindAnOpenRequest() throws {
        let server = try TestListener(
            TestHandler { _, exchange in
                exchange.perform(after: .seconds(86_400), ticket: 7) {}
                return nil
            },
            isDriven: true
        )
        let client = try server.client()
        try client.send(post("abc"))
        let exchange = try #require(server.handler.open.next())
        try client.send([UInt8](repeating: 0x41, count: 6 << 20))
        client.close()
        #expect(server.handler.departed.next()?.ticket == 7)
        try server.advance(by: .seconds(5))
        // Another connection on the same worker: it has done what was due.
        _ = try server.client()
        while !exchange.isClosed { sched_yield() }
    }

    @Test("Requests behind one that waits are kept, up to a bound, and answered in their order")
    func pipelineBehindWait() throws {
        let server = try TestListener(
            TestHandler { request, _ in
                request.target.path == Array("/wait".utf8) ? nil : .echo(request)
            }
        )
        let client = try server.client()
        let count = 4000
        let paths = (0..<count).map { "/\($0)\(String(repeating: "x", count: 100))" }
        try client.send(get("/wait") + paths.map { get($0) }.joined())
        let exchange = try #require(server.handler.open.next())
        exchange.send(.text("at last"))
        #expect(try client.response().text == "at last")
        for path in paths { #expect(try client.response().text == "GET \(path) ") }
    }

    @Test("A stop waits for nobody who has left")
    func stopAndLeft() throws {
        let done = Queue<Int>()
        let server = try TestListener(
            TestHandler { request, exchange in
                if request.target.path == Array("/open".utf8) {
                    exchange.perform(after: .seconds(30), ticket: 1) { done.push(1) }
                    return nil
                }
                return .text("0", delivery: Delivery(delay: .seconds(30)), ticket: 2)
            },
            isDriven: true
        )
        let open = try server.client()
        let late = try server.client()
        let sending = try server.client()
        try open.send(get("/open"))
        try late.send(get("/late"))
        for _ in 1...2 { #expect(server.handler.received.next() == 1) }
        try sending.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel")
        for client in [open, late, sending] { client.close() }
        for _ in 1...2 { #expect(server.handler.departed.next() != nil) }
        // The clock stands still: a stop that waited for anything would never end.
        server.listener.stop(grace: .seconds(5))
        #expect(done.next(within: 0) == 1, "what was held up is not lost")
        #expect(server.listener.statistics.openConnections == 0)
    }

    @Test("A client that leaves while the server stops is not waited for either")
    func leavesDuringStop() throws {
        let server = try TestListener(
            TestHandler { _, _ in .text("0", delivery: Delivery(delay: .seconds(30)), ticket: 2) },
            isDriven: true
        )
        let client = try server.client()
        try client.send(get())
        #expect(server.handler.received.next() == 1)
        let stopped = Queue<Int>()
        let listener = server.listener
        spawn {
            listener.stop(grace: .seconds(5))
            stopped.push(1)
        }
        // The socket no longer listens: the stop has begun.
        try eventually("the listener is closed") {
            (try? RawClient(port: listener.port)) == nil
        }
        client.close()
        #expect(stopped.next() == 1)
    }
}
