import Journal
import Time

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

    /// How long before its end a token may be replaced in any case, in seconds.
    private static let renewal: Int64 = 600

    /// A caller, or a client of which nothing more is known.
    private struct CallerKey: Hashable {
        let owner: Owner
        let caller: Int?
    }

    private static func byCaller(_ indices: [Int], _ time: Timeline) -> [[Int]] {
        time.groups(
            of: indices,
            byIndex: {
                CallerKey(owner: Owner(time.entries[$0]), caller: time.callers.caller[$0])
            }
        )
    }

    /// When each token was last taken, by the end of the answer.
    private static func lastUses(_ group: [Int], _ time: Timeline) -> [JournalDigest: Int64] {
        var last: [JournalDigest: Int64] = [:]
        for index in group where time.isOperation(index) && !time.entries[index].answered(401) {
            if let token = time.entries[index].token { last[token] = time.entries[index].arrival }
        }
        return last
    }

    static func tokenReused(_ time: Timeline) -> Tally {
        var tally = Tally()
        let owned = time.entries.indices.filter { time.entries[$0].client != nil }
        for group in byCaller(owned, time) {
            guard group.count(where: { time.isOperation($0) }) >= 2 else { continue }
            let lastUse = lastUses(group, time)
            var refused: [JournalDigest: [Int64]] = [:]
            for index in group
            where time.isOperation(index) && time.entries[index].answered(401) {
                if let token = time.entries[index].token {
                    refused[token, default: []].append(time.ends[index])
                }
            }
            tally.pass()
            var coming = EndQueue()
            // The newest token that the client held when it asked for another.
            var newest: Int?
            for index in group where isIssue(time.entries[index]) {
                let entry = time.entries[index]
                while let ended = coming.pop(notAfter: entry.arrival) {
                    newest = max(ended, newest ?? ended)
                }
                coming.insert(index, at: time.ends[index])
                guard let held = newest, let token = time.entries[held].token,
                    let expiry = time.entries[held].tokenExpiry
                else { continue }
                // Who still uses the older token has another owner than who asked for this one.
                if let use = lastUse[token], use > time.ends[index] { continue }
                let issued = time.entries[held].wallTime / Seconds.nanoseconds
                let now = entry.wallTime / Seconds.nanoseconds
                let isLate = now >= expiry - max(renewal, (expiry - issued) / 2)
                let isForced = holds(
                    (refused[token] ?? []).sorted(),
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
                            limit: max(renewal, (expiry - issued) / 2) * Seconds.nanoseconds
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
        let expiries = time.entries.indices.filter { isExpiry(time, $0) }
        guard !expiries.isEmpty else { return tally }
        let renewals = Renewals(time, expiries)
        let returns = returns(time)
        for index in expiries {
            let way: WayBack =
                returns[index].map { .wentBack(toBefore: $0) }
                ?? wayBack(from: index, time, renewals)
            guard let evidence = evidence(of: way, from: index, time) else {
                tally.pass()
                continue
            }
            if case .wentBack = way {
                tally.fail(evidence)
            } else if sendsRefusedTokenAgain(index, time) {
                // Nothing excuses that.
                tally.fail(evidence)
            } else if let stopped = time.context.stopped, stopped - time.ends[index] < recovery {
                tally.leaveOpen(
                    time.evidence(
                        [index],
                        "\(time.context.stopClauseAtStart) after \(time.name(index)) had met an "
                            + "expired token."
                    ),
                    toDecide: time.context.moreTime
                )
            } else if let reason = recoveryExcuse(index, time, renewals) {
                tally.cannotJudge(reason)
            } else {
                tally.fail(evidence)
            }
        }
        return tally
    }

    /// What came after a call that met an expired token.
    private enum WayBack {
        /// The call was made again with another token, or need not be.
        case right
        /// The token had been refused before, and a newer one was in use.
        case wentBack(toBefore: Int)
        case sentAgain(Int)
        case notRenewed
        case renewalFailed(Int)
        case notCalledAgain
        case renewedTooOften([Int], before: Int)
    }

    /// What the rule looks up for each call that met an expired token.
    private struct Renewals {
        /// Token requests of each owner, in the order of arrival.
        var requests: [Owner: [Int]] = [:]
        /// Those that brought a token.
        var issues: [Owner: [Int]] = [:]
        var refusals: [Owner: [Int]] = [:]
        /// The last request that brought each token.
        var issueOf: [JournalDigest: Int] = [:]
        /// The connections over which each token was sent.
        var lines: [JournalDigest: Set<UInt64>] = [:]
        /// Calls with one wish, in the order of arrival.
        var calls: [Wish: [Int]] = [:]

        init(_ time: Timeline, _ expiries: [Int]) {
            for index in expiries {
                refusals[Owner(time.entries[index]), default: []].append(index)
            }
            for (index, entry) in time.entries.enumerated() {
                if entry.kind == .token { requests[Owner(entry), default: []].append(index) }
                if isIssue(entry) {
                    issues[Owner(entry), default: []].append(index)
                    if let token = entry.token { issueOf[token] = index }
                }
                guard time.isOperation(index) else { continue }
                calls[time.wishes[index], default: []].append(index)
                if let token = entry.token { lines[token, default: []].insert(entry.connection) }
            }
        }
    }

    /// How many later calls with the same wish are looked at.
    private static let maximumLater = 64

    private static func wayBack(from index: Int, _ time: Timeline, _ renewals: Renewals) -> WayBack
    {
        let entry = time.entries[index]
        let owner = Owner(entry)
        let end = time.ends[index]
        // Renewed and refused all the same: no repetition will change that.
        if let earlier = time.previous[index], isExpiry(time, earlier),
            time.entries[earlier].token != entry.token
        {
            return .right
        }
        let calls = renewals.calls[time.wishes[index]] ?? []
        let place = time.firstPlace(in: calls, arrivingAtOrAfter: end)
        // An answer without duration must not find itself.
        let later = calls[place...].prefix(maximumLater).filter {
            $0 != index && time.entries[$0].arrival - end <= recovery
                && time.callers.relation(of: $0, to: index) != .other
        }
        guard let again = later.first(where: { time.entries[$0].token != entry.token }) else {
            if let repetition = later.first { return .sentAgain(repetition) }
            if firstSoon(renewals.issues[owner], after: end, time) != nil { return .notCalledAgain }
            return firstSoon(renewals.requests[owner], after: end, time)
                .map { .renewalFailed($0) } ?? .notRenewed
        }
        let to = time.entries[again].arrival
        let connection = time.entries[again].connection
        let issues = range(of: renewals.issues[owner], from: entry.arrival, to: to, time).filter {
            guard time.callers.relation(of: $0, to: again) != .other else { return false }
            // A token that is used over other connections alone is that of another process.
            let used = time.entries[$0].token.flatMap { renewals.lines[$0] }
            return used?.contains(connection) ?? true
        }
        let refused = range(of: renewals.refusals[owner], from: entry.arrival, to: to, time)
        return issues.count > max(1, refused.count)
            ? .renewedTooOften(Array(issues), before: again) : .right
    }

    private static func evidence(
        of way: WayBack,
        from index: Int,
        _ time: Timeline
    ) -> Evidence? {
        let name = time.name(index)
        let start = time.nameAtStart(index)
        let met = "\(start) met an expired token"
        // A command that has ended will not come back: the minute need not be over.
        let now = time.context.monotonicNow ?? .max
        let isOver = time.context.hasEnded && now < time.ends[index].addingSaturated(recovery)
        let deadline = isOver ? "before the command ended" : "within 60 s"
        switch way {
        case .right: return nil
        case .wentBack(let newer):
            return time.evidence(
                [newer, index],
                "\(start) was sent with a token that had been refused, though a newer one was in use."
            )
        case .sentAgain(let repetition):
            return time.evidence(
                [index, repetition],
                "\(start) was sent again with the same expired token."
            )
        case .notRenewed:
            return time.evidence(
                [index],
                "\(met); no new one was asked for \(deadline).",
                limit: recovery
            )
        case .renewalFailed(let request):
            return time.evidence(
                [index, request],
                "\(met); the token request failed "
                    + "(\(RetryChecks.outcome(time.entries[request]))) and was not repeated.",
                limit: recovery
            )
        case .notCalledAgain:
            return time.evidence(
                [index],
                "\(met); one was fetched, and the call was not made again \(deadline).",
                limit: recovery
            )
        case .renewedTooOften(let issues, let again):
            return time.evidence(
                [index] + issues.prefix(Timeline.maximumReferences) + [again],
                "\(issues.count) tokens were asked for before \(name) was called again."
            )
        }
    }

    /// Whether a token that was refused is sent a second time.
    private static func sendsRefusedTokenAgain(_ index: Int, _ time: Timeline) -> Bool {
        time.next[index].map { time.entries[$0].token == time.entries[index].token } ?? false
    }

    /// Why a call that was not repeated after 401 is not held against its client.
    private static func recoveryExcuse(
        _ index: Int,
        _ time: Timeline,
        _ renewals: Renewals
    ) -> String? {
        let entry = time.entries[index]
        // The documentation says how long a token lives, not what a 401 is for.
        if let issue = entry.token.flatMap({ renewals.issueOf[$0] }),
            time.entries[issue].arrival < entry.arrival,
            time.entries[issue].clockMoves != entry.clockMoves
        {
            return
                "The session's clock was moved within the life of the token: a client that renews by "
                + "its own clock could not know."
        }
        return nil
    }

    /// The first entry that arrived within a minute after a time, from indices in the order of arrival.
    private static func firstSoon(_ indices: [Int]?, after end: Int64, _ time: Timeline) -> Int? {
        range(of: indices, from: end, to: end.addingSaturated(recovery), time).first
    }

    /// The entries that arrived within a time, from indices in the order of arrival.
    private static func range(of indices: [Int]?, from: Int64, to: Int64, _ time: Timeline)
        -> ArraySlice<Int>
    {
        guard let indices else { return [] }
        let first = time.firstPlace(in: indices, arrivingAtOrAfter: from)
        let last = time.firstPlace(in: indices, arrivingAtOrAfter: to.addingSaturated(1))
        return indices[first..<max(first, last)]
    }

    /// The calls with a token that had been refused as expired, over a connection that had carried a
    /// newer one, each with the last call that did.
    private static func returns(_ time: Timeline) -> [Int: Int] {
        struct Line: Hashable {
            let session: String
            let connection: UInt64
        }
        var refused: Set<JournalDigest> = []
        var expiryOf: [Line: (expiry: Int64, index: Int)] = [:]
        var ends = EndQueue()
        var returns: [Int: Int] = [:]
        // Once may be a thread that had read the old token before the new one came.
        var slips: Set<JournalDigest> = []
        for (index, entry) in time.entries.enumerated() where time.isOperation(index) {
            while let ended = ends.pop(notAfter: entry.arrival) {
                if let token = time.entries[ended].token { refused.insert(token) }
            }
            guard let token = entry.token, let expiry = entry.tokenExpiry else { continue }
            let line = Line(session: entry.session, connection: entry.connection)
            if isExpiry(time, index) {
                ends.insert(index, at: time.ends[index])
                if refused.contains(token), let newer = expiryOf[line], newer.expiry > expiry,
                    !slips.insert(token).inserted
                {
                    returns[index] = newer.index
                }
            } else if expiry > expiryOf[line]?.expiry ?? .min {
                expiryOf[line] = (expiry, index)
            }
        }
        return returns
    }

    private static func isExpiry(_ time: Timeline, _ index: Int) -> Bool {
        let entry = time.entries[index]
        // Who asks with HEAD asks how things are, and has been told.
        return entry.kind == .operation && entry.refusal == .tokenExpired && entry.answered(401)
            && entry.method != "HEAD"
    }

    /// So many pauses in a row that last less than this altogether are a storm.
    ///
    /// Full jitter from 100 ms on stays below these in less than one run of a hundred, a loop without
    /// growth does not.
    private static let storms: [(pauses: Int, limit: Int64)] = [
        (3, 80_000_000), (5, 400_000_000), (9, 3_000_000_000),
    ]
    /// So many tokens in a row may be refused by the API before the next one is asked for in vain.
    private static let tokensInVain = 3
    private static let stormWindow = 60 * Seconds.nanoseconds

    static func noTokenStorm(_ time: Timeline) -> Tally {
        var tally = Tally()
        let requests = time.entries.indices.filter {
            time.entries[$0].kind == .token && time.previous[$0] == nil
        }
        for first in requests {
            let chain = time.chain(around: first)
            let refusals = chain.filter { isRefusal(time.entries[$0]) }
            guard !refusals.isEmpty else { continue }
            if let storm = storm(in: chain, time) {
                tally.fail(storm)
            } else {
                tally.pass(refusals.count)
            }
        }
        endlessRenewal(time, &tally)
        return tally
    }

    private static func isRefusal(_ entry: JournalEntry) -> Bool {
        (entry.status ?? 0) >= 400 && !entry.lostAnswer
    }

    /// The pauses of a chain that are too short altogether, if any are.
    private static func storm(in chain: [Int], _ time: Timeline) -> Evidence? {
        // Who waits as told does not hurry, and begins to count anew.
        var row: [Timeline.Gap] = []
        for (from, to) in zip(chain, chain.dropFirst()) {
            let gap = Timeline.Gap(
                from: from,
                to: to,
                length: time.entries[to].arrival - time.ends[from]
            )
            if let wait = time.requiredWait(after: from), wait > 0,
                gap.length + Timeline.tolerance(of: wait) >= wait
            {
                row = []
                continue
            }
            if time.isDisturbed(from, to) {
                row = []
                continue
            }
            row.append(gap)
            for storm in storms where row.count >= storm.pauses {
                let pauses = row.suffix(storm.pauses)
                let sum = pauses.reduce(Int64(0)) { $0 + $1.length }
                guard sum < storm.limit, let first = pauses.first else { continue }
                return time.evidence(
                    [first.from] + pauses.map(\.to),
                    "\(storm.pauses + 1) token requests with pauses of \(Seconds.text(sum)) altogether, "
                        + "though the endpoint refused.",
                    gap: sum,
                    limit: storm.limit
                )
            }
        }
        return nil
    }

    /// Finds tokens that are renewed again and again though the API takes none of them.
    private static func endlessRenewal(_ time: Timeline, _ tally: inout Tally) {
        // By the token alone: who sent one that cannot be verified, nobody knows.
        var taken: Set<JournalDigest> = []
        var refused: Set<JournalDigest> = []
        for index in time.entries.indices where time.isOperation(index) {
            let entry = time.entries[index]
            guard let token = entry.token else { continue }
            if entry.answered(401) { refused.insert(token) } else { taken.insert(token) }
        }
        guard !refused.isEmpty else { return }
        let owned = time.entries.indices.filter { time.entries[$0].client != nil }
        for group in byCaller(owned, time) {
            var row: [Int] = []
            var isTold = false
            for index in group where isIssue(time.entries[index]) {
                guard let token = time.entries[index].token else { continue }
                let isInVain = refused.contains(token) && !taken.contains(token)
                let isSoon =
                    row.last.map {
                        time.entries[index].arrival - time.ends[$0] < stormWindow
                    } ?? true
                row = isInVain ? (isSoon ? row : []) + [index] : []
                if !isInVain { isTold = false }
                if row.count > tokensInVain, !isTold {
                    isTold = true
                    tally.fail(
                        time.evidence(
                            row,
                            "\(row.count) tokens in a row were fetched, and the API refused each."
                        )
                    )
                }
            }
        }
    }

    /// Tokens fetched within such a time of one another belong to one start.
    private static let start = 2 * Seconds.nanoseconds
    /// So many tokens of one start that nobody uses show that each thread fetched one for all.
    private static let unusedTokens = 2

    /// Finds tokens that were fetched side by side at the start, and thrown away but one.
    static func noStampede(_ time: Timeline) -> Tally {
        var tally = Tally()
        let issues = time.entries.indices.filter {
            isIssue(time.entries[$0]) && time.entries[$0].client != nil
        }
        var used: [Owner: Set<JournalDigest>] = [:]
        var firstCall: [Owner: Int64] = [:]
        for index in time.entries.indices where time.isOperation(index) {
            let owner = Owner(time.entries[index])
            if firstCall[owner] == nil { firstCall[owner] = time.entries[index].arrival }
            if let token = time.entries[index].token { used[owner, default: []].insert(token) }
        }
        for group in time.groups(of: issues, by: Owner.init) {
            guard let first = group.first, case let owner = Owner(time.entries[first]),
                let used = used[owner]
            else { continue }
            let began = time.entries[first].arrival
            // Before any call was made with one.
            let side = group.filter {
                time.entries[$0].arrival - began < start
                    && time.entries[$0].arrival <= firstCall[owner] ?? .max
            }
            let unused = side.filter { time.entries[$0].token.map { !used.contains($0) } ?? false }
            tally.judge(
                unused.count < unusedTokens
                    ? nil
                    : time.evidence(
                        side,
                        "\(side.count) tokens were fetched at once, and \(unused.count) of them were never "
                            + "used."
                    )
            )
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
                        "\(time.nameAtStart(index)) asked for a domain that the token does not name."
                    )
                    : nil
            )
        }
        return tally
    }
}
