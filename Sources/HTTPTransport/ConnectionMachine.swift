/// Where a connection stands, and what may therefore happen next.
///
/// Every transition of a connection is in this file: one method for each event, which returns what
/// the worker has to do. The machine knows no socket, no clock and no octet.
///
/// The table shows the phases that an event leads to, by the phase in which it comes. A phase has
/// the letter of its column. A dot marks an order of events that is impossible. Every event but
/// `closed` leads from there to `impossible`, in which the worker can only reset the connection.
/// An action that closes the connection is followed by `closed`, which leads to X from everywhere.
///
///                     R  M  C  A   W   D   F  L  X
///     readable        R  .  C  .   W   D   F  L  .
///     peerEnded       R  .  C  .   W   D   F  L  .
///     next            RF .  C  .   W   D   F  L  X
///     read            R  .  C  .   W   D   .  L  .
///     headParsed      AM .  .  .   .   .   .  .  .
///     contentAdmitted .  C  .  .   .   .   .  .  .
///     contentDeclined .  A  .  .   .   .   .  .  .
///     contentEnded    .  .  A  .   .   .   .  .  .
///     refused         A  A  A  .   .   .   .  .  .
///     answerReady     .  .  .  RDF RDF .   .  .  .
///     answerAwaited   .  .  .  W   .   .   .  .  .
///     batchBegins     R  .  C  .   W   D   F  .  .
///     batchBlocked    R  .  C  .   W   D   F  .  .
///     unsentWritten   R  .  C  .   W   D   F  .  .
///     deliveryBlocked .  .  .  .   .   D   .  .  .
///     deliveryEnded   .  .  .  .   .   RDF .  .  .
///     aheadDropped    .  .  .  .   W   D   .  .  .
///     lastWritten     .  .  .  .   .   .   FL .  .
///     drained         .  .  .  .   .   .   .  L  .
///     timedOut        R  .  C  .   W   D   F  L  .
///     serverStops     RF .  C  .   W   D   F  L  .
///
/// R reading, M admitting, C receiving, A answering, W waiting, D delivering, F finishing,
/// L lingering, X closed.
package struct ConnectionMachine {
    /// What the connection is occupied with.
    package enum Phase: Hashable, Sendable, CaseIterable {
        /// Between requests, or within a head.
        case reading
        /// The handler decides about the content that a head announces.
        case admitting
        /// Within the content of a request.
        case receiving
        /// The handler has a request, or what is none, and makes the answer.
        case answering
        /// The answer will be brought from elsewhere.
        case waiting
        /// The answer is being delivered by the clock.
        case delivering
        /// The last octets are on their way; then the connection closes.
        case finishing
        /// Our side has ended; the client's octets are thrown away until it ends its own.
        case lingering
        case closed
        /// Events came in an impossible order. Nothing follows but the end.
        case impossible
    }

    /// The methods that change the state.
    package enum Event: Hashable, Sendable, CaseIterable {
        case readable, peerEnded, next, read
        case headParsed, contentAdmitted, contentDeclined, contentEnded, refused
        case answerReady, answerAwaited
        case batchBegins, batchBlocked, unsentWritten
        case deliveryBlocked, deliveryEnded, aheadDropped
        case lastWritten, drained, timedOut, serverStops
    }

    package private(set) var phase = Phase.reading
    /// Counts requests from 1; 0 before the first.
    package private(set) var ordinal = 0
    /// There may be octets in the socket: the poller said so, and no read has found them all.
    package private(set) var mayRead = false
    /// The client's FIN is known, perhaps before the octets in front of it were read.
    package private(set) var hasSeenEnd = false
    /// Every octet that the client will ever send has been read.
    package private(set) var inputEnded = false
    /// Octets of answers stand behind a full socket.
    package private(set) var hasUnsent = false
    /// Whether another request may follow the one in hand.
    package private(set) var persists = true
    /// Whether a close has to wait until the client has seen the answer.
    package private(set) var lingers = false

    /// The socket takes no more of the answer that the clock delivers.
    private var isDeliveryBlocked = false
    private var isStopping = false
    private var impossibleOrder: ImpossibleOrder?

    package init() {}
}

/// An event that cannot come in its phase: a defect of this program.
package struct ImpossibleOrder: Hashable, Sendable, CustomStringConvertible {
    package let event: ConnectionMachine.Event
    package let phase: ConnectionMachine.Phase
    /// The request in hand, from 1; 0 before the first.
    package let ordinal: Int

    package init(event: ConnectionMachine.Event, phase: ConnectionMachine.Phase, ordinal: Int) {
        self.event = event
        self.phase = phase
        self.ordinal = ordinal
    }

    /// For instance `answerReady while reading, at request 3`.
    package var description: String { "\(event) while \(phase), at request \(ordinal)" }
}

// MARK: Questions

extension ConnectionMachine {
    /// What octets of the client are for.
    package enum Appetite: Hashable, Sendable {
        case head
        case content
        /// They belong to requests whose turn comes later.
        case later
        case nothing
    }

    /// What the next octets of the client are for.
    package var appetite: Appetite {
        switch phase {
        case .reading: .head
        case .receiving: .content
        case .waiting, .delivering: .later
        case .admitting, .answering, .finishing, .lingering, .closed, .impossible: .nothing
        }
    }

    /// Whether the answer to this request is waited for.
    package func awaits(_ ordinal: Int) -> Bool { phase == .waiting && self.ordinal == ordinal }

    /// Whether requests that came early may wait for their turn.
    ///
    /// - Parameter isWhole: Whether the answer in hand, if there is one, lets the connection live on.
    package func keepsAhead(isWhole: Bool) -> Bool { persists && isWhole }

    /// What a connection waits for, if nothing happens.
    package enum Patience: Hashable, Sendable {
        /// That octets come or go.
        case progress
        /// The rest of a head.
        case head
        /// More of a content.
        case content
        /// An answer from elsewhere, for a client that may have left.
        case answer
        /// The next octets of the answer that the clock delivers.
        case delivery
        /// The client's end.
        case linger
        case nothing
    }

    /// What the connection waits for, if nothing happens.
    package func patience(inputIsEmpty: Bool) -> Patience {
        switch phase {
        case .reading: hasUnsent || inputIsEmpty ? .progress : .head
        case .receiving: .content
        case .waiting: hasUnsent ? .progress : .answer
        case .delivering: hasUnsent || isDeliveryBlocked ? .progress : .delivery
        case .finishing: .progress
        case .lingering: .linger
        case .admitting, .answering, .closed, .impossible: .nothing
        }
    }

    /// Takes out what was impossible, if anything was.
    package mutating func takeImpossibleOrder() -> ImpossibleOrder? {
        defer { impossibleOrder = nil }
        return impossibleOrder
    }
}

// MARK: What the poller tells

extension ConnectionMachine {
    /// The socket has octets, or may have some.
    package mutating func readable() {
        switch phase {
        case .reading, .receiving, .waiting, .delivering, .finishing, .lingering: mayRead = true
        case .admitting, .answering, .closed, .impossible: fail(.readable)
        }
    }

    package enum PeerAction: Hashable, Sendable {
        case proceed
        /// The client has everything.
        case close
        /// The server stops, and waits for nobody who may have left.
        case lose
        case abort
    }

    /// The client has ended its side of the connection.
    ///
    /// - Parameter isHangUp: Whether our side has ended, too.
    package mutating func peerEnded(isHangUp: Bool) -> PeerAction {
        switch phase {
        case .reading, .receiving, .waiting, .delivering, .finishing, .lingering: break
        case .admitting, .answering, .closed, .impossible:
            fail(.peerEnded)
            return .abort
        }
        hasSeenEnd = true
        mayRead = true
        if isHangUp, phase == .lingering { return .close }
        return isStopping && (phase == .waiting || phase == .delivering) ? .lose : .proceed
    }

    package enum Step: Hashable, Sendable {
        /// Work on octets that were read earlier.
        case parse
        case read
        /// Send the answers that stand in the worker's buffer.
        case sendBatch
        /// Refuse a request that the client does not complete.
        case refuseIncompleteHead
        case refuseIncompleteContent
        /// Send what the clock allows of the answer in hand; where nothing is left to do, read ahead.
        case deliver
        /// Read requests whose turn comes later, to see the client's end.
        case readAhead
        /// Every octet has been handed to the socket: end our side.
        case finish
        /// Throw away what the client still sends.
        case drain
        /// Nothing can be done before something happens.
        case wait
        /// The connection is closed.
        case stop
        case abort
    }

    /// Octets that were read and not consumed.
    package enum Input: Hashable, Sendable {
        case empty
        /// The parser has seen them all and wants more.
        case incomplete
        case ready
    }

    /// Answers of this connection in the worker's buffer.
    package enum Batch: Hashable, Sendable {
        case empty
        /// More may join them.
        case open
        case full
    }

    /// What to do next.
    package mutating func next(input: Input, batch: Batch) -> Step {
        switch phase {
        case .reading, .receiving:
            if hasUnsent { return .wait }
            if input == .ready, batch != .full { return .parse }
            if batch != .empty { return .sendBatch }
            if mayRead { return .read }
            return inputEnded ? endOfInput(input) : .wait
        case .waiting:
            if hasUnsent { return .wait }
            return batch == .empty ? .readAhead : .sendBatch
        case .delivering:
            if hasUnsent { return .wait }
            isDeliveryBlocked = false
            return .deliver
        case .finishing:
            if hasUnsent { return .wait }
            return batch == .empty ? .finish : .sendBatch
        case .lingering: return .drain
        case .closed: return impossibleOrder == nil ? .stop : .abort
        case .admitting, .answering, .impossible:
            fail(.next)
            return .abort
        }
    }

    /// The client will send nothing more, and nothing is left to answer.
    private mutating func endOfInput(_ input: Input) -> Step {
        if phase == .receiving { return .refuseIncompleteContent }
        guard input == .empty else { return .refuseIncompleteHead }
        phase = .finishing
        return .finish
    }

    package enum ReadOutcome: Hashable, Sendable {
        /// Octets came: as many as there was room for, or fewer.
        case octets(fillBuffer: Bool)
        case nothing
        case end
    }

    /// The socket was read.
    package mutating func read(_ outcome: ReadOutcome) {
        switch phase {
        case .reading, .receiving, .waiting, .delivering, .lingering: break
        case .admitting, .answering, .finishing, .closed, .impossible:
            fail(.read)
            return
        }
        switch outcome {
        case .octets(let fillBuffer):
            // With a FIN behind the octets no further event would come.
            if !fillBuffer, !hasSeenEnd { mayRead = false }
        case .nothing: mayRead = false
        case .end:
            mayRead = false
            hasSeenEnd = true
            inputEnded = true
        }
    }
}

// MARK: Requests

extension ConnectionMachine {
    package enum HeadAction: Hashable, Sendable {
        /// The request is complete.
        case answer
        /// Ask the handler about the content.
        case admit
        case abort
    }

    /// A head is complete.
    ///
    /// - Parameters:
    ///   - persists: Whether the request allows another after it.
    ///   - announcesContent: Whether content follows it.
    package mutating func headParsed(persists: Bool, announcesContent: Bool) -> HeadAction {
        guard phase == .reading else {
            fail(.headParsed)
            return .abort
        }
        ordinal += 1
        self.persists = persists && !isStopping
        phase = announcesContent ? .admitting : .answering
        return announcesContent ? .admit : .answer
    }

    /// The handler takes the content.
    package mutating func contentAdmitted() {
        move(.contentAdmitted, from: .admitting, to: .receiving)
    }

    /// The handler refuses the content, and has the answer.
    ///
    /// - Parameter isOutstanding: Whether some of the content has not arrived.
    package mutating func contentDeclined(isOutstanding: Bool) {
        move(.contentDeclined, from: .admitting, to: .answering)
        guard isOutstanding else { return }
        persists = false
        lingers = true
    }

    /// The content is complete.
    package mutating func contentEnded() { move(.contentEnded, from: .receiving, to: .answering) }

    package enum RefusalAction: Hashable, Sendable {
        /// Ask the handler for the answer.
        ///
        /// - Parameter isNew: Whether this counts as a request of its own.
        case answer(isNew: Bool)
        case abort
    }

    /// What the client sent is no request, or is not sent to its end; the connection closes after the
    /// answer.
    package mutating func refused() -> RefusalAction {
        let isNew = phase == .reading
        switch phase {
        case .reading, .admitting, .receiving: break
        case .answering, .waiting, .delivering, .finishing, .lingering, .closed, .impossible:
            fail(.refused)
            return .abort
        }
        if isNew { ordinal += 1 }
        persists = false
        lingers = true
        phase = .answering
        return .answer(isNew: isNew)
    }

    /// Requests that came early are thrown away, and the connection closes after this answer.
    package mutating func aheadDropped() {
        guard phase == .waiting || phase == .delivering else {
            fail(.aheadDropped)
            return
        }
        persists = false
        lingers = true
    }
}

// MARK: Answers

extension ConnectionMachine {
    package enum AnswerAction: Hashable, Sendable {
        /// Put the answer into the worker's buffer.
        case join
        /// Let the clock deliver it.
        case deliver
        case abort
    }

    /// The answer to the request in hand is there.
    ///
    /// - Parameters:
    ///   - isPlain: Whether it is sent whole and at once.
    ///   - closes: Whether the handler wants the connection closed after it.
    /// - Returns: What to do; `persists` tells whether the answer announces the end.
    package mutating func answerReady(isPlain: Bool, closes: Bool) -> AnswerAction {
        // An answer from elsewhere may find that the client has ended its side meanwhile.
        let isLate = phase == .waiting && hasSeenEnd
        guard phase == .answering || phase == .waiting else {
            fail(.answerReady)
            return .abort
        }
        if closes {
            persists = false
            lingers = true
        }
        // The batch is for the connection that is worked on: an answer behind octets that its socket
        // has not taken yet stays with its connection.
        guard isPlain, !isLate, !hasUnsent else {
            isDeliveryBlocked = false
            phase = .delivering
            return .deliver
        }
        phase = persists ? .reading : .finishing
        return .join
    }

    /// The answer will be brought from elsewhere.
    package mutating func answerAwaited() { move(.answerAwaited, from: .answering, to: .waiting) }

    package enum WriteAction: Hashable, Sendable {
        case send
        case abort
    }

    /// The answers in the worker's buffer are to be sent.
    package mutating func batchBegins() -> WriteAction {
        // Before the octets of an earlier answer they would change places with it.
        guard mayWrite, !hasUnsent else {
            fail(.batchBegins)
            return .abort
        }
        return .send
    }

    /// The socket did not take all answers of the buffer.
    package mutating func batchBlocked() {
        guard mayWrite, !hasUnsent else {
            fail(.batchBlocked)
            return
        }
        hasUnsent = true
    }

    /// The socket has taken what it did not take before.
    package mutating func unsentWritten() {
        guard mayWrite, hasUnsent else {
            fail(.unsentWritten)
            return
        }
        hasUnsent = false
    }

    private var mayWrite: Bool {
        switch phase {
        case .reading, .receiving, .waiting, .delivering, .finishing: true
        case .admitting, .answering, .lingering, .closed, .impossible: false
        }
    }

    /// The socket does not take what the clock allows.
    package mutating func deliveryBlocked() {
        guard phase == .delivering else {
            fail(.deliveryBlocked)
            return
        }
        isDeliveryBlocked = true
    }

    /// What ends an answer that the clock delivers.
    package enum DeliveryEnd: Hashable, Sendable {
        case whole
        case fin
        case reset
        /// Silence, whose time may be over.
        case silence(isOver: Bool)
    }

    package enum DeliveryAction: Hashable, Sendable {
        /// The answer has ended; where the connection stands, `next` tells.
        case proceed
        case reset
        /// The client has left a silence.
        case lose
        /// The silence goes on.
        case keep
        case abort
    }

    /// Every octet of the answer that the clock delivers is out.
    package mutating func deliveryEnded(_ end: DeliveryEnd) -> DeliveryAction {
        guard phase == .delivering else {
            fail(.deliveryEnded)
            return .abort
        }
        switch end {
        case .whole:
            phase = persists ? .reading : .finishing
            return .proceed
        case .reset: return .reset
        case .silence where hasSeenEnd: return .lose
        case .silence(isOver: false) where !isStopping: return .keep
        case .fin, .silence:
            lingers = true
            phase = .finishing
            return .proceed
        }
    }
}

// MARK: The end

extension ConnectionMachine {
    package enum FinishAction: Hashable, Sendable {
        case close
        /// End our side, and wait for the client's end.
        case linger
        case abort
    }

    /// The last octet has been handed to the socket.
    ///
    /// - Parameter hasUnconfirmed: Whether the client's kernel is to tell if answers arrived.
    package mutating func lastWritten(hasUnconfirmed: Bool) -> FinishAction {
        guard phase == .finishing, !hasUnsent else {
            fail(.lastWritten)
            return .abort
        }
        guard lingers || mayRead || hasUnconfirmed else { return .close }
        phase = .lingering
        mayRead = true
        return .linger
    }

    package enum DrainAction: Hashable, Sendable {
        case proceed
        case close
        case abort
    }

    /// What the client still sends has been thrown away, as far as it has arrived.
    package mutating func drained(hasUnconfirmed: Bool) -> DrainAction {
        guard phase == .lingering else {
            fail(.drained)
            return .abort
        }
        return inputEnded && !hasUnconfirmed ? .close : .proceed
    }

    package enum TimeAction: Hashable, Sendable {
        case proceed
        case refuseHead
        case refuseContent
        case close
        /// The client does not read, does not end, or may have left.
        case reset
        case abort
    }

    /// The moment has come at which the connection is looked at if nothing happens.
    package mutating func timedOut(inputIsEmpty: Bool) -> TimeAction {
        switch phase {
        case .reading:
            if hasUnsent { return .reset }
            return inputIsEmpty ? .close : .refuseHead
        case .receiving: return .refuseContent
        case .delivering: return hasUnsent || isDeliveryBlocked ? .reset : .proceed
        case .lingering: return .close
        case .waiting, .finishing: return .reset
        case .admitting, .answering, .closed, .impossible:
            fail(.timedOut)
            return .abort
        }
    }

    package enum StopAction: Hashable, Sendable {
        case proceed
        /// Nothing is on its way.
        case cut
        /// Nobody who may have left is waited for.
        case lose
        /// Wait less long for the client's end.
        case hurry
        case abort
    }

    /// The server takes no further requests.
    ///
    /// - Parameters:
    ///   - hasDeparted: Whether the client was seen to end its side.
    ///   - isSilent: Whether the answer in hand is out and only its silence goes on.
    package mutating func serverStops(hasDeparted: Bool, isSilent: Bool) -> StopAction {
        switch phase {
        case .waiting where hasDeparted, .delivering where hasDeparted: return .lose
        case .reading where !hasUnsent: return .cut
        case .reading: phase = .finishing
        case .delivering where isSilent: return .cut
        case .receiving, .waiting, .delivering, .finishing, .lingering: break
        case .admitting, .answering, .closed, .impossible:
            fail(.serverStops)
            return .abort
        }
        isStopping = true
        persists = false
        return phase == .lingering ? .hurry : .proceed
    }

    /// The connection is closed.
    ///
    /// - Returns: Whether it was not before.
    package mutating func closed() -> Bool {
        guard phase != .closed else { return false }
        phase = .closed
        hasUnsent = false
        return true
    }
}

// MARK: Transitions

extension ConnectionMachine {
    private mutating func move(_ event: Event, from before: Phase, to after: Phase) {
        guard phase == before else {
            fail(event)
            return
        }
        phase = after
    }

    @inline(never)
    private mutating func fail(_ event: Event) {
        if impossibleOrder == nil, phase != .impossible {
            impossibleOrder = ImpossibleOrder(event: event, phase: phase, ordinal: ordinal)
        }
        if phase != .closed { phase = .impossible }
    }
}
