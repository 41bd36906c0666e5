import Journal

/// The checks about reporting, transport, the contract, privacy and tracing.
enum ConductChecks {
    static func pendingOnly(_ time: Timeline) -> Tally {
        var tally = Tally()
        for index in time.entries.indices where time.facts(index)?.isReporting ?? false {
            let entry = time.entries[index]
            guard entry.appointmentID != nil else { continue }
            tally.judge(
                entry.refusal == .notPending
                    ? time.evidence(
                        [index],
                        "\(time.name(index)) was called for an appointment that does not wait for a "
                            + "report."
                    ) : nil
            )
        }
        return tally
    }

    private struct Owner: Hashable {
        let session: String
        let client: String
    }

    private static let requestsForReuse = 20
    private static let requestsPerConnection = 5

    static func reusesConnections(_ time: Timeline) -> Tally {
        var tally = Tally()
        let groups = time.groups(of: time.entries.indices) { entry in
            entry.client.map { Owner(session: entry.session, client: $0) }
        }
        for group in groups where group.count >= requestsForReuse {
            var connections: Set<UInt64> = []
            var broken: Set<UInt64> = []
            for index in group {
                let entry = time.entries[index]
                connections.insert(entry.connection)
                // Nobody can use a connection again after its answer was cut.
                if entry.lostAnswer { broken.insert(entry.connection) }
            }
            let judged = connections.count - broken.count
            if group.count >= requestsPerConnection * judged {
                tally.pass()
                continue
            }
            let peak = concurrency(of: group, time)
            if judged <= peak {
                tally.cannotJudge(
                    "\(peak) requests ran at once, which takes as many connections."
                )
                continue
            }
            tally.fail(
                time.evidence(
                    Array(group.prefix(3)),
                    "\(group.count) requests used \(connections.count) connections"
                        + (broken.isEmpty ? "." : " (\(broken.count) of them cut by faults).")
                )
            )
        }
        return tally
    }

    /// How many of these requests ran at once, at most.
    private static func concurrency(of group: [Int], _ time: Timeline) -> Int {
        let ends = group.map { time.ends[$0] }.sorted()
        var done = 0
        var peak = 0
        for (started, index) in group.enumerated() {
            while done < ends.count, ends[done] <= time.entries[index].arrival { done += 1 }
            peak = max(peak, started + 1 - done)
        }
        return peak
    }

    private static let longDelay = 60 * Seconds.nanoseconds
    private static let patience = 120 * Seconds.nanoseconds

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
            if length > patience {
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
        for index in time.entries.indices where time.isOperation(index) {
            let entry = time.entries[index]
            guard let status = entry.status, status == 400 || status == 415, !entry.isInjected
            else {
                tally.pass()
                continue
            }
            let broken = entry.details.violations.prefix(3).map { "\($0.name) (\($0.keyword))" }
            let what = broken.isEmpty ? "" : ": \(broken.joined(separator: ", "))"
            tally.fail(
                time.evidence([index], "\(time.name(index)) was refused with \(status)\(what).")
            )
        }
        return tally
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
                        "\(time.name(index)) has no parameter "
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
                time.evidence([index], "\(time.name(index)) was sent without X-Correlation-Id.")
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
                            "\(time.name($0)) and \(time.name(index)) ran at once with one id."
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
