import HTTPMessage
import HTTPTransport
import Synchronization
import TestSupport
import Testing
import Time

@Suite("Deliveries")
struct DeliveryTests {
    /// Ten octets of content.
    static let content = "0123456789"
    static let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"

    /// A server that delivers its content like this, with ticket 7.
    private func server(_ delivery: Delivery, content: String = content) throws -> TestListener {
        try TestListener(TestHandler { _, _ in .text(content, delivery: delivery, ticket: 7) })
    }

    private func report(_ server: TestListener) throws -> DeliveryReport {
        let delivered = try #require(server.handler.delivered.next())
        #expect(delivered.ticket == 7)
        return delivered.report
    }

    /// What each delivery looks like to the client that asks once.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let delivery: Delivery
        let octets: String
        let ending: RawClient.Reading
        let outcome: DeliveryReport.Outcome
    }

    static let cases: [Case] = [
        Case(
            testDescription: "cut within the content",
            delivery: Delivery(truncateAfter: 4),
            octets: head + "0123",
            ending: .end,
            outcome: .cut
        ),
        Case(
            testDescription: "cut before the content",
            delivery: Delivery(truncateAfter: 0),
            octets: head,
            ending: .end,
            outcome: .cut
        ),
        Case(
            testDescription: "cut behind the content",
            delivery: Delivery(truncateAfter: 100),
            octets: head + content,
            ending: .end,
            outcome: .complete
        ),
        Case(
            testDescription: "a reset",
            delivery: Delivery(ending: .reset),
            octets: "",
            ending: .reset,
            outcome: .cut
        ),
        Case(
            testDescription: "a late reset",
            delivery: Delivery(delay: .milliseconds(5), ending: .reset),
            octets: "",
            ending: .reset,
            outcome: .cut
        ),
        Case(
            testDescription: "a FIN without an octet",
            delivery: Delivery(ending: .empty),
            octets: "",
            ending: .end,
            outcome: .cut
        ),
        Case(
            testDescription: "a silence that ends",
            delivery: Delivery(ending: .hang(maximum: .milliseconds(5))),
            octets: "",
            ending: .end,
            outcome: .cut
        ),
        Case(
            testDescription: "a silence within the content",
            delivery: Delivery(truncateAfter: 3, ending: .hang(maximum: .milliseconds(5))),
            octets: head + "012",
            ending: .end,
            outcome: .cut
        ),
        Case(
            testDescription: "raw octets",
            delivery: Delivery(ending: .raw(Array("\u{1}garbage".utf8))),
            octets: "\u{1}garbage",
            ending: .end,
            outcome: .cut
        ),
        Case(
            testDescription: "a malformed chunk",
            delivery: Delivery(ending: .malformedChunk),
            octets:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\nnot-a-size\r\n",
            ending: .end,
            outcome: .cut
        ),
        Case(
            testDescription: "a cut that is late and slow",
            delivery: Delivery(
                delay: .milliseconds(2),
                truncateAfter: 6,
                drip: (3, .milliseconds(6)),
                bytesPerSecond: 2000
            ),
            octets: head + "012345",
            ending: .end,
            outcome: .cut
        ),
    ]

    @Test("Each delivery is what it says, to the octet", arguments: cases)
    func onTheWire(_ row: Case) throws {
        let server = try server(row.delivery)
        let client = try server.client()
        try client.send(get())
        let (octets, ending) = client.readToEnd()
        #expect(String(decoding: octets, as: UTF8.self) == row.octets)
        #expect(ending == row.ending)
        let report = try report(server)
        #expect(report.outcome == row.outcome)
        #expect(report.octetsSent == row.octets.utf8.count)
        #expect((report.firstOctet == 0) == row.octets.isEmpty)
        #expect(report.firstOctet <= report.lastOctet)
    }

    @Test("A reset may follow part of the content")
    func resetWithinContent() throws {
        let server = try server(Delivery(truncateAfter: 2, ending: .reset))
        let client = try server.client()
        try client.send(get())
        let (octets, ending) = client.readToEnd()
        #expect(ending == .reset)
        // A reset may overtake what was sent, but nothing else may come.
        #expect((Self.head + "01").utf8.starts(with: octets))
        #expect(try report(server).octetsSent == Self.head.utf8.count + 2)
    }

    @Test("A whole answer is reported, and the connection goes on")
    func plain() throws {
        let server = try server(Delivery())
        let client = try server.client()
        for _ in 0..<2 {
            let before = MonotonicTime.now()
            #expect(try client.exchange(get()).text == Self.content)
            let report = try report(server)
            #expect(report.outcome == .complete)
            #expect(report.octetsSent == Self.head.utf8.count + 10)
            #expect(before < report.firstOctet && report.firstOctet <= report.lastOctet)
            #expect(report.lastOctet < MonotonicTime.now())
        }
    }

    @Test("An answer without a ticket is not reported")
    func withoutTicket() throws {
        let server = try TestListener(
            TestHandler { request, exchange in
                .text("", ticket: exchange.requestOrdinal == 1 ? 0 : 9)
            }
        )
        let client = try server.client()
        _ = try client.exchange(get())
        _ = try client.exchange(get())
        #expect(server.handler.delivered.next()?.ticket == 9)
    }

    @Test(
        "A slow answer takes its time, comes whole, and the connection goes on",
        arguments: [
            (Delivery(delay: .milliseconds(40)), 40, 40),
            (Delivery(drip: (5, .milliseconds(50))), 0, 50),
            (Delivery(bytesPerSecond: 200), 0, 50),
            (Delivery(delay: .milliseconds(20), drip: (2, .milliseconds(30))), 20, 50),
            (Delivery(drip: (2, .milliseconds(60)), bytesPerSecond: 1000), 0, 60),
            (Delivery(drip: (2, .milliseconds(10)), bytesPerSecond: 200), 0, 50),
            (Delivery(drip: (1000, .milliseconds(30))), 0, 30),
            (Delivery(drip: (0, .zero)), 0, 0),
        ] as [(Delivery, UInt64, UInt64)]
    )
    func slow(delivery: Delivery, firstMilliseconds: UInt64, lastMilliseconds: UInt64) throws {
        let server = try server(delivery)
        let client = try server.client()
        for _ in 0..<2 {
            let start = MonotonicTime.now()
            #expect(try client.exchange(get()).text == Self.content)
            let end = MonotonicTime.now()
            let report = try report(server)
            #expect(report.outcome == .complete)
            #expect(report.firstOctet >= start + firstMilliseconds * 1_000_000)
            #expect(report.lastOctet >= start + lastMilliseconds * 1_000_000)
            #expect(report.lastOctet <= end)
        }
    }

    @Test("The head of a slow answer comes first, and no burst behind it")
    func headFirst() throws {
        let server = try server(Delivery(bytesPerSecond: 20))
        let client = try server.client()
        try client.send(get())
        let start = MonotonicTime.now()
        #expect(try client.readHead() == Self.head)
        #expect(try client.read(exactly: 2) == Array("01".utf8))
        #expect(MonotonicTime.now() >= start + 90_000_000)
        client.reset()
        #expect(try report(server).outcome == .clientLeft)
    }

    @Test("A delayed answer delays those behind it, and nobody else")
    func delayInPipeline() throws {
        let server = try TestListener(
            TestHandler { request, exchange in
                let path = String(decoding: request.target.path, as: UTF8.self)
                return .text(
                    path,
                    delivery: Delivery(delay: path == "/slow" ? .seconds(3) : .zero),
                    ticket: UInt64(exchange.requestOrdinal)
                )
            },
            isDriven: true
        )
        let slow = try server.client()
        try slow.send(get("/1") + get("/slow") + get("/3"))
        #expect(try slow.response().text == "/1")
        let other = try server.client()
        // The clock stands still meanwhile.
        for _ in 0..<10 { #expect(try other.exchange(get("/other")).text == "/other") }
        try server.advance(by: .seconds(3))
        #expect(try slow.response().text == "/slow")
        #expect(try slow.response().text == "/3")
    }

    @Test("HEAD has no content to cut")
    func headRequest() throws {
        let server = try server(Delivery(truncateAfter: 3))
        let client = try server.client()
        try client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        let (octets, ending) = client.readToEnd()
        #expect(String(decoding: octets, as: UTF8.self) == Self.head)
        #expect(ending == .end)
    }

    @Test("An answer may be brought later, from any thread")
    func later() throws {
        let server = try TestListener(TestHandler { _, _ in nil })
        let client = try server.client()
        try client.send(get("/1") + get("/2"))
        for number in 1...2 {
            let exchange = try #require(server.handler.open.next())
            #expect(exchange.requestOrdinal == number)
            #expect(!exchange.isClosed)
            exchange.send(.text("later \(number)", ticket: UInt64(number)))
            #expect(try client.response().text == "later \(number)")
            #expect(server.handler.delivered.next()?.ticket == UInt64(number))
        }
    }

    @Test("Work may be put off, and is done on the worker, not before its time and in its order")
    func deferredWork() throws {
        let order = Queue<Int>()
        let server = try TestListener(
            TestHandler { _, exchange in
                for milliseconds in [40, 20, 0, 30] {
                    exchange.perform(after: .milliseconds(milliseconds)) {
                        order.push(milliseconds)
                        if milliseconds == 40 { exchange.send(.text("at last")) }
                    }
                }
                exchange.perform(after: .seconds(Int64.max)) { order.push(-1) }
                return nil
            }
        )
        let client = try server.client()
        let start = MonotonicTime.now()
        let batches = server.handler.batches.load(ordering: .relaxed)
        #expect(try client.exchange(get()).text == "at last")
        #expect(MonotonicTime.now() >= start + 40_000_000)
        #expect([order.next(), order.next(), order.next(), order.next()] == [0, 20, 30, 40])
        // The request, and the work that was due at four moments.
        server.listener.stop(grace: .zero)
        #expect(server.handler.batches.load(ordering: .relaxed) >= batches + 4)
        #expect(order.next(within: 0) == nil)
    }

    @Test("A second answer is dropped and reported lost")
    func twice() throws {
        let server = try TestListener(TestHandler { _, _ in nil })
        let client = try server.client()
        try client.send(get())
        let exchange = try #require(server.handler.open.next())
        exchange.send(.text("first", ticket: 1))
        #expect(server.handler.delivered.next()?.report.outcome == .complete)
        exchange.send(.text("second", ticket: 2))
        let lost = try #require(server.handler.delivered.next())
        #expect(lost.ticket == 2)
        #expect(lost.report.outcome == .clientLeft)
        #expect(try client.response().text == "first")
        client.finishSending()
        #expect(client.read() == .end)
    }

    /// How a client leaves.
    enum Leaving: CaseIterable {
        case reset
        case close
    }

    @Test(
        "A client that leaves while its answer waits is noticed",
        arguments: [
            Delivery(delay: .milliseconds(50)), Delivery(ending: .hang(maximum: nil)),
            Delivery(drip: (10, .milliseconds(100))),
            Delivery(delay: .milliseconds(50), truncateAfter: 5),
        ],
        Leaving.allCases
    )
    func clientLeaves(delivery: Delivery, leaving: Leaving) throws {
        let server = try server(delivery)
        let client = try server.client()
        try client.send(get())
        #expect(server.handler.received.next() == 1)
        switch leaving {
        case .reset: client.reset()
        case .close: client.close()
        }
        #expect(try report(server).outcome == .clientLeft)
    }

    @Test(
        "That a client has ended its side is told at once while it waits for an answer",
        arguments: [false, true],
        [false, true]
    )
    func departure(isBroughtLater: Bool, onlyEndsItsSide: Bool) throws {
        let delay = Duration.seconds(3)
        let server = try TestListener(
            TestHandler { _, exchange in
                guard isBroughtLater else {
                    return .text("0", delivery: Delivery(delay: delay), ticket: 7)
                }
                exchange.perform(after: delay, ticket: 7) { exchange.send(.text("0", ticket: 7)) }
                return nil
            },
            isDriven: true
        )
        let client = try server.client()
        try client.send(get())
        #expect(server.handler.received.next() == 1)
        if onlyEndsItsSide { client.finishSending() } else { client.reset() }
        let departed = try #require(server.handler.departed.next())
        #expect(departed.ticket == 7 && departed.time == server.clock.now())
        if onlyEndsItsSide {
            try server.advance(by: delay)
            #expect(try client.response().text == "0")
        }
        client.close()
        let report = try report(server)
        #expect(report.outcome == (onlyEndsItsSide ? .complete : .clientLeft))
        #expect(report.departure == (onlyEndsItsSide ? 0 : departed.time))
        // Nothing more is told of an answer that has ended.
        #expect(server.handler.departed.next(within: 0) == nil)
    }

    @Test("A client that ends its side and waits for long is given up, with its descriptor")
    func departureGrace() throws {
        let server = try TestListener(
            TestHandler { _, exchange in
                exchange.perform(after: .seconds(100), ticket: 7) {}
                return nil
            }
        ) { $0.departureGrace = .milliseconds(50) }
        let client = try server.client()
        try client.send(get())
        let exchange = try #require(server.handler.open.next())
        client.finishSending()
        #expect(server.handler.departed.next()?.ticket == 7)
        #expect(client.read() == .reset)
        #expect(exchange.isClosed)
        exchange.send(.text("too late", ticket: 7))
        let report = try report(server)
        #expect(report.outcome == .clientLeft && report.octetsSent == 0)
    }

    @Test("A hang ends with the client's side, even one that had ended before")
    func hangAndHalfClose() throws {
        let server = try server(Delivery(ending: .hang(maximum: nil)))
        let client = try server.client()
        try client.send(get())
        client.finishSending()
        #expect(client.read() == .end)
        #expect(try report(server).outcome == .clientLeft)
    }

    @Test(
        "A client that has only ended its side gets late answers, too",
        arguments: [Delivery(delay: .milliseconds(30)), Delivery(drip: (3, .milliseconds(30)))]
    )
    func lateAndHalfClosed(delivery: Delivery) throws {
        let server = try server(delivery)
        let client = try server.client()
        try client.send(get())
        client.finishSending()
        #expect(try client.response().text == Self.content)
        #expect(client.read() == .end)
        #expect(try report(server).outcome == .complete)
    }

    @Test(
        "An answer brought for a client that has left is reported lost",
        arguments: Leaving.allCases
    )
    func lateAndLeft(leaving: Leaving) throws {
        let server = try TestListener(
            TestHandler { request, _ in
                request.target.path == Array("/open".utf8) ? nil : .text("")
            }
        )
        let client = try server.client()
        try client.send(get("/open"))
        let exchange = try #require(server.handler.open.next())
        switch leaving {
        case .reset: client.reset()
        case .close: client.close()
        }
        // Another exchange on the same worker, so that the leaving has been noticed.
        _ = try server.client().exchange(get())
        if leaving == .reset { #expect(exchange.isClosed) }
        exchange.send(.text("nobody", ticket: 3))
        let delivered = try #require(server.handler.delivered.next())
        #expect(delivered == .init(ticket: 3, report: delivered.report))
        #expect(delivered.report.outcome == .clientLeft)
    }

    @Test("An answer larger than any buffer comes whole, and delays nobody while it is not read")
    func slowReader() throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 20)
        let server = try TestListener(
            TestHandler { request, exchange in
                request.target.path == Array("/large".utf8)
                    ? .text(large, ticket: UInt64(exchange.requestOrdinal)) : .text("small")
            }
        )
        let slow = try server.client(receiveBufferOctets: 4096)
        try slow.send(get("/large") + get("/large") + get("/small"))
        let other = try server.client()
        for _ in 0..<10 { #expect(try other.exchange(get()).text == "small") }
        for number in 1...2 {
            #expect(try slow.response().text == large)
            let delivered = try #require(server.handler.delivered.next())
            #expect(delivered.ticket == UInt64(number))
            #expect(delivered.report.octetsSent > large.utf8.count)
            #expect(delivered.report.outcome == .complete)
            #expect(delivered.report.firstOctet < delivered.report.lastOctet)
        }
        #expect(try slow.response().text == "small")
    }

    @Test("A large slow answer to a slow reader comes whole")
    func slowReaderOfSlowAnswer() throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 18)
        let server = try server(Delivery(drip: (4, .milliseconds(20))), content: large)
        let slow = try server.client(receiveBufferOctets: 4096)
        #expect(try slow.exchange(get()).text == large)
        #expect(try report(server).outcome == .complete)
        #expect(try slow.exchange(get()).text == large)
    }

    @Test("An answer that the client does not read any further is reported lost")
    func readerLeaves() throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 20)
        let server = try server(Delivery(), content: large)
        let client = try server.client(receiveBufferOctets: 4096)
        try client.send(get())
        _ = try client.readHead()
        client.reset()
        let report = try report(server)
        #expect(report.outcome == .clientLeft)
        #expect(report.octetsSent > 0 && report.octetsSent < large.utf8.count)
    }
}
