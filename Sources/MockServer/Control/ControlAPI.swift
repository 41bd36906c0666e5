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
package enum ControlAPI {
    /// Carries out one control operation.
    typealias Handler = @Sendable (ControlCall) throws(Problem) -> Answer

    typealias Entry = (id: String, handler: Handler)

    /// Where long operations run for sessions that are not open yet.
    ///
    /// Serial queues have threads of their own, so that one may block; concurrent queues share as many
    /// threads as there are processors.
    static let queue = DispatchQueue(label: "qubs-mock.control")

    /// Where keys are made, one after the other.
    static let keysQueue = DispatchQueue(label: "qubs-mock.keys")

    /// Rotations that run or wait: a key takes a good part of a second, and each waits for all before.
    static let maximumRotations = 4

    static let prefix: [UInt8] = Array("/__admin".utf8)

    /// Whether a path belongs to the control API.
    package static func serves(_ path: [UInt8]) -> Bool {
        guard path.count >= prefix.count, path[1] == UInt8(ascii: "_") else { return false }
        return path.starts(with: prefix)
            && (path.count == prefix.count || path[prefix.count] == UInt8(ascii: "/"))
    }

    private static let all: [Entry] =
        ServerControl.entries + FaultControl.entries + JournalControl.entries
        + TokenControl.entries + ClockControl.entries + SessionControl.entries
        + DataControl.entries + WorldControl.entries + RecordControl.entries
        + ChangesControl.entries + VerdictControl.entries + ReadingControl.entries
        + EdgeControl.entries
        + EventControl.entries

    /// The handler of each operation, in the order of the contract.
    ///
    /// - Throws: Where operations and handlers are not the same set.
    static func table(for contract: OpenAPIContract) throws(Application.StartError) -> [Handler] {
        try HandlerTable.make(all, for: contract)
    }
}

/// A control request that is valid and allowed.
struct ControlCall {
    let application: Application
    let call: Call
    let operation: Operation
    let valid: ValidatedRequest

    /// A path or query parameter that is required, or that has a default.
    func string(_ name: StaticString) -> String { valid.string(name) ?? "" }

    /// The content, which is an object wherever the contract takes one.
    var body: JSONValue { valid.body ?? .null }

    /// The session that the request is about, which must be open.
    func existingSession() throws(Problem) -> Session {
        let name = string("session")
        guard let session = application.sessions.existing(name) else {
            throw Problem(
                .notFound,
                404,
                "There is no session of this name: it opens with its first token, or with "
                    + "PUT /__admin/sessions/\(name)."
            )
        }
        call.session = session
        return session
    }

    /// The session that the request is about, opened where it was not.
    func openSession() throws(Problem) -> Session {
        let session = try application.sessions.opened(string("session"))
        call.session = session
        return session
    }
}

extension Application {
    /// Answers a control request.
    func control(_ call: Call, exchange: Exchange) -> Reply? {
        let route = controlContract.route(
            method: call.request.method,
            path: call.request.target.path
        )
        if case .matched(let operation, _) = route, WorldControl.concerns(operation),
            let session = sessions.existing(
                call.request.target.queryValue("session") ?? SessionName.default
            ), !call.hasMetWorld
        {
            do throws(Problem) { try checkAccess(call, route) } catch {
                return finishControl(call, .failure(error))
            }
            call.session = session
            let now = session.clock.read()
            if pipeline.isWorldBehind(call, at: now.nanoseconds) {
                return pipeline.meetWorld(call, at: now.instant, exchange) {
                    self.control(call, exchange: exchange)
                }
            }
        }
        let isLarge = call.request.content.count > ContentLimits.maximumOctetsOnWorker
        guard case .matched(let operation, _) = route, operation.runsAside || isLarge else {
            var reply = finishControl(
                call,
                Result { () throws(Problem) in try controlAnswer(call) }
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
            return finishControl(call, .failure(error))
        }
        // The worker goes on with other connections; nobody but the queue has the call meanwhile.
        let worker = call.worker
        controlQueue(for: call, isRotation: isRotation).async {
            call.worker = self.workers.contextBeside()
            let answer = Result { () throws(Problem) in try self.controlAnswer(call) }
            call.worker = worker
            if isRotation { self.rotations.subtract(1, ordering: .relaxed) }
            exchange.perform(after: .zero) {
                let reply = self.watchdog.watch(call.request) { self.finishControl(call, answer) }
                exchange.send(reply)
            }
        }
        return nil
    }

    /// Where a long control operation runs: those of one session one after the other, so that none
    /// holds up another session.
    private func controlQueue(for call: Call, isRotation: Bool) -> DispatchQueue {
        if isRotation { return ControlAPI.keysQueue }
        let name = call.request.target.queryValue("session") ?? SessionName.default
        return sessions.existing(name)?.controlQueue ?? ControlAPI.queue
    }

    private func beginRotation() throws(Problem) {
        guard rotations.add(1, ordering: .relaxed).newValue <= ControlAPI.maximumRotations else {
            rotations.subtract(1, ordering: .relaxed)
            throw Problem(
                .unavailable,
                503,
                "\(ControlAPI.maximumRotations) rotations are waiting already: wait for one of them.",
                fields: [HTTPResponse.Field("Retry-After", "1")]
            )
        }
    }

    /// Refuses a control request before its content was read; who may not ask is told that first.
    func refuseControl(_ call: Call, _ problem: Problem) -> Reply {
        let route = controlContract.route(
            method: call.request.method,
            path: call.request.target.path
        )
        do throws(Problem) {
            try checkAccess(call, route)
        } catch {
            return finishControl(call, .failure(error))
        }
        return finishControl(call, .failure(problem))
    }

    /// What a control request is refused for whatever its content: its sender, path or method.
    func refusal(ofControl call: Call) -> Problem? {
        let request = call.request
        let route = controlContract.route(method: request.method, path: request.target.path)
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
    private func finishControl(_ call: Call, _ result: Result<Answer, Problem>) -> Reply {
        var response: HTTPResponse
        switch result {
        case .success(let answer): response = answer.response
        case .failure(let error):
            if let logged = error.logged { log.append("qubs-mock: \(logged)\n".utf8) }
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
            line: controlLogLine(of: call, status: response.status)
        )
        return Reply(response, ticket: call.worker.ticket(for: pending))
    }

    private func controlLogLine(of call: Call, status: Int) -> LogLine? {
        if configuration.log == .off { return nil }
        return pipeline.finishing.logLine(
            of: call,
            status: status,
            suspect: PrivacyInspection.inspectControl(call, controlContract)
        )
    }

    private func controlAnswer(_ call: Call) throws(Problem) -> Answer {
        let request = call.request
        let document = try ControlDocuments.form(of: request)
        let page = try PageDocuments.target(of: request, among: pageFiles)
        let route = controlContract.route(method: request.method, path: request.target.path)
        try checkAccess(call, route)
        if let document { return ControlDocuments.answer(document, controlContract, to: call) }
        if let page { return PageDocuments.answer(page, to: request) }
        let (operation, match) = try routed(request, route)
        try ContentCoding.refuseCoding(of: request, for: operation)
        let valid = controlContract.validate(request, operation: operation, match: match)
        if let refusal = Problem(refusing: valid) { throw refusal }
        let controlCall = ControlCall(
            application: self,
            call: call,
            operation: operation,
            valid: valid
        )
        if operation.tag == "Journal" {
            // What was found in requests is there before anybody reads the journal.
            sessions.existing(controlCall.string("session"))?.personalData.settle()
        }
        let answer = try controlHandlers[operation.index](controlCall)
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
                suggestions: controlContract.nearestPaths(
                    to: request.target.path,
                    method: request.method
                ),
                listedAt: "/__admin/openapi.yaml"
            )
        }
    }
}

/// `/__admin/openapi.yaml` and `/__admin/openapi.json`.
enum ControlDocuments {
    static func form(of request: HTTPRequest) throws(Problem) -> ServiceDocuments.Form? {
        let form: ServiceDocuments.Form
        switch String(decoding: request.target.path, as: UTF8.self) {
        case "/__admin/openapi.yaml": form = .yaml
        case "/__admin/openapi.json": form = .json
        default: return nil
        }
        guard request.method == .get || request.method == .head else {
            throw Problem(methodNotAllowed: request.method, allowed: [.get, .head])
        }
        return form
    }

    static func answer(
        _ form: ServiceDocuments.Form,
        _ contract: OpenAPIContract,
        to call: Call
    ) -> Answer {
        ServiceDocuments.answer(contract, form: form, to: call)
    }
}
