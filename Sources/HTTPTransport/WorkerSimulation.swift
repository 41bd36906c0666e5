import Synchronization

/// What a simulated poller tells of a socket.
package struct SimulatedEvent: Hashable, Sendable {
    package var isReadable = false
    /// The client has ended its side, or everything is over.
    package var isPeerClosed = false
    /// Both sides have ended.
    package var isHangUp = false
    package var isError = false

    package init() {}
}

/// The loop of a worker, turned by hand: the same code as in a server, without a socket, a thread or a
/// clock that runs.
///
/// Everything runs on the thread that calls. A seed that decides about the order of calls, and about
/// the network, therefore decides about everything.
package final class WorkerSimulation {
    private let worker: Worker
    private let budget: OctetBudget
    private var lastID: UInt64 = 0

    /// - Parameter configuration: Has a driven clock.
    package init(
        configuration: TransportConfiguration,
        handler: any RequestHandler,
        network: any SimulatedNetwork
    ) throws(SystemError) {
        precondition(configuration.clock.isDriven, "a simulation drives the clock")
        budget = OctetBudget(maximum: configuration.maximumHeldOctets)
        worker = try Worker(
            index: 0,
            configuration: configuration,
            handler: handler,
            totals: ListenerTotals(),
            budget: budget,
            network: network
        )
    }

    /// Hands a connection to the worker, which takes it with its mail.
    ///
    /// - Parameter isExcess: Whether there are too many, so that it is refused.
    /// - Returns: The number of the connection.
    @discardableResult
    package func accept(_ descriptor: Int32, isExcess: Bool = false) -> UInt64 {
        lastID += 1
        worker.connectionCount.add(1, ordering: .relaxed)
        worker.totals.open.add(1, ordering: .relaxed)
        worker.mailbox.post(
            .accepted(
                descriptor: descriptor,
                peer: PeerAddress(),
                id: lastID,
                isExcess: isExcess
            )
        )
        return lastID
    }

    /// Whether other threads have something for the worker.
    package var hasMail: Bool { !worker.mailbox.isEmpty }

    /// What the worker does next without an event; 0 for at once, the end of time for nothing.
    package var nextMoment: UInt64 { worker.nextMoment }

    /// Connections that the worker has, and has not closed.
    package var openConnections: Int { worker.openSlots }

    /// Connections that were handed to the worker, and are not closed.
    package var countedConnections: Int { worker.connectionCount.load(ordering: .relaxed) }

    /// Octets of clients that are in memory.
    package var heldOctets: Int { budget.usedOctets }

    /// Whether the server has stopped, and nothing is left to do.
    package var hasEnded: Bool { worker.hasEnded }

    /// Takes the mail.
    package func takeMail() { worker.takeMail() }

    /// Handles an event of a socket.
    ///
    /// - Returns: Whether the worker has the connection.
    package func handle(_ event: SimulatedEvent, of descriptor: Int32) -> Bool {
        guard let connection = worker.connection(on: descriptor) else { return false }
        worker.handle(Poller.Event(token: connection.token, event))
        return true
    }

    /// Does what is due when the events of a poll have been handled.
    package func endTurn() { worker.endTurn() }

    /// Takes no more requests, and has until the deadline for what runs.
    package func stop(deadline: UInt64) { worker.mailbox.post(.stop(deadline: deadline)) }

    /// Ends what has come too late, when the server has ended.
    package func endLoop() { worker.endLoop() }

    /// Lets an impossible event happen to a connection, which ends when it is looked at.
    ///
    /// - Returns: Whether the worker has the connection.
    package func disturb(_ descriptor: Int32) -> Bool {
        guard let connection = worker.connection(on: descriptor) else { return false }
        connection.machine.contentAdmitted()
        return true
    }
}
