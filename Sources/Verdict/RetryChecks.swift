import Journal

/// The checks about retries.
enum RetryChecks {
    /// From how many attempts on a client may give up without a failed check.
    private static let attemptsBeforeGivingUp = 3

    /// For each POST whose content was sent again later, as the first of a chain, the last such time.
    ///
    /// A POST that is repeated with another key is in no chain, but it is repeated: what is wrong with
    /// it is the key, and another check says so.
    private static func lastRepetitions(_ time: Timeline) -> [CallKey: Int64] {
        var last: [CallKey: Int64] = [:]
        for (index, entry) in time.entries.enumerated()
        where entry.method == "POST" && time.previous[index] == nil {
            last[CallKey(entry, content: true)] = entry.arrival
        }
        return last
    }

    static func retriesTransient(_ time: Timeline) -> Tally {
        var tally = Tally()
        let repetitions = lastRepetitions(time)
        for (index, entry) in time.entries.enumerated() where entry.isTransient {
            let isKeyed = entry.method == "POST" && entry.details.idempotencyKey != nil
            guard entry.method == "GET" || isKeyed else { continue }
            if time.next[index] != nil {
                tally.pass()
                continue
            }
            if isKeyed, let last = repetitions[CallKey(entry, content: true)],
                last >= time.ends[index]
            {
                continue
            }
            let chain = time.chain(around: index)
            if chain.count >= attemptsBeforeGivingUp {
                tally.pass()
            } else {
                let often = chain.count == 1 ? "was never retried" : "was given up after one retry"
                tally.fail(
                    time.evidence(chain, "\(time.name(index)) (\(outcome(entry))) \(often).")
                )
            }
        }
        return tally
    }

    /// How much of a chain is shown around a pause.
    private static let chainReach = 4

    static func honoursRetryAfter(_ time: Timeline) -> Tally {
        var tally = Tally()
        for (index, entry) in time.entries.enumerated() {
            guard let later = time.next[index], let retryAfter = entry.governingRetryAfter,
                let wait = time.requiredWait(after: index)
            else { continue }
            if entry.clockMoves != time.entries[later].clockMoves {
                tally.cannotJudge("The session's clock was moved between the attempts.")
                continue
            }
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
                        time.chain(around: index, reach: chainReach),
                        "Retried after \(Seconds.text(gap)) where Retry-After\(form) asked for "
                            + "\(Seconds.text(wait)): \(time.name(index)).",
                        gap: gap,
                        limit: wait,
                        tolerance: tolerance
                    )
                )
            }
        }
        return tally
    }

    /// The pauses of chains, in their order, that the client chose itself.
    static func pausesBetween(_ time: Timeline) -> Tally {
        var tally = Tally()
        for chain in time.chains {
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
                    "\(time.name(chain[0])) was attempted \(run.count + 1) times in a row with "
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
        switch growth.answer {
        case .asAsked: tally.pass(chains.count)
        case .notAsAsked:
            tally.fail(
                time.evidence(
                    chains[0],
                    "The last pauses of \(chains.count) chains were "
                        + "\(Seconds.text(Int64(growth.last))) on average, the first "
                        + "\(Seconds.text(Int64(growth.first))).",
                    gap: Int64(growth.last),
                    limit: Int64(PauseRules.ratioOfGrowth * growth.first)
                )
            )
        case .open:
            tally.cannotJudge(
                growth.isTooShort
                    ? "Pauses of \(Seconds.text(Int64(growth.first))) and "
                        + "\(Seconds.text(Int64(growth.last))) are too short to be compared."
                    : "The last pauses of \(chains.count) chains were "
                        + "\(Seconds.text(Int64(growth.last))) on average, the first "
                        + "\(Seconds.text(Int64(growth.first))): that may be chance."
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
                    "\(comparable) pause(s) can be compared with another after the same kind of "
                        + "failure; \(PauseRules.comparisonsForSpread) are needed."
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

    static func bounded(_ time: Timeline) -> Tally {
        var tally = Tally()
        for chain in time.chains {
            if chain.count <= maximumAttempts {
                tally.pass()
            } else {
                tally.fail(
                    time.evidence(
                        chain,
                        "\(time.name(chain[0])) was attempted \(chain.count) times in a row."
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
                if entry.clockMoves != time.entries[later].clockMoves {
                    tally.cannotJudge("The session's clock was moved between the two requests.")
                    continue
                }
                let gap = time.entries[later].arrival - time.ends[index]
                tally.fail(
                    time.evidence(
                        [index, later],
                        "\(time.name(index)) was refused with \(status) and sent again unchanged "
                            + "after \(Seconds.text(gap)).",
                        gap: gap,
                        limit: permanentPause
                    )
                )
            }
        }
        return tally
    }

    /// How a request failed, in a few words.
    static func outcome(_ entry: JournalEntry) -> String {
        if entry.lostAnswer {
            return entry.delivery == .clientLeft ? "given up by the client" : "answer lost"
        }
        return entry.status.map { "\($0)" } ?? "no answer"
    }
}
