package import HTTPMessage
package import HTTPTransport
import Journal
import Time

// What the transport asks of the application, and tells it.

extension Application: RequestHandler {
    package func respond(to request: consuming HTTPRequest, exchange: Exchange) -> Reply? {
        let call = newCall(
            request,
            worker: exchange.worker,
            connectionID: exchange.connectionID,
            arrival: exchange.headArrival
        )
        return watchdog.watch(call.request) {
            ControlAPI.serves(call.request.target.path)
                ? control.answer(call, exchange: exchange)
                : pipeline.answer(call, exchange: exchange)
        }
    }

    private func newCall(
        _ request: consuming HTTPRequest,
        worker: Int,
        connectionID: UInt64,
        arrival: UInt64
    ) -> Call {
        Call(
            context: context,
            session: sessions.default,
            worker: workers[worker],
            request: request,
            connectionID: connectionID,
            arrival: arrival
        )
    }

    package func admit(_ head: RequestHead, connection: ConnectionInfo) -> Admission {
        watchdog.watch(HTTPRequest(head: head, content: [])) {
            admission(of: head, connection)
        }
    }

    private func admission(of head: RequestHead, _ connection: ConnectionInfo) -> Admission {
        let maximum = pipeline.maximumContentOctets(of: head)
        var early: Problem?
        switch pipeline.claim(of: head, maximum: maximum) {
        case .small: return .content(maximumOctets: maximum)
        case .large: break
        case .refused(let problem): early = problem
        }
        func call(content: [UInt8]) -> Call {
            newCall(
                HTTPRequest(head: head, content: content),
                worker: connection.worker,
                connectionID: connection.connectionID,
                arrival: connection.headArrival
            )
        }
        guard ControlAPI.serves(head.target.path) else {
            return pipeline.admission(early, maximum: maximum, call)
        }
        let request = call(content: [])
        guard let problem = early ?? control.refusal(of: request) else {
            return .content(maximumOctets: maximum)
        }
        return .refuse(control.refuse(request, problem))
    }

    package func refuse(
        _ error: MessageError,
        head: RequestHead?,
        exchange: Exchange
    ) -> Reply {
        watchdog.watch(work: "a refusal of \(error)") {
            let call = newCall(
                head.map { HTTPRequest(head: $0, content: []) }
                    ?? HTTPRequest(method: HTTPMethod(""), target: RequestTarget("")),
                worker: exchange.worker,
                connectionID: exchange.connectionID,
                arrival: exchange.headArrival
            )
            return ControlAPI.serves(call.request.target.path)
                ? control.refuse(call, Problem(refusing: error))
                : pipeline.refusal(of: error, call, hasHead: head != nil)
        }
    }

    package func refuseUnread(beginsShortage: Bool) -> HTTPResponse {
        if beginsShortage {
            log.append(
                ("qubs-mock: no file descriptor is left: new connections are answered 503 until some "
                    + "are free; raise the limit (ulimit -n), or drop sessions\n").utf8
            )
        }
        // No worker's generator: the acceptor has none.
        var generator = SystemRandomNumberGenerator()
        let requestID = CorrelationID.make(using: &generator)
        var response = Problem(refusing: .tooManyConnections)
            .response(instance: "", requestID: requestID)
        response.fields.append(HTTPResponse.Field("X-Correlation-Id", requestID))
        response.fields.append(HTTPResponse.Field("Date", sessions.default.clock.now().imfFixdate))
        return response
    }

    package func departed(ticket: UInt64, at time: UInt64, worker: Int) {
        watchdog.watch(work: "the departure of a client") {
            noteDeparture(ticket: ticket, at: time, worker: worker)
        }
    }

    private func noteDeparture(ticket: UInt64, at time: UInt64, worker: Int) {
        guard let pending = workers[worker].pending(ticket), let entry = pending.entry else {
            return
        }
        pending.session.journal.recordDelivery(
            of: entry,
            .clientLeft,
            began: nil,
            ended: time == 0 ? SystemTime.monotonic() : Int64(time)
        )
    }

    package func delivered(ticket: UInt64, report: DeliveryReport, worker: Int) {
        watchdog.watch(work: "the end of an answer") {
            noteDelivery(ticket: ticket, report: report, worker: worker)
        }
    }

    private func noteDelivery(ticket: UInt64, report: DeliveryReport, worker: Int) {
        let context = workers[worker]
        guard let pending = context.redeem(ticket) else { return }
        let ended =
            report.departure != 0
            ? report.departure
            : report.lastOctet != 0 ? report.lastOctet : UInt64(SystemTime.monotonic())
        if let entry = pending.entry {
            let delivery: JournalEntry.Delivery =
                switch report.outcome {
                case .complete: .complete
                case .cut: .cut
                case .clientLeft: .clientLeft
                }
            pending.session.journal.recordDelivery(
                of: entry,
                delivery,
                began: report.firstOctet == 0 ? nil : Int64(report.firstOctet),
                ended: Int64(ended)
            )
        }
        pending.line?.append(to: &context.log, format: configuration.log, ended: ended)
    }

    package func met(_ order: ImpossibleOrder, connection: UInt64) {
        log.append(
            ("qubs-mock: connection \(connection) was reset: \(order) is a defect of this program; "
                + "please report this line\n").utf8
        )
    }

    package func batchEnded(worker: Int) {
        let context = workers[worker]
        pipeline.carryOutWrites(of: context)
        watchdog.watch(work: "the end of a batch") {
            if context.log.isEmpty { return }
            log.append(context.log)
            context.log.removeAll(keepingCapacity: true)
        }
    }
}
