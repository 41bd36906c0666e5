import Dispatch
import Glibc
import HTTPMessage
import Synchronization
import Time

/// One serial queue that runs one event loop and owns its connections.
///
/// The loop waits for events, and for each takes the connection as far as it goes: read, parse,
/// answer, send. Every complete request of a read is answered in one write. Nothing here blocks;
/// whatever must wait is a moment in `timers`.
///
/// Unchecked Sendable: after `start`, everything mutable is touched by the loop alone, and other
/// threads leave messages in `mailbox`.
final class Worker: @unchecked Sendable {
    let index: Int
    let configuration: TransportConfiguration
    let handler: any RequestHandler
    let mailbox: Mailbox
    /// Connections handed to this worker and not yet closed; for whoever hands them out.
    let connectionCount = Atomic(0)
    /// Connections of the listener, all workers together.
    let totals: ListenerTotals
    let clock: TransportClock
    /// For the octets of clients, all workers of the listener together.
    let budget: OctetBudget

    let headTimeout: UInt64
    let contentTimeout: UInt64
    let idleTimeout: UInt64
    let lingerTimeout: UInt64
    let departureGrace: UInt64

    let sockets: Sockets
    let poller: Poller
    /// Octets of one read, for every connection in turn.
    let readBuffer: UnsafeMutableRawBufferPointer
    /// Answers to the requests of one read, for every connection in turn.
    var batch = OutputQueue()
    /// Whether the handler was asked for anything since it was told that a batch ended.
    var hasAnswered = false
    /// Whether the last poll has brought events that are not handled yet.
    private(set) var hasMoreEvents = false
    var isStopping = false

    private let queue: DispatchQueue
    private var connections: [Connection?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [Int] = []
    private var timers = TimerHeap()
    /// Connections that have more to read and let the others go first.
    private var continued: [UInt64] = []
    private var stopDeadline: UInt64?
    private var deferredWork = DeferredWork()

    private static let mailboxToken = UInt64.max
    private static let readBufferOctets = 64 * 1024

    init(
        index: Int,
        configuration: TransportConfiguration,
        handler: any RequestHandler,
        totals: ListenerTotals,
        budget: OctetBudget,
        network: (any SimulatedNetwork)? = nil
    ) throws(SystemError) {
        self.index = index
        self.configuration = configuration
        self.handler = handler
        self.totals = totals
        self.budget = budget
        clock = configuration.clock
        headTimeout = configuration.headTimeout.nanoseconds
        contentTimeout = configuration.contentTimeout.nanoseconds
        idleTimeout = configuration.idleTimeout.nanoseconds
        lingerTimeout = configuration.lingerTimeout.nanoseconds
        departureGrace = configuration.departureGrace.nanoseconds
        sockets = Sockets(network: network)
        mailbox = try Mailbox()
        poller = try Poller()
        guard poller.add(mailbox.descriptor, token: Self.mailboxToken) else {
            throw .last("epoll_ctl")
        }
        queue = DispatchQueue(label: "qubs-mock.worker.\(index)")
        readBuffer = .allocate(byteCount: Self.readBufferOctets, alignment: 16)
    }

    deinit { readBuffer.deallocate() }

    /// Starts the loop, which leaves the group when it ends.
    func start(in group: DispatchGroup) {
        queue.async(group: group) { self.run() }
    }

    // MARK: The loop

    private func run() {
        dispatchPrecondition(condition: .onQueue(queue))
        while !hasEnded {
            guard let count = poller.wait(nanoseconds: timeUntilNextMoment()) else { continue }
            for index in 0..<count {
                hasMoreEvents = index < count - 1
                handle(poller.event(at: index))
            }
            endTurn()
        }
        endLoop()
    }

    /// Whether the server stops, and nothing is left of it here.
    var hasEnded: Bool { isStopping && openSlots == 0 }

    var openSlots: Int { connections.count - freeSlots.count }

    /// Does what is due when the events of a poll have been handled.
    func endTurn() {
        let again = continued
        if !again.isEmpty {
            continued.removeAll(keepingCapacity: true)
            for token in again {
                guard let connection = connection(for: token) else { continue }
                connection.isContinued = false
                advance(connection)
            }
        }
        fireTimers()
        performDueWork()
        if hasAnswered {
            hasAnswered = false
            handler.batchEnded(worker: index)
        }
    }

    /// Ends what has come too late for the loop.
    func endLoop() {
        for message in mailbox.close() { discard(message) }
        clock.forget(self)
    }

    /// What is done next without an event; 0 for at once, the end of time for nothing.
    var nextMoment: UInt64 {
        guard continued.isEmpty else { return 0 }
        return min(
            timers.first?.time ?? .max,
            stopDeadline ?? .max,
            deferredWork.nextMoment ?? .max
        )
    }

    private func timeUntilNextMoment() -> UInt64? {
        guard continued.isEmpty else { return 0 }
        let moment = nextMoment
        let now = moment == .max ? 0 : clock.now()
        return clock.patience(
            of: self,
            until: moment,
            now: now,
            descriptor: mailbox.descriptor
        )
    }

    func handle(_ event: Poller.Event) {
        guard event.token != Self.mailboxToken else {
            takeMail()
            return
        }
        guard let connection = connection(for: event.token) else { return }
        if event.isError {
            lose(connection)
            return
        }
        if event.isPeerClosed {
            noteDeparture(of: connection)
            switch connection.machine.peerEnded(isHangUp: event.isHangUp) {
            case .proceed: break
            case .close:
                close(connection, as: .complete)
                return
            case .lose:
                lose(connection)
                return
            case .abort:
                abort(connection)
                return
            }
        }
        if event.isReadable { connection.machine.readable() }
        advance(connection)
    }

    /// Notes when the client ended its side, and tells whoever waits for an answer of it.
    func noteDeparture(of connection: Connection) {
        if connection.departure == 0 { connection.departure = clock.now() }
        let ticket = connection.watchedTicket
        guard ticket != 0 else { return }
        connection.watchedTicket = 0
        // An answer that was waited for may be sent by the clock after that.
        guard connection.departedOrdinal != connection.machine.ordinal else { return }
        connection.departedOrdinal = connection.machine.ordinal
        handler.departed(ticket: ticket, at: connection.departure, worker: index)
    }

    /// The connection on a descriptor, for a simulation, which has few.
    func connection(on descriptor: Int32) -> Connection? {
        for case let connection? in connections where connection.descriptor == descriptor {
            return connection
        }
        return nil
    }

    private func connection(for token: UInt64) -> Connection? {
        let slot = Int(token & 0xFFFF_FFFF)
        guard slot < connections.count, let connection = connections[slot],
            connection.token == token
        else { return nil }
        return connection
    }

    /// Lets a connection go on in the next round of the loop.
    func `continue`(_ connection: Connection) {
        guard !connection.isContinued else { return }
        connection.isContinued = true
        continued.append(connection.token)
    }

    // MARK: Messages

    func takeMail() {
        for message in mailbox.take() { receive(message) }
    }

    private func receive(_ message: Mailbox.Message) {
        switch message {
        case .accepted(let descriptor, let peer, let id, let isExcess):
            guard !isStopping else {
                discard(message)
                return
            }
            open(descriptor: descriptor, peer: peer, id: id, isExcess: isExcess)
        case .reply(let connection, let ordinal, let reply):
            guard connection.machine.awaits(ordinal) else {
                discard(message)
                return
            }
            deliver(reply, on: connection)
            advance(connection)
        case .stream(let connection, let ordinal, let octets):
            guard connection.machine.phase == .delivering,
                connection.machine.ordinal == ordinal, let delivery = connection.delivery
            else { return }
            if let octets { delivery.append(octets) } else { delivery.endStream() }
            advance(connection)
        case .watch(let connection, let ordinal, let ticket):
            guard connection.machine.awaits(ordinal) else {
                if connection.machine.phase == .closed {
                    handler.departed(ticket: ticket, at: connection.departure, worker: index)
                }
                return
            }
            connection.watchedTicket = ticket
            if connection.machine.hasSeenEnd { noteDeparture(of: connection) }
        case .perform(let connection, let time, let work):
            let isGone = connection.machine.phase == .closed
            deferredWork.add(work, for: connection, at: isGone ? 0 : time)
        case .stop(let deadline): stop(deadline: deadline)
        }
    }

    /// Ends what a message stands for, when it has come too late.
    private func discard(_ message: Mailbox.Message) {
        switch message {
        case .accepted(let descriptor, _, _, _):
            sockets.close(descriptor, resets: false)
            noteClosed()
        case .reply(let connection, _, let reply): drop(reply, of: connection)
        case .stream, .watch, .perform, .stop: break
        }
    }

    private func stop(deadline: UInt64) {
        isStopping = true
        stopDeadline = deadline
        let lingerDeadline = lingerDeadline()
        for case let connection? in connections {
            let action = connection.machine.serverStops(
                hasDeparted: connection.departure != 0,
                isSilent: connection.delivery?.isSilent ?? false
            )
            switch action {
            case .proceed: break
            case .cut: close(connection, as: .cut)
            case .lose: lose(connection)
            case .hurry:
                connection.lingerDeadline = min(connection.lingerDeadline, lingerDeadline)
                schedule(connection)
            case .abort: abort(connection)
            }
        }
    }

    /// When a connection that begins to close now is closed whatever its client does.
    func lingerDeadline() -> UInt64 {
        // When the server stops, a client that has its answer gets half a second to read it.
        clock.now().addingClamped(isStopping ? min(lingerTimeout, 500_000_000) : lingerTimeout)
    }

    // MARK: Opening and closing

    private func open(descriptor: Int32, peer: PeerAddress, id: UInt64, isExcess: Bool) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = connections.count
            connections.append(nil)
            generations.append(0)
        }
        generations[slot] &+= 1
        // The top bit stays clear, so no token is the mailbox's.
        let token = UInt64(generations[slot] & 0x7FFF_FFFF) << 32 | UInt64(slot)
        let connection = Connection(
            id: id,
            descriptor: descriptor,
            peer: peer,
            token: token,
            worker: self,
            now: clock.now()
        )
        connections[slot] = connection
        guard sockets.network != nil || poller.add(descriptor, token: token) else {
            close(connection, as: .cut)
            return
        }
        if isExcess {
            refuse(.tooManyConnections, on: connection)
            advance(connection)
        } else {
            schedule(connection)
        }
    }

    /// Closes a connection, and reports every answer that is not finished.
    ///
    /// - Parameter resets: Whether a reset takes the place of the FIN.
    func close(
        _ connection: Connection,
        as outcome: DeliveryReport.Outcome,
        resets: Bool = false
    ) {
        guard connection.machine.closed() else { return }
        let unsent = outcome == .complete ? .clientLeft : outcome
        if unsent == .clientLeft { noteDeparture(of: connection) }
        let departure = unsent == .clientLeft ? connection.departure : 0
        connection.isGone.store(true, ordering: .relaxed)
        connection.output.abandon(as: unsent, departure: departure, report: report)
        if let delivery = connection.delivery {
            connection.dropDelivery()
            var ended = delivery.report(unsent)
            ended.departure = departure
            report(delivery.ticket, ended)
        }
        for (ticket, sent) in connection.unconfirmed {
            var confirmed = sent
            if outcome == .clientLeft {
                confirmed.outcome = .clientLeft
                confirmed.departure = departure
            }
            report(ticket, confirmed)
        }
        connection.unconfirmed = []
        connection.incoming = nil
        connection.input = InputBuffer()
        if outcome == .cut, isStopping {
            deferredWork.drop(for: connection)
        } else {
            deferredWork.hasten(for: connection)
        }
        timers.remove(connection.slot)
        connection.deadline = .max
        connections[connection.slot] = nil
        freeSlots.append(connection.slot)
        sockets.close(connection.descriptor, resets: resets)
        noteClosed()
    }

    private func noteClosed() {
        connectionCount.subtract(1, ordering: .relaxed)
        totals.open.subtract(1, ordering: .relaxed)
    }

    /// Closes a connection whose client has reset it, or does not read.
    func lose(_ connection: Connection) { close(connection, as: .clientLeft) }

    /// Closes a connection with a reset in place of a FIN.
    func reset(_ connection: Connection, as outcome: DeliveryReport.Outcome) {
        close(connection, as: outcome, resets: true)
    }

    /// Ends a connection whose events came in an impossible order, and tells the handler.
    func abort(_ connection: Connection) {
        if let order = connection.machine.takeImpossibleOrder() {
            hasAnswered = true
            handler.met(order, connection: connection.id)
        }
        // What the buffer holds is this connection's, or there is nothing in it.
        if !batch.isEmpty { batch.abandon(as: .cut, departure: 0, report: report) }
        reset(connection, as: .cut)
    }

    /// Ends an answer of which nothing will be sent.
    func drop(_ reply: Reply, of connection: Connection) {
        if case .stream(let stream) = reply.delivery.ending { stream.noteEnd() }
        report(reply.ticket, .unsent(departure: connection.departure))
    }

    /// Tells the handler how an answer ended, if it wants to know.
    func report(_ ticket: UInt64, _ report: DeliveryReport) {
        guard ticket != 0 else { return }
        hasAnswered = true
        handler.delivered(ticket: ticket, report: report, worker: index)
    }

    // MARK: Timers

    /// Sets the moment at which the connection is looked at if nothing happens.
    ///
    /// A moment that moves away leaves the timer where it is: it will find that it came early. Only
    /// who drives the clock sees every moment as it is.
    func schedule(_ connection: Connection) {
        let deadline = deadline(of: connection)
        connection.deadline = deadline
        if deadline < timers.time(of: connection.slot) ?? .max {
            timers.set(deadline, of: connection.slot)
        } else if clock.isDriven {
            timers.remove(connection.slot)
            if deadline != .max { timers.set(deadline, of: connection.slot) }
        }
    }

    private func deadline(of connection: Connection) -> UInt64 {
        switch connection.machine.patience(inputIsEmpty: connection.input.isEmpty) {
        case .progress: connection.lastProgress + idleTimeout
        case .head: connection.headStart + headTimeout
        case .content: connection.lastProgress + contentTimeout
        case .answer: connection.departure == 0 ? .max : connection.departure + departureGrace
        case .delivery: connection.delivery?.nextMoment ?? .max
        case .linger: connection.lingerDeadline
        case .nothing: .max
        }
    }

    private func fireTimers() {
        guard let earliest = timers.first?.time ?? stopDeadline else { return }
        let now = clock.now()
        if let stopDeadline, now >= stopDeadline {
            for case let connection? in connections { reset(connection, as: .cut) }
            return
        }
        guard now >= earliest else { return }
        while let (time, slot) = timers.first, time <= now {
            guard let connection = connections[slot], connection.deadline != .max else {
                timers.remove(slot)
                continue
            }
            guard connection.deadline <= now else {
                timers.set(connection.deadline, of: slot)
                continue
            }
            timers.remove(slot)
            expire(connection)
        }
    }

    private func performDueWork() {
        guard deferredWork.nextMoment != nil else { return }
        let now = clock.now()
        while let work = deferredWork.popDue(at: now) {
            hasAnswered = true
            work()
        }
    }

    /// Acts on a moment that has come, unless something has arrived meanwhile: where the whole
    /// process stood still, the clock is ahead of the socket.
    private func expire(_ connection: Connection) {
        connection.machine.readable()
        advance(connection)
        guard connection.deadline <= clock.now() else { return }
        switch connection.machine.timedOut(inputIsEmpty: connection.input.isEmpty) {
        case .proceed: break
        case .refuseHead:
            refuse(.headTimeout, on: connection)
            advance(connection)
        case .refuseContent:
            refuse(.contentTimeout, on: connection)
            advance(connection)
        case .close: close(connection, as: .complete)
        case .reset: reset(connection, as: .clientLeft)
        case .abort: abort(connection)
        }
    }
}
