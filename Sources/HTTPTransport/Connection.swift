import Glibc
import HTTPMessage
import Synchronization

/// One socket, confined to its worker.
///
/// Unchecked Sendable, since an `Exchange` carries it to other threads; there, only what is
/// declared `let` is touched.
final class Connection: @unchecked Sendable {
    let id: UInt64
    let peer: PeerAddress
    let workerIndex: Int
    let mailbox: Mailbox
    let clock: TransportClock
    /// Set when the connection has been closed or was reset.
    let isGone = Atomic(false)

    // Everything below belongs to the worker.

    /// The socket.
    let descriptor: Int32
    /// Slot and generation, as epoll tells them.
    let token: UInt64
    /// Where the worker keeps the connection.
    var slot: Int { Int(token & 0xFFFF_FFFF) }

    /// Where the connection stands.
    var machine = ConnectionMachine()
    /// The head of which not all has arrived, or that was refused.
    var partialHead: PartialHead?
    /// Received octets that are not yet consumed: an incomplete head, or requests that wait.
    var input = InputBuffer()
    /// The content that is being received.
    var incoming: IncomingContent?
    /// The answer in hand, where it is more than its octets at once.
    var delivery: ScriptedDelivery?
    /// Octets that the socket did not take.
    var output = OutputQueue()
    /// Whether the poller also tells when the socket is writable.
    var watchesWritable = false

    /// Whether the worker will take the connection further without an event.
    var isContinued = false
    /// Whether the request in hand is HEAD.
    var omitsContent = false

    var headArrival: UInt64 = 0
    /// The ticket of the answer that is waited for, or sent by the clock; 0 where nobody asks.
    var watchedTicket: UInt64 = 0
    /// The last request whose client was said to have departed.
    var departedOrdinal = 0
    /// Where the worker keeps the work that was put off for the sake of this connection.
    var deferredSlots: [Int] = []
    /// When the client was first seen to end its side, or to be gone; 0 while it has not.
    var departure: UInt64 = 0

    /// When the connection is next looked at if nothing happens; the timer may come earlier.
    var deadline = UInt64.max
    /// When octets last came or went.
    var lastProgress: UInt64
    /// When the first octet of an incomplete head came.
    var headStart: UInt64 = 0
    var lingerDeadline: UInt64 = 0
    var lingerOctets = 0
    /// Answers that were sent to a client which had already ended its side: whether they were
    /// received is only known when the connection is over.
    var unconfirmed: [(ticket: UInt64, report: DeliveryReport)] = []

    init(
        id: UInt64,
        descriptor: Int32,
        peer: PeerAddress,
        token: UInt64,
        worker: Worker,
        now: UInt64
    ) {
        self.id = id
        self.descriptor = descriptor
        self.peer = peer
        self.token = token
        workerIndex = worker.index
        mailbox = worker.mailbox
        clock = worker.clock
        lastProgress = now
    }
}

/// A head while it arrives in pieces.
///
/// A class, so that a connection which waits for a request needs no room for it.
final class PartialHead {
    var parser: RequestParser

    init(_ parser: RequestParser) { self.parser = parser }
}

extension Connection {
    /// Lets go of an answer that has ended.
    func dropDelivery() {
        if case .stream(let stream) = delivery?.end { stream.noteEnd() }
        delivery = nil
        watchedTicket = 0
    }
}

/// Octets received and not yet consumed.
struct InputBuffer {
    private(set) var octets: [UInt8] = []
    private(set) var start = 0
    /// Whether the parser has seen them all and wants more.
    var isIncomplete = false
    /// What they take of the budget, where they came while an answer was waited for.
    private var share: OctetShare?

    var isEmpty: Bool { start == octets.count }
    /// What the machine asks about them.
    var state: ConnectionMachine.Input { isEmpty ? .empty : isIncomplete ? .incomplete : .ready }
    /// Octets that are there.
    var count: Int { octets.count - start }

    /// Adds octets behind those that are there.
    mutating func append(_ more: UnsafeRawBufferPointer) {
        if start > 0 {
            octets.removeFirst(start)
            start = 0
        }
        octets.append(contentsOf: more)
        isIncomplete = false
    }

    /// Adds octets that came while an answer was waited for.
    ///
    /// - Returns: Whether there was room for them; else nothing was added.
    mutating func append(
        _ more: UnsafeRawBufferPointer,
        within budget: OctetBudget
    ) -> Bool {
        let share = share ?? OctetShare(of: budget)
        guard share.grow(by: more.count) else { return false }
        self.share = share
        append(more)
        return true
    }

    /// Drops octets from the front.
    mutating func consume(_ count: Int) {
        start += count
        if start == octets.count { self = InputBuffer() }
    }
}

/// The content of a request while it arrives, and what it takes of the budget as long as anybody
/// holds it.
///
/// Unchecked Sendable: nothing is changed once it is complete, which is when an `Exchange` gets it.
final class IncomingContent: @unchecked Sendable {
    let head: RequestHead
    let maximumOctets: Int
    private let budget: OctetBudget
    private var countedOctets = 0
    private var octets: [UInt8] = []
    /// Octets still to come, where their number is known.
    private var remaining = 0
    /// Where the content is chunked.
    private var decoder: ChunkedDecoder?

    init(head: RequestHead, maximumOctets: Int, limits: Limits, budget: OctetBudget) {
        self.head = head
        self.maximumOctets = maximumOctets
        self.budget = budget
        switch head.framing {
        case .none: break
        case .length(let length): remaining = length
        case .chunked:
            decoder = ChunkedDecoder(maximumContentOctets: maximumOctets, limits: limits)
        }
    }

    deinit { budget.giveBack(countedOctets) }

    var isComplete: Bool { decoder.map { $0.isComplete } ?? (remaining == 0) }

    /// Hands the octets over; they stay counted.
    func takeOctets() -> [UInt8] {
        defer { octets = [] }
        return octets
    }

    /// Takes what belongs to the content.
    ///
    /// - Returns: How many octets that were.
    /// - Throws: Also `noRoomForContent`, where the contents of all requests fill the memory.
    func take(_ more: UnsafeRawBufferPointer) throws(MessageError) -> Int {
        let taken: Int
        if decoder != nil {
            taken = try decoder?.decode(more, appendingTo: &octets) ?? 0
        } else {
            taken = min(remaining, more.count)
            makeRoom(for: taken)
            octets.append(contentsOf: UnsafeRawBufferPointer(rebasing: more[..<taken]))
            remaining -= taken
        }
        let added = octets.count - countedOctets
        guard budget.take(added) else { throw .noRoomForContent }
        countedOctets += added
        return taken
    }

    /// Grows by doubling, and never beyond the length that was announced.
    private func makeRoom(for count: Int) {
        let needed = octets.count + count
        guard needed > octets.capacity else { return }
        octets.reserveCapacity(min(octets.count + remaining, max(needed, octets.capacity * 2)))
    }
}
