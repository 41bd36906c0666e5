import Journal

/// The checks about presigned URLs.
enum UploadChecks {
    private static func puts(_ time: Timeline) -> [Int] {
        time.entries.indices.filter {
            time.entries[$0].kind == .upload && time.entries[$0].method == "PUT"
        }
    }

    /// A check that PUTs are not refused for one reason.
    static func notRefused(_ refusal: JournalRefusal, _ words: String)
        -> @Sendable (Timeline) -> Tally
    {
        { time in
            var tally = Tally()
            for index in puts(time) {
                tally.judge(
                    time.entries[index].refusal == refusal
                        ? time.evidence([index], "The upload was refused: \(words).") : nil
                )
            }
            return tally
        }
    }

    static func beforeExpiry(_ time: Timeline) -> Tally {
        var tally = Tally()
        let issues = issues(time)
        for index in puts(time) {
            let entry = time.entries[index]
            guard entry.refusal == .urlExpired else {
                tally.pass()
                continue
            }
            if let key = urlKey(entry), let issue = issues[key],
                time.entries[issue].clockMoves != entry.clockMoves
            {
                tally.cannotJudge(
                    "The session's clock was moved after the URL had been given out: no client can know "
                        + "that it has ended."
                )
                continue
            }
            tally.fail(time.evidence([index], "The upload was refused: the URL had expired."))
        }
        return tally
    }

    /// By which request each upload URL was first given out.
    private static func issues(_ time: Timeline) -> [URLKey: Int] {
        var issues: [URLKey: Int] = [:]
        for (index, entry) in time.entries.enumerated() {
            for url in entry.details.uploadsIssued {
                let key = URLKey(session: entry.session, guid: url.guid)
                if issues[key] == nil { issues[key] = index }
            }
        }
        return issues
    }

    /// Whether a PUT failed for a reason that a new URL mends.
    ///
    /// What the client sent wrong, it may send right to the same URL.
    private static func failed(_ entry: JournalEntry) -> Bool {
        if entry.isTransient { return true }
        if entry.isInjected, (entry.status ?? 0) >= 400 { return true }
        return entry.refusal == .urlExpired || entry.refusal == .urlUsed
    }

    private struct URLKey: Hashable {
        let session: String
        let guid: String
    }

    private static func urlKey(_ entry: JournalEntry) -> URLKey? {
        entry.details.presigned.map { URLKey(session: entry.session, guid: $0.guid) }
    }

    static func singlePut(_ time: Timeline) -> Tally {
        var tally = Tally()
        for group in time.groups(of: puts(time), by: urlKey) {
            guard let first = group.first(where: { time.entries[$0].succeeded }) else { continue }
            let place = time.firstPlace(in: group, arrivingAtOrAfter: time.ends[first])
            let second = group[place...].first { $0 != first }
            tally.judge(
                second.map {
                    time.evidence(
                        [first, $0],
                        "A second PUT was sent to an upload URL that had succeeded."
                    )
                }
            )
        }
        return tally
    }

    static func newURLAfterFailure(_ time: Timeline) -> Tally {
        var tally = Tally()
        for group in time.groups(of: puts(time), by: urlKey) {
            for (place, index) in group.enumerated() where failed(time.entries[index]) {
                // The URL stays dead: any later PUT to it was sent without asking for a new one.
                let from = time.firstPlace(in: group, arrivingAtOrAfter: time.ends[index])
                let later = group[max(from, place + 1)...].first
                tally.judge(
                    later.map {
                        time.evidence(
                            [index, $0],
                            "An upload URL was used again after a PUT to it had failed "
                                + "(\(reason(time.entries[index])))."
                        )
                    }
                )
            }
        }
        return tally
    }

    private static func reason(_ entry: JournalEntry) -> String {
        switch entry.refusal {
        case .urlExpired: "it had expired"
        case .urlUsed: "it had been used"
        default: RetryChecks.outcome(entry)
        }
    }

    private struct Subject: Hashable {
        let session: String
        let domain: String?
        let appointment: String?
    }

    static func storedAfterFailure(_ time: Timeline) -> Tally {
        var tally = Tally()
        let issues = issues(time)
        var puts: [Subject: [Int]] = [:]
        var reports: [Subject: [Int]] = [:]
        for (index, entry) in time.entries.enumerated() {
            if entry.details.report != nil {
                let subject = Subject(
                    session: entry.session,
                    domain: entry.domain,
                    appointment: entry.appointmentID
                )
                reports[subject, default: []].append(index)
            }
            guard entry.kind == .upload, entry.method == "PUT", let key = urlKey(entry),
                let issue = issues[key]
            else { continue }
            let subject = Subject(
                session: entry.session,
                domain: time.entries[issue].domain,
                appointment: time.entries[issue].appointmentID
            )
            puts[subject, default: []].append(index)
        }
        for (subject, group) in puts.sorted(by: { $0.value[0] < $1.value[0] }) {
            // Each failed PUT wants one that stores: several files may go to one appointment.
            var owed: [Int] = []
            for index in group {
                if isStored(time.entries[index]) {
                    if !owed.isEmpty {
                        tally.pass()
                        owed.removeFirst()
                    }
                } else if failed(time.entries[index]), time.entries[index].refusal != .urlUsed {
                    // Another try at the same file, as far as anybody can see.
                    if owed.isEmpty || isWithinOneIssue(owed, index, time, issues) {
                        owed.append(index)
                    } else {
                        owed[owed.count - 1] = index
                    }
                }
            }
            guard let lost = owed.first else { continue }
            if let stopped = time.context.stopped, stopped - time.ends[lost] < pauseBeforeStop {
                tally.leaveOpen(
                    time.evidence(
                        [lost],
                        "\(time.context.stopClauseAtStart) after an upload had failed "
                            + "(\(reason(time.entries[lost])))."
                    ),
                    toDecide: time.context.moreTime
                )
                continue
            }
            let report = (reports[subject] ?? []).first {
                time.entries[$0].arrival >= time.ends[lost]
            }
            tally.fail(
                time.evidence(
                    [lost] + (report.map { [$0] } ?? []),
                    "The upload failed (\(reason(time.entries[lost]))), and no file was stored by "
                        + (report == nil
                            ? "a new URL." : "a new URL; the report was submitted without it.")
                )
            )
        }
        return tally
    }

    private static let pauseBeforeStop = 60 * Seconds.nanoseconds

    /// Whether a failed PUT is for another file than those before: their URLs were given out together.
    private static func isWithinOneIssue(
        _ owed: [Int],
        _ index: Int,
        _ time: Timeline,
        _ issues: [URLKey: Int]
    ) -> Bool {
        guard let key = urlKey(time.entries[index]), let issue = issues[key] else { return false }
        return owed.allSatisfy { earlier in
            urlKey(time.entries[earlier]).map { $0 != key && issues[$0] == issue } ?? false
        }
    }

    static func contentAsPromised(_ time: Timeline) -> Tally {
        var tally = Tally()
        for index in puts(time) where isStored(time.entries[index]) {
            switch time.entries[index].details.uploadFlaw {
            case nil: tally.pass()
            case .empty: tally.fail(time.evidence([index], "An empty file was uploaded."))
            case .unlike:
                tally.fail(
                    time.evidence(
                        [index],
                        "A file was uploaded as \(time.entries[index].details.contentType ?? "") that "
                            + "does not begin like one."
                    )
                )
            }
        }
        return tally
    }

    static func noCredentials(_ time: Timeline) -> Tally {
        var tally = Tally()
        for (index, entry) in time.entries.enumerated() {
            let isUpload = entry.kind == .upload && entry.method == "PUT"
            let isDownload =
                entry.kind == .download && (entry.method == "GET" || entry.method == "HEAD")
            guard isUpload || isDownload else { continue }
            tally.judge(
                entry.traits.contains(.authorization)
                    ? time.evidence(
                        [index],
                        "An Authorization field was sent to a presigned URL."
                    ) : nil
            )
        }
        return tally
    }

    static func completed(_ time: Timeline) -> Tally {
        var tally = Tally()
        var putsOf: [URLKey: [Int]] = [:]
        for index in puts(time) {
            if let key = urlKey(time.entries[index]) { putsOf[key, default: []].append(index) }
        }
        struct Asked: Hashable {
            let session: String
            let client: String?
            let domain: String?
            let appointment: String?
        }
        let issues = time.entries.indices.filter {
            time.entries[$0].succeeded && !time.entries[$0].details.uploadsIssued.isEmpty
        }
        let groups = time.groups(of: issues) {
            Asked(
                session: $0.session,
                client: $0.client,
                domain: $0.domain,
                appointment: $0.appointmentID
            )
        }
        for group in groups {
            // A replay names the same URLs again: each is judged where it was first heard of.
            var known: Set<String> = []
            for index in group {
                let entry = time.entries[index]
                for url in entry.details.uploadsIssued where known.insert(url.guid).inserted {
                    let key = URLKey(session: entry.session, guid: url.guid)
                    let tries = putsOf[key] ?? []
                    if tries.contains(where: { isStored(time.entries[$0]) }) {
                        tally.pass()
                        continue
                    }
                    if isReplaced(time, url, entry.arrival, by: group, tries) { continue }
                    // Where the clock was set, a date says nothing to a client with one of its own.
                    if tries.isEmpty, entry.clockMoves > 0 {
                        tally.cannotJudge(
                            "The session's clock was set, so the end of a URL says nothing to a client."
                        )
                        continue
                    }
                    if let stopped = time.context.stopped,
                        stopped - time.ends[index] < pauseBeforeStop
                    {
                        tally.cannotJudge("The command was stopped after URLs had been asked for.")
                        continue
                    }
                    tally.fail(
                        time.evidence(
                            [index] + tries,
                            tries.isEmpty
                                ? "An upload URL was asked for and never used."
                                : "An upload URL never got its content."
                        )
                    )
                }
            }
        }
        return tally
    }

    /// Whether new URLs were asked for after a failed PUT, or after the end of this one.
    private static func isReplaced(
        _ time: Timeline,
        _ url: JournalDetails.PresignedURL,
        _ issued: Int64,
        by issues: [Int],
        _ tries: [Int]
    ) -> Bool {
        // The last one that does not name this URL again: if it does not qualify, none does.
        let newest = issues.last { index in
            !time.entries[index].details.uploadsIssued.contains { $0.guid == url.guid }
        }
        guard let newest, time.entries[newest].arrival > issued else { return false }
        let newer = time.entries[newest]
        return newer.wallTime >= Seconds.inNanoseconds(url.expiresAt)
            || tries.contains { time.entries[$0].arrival <= newer.arrival }
    }

    /// Whether a PUT left its content with the mock, even where the client did not hear of it.
    private static func isStored(_ entry: JournalEntry) -> Bool {
        entry.committed || entry.succeeded
    }
}
