import Contract
import Faults
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import QUBS

extension Application {
    /// Counts the request under every rule that matches, and says what shall go wrong with it.
    ///
    /// - Throws: 400 for a `Prefer` field that asks for the impossible.
    func decideFault(_ call: Call, operation: Operation) throws(Problem) -> FaultDecision? {
        var preferred: FaultDecision?
        let fields = call.request.fields
        if fields.count(of: "prefer") > 0 {
            call.entry.traits.insert(.preference)
            let lines = fields.values(named: "prefer").map { String(decoding: $0, as: UTF8.self) }
            do throws(PreferredFault.Malformed) {
                preferred = try PreferredFault.parse(lines)
            } catch {
                throw refusal(
                    of: call,
                    field: "Prefer",
                    keyword: "prefer",
                    "\(error.preference): \(error.reason)",
                    detail: "The Prefer field asks for something impossible."
                )
            }
        }
        let faults = call.session.faults
        guard preferred != nil || faults.concerns(operation: operation.index) else { return nil }
        let facts = RequestFacts(
            operation: operation.index,
            method: call.request.method.rawValue,
            domain: call.entry.domain,
            client: call.entry.client,
            appointmentId: call.entry.appointmentID
        )
        return faults.decide(preferred: preferred, facts, now: call.time.nanoseconds)
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
        let isDelayed = fault.delayNanoseconds > 0
        if isDelayed {
            effects.insert(.delay)
            // In phase `before` of an operation that ran, the delay is over already.
            if fault.phase == .after || !fault.runsOperation {
                delivery.delay = .nanoseconds(fault.delayNanoseconds)
            }
        }
        if let status = fault.status {
            effects.insert(.status)
            response = injectedResponse(status, by: fault, for: call, operation: operation)
        }
        if let content = fault.content {
            effects.insert(.content)
            spoil(&response, content)
        }
        if let truncation = fault.truncateAt {
            effects.insert(.truncation)
            delivery.truncateAfter = truncation.octets(of: response.content.count)
        }
        if let drip = fault.drip {
            effects.insert(.slow)
            delivery.drip = (
                chunks: drip.chunks, over: .nanoseconds(drip.overNanoseconds)
            )
        }
        if let rate = fault.bytesPerSecond {
            effects.insert(.slow)
            delivery.bytesPerSecond = rate
        }
        if fault.token != nil { effects.insert(.token) }
        if let transport = fault.transport {
            effects.insert(Self.effect(of: transport))
            delivery.ending = ending(for: transport, by: fault, call: call)
            if transport == .malformedResponseChunk { response.status = 200 }
        }
        if configuration.sendsFaultHeader {
            response.fields.append(HTTPResponse.Field("X-Mock-Fault", fault.ruleID))
        }
        call.entry.details.fault = JournalFault(
            rule: fault.ruleID,
            phase: fault.phase == .before ? .before : .after,
            effects: effects,
            delay: fault.delayNanoseconds
        )
    }

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
        if operation?.id == OperationID.token {
            let code =
                status >= 500 || status == 429 ? "temporarily_unavailable" : "invalid_request"
            response =
                Answer.json(
                    ["error": .string(code), "error_description": .string(detail)],
                    status: status
                ).response
            response.fields.append(HTTPResponse.Field("Cache-Control", "no-store"))
        } else {
            response = Problem(status, detail).response(
                instance: String(decoding: call.request.target.path, as: UTF8.self),
                requestID: call.correlation.text
            )
        }
        if status == 401 {
            response.fields.append(HTTPResponse.Field("WWW-Authenticate", "Bearer"))
        }
        if let retryAfter = fault.retryAfter {
            var date: Int64?
            var value = String(retryAfter.seconds)
            if retryAfter.form == .date {
                // Rounded up: a client that waits until then has waited long enough.
                let now = (call.time.nanoseconds + 999_999_999).floorDivided(by: 1_000_000_000)
                let instant = Instant(secondsSince1970: now + Int64(retryAfter.seconds))
                value = instant.imfFixdate
                date = instant.secondsSince1970 * 1_000_000_000
            }
            response.fields.append(HTTPResponse.Field("Retry-After", value))
            call.entry.details.retryAfter = JournalDetails.RetryAfter(
                seconds: retryAfter.seconds,
                date: date
            )
        }
        return response
    }

    /// Spoils the content under the true status; only the named thing is wrong.
    private func spoil(_ response: inout HTTPResponse, _ fault: ContentFault) {
        func setContentType(_ value: String) {
            response.fields.removeAll { $0.name == "Content-Type" }
            response.fields.insert(HTTPResponse.Field("Content-Type", value), at: 0)
        }
        switch fault {
        case .malformedJSON:
            // Cut inside the last value, so that no parser finds a whole document.
            if response.content.isEmpty {
                response.content = Array("{\"items\":[".utf8)
            } else {
                response.content.removeLast()
                response.content.append(contentsOf: ",".utf8)
            }
        case .empty: response.content = []
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
    }

    private func ending(
        for transport: TransportFault,
        by fault: FaultDecision,
        call: Call
    ) -> Delivery.Ending {
        switch transport {
        case .connectionResetByPeer: .reset
        case .emptyResponse: .empty
        case .hang: .hang(maximum: fault.holdNanoseconds.map { .nanoseconds($0) })
        case .randomDataThenClose:
            // A first octet with its high bit set is no status line's.
            .raw((0..<256).map { $0 == 0 ? 0x93 : call.worker.generator.next() })
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
