import Glibc
import HTTPMessage
import HTTPTransport
import Synchronization
import TestSupport
import Testing
import Time

@Suite("Limits and time-outs")
struct LimitTests {
    @Test("A head that does not end is answered 408")
    func headTimeout() throws {
        let server = try TestListener { $0.headTimeout = .milliseconds(30) }
        let client = try server.client()
        #expect(try client.exchange(get()).status == 200)
        try client.send("GET / HTTP/1.1\r\n")
        let response = try client.response()
        #expect(response.status == 408)
        #expect(response.text == "headTimeout")
        #expect(response.field("connection") == "close")
        #expect(client.read() == .end)
    }

    @Test("A head has its time from its first octet, however busily it drips")
    func drippedHead() throws {
        let server = try TestListener { $0.headTimeout = .milliseconds(50) }
        let client = try server.client()
        try client.send("GET / HTTP/1.1\r\nA: ")
        let start = MonotonicTime.now()
        while MonotonicTime.now() < start + 5_000_000_000 {
            do { try client.send("b") } catch { break }
            if server.handler.refused.next(within: 0) == .headTimeout { return }
        }
        Issue.record("the head was never refused")
    }

    @Test("Content that stops is answered 408")
    func contentTimeout() throws {
        let server = try TestListener { $0.contentTimeout = .milliseconds(30) }
        let client = try server.client()
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel")
        #expect(try client.response().text == "contentTimeout")
        #expect(client.read() == .end)
    }

    @Test("A connection without a request closes silently", arguments: [false, true])
    func idleTimeout(afterRequest: Bool) throws {
        let server = try TestListener { $0.idleTimeout = .milliseconds(30) }
        let client = try server.client()
        if afterRequest { _ = try client.exchange(get()) }
        #expect(client.read() == .end)
    }

    @Test("An answer that nobody reads is given up")
    func stalledReader() throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 20)
        let server = try TestListener(TestHandler { _, _ in .text(large, ticket: 1) }) {
            $0.idleTimeout = .milliseconds(50)
        }
        let client = try server.client(receiveBufferOctets: 4096)
        try client.send(get())
        let delivered = try #require(server.handler.delivered.next())
        #expect(delivered.report.outcome == .clientLeft)
        #expect(client.readToEnd().ending == .reset)
    }

    @Test("A request is answered at its own pace: no time-out while the handler thinks")
    func thinkingTime() throws {
        let server = try TestListener(TestHandler { _, _ in nil }) {
            $0.idleTimeout = .milliseconds(10)
            $0.headTimeout = .milliseconds(10)
            $0.contentTimeout = .milliseconds(10)
        }
        let client = try server.client()
        try client.send(post("hello"))
        let exchange = try #require(server.handler.open.next())
        // Idle connections of the same worker have come and gone meanwhile.
        for _ in 0..<3 { #expect(try server.client().read() == .end) }
        exchange.send(.text("at last"))
        #expect(try client.response().text == "at last")
    }

    @Test("Announced content that is too large is refused before it is sent")
    func earlyTooLarge() throws {
        let server = try TestListener(
            TestHandler(admit: { _ in .content(maximumOctets: 10) })
        )
        let client = try server.client()
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n")
        let response = try client.response()
        #expect(response.status == 413)
        #expect(response.field("connection") == "close")
        #expect(client.read() == .end)
        #expect(try server.client().exchange(post("0123456789")).text == "POST / 0123456789")
    }

    @Test("A client that sends all of its large content can still read the refusal")
    func tooLargeAndSent() throws {
        let server = try TestListener(
            TestHandler(admit: { _ in .content(maximumOctets: 10) })
        )
        let client = try server.client()
        try client.send(post(String(repeating: "x", count: 8 << 20)))
        #expect(try client.response().status == 413)
        #expect(client.read() == .end)
    }

    @Test("Chunked content is refused when it becomes too large")
    func chunkedTooLarge() throws {
        let server = try TestListener(
            TestHandler(admit: { _ in .content(maximumOctets: 10) })
        )
        let client = try server.client()
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        try client.send(head + "8\r\n01234567\r\n")
        try client.send("8\r\n")
        #expect(try client.response().text == "contentTooLarge(limit: 10)")
        #expect(client.read() == .end)
    }

    @Test("A refused admission closes while content is outstanding, and only then")
    func refusedAdmission() throws {
        let server = try TestListener(
            TestHandler(admit: { head in
                head.method == .put ? .refuse(.text("no")) : .content(maximumOctets: 10)
            })
        )
        let client = try server.client()
        let put = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
        // All of the content has come with the head: it is skipped.
        #expect(try client.exchange(put + "hello" + get("/next")).text == "no")
        #expect(try client.response().text == "GET /next ")
        let response = try client.exchange(put)
        #expect(response.text == "no")
        #expect(response.field("connection") == "close")
        #expect(client.read() == .end)
    }

    @Test("100 is sent when the content is wanted and has not come (9110 §10.1.1)")
    func expectContinue() throws {
        let server = try TestListener()
        let client = try server.client()
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        try client.send(head)
        #expect(try client.readHead() == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(try client.exchange("hello").text == "POST / hello")
        #expect(try client.exchange(head + "hello").status == 200, "it came unasked")
    }

    @Test("No 100 is sent where the content is refused")
    func expectRefused() throws {
        let server = try TestListener(TestHandler(admit: { _ in .refuse(.text("no")) }))
        let client = try server.client()
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        let response = try client.exchange(head)
        #expect(response.text == "no")
        #expect(response.field("connection") == "close")
        #expect(client.read() == .end)
    }

    @Test("Another expectation is 417")
    func otherExpectation() throws {
        let server = try TestListener()
        let client = try server.client()
        #expect(try client.exchange(get("/", "Expect: 42\r\n")).status == 417)
        #expect(client.read() == .end)
    }

    @Test("A connection too many is answered 503 unasked, and the next one is served again")
    func maximumConnections() throws {
        let server = try TestListener { $0.maximumConnections = 2 }
        let first = try server.client()
        let second = try server.client()
        _ = try first.exchange(get())
        _ = try second.exchange(get())
        let third = try server.client()
        #expect(try third.response().status == 503)
        #expect(third.read() == .end)
        #expect(server.handler.refused.next() == .tooManyConnections)
        third.close()
        second.close()
        // The server notices in its own time.
        var response: RawClient.Response?
        for _ in 0..<1000 where response?.status != 200 {
            response = try? server.client().exchange(get())
        }
        #expect(response?.status == 200)
        #expect(try first.exchange(get()).status == 200)
    }

    @Test("Stopping closes idle connections at once, and lets running answers end")
    func stop() throws {
        let server = try TestListener(
            TestHandler { request, _ in
                request.target.path == Array("/slow".utf8)
                    ? .text("slow", delivery: Delivery(delay: .seconds(3))) : .text("")
            },
            isDriven: true
        )
        let idle = try server.client()
        let partial = try server.client()
        let busy = try server.client()
        _ = try idle.exchange(get())
        try partial.send("GET / HT")
        try busy.send(get("/slow"))
        for _ in 1...2 { #expect(server.handler.received.next() == 1) }
        let stopped = Queue<Int>()
        let listener = server.listener
        spawn {
            listener.stop(grace: .seconds(5))
            stopped.push(1)
        }
        // At once, though the clock stands still.
        #expect(idle.read() == .end)
        try server.advance(by: .seconds(3))
        #expect(partial.readToEnd().octets.isEmpty)
        #expect(try busy.response().text == "slow")
        #expect(busy.read() == .end)
        busy.close()
        #expect(stopped.next() == 1)
        #expect(server.listener.statistics.openConnections == 0)
        #expect(throws: RawClient.Failure.self) { try server.client() }
    }

    @Test("Stopping cuts a silence at once, and everything else when the grace is over")
    func stopWithoutGrace() throws {
        let server = try TestListener(
            TestHandler { request, _ in
                request.target.path == Array("/hang".utf8)
                    ? .text("", delivery: Delivery(ending: .hang(maximum: nil)), ticket: 1)
                    : .text("", delivery: Delivery(delay: .seconds(3600)), ticket: 2)
            }
        )
        let hanging = try server.client()
        let slow = try server.client()
        try hanging.send(get("/hang"))
        try slow.send(get("/slow"))
        for _ in 1...2 { #expect(server.handler.received.next() == 1) }
        server.listener.stop(grace: .milliseconds(20))
        let outcomes = [server.handler.delivered.next(), server.handler.delivered.next()]
        #expect(outcomes.allSatisfy { $0?.report.outcome == .cut })
        #expect(outcomes.compactMap { $0?.ticket }.sorted() == [1, 2])
        server.listener.stop(grace: .zero)
    }

    @Test("A listener that never started can be stopped")
    func stopUnstarted() throws {
        var configuration = TransportConfiguration()
        configuration.port = 0
        let listener = try Listener(configuration: configuration, handler: TestHandler())
        let port = listener.port
        _ = try RawClient(port: port)
        listener.stop(grace: .seconds(1))
        #expect(throws: RawClient.Failure.self) { try RawClient(port: port) }
    }
}

/// The machine sleeps, or a debugger stops the process: the clock runs on, the sockets wait.
@Suite("Time limits and what has arrived")
struct ArrivalTests {
    /// Holds up the worker, as a stop of the process would, until it is let go.
    private final class Gate: Sendable {
        let entered = Queue<Int>()
        let leave = Queue<Int>()

        func pass() {
            entered.push(1)
            _ = leave.next(within: 30)
        }
    }

    @Test(
        "What has arrived is read before a time limit is enforced",
        arguments: ["idle", "head", "content"]
    )
    func arrivedInTime(limit: String) throws {
        let gate = Gate()
        let server = try TestListener(
            TestHandler { request, _ in
                if request.target.path == Array("/gate".utf8) { gate.pass() }
                return .echo(request)
            },
            isDriven: true
        )
        let client = try server.client()
        #expect(try client.exchange(get()).status == 200)
        let request = post("hello")
        let sent: Int =
            switch limit {
            case "idle": 0
            case "head": 10
            default: request.utf8.count - 3
            }
        let octets = Array(request.utf8)
        try client.send(Array(octets[..<sent]))
        // On the same worker; once it is there, so is what was sent before.
        let other = try server.client()
        for _ in 0..<3 { #expect(try other.exchange(get()).status == 200) }
        try other.send(get("/gate"))
        #expect(gate.entered.next() == 1)
        // The worker stands still; the rest comes, and then every limit is over.
        try client.send(Array(octets[sent...]))
        server.clock.move(by: .seconds(1000))
        gate.leave.push(1)
        #expect(try client.response().text == "POST / hello")
        #expect(try other.response().text == "GET /gate ")
        // Nothing further has come: now the limit holds.
        try server.advance(by: .seconds(75))
        #expect(client.read() == .end)
    }
}
