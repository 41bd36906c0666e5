import HTTPTransport
import JSON
import MockServer
import TestSupport
import Testing

@Suite("What stands in front of the API")
struct EdgeTests {
    /// The edges that are listed.
    private static func edges(_ server: TestServer) throws -> [JSONValue] {
        try #require(try server.control("GET", "/edges").json["items"]?.array)
    }

    /// A request that an edge meets where it is, with the operation that a rule names.
    private static func ask(
        _ edge: JSONValue,
        _ server: TestServer,
        arm: (_ operation: String) throws -> Void
    ) throws -> TestServer.Answer {
        switch edge["operations"]?.array?.first?.string {
        case "token":
            try arm("token")
            return try server.askToken(validates: false)
        case "upload":
            let urls = try server.post(
                "reporting/appointments/A123456/report/attachments",
                ["items": [["fileName": "a.pdf"]]]
            )
            let url = try #require(urls.json["items"]?.array?.first?["uploadUrl"]?.string)
            try arm("upload")
            let target = String(url.dropFirst(server.baseURL.count))
            return try server.send("PUT", target, [], Array("%PDF".utf8), validates: false)
        default:
            let token = try server.token()
            try arm(TestServer.summaryID)
            return try server.send(
                "GET",
                "/integrations/v1/acme/\(TestServer.summaryPath)",
                [("Authorization", "Bearer \(token)"), ("X-Correlation-Id", "mine")],
                validates: false
            )
        }
    }

    @Test("Every edge answers under every status that it knows with its own fields, and no others")
    func answers() throws {
        let server = try TestServer()
        let edges = try Self.edges(server)
        #expect(
            edges.compactMap { $0["name"]?.string } == [
                "aws-alb", "aws-api-gateway", "aws-cognito", "aws-s3", "captive-portal",
                "cloudflare", "nginx",
            ]
        )
        for edge in edges {
            let name = try #require(edge["name"]?.string)
            for answer in edge["answers"]?.array ?? [] {
                let status = try #require(answer["status"]?.int)
                let beside = status < 400 ? "" : #","status":\#(status)"#
                let got = try Self.ask(edge, server) {
                    try server.arm(#""sequence":[{"edge":"\#(name)"\#(beside)}]"#, on: $0)
                }
                #expect(got.status == status, "\(name) \(got.text)")
                let fields = try #require(answer["fields"]?.object).members.map(\.name)
                #expect(
                    Set(got.response.fields.map(\.name))
                        == Set(
                            (fields + ["Date", "X-Mock-Fault", "Content-Length"]).map {
                                $0.lowercased()
                            }
                        )
                )
                #expect(!got.text.contains("{uuid}") && !got.text.contains("{hex16}"))
                #expect(!got.text.contains("{HEX16}") && !got.text.contains("{base64}"))
                if let content = answer["content"]?.string, !content.contains("16}") {
                    #expect(got.text == content)
                }
                let entry = try #require(try server.entries("?limit=1").first)
                #expect(entry["status"]?.int == status)
                #expect(
                    entry["fault"]?["effects"]
                        == [.string(status < 400 ? "content" : "status"), "edge"]
                )
            }
        }
    }

    @Test("The ids of an answer are the same in its fields as in its content, and in the next run")
    func ids() throws {
        func answers() throws -> [TestServer.Answer] {
            let server = try TestServer()
            let storage = try #require(try Self.edges(server).first { $0["name"] == "aws-s3" })
            var answers: [TestServer.Answer] = []
            for _ in 1...2 {
                answers.append(
                    try Self.ask(storage, server) {
                        try server.arm(
                            #""sequence":[{"edge":"aws-s3"},{"edge":"aws-s3"}]"#,
                            on: $0
                        )
                    }
                )
            }
            return answers
        }
        let first = try answers()
        for answer in first {
            let id = try #require(answer.field("x-amz-request-id"))
            #expect(id.utf8.count == 16 && answer.text.contains("<RequestId>\(id)</RequestId>"))
            let host = try #require(answer.field("x-amz-id-2"))
            #expect(answer.text.contains("<HostId>\(host)</HostId>"))
        }
        // The rule was armed anew, so its first request came twice.
        #expect(first[0].text == first[1].text)
        #expect(try answers().map(\.text) == first.map(\.text))
    }

    @Test("Before the operation an edge takes its place; after it, only the answer is lost")
    func phases() throws {
        let server = try TestServer()
        let id = "Integrations_CreatePendingReportingAppointmentComment"
        try server.arm(
            #""sequence":[{"edge":"captive-portal"},{"phase":"after","edge":"nginx","status":504}]"#,
            on: id
        )
        func post() throws -> TestServer.Answer {
            try server.send(
                "POST",
                "/integrations/v1/acme/\(TestServer.commentsPath)",
                [
                    ("Authorization", "Bearer \(try server.token())"),
                    ("Content-Type", "application/json"), ("Idempotency-Key", "k"),
                ],
                Array(#"{"commentText":"Once."}"#.utf8),
                validates: false
            )
        }
        let before = try post()
        #expect(before.status == 200 && before.field("content-type") == "text/html; charset=utf-8")
        #expect(try !server.commentTexts().contains("Once."))
        #expect(try post().status == 504)
        #expect(try server.commentTexts().filter { $0 == "Once." }.count == 1)
        let replay = try post()
        #expect(replay.status == 200 && replay.field("idempotency-replayed") == "true")
    }

    @Test("What exceeds a rate meets the 429 of the edge, and Retry-After only if that sends it")
    func rate() throws {
        let server = try TestServer()
        for (edge, retryAfter) in [("nginx", nil), ("cloudflare", "30")] as [(String, String?)] {
            try server.arm(
                #""when":{"rate":{"requests":1,"per":"PT1H"}},"then":{"edge":"\#(edge)"}"#,
                on: TestServer.summaryID
            )
            #expect(try server.get(TestServer.summaryPath).status == 200)
            let answer = try server.wireGet()
            #expect(answer.status == 429)
            #expect(answer.field("Retry-After") == retryAfter)
        }
        #expect(try server.entries("?limit=1").first?["retryAfter"]?["seconds"] == 30)
    }

    @Test("An edge can be slow, and break off")
    func combined() throws {
        let server = try TestServer()
        try server.arm(
            #""sequence":[{"edge":"nginx","delay":"30ms","truncateAt":0.5}]"#,
            on: TestServer.summaryID
        )
        let answer = try server.wireGet()
        #expect(answer.status == 503 && answer.ending == .end)
        #expect(answer.first >= .milliseconds(30))
        let length = try #require(answer.field("Content-Length").flatMap { Int($0) })
        #expect(answer.content.count == length / 2)
    }

    /// Rules that are refused: effects, operation, where, and a word of the reason.
    static let refusals: [(effects: String, operation: String, pointer: String, word: String)] = [
        (#"{"edge":"nginxx"}"#, "token", "/then/edge", "`nginx`?"),
        (#"{"edge":"zzzzzzzzz"}"#, "token", "/then/edge", "/__admin/edges"),
        (#"{"edge":"nginx","status":418}"#, "token", "/then/status", "503, 502, 504"),
        (#"{"edge":"captive-portal","status":503}"#, "token", "/then/status", "leave out"),
        (#"{"edge":"aws-cognito"}"#, "Integrations_ListSites", "/then/edge", "token"),
        (#"{"edge":"aws-s3"}"#, "token", "/then/edge", "upload"),
        (#"{"edge":"nginx","retryAfter":1}"#, "token", "/then/edge", "`retryAfter`"),
        (#"{"edge":"nginx","content":"html"}"#, "token", "/then/edge", "`content`"),
        (#"{"edge":"nginx","token":"expired"}"#, "token", "/then/token", "no token"),
        (#"{"edge":"nginx","transport":"HANG"}"#, "token", "/then/transport", "`edge`"),
        (#"{"edge":7}"#, "token", "/then/edge", "string"),
    ]

    @Test("An edge that is not there, or not met there, is refused", arguments: refusals)
    func refused(effects: String, operation: String, pointer: String, word: String) throws {
        let server = try TestServer()
        let answer = try server.control(
            "PUT",
            "/faults",
            try TestServer.json(
                #"{"match":{"operation":"\#(operation)"},"then":\#(effects)}"#
            )
        )
        #expect(answer.status == 400)
        let errors = answer.json["errors"]?[pointer]?.array ?? []
        #expect(errors.contains { $0.string?.contains(word) == true }, "\(answer.text)")
    }

    @Test("A rule without an operation takes no edge of the token endpoint")
    func everywhere() throws {
        let server = try TestServer()
        let rule = try TestServer.json(#"{"then":{"edge":"aws-cognito"}}"#)
        #expect(try server.control("PUT", "/faults", rule).status == 400)
        let other = try TestServer.json(#"{"then":{"edge":"nginx"}}"#)
        #expect(try server.control("PUT", "/faults", other).status == 200)
        #expect(try server.wireGet().status == 503)
    }
}
