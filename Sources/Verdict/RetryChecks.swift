import Journal
import Time

/// The checks about retries.
enum RetryChecks {
    /// From how many attempts on a client may give up without a failed check.
    private static let attemptsBeforeGivingUp = 3
    /// Who is told to wait longer than this may give up.
    private static let patience = 120 * Seconds.nanoseconds
    /// Who leaves sooner than this has not timed out: the call was not wanted any more.
    private static let shortestTimeout = Seconds.nanoseconds
    /// What failed so shortly before a command was stopped might have been repeated.
    private static let pauseBeforeStop = 60 * Seconds.nanoseconds
    /// How long after a failure another call of the operation is told beside it.
    private static let nearby = 60 * Seconds.nanoseconds

    /// For each POST whose content was sent again later, as the first of a chain, the last such time.
    ///
    /// A POST that is repeated with another key is in no chain, but it is repeated: what is wrong with
    /// it is the key, and another check says so.
    private static func lastRepetitions(_ time: Timeline) -> [CallKey: Int64] {
        var last: [CallKey: Int64] = [:]
        for (index, entry) in time.entries.enumerated()
        where entry.method == "POST" && entry.kind != .token && time.previous[index] == nil {
            last[CallKey(entry, content: true)] = entry.arrival
        }
        return last
    }

    /// What was asked for again, or anew, in other words than those of a retry.
    private struct Repetitions {
        /// Of each wish, those that succeeded, in the order of arrival.
        var successes: [Wish: [Int]] = [:]
        /// Of each list, the requests for its beginning.
        var beginnings: [ListWish: [Int]] = [:]
        /// The calls of each operation that writes, on one subject.
        var writes: [String: [Int]] = [:]

        init(_ time: Timeline) {
            for (index, entry) in time.entries.enumerated() {
                let wish = time.wishes[index]
                if entry.succeeded { successes[wish, default: []].append(index) }
                if wish.position == .start { beginnings[wish.list, default: []].append(index) }
                if entry.method == "POST", entry.kind == .operation {
                    writes[entry.path, default: []].append(index)
                }
            }
        }
    }

    static func retriesTransient(_ time: Timeline) -> Tally {
        persistence(time) { !$0.isForeign }
    }

    /// The same for failures that something in front of the API answered.
    static func toleratesForeign(_ time: Timeline) -> Tally {
        persistence(time, after: \.isForeign)
    }

    /// Whether each transient failure that counts was retried.
    private static func persistence(
        _ time: Timeline,
        after counts: (JournalEntry) -> Bool
    ) -> Tally {
        var tally = Tally()
        let repetitions = lastRepetitions(time)
        let others = Repetitions(time)
        for (index, entry) in time.entries.enumerated()
        where entry.isTransient && counts(entry) {
            let isKeyed = entry.method == "POST" && entry.details.idempotencyKey != nil
            guard entry.method == "GET" || isKeyed || entry.kind == .token else { continue }
            if time.next[index] != nil {
                tally.pass()
                continue
            }
            if isKeyed, let last = repetitions[CallKey(entry, content: true)],
                last >= time.ends[index]
            {
                continue
            }
            if isAnsweredOtherwise(index, time, others) { continue }
            let chain = time.attempts(upTo: index)
            if chain.count >= attemptsBeforeGivingUp {
                tally.pass()
                continue
            }
            if let reason = excuse(index, time) {
                tally.cannotJudge(reason)
                continue
            }
            let often =
                chain.count == 1
                ? "was never retried"
                : "was given up after one retry, where three attempts are asked"
            tally.fail(
                time.evidence(
                    chain,
                    "\(time.nameAtStart(index)) (\(outcome(entry))) \(often)"
                        + anotherCall(index, time, others) + "."
                )
            )
        }
        return tally
    }

    /// Whether the client has what it wanted, though not by a retry.
    private static func isAnsweredOtherwise(
        _ index: Int,
        _ time: Timeline,
        _ others: Repetitions
    ) -> Bool {
        if time.takenUp[index] { return true }
        let arrival = time.entries[index].arrival
        // A twin, sent before the failure was known.
        if let group = others.successes[time.wishes[index]] {
            let place = time.firstPlace(in: group, arrivingAtOrAfter: arrival)
            if group[place...].prefix(8).contains(where: {
                $0 != index && time.callers.relation(of: $0, to: index) != .other
                    && time.entries[$0].arrival < time.ends[index].addingSaturated(nearby)
            }) {
                return true
            }
        }
        // A list that is begun anew comes to its page again.
        let wish = time.wishes[index]
        if wish.position != .start, let group = others.beginnings[wish.list] {
            let place = time.firstPlace(in: group, arrivingAtOrAfter: time.ends[index])
            if place < group.count,
                time.entries[group[place]].arrival - time.ends[index] <= Timeline.longestPause
            {
                return true
            }
        }
        return false
    }

    /// Why a failure without a retry is not held against the client; `nil` where it is.
    private static func excuse(_ index: Int, _ time: Timeline) -> String? {
        let entry = time.entries[index]
        let end = time.ends[index]
        if let wait = time.requiredWait(after: index) {
            if wait > patience {
                return
                    "\(time.nameAtStart(index)) was told to wait \(Seconds.text(wait)): who gives up then "
                    + "is right, too."
            }
            if !time.context.hasEnded,
                let now = time.context.stopped ?? time.context.monotonicNow,
                now < end.addingSaturated(wait)
            {
                return
                    "\(time.nameAtStart(index)) was told to wait \(Seconds.text(wait)), which was not over."
            }
        }
        if let stopped = time.context.stopped, stopped - end < pauseBeforeStop {
            return stopped <= end
                ? "The command was stopped while it waited for \(time.name(index)), after "
                    + "\(Seconds.text(max(0, stopped - entry.arrival)))."
                : "The command was stopped \(Seconds.text(stopped - end)) after \(time.name(index)) "
                    + "had failed."
        }
        if entry.delivery == .clientLeft, end - entry.arrival < shortestTimeout {
            return
                "\(time.nameAtStart(index)) was given up after \(Seconds.text(end - entry.arrival)): too "
                + "soon for a time-out, so nobody wanted it any more."
        }
        return nil
    }

    /// What the client called instead of a retry, as the end of a sentence.
    private static func anotherCall(
        _ index: Int,
        _ time: Timeline,
        _ others: Repetitions
    ) -> String {
        guard time.entries[index].method == "POST",
            let group = others.writes[time.entries[index].path]
        else { return "" }
        let end = time.ends[index]
        let place = time.firstPlace(in: group, arrivingAtOrAfter: end)
        guard place < group.count, case let later = group[place],
            case let gap = time.entries[later].arrival - end, gap < nearby
        else { return "" }
        let how =
            time.entries[later].details.idempotencyKey == nil ? "without a key" : "with another key"
        return
            " with its key; \(Seconds.text(gap)) later the operation was called \(how) and payload"
    }

    /// How much of a chain is shown around a pause.
    private static let chainReach = 4

    static func honoursRetryAfter(_ time: Timeline) -> Tally {
        var tally = Tally()
        for (index, entry) in time.entries.enumerated() {
            guard let later = time.attempt(after: index),
                let retryAfter = entry.governingRetryAfter,
                let wait = time.requiredWait(after: index)
            else { continue }
            if time.isDisturbed(index, later) {
                tally.cannotJudge(
                    "The session's clock was moved, or its records changed, between the attempts."
                )
                continue
            }
            if time.rhythmic[later] { continue }
            if retryAfter.date != nil, entry.clockMoves > 0 {
                tally.cannotJudge(
                    "The session's clock was set, so a date in Retry-After says nothing about the client's."
                )
                continue
            }
            let gap = time.entries[later].arrival - time.ends[index]
            let tolerance = Timeline.tolerance(of: wait)
            if gap + tolerance >= wait {
                tally.pass()
            } else {
                let form = retryAfter.date == nil ? "" : " (a date)"
                tally.fail(
                    time.evidence(
                        time.next[index] == nil
                            ? [index, later] : time.chain(around: index, reach: chainReach),
                        "\(time.nameAtStart(index)) was retried after \(Seconds.text(gap)), told "
                            + "\(Seconds.text(wait)) by Retry-After\(form).",
                        gap: gap,
                        limit: wait,
                        tolerance: tolerance
                    )
                )
            }
        }
        return tally
    }

    static func notTooLate(_ time: Timeline) -> Tally {
        var tally = Tally()
        for (index, entry) in time.entries.enumerated() {
            guard let later = time.next[index], entry.governingRetryAfter != nil,
                let wait = time.requiredWait(after: index), !time.rhythmic[later]
            else { continue }
            if time.isDisturbed(index, later) {
                tally.cannotJudge(
                    "The session's clock was moved, or its records changed, between the attempts."
                )
                continue
            }
            let gap = time.entries[later].arrival - time.ends[index]
            let limit = Timeline.latest(after: wait)
            tally.judge(
                gap <= limit
                    ? nil
                    : time.evidence(
                        time.chain(around: index, reach: chainReach),
                        "\(time.name(index)) was retried after \(Seconds.text(gap)), told "
                            + "\(Seconds.text(wait)) by Retry-After.",
                        gap: gap,
                        limit: limit
                    )
            )
        }
        return tally
    }

    /// The pauses of chains, in their order, that the client chose itself.
    static func pausesBetween(_ time: Timeline) -> Tally {
        var tally = Tally()
        for chain in time.chainsAcrossKeys {
            let gaps = time.freeGaps(of: chain)
            guard gaps.count >= PauseRules.pausesInARow else { continue }
            guard let first = PauseRules.firstWithoutPause(in: gaps.map(\.length)) else {
                tally.pass()
                continue
            }
            let run = gaps[first...].prefix { $0.length < PauseRules.shortestPause }
            let longest = run.map(\.length).max() ?? 0
            tally.fail(
                time.evidence(
                    [gaps[first].from] + run.map(\.to),
                    "\(time.nameAtStart(chain[0])) was attempted \(run.count + 1) times in a row with "
                        + "pauses of \(Seconds.text(longest)) at most.",
                    gap: longest,
                    limit: PauseRules.shortestPause
                )
            )
        }
        return tally
    }

    static func backsOff(_ time: Timeline) -> Tally {
        var tally = Tally()
        var chains: [[Int]] = []
        var pauses: [[Int64]] = []
        for chain in time.chains {
            // Many libraries repeat a broken connection sooner than a status: like is held to like.
            let runs = runs(of: time.freeGaps(of: chain), time)
            guard let run = runs.first(where: { $0.count >= PauseRules.pausesForGrowth }) else {
                continue
            }
            chains.append(chain)
            pauses.append(run.map(\.length))
        }
        guard let growth = PauseRules.growth(of: pauses) else {
            if !chains.isEmpty {
                tally.cannotJudge(
                    "Only \(chains.count) of the \(PauseRules.chainsForGrowth) chains that are "
                        + "needed had three pauses of the client's own after like failures: jitter "
                        + "alone can shrink one."
                )
            }
            return tally
        }
        let seen =
            "Over \(chains.count) repeated calls the first pause was "
            + "\(Seconds.text(Int64(growth.first))) on average, pause \(growth.places) "
            + Seconds.text(Int64(growth.last))
        switch growth.answer {
        case .asAsked: tally.pass(chains.count)
        case .notAsAsked:
            tally.fail(
                time.evidence(
                    chains[0],
                    "\(seen): the client does not back off.",
                    gap: Int64(growth.last),
                    limit: Int64(PauseRules.ratioOfGrowth * growth.first)
                )
            )
        case .open:
            tally.cannotJudge(
                growth.isTooShort
                    ? "\(seen): too short to be compared."
                    : "\(seen), and pauses at one place deviate by "
                        + "\(Int((growth.deviation * 100).rounded())) %: that may be chance."
            )
        }
        return tally
    }

    /// The stretches of a chain's pauses that follow like failures.
    private static func runs(of gaps: [Timeline.Gap], _ time: Timeline) -> [[Timeline.Gap]] {
        var runs: [[Timeline.Gap]] = []
        for gap in gaps {
            if let last = runs.last?.last, last.to == gap.from,
                time.entries[last.from].failureKind == time.entries[gap.from].failureKind
            {
                runs[runs.count - 1].append(gap)
            } else {
                runs.append([gap])
            }
        }
        return runs
    }

    /// Where a client without jitter would make the same pause again.
    private struct PausePlace: Hashable {
        let kind: FailureKind
        /// How many attempts were made before, and how many of them failed in this way.
        let attempts: Int
        let likeFailures: Int
    }

    static func jitters(_ time: Timeline) -> Tally {
        var tally = Tally()
        var places: [PausePlace: Int] = [:]
        var groups: [[Timeline.Gap]] = []
        for chain in time.chains {
            let gaps = time.freeGaps(of: chain)
            guard !gaps.isEmpty else { continue }
            var failures: [FailureKind: Int] = [:]
            var gap = gaps.startIndex
            for (attempt, index) in chain.enumerated() where gap < gaps.endIndex {
                guard let kind = time.entries[index].failureKind else { continue }
                failures[kind, default: 0] += 1
                guard gaps[gap].from == index else { continue }
                let place = PausePlace(
                    kind: kind,
                    attempts: attempt,
                    likeFailures: failures[kind, default: 1]
                )
                if let group = places[place] {
                    groups[group].append(gaps[gap])
                } else {
                    places[place] = groups.count
                    groups.append([gaps[gap]])
                }
                gap += 1
            }
        }
        let pauses = groups.reduce(0) { $0 + $1.count }
        guard let spread = PauseRules.spread(of: groups.map { $0.map(\.length) }) else {
            if pauses > 0 {
                let comparable = groups.reduce(0) { $0 + max(0, $1.count - 1) }
                let pauses = ["No pause", "One pause"].dropFirst(comparable).first
                tally.cannotJudge(
                    "\(pauses ?? "\(comparable) pauses") can be compared with another after the same "
                        + "kind of failure; \(PauseRules.comparisonsForSpread) are needed."
                )
            }
            return tally
        }
        let deviation = Seconds.text(Int64(spread.deviation))
        let mean = Seconds.text(Int64(spread.mean))
        switch spread.answer {
        case .asAsked: tally.pass(pauses)
        case .notAsAsked:
            let largest = groups.max { $0.count < $1.count } ?? []
            tally.fail(
                time.evidence(
                    largest.map(\.to),
                    "Pauses after like failures are the same: they deviate by \(deviation) from a "
                        + "mean of \(mean).",
                    gap: Int64(spread.deviation),
                    limit: Int64(
                        max(PauseRules.leastJitter, PauseRules.shareOfJitter * spread.mean)
                    )
                )
            )
        case .open:
            tally.cannotJudge(
                "Pauses deviate by \(deviation) from a mean of \(mean): that may be jitter, or the "
                    + "machine."
            )
        }
        return tally
    }

    private static let maximumAttempts = 10

    /// Whether an attempt came when Retry-After had asked for it.
    private static func cameAsTold(_ index: Int, _ time: Timeline) -> Bool {
        guard let earlier = time.previous[index], let wait = time.requiredWait(after: earlier),
            wait > 0
        else { return false }
        let gap = time.entries[index].arrival - time.ends[earlier]
        return gap + Timeline.tolerance(of: wait) >= wait
    }

    static func bounded(_ time: Timeline) -> Tally {
        var tally = Tally()
        for chain in time.chains {
            // What a poller asks in its rhythm is no further attempt, nor is what came as told: the
            // server has asked for it.
            let attempts = chain.filter { !time.rhythmic[$0] && !cameAsTold($0, time) }
            if attempts.count <= maximumAttempts {
                tally.pass()
            } else {
                tally.fail(
                    time.evidence(
                        attempts,
                        "\(time.nameAtStart(chain[0])) was attempted \(attempts.count) times in a row"
                            + (attempts.count < chain.count
                                ? ", \(chain.count - attempts.count) attempts as told or in a rhythm apart."
                                : ".")
                    )
                )
            }
        }
        return tally
    }

    private struct UnchangedKey: Hashable {
        let client: String?
        let session: String
        let method: String
        let path: String
        let query: JournalDigest?
        let content: JournalDigest?
        let contentType: String?
        let key: JournalDigest?
        let hasContentLength: Bool
    }

    private static let permanentStatuses: Set<UInt16> = [400, 403, 404, 409, 411, 413, 415]
    private static let permanentPause = 60 * Seconds.nanoseconds

    static func leavesPermanentErrorsAlone(_ time: Timeline) -> Tally {
        var tally = Tally()
        let groups = time.groups(of: time.entries.indices) { (entry) -> UnchangedKey? in
            guard entry.method == "POST" || entry.method == "PUT" else { return nil }
            return UnchangedKey(
                client: entry.client,
                session: entry.session,
                method: entry.method,
                path: entry.path,
                query: entry.queryDigest,
                content: entry.contentDigest,
                contentType: entry.details.contentType,
                key: entry.details.idempotencyKey?.digest,
                hasContentLength: entry.traits.contains(.contentLength)
            )
        }
        for group in groups {
            for index in group {
                let entry = time.entries[index]
                guard let status = entry.status, permanentStatuses.contains(status),
                    // Passes with the first request of that key.
                    entry.refusal != .keyInFlight,
                    entry.answered(status)
                else { continue }
                let place = time.firstPlace(in: group, arrivingAtOrAfter: time.ends[index])
                // An answer without duration must not find itself.
                let later = group[place...].first { $0 != index }
                guard let later,
                    time.entries[later].arrival - time.ends[index] < permanentPause
                else {
                    tally.pass()
                    continue
                }
                if time.isDisturbed(index, later) {
                    tally.cannotJudge(
                        "The session's clock was moved, or its records changed, between the requests."
                    )
                    continue
                }
                if time.callers.relation(of: later, to: index) != .same {
                    tally.pass()
                    continue
                }
                let gap = time.entries[later].arrival - time.ends[index]
                tally.fail(
                    time.evidence(
                        [index, later],
                        "\(time.nameAtStart(index)) was refused with \(status) and sent again unchanged "
                            + "after \(Seconds.text(gap)).",
                        gap: gap,
                        limit: permanentPause
                    )
                )
            }
        }
        repeatedReads(time, &tally)
        return tally
    }

    /// So many reads in a row, refused alike within such a time, are a loop.
    private static let refusedReads = 3
    private static let refusedReadsWindow = 10 * Seconds.nanoseconds

    /// Finds reads that were refused for good and sent again and again, with nothing in between.
    ///
    /// One repetition, or one after something else was done, may look for what has changed.
    private static func repeatedReads(_ time: Timeline, _ tally: inout Tally) {
        struct Strand: Hashable {
            let session: String
            let client: String?
            let caller: Int?
        }
        var rows: [Strand: [Int]] = [:]
        func end(_ row: [Int]) {
            guard !row.isEmpty else { return }
            let isLoop =
                row.count >= refusedReads
                && time.entries[row[refusedReads - 1]].arrival - time.ends[row[0]]
                    < refusedReadsWindow
            guard isLoop else { return }
            tally.fail(
                time.evidence(
                    row,
                    "\(time.nameAtStart(row[0])) was refused with \(time.entries[row[0]].status ?? 0) and asked "
                        + "again, \(row.count) times in a row."
                )
            )
        }
        for (index, entry) in time.entries.enumerated() {
            guard entry.client != nil,
                entry.kind == .operation || entry.kind == .download || entry.isOfNoOperation
            else { continue }
            let strand = Strand(
                session: entry.session,
                client: entry.client,
                caller: time.callers.caller[index]
            )
            let row = rows[strand] ?? []
            let isRefused =
                entry.method == "GET"
                && (entry.status.map {
                    permanentStatuses.contains($0) && entry.answered($0)
                } ?? false)
            if isRefused, let last = row.last, time.wishes[last] == time.wishes[index],
                time.entries[last].status == entry.status, !time.isDisturbed(last, index),
                entry.arrival >= time.ends[last]
            {
                rows[strand] = row + [index]
            } else {
                end(row)
                rows[strand] = isRefused ? [index] : []
            }
        }
        for row in rows.values.sorted(by: { ($0.first ?? 0) < ($1.first ?? 0) }) { end(row) }
    }

    /// How a request failed, in a few words.
    static func outcome(_ entry: JournalEntry) -> String {
        guard entry.lostAnswer else {
            let done = entry.committed && entry.details.fault?.phase == .after
            return entry.status.map { "answered \($0)\(done ? " for what was done" : "")" }
                ?? "no answer"
        }
        if entry.delivery == .clientLeft {
            let waited = (entry.answerEnded ?? entry.arrival) - entry.arrival
            return "given up by the client after \(Seconds.text(waited))"
        }
        let effects = entry.details.fault?.effects ?? []
        if effects.contains(.randomData) { return "garbage instead of an answer" }
        if effects.contains(.malformedChunk) { return "the answer broke off in a broken chunk" }
        if effects.contains(.truncation) {
            guard let sent = entry.details.fault?.sentOctets, entry.answerOctets > 0 else {
                return "the answer broke off within its content"
            }
            return
                "the answer broke off after \(grouped(sent)) of \(grouped(entry.answerOctets)) octets"
        }
        if effects.contains(.emptyResponse) { return "closed without an answer" }
        if effects.contains(.hang) { return "silence" }
        return effects.contains(.reset) ? "the connection broke" : "the answer broke off"
    }

    /// `111,323`.
    private static func grouped(_ number: Int) -> String {
        let digits = String(number)
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }
}
