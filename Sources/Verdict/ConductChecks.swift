import Journal

/// The checks about reporting, transport, the contract, privacy and tracing.
enum ConductChecks {
    static func pendingOnly(_ time: Timeline) -> Tally {
        var tally = Tally()
        struct Subject: Hashable {
            let session: String
            let domain: String?
            let appointment: String?
        }
        // Who has written on an appointment: a report may have taken it off the list, a final one does.
        var writer: [Subject: Int] = [:]
        var finisher: [Subject: Int] = [:]
        let day = PlayedDay(time)
        var separation = Separation(time)
        for index in time.entries.indices where time.facts(index)?.isReporting ?? false {
            let entry = time.entries[index]
            guard entry.appointmentID != nil else { continue }
            let subject = Subject(
                session: entry.session,
                domain: entry.domain,
                appointment: entry.appointmentID
            )
            if entry.committed { writer[subject] = index }
            if entry.committed, entry.details.report?.status == "final" {
                finisher[subject] = index
            }
            if entry.refusal == .notPending,
                [finisher[subject], writer[subject]].contains(where: {
                    $0.map { separation.mayBeOfTwo($0, index) } ?? false
                })
            {
                tally.cannotJudge("Another caller reported on the appointment at the same time.")
                continue
            }
            if entry.refusal == .notPending, day?.tookAway(fromCall: index) ?? false {
                tally.cannotJudge(
                    "The appointment left the pending list after the last look at it."
                )
                continue
            }
            tally.judge(
                entry.refusal == .notPending
                    ? time.evidence(
                        [index],
                        "\(time.nameAtStart(index)) was called for an appointment that does not wait for a "
                            + "report."
                    ) : nil
            )
        }
        return tally
    }

    private struct ReportSubject: Hashable {
        let session: String
        let client: String?
        let domain: String?
        let appointment: String?

        init(_ entry: JournalEntry) {
            session = entry.session
            client = entry.client
            domain = entry.domain
            appointment = entry.appointmentID
        }
    }

    static func noStepBack(_ time: Timeline) -> Tally {
        var tally = Tally()
        let reports = time.entries.indices.filter {
            time.entries[$0].details.report != nil && time.entries[$0].committed
        }
        var separation = Separation(time)
        for group in time.groups(of: reports, by: ReportSubject.init) {
            var final: Int?
            for index in group {
                let entry = time.entries[index]
                guard let report = entry.details.report else { continue }
                if let final, report.status == "preliminary",
                    time.entries[final].interventions == entry.interventions
                {
                    if separation.mayBeOfTwo(final, index) {
                        tally.doubt("Two programs or threads reported on one appointment.")
                        continue
                    }
                    tally.fail(
                        time.evidence(
                            [final, index],
                            "A preliminary report was submitted over the final one of "
                                + "\(entry.appointmentID ?? "an appointment")."
                        )
                    )
                } else {
                    tally.pass()
                }
                if report.status == "final" { final = index }
            }
        }
        return tally
    }

    /// How far ahead of the session's clock a report may be, in seconds: clocks differ.
    private static let clockDifference: Int64 = 300
    /// How old a report may be when it is submitted, in seconds.
    private static let oldestReport: Int64 = 366 * 86_400

    static func plausibleTime(_ time: Timeline) -> Tally {
        var tally = Tally()
        for (index, entry) in time.entries.enumerated() {
            guard let reportedAt = entry.details.report?.reportedAt else { continue }
            if entry.clockMoves > 0 {
                tally.cannotJudge(
                    "The session's clock was set, so times say nothing of the client's."
                )
                continue
            }
            let now = entry.wallTime / Seconds.nanoseconds
            if reportedAt > now + clockDifference {
                tally.fail(
                    time.evidence(
                        [index],
                        "A report was submitted as of \(reportedAt - now) s in the future."
                    )
                )
            } else if reportedAt < now - oldestReport {
                tally.fail(
                    time.evidence(
                        [index],
                        "A report was submitted as of \((now - reportedAt) / 86_400) days ago."
                    )
                )
            } else {
                tally.pass()
            }
        }
        return tally
    }

    /// Reports submitted while a file that was announced for them is not there.
    static func reportAfterFiles(_ time: Timeline) -> Tally {
        struct Upload: Hashable {
            let session: String
            let guid: String
        }
        var tally = Tally()
        var stored: Set<Upload> = []
        var announced: [ReportSubject: [Announcement]] = [:]
        for (index, entry) in time.entries.enumerated() {
            if entry.kind == .upload, entry.committed, let guid = entry.details.presigned?.guid {
                stored.insert(Upload(session: entry.session, guid: guid))
            }
            let subject = ReportSubject(entry)
            if !entry.details.uploadsIssued.isEmpty {
                // URLs of before were given up for these, but for those of somebody at work beside.
                announced[subject, default: []].removeAll { !time.isSideBySide($0.index, index) }
                announced[subject, default: []].append(
                    Announcement(index: index, guids: entry.details.uploadsIssued.map(\.guid))
                )
            }
            guard entry.details.report != nil, entry.committed, let all = announced[subject] else {
                continue
            }
            // Those of the same connection; else any: one whose files are there is meant then.
            let own = all.filter { time.entries[$0.index].connection == entry.connection }
            let others = all.filter { time.callers.relation(of: index, to: $0.index) != .other }
            let missing = (own.isEmpty ? others : own).map { announcement in
                announcement.guids.count {
                    !stored.contains(Upload(session: entry.session, guid: $0))
                }
            }
            guard let least = missing.min() else { continue }
            tally.judge(
                least == 0
                    ? nil
                    : time.evidence(
                        [index],
                        "The report was submitted before \(least) announced "
                            + (least == 1 ? "file had been stored." : "files had been stored.")
                    )
            )
        }
        return tally
    }

    /// Upload URLs that were given out for an appointment.
    private struct Announcement {
        /// The request that got them.
        let index: Int
        let guids: [String]
    }

    /// Tokens, API and storage are three hosts at QUBS: no connection serves two of them, and none
    /// serves two callers.
    private struct Pool: Hashable {
        let session: String
        let client: String
        let caller: Int?
        let host: Int

        init?(_ entry: JournalEntry, caller: Int?) {
            guard let client = entry.client else { return nil }
            session = entry.session
            self.client = client
            self.caller = caller
            switch entry.kind {
            case .operation: host = 0
            case .token: host = 1
            case .upload, .download: host = 2
            case .other: return nil
            }
        }
    }

    /// What is known of one connection while the requests come in.
    private struct Connection {
        let number: UInt64
        /// When its last answer ended; `Int64.max` while one runs.
        var idleSince: Int64
        /// Whether a connection was opened though this one was idle.
        var isCounted = false
    }

    private static let requestsForReuse = 20
    private static let requestsPerConnection = 5
    /// A connection is idle when nothing has come over it for so long: a pool that opens many at once
    /// has not found out yet that one would do.
    private static let idleTime = Seconds.nanoseconds / 20
    /// How long before the server's own limit a connection may be given up.
    private static let cautionBeforeLimit = Seconds.nanoseconds / 4

    static func reusesConnections(_ time: Timeline) -> Tally {
        var tally = Tally()
        var most = 0
        let groups = time.groups(
            of: time.entries.indices,
            byIndex: { Pool(time.entries[$0], caller: time.callers.caller[$0]) }
        )
        for group in groups {
            most = max(most, group.count)
            guard group.count >= requestsForReuse else { continue }
            var open: [Connection] = []
            var seen: Set<UInt64> = []
            var wasted: [Int] = []
            for index in group {
                let entry = time.entries[index]
                if seen.insert(entry.connection).inserted {
                    // One that the server has ended, or is about to end, is of no use any more.
                    let limit = max(0, time.context.idleTimeout - cautionBeforeLimit)
                    open.removeAll {
                        $0.idleSince != .max && entry.arrival - $0.idleSince >= limit
                    }
                    let idle = open.firstIndex {
                        !$0.isCounted && $0.idleSince != .max
                            && entry.arrival - $0.idleSince >= idleTime
                    }
                    if let idle {
                        open[idle].isCounted = true
                        wasted.append(index)
                    }
                    open.append(Connection(number: entry.connection, idleSince: .max))
                }
                guard let place = open.firstIndex(where: { $0.number == entry.connection }) else {
                    continue
                }
                // Nobody can use a connection again after its answer was cut.
                if entry.lostAnswer || endsConnection(entry) {
                    open.remove(at: place)
                } else {
                    open[place].idleSince = time.ends[index]
                }
                // Those that were counted and left idle are not looked through again.
                if open.count > maximumOpen { open.removeFirst(open.count - maximumOpen) }
            }
            let needed = seen.count - wasted.count
            if wasted.isEmpty || group.count >= requestsPerConnection * (wasted.count + 1) {
                tally.pass()
                continue
            }
            tally.fail(
                time.evidence(
                    Array(wasted.prefix(5)),
                    "\(group.count) \(hostWords(time.entries[group[0]].kind)) came over "
                        + "\(seen.count) connections. \(needed) "
                        + (needed == 1 ? "connection was" : "connections were")
                        + " enough; \(wasted.count) \(wasted.count == 1 ? "was" : "were") opened while "
                        + "another was idle."
                )
            )
        }
        if tally.exercised == 0, most > 0 {
            tally.cannotJudge(
                "Needs \(requestsForReuse) requests to one host; this run had \(most)."
            )
        }
        return tally
    }

    /// What is asked of the host of such a request, in words.
    private static func hostWords(_ kind: JournalEntry.Kind) -> String {
        switch kind {
        case .token: "token requests"
        case .upload, .download: "transfers of files"
        case .operation, .other: "API calls"
        }
    }

    /// Connections that are kept in mind at once.
    private static let maximumOpen = 64

    /// Whether the server closes the connection after such a refusal.
    private static func endsConnection(_ entry: JournalEntry) -> Bool {
        switch entry.status {
        case 408, 411, 413, 414, 431, 501, 505: true
        default: entry.details.violations.contains { $0.location == "message" }
        }
    }

    private static let longDelay = 60 * Seconds.nanoseconds
    private static let patience = 120 * Seconds.nanoseconds
    /// How long the end of a command and that of its connections may lie apart.
    private static let aMoment = Seconds.nanoseconds / 2

    /// Who has waited so long for nothing may well wait for ever: most time-outs are shorter.
    private static let longWait = 60 * Seconds.nanoseconds
    /// What a client may need to end, once it has given up, in seconds.
    private static let secondsToEnd: Int64 = 10

    /// How long a command must be let run so that its patience is seen.
    private static func longerRun(thanWaited soFar: Int64, _ context: VerdictContext) -> String {
        guard let limit = context.limitSeconds else {
            return "Let the command run until it gives up, or for "
                + "\(patience / Seconds.nanoseconds) s of silence."
        }
        // What it did before the silence, the patience that is asked, and its end, in half minutes.
        let before = max(0, Int64(limit) - soFar / Seconds.nanoseconds)
        let needed = before + patience / Seconds.nanoseconds + secondsToEnd
        return "Run it again with --timeout \((needed + 29) / 30 * 30) or more: then there is time "
            + "to see whether it gives up within \(patience / Seconds.nanoseconds) s."
    }

    static func timesOut(_ time: Timeline) -> Tally {
        var tally = Tally()
        for (index, entry) in time.entries.enumerated() {
            guard let fault = entry.details.fault,
                fault.effects.contains(.hang) || fault.delay > longDelay
            else { continue }
            let end = time.ends[index]
            let waited = end == .max ? time.context.monotonicNow : end
            guard let waited else {
                tally.cannotJudge("An answer was still awaited when the verdict was asked for.")
                continue
            }
            let length = waited - entry.arrival
            if length <= patience, let stopped = time.context.stopped, waited >= stopped - aMoment {
                let soFar = max(0, stopped - entry.arrival)
                tally.leaveOpen(
                    time.evidence(
                        [index],
                        "The client waited \(Seconds.text(soFar)) for \(time.name(index)) and was "
                            + "still waiting when \(time.context.stopClause)."
                            + (soFar >= longWait ? " Perhaps it has no time-out." : ""),
                        gap: soFar,
                        limit: patience
                    ),
                    toDecide: longerRun(thanWaited: soFar, time.context)
                )
            } else if length > patience {
                tally.fail(
                    time.evidence(
                        [index],
                        "The client waited \(Seconds.text(length)) for \(time.name(index)).",
                        gap: length,
                        limit: patience
                    )
                )
            } else if entry.delivery == .clientLeft {
                tally.pass()
            } else {
                tally.cannotJudge("The silence ended before the client's patience could be seen.")
            }
        }
        return tally
    }

    static func validRequests(_ time: Timeline) -> Tally {
        var tally = Tally()
        // Cursors that were told to have ended: to send one of them again is a mistake.
        var dead: Set<JournalDigest> = []
        for index in time.entries.indices {
            let entry = time.entries[index]
            if entry.isOfNoOperation {
                let lack = entry.refusal == .route ? "no such path" : "no such method on this path"
                tally.fail(time.evidence([index], "The contract has \(lack)."))
                continue
            }
            guard time.isOperation(index) else { continue }
            guard let status = entry.status, status == 400 || status == 415, !entry.isInjected
            else {
                tally.pass()
                continue
            }
            if entry.refusal == .nextToken, let sent = entry.details.nextTokenSent,
                sent.form == .issued
            {
                if dead.insert(sent.digest).inserted {
                    tally.pass()
                } else {
                    tally.fail(
                        time.evidence(
                            [index],
                            "\(time.nameAtStart(index)) was sent a nextToken again that had been refused as "
                                + "too old."
                        )
                    )
                }
                continue
            }
            let broken = entry.shownViolations.prefix(3).map { violation in
                "\(violation.name.isEmpty ? violation.location : violation.name): "
                    + violation.message
            }
            let why = broken.isEmpty ? entry.refusal.map { [words(for: $0)] } ?? [] : broken
            tally.fail(
                time.evidence(
                    [index],
                    "\(time.nameAtStart(index)) was refused with \(status)"
                        + (why.isEmpty ? "." : ": \(why.joined(separator: " "))")
                )
            )
        }
        return tally
    }

    /// A refusal without violations, in words.
    private static func words(for refusal: JournalRefusal) -> String {
        switch refusal {
        case .mediaType: "Send one Content-Type that the operation takes, such as application/json."
        case .contentCoding: "Send the content as it is, without Content-Encoding."
        case .nextToken: "The nextToken is not one that was issued for this list."
        case .idempotencyKey: "Send one Idempotency-Key of 1 to 128 visible ASCII characters."
        default: "\(refusal.rawValue)."
        }
    }

    static func knownParameters(_ time: Timeline) -> Tally {
        var tally = Tally()
        for index in time.entries.indices where time.isOperation(index) {
            let unknown = time.entries[index].shownQuery.filter { !$0.isKnown }.map(\.name)
            tally.judge(
                unknown.isEmpty
                    ? nil
                    : time.evidence(
                        [index],
                        "\(time.nameAtStart(index)) has no parameter "
                            + unknown.prefix(3).map { "'\($0)'" }.joined(separator: ", ") + "."
                    )
            )
        }
        return tally
    }

    static func noPatientDataInURLs(_ time: Timeline) -> Tally {
        var tally = Tally()
        for (index, entry) in time.entries.enumerated() {
            // The note must not repeat the path: that is where the name stands.
            let where_ = entry.operationName ?? "a request"
            if entry.findings.contains(.patientNameInURL) {
                tally.fail(
                    time.evidence([index], "A patient's full name stood in the URL of \(where_).")
                )
            } else if entry.findings.contains(.medicareNumberInURL) {
                tally.fail(
                    time.evidence([index], "A Medicare number stood in the URL of \(where_).")
                )
            } else if entry.findings.contains(.patientDataInRequestID) {
                tally.fail(
                    time.evidence([index], "Patient data stood in the correlation id of \(where_).")
                )
            } else if entry.findings.contains(.patientDataInField) {
                tally.fail(
                    time.evidence(
                        [index],
                        "Patient data stood in Idempotency-Key, User-Agent or Referer of \(where_)."
                    )
                )
            } else {
                tally.pass()
            }
        }
        return tally
    }

    private struct Call: Equatable {
        let method: String
        let path: String
        let query: JournalDigest?
    }

    static func correlationID(_ time: Timeline) -> Tally {
        var tally = Tally()
        struct Trace: Hashable {
            let session: String
            let requestID: String
        }
        let calls = time.entries.indices.filter { time.isOperation($0) }
        for index in calls where !time.entries[index].traits.contains(.sentRequestID) {
            tally.fail(
                time.evidence(
                    [index],
                    "\(time.nameAtStart(index)) was sent without X-Correlation-Id."
                )
            )
        }
        let sent = calls.filter { time.entries[$0].traits.contains(.sentRequestID) }
        let groups = time.groups(of: sent) { entry in
            // One that could not be used was replaced, and says nothing about the client's.
            entry.traits.contains(.malformedRequestID)
                ? nil : Trace(session: entry.session, requestID: entry.requestID)
        }
        tally.pass(sent.count { time.entries[$0].traits.contains(.malformedRequestID) })
        for group in groups {
            // The call that runs longest, and the one that does among the calls unlike it.
            var longest: Int?
            var other: Int?
            for index in group {
                let call = call(time.entries[index])
                let arrival = time.entries[index].arrival
                let rival = [longest, other].compactMap { $0 }.first {
                    time.ends[$0] > arrival && self.call(time.entries[$0]) != call
                }
                tally.judge(
                    rival.map {
                        time.evidence(
                            [$0, index],
                            "\(time.nameAtStart($0)) and \(time.name(index)) ran at once with one id."
                        )
                    }
                )
                guard let leader = longest else {
                    longest = index
                    continue
                }
                if time.ends[index] > time.ends[leader] {
                    if self.call(time.entries[leader]) != call { other = leader }
                    longest = index
                } else if self.call(time.entries[leader]) != call,
                    other.map({ time.ends[index] > time.ends[$0] }) ?? true
                {
                    other = index
                }
            }
        }
        return tally
    }

    private static func call(_ entry: JournalEntry) -> Call {
        Call(method: entry.method, path: entry.path, query: entry.queryDigest)
    }
}
