import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Testing
import TestSupport

@Suite("Explanations")
struct ExplainTests {
    /// A rule that is said to be broken.
    private struct Rule {
        var name: String
        var rule: String
        var expected: JSONValue
        var sent: JSONValue = .null
    }

    // MARK: Parameters

    /// A query, and the rule that it breaks.
    private static let parameters: [(path: String, rule: Rule)] = [
        ("appointments?take=0", Rule(name: "take", rule: "minimum", expected: 1, sent: "0")),
        ("appointments?take=501", Rule(name: "take", rule: "maximum", expected: 500, sent: "501")),
        ("appointments?skip=-1", Rule(name: "skip", rule: "minimum", expected: 0, sent: "-1")),
        (
            "appointments?take=5.5",
            Rule(name: "take", rule: "type", expected: "integer", sent: "5.5")
        ),
        ("appointments?take=many", Rule(name: "take", rule: "type", expected: "integer")),
        (
            "appointments?startDate=2025-13-01",
            Rule(name: "startDate", rule: "format", expected: "date", sent: "2025-13-01")
        ),
    ]

    @Test(
        "A parameter that is wrong: the rule, what it expects, what was sent, a request that works"
    )
    func parameters() throws {
        let server = try TestServer()
        for (path, rule) in Self.parameters {
            #expect(try server.get(path).status == 400, "\(path)")
            let told = try server.explainNewest()
            #expect(told["status"] == 400)
            #expect(told["summary"] == "The request breaks the contract: see rules.")
            expect([rule], in: told, at: "query")
            #expect(try run(told["curl"], server).status == 200, "\(path)")
        }
    }

    @Test("All rules that are broken are told, in the order of the contract")
    func several() throws {
        let server = try TestServer()
        #expect(try server.get("appointments?take=0&skip=-1&zz=1").status == 400)
        let told = try server.explainNewest()
        let names = told["rules"]?.array?.compactMap { $0["name"]?.string } ?? []
        #expect(names.sorted() == ["skip", "take"])
        #expect(try run(told["curl"], server).status == 200)
    }

    @Test("A path value that is wrong is put right by an example")
    func pathValue() throws {
        let server = try TestServer()
        #expect(try server.get("appointments/by-status/PENDING%20REPORTNG").status == 400)
        let told = try server.explainNewest()
        let rule = try #require(told["rules"]?.array?.first)
        #expect(rule["where"] == "path" && rule["name"] == "status" && rule["rule"] == "enum")
        #expect(rule["expected"]?.array?.count == 18)
        let line = try #require(told["curl"]?.string)
        #expect(line.contains("/appointments/by-status/") && !line.contains("REPORTNG"))
        #expect(try run(told["curl"], server).status == 200)
    }

    // MARK: Contents

    /// A content, where it is wrong, and the keyword.
    static let contents: [(path: String, body: JSONValue, name: String, rule: String)] = [
        (TestServer.commentsPath, [:], "/commentText", "required"),
        (TestServer.commentsPath, ["commentText": ""], "/commentText", "minLength"),
        (TestServer.commentsPath, ["commentText": 5], "/commentText", "type"),
        (
            TestServer.commentsPath, ["commentText": "x", "commentType": "ZZ"], "/commentType",
            "enum"
        ),
        (TestServer.uploadsPath, ["items": []], "/items", "minItems"),
        (TestServer.uploadsPath, ["items": [["fileName": 5]]], "/items/0/fileName", "type"),
        (
            TestServer.reportPath, ["reportText": "x", "reportStatus": "draft"], "/reportStatus",
            "pattern"
        ),
    ]

    @Test("A content that is wrong is told by its pointer, never by what it held")
    func contents() throws {
        let server = try TestServer()
        for (path, body, name, rule) in Self.contents {
            #expect(try server.post(path, body).status == 400, "\(name)")
            let told = try server.explainNewest()
            let found = told["rules"]?.array?.first { $0["name"]?.string == name }
            #expect(found?["rule"]?.string == rule, "\(told)")
            #expect(found?["where"] == "body" && found?["sent"] == .null)
            #expect(found?["contract"]?.string?.isEmpty == false)
            #expect(found?["message"]?.string?.contains("ZZ") == false)
            #expect(found?["message"]?.string?.contains("draft") == false)
            let again = try run(told["curl"], server)
            #expect(again.status == 200, "\(told["curl"] ?? .null) \(again.text)")
        }
    }

    // MARK: Other refusals

    /// A request, its status, words of the summary, and the status of the line of curl.
    private static let refusals:
        [(
            status: Int, words: String, again: Int,
            send: @Sendable (TestServer) throws -> TestServer.Answer
        )] = [
            (404, "No operation has this path", 200, { try $0.get("sties") }),
            (405, "method is not possible", 200, { try $0.get("sites", method: "DELETE") }),
            (401, "none was sent", 200, { try $0.get("sites", as: nil) }),
            (
                401, "not one that this mock accepts", 200,
                { try $0.get("sites", as: nil, fields: [("Authorization", "Bearer x")]) }
            ),
            (403, "domain in the path", 200, { try $0.get("sites", domain: "globex") }),
            (
                403, "site in the path", 200,
                { try $0.get("sites/Central%20Clinic", as: "acme-north") }
            ),
            (
                403, "lacks the permission", 200,
                { try $0.get("appointments/A123456/billing", as: "acme-north") }
            ),
            (404, "does not exist", 200, { try $0.get("appointments/NOBODY") }),
            (
                400, "nextToken is not one", 200,
                { try $0.get("appointments/by-status/ARRIVED?nextToken=x") }
            ),
            (
                409, "used for another payload", 200,
                { server in
                    let path = TestServer.commentsPath
                    _ = try server.post(path, ["commentText": "a"], key: "k")
                    return try server.post(path, ["commentText": "b"], key: "k")
                }
            ),
            (
                400, "visible ASCII", 200,
                { try $0.post(TestServer.commentsPath, ["commentText": "a"], key: "a b") }
            ),
            (
                415, "Content-Type", 200,
                {
                    try $0.postOctets(
                        TestServer.commentsPath,
                        [0x7B],
                        [("Content-Type", "text/plain")]
                    )
                }
            ),
            (
                400, "token endpoint refused", 200,
                { try $0.postForm("grant_type=client_credentials&client_id=acme-partner") }
            ),
            (
                503, "injected by rule prefer (status, phase before)", 200,
                { try $0.get("sites", fields: [("Prefer", "code=503")]) }
            ),
            (200, "nothing was wrong", 200, { try $0.get("sites") }),
        ]

    @Test("Each refusal has its sentence, and a line of curl that works")
    func refusals() throws {
        let server = try TestServer()
        _ = try server.token()
        _ = try server.token("acme-north")
        for (status, words, again, send) in Self.refusals {
            let answer = try send(server)
            #expect(answer.status == status, "\(words): \(answer.text)")
            let told = try server.explainNewest()
            #expect(told["status"]?.int == status)
            #expect(told["summary"]?.string?.contains(words) == true, "\(told)")
            let second = try run(told["curl"], server)
            #expect(second.status == again, "\(told["curl"] ?? .null) \(second.text)")
        }
    }

    @Test("An unknown path names the nearest operations, a wrong method those of the path")
    func nearest() throws {
        let server = try TestServer()
        _ = try server.get("appointment/A123456")
        let route = try server.explainNewest()
        let operations = route["nearestOperations"]?.array?.compactMap(\.string) ?? []
        #expect(
            operations.first?.contains("(Integrations_GetAppointment_Summary)") == true,
            "\(operations)"
        )
        _ = try server.get(TestServer.commentsPath, method: "PATCH")
        let method = try server.explainNewest()
        #expect(
            method["nearestOperations"]?.array?.compactMap(\.string).sorted() == [
                "GET /integrations/v1/acme/\(TestServer.commentsPath) "
                    + "(Integrations_ListPendingReportingAppointmentComments)",
                "POST /integrations/v1/acme/\(TestServer.commentsPath) "
                    + "(Integrations_CreatePendingReportingAppointmentComment)",
            ]
        )
        // Nothing is like this.
        _ = try server.send("GET", "/favicon.ico")
        let far = try server.explainNewest()
        #expect(far["nearestOperations"] == [] && far["curl"] == .null)
        // Octets that were no request.
        let client = try RawClient(port: server.listener.port)
        #expect(try client.exchange("GET / HTTP/1.1\r\nHost : x\r\n\r\n").status == 400)
        let message = try server.explainNewest()
        #expect(message["summary"]?.string?.isEmpty == false && message["curl"] == .null)
    }

    // MARK: Reading

    private func expect(_ rules: [Rule], in told: JSONValue, at place: String) {
        let found = told["rules"]?.array ?? []
        #expect(found.count == rules.count, "\(told)")
        for (one, rule) in zip(found, rules) {
            #expect(one["where"]?.string == place)
            #expect(one["name"]?.string == rule.name && one["rule"]?.string == rule.rule)
            #expect(one["expected"] == rule.expected, "\(told)")
            #expect(one["sent"] == rule.sent, "\(told)")
            #expect(one["message"]?.string?.isEmpty == false)
            #expect(one["contract"]?.string?.isEmpty == false)
        }
    }

    /// Runs a line of curl, with real values in place of what stands in angle brackets.
    private func run(_ line: JSONValue?, _ server: TestServer) throws -> TestServer.Answer {
        let newest = try server.entries("?limit=1").first?["id"]?.int ?? 0
        let text = try #require(line?.string)
            .replacing("<token>", with: try server.token())
            .replacing("<a new key>", with: "key-\(newest)")
            .replacing("<client_id>", with: "acme-partner")
            .replacing("<client_secret>", with: "acme-partner-secret")
        try #require(!text.contains("<"), "\(text)")
        var words = try Self.words(of: text)[...]
        let program = words.popFirst()
        try #require(program == "curl")
        var method: String?
        var url: String?
        var fields: [(String, String)] = []
        var data: [String] = []
        while let word = words.popFirst() {
            switch word {
            case "-i": break
            case "-X": method = words.popFirst()
            case "-d": data += words.popFirst().map { [$0] } ?? []
            case "-H":
                let next = words.popFirst()
                let field = try #require(next)
                let colon = try #require(field.firstIndex(of: ":"))
                let value = field[field.index(after: colon)...].drop { $0 == " " }
                fields.append((String(field[..<colon]), String(value)))
            default:
                try #require(url == nil && word.hasPrefix(server.baseURL + "/"), "\(text)")
                url = String(word.dropFirst(server.baseURL.count))
            }
        }
        if !data.isEmpty, !fields.contains(where: { $0.0 == "Content-Type" }) {
            fields.append(("Content-Type", "application/x-www-form-urlencoded"))
        }
        return try server.send(
            method ?? "GET",
            try #require(url),
            fields,
            data.isEmpty ? nil : Array(data.joined(separator: "&").utf8)
        )
    }

    /// The words of a line, as a shell reads them; of quotation marks only single ones are known.
    private static func words(of line: String) throws -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        var isEscaped = false
        for character in line {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if character == "'" {
                isQuoted.toggle()
            } else if isQuoted {
                word.append(character)
            } else if character == "\\" {
                isEscaped = true
            } else if character == " " {
                words.append(word)
                word = ""
            } else {
                // A shell would make something else of these.
                try #require(!"\"`$&;|<>()*?#!~".contains(character), "\(line)")
                word.append(character)
            }
        }
        try #require(!isQuoted && !isEscaped, "\(line)")
        return words + [word]
    }
}
