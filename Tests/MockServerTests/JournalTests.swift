import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Testing
import TestSupport

@Suite("Journal")
struct JournalTests {
    // MARK: What it keeps to itself

    /// Requests that carry a word nobody may find again, wherever it fits.
    ///
    /// - Returns: All that must not be found.
    private static func tell(_ word: String, to server: TestServer) throws -> [String] {
        let token = try server.token()
        let key = "key-\(word)"
        _ = try server.post(TestServer.commentsPath, ["commentText": .string(word)], key: key)
        _ = try server.post(TestServer.commentsPath, ["commentText": "Other."], key: key)
        _ = try server.post(TestServer.commentsPath, ["commentType": .string(word)])
        _ = try server.post(TestServer.commentsPath, ["commentText": 5, word: .string(word)])
        _ = try server.postOctets(
            TestServer.commentsPath,
            Array(word.utf8),
            [("Content-Type", "text/plain")]
        )
        _ = try server.get("appointments?scheduledSite=\(word)&zz=\(word)&take=5")
        _ = try server.get("appointments?take=\(word)&startDate=\(word)")
        _ = try server.get("appointments?access_token=\(token)")
        _ = try server.get("appointments?name=Jane%20Doe")
        _ = try server.get("patients/Jane%20Doe")
        _ = try server.get("sites", as: nil, fields: [("Authorization", "Bearer \(word)")])
        _ = try server.get("sites", as: nil, fields: [("Authorization", "Basic \(word)")])
        let pages = "appointments/by-status/ARRIVED?pageSize=3"
        let next = try #require(try server.get(pages).json["nextToken"]?.string)
        _ = try server.get("\(pages)&nextToken=\(next)")
        _ = try server.get("\(pages)&nextToken=\(word)")
        for form in [
            "grant_type=client_credentials&client_id=acme-partner&client_secret=\(word)",
            "grant_type=client_credentials&client_id=\(word)&client_secret=\(word)",
            "grant_type=refresh_token&client_id=acme-refresh&client_secret=acme-refresh-secret"
                + "&refresh_token=\(word)",
        ] {
            _ = try server.postForm(form)
        }
        let upload = try server.post(
            TestServer.uploadsPath,
            ["items": [["fileName": .string(word)]]]
        )
        let item = try #require(upload.json["items"]?.array?.first)
        let target = try server.target(of: item["uploadUrl"])
        _ = try server.send("PUT", target, [], Array(word.utf8))
        let guid = try #require(item["guid"]?.string)
        let url = try server.get("appointments/A123456/attachments/\(guid)").json["url"]
        let download = try server.target(of: url)
        #expect(try server.send("GET", download).text == word)
        let signatures = [target, download].compactMap { target in
            target.firstRange(of: "signature=").map { String(target[$0.upperBound...].prefix(20)) }
        }
        #expect(signatures.count == 2)
        let parts = token.split(separator: ".").map { String($0.suffix(40)) }
        return [word, "acme-partner-secret", "acme-refresh-secret", "Jane", "Doe", next] + parts
            + signatures
    }

    @Test(
        "No secret, content, token, name or free value can be read in the journal or from explain"
    )
    func redaction() throws {
        let server = try TestServer()
        let secrets = try Self.tell("Zanzibar7391", to: server)
        let journal = try server.control("GET", "/requests?limit=10000")
        let entries = try #require(journal.json["items"]?.array)
        #expect(entries.count > 20)
        let ledger = try server.control("GET", "/idempotency").text
        for secret in secrets {
            #expect(!journal.text.contains(secret), "\(secret)")
            #expect(!ledger.contains(secret), "\(secret)")
        }
        for entry in entries {
            let id = try #require(entry["id"]?.int)
            let told = try server.control("GET", "/requests/\(id)/explain").text
            for secret in secrets { #expect(!told.contains(secret), "\(secret): \(told)") }
        }
    }

    @Test("Integers and enumerated words are shown, all else as digests")
    func query() throws {
        let server = try TestServer()
        _ = try server.get(
            "appointments?take=5&scheduledSite=Central%20Clinic&startDate=2025-01-01&zz=1"
        )
        let entry = try #require(try server.entries("?limit=1").first)
        let query = try #require(entry["query"]?.array)
        var shown: [String: JSONValue] = [:]
        for parameter in query {
            let name = try #require(parameter["name"]?.string)
            shown[name] = parameter["value"] ?? .null
            #expect((parameter["digest"]?.string?.isEmpty == false) == (shown[name] == .null))
            #expect(parameter["known"] == .bool(name != "zz"))
        }
        #expect(
            shown == ["take": 5, "scheduledSite": .null, "startDate": .null, "zz": .null]
        )
        #expect(entry["queryDigest"]?.string?.isEmpty == false)
        _ = try server.get("appointments/by-status/ARRIVED?pageSize=3")
        let page = try #require(try server.entries("?limit=1").first)
        #expect(page["query"]?.array?.first?["value"] == 3)
        #expect(page["paging"]?["pageSize"] == 3 && page["items"] == 3)
    }

    @Test("Equal contents, keys and tokens have equal digests, others have others")
    func digests() throws {
        let server = try TestServer()
        let path = TestServer.commentsPath
        for (text, key) in [("a", "k"), ("a", "k"), ("b", "k"), ("a", "l")] {
            _ = try server.post(path, ["commentText": .string(text)], key: key)
        }
        let entries = try server.entries("?operation=\(FaultEffectTests.commentID)").reversed()
        let contents = entries.map { $0["content"]?["digest"] }
        #expect(contents[0] == contents[1] && contents[0] == contents[3])
        #expect(contents[0] != contents[2])
        let keys = entries.map { $0["fields"]?["idempotencyKey"]?["digest"] }
        #expect(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3])
        #expect(Set(entries.map { $0["token"]?["digest"] }).count == 1)
        #expect(entries.map { $0["idempotency"] } == ["first", "replay", "conflict", "first"])
        #expect(entries.map { $0["committed"] } == [true, false, false, true])
        #expect(entries.allSatisfy { $0["content"]?["octets"] == 19 })
        // The key of digests belongs to one server.
        let other = try TestServer()
        _ = try other.post(path, ["commentText": "a"], key: "k")
        #expect(try other.entries("?limit=1").first?["content"]?["digest"] != contents[0])
    }

    @Test("With --journal-bodies contents are kept, else not", arguments: [true, false])
    func bodies(keeps: Bool) throws {
        let server = try TestServer { $0.journalKeepsBodies = keeps }
        let answer = try server.post(TestServer.commentsPath, ["commentText": "Read me."])
        let entry = try #require(try server.entries("?limit=1").first)
        #expect(entry["requestBody"] == (keeps ? "{\"commentText\":\"Read me.\"}" : nil))
        #expect(entry["responseBody"] == (keeps ? .string(answer.text) : nil))
        let upload = try server.post(TestServer.uploadsPath, TestServer.writes[1].body)
        let target = try server.target(of: upload.json["items"]?.array?.first?["uploadUrl"])
        _ = try server.send("PUT", target, [("Content-Type", "application/pdf")], [0xFF, 0, 1])
        let put = try #require(try server.entries("?limit=1").first)
        #expect(put["requestBody"] == (keeps ? ["base64": "/wAB"] : nil))
    }

    // MARK: Reading

    /// Five requests of different kinds, of which the last three come a minute later.
    ///
    /// - Returns: Their ids, oldest first.
    private static func five(_ server: TestServer) throws -> [Int] {
        _ = try server.token()
        _ = try server.token("group-partner")
        #expect(try server.control("DELETE", "/requests").status == 204)
        _ = try server.get("sites", fields: [("X-Correlation-Id", "mine")])
        _ = try server.get("sites", as: "group-partner")
        server.advance(seconds: 60)
        _ = try server.get("appointments/NOBODY", fields: [("X-Correlation-Id", "mine")])
        _ = try server.get("sites", as: nil)
        _ = try server.get("nothing")
        let ids = try server.entries().compactMap { $0["id"]?.int }
        #expect(ids.count == 5 && ids == ids.sorted(by: >))
        return ids.reversed()
    }

    /// A filter, and which of the five requests pass it, newest first.
    static let filters: [(query: String, passing: [Int])] = [
        ("", [5, 4, 3, 2, 1]), ("operation=Integrations_ListSites", [4, 2, 1]),
        ("operation=INTEGRATIONS_listsites", [4, 2, 1]), ("operation=other", [5]),
        ("operation=token", []), ("client=acme-partner", [5, 3, 1]),
        ("client=group-partner", [2]), ("client=globex-partner", []), ("status=404", [5, 3]),
        ("status=4xx", [5, 4, 3]), ("status=4XX", [5, 4, 3]), ("status=200", [2, 1]),
        ("status=5xx", []), ("since=2025-06-01T00:01:00Z", [5, 4, 3]),
        ("since=2025-06-01T10:01:00%2B10:00", [5, 4, 3]), ("since=2030-01-01T00:00:00Z", []),
        ("operation=Integrations_ListSites&status=401", [4]),
        ("client=acme-partner&status=4xx&since=2025-06-01T00:00:30Z", [5, 3]),
    ]

    @Test("Filters combine, for the list and for the count")
    func filters() throws {
        let server = try TestServer()
        let ids = try Self.five(server)
        for (query, passing) in Self.filters + [("since=\(ids[1])", [5, 4, 3])] {
            let found = try server.entries("?\(query)").compactMap { $0["id"]?.int }
            #expect(found == passing.map { ids[$0 - 1] }, "\(query)")
            let count = try server.control("GET", "/requests/count?\(query)").json
            #expect(count == ["count": .integer(passing.count)], "\(query)")
        }
        #expect(try server.entries("?limit=2").compactMap { $0["id"]?.int } == [ids[4], ids[3]])
        #expect(try server.entries("?limit=10000").count == 5)
        for (query, name) in [
            ("limit=0", "limit"), ("limit=10001", "limit"), ("limit=x", "limit"),
            ("status=abc", "status"), ("status=99", "status"), ("status=4x", "status"),
            ("since=yesterday", "since"), ("since=", "since"),
        ] {
            let answer = try server.control("GET", "/requests?\(query)")
            #expect(answer.status == 400 && answer.json["errors"]?[name] != nil, "\(query)")
        }
    }

    /// What would count nothing for ever, the parameter to blame, and what was probably meant.
    static let misspelt: [(query: String, name: String, words: String)] = [
        ("operation=Integrations_ListSite", "operation", "`Integrations_ListSites`"),
        ("operation=listsites", "operation", "`Integrations_ListSites`"),
        ("operation=tokne", "operation", "`token`"), ("operation=x", "operation", "/operations"),
        ("client=acme-partnr", "client", "`acme-partner`"),
        ("client=acme-partner%2Bs1", "client", "`acme-partner`"),
        ("client=zz", "client", "globex-partner"), ("operaton=token", "operaton", "`operation`"),
        ("sesion=s1", "sesion", "`session`"), ("zz=1", "zz", "`since`"),
    ]

    @Test(
        "A filter that can find nothing is refused: a test that counts none must not pass by a slip",
        arguments: misspelt
    )
    func misspeltFilter(query: String, name: String, words: String) throws {
        let server = try TestServer()
        for path in ["/requests", "/requests/count"] {
            let answer = try server.control("GET", "\(path)?\(query)")
            #expect(answer.status == 400)
            let message = answer.json["errors"]?[name]?.array?.first?.string
            #expect(message?.contains(words) == true, "\(answer.text)")
        }
    }

    @Test("A parameter that a control request does not have changes nothing")
    func unknownParameters() throws {
        let server = try TestServer()
        try server.arm(#"{"id":"kept","then":{"status":503}}"#)
        for (method, path) in [
            ("DELETE", "/faults?sesion=s1"), ("POST", "/reset?Session=s1"),
            ("PUT", "/sessions/s2?session=s1"), ("POST", "/keys/rotate?session=s1"),
        ] {
            let answer = try server.control(method, path)
            #expect(answer.status == 400, "\(path)")
        }
        #expect(try server.control("GET", "/faults").json["items"]?.array?.count == 1)
        #expect(try server.control("GET", "/sessions").json["items"]?.array?.count == 1)
        #expect(try server.control("GET", "/keys").json["items"]?.array?.count == 1)
    }

    @Test("Entries are found by id and by correlation id; deleted, they are gone, and ids go on")
    func single() throws {
        let server = try TestServer()
        let ids = try Self.five(server)
        let one = try server.control("GET", "/requests/\(ids[2])").json["items"]?.array
        #expect(one?.map { $0["id"]?.int } == [ids[2]])
        #expect(one?.first?["status"] == 404 && one?.first?["reason"] == "not-found")
        #expect(one?.first?["requestId"] == "mine" && one?.first?["requestIdFrom"] == "client")
        let both = try server.control("GET", "/requests/mine").json["items"]?.array
        #expect(both?.map { $0["id"]?.int } == [ids[2], ids[0]])
        #expect(try server.control("GET", "/requests/999999").status == 404)
        #expect(try server.control("GET", "/requests/nobody").status == 404)
        #expect(try server.control("GET", "/requests/nobody/explain").status == 404)
        let explained = try server.control("GET", "/requests/mine/explain").json
        #expect(explained["id"]?.int == ids[2])
        #expect(try server.control("DELETE", "/requests").status == 204)
        #expect(try server.entries().isEmpty)
        #expect(try server.control("GET", "/requests/mine").status == 404)
        _ = try server.get("sites")
        let next = try #require(try server.entries().first?["id"]?.int)
        #expect(next > ids[4])
    }

    @Test("A full journal drops the oldest, and tells how many")
    func bound() throws {
        let server = try TestServer { $0.journalSize = 10 }
        _ = try server.token()
        for index in 0..<25 {
            _ = try server.get("sites", fields: [("X-Correlation-Id", "r-\(index)")])
        }
        let list = try server.control("GET", "/requests").json
        #expect(list["dropped"] == 16)
        let ids = list["items"]?.array?.compactMap { $0["requestId"]?.string }
        #expect(ids == (15..<25).reversed().map { "r-\($0)" })
        #expect(try server.control("GET", "/requests/count").json["count"] == 10)
        #expect(try server.control("GET", "/requests/r-14").status == 404)
        #expect(try server.control("DELETE", "/requests").status == 204)
        #expect(try server.control("GET", "/requests").json == ["items": [], "dropped": 0])
    }

    @Test("A journal of no size keeps nothing, and everything else goes on")
    func none() throws {
        let server = try TestServer { $0.journalSize = 0 }
        try server.arm(#"{"id":"r","when":{"every":2},"then":{"delay":"1ms"}}"#)
        for index in 0..<6 {
            #expect(try server.get("appointments?take=\(index + 1)&zz=1").status == 200)
        }
        #expect(try server.counts() == [3, 6])
        let list = try server.control("GET", "/requests").json
        #expect(list == ["items": [], "dropped": 7])
        #expect(try server.control("GET", "/requests/1").status == 404)
        #expect(try server.control("GET", "/verdict").json["result"] == "not-exercised")
        #expect(try server.control("DELETE", "/requests").status == 204)
    }

    // MARK: When

    @Test("Control requests are not in it, whatever comes of them")
    func control() throws {
        let server = try TestServer()
        for (method, path) in [
            ("GET", "/health"), ("GET", "/requests"), ("GET", "/nothing"), ("PATCH", "/clock"),
            ("DELETE", "/requests"), ("POST", "/faults"),
        ] {
            _ = try server.control(method, path)
        }
        #expect(try server.entries().isEmpty)
    }

    @Test("A request is in the journal before its client can ask for it")
    func atOnce() throws {
        let server = try TestServer()
        try server.arm(
            #""when":{"every":2},"then":{"drip":{"chunks":2,"over":"3ms"}}"#,
            on: "Integrations_ListSites"
        )
        // On workers that have nothing to do with each other.
        let asking = try RawClient(port: server.listener.port)
        for index in 0..<100 {
            let client = try RawClient(port: server.listener.port)
            try client.send(
                try server.requestText("GET", "sites", [("X-Correlation-Id", "r-\(index)")])
            )
            // The first octet of the answer is enough.
            _ = try client.read(exactly: 1)
            let found = try asking.exchange(
                "GET /__admin/requests/r-\(index) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            #expect(found.status == 200)
        }
    }

    @Test("Connection, times, and how the answer was delivered")
    func delivery() throws {
        let server = try TestServer()
        try server.arm(
            #"""
            "sequence":[{},{},{"truncateAt":5},{"transport":"HANG"},{"delay":"20ms"}]
            """#,
            on: TestServer.summaryID
        )
        let client = try RawClient(port: server.listener.port)
        for _ in 0..<2 { _ = try client.exchange(try server.requestText()) }
        _ = try server.wireGet()
        _ = try server.wireGet(patienceSeconds: 0.1)
        _ = try server.wireGet()
        func read() throws -> [JSONValue] {
            try server.entries("?operation=\(TestServer.summaryID)").reversed()
        }
        var entries: [JSONValue] = []
        // That the client has left is noticed when it has.
        try eventually("every delivery has ended") {
            entries = try read()
            return !entries.contains { $0["answer"]?["delivery"] == "pending" }
        }
        #expect(
            entries.map { $0["answer"]?["delivery"] } == [
                "complete", "complete", "cut", "client-left", "complete",
            ]
        )
        let connections = entries.map { $0["connection"]?.int }
        #expect(connections[0] == connections[1])
        #expect(Set(connections).count == 4)
        for (index, entry) in entries.enumerated() {
            let times = ["arrival", "firstOctet", "lastOctet"].map {
                entry["monotonicSeconds"]?[$0]?.double
            }
            let arrival = try #require(times[0])
            guard index != 3 else { continue }
            let first = try #require(times[1])
            let last = try #require(times[2])
            #expect(arrival <= first && first <= last)
            if index == 4 { #expect(first - arrival >= 0.02) }
        }
        #expect(entries.allSatisfy { $0["time"] == "2025-06-01T00:00:00.000000Z" })
    }
}
