import Journal

/// The checks about tokens and grants.
enum AuthChecks {
    private struct Owner: Hashable {
        let session: String
        let client: String?

        init(_ entry: JournalEntry) {
            session = entry.session
            client = entry.client
        }
    }

    /// How long before its end a token may be replaced, in seconds.
    private static let renewal: Int64 = 600

    static func tokenReused(_ time: Timeline) -> Tally {
        var tally = Tally()
        let owned = time.entries.indices.filter { time.entries[$0].client != nil }
        for group in time.groups(of: owned, by: Owner.init) {
            guard group.count(where: { time.isOperation($0) }) >= 2 else { continue }
            let refusals = group.filter {
                time.isOperation($0) && time.entries[$0].answered(401)
            }.map { time.ends[$0] }.sorted()
            let issues = group.filter { isIssue(time.entries[$0]) }
            tally.pass()
            var coming = EndQueue()
            // The newest token that the client held when it asked for another.
            var newest: Int?
            for index in issues {
                let entry = time.entries[index]
                while let ended = coming.pop(notAfter: entry.arrival) {
                    newest = max(ended, newest ?? ended)
                }
                coming.insert(index, at: time.ends[index])
                guard let held = newest else { continue }
                guard let expiry = time.entries[held].tokenExpiry else { continue }
                let now = entry.wallTime / Seconds.nanoseconds
                let isLate = now >= expiry - renewal
                let isForced = holds(
                    refusals,
                    from: time.entries[held].arrival,
                    to: entry.arrival
                )
                if isLate || isForced {
                    tally.pass()
                } else {
                    tally.fail(
                        time.evidence(
                            [held, index],
                            "A new token was asked for while the old one had \(expiry - now) s left.",
                            gap: Seconds.inNanoseconds(expiry - now),
                            limit: renewal * Seconds.nanoseconds
                        )
                    )
                }
            }
        }
        return tally
    }

    /// Whether an ordered list has a value within bounds.
    private static func holds(_ values: [Int64], from: Int64, to: Int64) -> Bool {
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < from { low = middle + 1 } else { high = middle }
        }
        return low < values.count && values[low] <= to
    }

    /// Whether a token request was answered with a token that reached the client.
    private static func isIssue(_ entry: JournalEntry) -> Bool {
        entry.kind == .token && entry.succeeded
    }

    private static let recovery = 60 * Seconds.nanoseconds

    static func recoversFrom401(_ time: Timeline) -> Tally {
        var tally = Tally()
        var issuesOf: [Owner: [Int]] = [:]
        var refusalsOf: [Owner: [Int]] = [:]
        for (index, entry) in time.entries.enumerated() {
            if isIssue(entry) { issuesOf[Owner(entry), default: []].append(index) }
            if isExpiry(time, index) { refusalsOf[Owner(entry), default: []].append(index) }
        }
        guard !refusalsOf.isEmpty else { return tally }
        let calls = time.groups(of: time.entries.indices.filter { time.isOperation($0) }) {
            CallKey($0, content: false)
        }
        for group in calls {
            let changes = tokenChanges(in: group, time)
            for index in group where isExpiry(time, index) {
                let owner = Owner(time.entries[index])
                tally.judge(
                    failedRecovery(
                        time,
                        from: index,
                        calls: group,
                        changes: changes,
                        issues: issuesOf[owner] ?? [],
                        refusals: refusalsOf[owner] ?? []
                    )
                )
            }
        }
        return tally
    }

    private static func isExpiry(_ time: Timeline, _ index: Int) -> Bool {
        let entry = time.entries[index]
        return entry.kind == .operation && entry.refusal == .tokenExpired && entry.answered(401)
    }

    /// For each place in a list of calls, the first place behind it with another token than its own.
    private static func tokenChanges(in calls: [Int], _ time: Timeline) -> [Int] {
        var changes = [Int](repeating: calls.count, count: calls.count)
        for place in calls.indices.dropLast().reversed() {
            let isSame = time.entries[calls[place]].token == time.entries[calls[place + 1]].token
            changes[place] = isSame ? changes[place + 1] : place + 1
        }
        return changes
    }

    /// What is wrong with the way back from a 401, if anything.
    ///
    /// - Parameter changes: For each call, the first behind it with another token.
    private static func failedRecovery(
        _ time: Timeline,
        from index: Int,
        calls: [Int],
        changes: [Int],
        issues: [Int],
        refusals: [Int]
    ) -> Evidence? {
        let end = time.ends[index]
        let name = time.name(index)
        func timely(_ place: Int) -> Int? {
            guard place < calls.count, time.entries[calls[place]].arrival - end <= recovery else {
                return nil
            }
            return calls[place]
        }
        let place = time.firstPlace(in: calls, arrivingAtOrAfter: end)
        let hasSameToken =
            place < calls.count
            && time.entries[calls[place]].token == time.entries[index].token
        guard let again = timely(hasSameToken ? changes[place] : place) else {
            // An answer without duration must not find itself.
            if let repetition = timely(place) == index ? timely(place + 1) : timely(place) {
                return time.evidence(
                    [index, repetition],
                    "\(name) was sent again with the same expired token."
                )
            }
            return time.evidence(
                [index],
                "\(name) met an expired token and was not called again within 60 s.",
                limit: recovery
            )
        }
        let from = time.entries[index].arrival
        let to = time.entries[again].arrival
        let asked = range(of: issues, from: from, to: to, time)
        let refused = range(of: refusals, from: from, to: to, time)
        if asked.count > max(1, refused.count) {
            return time.evidence(
                [index] + asked.prefix(Timeline.maximumReferences) + [again],
                "\(asked.count) tokens were asked for before \(name) was called again."
            )
        }
        return nil
    }

    /// The entries that arrived within a time, from indices in the order of arrival.
    private static func range(of indices: [Int], from: Int64, to: Int64, _ time: Timeline)
        -> ArraySlice<Int>
    {
        let first = time.firstPlace(in: indices, arrivingAtOrAfter: from)
        let last = time.firstPlace(in: indices, arrivingAtOrAfter: to + 1)
        return indices[first..<last]
    }

    /// At most so many token requests in so long a time.
    private static let stormRequests = 3
    private static let stormWindow = 10 * Seconds.nanoseconds

    static func noTokenStorm(_ time: Timeline) -> Tally {
        var tally = Tally()
        let requests = time.entries.indices.filter { time.entries[$0].kind == .token }
        for group in time.groups(of: requests, by: Owner.init) {
            let failed = group.map { index in
                let entry = time.entries[index]
                return (entry.status ?? 0) >= 400 && !entry.lostAnswer
            }
            guard failed.contains(true) else { continue }
            var calm = 0
            var stormy = false
            for (place, index) in group.enumerated() {
                let fourth = place + stormRequests
                if fourth < group.count, failed[place..<fourth].contains(true) {
                    let span =
                        time.entries[group[fourth]].arrival - time.entries[index].arrival
                    if span < stormWindow {
                        // One storm, however long, is one case.
                        if !stormy {
                            tally.fail(
                                time.evidence(
                                    Array(group[place...fourth]),
                                    "\(stormRequests + 1) token requests within "
                                        + "\(Seconds.text(span)) though the endpoint refused.",
                                    gap: span,
                                    limit: stormWindow
                                )
                            )
                        }
                        stormy = true
                        continue
                    }
                }
                stormy = false
                if failed[place] { calm += 1 }
            }
            tally.pass(calm)
        }
        return tally
    }

    static func headerOnly(_ time: Timeline) -> Tally {
        var tally = Tally()
        for (index, entry) in time.entries.enumerated() {
            if entry.findings.contains(.tokenInURL) {
                tally.fail(
                    time.evidence([index], "A token stood in the URL of \(time.name(index)).")
                )
            } else if entry.findings.contains(.tokenInContent) {
                tally.fail(
                    time.evidence([index], "A token stood in the body of \(time.name(index)).")
                )
            } else if entry.token != nil || isIssue(entry) {
                tally.pass()
            }
        }
        return tally
    }

    static func withinDomains(_ time: Timeline) -> Tally {
        var tally = Tally()
        for index in time.entries.indices where time.isOperation(index) {
            let entry = time.entries[index]
            guard entry.client != nil else { continue }
            tally.judge(
                entry.refusal == .domain && entry.status == 403
                    ? time.evidence(
                        [index],
                        "\(time.name(index)) asked for a domain that the token does not name."
                    )
                    : nil
            )
        }
        return tally
    }
}
