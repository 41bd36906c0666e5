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
        after isCounted: (JournalEntry) -> Bool
    ) -> Tally {
        var tally = Tally()
        var failed: [Evidence] = []
        var counts = PersistenceCounts()
        let repetitions = lastRepetitions(time)
        let others = Repetitions(time)
        for (index, entry) in time.entries.enumerated()
        where entry.isTransient && isCounted(entry) {
            let isKeyed = entry.method == "POST" && entry.details.idempotencyKey != nil
            guard entry.method == "GET" || isKeyed || entry.kind == .token else { continue }
            if time.next[index] != nil {
                tally.pass()
                counts.note(entry, isRetried: true)
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
                counts.note(entry, isRetried: true)
                continue
            }
            if let reason = excuse(index, time) {
                tally.cannotJudge(reason)
                continue
            }
            if let reason = excuseOfStop(index, time) {
                tally.leaveOpen(time.evidence(chain, reason), toDecide: time.context.moreTime)
                continue
            }
            counts.note(entry, isRetried: false)
            failed.append(
                time.evidence(
                    chain,
                    "\(often(chain, time))\(anotherCall(index, time, others))."
                        + (chain.contains { time.entries[$0].committed }
                            ? " The server had done the write: asking again with its key brings the answer."
                            : "")
                )
            )
            for sentence in advice(chain, time) { tally.advise(sentence) }
        }
        // A write that nobody knows of weighs more than a read.
        for write in [true, false] {
            for evidence in failed where (evidence.requests.last?.method == "POST") == write {
                tally.fail(evidence)
            }
        }
        if !failed.isEmpty, let sentence = counts.sentence { tally.remark(sentence) }
        if let sentence = hurry(time, after: isCounted) { tally.remark(sentence) }
        return tally
    }

    /// What to say where most retries came at once, in chains that are too short to be judged by
    /// `retry.pauses`.
    private static func hurry(
        _ time: Timeline,
        after isCounted: (JournalEntry) -> Bool
    ) -> String? {
        let gaps = time.chainsAcrossKeys.map { time.freeGaps(of: $0) }
            .filter { $0.count < PauseRules.pausesInARow }
            .flatMap { $0 }
            .filter { isCounted(time.entries[$0.from]) }
        let short = gaps.filter { $0.length < PauseRules.shortestPause }
        guard short.count * 2 > gaps.count else { return nil }
        let most = Seconds.text(PauseRules.shortestPause)
        return
            "\(short.count) of \(gaps.count) retr\(gaps.count == 1 ? "y" : "ies") came less than \(most) "
            + "after the failure: pause before a retry."
    }

    /// How often a client that gave up too soon had asked, and what it met.
    private static func often(_ chain: [Int], _ time: Timeline) -> String {
        let name = time.nameAtStart(chain[0])
        var outcomes: [String] = []
        for index in chain where outcomes.last != outcome(time.entries[index]) {
            outcomes.append(outcome(time.entries[index]))
        }
        let met = outcomes.joined(separator: ", then ")
        guard chain.count > 1 else { return "\(name) (\(met)) was never retried" }
        let gap = time.entries[chain[1]].arrival - time.ends[chain[0]]
        return "\(name) (\(met)) got \(chain.count) attempts, \(Seconds.text(gap)) apart; "
            + "\(attemptsBeforeGivingUp) are required"
    }

    /// What to advise beside the general.
    private static func advice(_ chain: [Int], _ time: Timeline) -> [String] {
        var sentences: [String] = []
        let effects = chain.map { time.entries[$0].details.fault?.effects ?? [] }
        if effects.contains(where: { !$0.isDisjoint(with: [.truncation, .malformedChunk]) }) {
            sentences.append(
                "An answer that breaks off within its content is a broken connection, too: many "
                    + "libraries hand it on as it is."
            )
        }
        if chain.contains(where: { (time.requiredWait(after: $0) ?? 0) > 0 }) {
            sentences.append("Wait as long as Retry-After says before you do.")
        }
        return sentences
    }

    /// How many failures of each kind were retried.
    private struct PersistenceCounts {
        private var counts: [FailureKind: (retried: Int, all: Int)] = [:]

        mutating func note(_ entry: JournalEntry, isRetried: Bool) {
            guard let kind = entry.failureKind else { return }
            let before = counts[kind] ?? (0, 0)
            counts[kind] = (before.retried + (isRetried ? 1 : 0), before.all + 1)
        }

        /// One sentence, where failures of several kinds were met.
        var sentence: String? {
            let kinds: [(FailureKind, String)] = [
                (.status, "answers with 429 or 5xx"), (.connection, "broken connections"),
                (.silence, "calls that the client gave up"),
            ]
            let parts = kinds.compactMap { kind, words in
                counts[kind].map { "\($0.retried) of \($0.all) \(words)" }
            }
            return parts.count > 1 ? "Retried: \(parts.joined(separator: ", "))." : nil
        }
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
        if entry.delivery == .clientLeft, end - entry.arrival < shortestTimeout {
            return
                "\(time.nameAtStart(index)) was given up after \(Seconds.text(end - entry.arrival)): too "
                + "soon for a time-out, so nobody wanted it any more."
        }
        return nil
    }

    /// Why a failure shortly before the command was stopped is not held against the client.
    private static func excuseOfStop(_ index: Int, _ time: Timeline) -> String? {
        let end = time.ends[index]
        guard let stopped = time.context.stopped, stopped - end < pauseBeforeStop else {
            return nil
        }
        let waited = Seconds.text(max(0, stopped - time.entries[index].arrival))
        return stopped <= end
            ? "The client had waited \(waited) for \(time.name(index)) when "
                + "\(time.context.stopClause): nobody knows whether it would have asked again."
            : "\(time.context.stopClauseAtStart) \(Seconds.text(stopped - end)) after "
                + "\(time.name(index)) had failed: it may have been about to ask again."
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
        if tally.failures > 0 {
            tally.remark("Waits up to 50 ms or 2 % too short, whichever is more, are tolerated.")
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
                    "Needs \(PauseRules.chainsForGrowth) retry chains of "
                        + "\(PauseRules.pausesForGrowth) pauses after like failures, without "
                        + "Retry-After; this run had \(chains.count)."
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
                tally.cannotJudge(
                    "Needs \(PauseRules.comparisonsForSpread) comparisons of a pause with that of "
                        + "another call, at the same attempt and after the same kind of failure; "
                        + "this run had \(comparable)."
                )
            }
            return tally
        }
        let deviation = Seconds.text(Int64(spread.deviation))
        let mean = Seconds.text(Int64(spread.mean))
        switch spread.answer {
        case .asAsked: tally.pass(pauses)
        case .notAsAsked:
            let (pattern, chains) = samePauses(places, groups, time)
            tally.fail(
                time.evidence(
                    chains.first ?? [],
                    "Calls that failed alike were repeated after the same pauses: "
                        + "\(pattern) (they deviate by \(deviation)).",
                    gap: Int64(spread.deviation),
                    limit: Int64(
                        max(PauseRules.leastJitter, PauseRules.shareOfJitter * spread.mean)
                    )
                )
            )
            for chain in chains.dropFirst() {
                tally.show(time.evidence(chain, "Another call with the same pauses."))
            }
        case .open:
            tally.cannotJudge(
                "Pauses that could be the same deviate by \(deviation), at \(mean) on average: that "
                    + "may be jitter, or the machine."
            )
        }
        return tally
    }

    /// The mean pauses after one kind of failure, that with most of them, in the order of attempts, and
    /// the chains that they were taken from.
    private static func samePauses(
        _ places: [PausePlace: Int],
        _ groups: [[Timeline.Gap]],
        _ time: Timeline
    ) -> (pattern: String, chains: [[Int]]) {
        // In the order in which they were met first.
        let compared = places.sorted { $0.value < $1.value }.filter { groups[$0.value].count > 1 }
        let largest = compared.max { groups[$0.value].count < groups[$1.value].count }
        guard let kind = largest?.key.kind else { return ("", []) }
        let row = compared.filter { $0.key.kind == kind }.sorted {
            ($0.key.attempts, $0.key.likeFailures) < ($1.key.attempts, $1.key.likeFailures)
        }
        let pauses = row.map { _, group in
            let lengths = groups[group].map(\.length)
            return Seconds.text(lengths.reduce(0, +) / Int64(lengths.count))
        }
        let chains = row.first.map { groups[$0.value].prefix(shownChains) } ?? []
        return (
            pauses.prefix(shownPauses).joined(separator: ", "),
            chains.map { time.chain(around: $0.from) }
        )
    }

    /// How many chains and how many pauses of each show that they are the same.
    private static let shownChains = 3
    private static let shownPauses = 5

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
            let told = entry.governingRetryAfter.map { ", told to wait \($0.seconds) s" } ?? ""
            return entry.status.map { "answered \($0)\(done ? " for what was done" : "")\(told)" }
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
                "the answer broke off after \(grouped(sent)) of \(grouped(entry.answerOctets)) bytes"
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
