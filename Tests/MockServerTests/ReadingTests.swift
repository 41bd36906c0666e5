import Foundation
import HTTPTransport
import JSON
import MockServer
import QUBS
import Readings
import Synchronization
import TestSupport
import TestTools
import Testing

@Suite("Readings")
struct ReadingTests {
    /// Every value that keeps the contract and is not the default.
    static let kept: [(id: String, value: String)] = [
        ("page-end", "omitted"), ("page-end", "empty"), ("page-fill", "short"),
        ("page-fill", "empty-pages"), ("page-fill", "trailing-empty"),
        ("list-order", "per-request"), ("absent", "omitted"), ("instants", "fractions"),
        ("instants", "offset"), ("numbers", "decimal"), ("json-text", "spaced"),
        ("content-type", "charset"), ("framing", "chunked"), ("field-names", "lower"),
        ("request-id", "own"), ("errors", "minimal"), ("created-status", "201"),
        ("final-report", "finalises"), ("duplicate-in-flight", "409"), ("replay-mark", "none"),
        ("replay-after-pending", "404"),
        ("storage", "s3"), ("utc-offset", "shifts"),
        ("missing-grant", "empty"), ("unknown-site-filter", "400"), ("unknown-site-filter", "404"),
        ("no-billing", "404"), ("token-lifetime", "900"), ("token-type", "bearer"),
    ]

    /// Requests that each reading may touch: every operation, and what is refused.
    private static func askAll(_ server: TestServer, validates: Bool = true) throws {
        func get(_ path: String, as client: String) throws {
            // Few rows: debug builds are slow, and a turn of the event loop is measured.
            let path = path.replacing("=500", with: "=7")
            _ = try server.send(
                "GET",
                "/integrations/v1/acme/\(path)",
                [("Authorization", "Bearer \(try server.token(client, validates: validates))")],
                validates: validates
            )
        }
        for (_, path, client) in ReadTests.gets { try get(path, as: client) }
        _ = try server.askToken(validates: validates)
        for path in [
            "appointments/by-status/ARRIVED?pageSize=3", "appointments/NOSUCH", "sites?x=%ZZ",
            "appointments/referrer", "appointments?scheduledSite=Nowhere&take=3", "no/such/path",
            "appointments/\(TestServer.withoutBilling)/billing",
            "appointments/by-status/CANCELLATION%20LIST?pageSize=500",
            "appointments?startDate=2025-01-13&endDate=2025-01-14&clientUtcOffsetMinutes=600&take=3",
            "appointments/A123456/attachments",
        ] {
            try get(path, as: "acme-partner")
        }
        for _ in 1...2 {
            for (path, body) in TestServer.writes {
                _ = try server.send(
                    "POST",
                    "/integrations/v1/acme/\(path)",
                    [
                        ("Authorization", "Bearer \(try server.token())"),
                        ("Content-Type", "application/json"), ("Idempotency-Key", "k"),
                    ],
                    JSONWriter.octets(of: body),
                    validates: validates
                )
            }
        }
    }

    /// A write, its duplicate before that is answered, and one more when its client has left; then a
    /// PUT to the upload URL.
    private static func askAtOnce(_ server: TestServer, validates: Bool = true) throws {
        let fields = [
            ("Authorization", "Bearer \(try server.token())"),
            ("Content-Type", "application/json"), ("Idempotency-Key", "at-once"),
        ]
        let target = "/integrations/v1/acme/\(TestServer.uploadsPath)"
        let content = #"{"items":[{"fileName":"a.pdf"}]}"#
        try server.arm(
            #""sequence":[{"phase":"after","transport":"HANG"}]"#,
            on: "Integrations_CreatePendingReportingAppointmentReportAttachments"
        )
        let first = try RawClient(port: server.listener.port)
        var head = "POST \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(server.listener.port)\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        try first.send("\(head)Content-Length: \(content.utf8.count)\r\n\r\n\(content)")
        try server.awaitStruck()
        func again() throws -> TestServer.Answer {
            try server.send("POST", target, fields, Array(content.utf8), validates: validates)
        }
        let second = try again()
        first.close()
        var answer = second
        try eventually("the key is free") {
            if answer.status == 409 { answer = try again() }
            return answer.status != 409
        }
        #expect(answer.status < 300, "\(answer.text)")
        let url = try #require(answer.json["items"]?.array?.first?["uploadUrl"]?.string)
        let put = try server.send(
            "PUT",
            String(url.dropFirst(server.baseURL.count)),
            [],
            Array("%PDF".utf8),
            validates: validates
        )
        #expect(put.status == 200, "\(put.text)")
    }

    /// The readings that the journal marks, with their values.
    private static func marks(_ server: TestServer) throws -> [String: Set<String>] {
        var marks: [String: Set<String>] = [:]
        for item in try journal(server) {
            for member in item["readings"]?.object?.members ?? [] {
                marks[member.name, default: []].insert(member.value.string ?? "")
            }
        }
        return marks
    }

    private static func journal(_ server: TestServer) throws -> [JSONValue] {
        try server.control("GET", "/requests?limit=1000").json["items"]?.array ?? []
    }

    /// The operations whose answers the journal marks with a reading.
    private static func operations(_ server: TestServer, markedWith id: String) throws
        -> Set<String>
    {
        let marked = try journal(server).filter { $0["readings"]?[id] != nil }
        return Set(marked.compactMap { $0["operation"]?.string })
    }

    @Test("Every value over every operation keeps the contract, and is marked", arguments: kept)
    func everyValue(id: String, value: String) throws {
        let server = try TestServer()
        let set = try server.control(
            "PUT",
            "/readings",
            .object(JSONObject([(id, .string(value))]))
        )
        #expect(set.status == 200, "\(set.text)")
        var expected: [String: Set<String>] = [id: [value]]
        if id == "replay-after-pending" {
            // Only then is there an appointment that has left.
            _ = try server.control("PUT", "/readings", ["final-report": "finalises"])
            expected["final-report"] = ["finalises"]
        }
        try Self.askAll(server)
        if id == "duplicate-in-flight" || id == "storage" { try Self.askAtOnce(server) }
        #expect(try Self.marks(server) == expected)
        let touched = try Self.operations(server, markedWith: id)
        #expect(!touched.isEmpty)
        let row = "| `\(id)` | `\(value)` | \(touched.count) |"
        try Self.figures.withLock { _ throws in
            let page = try String(decoding: Repository.octets(of: Self.page), as: UTF8.self)
            var lines = page.components(separatedBy: "\n")
            let place = try #require(lines.firstIndex { $0.hasPrefix("| `\(id)` | `\(value)` |") })
            if ProcessInfo.processInfo.environment["UPDATE_DOCUMENTS"] == "1" {
                lines[place] = row
                let text = lines.joined(separator: "\n")
                try text.write(
                    toFile: Repository.path(Self.page),
                    atomically: true,
                    encoding: .utf8
                )
            } else {
                #expect(lines[place] == row, "\(touched.sorted())")
            }
        }
    }

    /// Has a row for each value with the number of operations that it touched: UPDATE_DOCUMENTS=1
    /// writes them.
    private static let page = "docs/readings.md"
    /// Held by the test that reads or writes the page.
    private static let figures = Mutex(())

    @Test("The table above has every value that keeps the contract")
    func complete() throws {
        let server = try TestServer()
        var expected: Set<String> = []
        let items = try server.control("GET", "/readings").json["items"]?.array ?? []
        let values = items.flatMap { $0["values"]?.array ?? [] }
        for item in items {
            #expect(item["now"] == item["default"])
            for value in (item["values"]?.array ?? []).dropFirst()
            where value["beyondContract"] == false {
                expected.insert("\(item["id"]?.string ?? "")=\(value["value"]?.string ?? "")")
            }
        }
        let tried = Set(Self.kept.map { "\($0.id)=\($0.value)" })
        #expect(expected.subtracting(tried) == ["token-lifetime=86400"])
        #expect(tried.isSubset(of: expected))
        // The page has the figures, and a row for each value that is tried.
        let page = try String(decoding: Repository.octets(of: Self.page), as: UTF8.self)
        let rows = page.components(separatedBy: "\n").filter {
            $0.wholeMatch(of: /\| `[^`]+` \| `[^`]+` \| [0-9]+ \|/) != nil
        }
        #expect(rows.count == tried.count)
        #expect(page.contains("\(items.count) readings have \(values.count) values"))
        let beyond = values.count { $0["beyondContract"] == true }
        #expect(page.contains("\(beyond) go beyond the contract"))
        #expect(page.contains("\(tried.count) values are tried one by one"))
    }

    @Test("Readings drawn together keep the contract", arguments: 1...5)
    func together(seed: UInt64) throws {
        let server = try TestServer { $0.seed = seed }
        var choices = JSONObject()
        for (id, _) in Self.kept { choices[id] = "mixed" }
        choices["errors"] = "minimal"
        _ = try server.control("PUT", "/readings", .object(choices))
        for _ in 1...2 { try Self.askAll(server) }
        #expect(try Self.marks(server).count > 12)
    }

    @Test("With the highest dose all that can depart from a default does")
    func nasty() throws {
        let server = try TestServer { $0.readings.dose = 1 }
        for _ in 1...2 { try Self.askAll(server, validates: false) }
        _ = try server.control("POST", "/reset", ["scope": ["data", "ledger"]])
        try Self.askAtOnce(server, validates: false)
        let marked = Set(try Self.marks(server).keys)
        let unmarked = Set(ReadingID.allCases.map(\.rawValue)).subtracting(marked)
        #expect(unmarked == [])
    }

    @Test("At the defaults nothing is marked")
    func defaults() throws {
        let server = try TestServer()
        try Self.askAll(server)
        #expect(try Self.marks(server).isEmpty)
    }

    // MARK: The control API

    @Test("Readings are listed, set, drawn, and reset")
    func control() throws {
        let server = try TestServer { $0.readings[.absent] = .value(1) }
        func now(_ id: String, _ query: String = "") throws -> String? {
            let items = try server.control("GET", "/readings\(query)").json["items"]?.array ?? []
            return items.first { $0["id"]?.string == id }?["now"]?.string
        }
        #expect(try now("absent") == "omitted")
        let set = try server.control(
            "PUT",
            "/readings",
            ["page-end": "mixed", "absent": "null", "created-status": 201, "token-lifetime": 60]
        )
        #expect(set.status == 200)
        #expect(try now("page-end") == "mixed")
        #expect(try now("absent") == "null")
        #expect(try now("created-status") == "201")
        #expect(try now("token-lifetime") == "60")
        #expect(try server.control("PUT", "/readings?session=s", ["absent": "null"]).status == 200)
        #expect(try now("page-end", "?session=s") == "null")
        #expect(try server.control("POST", "/reset", ["scope": ["readings"]]).status == 204)
        #expect(try now("absent") == "omitted")
        #expect(try now("page-end") == "null")
        _ = try server.control("PUT", "/readings", ["page-end": "empty"])
        #expect(try server.control("DELETE", "/readings").status == 204)
        #expect(try now("page-end") == "null")
        _ = try server.control("PUT", "/readings", ["page-end": "empty"])
        #expect(try server.control("POST", "/reset").status == 204)
        #expect(try now("page-end") == "null")
        #expect(try server.control("GET", "/readings?session=nobody").status == 404)
    }

    static let refusals: [(body: JSONValue, pointer: String, hint: String)] = [
        (["page-ends": "null"], "/page-ends", "page-end?"),
        (["page-end": "omited"], "/page-end", "omitted?"),
        (["page-end": true], "", ""), ([], "", ""), (["page-end": nil], "", ""),
        (["a/b": "null"], "/a~1b", "no such reading"),
        (["token-lifetime": -1], "/token-lifetime", "1 to 31536000"),
    ]

    @Test("What is not a reading is refused, and nothing is set", arguments: refusals)
    func refused(body: JSONValue, pointer: String, hint: String) throws {
        let server = try TestServer()
        var body = body
        if var object = body.object {
            object["absent"] = "omitted"
            body = .object(object)
        }
        let answer = try server.control("PUT", "/readings", body)
        #expect(answer.status == 400)
        if !pointer.isEmpty {
            let messages = answer.json["errors"]?[pointer]?.array ?? []
            #expect(messages.first?.string?.contains(hint) == true, "\(answer.text)")
        }
        let items = try server.control("GET", "/readings").json["items"]?.array ?? []
        #expect(items.first { $0["id"] == "absent" }?["now"] == "null")
    }

    @Test("Sessions read for themselves, and draw the same")
    func sessions() throws {
        let server = try TestServer()
        for session in ["a", "b"] {
            _ = try server.control("PUT", "/readings?session=\(session)", ["page-end": "mixed"])
        }
        func ends(_ client: String) throws -> [String] {
            try (1...8).map { _ in
                let path = "appointments/by-status/CANCELLATION%20LIST?pageSize=500"
                let page = try server.get(path, as: client).json
                return page["nextToken"].map { JSONWriter.text(of: $0) } ?? "-"
            }
        }
        let first = try ends("acme-partner+a")
        #expect(Set(first) == ["null", "\"\"", "-"])
        #expect(try ends("acme-partner+b") == first)
        #expect(Set(try ends("acme-partner")) == ["null"])
    }

    @Test("explain tells what departed")
    func explain() throws {
        let server = try TestServer { $0.readings[.errors] = .value(1) }
        let answer = try server.get("appointments/NOSUCH")
        let id = try #require(answer.field("x-correlation-id"))
        let explanation = try server.control("GET", "/requests/\(id)/explain").json
        let summary = explanation["summary"]?.string ?? ""
        #expect(summary.hasSuffix("Readings that are not the default: errors=minimal."))
    }

    // MARK: Pages and lists

    static let chains: [(fill: String, pageSize: Int, seed: UInt64)] = [
        ("full", 7, 1), ("short", 7, 1), ("short", 1, 1), ("empty-pages", 7, 1),
        ("trailing-empty", 7, 1), ("mixed", 7, 1), ("mixed", 5, 2), ("mixed", 40, 3),
    ]

    @Test("However pages are filled, each item comes once", arguments: chains)
    func chain(fill: String, pageSize: Int, seed: UInt64) throws {
        for order in [ListOrder.scattered, .byIdentifier] {
            let server = try TestServer {
                $0.seed = seed
                $0.order = order
            }
            for path in [
                "appointments/by-status/APPPOINTMENT%20CANCELLED", "reporting/appointments/pending",
                "appointments/operational/by-status/STUDY%20INPROGRESS",
            ] {
                let whole = try server.ids(inPagesOf: "\(path)?pageSize=500")
                _ = try server.control(
                    "PUT",
                    "/readings",
                    ["page-fill": .string(fill), "list-order": "per-request", "page-end": "mixed"]
                )
                let ids = try server.ids(inPagesOf: "\(path)?pageSize=\(pageSize)")
                #expect(ids.count == whole.count)
                #expect(Set(ids) == Set(whole))
                _ = try server.control("DELETE", "/readings")
            }
        }
    }

    @Test("Pages look as the reading says")
    func pages() throws {
        let server = try TestServer()
        let path = "appointments/by-status/ARRIVED?pageSize=4"
        func sizes(_ fill: String) throws -> [Int] {
            _ = try server.control("PUT", "/readings", ["page-fill": .string(fill)])
            return try server.pages(path).map { $0["items"]?.array?.count ?? -1 }
        }
        let full = try sizes("full")
        #expect(full.dropLast().allSatisfy { $0 == 4 })
        #expect(try sizes("trailing-empty") == full + [0])
        #expect(try sizes("empty-pages") == full.flatMap { [0, $0] })
        let short = try sizes("short")
        #expect(short.count > full.count)
        #expect(short.allSatisfy { (1...3).contains($0) })
        #expect(short.reduce(0, +) == full.reduce(0, +))
    }

    @Test(
        "A list without items ends under every fill",
        arguments: ["empty-pages", "trailing-empty"]
    )
    func emptyList(fill: String) throws {
        let server = try TestServer()
        _ = try server.control(
            "PUT",
            "/readings",
            ["page-fill": .string(fill), "missing-grant": "empty"]
        )
        let pages = try server.pages("appointments/referrer/by-status/ARRIVED?pageSize=9")
        #expect(pages.map { $0["items"] } == [[], []])
    }

    @Test("An order for each request changes what an offset page holds, never the list")
    func offsetOrder() throws {
        let server = try TestServer()
        func ids(_ query: String) throws -> [String] {
            let list = try server.get("appointments?\(query)").json.array ?? []
            return list.compactMap { $0["appointmentId"]?.string }
        }
        let fixed = try ids("take=200")
        _ = try server.control("PUT", "/readings", ["list-order": "per-request"])
        // Blocks of the whole list, which has more than 500: every border lies within it.
        let first = try ids("take=200")
        let second = try ids("take=200")
        #expect(first.count == 200 && Set(first).count == 200)
        #expect(first != fixed && second != first)
        let sets = try (1...4).map { _ in Set(try ids("take=200")) }
        #expect(sets.contains { $0 != Set(fixed) }, "items move across the border of the page")
        let end = try ids("appointmentDate=2025-01-13&take=500")
        #expect(Set(end).count == end.count)
        _ = try server.control("DELETE", "/readings")
        #expect(Set(end) == Set(try ids("appointmentDate=2025-01-13&take=500")))
        #expect(try ids("take=200") == fixed)
    }
}

extension TestServer {
    /// An appointment that has no billing record.
    static let withoutBilling = "A900005"

    /// All pages of a cursor list, of which there must be fewer than a thousand.
    func pages(_ path: String) throws -> [JSONValue] {
        var pages: [JSONValue] = []
        var next: String? = ""
        while let token = next, pages.count < 1_000 {
            let page = try get(token.isEmpty ? path : "\(path)&nextToken=\(token)")
            try #require(page.status == 200, "\(page.text)")
            pages.append(page.json)
            next = page.json["nextToken"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        }
        #expect(pages.count < 1_000)
        return pages
    }

    /// The ids on all pages of a cursor list, in order.
    func ids(inPagesOf path: String) throws -> [String] {
        try pages(path).flatMap { page in
            (page["items"]?.array ?? []).compactMap { $0["appointmentId"]?.string }
        }
    }
}
