import Contract
import Dispatch
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import MockServer
import OAuth
import Store
import Synchronization
import TestSupport
import Testing
import Time

/// One who follows a session, as a browser would.
final class EventFollower {
    struct Event: Equatable {
        var id: String?
        var kind = ""
        var data = JSONValue.null
        /// The text of a comment, which is no event.
        var comment: String?
    }

    enum Broken: Error {
        /// The events ended, or none came in time.
        case ended
        case line(String)
    }

    let head: String
    private let client: RawClient
    private var text: [UInt8] = []

    init(
        _ server: TestServer,
        _ query: String = "",
        fields: [(String, String)] = [],
        receiveBufferOctets: Int32? = nil
    ) throws {
        client = try RawClient(
            port: server.listener.port,
            receiveBufferOctets: receiveBufferOctets
        )
        var request = "GET /__admin/events\(query) HTTP/1.1\r\nHost: localhost\r\n"
        for (name, value) in fields { request += "\(name): \(value)\r\n" }
        try client.send(request + "\r\n")
        head = try client.readHead()
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(head)")
        #expect(try next().comment == "retry: 1000")
    }

    /// The next event, or comment; waits for it.
    func next() throws -> Event {
        while true {
            if let end = text.firstRange(of: Array("\n\n".utf8)) {
                let block = String(decoding: text[..<end.lowerBound], as: UTF8.self)
                text.removeSubrange(..<end.upperBound)
                return try Self.event(block)
            }
            guard case .octets(let more) = client.read() else {
                throw Broken.ended
            }
            text += more
        }
    }

    func next(_ count: Int) throws -> [Event] { try (0..<count).map { _ in try next() } }

    /// How the events end; what was unread is thrown away.
    func end() -> RawClient.Reading { client.readToEnd().ending }

    func leave() { client.close() }

    private static func event(_ block: String) throws -> Event {
        var event = Event()
        for line in block.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = String(parts[1].drop { $0 == " " })
            switch parts[0] {
            case "id": event.id = value
            case "event": event.kind = value
            case "data": event.data = try JSONParser.parse(Array(value.utf8))
            case "retry": event.comment = String(line)
            case "": event.comment = value
            default: throw Broken.line(String(line))
            }
        }
        return event
    }
}

@Suite("Following a session")
struct EventTests {
    /// A server whose time the test moves.
    static func server(
        faults: JSONValue? = nil,
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> (TestServer, TransportClock) {
        let time = TransportClock.driven()
        let server = try TestServer(faults: faults) {
            change(&$0)
            $0.transport.clock = time
        }
        return (server, time)
    }

    /// Moves the time to the end of a batch.
    ///
    /// - Parameter server: Where answers must have ended first: their clients may have them already.
    private func batchEnds(_ time: TransportClock, _ server: TestServer? = nil) throws {
        if let server { try answersEnd(server) }
        try #require(time.advance(by: .milliseconds(100)), "nothing was to be told")
    }

    /// Lets time go by itself until the semaphore is signalled.
    private static func letGo(_ time: TransportClock) -> DispatchSemaphore {
        let stop = DispatchSemaphore(value: 0)
        DispatchQueue(label: "time").async {
            while stop.wait(timeout: .now() + .milliseconds(2)) == .timedOut {
                time.move(by: .milliseconds(50))
            }
        }
        return stop
    }

    private func answersEnd(_ server: TestServer) throws {
        let journal = server.application.sessions.default.journal
        try eventually("answers have ended") {
            !journal.entries().contains { $0.delivery == .pending }
        }
    }

    /// Followers that have heard something: whatever comes now, they are told it with the others.
    ///
    /// One that has just joined is told at once what has come until the feed takes it in.
    private func settled(
        _ count: Int,
        _ server: TestServer,
        _ time: TransportClock
    ) throws -> [EventFollower] {
        try answersEnd(server)
        let followers = try (0..<count).map { _ in try EventFollower(server) }
        #expect(try server.control("PUT", "/clock", ["mode": "frozen"]).status == 200)
        try batchEnds(time)
        for follower in followers { #expect(try follower.next().kind == "clock") }
        return followers
    }

    @Test("Requests are told together when 100 ms are over, each as the journal shows it")
    func requests() throws {
        let (server, time) = try Self.server()
        let follower = try settled(1, server, time)[0]
        #expect(try server.get("sites").status == 200)
        #expect(try server.get("appointments/nowhere").status == 404)
        #expect(try server.get("sites", as: nil).status == 401)
        try batchEnds(time, server)
        let events = try follower.next(4)
        let entries = try server.entries().reversed()
        #expect(events.map(\.kind) == ["request", "request", "request", "request"])
        #expect(events.map(\.id) == entries.map { "\($0["id"]?.int ?? 0)" })
        #expect(events.map(\.data) == Array(entries))
        // Word of the verdict follows within a second.
        #expect(time.advance(by: .seconds(1)))
        let verdict = try follower.next()
        #expect(verdict.kind == "verdict" && verdict.id == nil)
        #expect(verdict.data["newest"] == 4)
    }

    @Test("The head says what it is, and that it has no end of its own")
    func head() throws {
        let (server, _) = try Self.server()
        let follower = try EventFollower(server)
        #expect(follower.head.contains("Content-Type: text/event-stream\r\n"))
        #expect(follower.head.contains("Cache-Control: no-store\r\n"))
        #expect(follower.head.contains("Connection: close\r\n"))
        #expect(!follower.head.contains("Content-Length"))
        let client = try RawClient(port: server.listener.port)
        try client.send("HEAD /__admin/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let (octets, ending) = client.readToEnd()
        let head = String(decoding: octets, as: UTF8.self)
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"))
        #expect(head.hasSuffix("\r\n\r\n") && ending == .end)
    }

    @Test("Who comes back is told what it missed, after a gap where that is no longer kept")
    func lastEventID() throws {
        let (server, time) = try Self.server { $0.journalSize = 4 }
        for _ in 0..<3 { _ = try server.get("sites") }  // 1 is the token
        func ids(after id: String, _ count: Int) throws -> [String] {
            try answersEnd(server)
            let follower = try EventFollower(server, fields: [("Last-Event-ID", id)])
            return try follower.next(count).map { $0.id ?? $0.kind }
        }
        #expect(try ids(after: "2", 2) == ["3", "4"])
        #expect(try ids(after: "0", 4) == ["1", "2", "3", "4"])
        for _ in 0..<2 { _ = try server.get("sites") }
        #expect(try ids(after: "2", 4) == ["3", "4", "5", "6"])
        #expect(try ids(after: "1", 5) == ["gap", "3", "4", "5", "6"])
        // From a server that ran before this one.
        #expect(try ids(after: "900", 1) == ["gap"])
        try answersEnd(server)
        let follower = try EventFollower(server, fields: [("Last-Event-ID", "6")])
        _ = try server.get("sites")
        // Word of the verdict, for those who left, may come before.
        let stop = Self.letGo(time)
        defer { stop.signal() }
        var told = try follower.next()
        for _ in 0..<20 where told.id != "7" { told = try follower.next() }
        #expect(told.id == "7")
        for wrong in ["x", "-1", "1.5"] {
            let answer = try server.control("GET", "/events", fields: [("Last-Event-ID", wrong)])
            #expect(answer.status == 400, "\(wrong)")
        }
    }

    @Test("A request that is held up is told at once, and again when its answer has ended")
    func heldRequest() throws {
        let rule: JSONValue = [
            "match": ["operation": "Integrations_ListSites"], "then": ["delay": "PT5S"],
        ]
        let (server, time) = try Self.server(faults: rule)
        let token = try server.token()
        let follower = try settled(1, server, time)[0]
        let client = try RawClient(port: server.listener.port)
        try client.send(
            "GET /integrations/v1/acme/sites HTTP/1.1\r\nHost: localhost\r\n"
                + "Authorization: Bearer \(token)\r\n\r\n"
        )
        try batchEnds(time)
        let first = try follower.next()
        #expect(first.kind == "request" && first.data["answer"]?["delivery"] == "pending")
        // From here on time goes by itself. How often the verdict and the request are told until then
        // depends on when the worker comes to hold the answer up.
        let stop = Self.letGo(time)
        defer { stop.signal() }
        #expect(try client.response().status == 200)
        var told = try follower.next()
        for _ in 0..<1_000 where told.data["answer"]?["delivery"] != "complete" {
            #expect(told.kind == "verdict" || told.id == first.id || told.comment != nil)
            told = try follower.next()
        }
        #expect(told.id == first.id && told.data["answer"]?["delivery"] == "complete")
    }

    /// What is told of a control request: kind, and what its data have beside `operation` and `now`.
    static let notices: [(String, String, JSONValue?, [String])] = [
        ("POST", "/faults", ["id": "r", "match": [:], "then": ["status": 503]], ["fault"]),
        ("PUT", "/faults", [], ["fault"]),
        ("DELETE", "/faults", nil, ["fault"]),
        ("PUT", "/readings", ["page-end": "omitted"], ["fault"]),
        ("DELETE", "/readings", nil, ["fault"]),
        ("PUT", "/clock", ["mode": "frozen"], ["clock"]),
        ("POST", "/clock/advance", ["by": "PT1S"], ["clock"]),
        ("PUT", "/world", ["mode": "still"], ["world"]),
        ("DELETE", "/requests", nil, ["reset"]),
        ("POST", "/reset", ["scope": ["faults", "clock"]], ["reset"]),
        ("POST", "/scenarios/calm/start", nil, ["fault", "verdict"]),
        ("POST", "/scenarios/stop", nil, ["fault", "verdict"]),
        ("PUT", "/data/acme/patients/X", ["dateOfBirth": "1980-01-01"], ["world"]),
        ("DELETE", "/data/acme/patients/X", nil, ["world"]),
    ]

    @Test("What control requests do is told by its kind; what they refuse, or only read, is not")
    func notices() throws {
        let (server, time) = try Self.server()
        let follower = try EventFollower(server)
        for (method, path, body, kinds) in Self.notices {
            #expect(try server.control("PUT", "/clock", ["mode": "wrong"]).status == 400)
            #expect(try server.control("GET", "/clock").status == 200)
            let answer = try server.control(method, path, body)
            #expect(answer.status < 300, "\(method) \(path): \(answer.text)")
            try batchEnds(time)
            for kind in kinds {
                let event = try follower.next()
                #expect(event.kind == kind && event.id == nil, "\(path)")
                #expect(event.data["operation"]?.string?.hasPrefix("Admin_") == true)
                #expect(event.data["now"]?.string != nil)
                if path == "/reset" { #expect(event.data["scope"] == ["faults", "clock"]) }
                if kind == "clock" { #expect(event.data["mode"] == "frozen") }
            }
        }
        let told = Set(Self.notices.map(\.3).joined()).union(["request", "gap"])
        let operations = TestServer.controlContract.operations
        #expect(Set(operations.compactMap(\.event)).isSubset(of: told))
        // Another session's doings are not told here.
        #expect(try server.control("PUT", "/clock?session=other", ["mode": "frozen"]).status == 200)
        #expect(try server.control("PUT", "/clock", ["mode": "real"]).status == 200)
        try batchEnds(time)
        #expect(try follower.next().data["mode"] == "real")
    }

    @Test(
        "What happens at appointments is told: by itself in a living world, and at the front desk"
    )
    func livingWorld() throws {
        let (server, time) = try Self.server { $0.world = .living }
        // What has happened since the beginning of the day is told to nobody.
        #expect(try server.get("sites").status == 200)
        let follower = try settled(1, server, time)[0]
        /// What is told of a request that comes after a time of the session's clock.
        func told(after duration: String) throws -> JSONValue {
            let advance: JSONValue = ["by": .string(duration)]
            #expect(try server.control("POST", "/clock/advance", advance).status == 200)
            try batchEnds(time)
            #expect(try follower.next().kind == "clock")
            server.forgetTokens()
            #expect(try server.get("sites").status == 200)
            try batchEnds(time, server)
            let event = try follower.next()
            #expect(event.kind == "world" && event.id == nil)
            #expect(event.data["operation"] == .null && event.data["now"]?.string != nil)
            // The token, and the list of sites.
            #expect(try follower.next(2).map(\.kind) == ["request", "request"])
            return event.data
        }
        func listed(_ limit: Int) throws -> [JSONValue] {
            let answer = try server.control("GET", "/world/events?limit=\(limit)")
            return (answer.json["items"]?.array ?? []).reversed()
        }
        let before = try listed(1000).count
        var data = try told(after: "PT24H")
        #expect(data["events"]?.array == (try listed(100)))
        let omitted = try #require(data["omitted"]?.int)
        #expect(omitted > 0)
        // No more than a list can hold has happened until then.
        if before + omitted + 100 <= 1000 {
            #expect(try listed(1000).count == before + omitted + 100)
        }
        // Until the next event, and no farther.
        let next = try #require(try server.control("GET", "/world").json["next"]?.string)
        let now = try #require(try server.control("GET", "/world").json["time"]?.string)
        let pause =
            try #require(Instant(rfc3339: next)).secondsSince1970
            - (try #require(Instant(rfc3339: now)).secondsSince1970)
        data = try told(after: "PT\(max(1, pause))S")
        #expect(data["omitted"] == 0)
        let events = try #require(data["events"]?.array)
        #expect(events.contains { $0["time"] == .string(next) })
        // The times of domains differ, so others may stand between them in the list.
        let all = try listed(1000)
        #expect(events.allSatisfy { all.contains($0) })

        let waiting = "/data/acme/appointments?status=NOT%20ARRIVED&limit=1"
        let first = try server.control("GET", waiting).json["items"]?.array?.first
        let id = try #require(first?["appointmentId"]?.string)
        let arrival = "/world/acme/appointments/\(id)/arrive"
        #expect(try server.control("POST", arrival).status == 200)
        #expect(try server.control("POST", arrival).status == 409)
        try batchEnds(time)
        var desk = try follower.next()
        // Word of the verdict comes a second after requests.
        for _ in 0..<5 where desk.kind == "verdict" { desk = try follower.next() }
        #expect(desk.kind == "world" && desk.data["operation"] == "Admin_NoteEvent")
        #expect(desk.data["events"]?.array?.count == 1 && desk.data["omitted"] == 0)
        let event = desk.data["events"]?.array?.first
        #expect(event?["appointmentId"] == .string(id) && event?["event"] == "arrive")
        #expect(event?["from"] == "NOT ARRIVED" && event?["to"] == "ARRIVED")
        #expect(try listed(1000).contains { $0 == event })
    }

    @Test("A comment comes every 15 seconds")
    func pulse() throws {
        let (server, time) = try Self.server()
        let follower = try EventFollower(server)
        for _ in 0..<3 {
            #expect(time.advance(by: .seconds(15)))
            #expect(try follower.next().comment == "still here")
        }
    }

    @Test("More than 1,000 requests in one batch are a gap")
    func tooMany() throws {
        let (server, time) = try Self.server()
        let follower = try settled(1, server, time)[0]
        let journal = server.application.sessions.default.journal
        for _ in 0..<1_001 { journal.append(Self.entry()) }
        try batchEnds(time)
        let gap = try follower.next()
        #expect(gap.kind == "gap" && gap.id == nil)
        #expect(gap.data == ["oldest": 1, "newest": 1_001])
        journal.append(Self.entry())
        try batchEnds(time)
        #expect(try follower.next().id == "1002")
    }

    @Test("Where many follow, what is too much to tell all of them is a gap")
    func tooManyTellings() throws {
        let (server, time) = try Self.server()
        let followers = try settled(51, server, time)
        let journal = server.application.sessions.default.journal
        for _ in 0..<1_000 { journal.append(Self.entry()) }
        try batchEnds(time)
        for follower in followers {
            let gap = try follower.next()
            #expect(gap.kind == "gap" && gap.data == ["oldest": 1, "newest": 1_000])
        }
        journal.append(Self.entry())
        try batchEnds(time)
        for follower in followers { #expect(try follower.next().id == "1001") }
    }

    static func entry(_ path: String = "/x") -> JournalEntry {
        JournalEntry(
            requestID: "r",
            session: "default",
            kind: .other,
            method: "GET",
            path: path,
            connection: 1,
            wallTime: 0,
            arrival: 0
        )
    }

    @Test("A viewer that does not read keeps a bounded number of octets, and goes on after a gap")
    func slowViewer() throws {
        let (server, time) = try Self.server { $0.journalSize = 1_000 }
        let slow = try EventFollower(server, receiveBufferOctets: 65_536)
        let journal = server.application.sessions.default.journal
        let path = "/" + String(repeating: "p", count: 1_000)
        var written = 0
        for _ in 0..<16 {
            for _ in 0..<900 { journal.append(Self.entry(path)) }
            written += 900
            try batchEnds(time)
            // The queue of the feeds has done it when a later viewer, behind it, is told.
            let other = try EventFollower(
                server,
                fields: [("Last-Event-ID", "\(written - 1)")]
            )
            #expect(try other.next().id == "\(written)")
            other.leave()
            try eventually("only the slow one is there") {
                server.application.controls.viewers.load(ordering: .relaxed) == 1
            }
        }
        var told = 0
        var event = try slow.next()
        while event.kind != "gap" {
            if event.kind == "request" {
                told += 1
                #expect(event.id == "\(told)")
            }
            event = try slow.next()
        }
        #expect(told < written)
        #expect(event.data["newest"]?.int == written)
        journal.append(Self.entry())
        try batchEnds(time)
        event = try slow.next()
        if event.kind == "verdict" { event = try slow.next() }
        #expect(event.id == "\(written + 1)")
    }

    @Test("1,000 viewers are enough: the next is refused, until one leaves")
    func tooManyViewers() throws {
        let (server, _) = try Self.server()
        server.application.controls.viewers.add(999, ordering: .relaxed)
        let last = try EventFollower(server)
        let refused = try server.control("GET", "/events")
        #expect(refused.status == 503 && refused.field("retry-after") == "5")
        last.leave()
        try eventually("the viewer is forgotten") {
            server.application.controls.viewers.load(ordering: .relaxed) == 999
        }
        _ = try EventFollower(server)
    }

    @Test("Events end with their session, and at once with the server")
    func ends() throws {
        let (server, _) = try Self.server()
        #expect(try server.control("GET", "/events?session=other").status == 404)
        #expect(try server.control("PUT", "/sessions/other").status == 201)
        let follower = try EventFollower(server, "?session=other")
        #expect(try server.control("DELETE", "/sessions/other").status == 204)
        #expect(follower.end() == .end)
        // The server waits for a client that has been told of the end, and here for ever.
        follower.leave()
        let last = try EventFollower(server)
        // The time stands still: nobody could wait for the grace to be over.
        server.listener.stop(grace: .seconds(3_600))
        #expect([.end, .reset].contains(last.end()))
    }

    @Test("Off loopback the admin token opens them, also as the password of Basic")
    func access() throws {
        let open = try TestServer {
            $0.transport.host = "0.0.0.0"
            $0.adminToken = "open:sesame"
        }
        let refused = try open.control("GET", "/events")
        #expect(refused.status == 401)
        let schemes = refused.response.fields.filter { $0.name == "www-authenticate" }
        #expect(schemes.map { $0.value.prefix { $0 != " " } } == ["Bearer", "Basic"])
        func basic(_ pair: String) -> (String, String) {
            ("Authorization", "Basic \(Self.base64(pair))")
        }
        for user in ["", "admin", "Jürgen"] {
            _ = try EventFollower(open, fields: [basic("\(user):open:sesame")])
        }
        for pair in ["admin:open", "open:sesame:", "open", ""] {
            #expect(try open.control("GET", "/clock", fields: [basic(pair)]).status == 401)
        }
        // A browser sends it unasked: it opens nothing to pages of other sites.
        for foreign in [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")] {
            let fields = [basic("x:open:sesame"), foreign]
            let answer = try open.control("PUT", "/clock", ["mode": "frozen"], fields: fields)
            #expect(answer.status == 403, "\(foreign)")
        }
        let home = [basic("x:open:sesame"), ("Origin", "http://127.0.0.1")]
        #expect(try open.control("GET", "/clock", fields: home).status == 200)
    }

    /// Base64 with padding (RFC 4648 §4).
    private static func base64(_ text: String) -> String {
        var encoded = Base64URL.encode(text.utf8)
        encoded.replace("-", with: "+")
        encoded.replace("_", with: "/")
        while encoded.utf8.count % 4 != 0 { encoded += "=" }
        return encoded
    }
}
