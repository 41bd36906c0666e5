import HTTPTransport
import JSON
import MockServer
import OAuth
import Readings
import TestSupport
import TestTools
import Testing

extension TestServer {
    /// The log of changes.
    func changes(_ query: String = "") throws -> JSONValue {
        let answer = try control("GET", "/changes" + query)
        try #require(answer.status == 200, "\(answer.text)")
        return answer.json
    }

    /// What each change was: its kind and what became of the record.
    func changeWords(_ query: String = "") throws -> [String] {
        (try changes(query)["items"]?.array ?? []).map {
            "\($0["kind"]?.string ?? "") \($0["change"]?.string ?? "")"
        }
    }

    /// The octets of the normalised list.
    func effects(_ query: String = "") throws -> String {
        try control("GET", "/changes?normalised=true" + query).text
    }
}

@Suite("The log of changes")
struct ChangesTests {
    static let report: JSONValue = ["reportText": "No acute findings.", "reportStatus": "final"]

    private static func sha256(_ text: String) -> String {
        SHA256Digest.hexadecimal(of: Array(text.utf8))
    }

    // MARK: Items

    @Test("Each write of a client is one change with its request, in order; a replay is none")
    func eachWrite() throws {
        let server = try TestServer()
        #expect(try server.changes() == ["items": [], "dropped": 0])
        let comment = try server.post(
            TestServer.commentsPath,
            ["commentText": "Sent.", "commentType": "PC"],
            key: "c-1",
            fields: [("X-Correlation-Id", "first-comment")]
        )
        for _ in 0..<2 {
            let replay = try server.post(
                TestServer.commentsPath,
                ["commentText": "Sent.", "commentType": "PC"],
                key: "c-1"
            )
            #expect(replay.field("idempotency-replayed") == "true")
        }
        #expect(
            try server.post(TestServer.commentsPath, ["commentText": "x"], key: "c-1").status == 409
        )
        #expect(try server.post(TestServer.commentsPath, ["commentText": ""]).status == 400)
        #expect(
            try server.post("reporting/appointments/A0/comments", ["commentText": "x"]).status
                == 404
        )
        server.advance(seconds: 60)
        let upload = try UploadTests.Announced(server: server)
        #expect(try upload.put(UploadTests.pdf).status == 200)
        #expect(try upload.put(UploadTests.pdf).status == 403)
        let first = try server.post(TestServer.reportPath, Self.report, key: "r-1")
        let second = try server.post(TestServer.reportPath, Self.report, key: "r-2")

        let items = try #require(try server.changes()["items"]?.array)
        #expect(
            items.map { [$0["kind"]?.string, $0["change"]?.string] } == [
                ["comment", "added"], ["upload-url", "added"], ["upload", "added"],
                ["report", "added"], ["report", "replaced"],
            ]
        )
        #expect(
            items.map { $0["id"]?.string } == [
                comment.json["guid"]?.string, upload.guid, upload.guid,
                first.json["reportGuid"]?.string, second.json["reportGuid"]?.string,
            ]
        )
        for item in items {
            #expect(item["domain"] == "acme" && item["appointmentId"] == "A123456")
            #expect(item["client"] == "acme-partner")
            #expect(item["value"] == nil)
            let number = try #require(item["request"]?.int)
            let entries = try server.control("GET", "/requests/\(number)").json["items"]?.array
            let entry = try #require(entries?.first)
            #expect(entry["id"]?.int == number)
            #expect(entry["requestId"] == item["requestId"])
            #expect(entry["status"] == 200)
        }
        #expect(items[0]["requestId"] == "first-comment")
        #expect(items[0]["time"] == "2025-06-01T00:00:00Z")
        #expect(items[1]["time"] == "2025-06-01T00:01:00Z")
    }

    @Test(
        "Requests keep their numbers in the journal: one entry each, in the order of their effects"
    )
    func journal() throws {
        let server = try TestServer()
        for text in ["a", "b", "c"] {
            _ = try server.post(TestServer.commentsPath, ["commentText": .string(text)])
            _ = try server.get("appointments/A123456")
        }
        let entries = try server.control("GET", "/requests").json["items"]?.array ?? []
        #expect(entries.count == 7)
        let posts = entries.filter { $0["method"] == "POST" && $0["operation"] != "token" }
        #expect(
            posts.reversed().map { $0["id"] }
                == (try server.changes()["items"]?.array ?? []).map { $0["request"] }
        )
        #expect(posts.allSatisfy { $0["status"] == 200 && $0["path"] != "(withheld)" })
    }

    @Test("Records that a test puts or removes are changes without a request")
    func controlWrites() throws {
        let server = try TestServer()
        let patient: JSONValue = ["patientId": "P 1", "firstName": "Ann", "lastName": "Example"]
        let path = "/data/acme/patients/P%201"
        #expect(try server.control("PUT", path, patient).status == 201)
        #expect(try server.control("PUT", path, patient).status == 200)
        #expect(try server.control("DELETE", path).status == 204)
        #expect(try server.control("DELETE", path).status == 404)
        #expect(try server.control("PUT", path, ["patientId": 1]).status == 400)
        #expect(try server.control("DELETE", "/data/acme/appointments/A123457").status == 204)
        let items = try #require(try server.changes("?values=true")["items"]?.array)
        #expect(
            items.map { [$0["kind"], $0["change"], $0["id"], $0["appointmentId"]] } == [
                ["patient", "added", "P 1", .null], ["patient", "replaced", "P 1", .null],
                ["patient", "removed", "P 1", .null],
                ["appointment", "removed", "A123457", "A123457"],
            ]
        )
        #expect(items.allSatisfy { $0["request"] == .null && $0["client"] == .null })
        #expect(items.allSatisfy { $0["requestId"]?.string?.isEmpty == false })
        #expect(items.map { $0["value"] == .null } == [false, false, true, true])
        #expect(items[0]["value"]?["firstName"] == "Ann")
        // No client did it.
        #expect(try server.effects() == #"{"items":[],"dropped":0}"#)
    }

    @Test("values shows each record as its effect stored it")
    func values() throws {
        let server = try TestServer()
        let upload = try UploadTests.Announced(fileName: "böses.pdf", server: server)
        _ = try upload.put(UploadTests.pdf)
        for text in ["First.", "Second."] {
            let body: JSONValue = [
                "reportText": .string(text), "reportStatus": "Preliminary",
                "reportedAtUtc": "2025-01-10T03:04:05+10:00",
                "interpretingClinician": ["name": "Dr Invented"],
            ]
            #expect(try server.post(TestServer.reportPath, body).status == 200)
        }
        let values = (try server.changes("?values=true")["items"]?.array ?? []).map { $0["value"] }
        #expect(values.count == 4)
        #expect(values[0]?["fileName"] == "böses.pdf")
        #expect(values[0]?["uploadUrl"] == nil)
        #expect(values[1]?["octets"]?.int == UploadTests.pdf.count)
        #expect(values[1]?["sha256"]?.string == SHA256Digest.hexadecimal(of: UploadTests.pdf))
        #expect(values[2]?["reportText"] == "First.")
        #expect(values[3]?["reportText"] == "Second.")
        #expect(values[3]?["reportedAtUtc"] == "2025-01-09T17:04:05Z")
        #expect(values[3]?["interpretingClinician"]?["name"] == "Dr Invented")
    }

    @Test("A status that follows from a report is a change of the same request")
    func finalises() throws {
        let server = try TestServer { $0.readings[.finalReport] = .value(1) }
        _ = try server.post(TestServer.reportPath, Self.report)
        let items = try server.changes("?values=true")["items"]?.array ?? []
        #expect(items.map { $0["kind"] } == ["report", "appointment"])
        #expect(items.last?["change"] == "replaced")
        #expect(items.last?["request"] == items.first?["request"])
        #expect(items.last?["value"]?["status"] == "FINALISED")
        let other = try TestServer()
        _ = try other.post(TestServer.reportPath, Self.report)
        #expect(try server.effects() == other.effects())
    }

    // MARK: Faults

    @Test(
        "An effect whose answer is lost is one change, and a repeat by key none more",
        arguments: [
            #""sequence":[{"phase":"after","transport":"CONNECTION_RESET_BY_PEER"}]"#,
            #""sequence":[{"phase":"after","status":500}]"#,
            #""sequence":[{"phase":"after","status":500,"delay":"20ms"}]"#,
            #""sequence":[{"delay":"20ms"}]"#,
        ]
    )
    func lostAnswers(rule: String) throws {
        let server = try TestServer()
        try server.arm(rule, on: "Integrations_CreatePendingReportingAppointmentComment")
        for _ in 0..<2 {
            _ = try? server.post(TestServer.commentsPath, ["commentText": "Sent."], key: "k")
        }
        let items = try server.changes()["items"]?.array ?? []
        #expect(items.map { $0["kind"] } == ["comment"])
        let number = try #require(items.first?["request"]?.int)
        let entries = try server.control("GET", "/requests/\(number)").json["items"]?.array
        let entry = try #require(entries?.first)
        #expect(entry["fault"]?["rule"] == "r")
        #expect(entry["requestId"] == items.first?["requestId"])
        // The token, the first attempt and the second.
        #expect(try server.control("GET", "/requests/count").json["count"] == 3)
        #expect(try server.commentTexts().filter { $0 == "Sent." }.count == 1)
    }

    @Test("What a fault answers in the operation's place is no change")
    func refused() throws {
        let server = try TestServer()
        try server.arm(
            #""then":{"status":503}"#,
            on: "Integrations_SubmitPendingReportingAppointmentReport"
        )
        #expect(try server.post(TestServer.reportPath, Self.report).status == 503)
        #expect(try server.changes()["items"] == [])
    }

    // MARK: Normalised

    @Test("The normalised list has the last effects of clients, and each text as its SHA-256")
    func normalised() throws {
        let server = try TestServer()
        _ = try server.post(TestServer.reportPath, ["reportText": "Old.", "reportStatus": "final"])
        _ = try server.post(
            TestServer.commentsPath,
            ["commentText": "Zweiter “Text”", "commentType": "AA"]
        )
        _ = try UploadTests.Announced(server: server)
        let upload = try UploadTests.Announced(server: server)
        _ = try upload.put(UploadTests.pdf)
        _ = try server.post(
            TestServer.reportPath,
            [
                "reportText": "New.", "reportStatus": "PRELIMINARY",
                "interpretingClinician": ["providerNumber": "1A", "name": "Dr Invented"],
            ]
        )
        let text = try server.effects()
        #expect(
            try JSONParser.parse(Array(text.utf8)) == [
                "items": [
                    [
                        "kind": "comment", "domain": "acme", "appointmentId": "A123456",
                        "value": [
                            "commentType": "AA", "isAlert": true,
                            "commentText": .string(Self.sha256("Zweiter “Text”")),
                        ],
                    ],
                    [
                        "kind": "report", "domain": "acme", "appointmentId": "A123456",
                        "value": [
                            "reportStatus": "preliminary",
                            "reportText": .string(Self.sha256("New.")),
                            "interpretingClinician": [
                                "name": .string(Self.sha256("Dr Invented")),
                                "providerNumber": .string(Self.sha256("1A")),
                            ],
                        ],
                    ],
                    [
                        "kind": "upload", "domain": "acme", "appointmentId": "A123456",
                        "value": [
                            "category": "report", "octets": .integer(UploadTests.pdf.count),
                            "sha256": .string(SHA256Digest.hexadecimal(of: UploadTests.pdf)),
                            "fileName": .string(Self.sha256("report.pdf")),
                            "contentType": .string(Self.sha256("application/pdf")),
                        ],
                    ],
                ], "dropped": 0,
            ]
        )
        #expect(try server.effects("&values=true") == text)
    }

    @Test("The same effects in another order, at another time, by other requests: the same octets")
    func order() throws {
        func run(_ texts: [String], waiting: Int64, repeats: Bool) throws -> String {
            let server = try TestServer()
            server.advance(seconds: waiting)
            for text in texts {
                for _ in 0..<(repeats ? 3 : 1) {
                    let answer = try server.post(
                        TestServer.commentsPath,
                        ["commentText": .string(text)],
                        key: "key-\(text.utf8.count)-\(text.first ?? " ")"
                    )
                    #expect(answer.status == 200)
                }
            }
            if repeats {
                let early: JSONValue = ["reportText": "Early.", "reportStatus": "preliminary"]
                _ = try server.post(TestServer.reportPath, early)
            }
            _ = try server.post(TestServer.reportPath, Self.report)
            return try server.effects()
        }
        let one = try run(["a", "b", "c"], waiting: 0, repeats: false)
        #expect(try run(["c", "a", "b"], waiting: 77, repeats: true) == one)
        #expect(try run(["a", "b"], waiting: 0, repeats: false) != one)
        #expect(try run(["a", "b", "d"], waiting: 0, repeats: false) != one)
        // A comment that stands there twice is another effect.
        #expect(try run(["a", "b", "c", "c "], waiting: 0, repeats: false) != one)
    }

    @Test("The good client leaves the same effects with and without lost answers")
    func goodClient() throws {
        func effects(scenario: String) throws -> String {
            let server = try ClientMatrixTests.server(scenario: scenario)
            let client = try ClientMatrixTests.start(
                [Repository.path("examples/good_client.py")],
                at: server,
                environment: ["QUBS_TIMEOUT": "20"]
            )
            #expect(try client.exitStatus() == 0, "\(client.errorOutput)")
            let items = try server.changes()["items"]?.array ?? []
            #expect(items.allSatisfy { $0["request"]?.int ?? 0 > 0 })
            return try server.effects()
        }
        let first = try effects(scenario: "lost-answers")
        #expect(try effects(scenario: "lost-answers") == first)
        #expect(try effects(scenario: "calm") == first)
        #expect(first.contains(#""kind":"report""#) && first.contains(#""kind":"upload""#))
    }

    // MARK: Reset, snapshots, sessions

    @Test("A reset of data empties the log; a snapshot brings back the one of its moment")
    func resetAndSnapshot() throws {
        let server = try TestServer()
        let added = { try server.post(TestServer.commentsPath, ["commentText": "x"]).status }
        #expect(try server.control("PUT", "/snapshots/none").status == 201)
        #expect(try added() == 200)
        #expect(try server.control("PUT", "/snapshots/one").status == 201)
        let one = try server.changes()
        #expect(try added() == 200)
        #expect(try server.changeWords().count == 2)
        #expect(try server.control("POST", "/snapshots/one/restore").status == 204)
        #expect(try server.changes() == one)
        // Numbers go on from there, and none is given twice.
        #expect(try added() == 200)
        let numbers = (try server.changes()["items"]?.array ?? []).compactMap { $0["request"]?.int }
        #expect(numbers.count == 2 && Set(numbers).count == 2)
        for scope in ["ledger", "journal", "faults"] {
            _ = try server.control("POST", "/reset", ["scope": [.string(scope)]])
        }
        #expect(try server.changeWords().count == 2)
        #expect(try server.control("POST", "/reset", ["scope": ["data"]]).status == 204)
        #expect(try server.changes() == ["items": [], "dropped": 0])
        #expect(try added() == 200)
        #expect(try server.control("POST", "/snapshots/none/restore").status == 204)
        #expect(try server.changes() == ["items": [], "dropped": 0])
    }

    @Test("A reset of data that keeps the ledger empties the log, too")
    func resetKeepingLedger() throws {
        let server = try TestServer()
        _ = try server.post(TestServer.commentsPath, ["commentText": "x"], key: "k")
        #expect(try server.control("POST", "/reset", ["scope": ["data"]]).status == 204)
        #expect(try server.control("GET", "/idempotency").json["items"]?.array?.count == 1)
        #expect(try server.changes()["items"] == [])
    }

    @Test("Sessions have logs of their own")
    func sessions() throws {
        let server = try TestServer()
        _ = try server.post(TestServer.commentsPath, ["commentText": "x"], as: "acme-partner+one")
        #expect(try server.changes()["items"] == [])
        let items = try server.changes("?session=one")["items"]?.array
        #expect(items?.map { $0["client"] } == ["acme-partner"])
        #expect(try server.control("GET", "/changes?session=two").status == 404)
        #expect(try server.control("GET", "/changes?value=true").status == 400)
        #expect(try server.control("GET", "/changes?values=maybe").status == 400)
    }

    @Test("A database keeps the log; the numbers of an earlier run's requests are not told")
    func restart() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("data.db")
        var kept: JSONValue = .null
        do {
            let server = try TestServer { $0.databasePath = path }
            _ = try server.post(TestServer.commentsPath, ["commentText": "x"])
            kept = try #require(try server.changes()["items"]?.array?.first)
            #expect(kept["request"]?.int != nil)
        }
        let server = try TestServer { $0.databasePath = path }
        _ = try server.post(TestServer.commentsPath, ["commentText": "y"])
        let items = try #require(try server.changes()["items"]?.array)
        #expect(items.count == 2)
        #expect(items[0]["request"] == .null && items[1]["request"]?.int != nil)
        for member in ["kind", "change", "id", "requestId", "time", "client"] {
            #expect(items[0][member] == kept[member])
        }
    }

    // MARK: Privacy

    @Test("A correlation id with a patient's name or a token in it is withheld")
    func withheldRequestID() throws {
        let server = try TestServer()
        for id in ["Jane Doe", "run-17.b", try server.token().split(separator: ".")[1].description]
        {
            let fields = [("X-Correlation-Id", String(id.prefix(128)))]
            let answer = try server.post(
                TestServer.commentsPath,
                ["commentText": "x"],
                fields: fields
            )
            #expect(answer.status == 200)
        }
        let items = try server.changes()["items"]?.array ?? []
        #expect(items.map { $0["requestId"] } == ["(withheld)", "run-17.b", "(withheld)"])
    }
}
