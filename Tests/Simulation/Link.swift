import HTTPTransport

/// A connection of the simulated network: two ways, their ends, and what the server's poller knows.
final class Link {
    /// The number by which the worker knows it; never used twice.
    let descriptor: Int32
    /// The number that the server has given to the connection.
    var id: UInt64 = 0
    let client: Client
    let transcript = Transcript()
    let isExcess: Bool
    /// An impossible order of events was made to happen.
    var isDisturbed = false

    // From the client to the server.
    /// Sent, and not there yet.
    var outbound = Pipe()
    /// There, and not read yet.
    var inbox = Pipe()
    /// What the server's kernel keeps unread.
    let inboxLimit: Int
    var clientHasEnded = false
    var hasEndArrived = false
    /// The client's socket is closed: what arrives is answered by a reset.
    var clientHasClosed = false
    var isResetOnItsWay = false
    var hasResetArrived = false

    // From the server to the client.
    /// Taken by the server's socket, and not read by the client yet.
    var wire = Pipe()
    let wireLimit: Int
    var serverHasEnded = false
    var serverHasClosed = false
    var serverHasReset = false
    /// The client's kernel has everything, and both sides have ended.
    var isHangUp = false

    // The poller.
    var isWatchedForRoom = false
    var wasFull = false
    /// Something has changed since the worker was last told.
    var hasNews = false

    /// When the server last read octets.
    var lastRead: UInt64
    /// When the client connected.
    let start: UInt64

    init(
        descriptor: Int32,
        client: Client,
        isExcess: Bool,
        inboxLimit: Int,
        wireLimit: Int,
        now: UInt64
    ) {
        self.descriptor = descriptor
        self.client = client
        self.isExcess = isExcess
        self.inboxLimit = inboxLimit
        self.wireLimit = wireLimit
        start = now
        lastRead = now
    }

    /// What a poll tells now.
    var event: SimulatedEvent {
        var event = SimulatedEvent()
        event.isReadable = !inbox.isEmpty || hasEndArrived || hasResetArrived
        event.isPeerClosed = hasEndArrived || hasResetArrived
        event.isHangUp = isHangUp || hasResetArrived
        event.isError = hasResetArrived
        return event
    }

    /// Whether the server's socket would take octets.
    var hasRoom: Bool { wire.count < wireLimit }

    // MARK: The network

    /// Whether `arrive` would change anything.
    var canArrive: Bool {
        guard !serverHasClosed else { return !outbound.isEmpty || isResetOnItsWay }
        if hasResetArrived { return false }
        if isResetOnItsWay { return true }
        if !outbound.isEmpty { return inbox.count < inboxLimit }
        return clientHasEnded && !hasEndArrived || canHangUp
    }

    private var canHangUp: Bool {
        serverHasEnded && hasEndArrived && !isHangUp && (clientHasClosed || wire.count < 64 * 1024)
    }

    /// Brings some of what is on its way to the server.
    func arrive(_ octets: Int) {
        guard !serverHasClosed else {
            outbound.removeAll()
            isResetOnItsWay = false
            return
        }
        hasNews = true
        let count = min(octets, outbound.count, inboxLimit - inbox.count)
        if count > 0, !isResetOnItsWay || octets % 2 == 0 {
            inbox.append(outbound.take(count))
        } else if isResetOnItsWay {
            // A reset overtakes what is unread.
            hasResetArrived = true
            isResetOnItsWay = false
            outbound.removeAll()
            inbox.removeAll()
        } else if clientHasEnded, !hasEndArrived {
            hasEndArrived = true
        } else if canHangUp {
            isHangUp = true
        }
    }

    // MARK: The client's socket

    /// Reads at the client.
    func clientReads(_ octets: Int) {
        let count = min(octets, wire.count)
        _ = wire.take(count)
        transcript.noteRead(count)
        if wasFull, isWatchedForRoom, !serverHasClosed {
            wasFull = false
            hasNews = true
        }
    }

    /// Whether the client would read the end, or a reset.
    var clientSeesEnd: Bool { wire.isEmpty && (serverHasEnded || serverHasClosed) }

    func clientEnds() { clientHasEnded = true }

    /// Closes the client's socket.
    func clientCloses(resets: Bool) {
        clientHasClosed = true
        if resets || !wire.isEmpty {
            isResetOnItsWay = true
        } else {
            clientHasEnded = true
        }
        wire.removeAll()
    }
}
