import HTTPMessage
import Time

/// From octets to requests to the handler.
extension Worker {
    /// Unsent octets beyond which no further pipelined request is answered.
    private static let maximumBatchOctets = 256 * 1024
    /// Octets of pipelined requests that are kept while an answer is waited for.
    private static let maximumAheadOctets = 1 << 20
    /// Reads in a row before the other connections have their turn.
    private static let maximumReads = 16

    /// Takes a connection as far as it goes for now.
    func advance(_ connection: Connection) {
        var reads = 0
        while true {
            sendOutput(of: connection)
            switch connection.machine.next(input: connection.input.state, batch: batchState) {
            case .parse: processInput(of: connection)
            case .read:
                guard reads < Self.maximumReads else {
                    `continue`(connection)
                    schedule(connection)
                    return
                }
                reads += 1
                read(connection)
            case .sendBatch: sendBatch(on: connection)
            case .refuseIncompleteHead: refuse(.incompleteHead, on: connection)
            case .refuseIncompleteContent: refuse(.incompleteContent, on: connection)
            case .deliver:
                guard runDelivery(on: connection) || readAhead(connection) else {
                    schedule(connection)
                    return
                }
            case .readAhead:
                guard readAhead(connection) else {
                    schedule(connection)
                    return
                }
            case .finish: finish(connection)
            case .drain:
                drain(connection)
                schedule(connection)
                return
            case .wait:
                schedule(connection)
                return
            case .stop: return
            case .abort:
                abort(connection)
                return
            }
        }
    }

    private var batchState: ConnectionMachine.Batch {
        if batch.isEmpty { return .empty }
        return isBatchFull ? .full : .open
    }

    private var isBatchFull: Bool {
        batch.isClosed || batch.octets.count >= Self.maximumBatchOctets
    }

    /// Reads once into the worker's buffer, and works on what came.
    private func read(_ connection: Connection) {
        switch sockets.receive(connection.descriptor, into: readBuffer) {
        case .octets(let count):
            connection.machine.read(.octets(fillBuffer: count == readBuffer.count))
            let octets = UnsafeRawBufferPointer(rebasing: readBuffer[..<count])
            connection.lastProgress = clock.now()
            guard connection.input.isEmpty else {
                connection.input.append(octets)
                return
            }
            let consumed = process(octets, on: connection)
            if consumed < count, connection.machine.phase != .closed {
                let isIncomplete = connection.input.isIncomplete
                connection.input.append(UnsafeRawBufferPointer(rebasing: octets[consumed...]))
                connection.input.isIncomplete = isIncomplete
            } else {
                connection.input.isIncomplete = false
            }
        case .nothing: connection.machine.read(.nothing)
        case .end: connection.machine.read(.end)
        case .broken: lose(connection)
        }
    }

    /// Reads on while an answer is waited for, to see the end of the client's side: it may stand
    /// behind more requests than the socket holds.
    ///
    /// Requests that are in time are kept for their turn. Where there are too many, or where the
    /// connection closes after this answer, they are thrown away: a client that pipelines sends
    /// again what was not answered (RFC 9112 §9.3.2).
    ///
    /// - Returns: Whether the end was found just now.
    private func readAhead(_ connection: Connection) -> Bool {
        var reads = 0
        while connection.machine.mayRead {
            guard reads < Self.maximumReads else {
                `continue`(connection)
                return false
            }
            reads += 1
            switch sockets.receive(connection.descriptor, into: readBuffer) {
            case .octets(let count):
                connection.machine.read(.octets(fillBuffer: count == readBuffer.count))
                keep(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]), on: connection)
            case .nothing: connection.machine.read(.nothing)
            case .end:
                connection.machine.read(.end)
                noteDeparture(of: connection)
                return true
            case .broken:
                lose(connection)
                return true
            }
        }
        return false
    }

    /// Keeps requests that came while an answer was waited for.
    private func keep(_ octets: UnsafeRawBufferPointer, on connection: Connection) {
        if connection.machine.keepsAhead(isWhole: connection.delivery?.isWhole ?? true),
            connection.input.count + octets.count <= Self.maximumAheadOctets,
            connection.input.append(octets, within: budget)
        {
            return
        }
        connection.input = InputBuffer()
        connection.machine.aheadDropped()
    }

    /// Works on octets that were read earlier.
    private func processInput(of connection: Connection) {
        // Out of the connection while it is worked on, so that nobody changes it meanwhile.
        var input = connection.input
        connection.input = InputBuffer()
        let consumed = input.octets.withUnsafeBytes { octets in
            process(UnsafeRawBufferPointer(rebasing: octets[input.start...]), on: connection)
        }
        guard connection.machine.phase != .closed else { return }
        let isIncomplete = connection.input.isIncomplete
        input.consume(consumed)
        connection.input = input
        connection.input.isIncomplete = isIncomplete && !input.isEmpty
    }

    /// Answers the requests that the octets hold, as far as they may be answered now.
    ///
    /// - Returns: How many octets were consumed. `input.isIncomplete` tells whether the rest
    ///   lacks octets, or waits.
    private func process(_ octets: UnsafeRawBufferPointer, on connection: Connection) -> Int {
        connection.input.isIncomplete = false
        var offset = 0
        while offset < octets.count {
            let rest = UnsafeRawBufferPointer(rebasing: octets[offset...])
            switch connection.machine.appetite {
            case .head:
                guard !isBatchFull else { return offset }
                do throws(MessageError) {
                    guard let parsed = try parseHead(rest, on: connection) else {
                        connection.input.isIncomplete = true
                        if connection.headStart == 0 {
                            connection.headStart = connection.lastProgress
                        }
                        return offset
                    }
                    connection.headStart = 0
                    offset += parsed.consumed
                    offset += begin(
                        parsed.head,
                        available: octets.count - offset,
                        on: connection
                    )
                } catch {
                    refuse(error, on: connection)
                    return octets.count
                }
            case .content:
                guard let incoming = connection.incoming else { return offset }
                do throws(MessageError) {
                    offset += try incoming.take(rest)
                } catch {
                    refuse(error, on: connection)
                    return octets.count
                }
                if incoming.isComplete {
                    connection.incoming = nil
                    connection.machine.contentEnded()
                    respond(
                        to: HTTPRequest(head: incoming.head, content: incoming.takeOctets()),
                        incoming,
                        contentArrival: connection.lastProgress,
                        on: connection
                    )
                }
            case .later: return offset
            case .nothing: return octets.count
            }
        }
        return offset
    }

    /// Reads on in a head; most arrive whole.
    private func parseHead(
        _ octets: UnsafeRawBufferPointer,
        on connection: Connection
    ) throws(MessageError) -> ParsedHead? {
        var parser = RequestParser(limits: configuration.limits)
        let partial = connection.partialHead
        if let partial { swap(&parser, &partial.parser) }
        do throws(MessageError) {
            if let parsed = try parser.parse(octets) {
                if partial != nil { connection.partialHead = nil }
                return parsed
            }
        } catch {
            connection.partialHead = PartialHead(parser)
            throw error
        }
        if let partial {
            swap(&parser, &partial.parser)
        } else {
            connection.partialHead = PartialHead(parser)
        }
        return nil
    }

    /// Acts on a complete head.
    ///
    /// - Parameter available: How many octets stand behind the head.
    /// - Returns: How many of them are content that nobody wants.
    private func begin(
        _ head: consuming RequestHead,
        available: Int,
        on connection: Connection
    ) -> Int {
        connection.headArrival = connection.lastProgress
        connection.omitsContent = head.method == .head
        let action = connection.machine.headParsed(
            persists: head.persists,
            announcesContent: head.framing.announcesContent
        )
        switch action {
        case .answer:
            respond(
                to: HTTPRequest(head: head, content: []),
                contentArrival: connection.headArrival,
                on: connection
            )
            return 0
        case .admit: return admit(head, available: available, on: connection)
        case .abort: return available
        }
    }

    /// Lets the handler decide about the content that a head announces.
    ///
    /// Parameter and result are those of `begin`.
    private func admit(
        _ head: RequestHead,
        available: Int,
        on connection: Connection
    ) -> Int {
        hasAnswered = true
        let info = ConnectionInfo(
            requestOrdinal: connection.machine.ordinal,
            headArrival: connection.headArrival,
            connection: connection
        )
        switch handler.admit(head, connection: info) {
        case .content(let maximumOctets):
            if case .length(let length) = head.framing, length > maximumOctets {
                refuse(.contentTooLarge(limit: maximumOctets), on: connection)
                return available
            }
            connection.incoming = IncomingContent(
                head: head,
                maximumOctets: maximumOctets,
                limits: configuration.limits,
                budget: budget
            )
            connection.machine.contentAdmitted()
            if head.expectsContinue, available == 0 {
                ResponseSerializer.append(
                    ResponseSerializer.continueResponse,
                    to: &batch.octets
                )
            }
            return 0
        case .refuse(let reply):
            if case .length(let length) = head.framing, length <= available {
                connection.machine.contentDeclined(isOutstanding: false)
                deliver(reply, on: connection)
                return length
            }
            connection.machine.contentDeclined(isOutstanding: true)
            deliver(reply, on: connection)
            return available
        }
    }

    private func respond(
        to request: consuming HTTPRequest,
        _ content: IncomingContent? = nil,
        contentArrival: UInt64,
        on connection: Connection
    ) {
        hasAnswered = true
        let exchange = Exchange(
            requestOrdinal: connection.machine.ordinal,
            headArrival: connection.headArrival,
            contentArrival: contentArrival,
            isFollowed: hasMoreEvents,
            connection: connection,
            content: content
        )
        if let reply = handler.respond(to: request, exchange: exchange) {
            deliver(reply, on: connection)
        } else {
            connection.machine.answerAwaited()
        }
    }

    /// Answers what is no request, and lets the connection close after it.
    func refuse(_ error: MessageError, on connection: Connection) {
        hasAnswered = true
        switch connection.machine.refused() {
        case .answer(isNew: true):
            connection.headArrival = connection.lastProgress
            connection.omitsContent = connection.partialHead?.parser.method == .head
        case .answer(isNew: false): break
        case .abort:
            abort(connection)
            return
        }
        let head = connection.incoming?.head ?? connection.partialHead?.parser.refusedHead
        connection.incoming = nil
        let exchange = Exchange(
            requestOrdinal: connection.machine.ordinal,
            headArrival: connection.headArrival,
            contentArrival: connection.lastProgress,
            isFollowed: hasMoreEvents,
            connection: connection,
            content: nil
        )
        connection.input = InputBuffer()
        deliver(handler.refuse(error, head: head, exchange: exchange), on: connection)
    }
}
