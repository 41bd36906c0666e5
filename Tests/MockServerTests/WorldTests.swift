import JSON
import MockServer
import Store
import Testing
import TestSupport
import Time

/// Data that live by the clock.
@Suite("World", .serialized)
struct WorldTests {
    private static let clients = [("acme", "acme-partner"), ("globex", "globex-partner")]
    private static let hour: Int64 = 3600

    private static func living(
        _ change: (inout Configuration) throws -> Void = { _ in }
    ) throws -> TestServer {
        try TestServer {
            $0.world = .living
            try change(&$0)
        }
    }

    /// What clients see of all appointments, and what happened.
    private static func answers(_ server: TestServer) throws -> [String] {
        var texts: [String] = []
        for (domain, client) in clients {
            texts += try server.allAppointments(domain, as: client).map(Self.text)
            texts += try server.allPending(domain, as: client).map(Self.text)
        }
        texts += try events(server).map(Self.text)
        return texts
    }

    private static func text(_ value: JSONValue) -> String {
        String(decoding: JSONWriter.octets(of: value), as: UTF8.self)
    }

    private static func events(
        _ server: TestServer,
        _ query: String = ""
    ) throws -> [JSONValue] {
        try server.control("GET", "/world/events?limit=1000\(query)").json["items"]?.array ?? []
    }

    private static func pass(_ seconds: Int64, _ server: TestServer) {
        server.advance(seconds: seconds)
        server.forgetTokens()
    }

    private static func report(
        _ server: TestServer,
        on id: String,
        _ status: String = "final"
    ) throws -> TestServer.Answer {
        try server.post(
            "reporting/appointments/\(id)/report",
            ["reportStatus": .string(status), "reportText": "Normal study."]
        )
    }

    private static func status(_ server: TestServer, _ id: String) throws -> JSONValue? {
        try server.get("appointments/operational/by-id/\(id)").json["status"]
    }

    /// Lets time pass in steps, with a request after each, and writes on the way.
    private static func live(_ server: TestServer, hours: [Int64], steps: [Int64]) throws {
        var steps = steps[...]
        var passed: Int64 = 0
        for (index, end) in hours.enumerated() {
            while passed < end * hour {
                let step = min(steps.popFirst() ?? .max, end * hour - passed)
                pass(step, server)
                passed += step
                _ = try server.get("sites")
            }
            switch index {
            case 0: _ = try server.control("POST", "/world/acme/appointments/A900082/arrive")
            case 1: _ = try Self.report(server, on: "A123456")
            default: break
            }
        }
    }

    @Test("One step of eight hours, 480 of a minute, and others: the same answers")
    func steps() throws {
        let once = try Self.living()
        try Self.live(once, hours: [2, 5, 8], steps: [])
        let expected = try Self.answers(once)
        #expect(expected.count > 3000)
        let events = try Self.events(once)
        let names = Set(events.compactMap { $0["event"]?.string })
        #expect(
            names.isSuperset(of: [
                "arrive", "start", "end", "pend", "dictate", "type", "authorise", "finalise",
                "miss", "book",
            ])
        )
        let times = events.compactMap { $0["time"]?.string }
        #expect(times == times.sorted(by: >))
        var random = SystemRandomNumberGenerator()
        let splits: [[Int64]] = [
            Array(repeating: 60, count: 480),
            (0..<12).map { _ in Int64.random(in: 1...7200, using: &random) },
        ]
        for steps in splits {
            let server = try Self.living()
            try Self.live(server, hours: [2, 5, 8], steps: steps)
            #expect(try Self.answers(server) == expected, "steps: \(steps)")
        }
    }

    @Test("What is laid in the afternoon equals what was laid in the morning and lived")
    func laid() throws {
        // 07:00 in Brisbane, on a day with a change of clocks elsewhere.
        let morning: Int64 = 1_759_611_600
        var all: [[String]] = []
        for passed in [0, 6 * Self.hour] {
            let server = try Self.living { $0.today = nil }
            let clock = server.application.sessions.default.clock
            clock.set(.frozen, nanoseconds: (morning + passed) * 1_000_000_000)
            _ = try server.control("POST", "/reset", ["scope": ["data"]])
            _ = try server.get("sites")
            clock.set(.frozen, nanoseconds: (morning + 7 * Self.hour) * 1_000_000_000)
            server.forgetTokens()
            all.append(try Self.answers(server))
        }
        #expect(all[0].count > 3000)
        #expect(all[0] == all[1])
    }

    @Test("A final report takes its appointment on within minutes; it is final within the hour")
    func reported() throws {
        let server = try Self.living()
        _ = try server.get("sites")
        #expect(try Self.report(server, on: "A123456", "preliminary").status == 200)
        Self.pass(Self.hour, server)
        #expect(try Self.status(server, "A123456") == "PENDING REPORTING")
        #expect(try Self.report(server, on: "A123456").status == 200)
        server.advance(seconds: 6 * 60)
        #expect(try Self.status(server, "A123456") != "PENDING REPORTING")
        #expect(try Self.report(server, on: "A123456").status == 404)
        Self.pass(54 * 60, server)
        #expect(try Self.status(server, "A123456") == "FINALISED")
        let own = try Self.events(server).filter { $0["appointmentId"] == "A123456" }
        #expect(
            own.compactMap { $0["event"]?.string } == ["finalise", "authorise", "type", "dictate"]
        )
    }

    @Test("What is unreported twelve hours after its deadline is reported in house")
    func inHouse() throws {
        let server = try Self.living()
        for hours: Int64 in [0, 5] {
            Self.pass(hours * Self.hour, server)
            let world = try server.control("GET", "/world").json
            let now = try #require(world["time"]?.string.flatMap { Instant(rfc3339: $0) })
            let items = try server.get("reporting/appointments/pending?pageSize=100").json["items"]
            let records = try Self.records(server)
            #expect(items?.array?.isEmpty == false)
            let late = records.filter { record in
                guard record["status"] == "PENDING REPORTING",
                    let id = record["appointmentId"]?.string, !id.hasPrefix("A9"),
                    id != "A123456",
                    let deadline = record["reportingDeadline"]?.string,
                    let instant = Instant(rfc3339: deadline)
                else { return false }
                return instant.advanced(bySeconds: 12 * Self.hour) <= now
            }
            #expect(late == [])
        }
    }

    /// All pending appointments of acme.
    private static func records(_ server: TestServer) throws -> [JSONValue] {
        var items: [JSONValue] = []
        var token: String?
        repeat {
            let next = token.map { "&nextToken=\($0)" } ?? ""
            let page = try server.get(
                "reporting/appointments/pending?pageSize=100\(next)"
            ).json
            items += page["items"]?.array ?? []
            token = page["nextToken"]?.string
        } while token != nil
        return items
    }

    @Test("next is when something happens next; an event stamps its time")
    func next() throws {
        // Where no day is fixed, the world's time is that of the clock, in every domain.
        let server = try Self.living { $0.today = nil }
        for _ in 0..<5 {
            let world = try server.control("GET", "/world").json
            let now = try #require(world["time"]?.string.flatMap { Instant(rfc3339: $0) })
            let text = try #require(world["next"]?.string)
            let next = try #require(Instant(rfc3339: text))
            #expect(now < next)
            server.advance(seconds: next.secondsSince1970 - now.secondsSince1970 - 1)
            #expect(try Self.events(server, "&since=\(text)").isEmpty)
            server.advance(seconds: 1)
            let events = try Self.events(server, "&since=\(text)")
            #expect(events.first?["time"]?.string == text)
        }
        Self.pass(Self.hour, server)
        let events = try Self.events(server)
        let arrival = try #require(events.first { $0["event"] == "arrive" })
        let id = try #require(arrival["appointmentId"]?.string)
        let domain = try #require(arrival["domain"]?.string)
        let record = try server.control("GET", "/data/\(domain)/appointments/\(id)").json
        #expect(record["arrivalDateTime"] == arrival["time"])
        let booking = try #require(events.first { $0["event"] == "book" && $0["domain"] == "acme" })
        #expect(booking["from"] == .null && booking["to"] == "NOT ARRIVED")
        let booked = try #require(booking["appointmentId"]?.string)
        #expect(try Self.status(server, booked) == "NOT ARRIVED")
        #expect(try server.control("GET", "/changes").json["items"] == [])
    }

    @Test("A session is still until it is told to live; what it has lived stays")
    func mode() throws {
        let server = try TestServer()
        let still = try server.control("GET", "/world").json
        #expect(still["mode"] == "still" && still["next"] == .null)
        Self.pass(8 * Self.hour, server)
        #expect(try Self.events(server).isEmpty)
        #expect(try server.control("GET", "/data").json["world"] == "still")
        #expect(try server.control("PUT", "/world", ["mode": "alive"]).status == 400)
        let living = try server.control("PUT", "/world", ["mode": "living"]).json
        #expect(living["mode"] == "living" && living["next"]?.string != nil)
        #expect(try server.control("GET", "/data").json["world"] == "living")
        let lived = try Self.answers(server)
        #expect(try !Self.events(server).isEmpty)
        #expect(try server.control("PUT", "/world", ["mode": "still"]).json["next"] == .null)
        Self.pass(8 * Self.hour, server)
        #expect(try Self.answers(server) == lived)
        // Switched on again, it makes up for the time between.
        _ = try server.control("PUT", "/world", ["mode": "living"])
        let whole = try Self.living()
        Self.pass(16 * Self.hour, whole)
        #expect(try Self.answers(server) == Self.answers(whole))
    }

    @Test("A restore and a reset of data keep the mode, and take events back")
    func restored() throws {
        let server = try Self.living()
        let before = try Self.answers(server)
        _ = try server.control("PUT", "/snapshots/morning")
        Self.pass(8 * Self.hour, server)
        let after = try Self.answers(server)
        #expect(after != before)
        _ = try server.control("POST", "/snapshots/morning/restore")
        #expect(try Self.answers(server) == after, "the clock was not set back")
        _ = try server.control("POST", "/reset", ["scope": ["data"]])
        #expect(try Self.answers(server) == before)
        #expect(try server.control("GET", "/world").json["mode"] == "living")
    }
}
