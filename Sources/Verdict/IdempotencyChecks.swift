import Journal

/// The checks about idempotency keys and about what was written twice.
enum IdempotencyChecks {
    /// The calls of operations that take an idempotency key.
    private static func keyable(_ time: Timeline) -> [Int] {
        time.entries.indices.filter { time.facts($0)?.idempotencyRetention != nil }
    }

    private static func keyed(_ time: Timeline) -> [Int] {
        keyable(time).filter { time.entries[$0].details.idempotencyKey != nil }
    }

    static func keySent(_ time: Timeline) -> Tally {
        var tally = Tally()
        for index in keyable(time) {
            let isSent = time.entries[index].details.idempotencyKey != nil
            tally.judge(
                isSent
                    ? nil
                    : time.evidence([index], "\(time.nameAtStart(index)) was sent without a key.")
            )
        }
        return tally
    }

    static func keyWellFormed(_ time: Timeline) -> Tally {
        var tally = Tally()
        for index in keyed(time) {
            guard let key = time.entries[index].details.idempotencyKey else { continue }
            if key.count > 1 {
                tally.fail(time.evidence([index], "\(key.count) Idempotency-Key fields were sent."))
            } else if !key.isWellFormed {
                tally.fail(
                    time.evidence(
                        [index],
                        "The key is empty, too long, or holds other than visible ASCII."
                    )
                )
            } else {
                tally.pass()
            }
        }
        return tally
    }

    static func keyReusedOnRetry(_ time: Timeline) -> Tally {
        var tally = Tally()
        for index in keyed(time) where KeyChanges.isToBeRepeated(index, time) {
            if time.next[index] != nil {
                tally.pass()
                continue
            }
            guard let later = time.keyChanges.next[index] else { continue }
            let gap = time.entries[later].arrival - time.ends[index]
            let how =
                time.entries[later].details.idempotencyKey == nil
                ? "without a key" : "with a new key"
            tally.fail(
                time.evidence(
                    [index, later],
                    "\(time.nameAtStart(index)) (\(RetryChecks.outcome(time.entries[index]))) was retried "
                        + "\(how).",
                    gap: gap
                )
            )
        }
        return tally
    }

    private struct LedgerKey: Hashable {
        let client: ClientKey
        let operation: String
        let domain: String?
        let appointment: String?
    }

    static func payloadStable(_ time: Timeline) -> Tally {
        var tally = Tally()
        let groups = time.groups(of: keyed(time)) { entry in
            ClientKey(entry).map {
                LedgerKey(
                    client: $0,
                    operation: entry.operation ?? "",
                    domain: entry.domain,
                    appointment: entry.appointmentID
                )
            }
        }
        for group in groups {
            let retention = time.facts(group[0])?.idempotencyRetention ?? 0
            // The last use whose payload the ledger may hold: 2xx, or nobody but the mock knows.
            var bound: Int?
            for index in group {
                let entry = time.entries[index]
                if let earlier = bound, time.entries[earlier].interventions != entry.interventions {
                    // The ledger may be another.
                    tally.cannotJudge("The session's records were changed between the requests.")
                } else if let earlier = bound {
                    let age = entry.wallTime - time.entries[earlier].wallTime
                    if age <= retention * Seconds.nanoseconds {
                        let isSame =
                            entry.idempotency != .conflict
                            && isSamePayload(entry, time.entries[earlier])
                        tally.judge(
                            isSame
                                ? nil
                                : time.evidence(
                                    [earlier, index],
                                    "The key of \(time.name(index)) was used again for another payload."
                                )
                        )
                    }
                } else if entry.idempotency == .conflict {
                    // The first use is no longer in the journal.
                    tally.fail(
                        time.evidence(
                            [index],
                            "\(time.nameAtStart(index)) was answered 409: the key stands for "
                                + "another payload."
                        )
                    )
                }
                let isRefused = entry.status.map { 400..<500 ~= $0 && $0 != 429 } ?? false
                if !isRefused || entry.committed { bound = index }
            }
        }
        return tally
    }

    /// Whether two requests have the same payload: by the ledger's digest, where both have one.
    private static func isSamePayload(_ first: JournalEntry, _ second: JournalEntry) -> Bool {
        if let one = first.details.fingerprint, let other = second.details.fingerprint {
            return one == other
        }
        return first.contentDigest == second.contentDigest
    }

    private static func payload(_ entry: JournalEntry) -> JournalDigest? {
        entry.details.fingerprint ?? entry.contentDigest
    }

    private struct Target: Hashable {
        let operation: String
        let domain: String?
        let appointment: String?
    }

    /// What one key was used for.
    private struct KeyUses {
        private var targets: Set<Target> = []
        /// The use that the ledger remembers longest.
        private var longest: (index: Int, remembered: Int64)?

        /// Notes a use.
        ///
        /// - Parameter remembered: Until when the ledger keeps it, by the session's clock.
        /// - Returns: The use that was remembered longest, where the target is a new one.
        mutating func note(
            _ target: Target,
            _ index: Int,
            remembered: Int64
        ) -> (index: Int, remembered: Int64)? {
            let before = longest
            if longest.map({ remembered >= $0.remembered }) ?? true {
                longest = (index, remembered)
            }
            return targets.insert(target).inserted ? before : nil
        }
    }

    static func keyFreshPerOperation(_ time: Timeline) -> Tally {
        var tally = Tally()
        struct Owner: Hashable {
            let session: String
            let client: String?
        }
        for group in time.groups(
            of: keyed(time),
            by: { Owner(session: $0.session, client: $0.client) }
        ) {
            var uses: [JournalDigest: KeyUses] = [:]
            var targets: Set<Target> = []
            var failures: [Evidence] = []
            for index in group {
                let entry = time.entries[index]
                guard let key = entry.details.idempotencyKey?.digest else { continue }
                let target = Target(
                    operation: entry.operation ?? "",
                    domain: entry.domain,
                    appointment: entry.appointmentID
                )
                targets.insert(target)
                let retention = time.facts(index)?.idempotencyRetention ?? 0
                let before = uses[key, default: KeyUses()].note(
                    target,
                    index,
                    remembered: entry.wallTime + retention * Seconds.nanoseconds
                )
                if let before, before.remembered >= entry.wallTime,
                    time.entries[before.index].interventions == entry.interventions
                {
                    failures.append(
                        time.evidence(
                            [before.index, index],
                            "One key was used for two calls: \(time.name(before.index)) on "
                                + "\(subject(time, before.index)), then \(time.name(index)) on "
                                + "\(subject(time, index))."
                        )
                    )
                }
            }
            guard targets.count > 1 else { continue }
            tally.pass(max(0, targets.count - failures.count))
            for failure in failures { tally.fail(failure) }
        }
        return tally
    }

    private static func subject(_ time: Timeline, _ index: Int) -> String {
        time.entries[index].appointmentID ?? time.entries[index].path
    }

    private struct EffectKey: Hashable {
        let session: String
        let client: String?
        let target: Target
        let payload: JournalDigest?
    }

    static func noDuplicateEffect(_ time: Timeline) -> Tally {
        var tally = Tally()
        let groups = time.groups(of: keyable(time)) { entry in
            EffectKey(
                session: entry.session,
                client: entry.client,
                target: Target(
                    operation: entry.operation ?? "",
                    domain: entry.domain,
                    appointment: entry.appointmentID
                ),
                payload: payload(entry)
            )
        }
        let uses = usesOfKeys(time)
        var settled: Set<Int> = []
        for group in groups {
            // A write that the client did not hear of. The same payload written again before the
            // client had a success for it is the same thing done twice; after that, a new wish.
            var unheard = EndQueue()
            for index in group {
                let entry = time.entries[index]
                if entry.committed {
                    if let first = unheard.pop(notAfter: entry.arrival) {
                        settled.insert(first)
                        judgeSecond(index, after: first, time, uses, &tally)
                    }
                    if !entry.succeeded, time.ends[index] != .max {
                        unheard.insert(index, at: time.ends[index])
                    }
                }
                if entry.succeeded {
                    while let heard = unheard.pop(notAfter: entry.arrival) {
                        settled.insert(heard)
                        tally.pass()
                    }
                }
            }
            // One that was never repeated had no chance to take effect twice.
            while let index = unheard.pop(notAfter: .max) {
                if isRepeated(index, in: group, time) { tally.pass() }
            }
        }
        doubtDriftingPayloads(time, settled, &tally)
        return tally
    }

    /// Whether a request with the same payload came after the end of another.
    private static func isRepeated(_ index: Int, in group: [Int], _ time: Timeline) -> Bool {
        let place = time.firstPlace(in: group, arrivingAtOrAfter: time.ends[index])
        return group[place...].contains { $0 != index }
    }

    /// When each key was used, by client.
    private static func usesOfKeys(_ time: Timeline) -> [ClientKey: [Int]] {
        var uses: [ClientKey: [Int]] = [:]
        for index in keyed(time) {
            if let key = ClientKey(time.entries[index]) { uses[key, default: []].append(index) }
        }
        return uses
    }

    /// Judges a payload that took effect again, after its first answer had been lost.
    private static func judgeSecond(
        _ index: Int,
        after first: Int,
        _ time: Timeline,
        _ uses: [ClientKey: [Int]],
        _ tally: inout Tally
    ) {
        let entry = time.entries[index]
        let lost = time.entries[first]
        let firstKey = ClientKey(lost)
        let secondKey = ClientKey(entry)
        if let firstKey, firstKey != secondKey,
            uses[firstKey]?.last.map({ time.entries[$0].arrival > entry.arrival }) ?? false
        {
            // The lost one is asked for again: so the second was a wish of its own.
            tally.pass()
            return
        }
        let retention = time.facts(index)?.idempotencyRetention ?? 0
        if firstKey != nil, firstKey == secondKey,
            entry.wallTime - lost.wallTime > retention * Seconds.nanoseconds
        {
            tally.cannotJudge(
                "\(time.nameAtStart(index)) was repeated when its key had been forgotten: what it had made was "
                    + "of no use any more."
            )
            return
        }
        if lost.interventions != entry.interventions {
            tally.cannotJudge("The session's records were changed between the two writes.")
            return
        }
        if time.callers.relation(of: index, to: first) != .same {
            tally.doubt(
                "\(time.nameAtStart(index)) took effect on \(subject(time, index)) for another caller, after an "
                    + "answer was lost: a program started again without its keys, or a wish of its own."
            )
            return
        }
        tally.fail(
            time.evidence(
                [first, index],
                "\(time.nameAtStart(index)) took effect twice on \(subject(time, index)): the answer to the "
                    + "first was no success (\(RetryChecks.outcome(lost))), and it was written again"
                    + (secondKey == nil
                        ? " without a key." : firstKey == secondKey ? "." : " with another key."),
                gap: entry.arrival - time.ends[first]
            )
        )
    }

    /// How soon after a lost answer another write is taken for a repetition that says it otherwise.
    private static let driftWindow = 60 * Seconds.nanoseconds

    /// Doubts writes that follow a lost one on the same subject with another payload, while nothing
    /// shows that the lost one was settled: a new time stamp in each attempt makes two of one.
    private static func doubtDriftingPayloads(
        _ time: Timeline,
        _ settled: Set<Int>,
        _ tally: inout Tally
    ) {
        struct Place: Hashable {
            let session: String
            let client: String?
            let target: Target
        }
        let groups = time.groups(of: keyable(time).filter { time.entries[$0].committed }) { entry in
            Place(
                session: entry.session,
                client: entry.client,
                target: Target(
                    operation: entry.operation ?? "",
                    domain: entry.domain,
                    appointment: entry.appointmentID
                )
            )
        }
        for group in groups {
            for (first, second) in zip(group, group.dropFirst())
            where !settled.contains(first) && time.next[first] == nil {
                let lost = time.entries[first]
                let entry = time.entries[second]
                guard !lost.succeeded, time.ends[first] != .max,
                    entry.arrival >= time.ends[first],
                    entry.arrival - time.ends[first] <= driftWindow,
                    payload(lost) != payload(entry),
                    ClientKey(lost) != ClientKey(entry)
                        || ClientKey(lost) == nil,
                    lost.interventions == entry.interventions,
                    time.callers.relation(of: second, to: first) == .same
                else { continue }
                tally.doubt(
                    "\(time.nameAtStart(first)) took effect on \(subject(time, first)) without an answer, and "
                        + "\(Seconds.text(entry.arrival - time.ends[first])) later again with another "
                        + "payload: one wish written twice, or two."
                )
            }
        }
    }
}
