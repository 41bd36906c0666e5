import Journal

/// A working day that a scenario plays: exams fall due and leave the pending list while the client
/// works.
struct PlayedDay {
    /// An appointment of a domain.
    private struct Exam: Hashable {
        let domain: String?
        let id: String?
    }

    /// A look at the pending list, from its first page to its last.
    private struct Look {
        /// The entry of its first page.
        let first: Int
        /// When that was asked for, in nanoseconds since 1970 by the session's clock.
        let time: Int64
        /// When its last page was asked for.
        let end: Int64
    }

    private let timeline: Timeline
    private let waits: [VerdictContext.Wait]
    /// Those of each domain that came to the end of the list, by the times of their first pages.
    private let looks: [String: [Look]]
    /// The final reports on each exam, by index.
    private let finals: [Exam: [Int]]
    /// When exams left the list for the last time.
    private let ends: [Exam: Int64]

    /// - Returns: `nil` where no day was played.
    init?(_ time: Timeline) {
        guard let waits = time.context.waits else { return nil }
        timeline = time
        self.waits = waits
        looks = Self.looks(time)
        var finals: [Exam: [Int]] = [:]
        for (index, entry) in time.entries.enumerated()
        where entry.committed && entry.details.report?.status == "final" {
            finals[Exam(domain: entry.domain, id: entry.appointmentID), default: []].append(index)
        }
        self.finals = finals
        var ends: [Exam: Int64] = [:]
        for wait in waits {
            if let end = wait.until { ends[Exam(domain: wait.domain, id: wait.appointment)] = end }
        }
        self.ends = ends
    }

    private static func looks(_ time: Timeline) -> [String: [Look]] {
        var looks: [String: [Look]] = [:]
        // The first page of the look that a token belongs to.
        var firsts: [JournalDigest: Int] = [:]
        for (index, entry) in time.entries.enumerated() {
            guard let facts = time.facts(index), facts.isReporting, facts.paging == .cursor,
                entry.method == "GET", entry.succeeded, let domain = entry.domain
            else { continue }
            var first = index
            if let sent = entry.details.nextTokenSent {
                guard let known = firsts[sent.digest] else { continue }
                first = known
            }
            if let token = entry.details.nextTokenIssued {
                firsts[token] = first
            } else {
                looks[domain, default: []].append(
                    Look(
                        first: first,
                        time: time.entries[first].wallTime,
                        end: entry.wallTime
                    )
                )
            }
        }
        return looks.mapValues { $0.sorted { $0.time < $1.time } }
    }

    // MARK: reporting.each-exam-once

    static func eachExamOnce(_ time: Timeline) -> Tally { PlayedDay(time)?.eachExamOnce ?? Tally() }

    private var eachExamOnce: Tally {
        var tally = Tally()
        var separation = Separation(timeline)
        let beginnings = beginnings
        for wait in waits {
            guard let since = wait.since, let last = lastLook(in: wait.domain), since <= last.time
            else { continue }
            let reports = finals[Exam(domain: wait.domain, id: wait.appointment)] ?? []
            if reports.count == 1 {
                tally.pass()
            } else if reports.count > 1 {
                guard separation.hasTwoOfOne(reports) else {
                    tally.cannotJudge("Two programs or threads reported on one exam.")
                    continue
                }
                tally.fail(
                    timeline.evidence(
                        reports,
                        "\(wait.appointment) got \(reports.count) final reports."
                    )
                )
            } else if wait.until != nil {
                tally.cannotJudge("An exam left the pending list before the client reported it.")
            } else if let beginning = beginnings[wait.domain], beginning.contains(since) {
                tally.cannotJudge(
                    "An exam fell due before the program that looked last had looked for the first time."
                )
            } else if timeline.context.dropped > 0 {
                tally.doubt("The journal overflowed: reports may be among what it dropped.")
            } else {
                let minutes = (last.time - since) / (60 * Seconds.nanoseconds)
                tally.fail(
                    timeline.evidence(
                        [last.first],
                        "\(wait.appointment) fell due \(minutes) min before the last look at the "
                            + "pending list, and got no final report."
                    )
                )
            }
        }
        return tally
    }

    /// For each domain, the time whose exams the program that looked last need not report.
    ///
    /// A program may take what its first look shows, to the last page, for the work of others. Where
    /// another program had looked before, this time goes back to the beginning: a program that is
    /// started again does not know what it had found, and not reported yet.
    private var beginnings: [String: ClosedRange<Int64>] {
        looks.compactMapValues { looks in
            guard let last = looks.last else { return nil }
            func isOfLast(_ look: Look) -> Bool {
                timeline.callers.caller[look.first] == timeline.callers.caller[last.first]
            }
            guard let first = looks.firstIndex(where: isOfLast) else { return nil }
            let look = looks[first]
            // What fell due in the moment of a page may be on it.
            let start = first > 0 ? Int64.min : look.time
            return start < look.end ? start...look.end : nil
        }
    }

    /// The look after which an exam must have been reported.
    ///
    /// A client that was stopped may not have come to what its last look showed.
    private func lastLook(in domain: String) -> Look? {
        let looks = looks[domain] ?? []
        return timeline.context.stopped == nil ? looks.last : looks.dropLast().last
    }

    // MARK: reporting.pending-only

    /// Whether an exam left the list by itself after the client had last looked there.
    ///
    /// - Parameter index: A call that was refused because the exam was not pending.
    func tookAway(fromCall index: Int) -> Bool {
        let entry = timeline.entries[index]
        let exam = Exam(domain: entry.domain, id: entry.appointmentID)
        guard let end = ends[exam], end <= entry.wallTime,
            !(finals[exam] ?? []).contains(where: { $0 < index })
        else { return false }
        let looks = looks[entry.domain ?? ""] ?? []
        return looks.last { $0.time <= entry.wallTime }.map { $0.time < end } ?? false
    }
}
