import JSON
import Testing
import TestSupport

/// What the front desk notes, and what clients see of it.
@Suite("Front desk")
struct FrontDeskTests {
    private static func note(
        _ server: TestServer,
        _ event: String,
        _ id: String = "A900082"
    ) throws -> TestServer.Answer {
        try server.control("POST", "/world/acme/appointments/\(id)/\(event)")
    }

    @Test("An appointment goes from its arrival to its report; each step stamps and is listed")
    func course() throws {
        let server = try TestServer()
        let view = "appointments/operational/by-id/A900082"
        #expect(try server.get(view).json["status"] == "NOT ARRIVED")
        #expect(try Self.note(server, "arrive").json["arrivalDateTime"] == "2025-06-01T00:00:00Z")
        server.advance(seconds: 12 * 60 + 15)
        let started = try Self.note(server, "start").json
        #expect(started["scanStartDateTime"] == "2025-06-01T00:12:15Z")
        #expect(started["waitingTotalTime"] == (try JSONParser.parse(Array("12.25".utf8))))
        #expect(try Self.note(server, "pend").status == 409, "not before the end")
        server.advance(seconds: 600)
        let ended = try Self.note(server, "end").json
        #expect(ended["status"] == "STUDY INPROGRESS" && ended["scanTotalTime"] == 10)
        #expect(try Self.note(server, "end").status == 409, "once")
        #expect(try server.get("reporting/appointments/A900082").status == 404)
        #expect(try Self.note(server, "pend").json["status"] == "PENDING REPORTING")
        #expect(try server.get("reporting/appointments/A900082").status == 200)
        for (event, status) in [
            ("dictate", "DICTATED"), ("type", "TYPED"), ("authorise", "AUTHORISED"),
            ("finalise", "FINALISED"),
        ] {
            let answer = try Self.note(server, event)
            #expect(answer.status == 200 && answer.json["status"] == .string(status))
            #expect(try server.get(view).json == answer.json)
        }
        let events = try server.control("GET", "/world/events").json
        #expect(events["next"] == .null)
        let items = try #require(events["items"]?.array)
        #expect(
            items.compactMap { $0["event"]?.string } == [
                "finalise", "authorise", "type", "dictate", "pend", "end", "start", "arrive",
            ]
        )
        #expect(items.last?["from"] == "NOT ARRIVED" && items.last?["to"] == "ARRIVED")
        let late = try server.control("GET", "/world/events?since=2025-06-01T00:22:15Z&limit=3")
            .json
        #expect(late["items"]?.array?.count == 3)
        let none = try server.control("GET", "/world/events?since=2025-06-01T00:22:16Z").json
        #expect(none["items"] == [])
        // They go back with the data; the front desk is no change of a client.
        #expect(try server.control("GET", "/changes").json["items"] == [])
        _ = try server.control("POST", "/reset", ["scope": ["data"]])
        #expect(try server.control("GET", "/world/events").json["items"] == [])
        #expect(try server.get(view).json["status"] == "NOT ARRIVED")
    }

    @Test("Who does not come is cancelled or missed, and nothing else afterwards")
    func absent() throws {
        let server = try TestServer()
        #expect(try Self.note(server, "cancel").json["status"] == "APPPOINTMENT CANCELLED")
        let again = try Self.note(server, "miss")
        #expect(again.status == 409)
        #expect(again.json["detail"]?.string?.contains("APPPOINTMENT CANCELLED") == true)
        #expect(try Self.note(server, "finalise", "A123456").status == 409)
        #expect(try Self.note(server, "dictate", "A123456").json["status"] == "DICTATED")
    }

    @Test("What there is not is 404, an event with the nearest one")
    func unknown() throws {
        let server = try TestServer()
        let wrong = try Self.note(server, "arived")
        #expect(wrong.status == 404)
        #expect(wrong.json["detail"]?.string?.contains("`arrive`") == true)
        let near = try Self.note(server, "arrive", "A12345")
        #expect(near.status == 404)
        #expect(near.json["detail"]?.string?.contains("`A123456`") == true)
        #expect(try server.control("POST", "/world/initech/appointments/A1/arrive").status == 404)
        #expect(try server.control("GET", "/world/events?since=yesterday").status == 400)
        #expect(try server.control("GET", "/world/events?limit=1001").status == 400)
        #expect(try server.control("GET", "/world/events?session=none").status == 404)
    }
}
