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
            for (place, index) in group.enumerated() {
                let entry = time.entries[index]
                guard entry.refusal == .urlExpired || entry.refusal == .urlUsed,
                    entry.answered(403)
                else { continue }
                // The URL stays dead: any later PUT to it was sent without asking for a new one.
                let from = time.firstPlace(in: group, arrivingAtOrAfter: time.ends[index])
                let later = group[max(from, place + 1)...].first
                let reason = entry.refusal == .urlExpired ? "expired" : "used"
                tally.judge(
                    later.map {
                        time.evidence(
                            [index, $0],
                            "An \(reason == "used" ? "already used" : reason) upload URL was tried "
                                + "again instead of asking for a new one."
                        )
                    }
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
        struct Subject: Hashable {
            let session: String
            let client: String?
            let domain: String?
            let appointment: String?
        }
        let issues = time.entries.indices.filter {
            time.entries[$0].succeeded && !time.entries[$0].details.uploadsIssued.isEmpty
        }
        let groups = time.groups(of: issues) {
            Subject(
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
