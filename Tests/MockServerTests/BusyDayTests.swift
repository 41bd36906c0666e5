import JSON
import MockServer
import TestSupport
import Testing
import Time

/// A scenario that plays a working day.
@Suite("Busy day")
struct BusyDayTests {
    /// Six in the morning of day zero, 2025-01-13, in Brisbane.
    private static let morning = "2025-01-12T20:00:00.000000Z"

    private static func clock(_ server: TestServer) throws -> JSONValue? {
        try server.control("GET", "/clock").json["now"]
    }

    private static func start(_ server: TestServer) throws {
        let answer = try server.control("POST", "/scenarios/busy-day/start")
        #expect(answer.status == 200, "\(answer.text)")
        server.forgetTokens()
    }

    private static func lists(_ server: TestServer) throws -> [JSONValue] {
        try server.allAppointments("acme", as: "acme-partner")
            + server.allPending("acme", as: "acme-partner")
    }

    @Test("Calls of the API move the clock by a minute, others do not, and at six it stands")
    func clock() throws {
        let server = try TestServer()
        try Self.start(server)
        #expect(try Self.clock(server) == .string(Self.morning))
        _ = try server.token()
        _ = try server.control("GET", "/world")
        #expect(try Self.clock(server) == .string(Self.morning))
        #expect(try server.get("sites").field("date") == "Sun, 12 Jan 2025 20:00:00 GMT")
        #expect(try server.get("sites/Nowhere").field("date") == "Sun, 12 Jan 2025 20:01:00 GMT")
        #expect(try Self.clock(server) == "2025-01-12T20:02:00.000000Z")
        for _ in 0..<720 { _ = try server.get("sites") }
        #expect(try Self.clock(server) == "2025-01-13T08:00:00.000000Z")
        #expect(try server.get("sites").status == 200)
        #expect(try Self.clock(server) == "2025-01-13T08:00:00.000000Z")
    }

    @Test("The data live from the morning on, whatever was there before")
    func data() throws {
        let server = try TestServer()
        #expect(try server.control("DELETE", "/data/acme/appointments/A200003").status == 204)
        try Self.start(server)
        #expect(try server.control("GET", "/world").json["mode"] == "living")
        #expect(try server.control("GET", "/data/acme/appointments/A200003").status == 200)
        let first = try Self.lists(server)
        // The clock has gone on by the pages that were read.
        let other = try TestServer { $0.today = LocalDate("2025-01-13") }
        try Self.start(other)
        #expect(try Self.lists(other) == first)
        #expect(try server.control("POST", "/scenarios/stop").status == 204)
        #expect(try server.control("GET", "/world").json["mode"] == "still")
        let now = try Self.clock(server)
        _ = try server.get("sites")
        #expect(try Self.clock(server) == now)
    }

    @Test("A key that was used before the day began is still known")
    func ledger() throws {
        let server = try TestServer()
        let body: JSONValue = ["commentText": "Seen."]
        func comment() throws -> TestServer.Answer {
            try server.post("reporting/appointments/A123456/comments", body, key: "k")
        }
        let first = try comment()
        #expect(first.status == 200)
        try Self.start(server)
        #expect(try comment().json == first.json)
    }

    @Test("With --scenario each session has its day, and a reset begins it anew")
    func standing() throws {
        let server = try TestServer(
            scenario: ClientMatrixTests.pack("busy-day"),
            isFrozen: false
        )
        #expect(try Self.clock(server) == .string(Self.morning))
        _ = try server.get("sites")
        #expect(try server.control("POST", "/reset").status == 204)
        server.forgetTokens()
        #expect(try Self.clock(server) == .string(Self.morning))
        #expect(try server.control("GET", "/world").json["mode"] == "living")
        #expect(try server.control("PUT", "/sessions/s1").status == 201)
        #expect(try server.control("GET", "/clock?session=s1").json["now"] == .string(Self.morning))
    }

    @Test("The verdict counts what falls due after the start, and names the exam that was left out")
    func verdict() throws {
        let server = try TestServer()
        try Self.start(server)
        func check() throws -> JSONValue? {
            try server.control("GET", "/verdict").json["checks"]?.array?
                .first { $0["id"] == "reporting.each-exam-once" }
        }
        func look() throws { _ = try server.allPending("acme", as: "acme-partner") }
        try look()
        #expect(try check()?["result"] == "not-exercised")
        // By hand, so that it is known which.
        let path = "/world/acme/appointments/A900082"
        for event in ["arrive", "start", "end", "pend"] {
            #expect(try server.control("POST", "\(path)/\(event)").status == 200)
        }
        _ = try server.get("sites")
        #expect(try check()?["result"] == "not-exercised")
        try look()
        let failed = try #require(try check())
        #expect(failed["result"] == "fail")
        #expect(failed["summary"]?.string?.contains("A900082 fell due") == true)
        let report: JSONValue = ["reportText": "Normal study.", "reportStatus": "final"]
        let path2 = "reporting/appointments/A900082/report"
        #expect(try server.post(path2, report, key: "once").status == 200)
        #expect(try check()?["result"] == "pass")
        #expect(try server.post(path2, report, key: "twice").status == 200)
        #expect(try check()?["result"] == "fail")
    }
}
