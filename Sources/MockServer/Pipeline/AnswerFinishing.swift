import Contract
import Faults
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import OAuth
import Privacy
import QUBS
import Readings
import Store
import Time

/// Makes the reply of an answer: what a fault and the readings make of it, the fields that every
/// answer has, journal, and log.
final class AnswerFinishing: Sendable {
    private let configuration: Configuration
    private let log: LogSink
    private let faults: FaultInjection
    private let readings: AnswerReading

    init(
        configuration: Configuration,
        log: LogSink,
        faults: FaultInjection,
        readings: AnswerReading
    ) {
        self.configuration = configuration
        self.log = log
        self.faults = faults
        self.readings = readings
    }

    /// The reply of what came of an operation.
    func reply(
        to call: Call,
        _ result: Result<Answer, Problem>,
        operation: Operation
    ) -> Reply {
        switch result {
        case .success(let answer):
            call.entry.itemCount = answer.itemCount.map { Int32(truncatingIfNeeded: $0) }
            if let token = answer.nextToken {
                call.entry.details.nextTokenIssued = call.digest(token.utf8)
            }
            return reply(to: call, response: answer.response, operation: operation)
        case .failure(let problem):
            return reply(to: call, problem: problem, operation: operation)
        }
    }

    /// The reply of a refusal; writes its reason into the journal: the only place that does.
    func reply(
        to call: Call,
        problem: Problem,
        operation: Operation? = nil
    ) -> Reply {
        call.entry.refusal = problem.reason
        if let logged = problem.logged { log.append("qubs-mock: \(logged)\n".utf8) }
        // The server, not the endpoint, refuses content before it is read.
        if operation?.id == OperationID.token, problem.reason != .tooLarge {
            return reply(
                to: call,
                response: OAuthHandlers.answer(for: problem).response,
                operation: operation
            )
        }
        return reply(
            to: call,
            response: problem.response(
                instance: String(decoding: call.request.target.path, as: UTF8.self),
                requestID: call.correlation.text
            ),
            operation: operation
        )
    }

    /// The reply of an answer or a refusal, as the fault wants it.
    func reply(
        to call: Call,
        response: consuming HTTPResponse,
        operation: Operation? = nil
    ) -> Reply {
        var delivery = Delivery()
        if call.hasFault, let fault = call.fault {
            if fault.status == nil { readings.reform(&response, of: call, operation: operation) }
            faults.shape(&response, &delivery, by: fault, for: call, operation: operation)
        } else {
            readings.reform(&response, of: call, operation: operation)
        }
        return finish(call, response: response, delivery: delivery)
    }

    /// Puts a request that a delay holds up into the journal, so that it can be seen meanwhile, and
    /// so that it is known when its client gives up.
    ///
    /// - Returns: The ticket of the answer to come.
    func hold(_ call: Call, for fault: FaultDecision) -> UInt64 {
        call.entry.details.fault = JournalFault(
            rule: fault.ruleID,
            ordinal: fault.ordinal,
            phase: fault.phase == .before ? .before : .after,
            effects: .delay,
            delay: fault.delayNanoseconds
        )
        let journal = call.session.journal
        let suspect = examineHeld(call)
        let entry = call.enterJournal(call.entry)
        if let suspect {
            call.session.personalData.examine(suspect) { findings in
                guard findings.isEmpty else { return }
                journal.update(entry) { $0.traits.remove(.unexamined) }
            }
        }
        call.entry.traits.remove(.unexamined)
        let ticket = call.worker.ticket(
            for: WorkerContext.Pending(session: call.session, entry: entry, line: nil)
        )
        call.held = ticket
        return ticket
    }

    /// Marks the entry of a call that is not answered yet where it may hold a name.
    ///
    /// Treat possible names as names until the operation has succeeded: only then is a name in the
    /// path an identifier. What the request holds is noted with its answer.
    ///
    /// - Returns: What is left to be looked at, once the index is made; `nil` for nothing.
    private func examineHeld(_ call: Call) -> PersonalData.Suspect? {
        let findings = call.entry.findings
        defer { call.entry.findings = findings }
        let suspect = PrivacyInspection.inspect(call, status: 404)
        let isSuspicious = !call.entry.findings.isDisjoint(with: [.inURL, .inRequestID])
        if suspect != nil || isSuspicious { call.entry.traits.insert(.unexamined) }
        return isSuspicious ? nil : suspect
    }

    /// Writes the journal entry, and gives the answer what every answer has.
    private func finish(
        _ call: Call,
        response: consuming HTTPResponse,
        delivery: consuming Delivery
    ) -> Reply {
        response.fields.reserveCapacity(response.fields.count + 3)
        // An edge has never heard of the API.
        let isForeign = call.hasFault && call.fault?.edge != nil
        if !isForeign {
            response.fields.append(HTTPResponse.Field("X-Correlation-Id", call.correlation.text))
        }
        response.fields.append(HTTPResponse.Field("Date", call.worker.date(call.now)))
        if !call.readings.isDefault { readings.frame(&response, delivery, of: call) }
        if isAnswered(call) {
            call.entry.status = UInt16(truncatingIfNeeded: response.status)
            call.entry.answerOctets = response.content.count
        }
        if call.entry.hasDetails {
            call.session.uploadOwners.note(call.entry.details.uploadsIssued, of: call.entry.client)
        }
        let suspect =
            configuration.keepsJournal || configuration.log != .off
            ? PrivacyInspection.inspect(call, status: response.status) : nil
        if configuration.journalKeepsBodies {
            let maximum = Self.maximumKeptOctets
            if !call.request.content.isEmpty {
                call.entry.details.requestContent = Array(call.request.content.prefix(maximum))
            }
            if !response.content.isEmpty {
                call.entry.details.answerContent = Array(response.content.prefix(maximum))
            }
        }
        let line = logLine(
            of: call,
            status: isAnswered(call) ? response.status : nil,
            suspect: suspect
        )
        let session = call.session
        if call.entry.kind == .token { session.personalData.prepare() }
        let operation = call.entry.kind == .operation ? call.entry.operation : nil
        let isLinked = hasHelpLink(call, status: response.status) && !isForeign
        let id: UInt64? =
            if let number = call.number {
                session.journal.complete(number, with: call.takeEntry()) ? number : nil
            } else if call.isOfNoSession {
                nil
            } else {
                session.journal.append(call.takeEntry())
            }
        if let suspect, let id {
            session.personalData.examine(suspect) { findings in
                if findings.isEmpty { return }
                session.journal.update(id) { $0.findings.formUnion(findings) }
            }
        }
        if let operation, !call.isOfNoSession {
            let advance = session.scenario.countRequest(of: operation)
            if advance > 0, session.clock.advance(byNanoseconds: advance) {
                session.feed.announceClock(session.clock.read())
            }
        }
        if let id, isLinked {
            // As the fields before it are spelled: an answer may have all of them in lower case.
            let isLower = response.fields.first.map { $0.name == $0.name.lowercased() } ?? false
            response.fields.append(
                HTTPResponse.Field(isLower ? "link" : "Link", helpLink(to: id, in: session))
            )
        }
        let pending = WorkerContext.Pending(
            session: session,
            entry: id,
            line: line,
            claim: call.claim
        )
        let ticket: UInt64
        if let held = call.held {
            ticket = held
            call.worker.replace(ticket, with: pending)
        } else {
            ticket = call.worker.ticket(for: pending)
        }
        return Reply(response, delivery: delivery, ticket: ticket)
    }

    /// Whether an answer is a refusal, or an injected failure, that leads to its explanation.
    private func hasHelpLink(_ call: Call, status: Int) -> Bool {
        configuration.sendsFaultHeader && configuration.keepsJournal
            && ((400..<500).contains(status) || status >= 500 && call.entry.details.fault != nil)
    }

    /// The value of `Link` (RFC 8288) that leads to the journal's explanation of an entry.
    private func helpLink(to entry: UInt64, in session: Session) -> String {
        let query = session.name == SessionName.default ? "" : "?session=\(session.name)"
        return #"</__admin/requests/\#(entry)/explain\#(query)>; rel="help""#
    }

    /// Octets of a content that `--journal-bodies` keeps: 10,000 requests must stay bearable.
    private static let maximumKeptOctets = 65_536

    /// Whether a status answers the call: not where a silent transport takes the operation's place.
    private func isAnswered(_ call: Call) -> Bool {
        guard call.hasFault, let fault = call.fault else { return true }
        return fault.runsOperation || fault.status != nil
    }

    /// The line of the log for a call, where there is a log.
    ///
    /// - Parameter suspect: What may be a name, until that is known; it is not told either.
    func logLine(
        of call: Call,
        status: Int?,
        suspect: PersonalData.Suspect?
    ) -> LogLine? {
        if configuration.log == .off { return nil }
        let findings = call.entry.findings
        let withholdsPath =
            !(suspect?.url.isEmpty ?? true) || !findings.isDisjoint(with: .inURL)
        let withholdsID =
            suspect?.requestID != nil || !findings.isDisjoint(with: .inRequestID)
        return LogLine(
            time: call.worker.logTime(SystemTime.wall()),
            method: call.request.method.rawValue,
            path: withholdsPath ? Array("(withheld)".utf8) : call.request.target.path,
            status: status,
            fault: call.fault?.ruleID,
            requestID: withholdsID ? "(withheld)" : call.correlation.text,
            traceParent: call.entry.details.traceParent,
            // It repeats nothing that was sent.
            defect: call.request.method.rawValue.isEmpty
                ? call.entry.details.violations.first?.message : nil,
            arrival: call.arrival
        )
    }
}
