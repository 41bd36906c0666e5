import Journal

/// The checks about cursor and offset paging.
enum PagingChecks {
    /// A list, for cursor paging: pages follow one another on the same path.
    private struct ListKey: Hashable {
        let session: String
        let client: String?
        let path: String
    }

    private struct TokenKey: Hashable {
        let session: String
        let client: String?
        let token: JournalDigest
    }

    /// What happened, in the order of time: a request arrived, or its answer was complete.
    private struct Event {
        let time: Int64
        let isEnd: Bool
        let index: Int
    }

    /// Arrivals and ends of some entries in the order of time; at one instant, ends come first,
    /// but never before their own arrival.
    private static func events(of indices: [Int], _ time: Timeline) -> [Event] {
        var events: [Event] = []
        events.reserveCapacity(2 * indices.count)
        for index in indices {
            events.append(Event(time: time.entries[index].arrival, isEnd: false, index: index))
            guard time.ends[index] != .max else { continue }
            // An answer takes time; a clock too coarse to show it must not turn the two round.
            let end = max(time.ends[index], time.entries[index].arrival + 1)
            events.append(Event(time: end, isEnd: true, index: index))
        }
        events.sort {
            if $0.time != $1.time { return $0.time < $1.time }
            if $0.isEnd != $1.isEnd { return $0.isEnd }
            return $0.index < $1.index
        }
        return events
    }

    private static func cursorPages(_ time: Timeline) -> [Int] {
        time.entries.indices.filter { time.facts($0)?.paging == .cursor }
    }

    /// What the walk through all cursor pages found.
    struct CursorWalk {
        var verbatim = Tally()
        var stops = Tally()
        var keeps = Tally()
    }

    static func cursorVerbatim(_ time: Timeline) -> Tally { time.cursorWalk.verbatim }
    static func stopsAtEnd(_ time: Timeline) -> Tally { time.cursorWalk.stops }
    static func keepsParameters(_ time: Timeline) -> Tally { time.cursorWalk.keeps }

    /// So many sizes of pages are known of one place in a list.
    private static let sizesOfOnePlace = 8

    /// How often a page may be asked for again, for each time that it was offered.
    private static let usesBeyondIssues = 3

    /// Walks through the pages of all lists once; three checks judge what it found.
    static func walkCursors(_ time: Timeline) -> CursorWalk {
        /// A token that the mock issued: by which pages, how often, and how often it was used.
        struct Issue {
            /// The last page of each size: programs that read in pages of their own come to one place.
            var pages: [Int]
            var chain: Int
            var issues: Int
            var uses = 0
        }
        var walk = CursorWalk()
        var issued: [TokenKey: Issue] = [:]
        // A chain is named after its first page.
        var chainOf: [Int: Int] = [:]
        var endOfChain: [Int: Int] = [:]
        var lastEnd: [ListKey: Int] = [:]
        // Ends of lists against which nothing has been found.
        var offended: Set<Int> = []
        var ended: [Int] = []

        for event in events(of: cursorPages(time), time) {
            let index = event.index
            let entry = time.entries[index]
            let list = ListKey(session: entry.session, client: entry.client, path: entry.path)
            if event.isEnd {
                guard entry.succeeded, let chain = chainOf[index] else { continue }
                if let token = entry.details.nextTokenIssued {
                    let key = TokenKey(session: entry.session, client: entry.client, token: token)
                    let before = issued[key]
                    let others = (before?.pages ?? []).filter {
                        changedParameters(time, from: $0, to: index) != nil
                    }
                    issued[key] = Issue(
                        pages: others.suffix(sizesOfOnePlace - 1) + [index],
                        chain: chain,
                        issues: (before?.issues ?? 0) + 1,
                        uses: before?.uses ?? 0
                    )
                } else {
                    endOfChain[chain] = index
                    lastEnd[list] = index
                    ended.append(index)
                }
                continue
            }
            guard let sent = entry.details.nextTokenSent else {
                chainOf[index] = index
                continue
            }
            // An attempt that a fault met at the door may not have been read as far as its token.
            if let earlier = time.previous[index],
                time.entries[earlier].details.nextTokenSent != nil
            {
                // The same page once more: judged when it was first asked for.
                chainOf[index] = chainOf[earlier] ?? index
                continue
            }
            let key = TokenKey(
                session: entry.session,
                client: entry.client,
                token: sent.digest
            )
            switch sent.form {
            case .issued:
                walk.verbatim.pass()
                guard var issue = issued[key] else {
                    // Issued before the journal begins, or to another client.
                    chainOf[index] = index
                    continue
                }
                chainOf[index] = issue.chain
                issue.uses += 1
                issued[key] = issue
                // The kindest reading: the page that it goes on from, or else the last one.
                let changes = issue.pages.map { changedParameters(time, from: $0, to: index) }
                walk.keeps.judge(changes.contains(where: { $0 == nil }) ? nil : changes.last ?? nil)
                // Once may be the Back button; a page that is asked for over and over is a loop.
                if issue.uses == issue.issues + usesBeyondIssues,
                    let end = endOfChain[issue.chain]
                {
                    offended.insert(end)
                    walk.stops.fail(
                        time.evidence(
                            [end, index],
                            "\(time.nameAtStart(index)) was asked for one page \(issue.uses) times, to and beyond "
                                + "the end of the list."
                        )
                    )
                }
            case .empty, .null:
                chainOf[index] = index
                let word = sent.form == .empty ? "an empty nextToken" : "the nextToken 'null'"
                if let end = lastEnd[list] {
                    offended.insert(end)
                    walk.stops.fail(
                        time.evidence(
                            [end, index],
                            "After the last page \(time.name(index)) was asked for with \(word)."
                        )
                    )
                } else {
                    walk.verbatim.fail(
                        time.evidence(
                            [index],
                            "\(time.nameAtStart(index)) was sent \(word); the first page has none."
                        )
                    )
                }
            case .foreign:
                chainOf[index] = index
                walk.verbatim.fail(
                    time.evidence(
                        [index],
                        "\(time.nameAtStart(index)) was sent a nextToken that was never issued."
                    )
                )
            }
        }
        walk.stops.pass(ended.count { !offended.contains($0) })
        return walk
    }

    private static func changedParameters(_ time: Timeline, from page: Int, to index: Int)
        -> Evidence?
    {
        let first = time.entries[page]
        let second = time.entries[index]
        if first.path != second.path {
            return time.evidence(
                [page, index],
                "A nextToken of \(first.path) was sent to \(second.path)."
            )
        }
        guard let before = first.details.pageSize, let after = second.details.pageSize,
            before != after
        else { return nil }
        return time.evidence(
            [page, index],
            "pageSize changed from \(before) to \(after) within \(time.name(index))."
        )
    }

    // MARK: Lists that are left

    /// Finds lists of which only the first page was read by a client that seems to know no other, and
    /// lists that were left between two pages.
    static func readsToTheEnd(_ time: Timeline) -> Tally {
        var tally = Tally()
        struct Reading {
            var pages: [Int] = []
            /// Whether a page was asked for by its size: who does so knows of pages.
            var isSized = false
            var isEnded = false
        }
        var readings: [ListWish: Reading] = [:]
        var order: [ListWish] = []
        var lost: [ListWish: Int] = [:]
        for index in time.entries.indices {
            let entry = time.entries[index]
            guard let paging = time.facts(index)?.paging, paging != .none else { continue }
            let wish = time.wishes[index]
            if entry.isTransient, lost[wish.list] == nil { lost[wish.list] = index }
            guard entry.succeeded, entry.itemCount != nil else { continue }
            if readings[wish.list] == nil { order.append(wish.list) }
            var reading = readings[wish.list] ?? Reading()
            reading.pages.append(index)
            let sizes: Set<String> = ["take", "pageSize"]
            if entry.details.query.contains(where: { sizes.contains($0.name) }) {
                reading.isSized = true
            }
            let isLast =
                paging == .cursor
                ? entry.details.nextTokenIssued == nil
                : (entry.itemCount ?? 0) < (entry.details.take ?? .max)
            if isLast { reading.isEnded = true }
            readings[wish.list] = reading
        }
        for index in lost.filter({ readings[$0.key] == nil }).values.sorted() {
            tally.remark("Not counted: \(time.name(index)), of which no page arrived whole.")
        }
        for list in order {
            guard let reading = readings[list], let last = reading.pages.last else { continue }
            if reading.isEnded {
                tally.pass()
                continue
            }
            if let stopped = time.context.stopped, stopped - time.ends[last] < pauseBeforeStop {
                tally.cannotJudge("The command was stopped while it read a list.")
                continue
            }
            let further = reading.pages.count {
                time.wishes[$0].position != .start
            }
            // Whoever begins in the middle wants a part.
            if further == reading.pages.count { continue }
            // One page of a size of the client's own is a look, not a reading.
            if further == 0, reading.isSized { continue }
            tally.fail(
                time.evidence(
                    Array(reading.pages.suffix(3)),
                    further == 0
                        ? "\(time.nameAtStart(last)) has more than one page; no other was asked for."
                        : "\(time.nameAtStart(last)) was left after \(further + 1) pages, with more to come."
                )
            )
        }
        return tally
    }

    private static let pauseBeforeStop = 60 * Seconds.nanoseconds

    /// A list, for offset paging: the same path and the same filters.
    private struct OffsetKey: Hashable {
        let session: String
        let client: String?
        let path: String
        let filters: [Filter]

        struct Filter: Hashable {
            let name: String
            let value: JournalDetails.QueryParameter.Value
        }
    }

    static func offsetStops(_ time: Timeline) -> Tally {
        var tally = Tally()
        let pages = time.entries.indices.filter {
            time.facts($0)?.paging == .offset && time.entries[$0].details.skip != nil
        }
        let lists = time.groups(of: pages) { entry in
            let filters = entry.details.query.filter {
                $0.isKnown && $0.name != "skip" && $0.name != "take"
            }
            return OffsetKey(
                session: entry.session,
                client: entry.client,
                path: entry.path,
                filters: filters.map { .init(name: $0.name, value: $0.value) }
                    .sorted { $0.name < $1.name }
            )
        }
        for list in lists {
            var walk = OffsetWalk()
            for event in events(of: list, time) {
                if event.isEnd {
                    walk.end(event.index, time)
                } else {
                    walk.arrive(event.index, time, &tally)
                }
            }
        }
        return tally
    }

    /// What is known of one offset list while its pages come in.
    private struct OffsetWalk {
        /// Where a next page may begin: the ends of the full pages.
        private var continuations: Set<Int32> = []
        private var furthest: Int32 = 0
        /// The page that ended the list, the one that begins first.
        private var short: (skip: Int32, index: Int)?
        /// The last page with content, for the evidence.
        private var last: Int?
        private var running = 0

        mutating func arrive(_ index: Int, _ time: Timeline, _ tally: inout Tally) {
            defer { running += 1 }
            guard let skip = time.entries[index].details.skip else { return }
            if let earlier = time.previous[index], time.entries[earlier].details.skip != nil {
                return
            }
            if skip == 0 {
                tally.pass()
            } else if continuations.contains(skip) {
                tally.pass()
            } else if let short, short.skip < skip {
                tally.fail(
                    time.evidence(
                        [short.index, index],
                        "\(time.nameAtStart(index)) was asked for skip=\(skip) after the page at "
                            + "skip=\(short.skip) had ended the list."
                    )
                )
            } else if running > 0 {
                tally.cannotJudge("Pages of one list were asked for at the same time.")
            } else if skip < furthest,
                furthest - skip <= (time.entries[index].details.take ?? 0) / 2
            {
                // Pages that overlap a little lose nothing.
                tally.pass()
            } else if let last, let before = time.entries[last].details.skip, before < skip,
                let received = time.entries[last].itemCount
            {
                let take = time.entries[index].details.take ?? received
                if Int(skip) - Int(before) - Int(received) > Int(take) {
                    tally.cannotJudge(
                        "\(time.nameAtStart(index)) went from skip=\(before) to skip=\(skip): a reader may jump."
                    )
                    return
                }
                tally.fail(
                    time.evidence(
                        [last, index],
                        "\(time.nameAtStart(index)): skip grew from \(before) to \(skip) though "
                            + "\(received) items were received."
                    )
                )
            }
        }

        mutating func end(_ index: Int, _ time: Timeline) {
            running -= 1
            let entry = time.entries[index]
            guard entry.succeeded, let skip = entry.details.skip, let take = entry.details.take,
                let items = entry.itemCount
            else { return }
            if items >= take {
                continuations.insert(skip + items)
                furthest = max(furthest, skip + items)
            } else if short.map({ skip < $0.skip }) ?? true {
                short = (skip, index)
            }
            last = index
        }
    }
}
