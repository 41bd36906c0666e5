import HTTPMessage
import Synchronization
import Time

/// From replies to octets to the end of the connection.
extension Worker {
    /// Begins an answer.
    func deliver(_ reply: Reply, on connection: Connection) {
        connection.watchedTicket = 0
        // The client had nothing to do meanwhile: its time begins now.
        if connection.machine.phase == .waiting { connection.lastProgress = clock.now() }
        let isPlain = reply.delivery.isPlain
        switch connection.machine.answerReady(isPlain: isPlain, closes: reply.closesConnection) {
        case .join:
            batch.append(
                reply,
                omitsContent: connection.omitsContent,
                closes: !connection.machine.persists
            )
        case .deliver:
            // Earlier answers first.
            sendBatch(on: connection)
            guard connection.machine.phase == .delivering else {
                drop(reply, of: connection)
                return
            }
            connection.delivery = ScriptedDelivery(
                reply,
                omitsContent: connection.omitsContent,
                closes: !connection.machine.persists,
                now: clock.now()
            )
            if !isPlain {
                connection.watchedTicket = reply.ticket
                if connection.machine.hasSeenEnd { noteDeparture(of: connection) }
            }
        case .abort:
            drop(reply, of: connection)
            abort(connection)
        }
    }

    /// Sends the answers of this connection that stand in the worker's buffer.
    ///
    /// What the socket does not take moves into the connection, which then takes no further
    /// request until it is gone.
    func sendBatch(on connection: Connection) {
        guard !batch.isEmpty else { return }
        guard connection.machine.batchBegins() == .send else {
            abort(connection)
            return
        }
        let descriptor = connection.descriptor
        switch batch.send(to: descriptor, through: sockets, clock: clock, report: report) {
        case .allSent: batch.removeAll()
        case .blocked:
            connection.machine.batchBlocked()
            connection.output = batch.rest()
            batch.removeAll()
            watchWritable(connection)
        case .broken:
            batch.abandon(
                as: .clientLeft,
                departure: connection.departure,
                report: report
            )
            lose(connection)
        }
    }

    /// Sends what the socket did not take earlier.
    func sendOutput(of connection: Connection) {
        guard connection.machine.hasUnsent else { return }
        let before = connection.output.sent
        let outcome = connection.output.send(
            to: connection.descriptor,
            through: sockets,
            clock: clock,
            report: report
        )
        if connection.output.sent > before { connection.lastProgress = clock.now() }
        switch outcome {
        case .allSent:
            connection.machine.unsentWritten()
            connection.output = OutputQueue()
        case .blocked: watchWritable(connection)
        case .broken: lose(connection)
        }
    }

    private func watchWritable(_ connection: Connection) {
        guard !connection.watchesWritable else { return }
        connection.watchesWritable = true
        if let network = sockets.network {
            network.watchWritable(connection.descriptor)
        } else {
            poller.watchWritable(connection.descriptor, token: connection.token)
        }
    }

    /// Sends what the clock allows of the answer in hand.
    ///
    /// - Returns: Whether the answer has ended.
    func runDelivery(on connection: Connection) -> Bool {
        guard let delivery = connection.delivery else { return true }
        var allowance = delivery.allowance(at: clock.now())
        while delivery.sent < allowance {
            let now = clock.now()
            let outcome = delivery.octets.withUnsafeBytes { octets in
                sockets.send(
                    connection.descriptor,
                    UnsafeRawBufferPointer(rebasing: octets[delivery.sent..<allowance])
                )
            }
            switch outcome {
            case .octets(let count):
                connection.lastProgress = now
                delivery.noteSent(count, at: now)
                if delivery.beginNext() { allowance = delivery.allowance(at: now) }
            case .full:
                connection.machine.deliveryBlocked()
                watchWritable(connection)
                return false
            case .broken:
                lose(connection)
                return true
            }
        }
        guard delivery.isSent, clock.now() >= delivery.start else { return false }
        return end(delivery, on: connection)
    }

    /// Ends an answer whose octets are out, the way it is to end.
    private func end(_ delivery: ScriptedDelivery, on connection: Connection) -> Bool {
        let outcome: DeliveryReport.Outcome
        let end: ConnectionMachine.DeliveryEnd
        switch delivery.end {
        case .whole: (end, outcome) = (.whole, .complete)
        case .fin(let known): (end, outcome) = (.fin, known)
        case .reset: (end, outcome) = (.reset, .cut)
        case .stream(let stream):
            (end, outcome) = (.silence(isOver: delivery.isStreamOver), .complete)
            stream.noteEmptiness()
        case .hang(let until):
            (end, outcome) = (.silence(isOver: clock.now() >= until ?? .max), .cut)
        }
        switch connection.machine.deliveryEnded(end) {
        case .proceed:
            connection.dropDelivery()
            confirm(delivery.ticket, delivery.report(outcome), on: connection)
        case .reset: reset(connection, as: .cut)
        case .lose: lose(connection)
        case .keep: return false
        case .abort: abort(connection)
        }
        return true
    }

    /// Reports an answer that was sent, or waits to see whether it was received where the client
    /// had ended its side before: it may have left altogether.
    private func confirm(
        _ ticket: UInt64,
        _ sent: DeliveryReport,
        on connection: Connection
    ) {
        if connection.machine.hasSeenEnd, sent.octetsSent > 0, ticket != 0 {
            connection.unconfirmed.append((ticket, sent))
        } else {
            report(ticket, sent)
        }
    }

    /// Ends a connection whose last octet has been handed to the socket.
    func finish(_ connection: Connection) {
        let hasUnconfirmed = !connection.unconfirmed.isEmpty
        switch connection.machine.lastWritten(hasUnconfirmed: hasUnconfirmed) {
        case .close: close(connection, as: .complete)
        case .linger:
            connection.isGone.store(true, ordering: .relaxed)
            sockets.endOutput(connection.descriptor)
            connection.input = InputBuffer()
            connection.lingerDeadline = lingerDeadline()
        case .abort: abort(connection)
        }
    }

    /// Throws away what a client still sends after its last answer, so that no reset overtakes
    /// that answer (RFC 9112 §9.6).
    func drain(_ connection: Connection) {
        var reads = 0
        while connection.machine.mayRead {
            guard reads < 16 else {
                `continue`(connection)
                return
            }
            reads += 1
            switch sockets.receive(connection.descriptor, into: readBuffer) {
            case .octets(let count):
                connection.machine.read(.octets(fillBuffer: count == readBuffer.count))
                connection.lingerOctets += count
                guard connection.lingerOctets <= configuration.maximumLingerOctets else {
                    close(connection, as: .complete)
                    return
                }
            case .nothing: connection.machine.read(.nothing)
            case .end: connection.machine.read(.end)
            case .broken:
                lose(connection)
                return
            }
        }
        // With an answer to confirm, the client's kernel has the last word.
        let hasUnconfirmed = !connection.unconfirmed.isEmpty
        switch connection.machine.drained(hasUnconfirmed: hasUnconfirmed) {
        case .proceed: break
        case .close: close(connection, as: .complete)
        case .abort: abort(connection)
        }
    }
}
