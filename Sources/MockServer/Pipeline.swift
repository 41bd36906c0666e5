import Contract
import Dispatch
import Faults
package import HTTPMessage
package import HTTPTransport
import Journal
import OAuth
import QUBS
import Store
import Synchronization
import Time

// The life of a request, top to bottom. The order of checks is binding (design §3): route, faults
// in phase `before`, 401, 403 for the domain, 400 and 415, 403 for site, permission or grant,
// idempotency ledger, 404 for the resource, the operation.

extension Application: RequestHandler {
    package func respond(to request: HTTPRequest, exchange: Exchange) -> Reply? {
        watchdog.watch(request) { answer(request, exchange) }
    }

    private func answer(_ request: HTTPRequest, _ exchange: Exchange) -> Reply? {
        let call = Call(
            application: self,
            worker: workers[exchange.worker],
            request: request,
            connectionID: exchange.connectionID,
            arrival: exchange.headArrival
        )
        if ControlAPI.serves(request.target.path) { return control(call, exchange: exchange) }
        return answer(call, exchange: exchange)
    }

    /// Answers a request to the emulated API.
    ///
    /// - Parameter exchange: `nil` for a request that is refused before its content was read.
    private func answer(_ call: Call, exchange: Exchange?) -> Reply? {
        do throws(Problem) {
            // Before all else: what a page sends must not open a session, nor spend a fault.
            try hosts.check(call.request)
            // What is wrong with the session is told once it is known in whose form.
            do throws(Problem) { try identify(call) } catch { call.sessionProblem = error }
            if call.request.target.form == .asterisk {
                return deliver(call, response: ServiceDocuments.serverOptions.response)
            }
            if let document = try ServiceDocuments.answer(to: call) {
                if let early = call.early { throw early }
                return deliver(call, response: document.response)
            }
            let (operation, match) = try route(call)
            do throws(Problem) {
                try enterClaimedSession(call, operation: operation)
            } catch {
                call.sessionProblem = call.sessionProblem ?? error
            }
            describe(call, operation: operation, match: match)
            do throws(Problem) {
                call.fault = try decideFault(call, operation: operation)
            } catch {
                return deliver(call, problem: error, operation: operation)
            }
            guard isDelayed(call, in: .before) else {
                return run(call, operation: operation, match: match, exchange)
            }
            return delayed(call, in: .before, exchange) {
                self.run(call, operation: operation, match: match, exchange)
            }
        } catch {
            return deliver(call, problem: error)
        }
    }

    /// Carries out the operation, where the fault lets it, and says how its answer is delivered.
    ///
    /// Large content is parsed, validated and written beside the workers, one request of a session
    /// after the other; its connection waits as for a delay. Nothing else differs.
    private func run(
        _ call: Call,
        operation: Operation,
        match: PathMatch,
        _ exchange: Exchange?
    ) -> Reply? {
        if let exchange, isWorldBehind(call, at: call.time.nanoseconds) {
            return meetWorld(call, at: call.now, exchange) {
                self.run(call, operation: operation, match: match, exchange)
            }
        }
        guard let exchange, takesLong(call) else {
            if let exchange, operation.writesRecords {
                return runWrite(call, operation: operation, match: match, exchange)
            }
            let outcome = carryOut(call, operation: operation, match: match)
            return conclude(call, outcome, operation: operation, exchange)
        }
        let worker = call.worker
        call.session.contentQueue.async {
            // Nobody but the queue has the call meanwhile; what belongs to the worker it may not use.
            call.worker = WorkerContext(index: self.workers.count, verifier: self.verifier)
            call.entry.contentDigest = call.digest(call.request.content)
            let outcome = self.carryOut(call, operation: operation, match: match)
            call.worker = worker
            exchange.perform(after: .zero) {
                let reply = self.watchdog.watch(call.request) {
                    self.conclude(call, outcome, operation: operation, exchange)
                }
                if let reply { exchange.send(reply) }
            }
        }
        return nil
    }

    /// Whether something has happened in a living world that the data do not show yet.
    func isWorldBehind(_ call: Call, at now: Int64) -> Bool {
        call.session.store.isEventDue(at: now) && !call.hasMetWorld
    }

    /// Goes on once the data of the session are up to date; no worker waits for that.
    func meetWorld(
        _ call: Call,
        at now: Instant,
        _ exchange: Exchange,
        _ next: @escaping @Sendable () -> Reply?
    ) -> Reply? {
        // Once: where the data cannot be written, the request sees them as they are.
        call.hasMetWorld = true
        call.session.store.bringWorld(to: now) {
            exchange.perform(after: .zero) {
                if let reply = self.watchdog.watch(call.request, next) { exchange.send(reply) }
            }
        }
        return nil
    }

    /// Carries out a write on the worker.
    ///
    /// A write that would have to wait, for a snapshot of its session for example, waits beside the
    /// worker.
    private func runWrite(
        _ call: Call,
        operation: Operation,
        match: PathMatch,
        _ exchange: Exchange
    ) -> Reply? {
        let store = call.session.store
        let mayWrite = store.beginWrite {
            {
                exchange.perform(after: .zero) {
                    let reply = self.watchdog.watch(call.request) {
                        self.run(call, operation: operation, match: match, exchange)
                    }
                    if let reply { exchange.send(reply) }
                }
            }
        }
        guard mayWrite else { return nil }
        defer { store.endWrite() }
        let outcome = carryOut(call, operation: operation, match: match)
        return conclude(call, outcome, operation: operation, exchange)
    }

    /// Whether a request is work for more than a turn of the event loop: large content, or a token
    /// that is signed with a key which may have to be made first.
    private func takesLong(_ call: Call) -> Bool {
        call.request.content.count > ContentLimits.maximumOctetsOnWorker
            || call.fault?.token == .wrongKey
    }

    /// What came of a request: the answer or refusal of its operation, or the fault in its place.
    private enum Outcome: Sendable {
        case injected
        case result(Result<Answer, Problem>)
    }

    private func carryOut(_ call: Call, operation: Operation, match: PathMatch) -> Outcome {
        if let fault = call.fault, !fault.runsOperation {
            notePayload(of: call, operation: operation)
            describeUnread(call, operation: operation, match: match)
            return .injected
        }
        return .result(
            Result { () throws(Problem) in
                try perform(call, operation: operation, match: match)
            }
        )
    }

    private func conclude(
        _ call: Call,
        _ outcome: Outcome,
        operation: Operation,
        _ exchange: Exchange?
    ) -> Reply? {
        guard case .result(let result) = outcome else {
            return deliver(call, response: HTTPResponse(status: 503), operation: operation)
        }
        guard isDelayed(call, in: .after) else {
            return deliver(call, result, operation: operation)
        }
        return delayed(call, in: .after, exchange) {
            self.deliver(call, result, operation: operation)
        }
    }

    private func deliver(
        _ call: Call,
        _ result: Result<Answer, Problem>,
        operation: Operation
    ) -> Reply {
        switch result {
        case .success(let answer):
            call.entry.itemCount = answer.itemCount.map { Int32(truncatingIfNeeded: $0) }
            if let token = answer.nextToken {
                call.entry.details.nextTokenIssued = call.digest(token.utf8)
            }
            return deliver(call, response: answer.response, operation: operation)
        case .failure(let problem):
            return deliver(call, problem: problem, operation: operation)
        }
    }

    /// Whether the fault wants a delay in a phase; asked first, so that a request without one costs
    /// no closure.
    private func isDelayed(_ call: Call, in phase: FaultPhase) -> Bool {
        guard let fault = call.fault else { return false }
        return fault.phase == phase && fault.delayNanoseconds > 0
    }

    /// Goes on when the delay that the fault wants in a phase is over; no worker waits for that.
    ///
    /// - Parameter exchange: Without one the answer itself is held back, by the transport.
    private func delayed(
        _ call: Call,
        in phase: FaultPhase,
        _ exchange: Exchange?,
        _ next: @escaping @Sendable () -> Reply?
    ) -> Reply? {
        guard let fault = call.fault, let exchange else { return next() }
        let ticket = hold(call, for: fault)
        exchange.perform(after: .nanoseconds(fault.delayNanoseconds), ticket: ticket) {
            call.time = call.session.clock.read()
            if phase == .before { self.judgeTokenAgain(call) }
            if let reply = self.watchdog.watch(call.request, next) { exchange.send(reply) }
        }
        return nil
    }

    private func perform(
        _ call: Call,
        operation: Operation,
        match: PathMatch
    ) throws(Problem) -> Answer {
        // Without the session that a token names, the token cannot be judged either.
        if let problem = call.sessionProblem, problem.reason == .unavailable { throw problem }
        do throws(Problem) {
            try authorize(call, operation: operation)
        } catch {
            describeUnread(call, operation: operation, match: match)
            throw error
        }
        inspectContent(of: call)
        if let problem = call.sessionProblem { throw problem }
        if let early = call.early { throw early }
        try refuseContentCoding(of: call.request, operation)
        let valid = contract.validate(call.request, operation: operation, match: match)
        describe(call, valid: valid)
        // The token endpoint has errors of its own (RFC 6749 §5.2), for a wrong media type, too.
        if operation.id != OperationID.token, let refusal = Problem(refusing: valid) {
            throw refusal
        }
        let operationCall = OperationCall(call: call, operation: operation, valid: valid)
        try checkGrants(operationCall)
        return try handlers[operation.index](operationCall)
    }

    private func route(_ call: Call) throws(Problem) -> (Operation, PathMatch) {
        let request = call.request
        switch contract.route(method: request.method, path: request.target.path) {
        case .matched(let operation, let match): return (operation, match)
        case .methodNotAllowed(let allowed, _):
            throw Problem(methodNotAllowed: request.method, allowed: allowed)
        case .notFound:
            throw Problem(
                noRouteFor: request,
                suggestions: contract.nearestPaths(to: request.target.path, method: request.method)
            )
        }
    }

    /// 415 for content under a coding such as gzip, which nobody here takes (RFC 9110 §15.5.16).
    ///
    /// The coding is looked at before the content: without decoding, that cannot be read.
    func refuseContentCoding(
        of request: HTTPRequest,
        _ operation: Operation
    ) throws(Problem) {
        guard operation.requestBody != nil, request.fields.first("content-encoding") != nil,
            !request.fields.values(named: "content-encoding").allSatisfy(Self.isIdentity)
        else { return }
        throw Problem(
            .contentCoding,
            415,
            "Send the content as it is, without Content-Encoding.",
            fields: [HTTPResponse.Field("Accept-Encoding", "identity")]
        )
    }

    /// Whether a list of content codings names none but `identity` (RFC 9110 §8.4, §12.5.3).
    private static func isIdentity(_ codings: ArraySlice<UInt8>) -> Bool {
        FieldSyntax.listElements(codings)?
            .allSatisfy { FieldSyntax.matches($0, "identity") } ?? false
    }

    // MARK: - Before and beside requests

    package func admit(_ head: RequestHead, connection: ConnectionInfo) -> Admission {
        watchdog.watch(HTTPRequest(head: head, content: [])) { admission(of: head, connection) }
    }

    private func admission(of head: RequestHead, _ connection: ConnectionInfo) -> Admission {
        let path = head.target.path
        let isUpload = TransferHandlers.isUpload(path)
        let maximum = maximumContentOctets(of: head)
        var problem: Problem?
        switch head.framing {
        case .length(let length) where length > maximum:
            problem = Problem(contentTooLarge: maximum)
        case .chunked where isUpload: problem = Problem.lengthRequired
        case .length(let length)
        where length <= ContentLimits.maximumUnaskedOctets && !head.expectsContinue:
            return .content(maximumOctets: maximum)
        default: break
        }
        func newCall(content: [UInt8] = []) -> Call {
            let request = HTTPRequest(head: head, content: content)
            return Call(
                application: self,
                worker: workers[connection.worker],
                request: request,
                connectionID: connection.connectionID,
                arrival: connection.headArrival
            )
        }
        let call = newCall()
        if ControlAPI.serves(path) {
            problem = problem ?? refusal(ofControl: call)
            guard let problem else { return .content(maximumOctets: maximum) }
            return .refuse(refuseControl(call, problem))
        }
        // Looked at with a call of its own: what is found out is noted when it is answered. One octet
        // stands for the content, since no content needs no media type.
        problem =
            problem
            ?? (isUpload
                ? refusal(ofUpload: call)
                : refusal(unread: newCall(content: [UInt8(ascii: " ")]), call))
        guard let problem else { return .content(maximumOctets: maximum) }
        call.early = problem
        guard let reply = answer(call, exchange: nil) else {
            preconditionFailure("only an exchange can be answered later")
        }
        return .refuse(reply)
    }

    /// How much content a request may have.
    private func maximumContentOctets(of head: RequestHead) -> Int {
        let path = head.target.path
        if TransferHandlers.isUpload(path) { return ContentLimits.maximumUploadOctets }
        if ControlAPI.serves(path) { return ContentLimits.maximumControlOctets }
        // Within every limit: no need to know which it is.
        if case .length(let length) = head.framing, length <= ContentLimits.maximumFormOctets {
            return ContentLimits.maximumFormOctets
        }
        if case .matched(let operation, _) = contract.route(method: head.method, path: path),
            operation.id == OperationID.token
        {
            return ContentLimits.maximumFormOctets
        }
        return ContentLimits.maximumJSONOctets
    }

    /// What a request is refused for whatever its content: its path and method, its token, its media
    /// type or a content coding.
    ///
    /// - Parameters:
    ///   - probe: A call that is used for nothing else.
    ///   - call: The call that will be answered.
    private func refusal(unread probe: Call, _ call: Call) -> Problem? {
        do throws(Problem) {
            try hosts.check(probe.request)
            try identify(probe)
            if probe.request.target.form == .asterisk { return nil }
            if try ServiceDocuments.answer(to: probe) != nil { return nil }
            let (operation, match) = try route(probe)
            // Its errors have a form of their own, and its content is small.
            if operation.id == OperationID.token { return nil }
            describe(probe, operation: operation, match: match)
            try authorize(probe, operation: operation)
            try refuseContentCoding(of: probe.request, operation)
            let valid = contract.validate(probe.request, operation: operation, match: match)
            guard valid.refusalStatus == 415 else { return nil }
            describe(call, valid: valid)
            return Problem(refusing: valid)
        } catch {
            return error
        }
    }

    /// What an upload is refused for whatever its content: its URL or its fields.
    private func refusal(ofUpload call: Call) -> Problem? {
        do throws(Problem) {
            let (operation, match) = try route(call)
            try enterClaimedSession(call, operation: operation)
            try refuseContentCoding(of: call.request, operation)
            let valid = contract.validate(call.request, operation: operation, match: match)
            describe(call, valid: valid)
            if let refusal = Problem(refusing: valid) { return refusal }
            _ = try TransferHandlers.checkUpload(
                OperationCall(call: call, operation: operation, valid: valid)
            )
            return nil
        } catch {
            return error
        }
    }

    package func refuse(
        _ error: MessageError,
        head: RequestHead?,
        exchange: Exchange
    ) -> Reply {
        watchdog.watch(work: "a refusal of \(error)") { refusal(of: error, head, exchange) }
    }

    private func refusal(
        of error: MessageError,
        _ head: RequestHead?,
        _ exchange: Exchange
    ) -> Reply {
        let call = Call(
            application: self,
            worker: workers[exchange.worker],
            request: head.map { HTTPRequest(head: $0, content: []) }
                ?? HTTPRequest(method: HTTPMethod(""), target: RequestTarget("")),
            connectionID: exchange.connectionID,
            arrival: exchange.headArrival
        )
        if ControlAPI.serves(call.request.target.path) {
            return refuseControl(call, Problem(refusing: error))
        }
        // Who it was belongs into the journal; whatever is wrong with that, the message is worse.
        if head != nil { try? identify(call) }
        call.entry.details.violations = [
            JournalViolation(
                location: "message",
                name: "",
                keyword: "http",
                message: error.explanation,
                contractPointer: ""
            )
        ]
        return deliver(call, problem: Problem(refusing: error))
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
        watchdog.watch(work: "the end of a batch") {
            let context = workers[worker]
            if context.log.isEmpty { return }
            log.append(context.log)
            context.log.removeAll(keepingCapacity: true)
        }
    }
}

/// How much content is taken (design §7), in octets.
enum ContentLimits {
    /// Up to here content is read before the request is looked at: it costs no more than the read
    /// that brought its head, and its connection lives on when it is refused.
    static let maximumUnaskedOctets = 65_536
    /// Forms: the largest that the token endpoint has a use for is a thousandth of it.
    static let maximumFormOctets = 65_536
    /// Documents of the control API.
    static let maximumControlOctets = 1 << 20
    /// JSON: eight times the longest report text.
    static let maximumJSONOctets = 16 << 20
    /// "2 MB per object", read as the limit of the report text (facts, row 26).
    static let maximumUploadOctets = 2_097_152
    /// More is looked at beside the workers: of the most laborious JSON, a worker reads so much in
    /// less than 20 ms.
    static let maximumOctetsOnWorker = 32_768
}

extension Operation {
    /// Whether a request changes records of its session.
    fileprivate var writesRecords: Bool { method != .get && id != OperationID.token }
}
