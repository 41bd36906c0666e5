import Foundation
import JSON
import MockServer
import Testing
import TestSupport
import TestTools
import Time

/// Data around a day: what moves with it, and what does not.
@Suite("Day zero")
struct DayZeroTests {
    private static let clients = [("acme", "acme-partner"), ("globex", "globex-partner")]

    private static func server(_ today: String) throws -> TestServer {
        try TestServer { $0.today = LocalDate(today) }
    }

    /// Every answer about the data that a digest over all lists would cover.
    private static func answers(_ server: TestServer) throws -> [String] {
        var texts: [String] = []
        for (domain, client) in clients {
            texts += try server.allAppointments(domain, as: client, view: "").map { $0.text }
            texts += try server.allAppointments(domain, as: client).map { $0.text }
            texts += try server.allPending(domain, as: client).map { $0.text }
        }
        return texts
    }

    @Test("Two starts with one --today have the same data")
    func same() throws {
        let first = try Self.answers(Self.server("2025-01-13"))
        #expect(first.count > 6000)
        #expect(try Self.answers(Self.server("2025-01-13")) == first)
        #expect(
            try Self.answers(Self.server("2026-11-28")) == Self.answers(Self.server("2026-11-28"))
        )
    }

    /// Reads `ZONE DAYS OLD NEW`; prints what is not the same local time so many days later.
    private static let script = """
        import sys
        from datetime import datetime, timedelta
        from zoneinfo import ZoneInfo
        for line in sys.stdin:
            zone, days, old, new = line.split()
            there = datetime.fromisoformat(old).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            then = (there + timedelta(days=int(days))).replace(tzinfo=ZoneInfo(zone), fold=0)
            if then.timestamp() != datetime.fromisoformat(new).timestamp():
                print(line.strip(), then)
        """

    private static let instants = [
        "arrivalDateTime", "scanStartDateTime", "scanEndDateTime", "reportingDeadline",
    ]

    @Test(
        "Dates move by whole days, local times stay, and instants are right by zoneinfo",
        arguments: ["2025-08-01", "2025-10-05", "2026-04-05", "2027-12-31", "2100-03-01"]
    )
    func moved(today: String) throws {
        let days = try #require(LocalDate(today)).daysSince1970 - 20_101
        let (old, new) = (try Self.server("2025-01-13"), try Self.server(today))
        let fixed = Set(try Self.fixed())
        var lines: [String] = []
        var (moved, stayed) = (0, 0)
        for (domain, client) in Self.clients {
            let zones = try Self.zones(old, domain, client)
            for view in ["operational", "pending"] {
                let before = try Self.records(old, domain, client, view)
                let after = try Self.records(new, domain, client, view)
                #expect(Set(before.keys) == Set(after.keys) || view == "pending")
                for (id, record) in before {
                    guard let other = after[id] else { continue }
                    if fixed.contains(id) {
                        #expect(record == other, "\(id)")
                        stayed += 1
                        continue
                    }
                    #expect(record["startTime"] == other["startTime"], "\(id)")
                    #expect(record["endTime"] == other["endTime"], "\(id)")
                    if let date = record["appointmentDate"]?.string.flatMap({ LocalDate($0) }) {
                        let later = LocalDate(daysSince1970: date.daysSince1970 + days)
                        #expect(other["appointmentDate"] == .string(later.description), "\(id)")
                        moved += 1
                    }
                    let zone = zones[record["scheduledSite"]?.string ?? ""] ?? ""
                    for member in Self.instants {
                        if let was = record[member]?.string, let now = other[member]?.string {
                            lines.append("\(zone) \(days) \(was) \(now)")
                        }
                    }
                }
            }
        }
        #expect(moved > 2900 && stayed > 15 && lines.count > 4000)
        // zoneinfo knows no rule beyond 2037 better than the file it reads; it reads the same.
        let wrong = try Python.run(["-c", Self.script], input: lines).output
        #expect(wrong.isEmpty, "\(wrong.prefix(1000))")
    }

    private static func records(
        _ server: TestServer,
        _ domain: String,
        _ client: String,
        _ view: String
    ) throws -> [String: JSONValue] {
        let items =
            try view == "pending"
            ? server.allPending(domain, as: client)
            : server.allAppointments(domain, as: client, view: view)
        return Dictionary(
            items.map { ($0["appointmentId"]?.string ?? "", $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private static func zones(
        _ server: TestServer,
        _ domain: String,
        _ client: String
    ) throws -> [String: String] {
        let sites = try JSONParser.parse(Repository.octets(of: "fixtures/\(domain)/sites.json"))
        var zones: [String: String] = [:]
        for site in sites.array ?? [] {
            zones[site["siteName"]?.string ?? ""] = site["timeZone"]?.string
        }
        return zones
    }

    private static func fixed() throws -> [String] {
        try clients.flatMap { domain, _ in
            let octets = try Repository.octets(of: "fixtures/\(domain)/practice.json")
            return try JSONParser.parse(octets)["fixed"]?.array?.compactMap(\.string) ?? []
        }
    }

    @Test(
        "Lists by date find the day that the records say, whatever day zero is",
        arguments: ["2025-01-13", "2026-11-28", "2024-02-29", "1999-12-31", "2150-06-01"]
    )
    func filters(today: String) throws {
        let server = try Self.server(today)
        for (domain, client) in Self.clients {
            let all = try server.allAppointments(domain, as: client)
            let onDay = all.filter { $0["appointmentDate"] == .string(today) }
            let found = try server.allAppointments(
                domain,
                as: client,
                query: "&appointmentDate=\(today)"
            )
            #expect(found == onDay && found.count > 40, "\(domain): \(found.count)")
            let later = try #require(LocalDate(today)).daysSince1970 + 7
            let end = LocalDate(daysSince1970: later).description
            let week = all.filter {
                let date = $0["appointmentDate"]?.string ?? ""
                return date >= today && date <= end
            }
            let range = "&startDate=\(today)&endDate=\(end)"
            #expect(try server.allAppointments(domain, as: client, query: range) == week)
        }
        // A fixed record stays on its day, and is found there.
        let fixed =
            try server.get("appointments?appointmentDate=2025-01-12&take=500").json.array ?? []
        #expect(fixed.contains { $0["appointmentId"] == "A123456" })
        let referrer =
            try server.get(
                "appointments/referrer?appointmentDate=2025-01-12&take=500",
                as: "acme-referrer"
            ).json.array ?? []
        #expect(referrer.contains { $0["appointmentId"] == "A123456" })
    }

    @Test(
        "Nobody is examined before birth, wherever day zero is",
        arguments: ["2024-06-01", "2001-01-01"]
    )
    func births(today: String) throws {
        let server = try Self.server(today)
        for (domain, client) in Self.clients {
            let records = try Self.records(server, domain, client, "pending")
            #expect(records.count > 50)
            for (id, record) in records {
                guard let birth = record["dateOfBirth"]?.string,
                    let date = record["appointmentDate"]?.string,
                    id.first != "A" || !id.hasPrefix("A123")
                else { continue }
                #expect(birth <= date, "\(id)")
            }
        }
    }

    @Test("GET /__admin/data tells day zero and what there is")
    func summary() throws {
        let server = try Self.server("2026-11-28")
        let data = try server.control("GET", "/data").json
        #expect(data["dayZero"] == "2026-11-28" && data["pinned"] == true)
        #expect(data["present"] == "2026-11-28T02:00:00Z", "noon in Brisbane")
        let domains = try #require(data["domains"]?.array)
        #expect(domains.compactMap { $0["domain"]?.string } == ["acme", "globex"])
        #expect(domains[1]["present"] == "2026-11-28T04:00:00Z", "noon in Perth")
        #expect(domains[0]["referenceTimeZone"] == "Australia/Brisbane")
        let count = try server.allAppointments("acme", as: "acme-partner").count
        #expect(domains[0]["appointments"] == .integer(count))
        // Twelve months back, three ahead.
        #expect(domains[0]["first"] == "2025-11-28" && domains[0]["last"] == "2027-02-26")
    }

    @Test("A session opens on the day of its opening; a reset moves the data to the clock's")
    func reset() throws {
        let server = try TestServer { $0.today = nil }
        func dayZero(_ session: String = "default") throws -> String? {
            try server.control("GET", "/data?session=\(session)").json["dayZero"]?.string
        }
        // The clock stands at 2025-06-01T00:00:00Z: ten o'clock in Brisbane.
        #expect(try dayZero() == "2025-06-01")
        let present = try server.control("GET", "/data").json["present"]
        #expect(present == "2025-06-01T00:00:00Z")
        server.advance(seconds: 15 * 3600)
        #expect(try dayZero() == "2025-06-01", "data stay while the clock moves")
        _ = try server.control("POST", "/reset", ["scope": ["data"]])
        #expect(try dayZero() == "2025-06-02", "one o'clock at night in Brisbane")
        #expect(try server.get("appointments?appointmentDate=2025-06-02").json.array?.count == 100)
        let early =
            try server.get("appointments?appointmentDate=2025-06-02&take=500").json.array ?? []
        #expect(early.allSatisfy { $0["status"] != "FINALISED" })
        // What was written is kept as long as the data are.
        _ = try server.post("reporting/appointments/A123456/comments", ["commentText": "Seen."])
        #expect(try server.control("PUT", "/snapshots/a").status == 201)
        server.advance(seconds: 86_400)
        _ = try server.control("POST", "/reset", ["scope": ["data"]])
        #expect(try dayZero() == "2025-06-03")
        #expect(try server.control("POST", "/snapshots/a/restore").status == 204)
        #expect(try dayZero() == "2025-06-02")
    }

    @Test(
        "Of day zero, what is behind the present has come or not; what is ahead has not",
        arguments: [0, 5, 9, 14, 23]
    )
    func hours(hour: Int) throws {
        let server = try TestServer { $0.today = nil }
        // 2025-06-01T14:00:00Z is midnight in Brisbane.
        server.advance(seconds: Int64(14 + hour) * 3600)
        _ = try server.control("POST", "/reset", ["scope": ["data"]])
        let data = try server.control("GET", "/data").json
        #expect(data["dayZero"] == "2025-06-02")
        let present = try #require(data["present"]?.string)
        let day = try server.allAppointments(
            "acme",
            as: "acme-partner",
            query: "&appointmentDate=2025-06-02"
        )
        #expect(day.count > 250)
        for record in day {
            let id = record["appointmentId"]?.string ?? ""
            for member in Self.instants.prefix(3) {
                guard let instant = record[member]?.string else { continue }
                #expect(instant <= present || id.hasPrefix("A9"), "\(id) \(member)")
            }
        }
        let statuses = Dictionary(grouping: day) { $0["status"]?.string ?? "" }
            .mapValues(\.count)
        #expect((statuses["NOT ARRIVED"] ?? 0 > 150) == (hour < 10), "\(statuses)")
    }
}

extension JSONValue {
    fileprivate var text: String { String(decoding: JSONWriter.octets(of: self), as: UTF8.self) }
}
