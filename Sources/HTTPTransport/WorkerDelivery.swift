import CLinux
import Glibc
import HTTPMessage
import Synchronization
import Time

/// From replies to octets to the end of the connection.
extension Worker {
    /// Begins an answer.
    func deliver(_ reply: Reply, on connection: Connection) {
        connection.watchedTicket = 0
        // The client had nothing to do meanwhile: its time begins now.
        if connection.state.phase == .waiting { connection.lastProgress = clock.now() }
        let closes = reply.closesConnection || !connection.persists
        if reply.closesConnection { connection.lingers = true }
        // What was brought from elsewhere may find that the client has ended its side meanwhile.
        let isLate = connection.state.phase == .waiting && connection.state.hasSeenEnd
        // The batch is for the connection that is worked on: an answer behind octets that its socket
        // has not taken yet stays with its connection.
        guard reply.delivery.isPlain, !isLate, connection.output.isEmpty else {
            sendBatch(on: connection)
            guard connection.state.phase != .closed else {
                report(reply.ticket, .unsent(departure: connection.departure))
                return
            }
            connection.delivery = ScriptedDelivery(
                reply,
                omitsContent: connection.omitsContent,
                closes: closes,
                now: clock.now()
            )
            connection.state.phase = .delivering
            if !reply.delivery.isPlain {
                connection.watchedTicket = reply.ticket
                if connection.state.hasSeenEnd { noteDeparture(of: connection) }
            }
            return
        }
        let start = batch.octets.count
        ResponseSerializer.append(
            reply.response,
            to: &batch.octets,
            omitsContent: connection.omitsContent,
            closes: closes
        )
        if reply.ticket != 0 { batch.noteAnswer(ticket: reply.ticket, from: start) }
        connection.state.phase = closes ? .finishing : .reading
    }

    /// Sends the answers of this connection that stand in the worker's buffer.
    ///
    /// What the socket does not take moves into the connection, which then takes no further
    /// request until it is gone.
    func sendBatch(on connection: Connection) {
        guard !batch.isEmpty else { return }
        guard connection.output.isEmpty else {
            // Never so, or two answers would change places; then rather none.
            assertionFailure("a batch is begun only when nothing is unsent")
            batch.abandon(as: .cut, departure: 0, report: report)
            reset(connection, as: .cut)
            return
        }
        switch batch.send(to: connection.descriptor, clock: clock, report: report) {
        case .allSent: batch.removeAll()
        case .blocked:
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
        guard !connection.output.isEmpty else { return }
        let before = connection.output.sent
        let outcome = connection.output.send(
            to: connection.descriptor,
            clock: clock,
            report: report
        )
        if connection.output.sent > before { connection.lastProgress = clock.now() }
        switch outcome {
        case .allSent: connection.output = OutputQueue()
        case .blocked: watchWritable(connection)
        case .broken: lose(connection)
        }
    }

    private func watchWritable(_ connection: Connection) {
        guard !connection.watchesWritable else { return }
        connection.watchesWritable = true
        poller.watchWritable(connection.descriptor, token: connection.token)
    }

    /// Sends what the clock allows of the answer in hand.
    ///
    /// - Returns: Whether the answer has ended.
    func runDelivery(on connection: Connection) -> Bool {
        guard let delivery = connection.delivery else { return true }
        connection.isDeliveryBlocked = false
        let allowance = delivery.allowance(at: clock.now())
        while delivery.sent < allowance {
            let now = clock.now()
            let count = delivery.octets.withUnsafeBytes { octets in
                send(
                    connection.descriptor,
                    octets.baseAddress.map { $0 + delivery.sent },
                    allowance - delivery.sent,
                    Int32(clinux_no_signal)
                )
            }
            if count > 0 {
                connection.lastProgress = now
                delivery.noteSent(count, at: now)
            } else if count < 0, errno == EINTR {
                continue
            } else if errno == EAGAIN {
                connection.isDeliveryBlocked = true
                watchWritable(connection)
                return false
            } else {
                lose(connection)
                return true
            }
        }
        guard delivery.isSent, clock.now() >= delivery.start else { return false }
        return end(delivery, on: connection)
    }

    /// Ends an answer whose octets are out, the way it is to end.
    private func end(_ delivery: ScriptedDelivery, on connection: Connection) -> Bool {
        switch delivery.end {
        case .whole:
            connection.dropDelivery()
            confirm(delivery.ticket, delivery.report(.complete), on: connection)
            connection.state.phase = delivery.closes ? .finishing : .reading
        case .fin(let outcome):
            connection.dropDelivery()
            confirm(delivery.ticket, delivery.report(outcome), on: connection)
            connection.lingers = true
            connection.state.phase = .finishing
        case .reset: reset(connection, as: .cut)
        case .hang(let until):
            if connection.state.hasSeenEnd {
                lose(connection)
            } else if isStopping || clock.now() >= until ?? .max {
                connection.dropDelivery()
                report(delivery.ticket, delivery.report(.cut))
                connection.lingers = true
                connection.state.phase = .finishing
            } else {
                return false
            }
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
        if connection.state.hasSeenEnd, sent.octetsSent > 0, ticket != 0 {
            connection.unconfirmed.append((ticket, sent))
        } else {
            report(ticket, sent)
        }
    }

    /// Ends a connection whose last octet has been handed to the socket.
    func finish(_ connection: Connection) {
        guard connection.lingers || connection.state.mayRead || !connection.unconfirmed.isEmpty
        else {
            close(connection, as: .complete)
            return
        }
        connection.isGone.store(true, ordering: .relaxed)
        shutdown(connection.descriptor, Int32(SHUT_WR))
        connection.input = InputBuffer()
        connection.state.phase = .lingering
        connection.lingerDeadline = lingerDeadline()
        connection.state.mayRead = true
    }

    /// Throws away what a client still sends after its last answer, so that no reset overtakes
    /// that answer (RFC 9112 §9.6).
    func drain(_ connection: Connection) {
        var reads = 0
        while connection.state.mayRead {
            guard reads < 16 else {
                `continue`(connection)
                return
            }
            reads += 1
            let count = recv(connection.descriptor, readBuffer.baseAddress, readBuffer.count, 0)
            if count > 0 {
                if count < readBuffer.count { connection.state.noteDrained() }
                connection.lingerOctets += count
                guard connection.lingerOctets <= configuration.maximumLingerOctets else {
                    close(connection, as: .complete)
                    return
                }
            } else if count == 0 {
                connection.state.mayRead = false
                connection.state.inputEnded = true
            } else if errno == EAGAIN {
                connection.state.mayRead = false
            } else if errno != EINTR {
                lose(connection)
                return
            }
        }
        // With an answer to confirm, the client's kernel has the last word.
        if connection.state.inputEnded, connection.unconfirmed.isEmpty {
            close(connection, as: .complete)
        }
    }
}
