import Contract
import Time
import Dispatch
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import OAuth
import Privacy
import Synchronization

/// The control API below `/__admin`: routed and validated by its own contract, never journalled.
package final class ControlAPI: Sendable {
    let contract: OpenAPIContract
    private let context: ControlContext
    private let handlers: [ControlHandler]
    /// The page, which shows a session in a browser.
    private let pageFiles: [PageFile]
    private let access: ControlAccess
    private let workers: Workers
    private let watchdog: Watchdog
    /// Moves the world on, and writes the log's lines.
    private let pipeline: Pipeline
    /// Rotations of keys that run or wait.
    private let rotations = Atomic(0)

    /// - Throws: Where operations and handlers are not the same set.
    init(
        contract: OpenAPIContract,
        context: ControlContext,
        pageFiles: [PageFile],
        access: ControlAccess,
        workers: Workers,
        watchdog: Watchdog,
        pipeline: Pipeline
    ) throws(StartError) {
        self.contract = contract
        self.context = context
        handlers = try HandlerTable.make(Self.all, for: contract)
        self.pageFiles = pageFiles
        self.access = access
        self.workers = workers
        self.watchdog = watchdog
        self.pipeline = pipeline
    }

    private static let all: [ControlEntry] =
        ServerControl.entries + FaultControl.entries + JournalControl.entries
        + TokenControl.entries + ClockControl.entries + SessionControl.entries
        + DataControl.entries + WorldControl.entries + RecordControl.entries
        + RecordListControl.entries
        + ChangesControl.entries + VerdictControl.entries + ReadingControl.entries
        + EdgeControl.entries + EventControl.entries

    /// Where long operations run for sessions that are not open yet.
    ///
    /// Serial queues have threads of their own, so that one may block; concurrent queues share as many
    /// threads as there are processors.
    private static let queue = DispatchQueue(label: "qubs-mock.control")

    /// Where keys are made, one after the other.
    private static let keysQueue = DispatchQueue(label: "qubs-mock.keys")

    /// Rotations that run or wait: a key takes a good part of a second, and each waits for all before.
    private static let maximumRotations = 4

    private static let prefix: [UInt8] = Array("/__admin".utf8)

    /// Whether a path belongs to the control API.
    package static func serves(_ path: [UInt8]) -> Bool {
        guard path.count >= prefix.count, path[1] == UInt8(ascii: "_") else { return false }
        return path.starts(with: prefix)
            && (path.count == prefix.count || path[prefix.count] == UInt8(ascii: "/"))
    }

    /// Answers a control request.
    func answer(_ call: Call, exchange: Exchange) -> Reply? {
        let route = contract.route(
            method: call.request.method,
            path: call.request.target.path
        )
        if case .matched(let operation, _) = route, WorldControl.concerns(operation),
            let session = context.sessions.existing(
                call.request.target.queryValue("session") ?? SessionName.default
            ), !call.hasMetWorld
        {
            do throws(Problem) { try checkAccess(call, route) } catch {
                return finish(call, .failure(error))
            }
            call.session = session
            let now = session.clock.read()
            if pipeline.isWorldBehind(call, at: now.nanoseconds) {
                return pipeline.meetWorld(call, at: now.instant, exchange) {
                    self.answer(call, exchange: exchange)
                }
            }
        }
        let isLarge = call.request.content.count > ContentLimits.maximumOctetsOnWorker
        guard case .matched(let operation, _) = route, operation.runsAside || isLarge else {
            var reply = finish(
                call,
                Result { () throws(Problem) in try result(of: call) }
            )
            if let continuation = call.continuation {
                reply.closesConnection = true
                reply.delivery = continuation(exchange)
            }
            return reply
        }
        let isRotation = operation.id == TokenControl.rotation
        do throws(Problem) {
            try checkAccess(call, route)
            if isRotation { try beginRotation() }
        } catch {
            return finish(call, .failure(error))
        }
        // The worker goes on with other connections; nobody but the queue has the call meanwhile.
        let worker = call.worker
        queue(for: call, isRotation: isRotation).async {
            call.worker = self.workers.contextBeside()
            let answer = Result { () throws(Problem) in try self.result(of: call) }
            call.worker = worker
            if isRotation { self.rotations.subtract(1, ordering: .relaxed) }
            exchange.perform(after: .zero) {
                let reply = self.watchdog.watch(call.request) { self.finish(call, answer) }
                exchange.send(reply)
            }
        }
        return nil
    }

    /// Where a long control operation runs: those of one session one after the other, so that none
    /// holds up another session.
    private func queue(for call: Call, isRotation: Bool) -> DispatchQueue {
        if isRotation { return Self.keysQueue }
        let name = call.request.target.queryValue("session") ?? SessionName.default
        return context.sessions.existing(name)?.controlQueue ?? Self.queue
    }

    private func beginRotation() throws(Problem) {
        guard rotations.add(1, ordering: .relaxed).newValue <= Self.maximumRotations else {
            rotations.subtract(1, ordering: .relaxed)
            throw Problem(
                .unavailable,
                503,
                "\(Self.maximumRotations) rotations are waiting already: wait for one of them.",
                fields: [HTTPResponse.Field("Retry-After", "1")]
            )
        }
    }

    /// Refuses a control request before its content was read; who may not ask is told that first.
    func refuse(_ call: Call, _ problem: Problem) -> Reply {
        let route = contract.route(
            method: call.request.method,
            path: call.request.target.path
        )
        do throws(Problem) {
            try checkAccess(call, route)
        } catch {
            return finish(call, .failure(error))
        }
        return finish(call, .failure(problem))
    }

    /// What a control request is refused for whatever its content: its sender, path or method.
    func refusal(of call: Call) -> Problem? {
        let request = call.request
        let route = contract.route(method: request.method, path: request.target.path)
        do throws(Problem) {
            if try ControlDocuments.form(of: request) != nil { return nil }
            let isPage = try PageDocuments.target(of: request, among: pageFiles) != nil
            try checkAccess(call, route)
            if !isPage { _ = try routed(request, route) }
            return nil
        } catch {
            return error
        }
    }

    private func checkAccess(_ call: Call, _ route: Route) throws(Problem) {
        let isOpen: Bool =
            if case .matched(let operation, _) = route {
                ServerControl.openOperations.contains(operation.id)
            } else {
                false
            }
        try access.check(call.request, needsToken: !isOpen)
    }

    /// Gives the answer to a control request what every answer has.
    private func finish(_ call: Call, _ result: Result<Answer, Problem>) -> Reply {
        var response: HTTPResponse
        switch result {
        case .success(let answer): response = answer.response
        case .failure(let error):
            if let logged = error.logged { context.log.append("qubs-mock: \(logged)\n".utf8) }
            response = error.response(
                instance: String(decoding: call.request.target.path, as: UTF8.self),
                requestID: call.correlation.text
            )
        }
        if response.field("Cache-Control") == nil {
            response.fields.append(HTTPResponse.Field("Cache-Control", "no-store"))
        }
        response.fields.append(HTTPResponse.Field("X-Correlation-Id", call.correlation.text))
        // By the clock of the session concerned, which the request may have moved.
        let now = call.session.clock.now()
        response.fields.append(HTTPResponse.Field("Date", call.worker.date(now)))
        let pending = WorkerContext.Pending(
            session: call.session,
            entry: nil,
            line: logLine(of: call, status: response.status)
        )
        return Reply(response, ticket: call.worker.ticket(for: pending))
    }

    private func logLine(of call: Call, status: Int) -> LogLine? {
        if context.server.configuration.log == .off { return nil }
        return pipeline.finishing.logLine(
            of: call,
            status: status,
            suspect: PrivacyInspection.inspectControl(call, contract)
        )
    }

    private func result(of call: Call) throws(Problem) -> Answer {
        let request = call.request
        let document = try ControlDocuments.form(of: request)
        let page = try PageDocuments.target(of: request, among: pageFiles)
        let route = contract.route(method: request.method, path: request.target.path)
        try checkAccess(call, route)
        if let document { return ControlDocuments.answer(document, contract, to: call) }
        if let page { return PageDocuments.answer(page, to: request) }
        let (operation, match) = try routed(request, route)
        try ContentCoding.refuseCoding(of: request, for: operation)
        let valid = contract.validate(request, operation: operation, match: match)
        if let refusal = Problem(refusing: valid) { throw refusal }
        let controlCall = ControlCall(
            context: context,
            call: call,
            operation: operation,
            valid: valid
        )
        if operation.tag == "Journal" {
            // What was found in requests is there before anybody reads the journal.
            context.sessions.existing(controlCall.string("session"))?.personalData.settle()
        }
        let answer = try handlers[operation.index](controlCall)
        controlCall.announceSuccess()
        return answer
    }

    /// The operation of a control request; 404 or 405 where there is none.
    private func routed(
        _ request: HTTPRequest,
        _ route: Route
    ) throws(Problem) -> (Operation, PathMatch) {
        switch route {
        case .matched(let operation, let match): return (operation, match)
        case .methodNotAllowed(let allowed, _):
            throw Problem(methodNotAllowed: request.method, allowed: allowed)
        case .notFound:
            throw Problem(
                noRouteFor: request,
                suggestions: contract.nearestPaths(
                    to: request.target.path,
                    method: request.method
                ),
                listedAt: "/__admin/openapi.yaml"
            )
        }
    }
}
