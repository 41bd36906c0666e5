import HTTPMessage
import HTTPTransport
import Time

/// The handler of a simulated server: it answers by the dice, and holds the worker to its promises.
///
/// Unchecked Sendable: a simulation has one thread.
final class Host: RequestHandler, @unchecked Sendable {
    /// An answer that is still to be brought.
    ///
    /// Unchecked Sendable: a simulation has one thread.
    private struct Open: @unchecked Sendable {
        let exchange: Exchange
        let link: Link
        let isHead: Bool
        let mayClose: Bool
        /// The number that the answer will have, where one was promised.
        var ticket: UInt64 = 0
    }

    /// A request on its connection.
    private struct Known {
        /// Requests so far, as the handler counts them.
        var ordinal = 0
        /// Whether the last of them waits for its answer.
        var isOpen = false
        /// The content that may come, where a head was admitted.
        var admitted: Int?
    }

    var dice: Dice
    /// Whether the octets of all requests together have little room.
    let isTight: Bool
    let configuration: TransportConfiguration
    let complain: (String) -> Void
    var linkOfID: (UInt64) -> Link? = { _ in nil }
    var note: (() -> String) -> Void = { _ in }
    /// Whether the server was told to stop.
    var isStopping = false
    /// Connections that met an impossible order of events on purpose.
    var disturbed: Set<UInt64> = []

    private var open: [Open] = []
    private var known: [UInt64: Known] = [:]
    private var tickets: UInt64 = 0
    private var answers: [UInt64: Transcript.Answer] = [:]
    /// Second answers to a request, which must be dropped.
    private var strays: Set<UInt64> = []
    private var strayReports: Set<UInt64> = []
    /// Tickets whose client was said to have departed.
    private var departures: Set<UInt64> = []
    /// Whether the worker owes `batchEnded`.
    private(set) var owesEnd = false
    /// Work that was put off, and not done.
    private(set) var deferredWork = 0
    /// Connections whose handler keeps a silence without an end.
    private(set) var endless: Set<UInt64> = []

    init(
        dice: Dice,
        isTight: Bool,
        configuration: TransportConfiguration,
        complain: @escaping (String) -> Void
    ) {
        self.dice = dice
        self.isTight = isTight
        self.configuration = configuration
        self.complain = complain
    }

    private var clock: TransportClock { configuration.clock }

    var hasOpen: Bool { !open.isEmpty }

    // MARK: Answers

    /// Makes an answer, and notes that it is to come.
    private func reply(
        on link: Link,
        isHead: Bool?,
        mayClose: Bool,
        mayShape: Bool = true,
        ticket promised: UInt64 = 0
    ) -> Reply {
        let ticket = promised == 0 ? makeTicket() : promised
        var delivery = Delivery()
        if mayShape, dice.once(in: 4) { delivery = shape() }
        let closes = dice.once(in: 20)
        let length = dice.once(in: 12) ? 20_000 + dice.below(200_000) : dice.below(400)
        let reply = Reply(
            HTTPResponse(
                status: 200,
                fields: [HTTPResponse.Field("X-Ticket", "\(ticket)")],
                content: [UInt8](repeating: UInt8(ascii: "A") + UInt8(ticket % 26), count: length)
            ),
            delivery: delivery,
            ticket: ticket,
            closesConnection: closes
        )
        if case .hang(nil) = delivery.ending { endless.insert(link.id) }
        let answer = Transcript.Answer(
            reply,
            isHead: isHead,
            earliest: clock.now() + delivery.delay.nanoseconds,
            mayClose: mayClose || closes || isTight || isStopping
        )
        answers[ticket] = answer
        link.transcript.expect(answer)
        note { "answer \(answer.ticket) on \(link.descriptor): \(length) octets, \(delivery)" }
        return reply
    }

    private func makeTicket() -> UInt64 {
        tickets += 1
        return tickets
    }

    private func shape() -> Delivery {
        var delivery = Delivery()
        if dice.once(in: 2) { delivery.delay = .milliseconds(dice.below(50)) }
        if dice.once(in: 3) { delivery.drip = (dice.below(5), .milliseconds(dice.below(50))) }
        if dice.once(in: 5) { delivery.bytesPerSecond = 10_000_000 }
        if dice.once(in: 5) { delivery.truncateAfter = dice.below(300) }
        switch dice.below(10) {
        case 0: delivery.ending = .reset
        case 1: delivery.ending = .empty
        case 2:
            delivery.ending = .hang(maximum: dice.once(in: 3) ? nil : .milliseconds(dice.below(50)))
        case 3: delivery.ending = .raw([0xFF, 0, 1])
        case 4: delivery.ending = .malformedChunk
        default: break
        }
        return delivery
    }

    /// Brings an answer that was left open.
    func answerOpen() {
        let one = open.remove(at: dice.below(open.count))
        bring(one)
    }

    private func bring(_ one: Open) {
        known[one.link.id]?.isOpen = false
        if one.exchange.isClosed {
            // It goes nowhere, and must be reported all the same.
            stray(one.exchange, ticket: one.ticket == 0 ? makeTicket() : one.ticket)
            return
        }
        let reply = reply(
            on: one.link,
            isHead: one.isHead,
            mayClose: one.mayClose,
            ticket: one.ticket
        )
        one.exchange.send(reply)
        if dice.once(in: 20) { stray(one.exchange, ticket: makeTicket()) }
    }

    /// Sends an answer that nobody waits for.
    private func stray(_ exchange: Exchange, ticket: UInt64) {
        strays.insert(ticket)
        exchange.send(Reply(HTTPResponse(status: 500), ticket: ticket))
    }

    // MARK: RequestHandler

    func admit(_ head: RequestHead, connection: ConnectionInfo) -> Admission {
        owesEnd = true
        guard let link = linkOfID(connection.connectionID) else {
            complain("a head on a connection that nobody made")
            return .content(maximumOctets: 0)
        }
        begin(link, ordinal: connection.requestOrdinal, "a head")
        if dice.once(in: 8) {
            known[link.id]?.isOpen = false
            return .refuse(reply(on: link, isHead: head.method == .head, mayClose: true))
        }
        let maximum = dice.once(in: 10) ? dice.below(2000) : 1 << 20
        known[link.id]?.admitted = maximum
        if head.expectsContinue { link.transcript.allowContinue() }
        return .content(maximumOctets: maximum)
    }

    /// A request begins: in its order, and not before the one in front of it has its answer.
    private func begin(_ link: Link, ordinal: Int, _ what: String) {
        var known = known[link.id] ?? Known()
        if known.isOpen {
            complain("\(what) on \(link.descriptor) before the answer to request \(known.ordinal)")
        }
        if ordinal != known.ordinal + 1 {
            complain(
                "\(what) on \(link.descriptor) is request \(ordinal), not \(known.ordinal + 1)"
            )
        }
        known.ordinal = ordinal
        known.isOpen = true
        self.known[link.id] = known
    }

    func respond(to request: HTTPRequest, exchange: Exchange) -> Reply? {
        owesEnd = true
        guard let link = linkOfID(exchange.connectionID) else {
            complain("a request on a connection that nobody made")
            return .init(HTTPResponse(status: 500))
        }
        if known[link.id]?.admitted != nil {
            known[link.id]?.admitted = nil
            if exchange.requestOrdinal != known[link.id]?.ordinal {
                complain("the content on \(link.descriptor) belongs to another request")
            }
        } else {
            begin(link, ordinal: exchange.requestOrdinal, "a request")
        }
        let isHead = request.method == .head
        var mayClose = link.client.isCorrupt
        if !link.client.isCorrupt {
            let requests = link.client.requests
            let index = exchange.requestOrdinal - 1
            if index >= requests.count {
                complain("connection \(link.descriptor) has more requests than were sent")
            } else {
                let sent = requests[index]
                mayClose = sent.closes
                if Array(sent.path.utf8) != request.target.path || sent.content != request.content {
                    complain("request \(index + 1) of \(link.descriptor) is another's")
                }
            }
        }
        var one = Open(exchange: exchange, link: link, isHead: isHead, mayClose: mayClose)
        switch dice.below(10) {
        case 0, 1:
            open.append(one)
            return nil
        case 2:
            deferredWork += 1
            one.ticket = makeTicket()
            let promised = one
            exchange.perform(after: .milliseconds(dice.below(50)), ticket: one.ticket) {
                self.owesEnd = true
                self.deferredWork -= 1
                self.bring(promised)
            }
            return nil
        default:
            known[link.id]?.isOpen = false
            return reply(on: link, isHead: isHead, mayClose: mayClose)
        }
    }

    func refuse(_ error: MessageError, head: RequestHead?, exchange: Exchange) -> Reply {
        owesEnd = true
        guard let link = linkOfID(exchange.connectionID) else {
            complain("a refusal on a connection that nobody made")
            return .init(HTTPResponse(status: 500))
        }
        if known[link.id]?.admitted == nil {
            begin(link, ordinal: exchange.requestOrdinal, "\(error)")
        } else if exchange.requestOrdinal != known[link.id]?.ordinal {
            complain("\(error) on \(link.descriptor) belongs to another request")
        }
        if !isFair(error, link) { complain("\(error) on \(link.descriptor) without a reason") }
        known[link.id]?.isOpen = false
        known[link.id]?.admitted = nil
        // Of a head that is incomplete, nobody here knows the method.
        let isHead = head.map { $0.method == .head }
        return reply(on: link, isHead: isHead, mayClose: true, mayShape: false)
    }

    private func isFair(_ error: MessageError, _ link: Link) -> Bool {
        let now = clock.now()
        return switch error {
        case .headTimeout: now - link.start >= configuration.headTimeout.nanoseconds
        case .contentTimeout: now - link.lastRead >= configuration.contentTimeout.nanoseconds
        case .incompleteHead, .incompleteContent: link.hasEndArrived
        case .tooManyConnections: link.isExcess
        case .noRoomForContent: isTight
        case .contentTooLarge: true
        default: link.client.isCorrupt
        }
    }

    func refuseUnread(beginsShortage: Bool) -> HTTPResponse { HTTPResponse(status: 503) }

    func departed(ticket: UInt64, at time: UInt64, worker: Int) {
        guard ticket != 0, ticket <= tickets else {
            complain("a departure for ticket \(ticket), which nobody gave")
            return
        }
        if !departures.insert(ticket).inserted { complain("a second departure for \(ticket)") }
        if answers[ticket]?.report != nil || strayReports.contains(ticket) {
            complain("a departure after the report of \(ticket)")
        }
    }

    func delivered(ticket: UInt64, report: DeliveryReport, worker: Int) {
        owesEnd = true
        note { "report of \(ticket): \(report.outcome), \(report.octetsSent) octets" }
        if strays.contains(ticket) {
            if !strayReports.insert(ticket).inserted { complain("a second report of \(ticket)") }
            if report.octetsSent != 0 { complain("octets of \(ticket), which was dropped") }
            return
        }
        guard let answer = answers[ticket] else {
            complain("a report of ticket \(ticket), which nobody gave")
            return
        }
        if answer.report != nil { complain("a second report of \(ticket)") }
        answer.report = report
        if report.octetsSent != answer.sent {
            complain("\(report.octetsSent) octets of \(ticket) reported, \(answer.sent) sent")
        }
        if report.outcome == .complete, !answer.isSent {
            complain("\(ticket) is reported complete, and is not")
        }
        if (report.firstOctet == 0) != (report.octetsSent == 0)
            || report.firstOctet > report.lastOctet
        {
            complain("the times of \(ticket) are wrong")
        }
        if report.octetsSent > 0, report.firstOctet != answer.firstOctet {
            complain("the first octet of \(ticket) was sent at another time")
        }
    }

    func met(_ order: ImpossibleOrder, connection: UInt64) {
        note { "\(order)" }
        if disturbed.remove(connection) == nil { complain("\(order)") }
    }

    func batchEnded(worker: Int) { owesEnd = false }

    // MARK: The end

    /// What was promised and not kept.
    func missing() -> String? {
        if let id = disturbed.first { return "the impossible order on \(id) was never told" }
        for (ticket, answer) in answers where answer.report == nil {
            return "answer \(ticket) was never reported"
        }
        for ticket in strays where !strayReports.contains(ticket) {
            return "answer \(ticket), which was dropped, was never reported"
        }
        return nil
    }
}
