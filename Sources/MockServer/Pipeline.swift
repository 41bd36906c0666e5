import Contract
import Dispatch
import Faults
package import HTTPMessage
package import HTTPTransport
import Journal
import OAuth
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
            if call.early == nil, let document = try ServiceDocuments.answer(to: call) {
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
        guard let exchange, takesLong(call) else {
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

    /// Octets of content that wait in memory at most: beyond these the operation does not wait, its
    /// answer does.
    private static let maximumHeldOctets = 256 << 20

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
        let octets = call.request.content.count
        guard heldOctets.add(octets, ordering: .relaxed).newValue <= Self.maximumHeldOctets else {
            heldOctets.subtract(octets, ordering: .relaxed)
            return next()
        }
        let ticket = hold(call, for: fault)
        exchange.perform(after: .nanoseconds(fault.delayNanoseconds), ticket: ticket) {
            self.heldOctets.subtract(octets, ordering: .relaxed)
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
        try authorize(call, operation: operation)
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
        let isUpload = TransferHandlers.isUpload(head.target.path)
        let maximum =
            isUpload ? ContentLimits.maximumUploadOctets : ContentLimits.maximumJSONOctets
        var problem: Problem?
        switch head.framing {
        case .length(let length) where length > maximum:
            problem = Problem(contentTooLarge: maximum)
        case .chunked where isUpload: problem = Problem.lengthRequired
        default:
            guard isUpload, head.expectsContinue else { return .content(maximumOctets: maximum) }
        }
        let call = Call(
            application: self,
            worker: workers[connection.worker],
            request: HTTPRequest(head: head, content: []),
            connectionID: connection.connectionID,
            arrival: connection.headArrival
        )
        // Who asks before it sends shall not send what is refused in any case.
        problem = problem ?? refusal(ofUpload: call)
        guard let problem else { return .content(maximumOctets: maximum) }
        call.early = problem
        if ControlAPI.serves(head.target.path) {
            return .refuse(refuseControl(call, problem))
        }
        guard let reply = answer(call, exchange: nil) else {
            preconditionFailure("only an exchange can be answered later")
        }
        return .refuse(reply)
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

    package func departed(ticket: UInt64, at time: UInt64, worker: Int) {
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

    package func batchEnded(worker: Int) {
        let context = workers[worker]
        if context.log.isEmpty { return }
        log.append(context.log)
        context.log.removeAll(keepingCapacity: true)
    }
}

/// How much content is taken (design §7).
enum ContentLimits {
    /// JSON and forms: eight times the longest report text.
    static let maximumJSONOctets = 16 << 20
    /// "2 MB per object", read as the limit of the report text (facts, row 26).
    static let maximumUploadOctets = 2_097_152
    /// More is looked at beside the workers: of the most laborious JSON, a worker reads so much in
    /// less than 20 ms.
    static let maximumOctetsOnWorker = 32_768
}
