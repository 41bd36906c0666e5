import Contract
import Faults
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import OAuth
import QUBS
import Time

/// Decides what shall go wrong with a request, and does it to its answer.
final class FaultInjection: Sendable {
    private let readings: AnswerReading
    /// Whether injected answers carry `X-Mock-Fault`.
    private let sendsField: Bool

    init(readings: AnswerReading, sendsField: Bool) {
        self.readings = readings
        self.sendsField = sendsField
    }

    /// Whether there is anything to decide: most requests ask for nothing, and no rule is about them.
    func mayConcern(_ call: Call, operation: Operation) -> Bool {
        call.request.fields.first("prefer") != nil
            || call.session.faults.concerns(operation: operation.index)
    }

    /// Counts the request under every rule that matches, and says what shall go wrong with it.
    ///
    /// - Throws: 400 for a `Prefer` field that asks for the impossible.
    func decide(for call: Call, operation: Operation) throws(Problem) -> FaultDecision? {
        let faults = call.session.faults
        let isPreference = call.request.fields.first("prefer") != nil
        let preferred = isPreference ? try preference(of: call) : nil
        if call.isOfNoSession { return preferred }
        guard preferred != nil || faults.concerns(operation: operation.index) else { return nil }
        let facts = RequestFacts(
            operation: operation.index,
            method: call.request.method.rawValue,
            domain: call.entry.domain,
            client: call.entry.client,
            appointmentId: call.entry.appointmentID,
            isRepeated: faults.asksForAttempts && call.session.journal.isRepeated(call.entry)
        )
        return faults.decide(preferred: preferred, facts, now: call.time.nanoseconds)
    }

    /// What the `Prefer` field asks for.
    ///
    /// - Throws: 400 where that is impossible.
    private func preference(of call: Call) throws(Problem) -> FaultDecision? {
        call.entry.traits.insert(.preference)
        let lines = call.request.fields.values(named: "prefer")
            .map { String(decoding: $0, as: UTF8.self) }
        do throws(PreferredFault.Malformed) {
            return try PreferredFault.parse(lines)
        } catch {
            throw call.refusal(
                field: "Prefer",
                keyword: "prefer",
                "\(error.preference): \(error.reason)",
                detail: "Prefer: \(error.reason)"
            )
        }
    }

    /// Makes of an answer what the fault wants of it.
    func shape(
        _ response: inout HTTPResponse,
        _ delivery: inout Delivery,
        by fault: FaultDecision,
        for call: Call,
        operation: Operation?
    ) {
        var effects: JournalFault.Effects = []
        if fault.delayNanoseconds > 0 {
            effects.insert(.delay)
            // Where the call was held up, the delay is over.
            if call.held == nil { delivery.delay = .nanoseconds(fault.delayNanoseconds) }
        }
        if let edge = fault.edge {
            effects.formUnion([.edge, edge.isError ? .status : .content])
            response = edgeResponse(edge, by: fault, for: call)
        } else if let status = fault.status {
            effects.insert(.status)
            response = injectedResponse(status, by: fault, for: call, operation: operation)
            readings.reform(&response, of: call, operation: operation)
        }
        if let content = fault.content, spoil(&response, content) { effects.insert(.content) }
        let hasContent = call.request.method != .head && !response.content.isEmpty
        if let truncation = fault.truncateAt, hasContent {
            let octets = truncation.octets(of: response.content.count)
            if octets < response.content.count {
                effects.insert(.truncation)
                delivery.truncateAfter = octets
            }
        }
        if let drip = fault.drip, hasContent {
            effects.insert(.slow)
            delivery.drip = (
                chunks: drip.chunks, over: .nanoseconds(drip.overNanoseconds)
            )
        }
        if let rate = fault.bytesPerSecond, hasContent {
            effects.insert(.slow)
            delivery.bytesPerSecond = rate
        }
        if fault.token != nil, response.status == 200 { effects.insert(.token) }
        // HEAD has no content (RFC 9110 §9.3.2), and so no chunk that could be a broken one.
        if let transport = fault.transport,
            transport != .malformedResponseChunk || call.request.method != .head
        {
            effects.insert(Self.effect(of: transport))
            delivery.ending = ending(for: transport, by: fault)
            if transport == .malformedResponseChunk {
                response.status = 200
                response.fields.removeAll { Self.fieldsOfStatuses.contains($0.name) }
            }
        }
        // An effect that has nothing to act on, such as a cut beyond the content, is none.
        if effects.isEmpty { return }
        if sendsField {
            response.fields.append(HTTPResponse.Field("X-Mock-Fault", fault.ruleID))
        }
        if fault.ruleID == PreferredFault.ruleID,
            let applied = PreferredFault.applied(
                of: fault,
                actsOnConnection: fault.transport.map(Self.effect).map(effects.contains) ?? false
            )
        {
            response.fields.append(HTTPResponse.Field("Preference-Applied", applied))
        }
        call.entry.details.fault = JournalFault(
            rule: fault.ruleID,
            ordinal: fault.ordinal,
            phase: fault.phase == .before ? .before : .after,
            effects: effects,
            delay: fault.delayNanoseconds,
            sentOctets: delivery.truncateAfter
        )
    }

    /// Fields that belong to statuses other than 200.
    private static let fieldsOfStatuses: Set<String> = [
        "Allow", "Content-Range", "Retry-After", "WWW-Authenticate",
    ]

    /// A true error of the API, or of the token endpoint, with the status of a rule.
    private func injectedResponse(
        _ status: Int,
        by fault: FaultDecision,
        for call: Call,
        operation: Operation?
    ) -> HTTPResponse {
        let detail =
            fault.detail ?? "\(StatusCode.title(of: status)): injected by a fault rule."
        var response: HTTPResponse
        let isToken = operation?.id == OperationID.token
        if isToken {
            response = OAuthHandlers.answer(for: status, detail).response
        } else {
            response = Problem.response(
                status: status,
                detail: detail,
                instance: String(decoding: call.request.target.path, as: UTF8.self),
                requestID: call.correlation.text
            )
        }
        let required: (name: String, value: String)? =
            switch status {
            case 401 where isToken: ("WWW-Authenticate", OAuthError.basicChallenge)
            case 401:
                (
                    "WWW-Authenticate",
                    BearerChallenge.text(
                        describing: call.entry.traits.contains(.authorization) ? detail : nil
                    )
                )
            // No method at all, as where a resource is shut for a while (RFC 9110 §10.2.1).
            case 405: ("Allow", "")
            case 407: ("Proxy-Authenticate", #"Basic realm="gateway""#)
            case 426: ("Upgrade", "HTTP/2.0")
            default: nil
            }
        if let (name, value) = required {
            response.fields.append(HTTPResponse.Field(name, value))
        }
        if let retryAfter = fault.retryAfter {
            for line in retryAfter.lines(now: call.time.nanoseconds) {
                response.fields.append(HTTPResponse.Field("Retry-After", line))
            }
            call.noteRetryAfter(of: response)
        }
        return response
    }

    /// Spoils the content under the true status; only the named thing is wrong.
    ///
    /// - Returns: Whether there was something to spoil.
    private func spoil(_ response: inout HTTPResponse, _ fault: ContentFault) -> Bool {
        func setContentType(_ value: String) {
            response.fields.removeAll { $0.name == "Content-Type" }
            response.fields.insert(HTTPResponse.Field("Content-Type", value), at: 0)
        }
        switch fault {
        case .malformedJSON:
            guard !response.content.isEmpty,
                response.field("Content-Type").flatMap({ MediaRange($0) })?.isJSON == true
            else { return false }
            // Cut inside the last value, so that no parser finds a whole document.
            response.content.removeLast()
            response.content.append(contentsOf: ",".utf8)
        case .empty:
            if response.content.isEmpty { return false }
            response.content = []
        case .html:
            let title = "\(response.status) \(StatusCode.title(of: response.status))"
            response.content = Array(
                """
                <html>\r
                <head><title>\(title)</title></head>\r
                <body>\r
                <center><h1>\(title)</h1></center>\r
                <hr><center>gateway</center>\r
                </body>\r
                </html>\r

                """.utf8
            )
            setContentType("text/html")
        case .wrongContentType: setContentType("text/plain; charset=utf-8")
        }
        return true
    }

    private func ending(
        for transport: TransportFault,
        by fault: FaultDecision
    ) -> Delivery.Ending {
        switch transport {
        case .connectionResetByPeer: .reset
        case .emptyResponse: .empty
        case .hang:
            // The rule lives no longer for a delay that came before.
            .hang(
                maximum: fault.holdNanoseconds.map {
                    .nanoseconds(max(0, $0 - fault.delayNanoseconds))
                }
            )
        case .randomDataThenClose: .raw(fault.noise(octets: 256))
        case .malformedResponseChunk: .malformedChunk
        }
    }

    private static func effect(of transport: TransportFault) -> JournalFault.Effects {
        switch transport {
        case .connectionResetByPeer: .reset
        case .emptyResponse: .emptyResponse
        case .hang: .hang
        case .randomDataThenClose: .randomData
        case .malformedResponseChunk: .malformedChunk
        }
    }
}
