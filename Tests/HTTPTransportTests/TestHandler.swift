import Dispatch
import HTTPMessage
import HTTPTransport
import Synchronization
import TestSupport
import Testing

/// A value that threads wait for, with a deadline.
final class Queue<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let available = DispatchSemaphore(value: 0)

    func push(_ element: Element) {
        elements.withLock { $0.append(element) }
        available.signal()
    }

    /// The next element; `nil` where none comes in time.
    func next(within seconds: Int = 10) -> Element? {
        guard available.wait(timeout: .now() + .seconds(seconds)) == .success else { return nil }
        return elements.withLock { $0.removeFirst() }
    }
}

/// A handler that tests give their rules, and that tells what it was told.
final class TestHandler: RequestHandler {
    struct Delivered: Sendable, Equatable {
        let ticket: UInt64
        let report: DeliveryReport
    }

    struct Departed: Sendable, Equatable {
        let ticket: UInt64
        let time: UInt64
    }

    let delivered = Queue<Delivered>()
    let departed = Queue<Departed>()
    let refused = Queue<MessageError>()
    /// Whether a shortage began, for each connection that was refused unread.
    let unread = Queue<Bool>()
    /// The ordinals of the requests that were answered or left open.
    let received = Queue<Int>()
    /// Requests whose answers wait for the test.
    let open = Queue<Exchange>()
    let batches = Atomic(0)
    private let responding: @Sendable (HTTPRequest, Exchange) -> Reply?
    private let admitting: @Sendable (RequestHead) -> Admission

    init(
        admit: @escaping @Sendable (RequestHead) -> Admission = { _ in
            .content(maximumOctets: 1 << 20)
        },
        respond: @escaping @Sendable (HTTPRequest, Exchange) -> Reply? = { request, _ in
            .echo(request)
        }
    ) {
        admitting = admit
        responding = respond
    }

    convenience init(_ respond: @escaping @Sendable (HTTPRequest, Exchange) -> Reply?) {
        self.init(
            admit: { _ in .content(maximumOctets: 1 << 20) },
            respond: respond
        )
    }

    func admit(_ head: RequestHead, connection: ConnectionInfo) -> Admission { admitting(head) }

    func respond(to request: HTTPRequest, exchange: Exchange) -> Reply? {
        let reply = responding(request, exchange)
        received.push(exchange.requestOrdinal)
        if reply == nil { open.push(exchange) }
        return reply
    }

    func refuse(_ error: MessageError, head: RequestHead?, exchange: Exchange) -> Reply {
        refused.push(error)
        return Reply(
            HTTPResponse(status: error.suggestedStatus, content: Array("\(error)".utf8))
        )
    }

    func refuseUnread(beginsShortage: Bool) -> HTTPResponse {
        unread.push(beginsShortage)
        return HTTPResponse(status: 503, content: Array("unread".utf8))
    }

    func departed(ticket: UInt64, at time: UInt64, worker: Int) {
        departed.push(Departed(ticket: ticket, time: time))
    }

    func delivered(ticket: UInt64, report: DeliveryReport, worker: Int) {
        delivered.push(Delivered(ticket: ticket, report: report))
    }

    func met(_ order: ImpossibleOrder, connection: UInt64) { Issue.record("\(order)") }

    func batchEnded(worker: Int) { batches.add(1, ordering: .relaxed) }
}

extension Reply {
    /// Method, path and content in a line.
    static func echo(_ request: HTTPRequest) -> Reply {
        let path = String(decoding: request.target.path, as: UTF8.self)
        let content = String(decoding: request.content, as: UTF8.self)
        return .text("\(request.method.rawValue) \(path) \(content)")
    }

    static func text(
        _ text: String,
        delivery: Delivery = Delivery(),
        ticket: UInt64 = 0,
        closesConnection: Bool = false
    ) -> Reply {
        Reply(
            HTTPResponse(status: 200, content: Array(text.utf8)),
            delivery: delivery,
            ticket: ticket,
            closesConnection: closesConnection
        )
    }
}

/// A listener on a free port, stopped when it goes out of scope.
final class TestListener {
    let listener: Listener
    let handler: TestHandler
    /// What every delay and time-out of the listener is measured by; it stands still by itself.
    let clock = TransportClock.driven()

    /// - Parameter isDriven: Whether the test moves the time, rather than waits for it.
    init(
        _ handler: TestHandler = TestHandler(),
        workers: Int = 1,
        isDriven: Bool = false,
        configure: (inout TransportConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = TransportConfiguration()
        configuration.port = 0
        configuration.workers = workers
        configuration.lingerTimeout = .seconds(2)
        if isDriven { configuration.clock = clock }
        configure(&configuration)
        self.handler = handler
        listener = try Listener(configuration: configuration, handler: handler)
        listener.start()
    }

    deinit { listener.stop(grace: .zero) }

    /// Moves the time, once the server waits for something within it.
    func advance(by duration: Duration) throws {
        try #require(clock.advance(by: duration), "nothing was due within \(duration)")
    }

    func client(receiveBufferOctets: Int32? = nil) throws -> RawClient {
        try RawClient(port: listener.port, receiveBufferOctets: receiveBufferOctets)
    }
}

/// A GET of this path.
func get(_ path: String = "/", _ lines: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: h\r\n\(lines)\r\n"
}

/// A POST of this content.
func post(_ content: String, _ lines: String = "") -> String {
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(content.utf8.count)\r\n\(lines)\r\n\(content)"
}

/// Runs what blocks on a thread of its own.
func spawn(_ work: @escaping @Sendable () -> Void) {
    DispatchQueue(label: "test").async(execute: work)
}
