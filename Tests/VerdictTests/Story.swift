import Journal
import Verdict

/// A journal written by hand: requests one after another on a clock of its own, in seconds.
struct Story {
    private(set) var entries: [JournalEntry] = []
    /// The monotonic clock, in seconds.
    var now = 1_000.0
    /// What the session's clock is ahead of the monotonic one, in seconds.
    var clockLead = 1_700_000_000.0
    var clockMoves: UInt32 = 0
    /// How often the control API has changed records.
    var interventions: UInt32 = 0
    /// Exams that fell due, where a working day is played.
    var waits: [VerdictContext.Wait]?
    /// Whether the command under test has ended by itself.
    var hasEnded = false
    /// When the command under test was stopped, on the monotonic clock, in seconds.
    var stopped: Double?
    /// After how long the server closes an idle connection, in seconds.
    var idleTimeout = 75.0
    var client: String? = "acme-partner"
    var connection: UInt64 = 1
    /// The token sent, and issued by the next token request.
    var token = "token-1"
    var tokenExpiry: Int64 = 1_700_004_600

    static let comments = "Integrations_CreatePendingReportingAppointmentComment"
    static let uploads = "Integrations_CreatePendingReportingAppointmentReportAttachments"
    static let reports = "Integrations_SubmitPendingReportingAppointmentReport"
    static let pending = "Integrations_ListPendingReportingAppointments"
    static let pendingOne = "Integrations_GetPendingReportingAppointment"
    static let sites = "Integrations_ListSites"
    static let list = "Integrations_ListAppointments_Summary"
    static let summary = "Integrations_GetAppointment_Summary"

    static let context = VerdictContext(
        session: "default",
        operations: [
            .init(id: sites), .init(id: summary), .init(id: list, paging: .offset),
            .init(id: pending, paging: .cursor, isReporting: true),
            .init(id: pendingOne, isReporting: true),
            .init(id: comments, isReporting: true, idempotencyRetention: 86_400),
            .init(id: uploads, isReporting: true, idempotencyRetention: 900),
            .init(id: reports, isReporting: true, idempotencyRetention: 86_400),
        ]
    )

    static func digest(_ text: String) -> JournalDigest {
        JournalDigest(of: text, key: JournalDigest.Key(3, 4))
    }

    /// Lets time pass.
    mutating func wait(_ seconds: Double) { now += seconds }

    /// Moves the session's clock.
    mutating func advanceClock(_ seconds: Double) {
        clockLead += seconds
        clockMoves += 1
    }

    /// An exam falls due now.
    mutating func fallsDue(_ id: String) {
        let wait = VerdictContext.Wait(
            domain: "acme",
            appointment: id,
            since: Int64((now + clockLead) * 1e9),
            until: nil
        )
        waits = (waits ?? []) + [wait]
    }

    /// An exam leaves the pending list now, which fell due before.
    mutating func leaves(_ id: String) {
        let time = Int64((now + clockLead) * 1e9)
        for place in (waits ?? []).indices where waits?[place].appointment == id {
            waits?[place].until = time
        }
    }

    /// One request that arrives now; afterwards it is the time of its answer's end.
    ///
    /// - Parameters:
    ///   - takes: Seconds until the answer ended.
    ///   - change: Changes the entry before it is noted down.
    mutating func request(
        _ kind: JournalEntry.Kind,
        _ method: String,
        _ path: String,
        operation: String? = nil,
        status: UInt16? = 200,
        takes: Double = 0.01,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        var entry = JournalEntry(
            requestID: "r\(entries.count + 1)",
            session: "default",
            kind: kind,
            method: method,
            path: path,
            connection: connection,
            wallTime: Int64((now + clockLead) * 1e9),
            arrival: Int64(now * 1e9)
        )
        entry.client = client
        entry.operation = operation
        entry.status = status
        entry.delivery = .complete
        entry.clockMoves = clockMoves
        entry.interventions = interventions
        entry.answerEnded = Int64((now + takes) * 1e9)
        entry.answerBegan = entry.answerEnded
        change(&entry)
        if entry.delivery == .pending { entry.answerEnded = nil }
        entries.append(entry)
        now += takes
    }

    /// A request to an operation, with token and correlation id.
    mutating func call(
        _ operation: String,
        _ method: String = "GET",
        on subject: String = "A1",
        status: UInt16? = 200,
        takes: Double = 0.01,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        let token = token
        let expiry = tokenExpiry
        request(
            .operation,
            method,
            "/integrations/v1/acme/\(operation)/\(subject)",
            operation: operation,
            status: status,
            takes: takes
        ) { entry in
            entry.domain = "acme"
            entry.appointmentID = subject
            entry.traits = [.sentRequestID, .authorization]
            entry.token = Self.digest(token)
            entry.tokenExpiry = expiry
            change(&entry)
        }
    }

    /// A reporting POST that commits when it is answered 200.
    mutating func post(
        _ operation: String = Story.comments,
        on subject: String = "A1",
        key: String?,
        body: String = "body",
        status: UInt16? = 200,
        takes: Double = 0.01,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        call(operation, "POST", on: subject, status: status, takes: takes) { entry in
            entry.contentDigest = Self.digest(body)
            entry.details.fingerprint = Self.digest(body)
            entry.details.contentType = "application/json"
            if let key {
                entry.details.idempotencyKey = .init(digest: Self.digest(key), isWellFormed: true)
                entry.idempotency = .first
            }
            entry.committed = status == 200
            change(&entry)
        }
    }

    /// A token request that is answered with the next token, an hour long.
    mutating func tokenRequest(
        status: UInt16 = 200,
        takes: Double = 0.01,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        if status == 200 {
            token = "token at \(now)"
            tokenExpiry = Int64(now + clockLead) + 3600
        }
        let token = token
        let expiry = tokenExpiry
        request(.token, "POST", "/oauth2/token", status: status, takes: takes) { entry in
            entry.contentDigest = Self.digest("grant at \(entry.arrival)")
            entry.details.grant = .clientCredentials
            if status == 200 {
                entry.token = Self.digest(token)
                entry.tokenExpiry = expiry
            }
            change(&entry)
        }
    }

    /// A cursor page.
    mutating func page(
        _ sent: String? = nil,
        next: String? = nil,
        form: JournalDetails.SentNextToken.Form = .issued,
        size: Int32 = 2,
        on subject: String = "list",
        status: UInt16 = 200,
        takes: Double = 0.01,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        call(Self.pending, on: subject, status: status, takes: takes) { entry in
            entry.appointmentID = nil
            entry.details.pageSize = size
            entry.queryDigest = Self.digest("pageSize=\(size)&nextToken=\(sent ?? "")")
            entry.details.query = [
                .init(name: "pageSize", value: .integer(Int(size)), isKnown: true)
            ]
            if let sent {
                entry.details.query.append(
                    .init(name: "nextToken", value: .digest(Self.digest(sent)), isKnown: true)
                )
            }
            entry.details.nextTokenSent = sent.map { .init(digest: Self.digest($0), form: form) }
            entry.details.nextTokenIssued = next.map(Self.digest)
            entry.itemCount = size
            change(&entry)
        }
    }

    /// An offset page.
    mutating func offsetPage(
        skip: Int32,
        take: Int32 = 100,
        items: Int32,
        filter: String = "f",
        status: UInt16 = 200,
        takes: Double = 0.01,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        call(Self.list, on: "all", status: status, takes: takes) { entry in
            entry.appointmentID = nil
            entry.queryDigest = Self.digest("\(skip) \(take) \(filter)")
            entry.details.query = [
                .init(name: "skip", value: .integer(Int(skip)), isKnown: true),
                .init(name: "take", value: .integer(Int(take)), isKnown: true),
                .init(
                    name: "scheduledSite",
                    value: .digest(Self.digest(filter)),
                    isKnown: true
                ),
            ]
            entry.details.skip = skip
            entry.details.take = take
            entry.itemCount = items
            change(&entry)
        }
    }

    /// A request for upload URLs with these guids.
    mutating func askForURLs(_ guids: [String], key: String) {
        let expires = Int64(now + clockLead) + 900
        post(Self.uploads, key: key, body: "upload") { entry in
            entry.details.uploadsIssued = guids.map { .init(guid: $0, expiresAt: expires) }
        }
    }

    /// A PUT to an upload URL.
    mutating func put(
        _ guid: String,
        status: UInt16? = 200,
        refusal: JournalRefusal? = nil,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        request(.upload, "PUT", "/uploads/\(guid)", status: status) { entry in
            entry.contentDigest = Self.digest("file \(guid)")
            entry.traits = [.contentLength]
            entry.details.presigned = .init(guid: guid, expiresAt: 0)
            entry.refusal = refusal
            entry.committed = status == 200
            change(&entry)
        }
    }

    /// The verdict on the story.
    func verdict(
        isStrict: Bool = false,
        scenario: VerdictContext.Scenario? = nil,
        dropped: UInt64 = 0,
        monotonicNow: Double? = nil,
        stopped: Double? = nil,
        limitSeconds: Int? = nil
    ) -> VerdictReport {
        var context = Self.context
        context.isStrict = isStrict
        context.scenario = scenario
        context.waits = waits
        context.dropped = dropped
        context.monotonicNow = monotonicNow.map { Int64($0 * 1e9) }
        context.stopped = (stopped ?? self.stopped).map { Int64($0 * 1e9) }
        context.limitSeconds = limitSeconds
        context.hasEnded = hasEnded
        context.idleTimeout = Int64(idleTimeout * 1e9)
        return Verdict.verdict(of: numbered(entries), context: context)
    }

    /// Entries with ids, as a journal gives them.
    func numbered(_ entries: [JournalEntry]) -> [JournalEntry] {
        let journal = RequestJournal(capacity: max(1, entries.count))
        for entry in entries { journal.append(entry) }
        return journal.entries()
    }

    /// Adds an entry as it is.
    mutating func add(_ entry: JournalEntry) { entries.append(entry) }

    /// The same requests, noted down in another order.
    mutating func shuffle(using generator: inout some RandomNumberGenerator) {
        entries.shuffle(using: &generator)
    }
}

extension JournalEntry {
    /// The answer is lost to a fault.
    mutating func cut(_ phase: JournalFault.Phase = .before) {
        delivery = .cut
        details.fault = JournalFault(rule: "f", phase: phase, effects: .reset)
        if phase == .before {
            status = nil
            committed = false
        }
    }

    /// Something in front of the API answers.
    mutating func answerForeign(_ phase: JournalFault.Phase = .before) {
        details.fault = JournalFault(rule: "f", phase: phase, effects: [.status, .edge])
        if phase == .before { committed = false }
    }

    /// The status comes from a fault.
    mutating func inject(_ phase: JournalFault.Phase = .before) {
        details.fault = JournalFault(rule: "f", phase: phase, effects: .status)
        if phase == .before { committed = false }
    }
}
