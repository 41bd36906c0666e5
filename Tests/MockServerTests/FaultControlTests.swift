import HTTPMessage
import JSON
import MockServer
import Testing
import TestSupport

@Suite("Which requests faults strike, and how they are set")
struct FaultControlTests {
    // MARK: Match

    /// Requests of each kind; those by no token are refused where no fault meets them.
    private static let requests: [@Sendable (TestServer) throws -> TestServer.Answer] = [
        { try $0.get("sites") },
        { try $0.get("sites", as: "globex-partner", domain: "globex") },
        { try $0.get("sites", as: "group-partner", method: "HEAD") },
        { try $0.get("appointments/A123456") },
        { try $0.get("appointments/A123457") },
        { try $0.get("reporting/appointments/A123456/comments") },
        { try $0.post(TestServer.commentsPath, ["commentText": "x"]) },
        { try $0.postForm("grant_type=client_credentials&client_id=acme-north&client_secret=x") },
        { try $0.send("PUT", "/uploads/none?expires=1&session=default&signature=x", [], [1]) },
        { try $0.send("GET", "/attachments/none?expires=1&session=default&signature=x") },
        { try $0.get("sites", as: nil) },
    ]

    /// A `match`, and which of the requests above it is about.
    static let matches: [(match: String, requests: Set<Int>)] = [
        ("{}", [0, 1, 2, 3, 4, 5, 6, 10]),
        (#"{"operation":"Integrations_ListSites"}"#, [0, 1, 2, 10]),
        (#"{"operation":"integrations_LISTSITES"}"#, [0, 1, 2, 10]),
        (#"{"operation":"token"}"#, [7]), (#"{"operation":"TOKEN","client":"acme-north"}"#, [7]),
        (#"{"operation":"upload"}"#, [8]), (#"{"operation":"download"}"#, [9]),
        (#"{"tag":"Reporting"}"#, [5, 6]), (#"{"tag":"Reporting","method":"POST"}"#, [6]),
        (#"{"method":"HEAD"}"#, [2]), (#"{"method":"GET"}"#, [0, 1, 3, 4, 5, 10]),
        (#"{"path":"/appointments/{appointmentId}"}"#, [3, 4]),
        (#"{"path":"/integrations/v1/{domain}/appointments/{x}"}"#, [3, 4]),
        (#"{"domain":"globex"}"#, [1]), (#"{"domain":"acme"}"#, [0, 2, 3, 4, 5, 6, 10]),
        (#"{"client":"acme-partner"}"#, [0, 3, 4, 5, 6]), (#"{"client":"group-partner"}"#, [2]),
        (#"{"client":"acme-refresh"}"#, []), (#"{"appointmentId":"A123456"}"#, [3, 5, 6]),
        (#"{"appointmentId":"A123456","client":"acme-partner","method":"GET"}"#, [3, 5]),
    ]

    @Test("A rule strikes what all members of its match allow, and counts nothing else")
    func match() throws {
        let server = try TestServer()
        for client in ["acme-partner", "globex-partner", "group-partner"] {
            _ = try server.token(client)
        }
        for (match, expected) in Self.matches {
            try server.arm(#"{"id":"r","match":\#(match),"then":{"status":503}}"#)
            let struck = try Self.requests.indices.filter {
                let answer = try Self.requests[$0](server)
                #expect((answer.status == 503) == (answer.field("x-mock-fault") == "r"))
                return answer.status == 503
            }
            #expect(Set(struck) == expected, "\(match)")
            #expect(try server.counts() == [expected.count, expected.count], "\(match)")
        }
    }

    @Test("What is no operation is struck by no rule")
    func unrouted() throws {
        let server = try TestServer()
        try server.arm(#"{"id":"r","then":{"status":503}}"#)
        #expect(try server.get("nothing").status == 404)
        #expect(try server.get("sites", method: "DELETE").status == 405)
        #expect(try server.send("GET", "/openapi.json").status == 200)
        #expect(try server.send("GET", "/.well-known/jwks.json").status == 200)
        #expect(try server.control("GET", "/health").status == 200)
        #expect(try server.counts() == [0, 0])
    }

    // MARK: Refusal

    /// Rules, the pointer of what is wrong, and words that the message has.
    static let refusals: [(rules: String, pointer: String, words: String)] = [
        (
            #"{"match":{"operation":"Integrations_GetAppointmentSummary"},"then":{"status":500}}"#,
            "/match/operation", "The nearest is `Integrations_GetAppointment_Summary`."
        ),
        (#"{"match":{"domain":"acne"},"then":{"status":500}}"#, "/match/domain", "`acme`"),
        (
            #"{"match":{"client":"acme-partnr"},"then":{"status":500}}"#, "/match/client",
            "`acme-partner`"
        ),
        (#"{"match":{"tag":"Reportin"},"then":{"status":500}}"#, "/match/tag", "`Reporting`"),
        (
            #"{"match":{"path":"/sites/Central"},"then":{"status":500}}"#, "/match/path",
            "`/sites/{siteName}`"
        ),
        (#"{"match":{"methd":"GET"},"then":{"status":500}}"#, "/match/methd", "`method`?"),
        (
            #"{"match":{"operation":"token","domain":"acme"},"then":{"status":500}}"#,
            "/match/domain", "Never matches"
        ),
        (#"{"mach":{},"then":{"status":500}}"#, "/mach", "`match`?"),
        (#"{"when":{"frist":1},"then":{"status":500}}"#, "/when/frist", "`first`?"),
        (#"{"when":{"first":0},"then":{"status":500}}"#, "/when/first", "from 1"),
        (#"{"when":{"first":1}}"#, "/then", "needs `then`"),
        (#"{"then":{"statsu":500}}"#, "/then/statsu", "`status`?"),
        (#"{"then":{"status":200}}"#, "/then/status", "400 to 599"),
        (#"{"then":{"retryAfter":2}}"#, "/then/retryAfter", "beside `status`"),
        (#"{"then":{"delay":"soon"}}"#, "/then/delay", "250ms"),
        (#"{"then":{"transport":"HNAG"}}"#, "/then/transport", "Did you mean \"HANG\""),
        (#"{"then":{"content":"htm"}}"#, "/then/content", "Did you mean \"html\""),
        (#"{"then":{"token":"expired"}}"#, "/then/token", "\"operation\": \"token\""),
        (#"{"sequence":[{},{"status":1}]}"#, "/sequence/1/status", "400 to 599"),
        (#"{"sequence":[{}]}"#, "/sequence", "does nothing"),
        (#"{"id":"a b","then":{"status":500}}"#, "/id", "1 to 64"),
        (#"{"id":"prefer","then":{"status":500}}"#, "/id", "kept for"),
        (#"{"ttl":"PT0S","then":{"status":500}}"#, "/ttl", "longer than zero"),
        (#"[{"then":{"status":500}},{"then":{"status":1}}]"#, "/1/then/status", "400 to 599"),
        (
            #"[{"then":{"status":500}},{"zz":1,"then":{"status":500}}]"#, "/1/zz",
            "Leave this member out"
        ),
        ("[]", "", "1 to 1000"), ("5", "", "an object"), ("null", "", "an object"),
    ]

    @Test("A rule that is wrong is refused with its place, and nothing of the document is armed")
    func refusal() throws {
        let server = try TestServer()
        try server.arm(#"{"id":"kept","match":{"domain":"globex"},"then":{"status":500}}"#)
        for (rules, pointer, words) in Self.refusals {
            let document = try TestServer.json(rules)
            // An empty array means none where all are replaced.
            for method in rules == "[]" ? ["POST"] : ["POST", "PUT"] {
                let answer = try server.control(method, "/faults", document)
                #expect(answer.status == 400, "\(rules)")
                let messages = answer.json["errors"]?[pointer]?.array?.compactMap(\.string)
                #expect(
                    messages?.contains { $0.contains(words) } == true,
                    "\(rules) \(pointer) \(answer.text)"
                )
                #expect(answer.field("content-type") == "application/problem+json")
            }
        }
        let list = try server.control("GET", "/faults").json["items"]?.array
        #expect(list?.map { $0["id"] } == ["kept"])
        // Nothing that was refused strikes.
        #expect(try server.statuses(1) == [200])
    }

    /// Rules with names like no real ones, the pointer, and one of the names that there are.
    static let farNames: [(rule: String, pointer: String, word: String)] = [
        (#"{"then":{"transport":"FOO"}}"#, "/then/transport", "MALFORMED_RESPONSE_CHUNK"),
        (#"{"then":{"content":"x"}}"#, "/then/content", "wrong-content-type"),
        (
            #"{"match":{"operation":"token"},"then":{"token":"zz"}}"#, "/then/token",
            "hmac-confusion"
        ),
        (#"{"then":{"phase":"x","status":500}}"#, "/then/phase", "before, after"),
        (#"{"then":{"qqqqq":1}}"#, "/then/qqqqq", "`bytesPerSecond`"),
        (#"{"match":{"domain":"zz"},"then":{"status":500}}"#, "/match/domain", "`globex`"),
        (#"{"match":{"client":"me"},"then":{"status":500}}"#, "/match/client", "`acme-north`"),
        (#"{"match":{"tag":"zz"},"then":{"status":500}}"#, "/match/tag", "`Reporting`"),
        (#"{"match":{"method":"FETCH"},"then":{"status":500}}"#, "/match/method", "`POST`"),
        (
            #"{"match":{"operation":"x"},"then":{"status":500}}"#, "/match/operation",
            "`Integrations_ListSites`"
        ),
        (#"{"match":{"path":"/x"},"then":{"status":500}}"#, "/match/path", "`/sites`"),
    ]

    @Test("A name like no real one gets no guess, but the names that there are")
    func farName() throws {
        let server = try TestServer()
        for (rule, pointer, word) in Self.farNames {
            let answer = try server.control("POST", "/faults", try TestServer.json(rule))
            #expect(answer.status == 400)
            let message = try #require(answer.json["errors"]?[pointer]?.array?.first?.string)
            #expect(!message.contains("Did you mean") && !message.contains("nearest"), "\(message)")
            #expect(message.contains(word), "\(message)")
        }
    }

    @Test("A session holds 1,000 rules; more are refused, and nothing of them is armed")
    func tooMany() throws {
        let server = try TestServer()
        let rule: JSONValue = ["match": ["domain": "globex"], "then": ["status": 500]]
        let rules = JSONValue.array(Array(repeating: rule, count: 999))
        #expect(try server.control("POST", "/faults", rules).status == 201)
        #expect(try server.control("POST", "/faults", rule).status == 201)
        let refused = try server.control("POST", "/faults", rule)
        #expect(refused.status == 409 && refused.text.contains("1000 rules"))
        let thousand = JSONValue.array(Array(repeating: rule, count: 1_001))
        let tooLong = try server.control("PUT", "/faults", thousand)
        #expect(tooLong.status == 400 && tooLong.json["errors"]?[""] != nil)
        #expect(try server.control("GET", "/faults").json["items"]?.array?.count == 1_000)
    }

    @Test("A writing request opens the session that it names, a reading one does not")
    func opening() throws {
        let server = try TestServer()
        for path in ["/faults", "/requests", "/verdict", "/scenarios", "/clock", "/snapshots"] {
            #expect(try server.control("GET", "\(path)?session=s1").status == 404)
        }
        for (index, (method, path)) in [
            ("DELETE", "/faults"), ("DELETE", "/requests"), ("POST", "/scenarios/stop"),
            ("POST", "/reset"), ("POST", "/scenarios/calm/start"),
        ].enumerated() {
            let answer = try server.control(method, "\(path)?session=w\(index)")
            #expect(answer.status == 204 || answer.status == 200)
            #expect(try server.control("GET", "/faults?session=w\(index)").status == 200)
        }
    }

    @Test("An id that is taken is 409, in one document too; an absent one is made")
    func ids() throws {
        let faults: JSONValue = [
            ["id": "file", "match": ["domain": "globex"], "then": ["status": 500]]
        ]
        let server = try TestServer(faults: faults)
        let rule: JSONValue = ["id": "one", "match": ["domain": "globex"], "then": ["status": 500]]
        let added = try server.control("POST", "/faults", rule)
        #expect(added.status == 201)
        #expect(added.json["items"]?.array?.first?["hits"] == 0)
        for (document, pointer) in [
            (rule, "/id"), (["id": "file", "then": ["status": 500]], "/id"),
            ([["id": "two", "then": ["status": 500]], rule], "/1/id"),
            (
                [["id": "x", "then": ["status": 500]], ["id": "x", "then": ["status": 501]]],
                "/1/id"
            ),
        ] as [(JSONValue, String)] {
            let answer = try server.control("POST", "/faults", document)
            #expect(answer.status == 409 && answer.json["errors"]?[pointer] != nil, "\(document)")
        }
        let unnamed: JSONValue = ["match": ["domain": "globex"], "then": ["status": 500]]
        let made = try server.control("POST", "/faults", [unnamed, unnamed]).json["items"]?.array
        let ids = made?.compactMap { $0["id"]?.string } ?? []
        #expect(Set(ids).count == 2)
        for id in ids {
            #expect(try server.control("DELETE", "/faults/\(id)").status == 204)
            for method in ["GET", "DELETE"] {
                #expect(try server.control(method, "/faults/\(id)").status == 404)
            }
        }
        // Removed, the id is free.
        #expect(try server.control("DELETE", "/faults/one").status == 204)
        #expect(try server.control("POST", "/faults", rule).status == 201)
        #expect(try server.control("PUT", "/faults", rule).status == 200)
        #expect(try server.control("PUT", "/faults", []).json["items"] == [])
        #expect(try server.control("POST", "/faults", rule).status == 201)
        #expect(try server.control("DELETE", "/faults").status == 204)
    }

    @Test("A rule is shown as it was set, with id, hits and seen")
    func listing() throws {
        let server = try TestServer()
        let rule = try TestServer.json(
            #"""
            {"match":{"operation":"integrations_listsites","domain":"acme"},"ttl":"PT5M",
             "sequence":[{"status":429,"retryAfter":{"seconds":2,"form":"date"}},{},
              {"delay":{"uniform":["1ms","2ms"]},"truncateAt":0.5}]}
            """#
        )
        let added = try server.control("POST", "/faults", rule).json["items"]?.array?.first
        let shown = try #require(added?.object)
        #expect(shown["hits"] == 0 && shown["seen"] == 0 && shown["id"]?.string != nil)
        for member in rule.object?.members ?? [] { #expect(shown[member.name] == member.value) }
        let id = try #require(shown["id"]?.string)
        #expect(try server.control("GET", "/faults/\(id)").json == .object(shown))
    }

    // MARK: Precedence

    @Test("The request's own field comes first, then rules in the order set, then --faults")
    func precedence() throws {
        let faults: JSONValue = [
            [
                "id": "file", "match": ["operation": "Integrations_ListSites"],
                "then": ["status": 500],
            ]
        ]
        let server = try TestServer(faults: faults)
        func fault(_ fields: [(String, String)] = []) throws -> [String?] {
            let answer = try server.get("sites", fields: fields)
            return [String(answer.status), answer.field("x-mock-fault")]
        }
        #expect(try fault() == ["500", "file"])
        let rules = try TestServer.json(
            #"""
            [{"id":"a","match":{"operation":"Integrations_ListSites"},"when":{"nth":[2]},
              "then":{"status":429}},
             {"id":"b","match":{"operation":"Integrations_ListSites"},"when":{"nth":[1,2,4]},
              "then":{"status":403}}]
            """#
        )
        #expect(try server.control("POST", "/faults", rules).status == 201)
        #expect(try fault() == ["403", "b"])
        #expect(try fault() == ["429", "a"])
        #expect(try fault([("Prefer", "code=503")]) == ["503", "prefer"])
        #expect(try fault() == ["403", "b"])
        #expect(try fault() == ["500", "file"])
        // All counted all, also where another acted.
        #expect(try server.counts("a") == [1, 5])
        #expect(try server.counts("b") == [2, 5])
        #expect(try server.control("POST", "/reset", ["scope": ["faults"]]).status == 204)
        #expect(try server.control("GET", "/faults").json["items"]?.array?.count ?? 0 <= 1)
        #expect(try fault() == ["500", "file"])
        // The rules of one session are not another's; those of the file are.
        try server.arm(#"{"id":"mine","then":{"status":418}}"#)
        let other = try server.get("sites", as: "acme-partner+other")
        #expect(other.field("x-mock-fault") == "file")
    }

    // MARK: Prefer

    static let preferences: [(value: String, status: Int, retryAfter: String?)] = [
        ("code=429, retry-after=2", 429, "2"), ("code=429,retry-after=0", 429, "0"),
        ("CODE=503", 503, nil), (#"code="500""#, 500, nil),
        ("respond-async, code=500; x=y", 500, nil), ("code=401", 401, nil),
        ("return=minimal", 200, nil), ("codes=500", 200, nil), (",", 200, nil),
        ("code=500, code=503", 500, nil), ("delay=0", 200, nil), ("delay=1", 200, nil),
        ("code=429; retry-after=2", 400, nil),
        ("code=200", 400, nil), ("code=600", 400, nil), ("code=+500", 400, nil),
        ("code", 400, nil), ("delay=soon", 400, nil), ("delay=-1", 400, nil),
        ("delay=99999999999", 400, nil), ("fault=nope", 400, nil), ("retry-after=2", 400, nil),
        ("code=500, fault=reset", 400, nil),
    ]

    @Test("A Prefer field asks for a status; what it cannot mean is 400, what is not ours nothing")
    func prefer() throws {
        let server = try TestServer()
        for (value, status, retryAfter) in Self.preferences {
            let answer = try server.get("sites", fields: [("Prefer", value)])
            #expect(answer.status == status, "\(value)")
            #expect(answer.field("retry-after") == retryAfter, "\(value)")
            let isInjected = ![200, 400].contains(status) || value == "delay=1"
            #expect(answer.field("x-mock-fault") == (isInjected ? "prefer" : nil), "\(value)")
            if status == 400 {
                #expect(answer.json["errors"]?["Prefer"] != nil, "\(value)")
                #expect(answer.json["detail"]?.string?.hasPrefix("Prefer: `") == true, "\(value)")
            }
            #expect((answer.field("preference-applied") != nil) == isInjected, "\(value)")
        }
        // In two fields as in one.
        let two = try server.get(
            "sites",
            fields: [("Prefer", "code=429"), ("prefer", "retry-after=9")]
        )
        #expect(two.status == 429 && two.field("retry-after") == "9")
        // At the token endpoint in its own form.
        let token = try server.postForm(
            "grant_type=client_credentials",
            fields: [("Prefer", "code=503")]
        )
        #expect(token.status == 503 && token.json["error"] == "temporarily_unavailable")
        // Control requests are never struck.
        let control = try server.control("GET", "/health", fields: [("Prefer", "code=503")])
        #expect(control.status == 200)
    }

    @Test("Preference-Applied repeats what was honoured, and nothing else")
    func preferenceApplied() throws {
        let server = try TestServer()
        for (value, applied) in [
            ("CODE=429,respond-async,  retry-after=2", "code=429, retry-after=2"),
            (#"delay="1", code=503"#, "code=503, delay=1"), ("code=500, code=503", "code=500"),
            ("fault=bad-chunk", "fault=bad-chunk"),
        ] {
            let answer = try server.wireGet(fields: [("Prefer", value)])
            #expect(answer.field("Preference-Applied") == applied, "\(value)")
        }
        // HEAD has no content, so no chunk is broken.
        let head = try server.get(
            "sites",
            method: "HEAD",
            fields: [("Prefer", "fault=bad-chunk, delay=1")]
        )
        #expect(head.field("preference-applied") == "delay=1")
        // A rule is no preference.
        try server.arm(#""then":{"status":503}"#, on: TestServer.summaryID)
        #expect(try server.wireGet().field("Preference-Applied") == nil)
    }

    /// A `fault`, how the connection ends, and whether a comment is kept.
    static let preferredFaults: [(name: String, ending: RawClient.Reading, runs: Bool)] = [
        ("reset", .reset, false), ("reset-after", .reset, true), ("empty", .end, false),
        ("empty-after", .end, true), ("hang", .silence, false), ("hang-after", .silence, true),
        ("garbage", .end, true), ("bad-chunk", .end, true),
    ]

    @Test("A Prefer field asks for a broken connection")
    func preferredFault() throws {
        let server = try TestServer()
        for (name, ending, runs) in Self.preferredFaults {
            try expectPreferred(name, ending, runs: runs, server)
        }
        let noted = try server.entries("?operation=\(FaultEffectTests.commentID)")
        #expect(noted.allSatisfy { $0["fault"]?["rule"] == "prefer" })
    }

    private func expectPreferred(
        _ name: String,
        _ ending: RawClient.Reading,
        runs: Bool,
        _ server: TestServer
    ) throws {
        let request = try server.requestText(
            "POST",
            TestServer.commentsPath,
            [("Prefer", "fault=\(name)")],
            #"{"commentText":"Lost: \#(name)."}"#
        )
        let answer = try server.wire(request, patienceSeconds: 0.3)
        #expect(answer.ending == ending)
        switch name {
        case "garbage": #expect(answer.octets.first.map { $0 >= 0x80 } == true)
        case "bad-chunk": #expect(answer.field("Transfer-Encoding") == "chunked")
        default: #expect(answer.octets.isEmpty)
        }
        #expect(try server.commentTexts().contains("Lost: \(name).") == runs, "\(name)")
    }

    @Test("A preferred delay waits, and stands beside a code")
    func preferredDelay() throws {
        let server = try TestServer()
        let plain = try server.wireGet(fields: [("Prefer", "delay=120")])
        #expect(plain.status == 200 && plain.first >= .milliseconds(120))
        let both = try server.wireGet(fields: [("Prefer", "code=500, delay=80")])
        #expect(both.status == 500 && both.first >= .milliseconds(80))
    }

    // MARK: The field

    @Test(
        "Injected answers name their rule, unless that is switched off",
        arguments: [true, false]
    )
    func faultField(sends: Bool) throws {
        let server = try TestServer { $0.sendsFaultHeader = sends }
        try server.arm(
            #""sequence":[{"status":503},{"delay":"1ms"},{"content":"html"},{}]"#,
            on: TestServer.summaryID
        )
        let fields = try (0..<5).map { _ in try server.wireGet().field("X-Mock-Fault") }
        #expect(fields == (sends ? ["r", "r", "r", nil, nil] : [nil, nil, nil, nil, nil]))
        let preferred = try server.wireGet(fields: [("Prefer", "code=503")])
        #expect(preferred.field("X-Mock-Fault") == (sends ? "prefer" : nil))
        // The journal knows.
        let entries = try server.entries("?operation=\(TestServer.summaryID)").reversed()
        #expect(
            entries.map { $0["fault"]?["rule"] } == ["r", "r", "r", nil, nil, "prefer"]
        )
    }
}
