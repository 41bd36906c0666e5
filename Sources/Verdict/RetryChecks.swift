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

    /// How many chains it takes, and how many pauses in each.
    private static let chainsForBackoff = 5
    private static let gapsForBackoff = 3

    static func backsOff(_ time: Timeline) -> Tally {
        var tally = Tally()
        var chains: [[Int]] = []
        var first: [Int64] = []
        var last: [Int64] = []
        for chain in time.chains {
            let gaps = time.freeGaps(of: chain)
            guard gaps.count >= gapsForBackoff, let opening = gaps.first, let closing = gaps.last
            else { continue }
            chains.append(chain)
            first.append(opening.length)
            last.append(closing.length)
        }
        guard chains.count >= chainsForBackoff else {
            if !chains.isEmpty {
                tally.cannotJudge(
                    "Only \(chains.count) chain(s) with three pauses of the client's own; "
                        + "five are needed, since jitter alone can shrink one."
                )
            }
            return tally
        }
        let opening = mean(first)
        let closing = mean(last)
        if closing > opening {
            tally.pass(chains.count)
        } else {
            tally.fail(
                time.evidence(
                    chains[0],
                    "The last pauses of \(chains.count) chains were \(Seconds.text(Int64(closing))) "
                        + "on average, the first \(Seconds.text(Int64(opening))).",
                    gap: Int64(closing),
                    limit: Int64(opening)
                )
            )
        }
        return tally
    }

    /// How many pauses at one position it takes to see jitter.
    private static let gapsForJitter = 5
    /// What the standard deviation must exceed: a part of the mean, and nanoseconds.
    private static let jitterShare = 0.02
    private static let jitterMinimum = 10_000_000.0

    static func jitters(_ time: Timeline) -> Tally {
        var tally = Tally()
        var positions: [[Timeline.Gap]] = []
        for chain in time.chains {
            for (position, gap) in time.freeGaps(of: chain).enumerated() {
                if position == positions.count { positions.append([]) }
                positions[position].append(gap)
            }
        }
        for (position, gaps) in positions.enumerated() where gaps.count >= gapsForJitter {
            let lengths = gaps.map(\.length)
            let deviation = standardDeviation(lengths)
            let limit = max(jitterMinimum, jitterShare * mean(lengths))
            if deviation > limit {
                tally.pass()
            } else {
                tally.fail(
                    time.evidence(
                        gaps.prefix(gapsForJitter).map(\.to),
                        "\(gaps.count) pauses before attempt \(position + 2) are all about "
                            + "\(Seconds.text(Int64(mean(lengths)))) "
                            + "(standard deviation \(Seconds.text(Int64(deviation)))).",
                        gap: Int64(deviation),
                        limit: Int64(limit)
                    )
                )
            }
        }
        if tally.exercised == 0, let most = positions.map(\.count).max(), most > 0 {
            tally.cannotJudge("At most \(most) comparable pause(s) were seen; five are needed.")
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

    private static func mean(_ lengths: [Int64]) -> Double {
        lengths.reduce(0) { $0 + Double($1) } / Double(lengths.count)
    }

    private static func standardDeviation(_ lengths: [Int64]) -> Double {
        let mean = mean(lengths)
        let squares = lengths.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (squares / Double(lengths.count)).squareRoot()
    }
}
