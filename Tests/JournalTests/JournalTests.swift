import Dispatch
import JSON
import Journal
import Synchronization
import Testing

/// An entry with little in it.
private func entry(
    _ requestID: String = "r",
    operation: String? = "Integrations_ListSites",
    client: String? = "acme-partner",
    status: UInt16? = 200,
    wallTime: Int64 = 0
) -> JournalEntry {
    var entry = JournalEntry(
        requestID: requestID,
        session: "default",
        kind: operation == nil ? .token : .operation,
        method: "GET",
        path: "/integrations/v1/acme/sites",
        connection: 1,
        wallTime: wallTime,
        arrival: 1_000
    )
    entry.operation = operation
    entry.client = client
    entry.status = status
    return entry
}

private func digest(_ text: String) -> JournalDigest {
    JournalDigest(of: text, key: JournalDigest.Key(1, 2))
}

@Suite struct RequestJournalTests {
    @Test("To wake a follower costs as much stack after 2,000 writes as at first")
    func wakes() {
        let journal = RequestJournal(capacity: 1)
        // Where a local variable of the follower lies, call by call.
        let places = Mutex<[UInt]>([])
        journal.follow {
            var local: UInt8 = 0
            let place = withUnsafeMutablePointer(to: &local) { UInt(bitPattern: $0) }
            places.withLock { $0.append(place) }
        }
        for _ in 0..<2_000 { journal.append(entry()) }
        let all = places.withLock { $0 }
        #expect(all.count == 2_000)
        #expect(Set(all).count == 1)
    }

    @Test("Ids begin at 1 and go on", arguments: [1, 2, 3, 7])
    func ids(capacity: Int) {
        let journal = RequestJournal(capacity: capacity)
        #expect((1...20).map { journal.append(entry("r\($0)")) } == Array(1...20))
    }

    @Test("The entries keep a budget of octets: the oldest go first, and are counted")
    func budget() {
        let journal = RequestJournal(JournalSize(entries: 10_000, octetsPerEntry: 1))
        #expect(journal.maximumOctets == JournalSize.minimumOctets)
        for number in 1...100 {
            var large = entry("r\(number)")
            large.details.requestContent = [UInt8](repeating: 1, count: 50_000)
            journal.append(large)
            #expect(journal.octets <= journal.maximumOctets)
        }
        let kept = journal.size.entries
        #expect(kept == 20 && journal.size.dropped == 80)
        #expect(journal.entries().map(\.requestID) == (81...100).map { "r\($0)" })
        #expect(journal.entry("80") == nil && journal.entry("r80") == nil)
        #expect(journal.entry("81")?.requestID == "r81")
        #expect(!journal.update(80) { $0.status = 500 })
        journal.append(entry("small"))
        #expect(journal.size.entries == kept + 1)
        // One that is larger than the budget is kept, alone.
        var huge = entry("huge")
        huge.details.answerContent = [UInt8](repeating: 1, count: 2 << 20)
        journal.append(huge)
        #expect(journal.entries().map(\.requestID) == ["huge"])
        journal.append(entry("after"))
        #expect(journal.entries().map(\.requestID) == ["after"])
        journal.clear()
        #expect(journal.octets == 0 && journal.size == (0, 0))
    }

    @Test("A ring whose oldest went early goes on in the same order", arguments: [3, 5, 8])
    func budgetInRing(capacity: Int) {
        let journal = RequestJournal(JournalSize(entries: capacity, octetsPerEntry: 1))
        var expected: [String] = []
        for number in 1...60 {
            var next = entry("r\(number)")
            // Some fill half of the budget.
            if number % 4 == 0 {
                next.details.requestContent = [UInt8](repeating: 1, count: 700_000)
            }
            journal.append(next)
            expected.append("r\(number)")
            if number % 4 == 0 {
                // Two of them have no room together: what stands before the newer one's rest goes.
                let older = expected.dropLast().lastIndex {
                    Int($0.dropFirst()).map { $0 % 4 } == 0
                }
                if let older { expected.removeSubrange(...older) }
            }
            if expected.count > capacity { expected.removeFirst(expected.count - capacity) }
            #expect(journal.entries().map(\.requestID) == expected)
            #expect(
                journal.entries(matching: JournalFilter()).map(\.requestID) == expected.reversed()
            )
            #expect(journal.size == (expected.count, UInt64(number - expected.count)))
        }
    }

    @Test("What an answer adds to a held entry counts, too")
    func completed() {
        let journal = RequestJournal(JournalSize(entries: 10, octetsPerEntry: 1))
        let ids = (1...3).map { journal.append(entry("r\($0)")) }
        var answered = entry("answered")
        answered.details.answerContent = [UInt8](repeating: 1, count: 600_000)
        #expect(journal.complete(ids[1], with: answered))
        #expect(journal.size.entries == 3 && journal.octets > 600_000)
        #expect(journal.complete(ids[2], with: answered))
        #expect(journal.entries().map(\.id) == [ids[2]])
        #expect(!journal.complete(ids[1], with: answered))
    }

    @Test("Long texts and long lists of violations are cut")
    func cut() throws {
        let long = String(repeating: "/日本", count: 3_000)
        var large = entry(long)
        large.path = long
        large.domain = long
        large.appointmentID = long
        large.details.violations = (0..<100).map { number in
            JournalViolation(
                location: "body",
                name: "/\(number)",
                keyword: "type",
                message: "m",
                contractPointer: "/p"
            )
        }
        let journal = RequestJournal()
        let id = journal.append(large)
        let kept = try #require(journal.entry("\(id)"))
        for text in [kept.requestID, kept.path, kept.domain, kept.appointmentID] {
            let text = try #require(text)
            #expect(text.hasPrefix("/日本/日本") && text.hasSuffix("…"))
            #expect(text.utf8.count <= JournalEntry.maximumTextOctets + 6)
        }
        #expect(kept.details.violations.map(\.name) == (0..<10).map { "/\($0)" })
        // The room of the others is given back, too.
        #expect(kept.details.violations.capacity < 20)
        #expect(kept.json["violationsOmitted"] == 90)
        #expect(kept.json["violations"]?.array?.count == 10)
        #expect(entry().json["violationsOmitted"] == nil)
    }

    @Test("A list ends before it becomes too long, and says where to go on")
    func pages() throws {
        let journal = RequestJournal()
        for number in 1...250 { journal.append(entry("r\(number)")) }
        var filter = JournalFilter(limit: 245)
        var ids: [Int] = []
        var answers = 0
        while true {
            let octets = JournalList.octets(
                of: journal,
                matching: filter,
                maximumOctets: 10_000
            )
            // One more entry at most than has room.
            #expect(octets.count < 12_000)
            let list = try JSONParser.parse(octets)
            #expect(list["dropped"] == 0)
            let items = try #require(list["items"]?.array)
            ids += items.compactMap { $0["id"]?.int }
            answers += 1
            guard let next = list["next"]?.int else { break }
            #expect(next == ids.last)
            filter.before = UInt64(next)
            filter.limit = 245 - ids.count
        }
        #expect(ids == (6...250).reversed() && answers > 3)
        // A list that has room takes its entries in several turns.
        let all = try JSONParser.parse(
            JournalList.octets(of: journal, matching: JournalFilter(limit: 245))
        )
        #expect(all["items"]?.array?.count == 245 && all["next"] == nil)
        #expect(try JSONParser.parse(JournalList.octets(of: []))["items"] == [])
        let whole = JournalList.octets(of: journal.entries())
        #expect(try JSONParser.parse(whole)["items"] == .array(journal.entries().map(\.json)))
    }

    @Test("Who waits for deliveries goes on when the last of them ends")
    func deliveries() {
        let journal = RequestJournal()
        journal.awaitDeliveries(timeLimitMilliseconds: 1_000_000)
        let ids = (1...3).map { journal.append(entry("r\($0)")) }
        var faulty = entry("held")
        faulty.details.fault = JournalFault(rule: "r", phase: .before, effects: .delay)
        journal.append(faulty)
        let waited = DispatchGroup()
        for _ in 0..<2 {
            DispatchQueue(label: "waiter").async(group: waited) {
                journal.awaitDeliveries(timeLimitMilliseconds: 1_000_000)
            }
        }
        for id in ids {
            #expect(waited.wait(timeout: .now() + .milliseconds(20)) == .timedOut)
            journal.recordDelivery(of: id, .complete, began: 1, ended: 2)
        }
        waited.wait()
        // And no longer than the limit, where an answer does not end.
        journal.append(entry("open"))
        journal.awaitDeliveries(timeLimitMilliseconds: 1)
    }

    @Test("A full journal drops the oldest and counts them", arguments: 1...9)
    func drops(capacity: Int) {
        let journal = RequestJournal(capacity: capacity)
        for number in 1...23 { journal.append(entry("r\(number)")) }
        #expect(journal.size == (capacity, UInt64(23 - capacity)))
        let expected = (24 - capacity...23).map { "r\($0)" }
        #expect(journal.entries().map(\.requestID) == expected)
        #expect(journal.entries(matching: JournalFilter()).map(\.requestID) == expected.reversed())
        #expect(journal.entry("\(23 - capacity)") == nil)
        #expect(journal.entry("r\(23 - capacity)") == nil)
        #expect(journal.entry("\(24 - capacity)")?.requestID == "r\(24 - capacity)")
    }

    @Test("An entry is found by id, or the newest by correlation id; the id goes first")
    func lookup() {
        let journal = RequestJournal()
        journal.append(entry("same"))
        journal.append(entry("same"))
        journal.append(entry("1"))
        #expect(journal.entry("same")?.id == 2)
        #expect(journal.entry("1")?.id == 1)
        #expect(journal.entry("3")?.id == 3)
        #expect(journal.entry("4") == nil)
        #expect(journal.entry("99999999999999999999999") == nil)
        #expect(journal.entry("") == nil)
    }

    @Test("A delivery is recorded on its own entry, and on none after that was dropped")
    func recordsDelivery() throws {
        let journal = RequestJournal(capacity: 2)
        let first = journal.append(entry("a"))
        let second = journal.append(entry("b"))
        journal.recordDelivery(of: second, .cut, began: 5, ended: 9)
        #expect(journal.entry("a")?.delivery == .pending)
        let updated = try #require(journal.entry("b"))
        #expect(updated.delivery == .cut)
        #expect(updated.answerBegan == 5)
        #expect(updated.answerEnded == 9)
        journal.append(entry("c"))
        #expect(!journal.update(first) { $0.status = 500 })
        #expect(!journal.update(0) { $0.status = 500 })
        #expect(!journal.update(4) { $0.status = 500 })
        #expect(journal.entries().allSatisfy { $0.status == 200 })
    }

    @Test("Clearing forgets entries and drops, and ids go on")
    func clear() {
        let journal = RequestJournal(capacity: 3)
        for number in 1...5 { journal.append(entry("r\(number)")) }
        journal.clear()
        #expect(journal.size == (0, 0))
        #expect(journal.entries().isEmpty)
        #expect(journal.entry("5") == nil)
        #expect(journal.append(entry("new")) == 6)
        #expect(journal.entry("6")?.requestID == "new")
        for number in 7...12 { #expect(journal.append(entry("r\(number)")) == UInt64(number)) }
        #expect(journal.entries().map(\.id) == [10, 11, 12])
    }

    @Test("Filters choose by operation, client, status and place")
    func filters() throws {
        let journal = RequestJournal()
        journal.append(entry("1", wallTime: 100))
        journal.append(entry("2", client: "acme-north", status: 404, wallTime: 200))
        journal.append(entry("3", operation: nil, client: nil, status: 429, wallTime: 300))
        journal.append(entry("4", operation: "Integrations_GetPatient_Summary", status: nil))
        func ids(_ filter: JournalFilter) -> [String] {
            let found = journal.entries(matching: filter).map(\.requestID)
            var unlimited = filter
            unlimited.limit = 10_000
            #expect(journal.count(matching: filter) == journal.entries(matching: unlimited).count)
            return found
        }
        #expect(ids(JournalFilter()) == ["4", "3", "2", "1"])
        #expect(ids(JournalFilter(limit: 2)) == ["4", "3"])
        #expect(ids(JournalFilter(operation: "Integrations_ListSites")) == ["2", "1"])
        #expect(ids(JournalFilter(operation: "token")) == ["3"])
        #expect(ids(JournalFilter(client: "acme-north")) == ["2"])
        #expect(ids(JournalFilter(status: .init(parsing: "4xx"))) == ["3", "2"])
        #expect(ids(JournalFilter(status: .init(parsing: "404"))) == ["2"])
        #expect(ids(JournalFilter(since: .id(2))) == ["4", "3"])
        #expect(ids(JournalFilter(since: .time(200))) == ["3", "2"])
        #expect(ids(JournalFilter(operation: "upload")) == [])
    }

    @Test(
        "A status filter is a code or a class",
        arguments: [
            ("200", 200...200), ("2xx", 200...299), ("4XX", 400...499), ("599", 599...599),
        ] as [(String, ClosedRange<UInt16>)]
    )
    func statusFilter(text: String, range: ClosedRange<UInt16>) {
        #expect(JournalFilter.Status(parsing: text)?.range == range)
    }

    @Test(
        "Other status filters are refused",
        arguments: ["", "2", "2x", "x00", "20x", "2xxx", "+20", "0xx"]
    )
    func badStatusFilter(text: String) {
        #expect(JournalFilter.Status(parsing: text) == nil)
    }

    @Test("since is an id or a time")
    func since() {
        #expect(JournalFilter.Since(parsing: "17") == .id(17))
        #expect(JournalFilter.Since(parsing: "1970-01-01T00:00:01Z") == .time(1_000_000_000))
        for text in ["", "-1", "yesterday", "99999999999999999999999"] {
            #expect(JournalFilter.Since(parsing: text) == nil)
        }
    }

    @Test("Many threads append and update without losing an entry")
    func concurrency() {
        let journal = RequestJournal(capacity: 4_000)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for number in 0..<1_000 {
                let id = journal.append(entry("\(thread)-\(number)"))
                journal.recordDelivery(of: id, .complete, began: 1, ended: 2)
            }
        }
        #expect(journal.size == (4_000, 4_000))
        let entries = journal.entries()
        #expect(entries.map(\.id) == Array(4_001...8_000))
        #expect(Set(entries.map(\.requestID)).count == 4_000)
        #expect(entries.allSatisfy { $0.delivery == .complete })
    }
}

@Suite struct JournalEntryTests {
    @Test("An entry keeps to its budget of inline octets")
    func size() {
        #expect(MemoryLayout<JournalEntry>.stride <= 400)
    }

    @Test("Details cost nothing until they are set, and belong to one entry")
    func details() {
        var first = entry()
        #expect(!first.hasDetails)
        #expect(first.details.query.isEmpty)
        #expect(!first.hasDetails)
        first.details.take = 100
        #expect(first.hasDetails)
        var second = first
        second.details.take = 50
        second.details.skip = 10
        #expect(first.details.take == 100)
        #expect(first.details.skip == nil)
        #expect(second.details.take == 50)
    }

    @Test("The JSON form names what the control API promises, digests in hexadecimal")
    func json() throws {
        var entry = entry("4b7f0a91b4f54f2a", wallTime: 1_736_478_245_000_000_000)
        entry.traits = [.sentRequestID, .authorization]
        entry.queryDigest = digest("pageSize=2")
        entry.details.query = [
            .init(name: "pageSize", value: .integer(2), isKnown: true),
            .init(name: "disposition", value: .word("inline"), isKnown: true),
            .init(name: "name", value: .digest(digest("Jane")), isKnown: false),
        ]
        entry.details.pageSize = 2
        entry.details.nextTokenSent = .init(digest: digest("t1"), form: .issued)
        entry.details.nextTokenIssued = digest("t2")
        entry.details.fault = JournalFault(
            rule: "slow",
            phase: .after,
            effects: [.status, .delay],
            delay: 250_000_000
        )
        entry.details.retryAfter = .init(seconds: 2, date: 5)
        entry.details.idempotencyKey = .init(digest: digest("k"), isWellFormed: true)
        entry.idempotency = .replay
        entry.refusal = .idempotencyConflict
        entry.delivery = .complete
        entry.answerEnded = 2_500_000_000
        entry.itemCount = 2
        entry.findings = [.tokenInContent]
        entry.token = digest("jti")
        entry.tokenExpiry = 1_736_481_845
        let json = entry.json
        #expect(json["requestId"] == "4b7f0a91b4f54f2a")
        #expect(json["requestIdFrom"] == "client")
        #expect(json["operation"] == "Integrations_ListSites")
        #expect(json["query"]?.array?.count == 3)
        #expect(json["query"]?.array?[0]["value"] == 2)
        #expect(json["query"]?.array?[1]["value"] == "inline")
        #expect(json["query"]?.array?[2]["value"] == nil)
        #expect(json["query"]?.array?[2]["known"] == false)
        #expect(json["paging"]?["nextTokenSent"]?["form"] == "issued")
        #expect(json["paging"]?["nextTokenIssued"]?.string == digest("t2").hexadecimal)
        #expect(json["fault"]?["effects"] == ["status", "delay"])
        #expect(json["fault"]?["delaySeconds"]?.double == 0.25)
        #expect(json["retryAfter"]?["form"] == "date")
        #expect(json["idempotency"] == "replay")
        #expect(json["reason"] == "idempotency-conflict")
        #expect(json["monotonicSeconds"]?["lastOctet"]?.double == 2.5)
        #expect(json["monotonicSeconds"]?["firstOctet"]?.isNull == true)
        #expect(json["time"] == "2025-01-10T03:04:05.000000Z")
        #expect(json["items"] == 2)
        #expect(json["findings"] == ["token-in-content"])
        #expect(json["token"]?["expiresAt"] == "2025-01-10T04:04:05.000000Z")
        #expect(json["requestBody"] == nil)
        #expect(try JSONParser.parse(JSONWriter.octets(of: json)) == json)
    }

    @Test("A path or a correlation id in which personal data was found is withheld")
    func withholds() {
        var entry = entry("Jane-Doe")
        entry.path = "/integrations/v1/acme/patients/Jane%20Doe"
        entry.findings = [.patientNameInURL, .patientDataInRequestID]
        let text = JSONWriter.text(of: entry.json)
        #expect(!text.contains("Jane"))
        #expect(!text.contains("Doe"))
    }

    @Test(
        "Bodies are shown as text, and as base64 where they are none",
        arguments: [
            ([0x41, 0x42], "AB"), ([0xFF], ["base64": "/w=="]), ([0xFF, 0xFE], ["base64": "//4="]),
            ([0xFF, 0xFE, 0xFD], ["base64": "//79"]), ([0xFF, 0, 0, 1], ["base64": "/wAAAQ=="]),
        ] as [([UInt8], JSONValue)]
    )
    func bodies(octets: [UInt8], shown: JSONValue) {
        var entry = entry()
        entry.details.requestContent = octets
        entry.details.answerContent = octets
        #expect(entry.json["requestBody"] == shown)
        #expect(entry.json["responseBody"] == shown)
    }
}

@Suite("Attempts at one call")
struct JournalAttemptTests {
    private func entry(
        _ method: String = "GET",
        _ path: String = "/sites",
        status: UInt16? = 200,
        content: UInt64? = nil,
        key: UInt64? = nil,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) -> JournalEntry {
        var entry = JournalEntry(
            requestID: "r",
            session: "s",
            kind: .operation,
            method: method,
            path: path,
            connection: 1,
            wallTime: 0,
            arrival: 0
        )
        entry.status = status
        entry.delivery = .complete
        entry.contentDigest = content.map { JournalDigest(high: 0, low: $0) }
        if let key {
            entry.details.idempotencyKey = .init(
                digest: JournalDigest(high: 1, low: key),
                isWellFormed: true
            )
        }
        change(&entry)
        return entry
    }

    @Test("A request is a further attempt where the last one at the same call failed")
    func repetition() {
        let again = entry()
        #expect(!again.isRepeated(after: []))
        for status: UInt16 in [401, 429, 500, 502, 503, 504] {
            #expect(again.isRepeated(after: [entry(status: status)]))
        }
        for status: UInt16 in [200, 400, 403, 404, 409] {
            #expect(!again.isRepeated(after: [entry(status: status)]))
        }
        #expect(again.isRepeated(after: [entry(status: nil) { $0.delivery = .cut }]))
        let silence = entry(status: nil) {
            $0.delivery = .pending
            $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .hang)
        }
        #expect(again.isRepeated(after: [silence]))
        // The newest first: what has succeeded since is over.
        #expect(!again.isRepeated(after: [entry(), entry(status: 503)]))
        #expect(again.isRepeated(after: [entry("GET", "/other"), entry(status: 503)]))
        #expect(!again.isRepeated(after: [entry("GET", "/other", status: 503)]))
        #expect(!again.isRepeated(after: [entry("HEAD", status: 503)]))
        let other = entry(status: 503) { $0.queryDigest = JournalDigest(high: 2, low: 2) }
        #expect(!again.isRepeated(after: [other]))
    }

    @Test("A POST is the same call by its key or by its content")
    func posts() {
        let failed = entry("POST", status: 503, content: 1, key: 1)
        #expect(entry("POST", content: 1, key: 1).isRepeated(after: [failed]))
        // Whoever takes a new key tries the same again all the same.
        #expect(entry("POST", content: 1, key: 2).isRepeated(after: [failed]))
        #expect(entry("POST", content: 2, key: 1).isRepeated(after: [failed]))
        #expect(!entry("POST", content: 2, key: 2).isRepeated(after: [failed]))
        #expect(!entry("POST", content: 2).isRepeated(after: [failed]))
    }

    @Test("A journal knows further attempts at what it holds")
    func journal() {
        let journal = RequestJournal(capacity: 10)
        #expect(!journal.isRepeated(entry()))
        journal.append(entry(status: 503))
        #expect(journal.isRepeated(entry()))
        journal.append(entry())
        #expect(!journal.isRepeated(entry()))
    }

    @Test("An archive ends before it is too long, and says where it goes on")
    func boundedArchive() throws {
        let journal = RequestJournal(capacity: 300)
        for _ in 0..<200 { journal.append(entry()) }
        func archive(_ filter: JournalFilter, _ octets: Int) throws -> JSONValue? {
            let text = JournalHAR.octets(
                of: journal,
                matching: filter,
                session: "s",
                baseURL: "http://h",
                version: "1",
                maximumOctets: octets
            )
            return try JSONParser.parse(text)["log"]
        }
        let whole = try archive(JournalFilter(limit: 1_000), 1 << 20)
        let ids = whole?["entries"]?.array?.compactMap { $0["_mock"]?["id"]?.int }
        #expect(ids == Array(1...200))
        #expect(whole?["_next"] == nil)
        let part = try archive(JournalFilter(limit: 1_000), 10_000)
        let first = try #require(part?["_next"]?.int)
        #expect(part?["entries"]?.array?.first?["_mock"]?["id"]?.int == first)
        #expect(part?["entries"]?.array?.last?["_mock"]?["id"] == 200)
        #expect(first > 150)
        let one = try archive(JournalFilter(limit: 1_000), 1)
        #expect(one?["entries"]?.array?.count == 1)
        let newest = try archive(JournalFilter(limit: 3), 1 << 20)
        #expect(newest?["entries"]?.array?.count == 3)
    }
}
