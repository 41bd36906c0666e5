import Dispatch
import HTTPMessage
import HTTPTransport
import Synchronization
import TestSupport
import Testing
import Time

@Suite("Conversations")
struct ConversationTests {
    @Test("A connection serves one request after another")
    func keepAlive() throws {
        let server = try TestListener()
        let client = try server.client()
        for number in 1...5 {
            #expect(try client.exchange(get("/\(number)")).text == "GET /\(number) ")
        }
        #expect(server.listener.statistics.acceptedConnections == 1)
    }

    @Test("Pipelined requests are answered in order, those with content too")
    func pipelining() throws {
        let server = try TestListener()
        let client = try server.client()
        try client.send(get("/1") + post("two") + get("/3") + post("four") + get("/5"))
        let texts = try (1...5).map { _ in try client.response().text }
        #expect(texts == ["GET /1 ", "POST / two", "GET /3 ", "POST / four", "GET /5 "])
    }

    @Test("More pipelined requests than any buffer holds are all answered")
    func longPipeline() throws {
        let content = String(repeating: "c", count: 2000)
        let server = try TestListener(
            TestHandler { _, exchange in
                .text("\(exchange.requestOrdinal) \(content)")
            }
        )
        let client = try server.client()
        let count = 5000
        let octets = Array(String(repeating: get("/path"), count: count).utf8)
        let sender = DispatchQueue(label: "sender")
        let port = UncheckedClient(client)
        sender.async { try? port.client.send(octets) }
        for number in 1...count {
            #expect(try client.response().text.hasPrefix("\(number) c"))
        }
        sender.sync {}
    }

    @Test("A request may come octet by octet, the next one in the same segment as its end")
    func octetByOctet() throws {
        let server = try TestListener()
        let client = try server.client()
        let octets = Array((get("/a", "X: y\r\n") + post("hello")).utf8)
        for octet in octets.dropLast() { try client.send([octet]) }
        try client.send([octets[octets.count - 1]] + Array(get("/b").utf8))
        #expect(try client.response().text == "GET /a ")
        #expect(try client.response().text == "POST / hello")
        #expect(try client.response().text == "GET /b ")
    }

    @Test("Chunked content is decoded, and the connection goes on")
    func chunked() throws {
        let server = try TestListener()
        let client = try server.client()
        let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(
            try client.exchange(chunked + "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\n\r\n").text
                == "POST / hello"
        )
        #expect(try client.exchange(get("/b")).text == "GET /b ")
    }

    @Test("HEAD brings the length and no content")
    func head() throws {
        let server = try TestListener()
        let client = try server.client()
        let head = try client.exchange("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n", toHead: true)
        #expect(head.field("content-length") == "8")
        #expect(try client.exchange(get("/b")).text == "GET /b ")
    }

    @Test("An HTTP/1.0 connection closes after the answer, without a wait for the client")
    func http10() throws {
        let server = try TestListener()
        let client = try server.client()
        let response = try client.exchange("GET /a HTTP/1.0\r\n\r\n")
        #expect(response.text == "GET /a ")
        #expect(response.field("connection") == "close")
        #expect(client.read() == .end)
    }

    @Test("Connection: close is honoured, and what stands behind it is not answered")
    func connectionClose() throws {
        let server = try TestListener()
        let client = try server.client()
        try client.send(get("/a", "Connection: close\r\n") + get("/b"))
        let response = try client.response()
        #expect(response.text == "GET /a ")
        #expect(response.field("connection") == "close")
        let (rest, _) = client.readToEnd()
        #expect(rest.isEmpty)
    }

    @Test("A reply may close the connection")
    func replyCloses() throws {
        let server = try TestListener(TestHandler { _, _ in .text("bye", closesConnection: true) })
        let client = try server.client()
        #expect(try client.exchange(get()).field("connection") == "close")
        #expect(client.read() == .end)
    }

    @Test("A client that has ended its side still gets its answers")
    func halfClose() throws {
        let server = try TestListener()
        let client = try server.client()
        try client.send(get("/a") + get("/b"))
        client.finishSending()
        #expect(try client.response().text == "GET /a ")
        #expect(try client.response().text == "GET /b ")
        #expect(client.read() == .end)
    }

    @Test("What is no request is refused once, and the client can read the refusal")
    func malformed() throws {
        let server = try TestListener()
        let client = try server.client()
        // Far more than is read before the refusal: closing on unread octets would be a reset.
        try client.send(
            get("/a") + "GET / HTTP/1.1\nHost: h\r\n\r\n" + String(repeating: "x", count: 200_000)
        )
        #expect(try client.response().text == "GET /a ")
        let refusal = try client.response()
        #expect(refusal.status == 400)
        #expect(refusal.text == "bareLineFeed")
        #expect(refusal.field("connection") == "close")
        #expect(client.read() == .end)
        #expect(server.handler.refused.next() == .bareLineFeed)
    }

    @Test("A TLS handshake is refused at its first octets")
    func tls() throws {
        let server = try TestListener()
        let client = try server.client()
        try client.send([0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3])
        #expect(try client.response().text == "tlsHandshake")
        #expect(client.read() == .end)
    }

    @Test("A refused HEAD has no content")
    func refusedHead() throws {
        let server = try TestListener()
        let client = try server.client()
        let response = try client.exchange("HEAD / HTTP/1.1\r\n\r\n", toHead: true)
        #expect(response.status == 400)
        #expect(client.read() == .end)
    }

    @Test("A request that the client abandons half-way is told so, where it still listens")
    func incomplete() throws {
        let server = try TestListener()
        let head = try server.client()
        try head.send("GET / HTTP/1.1\r\nHos")
        head.finishSending()
        #expect(try head.response().text == "incompleteHead")
        #expect(head.read() == .end)
        let content = try server.client()
        try content.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel")
        content.finishSending()
        #expect(try content.response().text == "incompleteContent")
        #expect(content.read() == .end)
    }

    @Test("A client that connects and leaves is no request")
    func silentClient() throws {
        let server = try TestListener()
        let silent = try server.client()
        silent.finishSending()
        #expect(silent.read() == .end)
    }

    @Test("Ordinals, connections, times and the peer are told")
    func exchangeFacts() throws {
        let facts = Queue<Exchange>()
        let before = MonotonicTime.now()
        let server = try TestListener(
            TestHandler { request, exchange in
                facts.push(exchange)
                return .echo(request)
            }
        )
        let client = try server.client()
        _ = try client.exchange(get())
        _ = try client.exchange(get())
        _ = try server.client().exchange(get())
        let first = try #require(facts.next())
        let second = try #require(facts.next())
        let third = try #require(facts.next())
        #expect((first.requestOrdinal, second.requestOrdinal, third.requestOrdinal) == (1, 2, 1))
        #expect(first.connectionID == second.connectionID)
        #expect(first.connectionID != third.connectionID)
        #expect(before <= first.headArrival && first.headArrival <= second.headArrival)
        #expect(first.headArrival <= first.contentArrival)
        #expect(first.peerAddress.hasPrefix("127.0.0.1:"))
        #expect(first.worker == 0)
    }

    @Test("Connections are handed out evenly", arguments: [1, 2, 3])
    func evenHands(workers: Int) throws {
        let workersSeen = Queue<Int>()
        let server = try TestListener(
            TestHandler { request, exchange in
                workersSeen.push(exchange.worker)
                return .echo(request)
            },
            workers: workers
        )
        var clients: [RawClient] = []
        for _ in 0..<(workers * 4) {
            let client = try server.client()
            _ = try client.exchange(get())
            clients.append(client)
        }
        var counts = [Int](repeating: 0, count: workers)
        for _ in clients { counts[try #require(workersSeen.next())] += 1 }
        #expect(counts == [Int](repeating: 4, count: workers))
    }

    @Test("Every batch is told to have ended")
    func batches() throws {
        let server = try TestListener()
        let client = try server.client()
        for _ in 0..<3 { _ = try client.exchange(get()) }
        client.finishSending()
        _ = client.readToEnd()
        server.listener.stop(grace: .seconds(1))
        #expect(server.handler.batches.load(ordering: .relaxed) >= 3)
    }

    @Test("IPv6 is served", arguments: ["::1", "[::1]"])
    func ipv6(host: String) throws {
        let server = try TestListener(TestHandler { _, exchange in .text(exchange.peerAddress) }) {
            $0.host = host
        }
        let client = try RawClient(port: server.listener.port, host: "::1")
        #expect(try client.exchange(get()).text.hasPrefix("[::1]:"))
    }

    @Test("A name is resolved")
    func name() throws {
        let server = try TestListener { $0.host = "localhost" }
        #expect(server.listener.port > 0)
    }

    @Test("A port in use is an error that says so")
    func portInUse() throws {
        let server = try TestListener()
        var configuration = TransportConfiguration()
        configuration.port = server.listener.port
        let error = #expect(throws: SystemError.self) {
            try Listener(configuration: configuration, handler: TestHandler())
        }
        #expect(error?.call == "bind")
        #expect(error?.symbol == "EADDRINUSE")
        #expect(error?.description == "bind: Address already in use (EADDRINUSE)")
    }

    @Test("A host that is none is an error that says so")
    func unknownHost() throws {
        var configuration = TransportConfiguration()
        configuration.host = "256.0.0.1:x"
        let error = #expect(throws: SystemError.self) {
            try Listener(configuration: configuration, handler: TestHandler())
        }
        #expect(error?.call == "getaddrinfo")
        #expect(error?.reason != nil)
    }
}

/// A client that another thread may send with while this one reads.
struct UncheckedClient: @unchecked Sendable {
    let client: RawClient

    init(_ client: RawClient) { self.client = client }
}
