import JSON
import MockServer
import QUBS
import Readings
import TestSupport
import Testing

@Suite("Days at the offset of the client")
struct UTCOffsetTests {
    /// Appointments at Central Clinic, ten hours ahead of UTC, and at Perth, eight.
    private static let records: [(id: String, site: String, date: String?, time: String?)] = [
        ("U0", "Central Clinic", "2031-06-10", "09:59:59"),
        ("U1", "Central Clinic", "2031-06-10", "10:00:00"),
        ("U2", "Central Clinic", "2031-06-11", "09:59:59"),
        ("U3", "Central Clinic", "2031-06-11", "10:00:00"),
        ("U4", "Swan River Radiology", "2031-06-11", "07:59:00"),
        ("U5", "Swan River Radiology", "2031-06-11", "08:00:00"),
        // Without a start the date decides, without a date nothing is in.
        ("U6", "Central Clinic", "2031-06-10", nil), ("U7", "Central Clinic", nil, nil),
        ("U8", "Central Clinic", "2031-06-12", "12:00:00"),
    ]

    private static func server(_ order: ListOrder = .scattered) throws -> TestServer {
        let server = try TestServer {
            $0.readings[.utcOffset] = .value(1)
            $0.order = order
        }
        for (id, site, date, time) in records {
            let record: JSONValue = [
                "domain": "acme", "appointmentId": .string(id), "scheduledSite": .string(site),
                "status": "NOT ARRIVED", "appointmentDate": date.map(JSONValue.string) ?? .null,
                "startTime": time.map(JSONValue.string) ?? .null,
                "providerNumbers": ["1234567A"],
            ]
            let answer = try server.control("PUT", "/data/acme/appointments/\(id)", record)
            try #require(answer.status == 201, "\(answer.text)")
        }
        return server
    }

    private static func ids(
        _ server: TestServer,
        _ query: String,
        _ path: String = "appointments",
        as client: String = "acme-partner"
    ) throws -> [String] {
        let answer = try server.get("\(path)?\(query)", as: client)
        #expect(answer.status == 200, "\(answer.text)")
        return (answer.json.array ?? []).compactMap { $0["appointmentId"]?.string }
    }

    private static let day = "startDate=2031-06-10&endDate=2031-06-10"

    /// Queries, and what is in them.
    static let cases: [(query: String, ids: Set<String>)] = [
        ("\(day)&clientUtcOffsetMinutes=0", ["U1", "U2", "U4", "U6"]),
        ("\(day)&clientUtcOffsetMinutes=600", ["U0", "U1", "U6"]),
        ("\(day)&clientUtcOffsetMinutes=-840", ["U2", "U3", "U4", "U5", "U6"]),
        // Without the parameter, or with a date of the site, nothing moves.
        (day, ["U0", "U1", "U6"]),
        ("\(day)&appointmentDate=2031-06-11&clientUtcOffsetMinutes=0", ["U2", "U3", "U4", "U5"]),
        (
            "startDate=2031-06-10&clientUtcOffsetMinutes=0&take=500",
            ["U1", "U2", "U3", "U4", "U5", "U6", "U8"]
        ),
        ("\(day)&clientUtcOffsetMinutes=0&scheduledSite=Central%20Clinic", ["U1", "U2", "U6"]),
    ]

    @Test("A day begins at midnight of the client", arguments: cases)
    func days(query: String, expected: Set<String>) throws {
        for order in [ListOrder.scattered, .byIdentifier] {
            let server = try Self.server(order)
            let ids = try Self.ids(server, query)
            #expect(Set(ids) == expected && ids.count == expected.count)
            let entry = try #require(try server.entries("?limit=1").first)
            let isShifted = query.contains("Offset") && !query.contains("appointmentDate")
            #expect((entry["readings"]?["utc-offset"] == "shifts") == isShifted)
            // The views of operations and referrers, and pages of one.
            for path in ["appointments/operational", "appointments/referrer"] {
                let other = try Self.ids(server, query, path, as: "group-partner")
                #expect(Set(other) == expected, "\(path)")
            }
            var paged: [String] = []
            for skip in 0..<expected.count {
                paged += try Self.ids(server, "\(query)&skip=\(skip)&take=1".oneTake)
            }
            #expect(paged.sorted() == expected.sorted())
            #expect(try Self.ids(server, "\(query)&skip=\(expected.count)") == [])
        }
    }

    @Test("At the default nothing moves")
    func ignored() throws {
        let server = try Self.server()
        _ = try server.control("PUT", "/readings", ["utc-offset": "ignored"])
        let ids = try Self.ids(server, "\(Self.day)&clientUtcOffsetMinutes=-840")
        #expect(Set(ids) == ["U0", "U1", "U6"])
        // The ends of what dates can be.
        _ = try server.control("PUT", "/readings", ["utc-offset": "shifts"])
        for (start, end) in [("0001-01-01", "9999-12-31"), ("9999-12-31", "9999-12-31")] {
            _ = try Self.ids(
                server,
                "startDate=\(start)&endDate=\(end)&clientUtcOffsetMinutes=840&take=1"
            )
        }
    }
}

extension String {
    /// A query whose last `take` is the only one.
    fileprivate var oneTake: String {
        replacing("&take=500", with: "")
    }
}
