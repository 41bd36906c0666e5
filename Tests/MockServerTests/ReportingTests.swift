import HTTPTransport
import JSON
import MockServer
import Testing
import Readings
import TestSupport

@Suite("Reporting writes")
struct ReportingTests {
    // MARK: Comments

    /// A comment as sent, and the members that it must come back with.
    static let comments: [(sent: JSONValue, kept: JSONValue)] = [
        (
            ["commentText": "Sent."],
            ["commentText": "Sent.", "commentType": "AC", "isAlert": false]
        ),
        (
            ["commentText": "Sent.", "commentType": nil, "isAlert": nil, "commentDateTime": nil],
            ["commentType": "AC", "isAlert": false, "commentDateTime": "2025-06-01T00:00:00Z"]
        ),
        (["commentText": "x", "isAlert": true], ["commentType": "AA", "isAlert": true]),
        // An explicit type wins over a contradicting isAlert.
        (
            ["commentText": "x", "isAlert": true, "commentType": "AC"],
            ["commentType": "AC", "isAlert": false]
        ),
        (
            ["commentText": "x", "isAlert": false, "commentType": "AA"],
            ["commentType": "AA", "isAlert": true, "appointmentId": "A123456"]
        ),
        (
            ["commentText": "x", "commentType": "PC"],
            ["commentType": "PC", "isAlert": false, "appointmentId": nil, "patientId": "220000"]
        ),
        (
            ["commentText": "x", "commentType": "PA", "isAlert": false],
            ["commentType": "PA", "isAlert": true, "appointmentId": nil, "patientId": "220000"]
        ),
        (["commentText": "x", "surplus": [1, ["a": nil]]], ["commentText": "x"]),
        (
            ["commentText": "\u{A0}\n 😀 e\u{301} \u{5D0}\u{200F} \u{0}\""],
            ["commentText": "\u{A0}\n 😀 e\u{301} \u{5D0}\u{200F} \u{0}\""]
        ),
        (["commentText": "x"], ["createdBy": ["userId": "acme-partner", "name": "acme-partner"]]),
    ]

    @Test("A comment is kept as sent, with what follows from it", arguments: comments.indices)
    func comment(index: Int) throws {
        let (sent, kept) = Self.comments[index]
        let server = try TestServer()
        let answer = try server.post(TestServer.commentsPath, sent)
        #expect(answer.status == 200, "\(answer.text)")
        for member in kept.object?.members ?? [] {
            #expect(answer.json[member.name] == member.value, "\(member.name)")
        }
        #expect(answer.json["surplus"] == nil)
        let guid = try #require(answer.json["guid"]?.string)
        #expect(try server.get("\(TestServer.commentsPath)/\(guid)").json == answer.json)
        for path in [TestServer.commentsPath, "appointments/A123456/comments"] {
            let listed = try server.get(path).json.array ?? []
            #expect(listed.filter { $0["guid"]?.string == guid } == [answer.json], "\(path)")
        }
    }

    @Test(
        "Times of the client come back in UTC with the precision of the API",
        arguments: [
            ("2025-01-10T03:04:05Z", "2025-01-10T03:04:05Z"),
            ("2025-01-10T13:34:05+10:30", "2025-01-10T03:04:05Z"),
            ("2024-12-31T23:59:59.999-00:01", "2025-01-01T00:00:59Z"),
            ("2025-01-10t03:04:05z", "2025-01-10T03:04:05Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ]
    )
    func times(sent: String, kept: String) throws {
        let server = try TestServer()
        let comment = try server.post(
            TestServer.commentsPath,
            ["commentText": "x", "commentDateTime": .string(sent)]
        )
        #expect(comment.json["commentDateTime"]?.string == kept)
        let report = try server.post(
            TestServer.reportPath,
            ["reportText": "x", "reportStatus": "final", "reportedAtUtc": .string(sent)]
        )
        #expect(report.json["reportedAtUtc"]?.string == kept)
    }

    @Test(
        "A time that its offset takes out of the years 0000 to 9999 is refused",
        arguments: ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"]
    )
    func timesOutOfRange(sent: String) throws {
        let server = try TestServer()
        let comment = try server.post(
            TestServer.commentsPath,
            ["commentText": "x", "commentDateTime": .string(sent)]
        )
        #expect(comment.status == 400)
        #expect(comment.json["errors"]?["/commentDateTime"] != nil, "\(comment.text)")
        let report = try server.post(
            TestServer.reportPath,
            ["reportText": "x", "reportStatus": "final", "reportedAtUtc": .string(sent)]
        )
        #expect(report.status == 400)
        #expect(report.json["errors"]?["/reportedAtUtc"] != nil, "\(report.text)")
    }

    @Test("A comment on the appointment is the appointment's, one on the patient is everywhere")
    func owners() throws {
        let server = try TestServer()
        // A123457 and A900019 are of one patient.
        func texts(_ appointment: String) throws -> [String] {
            try server.commentTexts(of: appointment)
        }
        for type in ["AC", "AA", "PC", "PA"] {
            let answer = try server.post(
                "reporting/appointments/A123457/comments",
                ["commentText": .string("As \(type)."), "commentType": .string(type)]
            )
            #expect(answer.status == 200)
            let guid = try #require(answer.json["guid"]?.string)
            let isForPatient = type.hasPrefix("P")
            #expect(try texts("A123457").contains("As \(type)."))
            #expect(try texts("A900019").contains("As \(type).") == isForPatient)
            #expect(try !texts("A123456").contains("As \(type)."))
            let other = "reporting/appointments/A900019/comments/\(guid)"
            #expect(try server.get(other).status == (isForPatient ? 200 : 404))
        }
    }

    @Test("A patient comment needs a patient")
    func withoutPatient() throws {
        let server = try TestServer()
        let path = "reporting/appointments/A900007/comments"
        let refused = try server.post(path, ["commentText": "x", "commentType": "PC"])
        #expect(refused.status == 400)
        #expect(refused.json["errors"]?["/commentType"] != nil)
        #expect(try server.post(path, ["commentText": "x"]).json["patientId"] == .null)
    }

    // MARK: Refusals

    /// A body that breaks one rule, and the pointer of it.
    static let refusals: [(path: String, body: JSONValue, pointer: String)] = [
        (TestServer.commentsPath, [:], "/commentText"),
        (TestServer.commentsPath, ["commentText": nil], "/commentText"),
        (TestServer.commentsPath, ["commentText": ""], "/commentText"),
        (TestServer.commentsPath, ["commentText": " \t\n"], "/commentText"),
        (TestServer.commentsPath, ["commentText": 5], "/commentText"),
        (TestServer.commentsPath, ["commentText": "x", "commentType": "ac"], "/commentType"),
        (TestServer.commentsPath, ["commentText": "x", "commentType": ""], "/commentType"),
        (TestServer.commentsPath, ["commentText": "x", "isAlert": "true"], "/isAlert"),
        (
            TestServer.commentsPath, ["commentText": "x", "commentDateTime": "2025-01-10"],
            "/commentDateTime"
        ),
        (
            TestServer.commentsPath,
            ["commentText": "x", "commentDateTime": "2025-02-29T00:00:00Z"], "/commentDateTime"
        ),
        (TestServer.uploadsPath, [:], "/items"),
        (TestServer.uploadsPath, ["items": nil], "/items"),
        (TestServer.uploadsPath, ["items": []], "/items"),
        (TestServer.uploadsPath, ["items": [:]], "/items"),
        (TestServer.uploadsPath, ["items": [[:]]], "/items/0/fileName"),
        (TestServer.uploadsPath, ["items": [["fileName": " "]]], "/items/0/fileName"),
        (TestServer.uploadsPath, ["items": ["report.pdf"]], "/items/0"),
        (
            TestServer.uploadsPath,
            ["items": [["fileName": .string(String(repeating: "é", count: 256))]]],
            "/items/0/fileName"
        ),
        (
            TestServer.uploadsPath,
            ["items": [["fileName": "a"], ["fileName": "b", "contentType": "image/png"]]],
            "/items/1/contentType"
        ),
        (
            TestServer.uploadsPath,
            ["items": .array(Array(repeating: ["fileName": "a"], count: 21))], "/items"
        ),
        (TestServer.reportPath, ["reportStatus": "final"], "/reportText"),
        (TestServer.reportPath, ["reportText": "x"], "/reportStatus"),
        (
            TestServer.reportPath, ["reportText": "\u{2003}", "reportStatus": "final"],
            "/reportText"
        ),
        (TestServer.reportPath, ["reportText": "x", "reportStatus": "done"], "/reportStatus"),
        (TestServer.reportPath, ["reportText": "x", "reportStatus": "final "], "/reportStatus"),
        (TestServer.reportPath, ["reportText": "x", "reportStatus": nil], "/reportStatus"),
        (
            TestServer.reportPath,
            ["reportText": "x", "reportStatus": "final", "reportedAtUtc": "now"], "/reportedAtUtc"
        ),
        (
            TestServer.reportPath,
            ["reportText": "x", "reportStatus": "final", "interpretingClinician": "Dr X"],
            "/interpretingClinician"
        ),
    ]

    @Test("Each broken rule of a body is 400, named by its pointer", arguments: refusals.indices)
    func refusal(index: Int) throws {
        let (path, body, pointer) = Self.refusals[index]
        let server = try TestServer()
        let comments = try server.get("appointments/A123456/comments").json
        let attachments = try server.get("appointments/A123456/attachments").json.array?.count
        let answer = try server.post(path, body, key: "k")
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["errors"]?.object?.members.map(\.name) == [pointer], "\(answer.text)")
        #expect(try server.control("GET", "/idempotency").json["items"] == [])
        #expect(try server.get("appointments/A123456/comments").json == comments)
        let listed = try server.get("appointments/A123456/attachments").json.array
        #expect(listed?.count == attachments)
    }

    @Test("All that is wrong with a body is told at once")
    func allAtOnce() throws {
        let server = try TestServer()
        let answer = try server.post(
            TestServer.commentsPath,
            ["commentText": " ", "commentType": "XX", "isAlert": 1, "commentDateTime": "x"]
        )
        #expect(answer.status == 400)
        #expect(
            answer.json["errors"]?.object?.members.map(\.name)
                == ["/commentText", "/commentType", "/isAlert", "/commentDateTime"]
        )
    }

    @Test(
        "A body that is no JSON of ours is refused",
        arguments: [
            ("", "application/json", 400), ("{", "application/json", 400),
            ("[]", "application/json", 400), ("null", "application/json", 400),
            ("{\"commentText\":\"a\",\"commentText\":\"b\"}", "application/json", 400),
            ("{\"commentText\":\"a\",\"\\u0063ommentText\":\"b\"}", "application/json", 400),
            ("{\"commentText\":\"\\ud800\"}", "application/json", 400),
            ("{\"commentText\":\"a\",}", "application/json", 400),
            ("{'commentText':'a'}", "application/json", 400),
            ("{\"commentText\":\"a\"} x", "application/json", 400),
            ("{\"commentText\":\"a\u{1}\"}", "application/json", 400),
            ("{\"commentText\":\"a\"}", "application/json; charset=utf-8", 200),
            ("{\"commentText\":\"a\"}", "Application/JSON", 200),
            ("{\"commentText\":\"a\"}", "text/plain", 415),
            ("{\"commentText\":\"a\"}", "application/x-www-form-urlencoded", 415),
            ("{\"commentText\":\"a\"}", "application/json, text/plain", 415),
            ("{\"commentText\":\"a\"}", "", 415), ("", "text/plain", 400), ("", "", 400),
            ("{\"commentText\":\"a\"}", "application / json", 415),
            ("{\"commentText\":\"a\"}", "application/json ; charset=utf-8", 200),
            ("{\"commentText\":\"a\"}", "application/json; charset = utf-8", 415),
        ]
    )
    func content(body: String, type: String, status: Int) throws {
        let server = try TestServer()
        let types = type.isEmpty ? [] : [("Content-Type", type)]
        let answer = try server.postOctets(TestServer.commentsPath, Array(body.utf8), types)
        #expect(answer.status == status, "\(answer.text)")
    }

    @Test("Invalid UTF-8 and content without a type are refused, two types too")
    func moreContent() throws {
        let server = try TestServer()
        let json = ("Content-Type", "application/json")
        let invalid = Array("{\"commentText\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)
        let valid = Array("{\"commentText\":\"a\"}".utf8)
        #expect(try server.postOctets(TestServer.commentsPath, invalid, [json]).status == 400)
        #expect(try server.postOctets(TestServer.commentsPath, valid, []).status == 415)
        #expect(try server.postOctets(TestServer.commentsPath, valid, [json, json]).status == 415)
    }

    @Test("Depth 64 is taken, 65 is not, and a million brackets end nothing")
    func depth() throws {
        let server = try TestServer()
        func answer(_ depth: Int) throws -> Int {
            let nested =
                String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
            return try server.postOctets(
                TestServer.commentsPath,
                Array("{\"commentText\":\"a\",\"x\":\(nested)}".utf8),
                [("Content-Type", "application/json")]
            ).status
        }
        #expect(try answer(64) == 200)
        #expect(try answer(65) == 400)
        #expect(try answer(1_000_000) == 400)
        let open =
            Array("{\"commentText\":".utf8) + Array(repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(
            try server.postOctets(
                TestServer.commentsPath,
                open,
                [("Content-Type", "application/json")]
            ).status == 400
        )
    }

    @Test("JSON beyond 16 MiB is refused before it is sent")
    func hugeContent() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.listener.port)
        let target = "/integrations/v1/acme/\(TestServer.commentsPath)"
        let answer = try client.exchange(
            """
            POST \(target) HTTP/1.1\r
            Host: 127.0.0.1\r
            Authorization: Bearer \(try server.token())\r
            Content-Type: application/json\r
            Content-Length: \((16 << 20) + 1)\r
            Expect: 100-continue\r\n\r\n
            """
        )
        #expect(answer.status == 413)
        TestServer.validate(answer, to: "POST", target)
    }

    // MARK: Appointments that do not wait

    @Test(
        "The three writes are 404 for appointments that do not wait for a report",
        arguments: [TestServer.commentsPath, TestServer.uploadsPath, TestServer.reportPath]
    )
    func notPending(path: String) throws {
        let server = try TestServer()
        let body: JSONValue = [
            "commentText": "x", "items": [["fileName": "a.pdf"]], "reportText": "x",
            "reportStatus": "final",
        ]
        for appointment in ["A900082", "NOPE", "A900066%20"] {
            let other = path.replacing("A123456", with: appointment)
            let answer = try server.post(other, body)
            #expect(answer.status == 404, "\(other)")
        }
        #expect(try server.post(path, body, as: "globex-partner").status == 403)
        #expect(try server.post(path, body, as: nil).status == 401)
        #expect(
            try server.post(path, body, as: "globex-partner", domain: "globex").status == 404
        )
        #expect(try server.get(path, method: "PUT").status == 405)
    }

    // MARK: Reports

    @Test(
        "A report takes its status in any case and answers it in lower case",
        arguments: ["preliminary", "PRELIMINARY", "Final", "fINAL"]
    )
    func reportStatus(status: String) throws {
        let server = try TestServer()
        let answer = try server.post(
            TestServer.reportPath,
            [
                "reportText": " As is. \r\n", "reportStatus": .string(status),
                "interpretingClinician": ["name": "Alex Example", "else": 1],
            ]
        )
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["reportStatus"]?.string == status.lowercased())
        #expect(answer.json["reportedAtUtc"] == "2025-06-01T00:00:00Z")
        #expect(try server.get("appointments/A123456").json["status"] == "PENDING REPORTING")
    }

    @Test("Every submission has a report guid of its own, a preliminary after a final one, too")
    func resubmission() throws {
        let server = try TestServer()
        var guids: Set<String> = []
        for status in ["preliminary", "final", "final", "preliminary"] {
            let answer = try server.post(
                TestServer.reportPath,
                ["reportText": "x", "reportStatus": .string(status)]
            )
            #expect(answer.status == 200)
            guids.insert(try #require(answer.json["reportGuid"]?.string))
        }
        #expect(guids.count == 4)
    }

    @Test("A report text may have 2097152 octets of UTF-8, not one more")
    func reportLength() throws {
        let server = try TestServer()
        func answer(_ text: String) throws -> TestServer.Answer {
            try server.post(
                TestServer.reportPath,
                ["reportText": .string(text), "reportStatus": "final"]
            )
        }
        #expect(try answer(String(repeating: "a", count: 2_097_152)).status == 200)
        #expect(try answer(String(repeating: "é", count: 1_048_576)).status == 200)
        for text in [
            String(repeating: "a", count: 2_097_153),
            String(repeating: "é", count: 1_048_576) + "a",
        ] {
            let refused = try answer(text)
            #expect(refused.status == 400)
            #expect(refused.json["errors"]?["/reportText"] != nil)
            #expect(refused.response.content.count < 2000)
        }
    }

    @Test("With finalises a final report moves the appointment, in every view")
    func finalises() throws {
        let server = try TestServer { $0.readings[.finalReport] = .value(1) }
        func submit(_ status: String) throws -> TestServer.Answer {
            try server.post(
                TestServer.reportPath,
                ["reportText": "x", "reportStatus": .string(status)]
            )
        }
        func ids(_ path: String, as client: String = "acme-partner") throws -> [String] {
            var ids: [String] = []
            var token = ""
            repeat {
                let page = try server.get("\(path)?pageSize=500\(token)", as: client).json
                ids += (page["items"]?.array ?? []).compactMap { $0["appointmentId"]?.string }
                token = page["nextToken"]?.string.map { "&nextToken=\($0)" } ?? ""
            } while !token.isEmpty
            return ids
        }
        let pending = "reporting/appointments/pending"
        #expect(try submit("preliminary").status == 200)
        #expect(try ids(pending).contains("A123456"))
        let before = try ids(pending).count
        #expect(try submit("FINAL").status == 200)
        #expect(try ids(pending).count == before - 1)
        #expect(try !ids(pending).contains("A123456"))
        for view in ["appointments", "appointments/operational", "appointments/referrer"] {
            let client = view.hasSuffix("referrer") ? "acme-referrer" : "acme-partner"
            #expect(try ids("\(view)/by-status/FINALISED", as: client).contains("A123456"))
            #expect(
                try !ids("\(view)/by-status/PENDING%20REPORTING", as: client).contains("A123456")
            )
            let list = try server.get("\(view)?appointmentDate=2025-01-12", as: client).json.array
            let row = list?.first { $0["appointmentId"] == "A123456" }
            #expect(row?["status"] == "FINALISED", "\(view)")
        }
        #expect(try server.get("appointments/A123456").json["status"] == "FINALISED")
        #expect(
            try server.get("appointments/operational/by-id/A123456").json["status"] == "FINALISED"
        )
        for path in ["", "/comments", "/attachments"] {
            #expect(try server.get("reporting/appointments/A123456\(path)").status == 404)
        }
        #expect(try server.get("appointments/A123456/comments").status == 200)
        #expect(try submit("final").status == 404)
    }

    @Test("With created status 201 the three writes answer 201, replays too")
    func createdStatus() throws {
        let server = try TestServer { $0.readings[.createdStatus] = .value(1) }
        for (path, body) in TestServer.writes {
            #expect(try server.post(path, body, key: "k").status == 201)
            #expect(try server.post(path, body, key: "k").status == 201)
        }
    }
}

extension TestServer {
    static let commentsPath = "reporting/appointments/A123456/comments"
    static let uploadsPath = "reporting/appointments/A123456/report/attachments"
    static let reportPath = "reporting/appointments/A123456/report"

    /// The three writes, each with a body that is good.
    static let writes: [(path: String, body: JSONValue)] = [
        (commentsPath, ["commentText": "Report sent to referrer."]),
        (uploadsPath, ["items": [["fileName": "report.pdf", "contentType": "application/pdf"]]]),
        (reportPath, ["reportText": "No acute abnormality detected.", "reportStatus": "final"]),
    ]

    /// The texts of the comments that an appointment shows.
    func commentTexts(
        of appointment: String = "A123456",
        as client: String = "acme-partner"
    ) throws -> [String] {
        let list = try get("appointments/\(appointment)/comments", as: client).json.array
        return try #require(list).compactMap { $0["commentText"]?.string }
    }

    /// A POST below the domain acme whose content is exactly these octets.
    func postOctets(
        _ path: String,
        _ content: [UInt8],
        _ fields: [(String, String)] = [("Content-Type", "application/json")]
    ) throws -> Answer {
        let token = ("Authorization", "Bearer \(try token())")
        return try send("POST", "/integrations/v1/acme/\(path)", [token] + fields, content)
    }

    /// The path and query of a URL that this server made.
    func target(of url: JSONValue?) throws -> String {
        let text = try #require(url?.string)
        try #require(text.hasPrefix(baseURL + "/"), "\(text)")
        return String(text.dropFirst(baseURL.count))
    }
}
