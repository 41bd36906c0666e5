import Glibc
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
        repeat {
            sendOutput(of: connection)
            guard connection.output.isEmpty else { break }
            switch connection.state.phase {
            case .reading, .receivingContent:
                if !connection.input.isEmpty, !connection.input.isIncomplete {
                    processInput(of: connection)
                } else if connection.state.mayRead {
                    guard reads < Self.maximumReads else {
                        sendBatch(on: connection)
                        `continue`(connection)
                        schedule(connection)
                        return
                    }
                    reads += 1
                    read(connection)
                } else if connection.state.inputEnded {
                    endOfInput(on: connection)
                } else if batch.isEmpty {
                    schedule(connection)
                    return
                }
            case .delivering:
                guard runDelivery(on: connection) || readAhead(connection) else {
                    schedule(connection)
                    return
                }
            case .finishing where batch.isEmpty: finish(connection)
            case .finishing: break
            case .lingering:
                drain(connection)
                schedule(connection)
                return
            case .waiting where batch.isEmpty:
                guard readAhead(connection) else {
                    schedule(connection)
                    return
                }
            case .waiting: break
            case .closed: return
            }
            sendBatchIfDue(on: connection)
        } while connection.state.phase != .closed
        schedule(connection)
    }

    /// Sends the batch unless further answers may join it at once.
    private func sendBatchIfDue(on connection: Connection) {
        guard !batch.isEmpty, connection.state.phase != .closed else { return }
        let mayJoin =
            connection.state.takesRequests && !connection.input.isEmpty
            && !connection.input.isIncomplete && batch.octets.count < Self.maximumBatchOctets
        if !mayJoin { sendBatch(on: connection) }
    }

    /// Reads once into the worker's buffer, and works on what came.
    private func read(_ connection: Connection) {
        let count = recv(connection.descriptor, readBuffer.baseAddress, readBuffer.count, 0)
        if count > 0 {
            if count < readBuffer.count { connection.state.noteDrained() }
            let octets = UnsafeRawBufferPointer(rebasing: readBuffer[..<count])
            connection.lastProgress = clock.now()
            guard connection.input.isEmpty else {
                connection.input.append(octets)
                return
            }
            let consumed = process(octets, on: connection)
            if consumed < count, connection.state.phase != .closed {
                let isIncomplete = connection.input.isIncomplete
                connection.input.append(UnsafeRawBufferPointer(rebasing: octets[consumed...]))
                connection.input.isIncomplete = isIncomplete
            } else {
                connection.input.isIncomplete = false
            }
        } else if count == 0 {
            connection.state.mayRead = false
            connection.state.hasSeenEnd = true
            connection.state.inputEnded = true
        } else if errno == EAGAIN {
            connection.state.mayRead = false
        } else if errno != EINTR {
            lose(connection)
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
        while connection.state.mayRead {
            guard reads < Self.maximumReads else {
                `continue`(connection)
                return false
            }
            reads += 1
            let count = recv(connection.descriptor, readBuffer.baseAddress, readBuffer.count, 0)
            if count > 0 {
                if count < readBuffer.count { connection.state.noteDrained() }
                keep(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]), on: connection)
            } else if count == 0 {
                connection.state.mayRead = false
                connection.state.hasSeenEnd = true
                connection.state.inputEnded = true
                noteDeparture(of: connection)
                return true
            } else if errno == EAGAIN {
                connection.state.mayRead = false
            } else if errno != EINTR {
                lose(connection)
                return true
            }
        }
        return false
    }

    /// Keeps requests that came while an answer was waited for.
    private func keep(_ octets: UnsafeRawBufferPointer, on connection: Connection) {
        let isLast =
            connection.delivery.map { $0.closes || !$0.isWhole } ?? !connection.persists
        if !isLast, connection.input.count + octets.count <= Self.maximumAheadOctets,
            connection.input.append(octets, within: budget)
        {
            return
        }
        connection.input = InputBuffer()
        connection.persists = false
        connection.lingers = true
        connection.delivery?.closes = true
    }

    /// Works on octets that were read earlier.
    private func processInput(of connection: Connection) {
        // Out of the connection while it is worked on, so that nobody changes it meanwhile.
        var input = connection.input
        connection.input = InputBuffer()
        let consumed = input.octets.withUnsafeBytes { octets in
            process(UnsafeRawBufferPointer(rebasing: octets[input.start...]), on: connection)
        }
        guard connection.state.phase != .closed else { return }
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
            switch connection.state.phase {
            case .reading:
                guard batch.octets.count < Self.maximumBatchOctets else { return offset }
                do throws(MessageError) {
                    guard let parsed = try connection.parser.parse(rest) else {
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
            case .receivingContent:
                guard let incoming = connection.incoming else { return offset }
                do throws(MessageError) {
                    offset += try incoming.take(rest)
                } catch {
                    refuse(error, on: connection)
                    return octets.count
                }
                if incoming.isComplete {
                    connection.incoming = nil
                    connection.state.phase = .reading
                    respond(
                        to: HTTPRequest(head: incoming.head, content: incoming.takeOctets()),
                        incoming,
                        contentArrival: connection.lastProgress,
                        on: connection
                    )
                }
            case .waiting, .delivering: return offset
            case .finishing, .lingering, .closed: return octets.count
            }
        }
        return offset
    }

    /// Acts on a complete head.
    ///
    /// - Parameter available: How many octets stand behind the head.
    /// - Returns: How many of them are content that nobody wants.
    private func begin(
        _ head: RequestHead,
        available: Int,
        on connection: Connection
    ) -> Int {
        connection.ordinal += 1
        connection.headArrival = connection.lastProgress
        connection.omitsContent = head.method == .head
        connection.persists = head.persists && !isStopping
        guard head.framing.announcesContent else {
            respond(
                to: HTTPRequest(head: head, content: []),
                contentArrival: connection.headArrival,
                on: connection
            )
            return 0
        }
        hasAnswered = true
        let info = ConnectionInfo(
            requestOrdinal: connection.ordinal,
            headArrival: connection.headArrival,
            connection: connection
        )
        switch handler.admit(head, connection: info) {
        case .content(let maximumOctets):
            if case .length(let length) = head.framing, length > maximumOctets {
                refuse(
                    .contentTooLarge(limit: maximumOctets),
                    on: connection,
                    countsRequest: false
                )
                return available
            }
            let incoming = IncomingContent(
                head: head,
                maximumOctets: maximumOctets,
                limits: configuration.limits,
                budget: budget
            )
            connection.incoming = incoming
            connection.state.phase = .receivingContent
            if head.expectsContinue, available == 0 {
                ResponseSerializer.append(
                    ResponseSerializer.continueResponse,
                    to: &batch.octets
                )
            }
            return 0
        case .refuse(let reply):
            if case .length(let length) = head.framing, length <= available {
                deliver(reply, on: connection)
                return length
            }
            connection.persists = false
            connection.lingers = true
            deliver(reply, on: connection)
            return available
        }
    }

    private func respond(
        to request: HTTPRequest,
        _ content: IncomingContent? = nil,
        contentArrival: UInt64,
        on connection: Connection
    ) {
        hasAnswered = true
        let exchange = Exchange(
            requestOrdinal: connection.ordinal,
            headArrival: connection.headArrival,
            contentArrival: contentArrival,
            connection: connection,
            content: content
        )
        if let reply = handler.respond(to: request, exchange: exchange) {
            deliver(reply, on: connection)
        } else {
            connection.state.phase = .waiting
        }
    }

    /// Answers what is no request, and lets the connection close after it.
    ///
    /// - Parameter countsRequest: Whether what is refused has no ordinal yet.
    func refuse(
        _ error: MessageError,
        on connection: Connection,
        countsRequest: Bool = true
    ) {
        hasAnswered = true
        if connection.state.phase == .reading, countsRequest {
            connection.ordinal += 1
            connection.headArrival = connection.lastProgress
            connection.omitsContent = connection.parser.method == .head
        }
        let head = connection.incoming?.head ?? connection.parser.refusedHead
        connection.incoming = nil
        connection.persists = false
        connection.lingers = true
        let exchange = Exchange(
            requestOrdinal: connection.ordinal,
            headArrival: connection.headArrival,
            contentArrival: connection.lastProgress,
            connection: connection,
            content: nil
        )
        connection.input = InputBuffer()
        deliver(handler.refuse(error, head: head, exchange: exchange), on: connection)
    }

    /// The client will send nothing more, and nothing is left to answer.
    private func endOfInput(on connection: Connection) {
        if connection.state.phase == .receivingContent {
            refuse(.incompleteContent, on: connection)
        } else if !connection.input.isEmpty {
            refuse(.incompleteHead, on: connection)
        } else {
            connection.state.phase = .finishing
        }
    }
}
