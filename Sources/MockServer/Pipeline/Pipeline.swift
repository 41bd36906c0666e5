import Contract
import Faults
import HTTPMessage
import HTTPTransport
import Journal
import QUBS
import OAuth
import Time

/// The life of a request to the emulated API, from its head to the reply.
///
/// The order of checks is binding (design §3). The numbers stand at the code of each step.
///
/// 1. `Host` and `Origin`: what a page sends must not open a session, nor spend a fault.
/// 2. The caller and its session; nobody is refused yet.
/// 3. `OPTIONS *` and the service documents.
/// 4. The route: 404, 405.
/// 5. The session that a token request or a presigned URL claims.
/// 6. Operation, domain and appointment, for the journal and for fault rules.
/// 7. The fault: each rule that matches counts the request; 400 for an impossible `Prefer`.
/// 8. A delay in phase `before`.
/// 9. The living world, brought up to the present.
/// 10. A fault in the place of the operation.
/// 11. 401 without a good token, 403 for the domain.
/// 12. The session that could not be had, and what was wrong before the content was read: 411, 413.
/// 13. 415 for a content coding; 400 and 415 by the contract.
/// 14. 403 for site, permission or grant.
/// 15. The operation: the idempotency ledger, 404 for the resource, what it does.
/// 16. A delay in phase `after`.
/// 17. The reply: fault, readings, common fields, journal, log.
///
/// Steps 8, 9, 15 and 16 may take long: no worker waits for them (`Pipeline+Waiting.swift`).
final class Pipeline: Sendable {
    let contract: OpenAPIContract
    let hosts: KnownHosts
    let callers: CallerIdentification
    let recorder: RequestRecorder
    let faults: FaultInjection
    let finishing: AnswerFinishing
    /// What handlers read of the server.
    let context: ServerContext
    /// One handler for each operation of the contract, at the operation's index.
    let handlers: [OperationHandler]
    let workers: Workers
    let watchdog: Watchdog

    init(
        context: ServerContext,
        hosts: KnownHosts,
        sessions: Sessions,
        handlers: [OperationHandler],
        workers: Workers,
        watchdog: Watchdog,
        log: LogSink
    ) {
        self.context = context
        self.hosts = hosts
        self.handlers = handlers
        self.workers = workers
        self.watchdog = watchdog
        contract = context.contract
        callers = CallerIdentification(clients: context.clients, sessions: sessions)
        recorder = RequestRecorder(
            contract: contract,
            keepsJournal: context.configuration.keepsJournal
        )
        let readings = AnswerReading(contract: contract)
        faults = FaultInjection(
            readings: readings,
            sendsField: context.configuration.sendsFaultHeader
        )
        finishing = AnswerFinishing(
            configuration: context.configuration,
            log: log,
            faults: faults,
            readings: readings
        )
    }

    /// Steps 1 to 8.
    ///
    /// - Parameter exchange: `nil` for a request that is refused before its content was read.
    /// - Returns: `nil` where the reply comes later.
    func answer(_ call: Call, exchange: Exchange?) -> Reply? {
        do throws(Problem) {
            try hosts.check(call.request)  // 1
            // What is wrong with the session is told once it is known in whose form.
            do throws(Problem) {
                try callers.identify(call)  // 2
            } catch {
                call.sessionProblem = error
            }
            if call.request.target.form == .asterisk {  // 3
                return finishing.reply(to: call, response: ServiceDocuments.serverOptions.response)
            }
            if let document = try ServiceDocuments.answer(to: call) {
                if let early = call.early { throw early }
                return finishing.reply(to: call, response: document.response)
            }
            let (operation, match) = try route(call)  // 4
            do throws(Problem) {
                try callers.enterClaimedSession(call, operation: operation)  // 5
            } catch {
                call.sessionProblem = call.sessionProblem ?? error
            }
            recorder.noteRoute(of: call, operation: operation, match: match)  // 6
            if operation.idempotencyRetentionSeconds != nil { call.claimKey(operation.id) }
            if faults.mayConcern(call, operation: operation) {
                do throws(Problem) {
                    call.fault = try faults.decide(for: call, operation: operation)  // 7
                } catch {
                    return finishing.reply(to: call, problem: error, operation: operation)
                }
            }
            guard isDelayed(call, in: .before) else {
                return run(call, operation: operation, match: match, exchange)
            }
            return delay(call, in: .before, exchange) {  // 8
                self.run(call, operation: operation, match: match, exchange)
            }
        } catch {
            return finishing.reply(to: call, problem: error)
        }
    }

    /// Steps 9 to 17, on the worker or beside it.
    func run(
        _ call: Call,
        operation: Operation,
        match: PathMatch,
        _ exchange: Exchange?
    ) -> Reply? {
        guard let exchange else {
            let outcome = carryOut(call, operation: operation, match: match)
            return conclude(call, outcome, operation: operation, nil)
        }
        if isWorldBehind(call, at: call.time.nanoseconds) {  // 9
            return meetWorld(call, at: call.now, exchange) {
                self.run(call, operation: operation, match: match, exchange)
            }
        }
        if takesLong(call) {
            return runBesideWorker(call, operation: operation, match: match, exchange)
        }
        if operation.writesRecords {
            return runWrite(call, operation: operation, match: match, exchange)
        }
        let outcome = carryOut(call, operation: operation, match: match)
        return conclude(call, outcome, operation: operation, exchange)
    }

    /// What came of a request.
    enum Outcome: Sendable {
        /// A fault took the place of the operation.
        case injected
        /// The answer of the operation, or why it was refused.
        case result(Result<Answer, Problem>)
    }

    /// Step 10, or steps 11 to 15.
    func carryOut(_ call: Call, operation: Operation, match: PathMatch) -> Outcome {
        if call.hasFault, let fault = call.fault, !fault.runsOperation {  // 10
            recorder.notePayload(of: call, operation: operation)
            recorder.noteUnread(call, operation: operation, match: match)
            return .injected
        }
        return .result(
            Result { () throws(Problem) in
                try perform(admit(call, operation: operation, match: match))
            }
        )
    }

    /// Steps 11 to 14.
    ///
    /// - Throws: The refusal; nothing has changed then.
    func admit(
        _ call: Call,
        operation: Operation,
        match: PathMatch
    ) throws(Problem) -> OperationCall {
        // Without the session that a token names, the token cannot be judged either.
        if let problem = call.sessionProblem, problem.reason == .unavailable { throw problem }
        do throws(Problem) {
            try Authorization.check(call, operation: operation)  // 11
        } catch {
            recorder.noteUnread(call, operation: operation, match: match)
            throw error
        }
        PrivacyInspection.inspectContent(of: call)
        if let problem = call.sessionProblem { throw problem }  // 12
        if let early = call.early { throw early }
        try ContentCoding.refuseCoding(of: call.request, for: operation)  // 13
        let valid = contract.validate(call.request, operation: operation, match: match)
        recorder.noteParameters(of: call, valid: valid)
        // The token endpoint has errors of its own (RFC 6749 §5.2), for a wrong media type, too.
        if !valid.isValid, operation.id != OperationID.token,
            let refusal = Problem(refusing: valid)
        {
            throw refusal
        }
        let operationCall = OperationCall(call: call, operation: operation, valid: valid)
        try Authorization.checkGrants(operationCall)  // 14
        return operationCall
    }

    /// Step 15.
    ///
    /// - Throws: The refusal; nothing has changed then.
    func perform(_ call: OperationCall) throws(Problem) -> Answer {
        try handlers[call.operation.index](call)
    }

    /// Steps 16 and 17.
    func conclude(
        _ call: Call,
        _ outcome: Outcome,
        operation: Operation,
        _ exchange: Exchange?
    ) -> Reply? {
        guard case .result(let result) = outcome else {
            return finishing.reply(
                to: call,
                response: HTTPResponse(status: 503),
                operation: operation
            )
        }
        guard isDelayed(call, in: .after) else {
            return finishing.reply(to: call, result, operation: operation)
        }
        return delay(call, in: .after, exchange) {  // 16
            self.finishing.reply(to: call, result, operation: operation)  // 17
        }
    }

    func route(_ call: Call) throws(Problem) -> (Operation, PathMatch) {
        let method = call.request.method
        let path = call.request.target.path
        switch contract.route(method: method, path: path) {
        case .matched(let operation, let match): return (operation, match)
        case .methodNotAllowed(let allowed, _):
            throw Problem(methodNotAllowed: method, allowed: allowed)
        case .notFound:
            throw Problem(
                noRouteFor: call.request,
                suggestions: contract.nearestPaths(to: path, method: method)
            )
        }
    }
}

extension Operation {
    /// Whether a request changes records of its session.
    fileprivate var writesRecords: Bool { method != .get && id != OperationID.token }
}
