import HTTPMessage
import HTTPTransport
import Synchronization
import TestSupport
import Testing
import Time

@Suite("Answers that go on")
struct StreamTests {
    /// What a stream told of itself.
    final class Notices: Sendable {
        let emptied = Queue<Bool>()
        let ended = Queue<Bool>()
    }

    /// A server whose every answer goes on, and hands out what brings more of it.
    private struct Source {
        let server: TestListener
        let notices = Notices()
        let stream: ReplyStream
        let exchanges: Queue<Exchange>

        init(isDriven: Bool = false) throws {
            let exchanges = Queue<Exchange>()
            let notices = notices
            let stream = ReplyStream(
                emptied: { notices.emptied.push(true) },
                ended: { notices.ended.push(true) }
            )
            self.stream = stream
            self.exchanges = exchanges
            server = try TestListener(
                TestHandler { _, exchange in
                    exchanges.push(exchange)
                    return .text(
                        "begin;",
                        delivery: Delivery(ending: .stream(stream)),
                        ticket: 7,
                        closesConnection: true
                    )
                },
                isDriven: isDriven
            )
        }

        func report() throws -> DeliveryReport {
            let delivered = try #require(server.handler.delivered.next())
            #expect(delivered.ticket == 7)
            return delivered.report
        }
    }

    static let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

    @Test("What is brought is sent in its order, without a length, until the source ends it")
    func whole() throws {
        let source = try Source()
        let client = try source.server.client()
        try client.send(get())
        let exchange = try #require(source.exchanges.next())
        for part in ["one;", "", "two;"] { exchange.stream(Array(part.utf8)) }
        #expect(try client.read(exactly: 6 + Self.head.utf8.count).count > 0)
        exchange.stream(Array("three;".utf8))
        exchange.endStream()
        exchange.stream(Array("too late".utf8))
        let (octets, ending) = client.readToEnd()
        #expect(String(decoding: octets, as: UTF8.self) == "one;two;three;")
        #expect(ending == .end)
        let report = try source.report()
        #expect(report.outcome == .complete)
        #expect(report.octetsSent == Self.head.utf8.count + 6 + 14)
        let sent = source.stream.sentOctets.load(ordering: .relaxed)
        #expect(sent == 14)
        #expect(source.notices.ended.next() == true)
    }

    @Test("HEAD ends behind the head")
    func head() throws {
        let source = try Source()
        let client = try source.server.client()
        try client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        let (octets, ending) = client.readToEnd()
        #expect(String(decoding: octets, as: UTF8.self) == Self.head)
        #expect(ending == .end)
        #expect(source.notices.ended.next() == true)
    }

    @Test("A client that does not read leaves octets waiting, and is told everything in the end")
    func slow() throws {
        let source = try Source()
        let client = try source.server.client()
        try client.send(get())
        let exchange = try #require(source.exchanges.next())
        let part = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        // More than any socket holds.
        for _ in 0..<16 { exchange.stream(part) }
        source.stream.awaitsEmptiness.store(true, ordering: .releasing)
        exchange.endStream()
        let (octets, ending) = client.readToEnd()
        #expect(octets.count == Self.head.utf8.count + 6 + 16 << 20)
        #expect(ending == .end)
        #expect(source.notices.emptied.next() == true)
        #expect(source.notices.ended.next() == true)
        #expect(try source.report().outcome == .complete)
    }

    @Test("It is told when everything has been sent, once for each time it was asked for")
    func emptiness() throws {
        let source = try Source()
        let client = try source.server.client()
        try client.send(get())
        let exchange = try #require(source.exchanges.next())
        for part in ["a", "b"] {
            source.stream.awaitsEmptiness.store(true, ordering: .releasing)
            exchange.stream(Array(part.utf8))
            #expect(source.notices.emptied.next() == true)
            let awaitsMore = source.stream.awaitsEmptiness.load(ordering: .acquiring)
            #expect(!awaitsMore)
        }
    }

    @Test("A client that leaves ends it, however it leaves", arguments: ["fin", "reset", "half"])
    func departure(how: String) throws {
        let source = try Source()
        let client = try source.server.client()
        try client.send(get())
        let exchange = try #require(source.exchanges.next())
        _ = try client.read(exactly: 6 + Self.head.utf8.count)
        switch how {
        case "fin": client.close()
        case "reset": client.reset()
        default: client.finishSending()
        }
        #expect(source.notices.ended.next() == true)
        #expect(try source.report().outcome == .clientLeft)
        #expect(exchange.isClosed)
        // What comes now goes nowhere.
        exchange.stream([1])
        exchange.endStream()
        let other = try source.server.client()
        try other.send(get())
        #expect(try other.readHead() == Self.head)
    }

    @Test("When the server stops it ends at once, whatever the grace, read or not")
    func stop() throws {
        // The time stands still: nobody could wait for the grace to be over.
        let source = try Source(isDriven: true)
        let clients = try (0..<2).map { _ in
            try source.server.client(receiveBufferOctets: 4096)
        }
        for client in clients { try client.send(get()) }
        for _ in 0..<2 {
            let exchange = try #require(source.exchanges.next())
            exchange.stream([UInt8](repeating: 1, count: 16 << 20))
        }
        // One has read something, the other nothing.
        _ = try clients[0].readHead()
        let stopped = Queue<Bool>()
        let listener = source.server.listener
        spawn {
            listener.stop(grace: .seconds(3600))
            stopped.push(true)
        }
        #expect(stopped.next(within: 60) == true)
        #expect(source.notices.ended.next() == true)
        #expect(source.notices.ended.next() == true)
    }

    @Test("Octets for a request that is not that stream are dropped")
    func strayOctets() throws {
        let open = Queue<Exchange>()
        let server = try TestListener(
            TestHandler { request, exchange in
                open.push(exchange)
                return .echo(request)
            }
        )
        let client = try server.client()
        let first = try client.exchange(get("/a"))
        let exchange = try #require(open.next())
        exchange.stream(Array("stray".utf8))
        exchange.endStream()
        #expect(first.text == "GET /a ")
        #expect(try client.exchange(get("/b")).text == "GET /b ")
    }
}
