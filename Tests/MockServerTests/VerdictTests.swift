import Foundation
import HTTPTransport
import JSON
import MockServer
import QUBS
import TestSupport
import Testing
import Time
import Verdict

@Suite("Verdict and scenarios")
struct VerdictTests {
    private func check(_ id: String, in verdict: JSONValue) -> JSONValue? {
        verdict["checks"]?.array?.first { $0["id"]?.string == id }
    }

    private func result(_ id: String, _ server: TestServer) throws -> String? {
        check(id, in: try server.control("GET", "/verdict").json)?["result"]?.string
    }

    /// The newest journal entry of the session.
    private func newest(_ server: TestServer) throws -> JSONValue {
        let items = try server.control("GET", "/requests?limit=1").json["items"]?.array ?? []
        return try #require(items.first)
    }

    // MARK: The endpoint

    @Test("Without requests every check is listed, and none is called a pass")
    func empty() throws {
        let server = try TestServer()
        let verdict = try server.control("GET", "/verdict").json
        #expect(verdict["result"] == "not-exercised")
        #expect(verdict["session"] == "default")
        let checks = verdict["checks"]?.array ?? []
        #expect(checks.count == Check.all.count)
        #expect(checks.allSatisfy { $0["result"] == "not-exercised" })
        #expect(verdict["coverage"]?["of"] == 28)
        #expect(verdict["journal"] == ["entries": 0, "dropped": 0])
    }

    @Test("A request that was answered is judged, also when the verdict is asked for at once")
    func immediate() throws {
        let server = try TestServer()
        for _ in 0..<50 {
            _ = try server.control("POST", "/reset", ["scope": ["journal"]])
            #expect(try server.get("sites").status == 200)
            let verdict = try server.control("GET", "/verdict").json
            let sites = verdict["coverage"]?["operations"]?.array?.first
            #expect(sites?["operation"] == "Integrations_ListSites")
            #expect(sites?["works"] == true)
        }
    }

    @Test(
        "The report comes in each of its forms",
        arguments: [
            ("json", "application/json", "{\"session\":\"default\""),
            ("junit", "application/xml", "<?xml version=\"1.0\""),
            ("markdown", "text/markdown", "#"), ("text", "text/plain", "INCOMPLETE"),
        ]
    )
    func formats(format: String, type: String, beginning: String) throws {
        let server = try TestServer()
        let answer = try server.control("GET", "/verdict?format=\(format)")
        #expect(answer.status == 200)
        #expect(answer.field("content-type")?.hasPrefix(type) == true)
        #expect(answer.field("cache-control") == "no-store")
        #expect(answer.text.hasPrefix(beginning), "\(answer.text.prefix(80))")
    }

    @Test("A failed should fails the whole only where that is asked for")
    func strict() throws {
        let server = try TestServer()
        _ = try server.get("appointments?take=1&nosuch=1")
        #expect(try server.control("GET", "/verdict").json["result"] == "pass")
        #expect(try server.control("GET", "/verdict?strict=true").json["result"] == "fail")
    }

    @Test(
        "Bad requests are refused",
        arguments: [
            ("GET", "/verdict?session=nobody", 404), ("GET", "/verdict?session=a%20b", 400),
            ("GET", "/verdict?format=pdf", 400), ("GET", "/verdict?strict=yes", 400),
            ("POST", "/verdict", 405), ("GET", "/scenarios?session=nobody", 404),
            ("POST", "/scenarios/nosuch/start", 404), ("POST", "/scenarios/a%20b/start", 400),
            ("GET", "/scenarios/calm/start", 405),
        ]
    )
    func refusals(method: String, path: String, status: Int) throws {
        let server = try TestServer()
        #expect(try server.control(method, path).status == status)
    }

    @Test("A pause in which the clock was moved is not judged, in whatever session")
    func movedClock() throws {
        let server = try TestServer()
        for (client, session) in [("acme-partner", "default"), ("acme-partner+s1", "s1")] {
            let query = "?session=\(session)"
            let rule: JSONValue = [
                "match": ["operation": "Integrations_ListSites"], "when": ["first": 1],
                "then": ["status": 429, "retryAfter": 60],
            ]
            #expect(try server.control("PUT", "/faults\(query)", rule).status == 200)
            #expect(try server.get("sites", as: client).status == 429)
            let moved = try server.control("POST", "/clock/advance\(query)", ["by": "PT61S"])
            #expect(moved.status == 200)
            #expect(try server.get("sites", as: client).status == 200)
            let moves = try server.control("GET", "/requests\(query)").json["items"]?.array?
                .prefix(2).compactMap { $0["clockMoves"]?.int }
            #expect(moves?.count == 2 && moves?[0] == (moves?[1] ?? 0) + 1, "\(session)")
            let verdict = try server.control("GET", "/verdict\(query)").json
            let honours = check("retry.honours-retry-after", in: verdict)?["result"]
            #expect(honours == "not-judged", "\(session)")
        }
    }

    @Test("Each session has a verdict of its own")
    func sessions() throws {
        let server = try TestServer()
        _ = try server.get("appointments?nosuch=1", as: "acme-partner+s1")
        func result(_ session: String) throws -> JSONValue? {
            let verdict = try server.control("GET", "/verdict?session=\(session)").json
            return check("contract.known-parameters", in: verdict)?["result"]
        }
        #expect(try result("s1") == "fail")
        #expect(try result("default") == "not-exercised")
    }

    @Test("A journal that overflowed says so")
    func overflow() throws {
        let server = try TestServer { $0.journalSize = 5 }
        for _ in 0..<8 { _ = try server.get("sites") }
        let verdict = try server.control("GET", "/verdict").json
        #expect(verdict["journal"] == ["entries": 5, "dropped": 4])
        #expect(try server.control("GET", "/verdict?format=text").text.contains("overflowed"))
    }

    // MARK: Scenarios

    private static let packs = [
        "busy-day", "calm", "flaky-network", "foreign-errors", "lost-answers",
        "rate-limited-morning", "slow-friday", "token-expiry", "upload-trouble",
    ]

    @Test(
        "Every built-in scenario starts, one at a time, and stops without a trace",
        arguments: packs
    )
    func start(name: String) throws {
        let server = try TestServer()
        #expect(try server.control("POST", "/scenarios/calm/start").status == 200)
        #expect(try server.get("sites").status == 200)
        let started = try server.control("POST", "/scenarios/\(name)/start")
        #expect(started.status == 200, "\(started.text)")
        // The token and the list came before it.
        #expect(started.json["after"] == 2)
        #expect(started.json["name"] == .string(name))
        #expect(started.json["active"] == true)
        let rules = try server.control("GET", "/faults").json["items"]?.array ?? []
        #expect(started.json["rules"] == .integer(rules.count))
        let items = try server.control("GET", "/scenarios").json["items"]?.array ?? []
        #expect(items.compactMap { $0["name"]?.string } == Self.packs)
        #expect(items.filter { $0["active"] == true }.map { $0["name"] } == [.string(name)])
        #expect(items.filter { $0["after"] != nil }.map { $0["name"] } == [.string(name)])

        #expect(try server.control("POST", "/scenarios/stop").status == 204)
        #expect(try server.control("GET", "/faults").json["items"] == [])
        let after = try server.control("GET", "/scenarios").json["items"]?.array ?? []
        #expect(after.allSatisfy { $0["active"] == false })
        // The verdict still knows what was played.
        let verdict = try server.control("GET", "/verdict").json
        #expect(verdict["scenario"]?["name"] == .string(name))
    }

    @Test("A scenario leaves other rules alone, and is refused where one has the id of its own")
    func otherRules() throws {
        let server = try TestServer()
        let rule: JSONValue = ["id": "mine", "when": ["first": 1], "then": ["status": 503]]
        #expect(try server.control("POST", "/faults", rule).status == 201)
        #expect(try server.control("POST", "/scenarios/token-expiry/start").status == 200)
        func ids() throws -> [String] {
            (try server.control("GET", "/faults").json["items"]?.array ?? [])
                .compactMap { $0["id"]?.string }
        }
        #expect(try ids() == ["mine", "expiry-token", "expiry-pace"])
        #expect(try server.control("POST", "/scenarios/stop").status == 204)
        #expect(try ids() == ["mine"])
        let taken: JSONValue = [
            "id": "expiry-token", "when": ["first": 1], "then": ["status": 503],
        ]
        #expect(try server.control("POST", "/faults", taken).status == 201)
        #expect(try server.control("POST", "/scenarios/token-expiry/start").status == 409)
        #expect(try ids() == ["mine", "expiry-token"])
    }

    @Test("The verdict judges what came since the scenario was started")
    func sinceStart() throws {
        let server = try TestServer()
        _ = try server.get("appointments?nosuch=1")
        #expect(try result("contract.known-parameters", server) == "fail")
        #expect(try server.control("POST", "/scenarios/calm/start").status == 200)
        #expect(try result("contract.known-parameters", server) == "not-exercised")
        _ = try server.get("appointments?take=1")
        let verdict = try server.control("GET", "/verdict").json
        #expect(check("contract.known-parameters", in: verdict)?["result"] == "pass")
        #expect(verdict["journal"] == ["entries": 1, "dropped": 0])
        let missing = verdict["scenario"]?["notExercised"]?.array ?? []
        // It met all that the scenario asks of such a client.
        #expect(missing == [])
        // Nothing was uploaded, and nothing written.
        let notAsked = verdict["scenario"]?["notAsked"]?.array ?? []
        #expect(notAsked.contains("upload.size"))
        #expect(notAsked.contains("idempotency.key-wellformed"))
        #expect(!notAsked.contains("paging.offset-stops"))
        #expect(verdict["scenario"]?["reached"] == true)
    }

    @Test("A clock step comes after so many answered calls, and only once")
    func clockSteps() throws {
        let server = try TestServer(
            scenario: [
                "name": "steps", "title": "Steps", "description": "Two of them.",
                "clock": [
                    ["afterRequests": 2, "advance": "PT61M"],
                    ["afterRequests": 4, "advance": "PT1S"],
                ],
            ]
        )
        let clock = server.application.sessions.default.clock
        func seconds() -> Int64 { clock.now().secondsSince1970 - TestServer.start }
        // Neither token requests nor control requests nor lost ones count.
        _ = try server.token()
        _ = try server.control("GET", "/clock")
        _ = try server.send("GET", "/nowhere")
        let refreshed = try server.token("acme-north")
        #expect(!refreshed.isEmpty)
        #expect(try server.get("sites").status == 200)
        #expect(seconds() == 0)
        #expect(try server.get("sites").status == 200)
        #expect(seconds() == 3660)
        // Refused requests are answered, too.
        #expect(try server.get("sites").status == 401)
        #expect(try server.get("sites").status == 401)
        #expect(seconds() == 3661)
        #expect(try server.get("sites").status == 401)
        #expect(seconds() == 3661)
    }

    @Test("A scenario of the command line is played in every session, and again after a reset")
    func standing() throws {
        let server = try TestServer(scenario: ClientMatrixTests.pack("token-expiry"))
        for session in ["default", "s1"] {
            let query = "?session=\(session)"
            #expect(try server.control("PUT", "/sessions/\(session)").status < 300)
            func ids() throws -> [String] {
                (try server.control("GET", "/faults\(query)").json["items"]?.array ?? [])
                    .compactMap { $0["id"]?.string }
            }
            #expect(try ids() == ["expiry-token", "expiry-pace"])
            #expect(
                try server.control("POST", "/scenarios/lost-answers/start\(query)").status == 200
            )
            #expect(try server.control("POST", "/reset\(query)").status == 204)
            #expect(try ids() == ["expiry-token", "expiry-pace"])
            let verdict = try server.control("GET", "/verdict\(query)").json
            #expect(verdict["scenario"]?["name"] == "token-expiry")
        }
    }

    @Test("A reset of faults ends a scenario and forgets it")
    func reset() throws {
        let server = try TestServer()
        #expect(try server.control("POST", "/scenarios/lost-answers/start").status == 200)
        #expect(try server.control("POST", "/reset", ["scope": ["faults"]]).status == 204)
        #expect(try server.control("GET", "/faults").json["items"] == [])
        #expect(try server.control("GET", "/verdict").json["scenario"] == nil)
    }

    @Test(
        "A pack whose rules can never match, or whose checks do not exist, is refused with the place"
    )
    func badPacks() throws {
        let base = JSONObject([("name", "x"), ("title", "X"), ("description", "Y")])
        let rule: JSONValue = [
            "match": ["operation": "Integrations_ListSite"], "when": ["first": 1],
            "then": ["status": 503],
        ]
        for (member, value, place) in [
            ("rules", [rule], "/rules/0/match/operation"),
            ("passMarks", ["no.check"], "/passMarks/0"),
        ] as [(String, JSONValue, String)] {
            var pack = base
            pack[member] = value
            let error = #expect(throws: StartError.self) {
                _ = try TestServer(scenario: .object(pack))
            }
            #expect(error?.description.contains(place) == true, "\(error?.description ?? "")")
            #expect(error?.description.hasPrefix("--scenario ") == true)
        }
    }

    // MARK: Findings

    @Test(
        "Patients are found in URLs, however their names are written",
        arguments: [
            "patients/Jane%20Doe", "patients/doe,jane", "patients/JANE/DOE",
            "patients/%E9%95%B7%E8%B0%B7%E5%B7%9D%E9%BE%8D%E4%B9%8B%E4%BB%8B",
            "patients/%E9%BE%8D%E4%B9%8B%E4%BB%8B%20%E9%95%B7%E8%B0%B7%E5%B7%9D",
            "appointments?name=Jane+Doe", "appointments?scheduledSite=Jo'el%20O%27Brien",
            "appointments?q=joel%20o%E2%80%99brien", "appointments?first=Jane&last=Doe",
            "appointments?q=Ze%CC%81lie%20Che%CC%81nier", "appointments?q=Doe-Jane-1980",
            "appointments?patient=Zu%20Jane%20Q%20Doe",
        ]
    )
    func patientNames(path: String) throws {
        let server = try TestServer()
        _ = try server.get(path)
        let findings = try newest(server)["findings"]
        #expect(findings == ["patient-name-in-url"], "\(path): \(findings ?? .null)")
        #expect(try result("privacy.no-patient-data-in-urls", server) == "fail")
    }

    @Test(
        "What is no full name of a patient is none",
        arguments: [
            "patients/220000", "patients/Doe", "patients/Jane", "patients/Janet%20Doe",
            "appointments?scheduledSite=Central%20Clinic", "appointments?q=Jane&r=Roe",
            "appointments/by-status/PENDING%20REPORTING?pageSize=5", "sites/North%20Clinic",
            "appointments?appointmentDate=2025-01-12&take=1", "appointments?q=1234567891",
            "appointments/janedoe", "reporting/appointments/pending?pageSize=7",
        ]
    )
    func harmlessPaths(path: String) throws {
        let server = try TestServer()
        _ = try server.get(path)
        #expect(try newest(server)["findings"] == [])
        #expect(try result("privacy.no-patient-data-in-urls", server) == "pass")
    }

    @Test("Patients are found in correlation ids, ordinary ids are left alone")
    func correlationIDs() throws {
        let server = try TestServer()
        let billing = try server.get("appointments/A123456/billing").json
        let number = try #require(billing["medicareNumber"]?.string)
        for (id, findings) in [
            ("jane.doe-7", ["patient-data-in-request-id"]),
            ("p-\(number)-1", ["patient-data-in-request-id"]),
            ("550e8400-e29b-41d4-a716-446655440000", []), ("4bf92f3577b34da6a3ce929d0e0e4736", []),
            ("sync-2025-01-12T03:40:00Z", []), ("00000000-0000-0000-0000-000000000000", []),
        ] as [(String, [JSONValue])] {
            let answer = try server.get("sites", fields: [("X-Correlation-Id", id)])
            #expect(answer.status == 200)
            #expect(try newest(server)["findings"] == .array(findings), "\(id)")
        }
        let report = try server.control("GET", "/verdict").text
        #expect(!report.contains("jane.doe") && !report.contains(number))
    }

    @Test("Medicare numbers are found in URLs, with spaces, hyphens or a reference number, too")
    func medicare() throws {
        let server = try TestServer()
        let billing = try server.get("appointments/A123456/billing").json
        let number = try #require(billing["medicareNumber"]?.string)
        #expect(number.count == 10)
        let spaced =
            number.prefix(4) + "%20" + number.dropFirst(4).prefix(5) + "%20" + number.suffix(1)
        for text in [
            number, "\(number)1", String(spaced), number.prefix(4) + "-" + number.dropFirst(4),
        ] {
            _ = try server.get("appointments?card=\(text)")
            #expect(try newest(server)["findings"] == ["medicare-number-in-url"], "\(text)")
        }
    }

    @Test("A patient that a test puts is looked for, too, and one that it removes is not")
    func ownPatients() throws {
        let server = try TestServer()
        let path = "appointments?q=Quenby%20Testington"
        _ = try server.get(path)
        #expect(try newest(server)["findings"] == [])
        let patient: JSONValue = [
            "firstName": "Quenby", "lastName": "Testington", "dateOfBirth": "1990-01-01",
        ]
        #expect(try server.control("PUT", "/data/acme/patients/P1", patient).status == 201)
        _ = try server.get(path)
        #expect(try newest(server)["findings"] == ["patient-name-in-url"])
        // Other sessions have their own data.
        _ = try server.get(path, as: "acme-partner+s1")
        let other = try server.control("GET", "/requests?session=s1&limit=1").json["items"]?.array
        #expect(other?.first?["findings"] == [])
        #expect(try server.control("DELETE", "/data/acme/patients/P1").status == 204)
        _ = try server.get(path)
        #expect(try newest(server)["findings"] == [])
    }

    @Test("Tokens are found in URLs and bodies, and where they belong they are not")
    func tokens() throws {
        let server = try TestServer()
        let token = try server.token()
        _ = try server.get("sites")
        #expect(try newest(server)["findings"] == [])
        for path in ["sites?x=\(token)", "sites?access_token=opaque", "sites/\(token)"] {
            _ = try server.get(path)
            #expect(try newest(server)["findings"] == ["token-in-url"], "\(path.prefix(24))")
        }
        let comment: JSONValue = ["commentText": .string("Token: \(token).")]
        _ = try server.post("reporting/appointments/A123456/comments", comment)
        #expect(try newest(server)["findings"] == ["token-in-content"])
        let harmless: JSONValue = ["commentText": "eyJ.x.y and eyJhbGciOiJSUzI1NiJ9 and v1.22.333"]
        _ = try server.post("reporting/appointments/A123456/comments", harmless)
        #expect(try newest(server)["findings"] == [])
        // A cursor is no token.
        let page = try server.get("reporting/appointments/pending?pageSize=5").json
        let cursor = try #require(page["nextToken"]?.string)
        _ = try server.get("reporting/appointments/pending?pageSize=5&nextToken=\(cursor)")
        #expect(try newest(server)["findings"] == [])
    }

    // MARK: What the journal knows of a request

    @Test("First pages tell the defaults that took effect")
    func defaults() throws {
        let server = try TestServer()
        _ = try server.get("appointments")
        #expect(try newest(server)["paging"]?["skip"] == 0)
        #expect(try newest(server)["paging"]?["take"] == 100)
        _ = try server.get("reporting/appointments/pending")
        #expect(try newest(server)["paging"]?["pageSize"] == 100)
        _ = try server.get("sites")
        #expect(try newest(server)["paging"] == .null)
    }

    @Test(
        "A nextToken that is refused is told apart from one that was never issued",
        arguments: [("", "empty"), ("null", "null"), ("made-up", "foreign")]
    )
    func refusedTokens(token: String, form: String) throws {
        let server = try TestServer()
        let path = "reporting/appointments/pending?pageSize=5&nextToken=\(token)"
        #expect(try server.get(path).status == 400)
        let sent = try newest(server)["paging"]?["nextTokenSent"]
        #expect(sent?["form"] == .string(form), "\(sent ?? .null)")
    }

    @Test("Uploads that are refused before their content is read are uploads, with the reason")
    func earlyRefusals() throws {
        let server = try TestServer()
        let items: JSONValue = ["items": [["fileName": "a.pdf"]]]
        let path = "reporting/appointments/A123456/report/attachments"
        let urls = try server.post(path, items).json["items"]?.array ?? []
        let url = try #require(urls.first?["uploadUrl"]?.string)
        let target = String(url.dropFirst(server.baseURL.count))
        let client = try RawClient(port: server.listener.port)
        let head = "PUT \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2097153\r\n\r\n"
        try client.send(Array(head.utf8))
        #expect(try client.response().status == 413)
        var entry = try newest(server)
        #expect(entry["reason"] == "too-large")
        #expect(entry["operation"] == "upload")
        #expect(entry["client"] == "acme-partner")
        let chunked = try RawClient(port: server.listener.port)
        try chunked.send(
            Array(
                "PUT \(target) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    .utf8
            )
        )
        #expect(try chunked.response().status == 411)
        entry = try newest(server)
        #expect(entry["reason"] == "upload-content-length")
        let answer = try server.send("PUT", target, [], Array("x".utf8))
        #expect(answer.status == 200)
        #expect(try newest(server)["client"] == "acme-partner")
        #expect(try result("upload.size", server) == "fail")
        #expect(try result("upload.content-length", server) == "fail")
    }

    @Test("Several sessions have one verdict, and each finding names its session")
    func severalSessions() throws {
        let server = try TestServer()
        for (session, query) in [
            ("ci-1", "take=1"), ("ci-2", "take=1&nosuch=1"), ("other", "take=1"),
        ] {
            let answer = try server.get("appointments?\(query)", as: "acme-partner+\(session)")
            #expect(answer.status == 200)
        }
        func check(_ sessions: String) throws -> JSONValue? {
            try server.control("GET", "/verdict?session=\(sessions)").json["checks"]?.array?
                .first { $0["id"] == "contract.known-parameters" }
        }
        let both = try #require(try check("ci-*"))
        #expect(both["result"] == "fail")
        #expect(both["summary"]?.string?.hasPrefix("ci-2: ") == true)
        #expect(both["evidence"]?.array?.map { $0["session"] } == ["ci-2"])
        #expect(try check("ci-1,other")?["result"] == "pass")
        let all = try server.control("GET", "/verdict?session=*").json
        #expect(all["session"] == "*")
        // Three tokens and three calls; nothing came to the session default.
        #expect(all["journal"]?["entries"] == 6)
        #expect(all["coverage"]?["called"] == 1)
        #expect(try server.control("GET", "/verdict?session=ci-1,nobody").status == 404)
        #expect(try server.control("GET", "/verdict?session=x*").status == 404)
        #expect(try server.control("GET", "/verdict?session=a,,b").status == 400)
        #expect(
            try server.control("GET", "/verdict?session=ci-*&format=text").text.contains("[ci-2] ")
        )
    }
}
