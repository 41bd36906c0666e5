import HTTPMessage
import JSON
import MockServer
import OAuth
import TestSupport
import Testing

@Suite("Records as they are stored now")
struct RecordControlTests {
    private static let example = "/data/acme/appointments/A123456"

    /// Members that a record has beside its own.
    private static func record(_ answer: JSONValue) -> JSONValue {
        var object = answer.object ?? JSONObject()
        for name in ["report", "comments", "uploads"] { object[name] = nil }
        return .object(object)
    }

    @Test("An appointment shows what clients wrote about it")
    func appointment() throws {
        let server = try TestServer()
        let before = try server.control("GET", Self.example).json
        #expect(before["patientId"] == "220000" && before["status"] == "PENDING REPORTING")
        #expect(before["providerNumbers"]?.array?.isEmpty == false)
        #expect(before["patientName"] == nil)
        #expect(before["report"] == .null && before["uploads"] == [])
        let shown = try server.get("appointments/A123456/comments").json.array
        #expect(before["comments"]?.array?.count == shown?.count)

        _ = try server.post(TestServer.commentsPath, ["commentText": "Sent.", "commentType": "PA"])
        let upload = try UploadTests.Announced(server: server)
        _ = try UploadTests.Announced(contentType: nil, fileName: "late.pdf", server: server)
        _ = try upload.put(UploadTests.pdf)
        _ = try server.post(TestServer.reportPath, ["reportText": "Old.", "reportStatus": "final"])
        let report = try server.post(
            TestServer.reportPath,
            [
                "reportText": "New “text”.", "reportStatus": "Final",
                "reportedAtUtc": "2025-01-10T03:04:05Z",
                "interpretingClinician": ["name": "Dr Invented"],
            ]
        )
        let after = try server.control("GET", Self.example).json
        #expect(
            after["report"] == [
                "reportGuid": try #require(report.json["reportGuid"]), "reportStatus": "final",
                "reportedAtUtc": "2025-01-10T03:04:05Z", "reportText": "New “text”.",
                "interpretingClinician": ["name": "Dr Invented"],
            ]
        )
        let comments = after["comments"]?.array ?? []
        #expect(comments.count == (shown?.count ?? 0) + 1)
        #expect(comments.contains { $0["commentText"] == "Sent." })
        let uploads = after["uploads"]?.array ?? []
        #expect(uploads.map { $0["fileName"] } == ["report.pdf", "late.pdf"])
        #expect(uploads.map { $0["octets"]?.int } == [UploadTests.pdf.count, nil])
        #expect(uploads[0]["guid"]?.string == upload.guid)
        #expect(uploads[0]["contentType"] == "application/pdf")
        #expect(uploads[0]["sha256"]?.string == SHA256Digest.hexadecimal(of: UploadTests.pdf))
        #expect(uploads[1]["promisedContentType"] == .null && uploads[1]["contentType"] == .null)
        #expect(Self.record(after) == Self.record(before))
        // Another session has its own.
        _ = try server.control("PUT", "/sessions/one")
        let other = try server.control("GET", Self.example + "?session=one").json
        #expect(other["report"] == .null)
    }

    @Test("A patient shows its comments, a site its settings, inactive ones too")
    func patientAndSite() throws {
        let server = try TestServer()
        let patient = try server.control("GET", "/data/acme/patients/220000").json
        #expect(Self.record(patient) == (try server.get("patients/220000").json))
        #expect(patient["comments"]?.array?.count == 1)
        #expect(patient["comments"]?.array?.first?["commentType"] == "PC")
        let site = try server.control("GET", "/data/acme/sites/North%20Clinic").json
        #expect(site == (try server.get("sites/North%20Clinic").json))
    }

    /// The items of a list, all pages of it.
    private static func listed(_ server: TestServer, _ query: String) throws -> [JSONValue] {
        var items: [JSONValue] = []
        var after = ""
        for _ in 0..<100 {
            let page = try server.control("GET", "/data/acme/appointments?\(query)\(after)").json
            items += page["items"]?.array ?? []
            guard let next = page["next"]?.string else { return items }
            after = "&after=\(next)"
        }
        Issue.record("the list has no end")
        return items
    }

    @Test("Lists of sites and appointments name what there is, and no patient")
    func lists() throws {
        let server = try TestServer()
        let sites = try server.control("GET", "/data/acme/sites").json["items"]?.array ?? []
        let names = sites.compactMap { $0["siteName"]?.string }
        let data = try server.control("GET", "/data").json
        let acme = try #require(data["domains"]?.array?.first { $0["domain"] == "acme" })
        #expect(sites.count == acme["sites"]?.int && names.contains("Central Clinic"))
        #expect(sites.contains { $0["active"] == false } && sites.contains { $0["active"] == true })
        let total = sites.reduce(0) { $0 + ($1["appointments"]?.int ?? 0) }
        #expect(total == acme["appointments"]?.int)

        // All of a day at a site, in small pages: what clients see there.
        let day = try #require(acme["dayZero"]?.string)
        let query = "date=\(day)&site=Central%20Clinic&limit=7"
        let listed = try Self.listed(server, query)
        let seen = try server.allAppointments("acme", as: "acme-partner").filter {
            $0["appointmentDate"] == .string(day) && $0["scheduledSite"] == "Central Clinic"
        }
        #expect(listed.count > 20)
        func key(_ value: JSONValue) -> [JSONValue?] {
            ["appointmentId", "status", "scheduledSite", "appointmentDate", "startTime"].map {
                value[$0]
            }
        }
        func id(_ value: JSONValue) -> String { value["appointmentId"]?.string ?? "" }
        #expect(listed.map(key) == seen.sorted { id($0) < id($1) }.map(key))
        let arrived = try Self.listed(server, "\(query)&status=ARRIVED")
        #expect(arrived == listed.filter { $0["status"] == "ARRIVED" })
        let members = Set(listed.flatMap { $0.object?.members.map(\.name) ?? [] })
        #expect(members.count == 5)
        #expect(try Self.listed(server, "limit=1000").count == acme["appointments"]?.int)
    }

    /// Path, status, and what the answer says.
    static let wrongLists: [(String, Int, String)] = [
        ("/data/acmee/sites", 404, "did you mean `acme`?"),
        ("/data/acmee/appointments", 404, "did you mean `acme`?"),
        ("/data/acme/appointments?site=Centrl%20Clinic", 400, "did you mean `Central Clinic`?"),
        ("/data/acme/appointments?status=ARIVED", 400, "did you mean `ARRIVED`?"),
        ("/data/acme/appointments?status=xyzzy", 400, "there are "),
        ("/data/acme/appointments?date=today", 400, "date"),
        ("/data/acme/appointments?limit=0", 400, "limit"),
        ("/data/acme/appointments?limit=1001", 400, "limit"),
        ("/data/acme/appointments?when=2025-01-01", 400, "when"),
        ("/data/acme/sites?session=nobody", 404, "session"),
    ]

    @Test("A list of what is not there says so", arguments: wrongLists)
    func wrongList(path: String, status: Int, word: String) throws {
        let answer = try TestServer().control("GET", path)
        #expect(answer.status == status && answer.text.contains(word), "\(answer.text)")
    }

    @Test("What is read and put back gives the same answers")
    func roundTrip() throws {
        let server = try TestServer()
        let ids = try (0..<6).flatMap { page -> [String] in
            let list = try server.get("appointments?skip=\(page * 97)&take=25").json.array ?? []
            return list.compactMap { $0["appointmentId"]?.string }
        }
        #expect(ids.count == 150)
        for id in ids.prefix(60) {
            let encoded = PercentCoding.encode(id)
            let path = "/data/acme/appointments/\(encoded)"
            let operational = "appointments/operational/by-id/\(encoded)"
            let before = try server.control("GET", path)
            #expect(before.status == 200, "\(id): \(before.text)")
            let view = try server.get(operational)
            let put = try server.control("PUT", path, Self.record(before.json))
            #expect(put.status == 200, "\(id): \(put.text)")
            #expect(try server.control("GET", path).response.content == before.response.content)
            #expect(try server.get(operational).response.content == view.response.content)
        }
    }

    @Test(
        "Identifiers that must be percent-encoded work",
        arguments: ["A/1", "Ä 1%?#", "A+|^~&\\"]
    )
    func encoded(id: String) throws {
        let server = try TestServer()
        let patient = "/data/acme/patients/\(PercentCoding.encode(id))"
        let record: JSONValue = ["firstName": "Ann", "lastName": "Example"]
        #expect(try server.control("PUT", patient, record).status == 201)
        #expect(try server.control("GET", patient).json["patientId"]?.string == id)
        var appointment = Self.record(try server.control("GET", Self.example).json).object
        appointment?["appointmentId"] = .string(id)
        appointment?["patientId"] = .string(id)
        let path = "/data/acme/appointments/\(PercentCoding.encode(id))"
        let sent = JSONValue.object(try #require(appointment))
        #expect(try server.control("PUT", path, sent).status == 201)
        let read = try server.control("GET", path).json
        #expect(read["appointmentId"]?.string == id && read["patientId"]?.string == id)
        #expect(
            try server.changes()["items"]?.array?.map { $0["id"]?.string } == [id, id]
        )
    }

    /// A path that leads nowhere, and what is said of it.
    static let unknown: [(path: String, detail: String)] = [
        (
            "acme/appointments/A123465",
            "There is no such appointment in this domain; did you mean `A123456`?"
        ),
        (
            "acme/appointments/a123456",
            "There is no such appointment in this domain; did you mean `A123456`?"
        ),
        (
            "acme/appointments/123456",
            "There is no such appointment in this domain; did you mean `A123456`?"
        ),
        ("acme/patients/22000", "There is no such patient in this domain; did you mean `220000`?"),
        (
            "acme/sites/Nort%20Clinic",
            "There is no such site in this domain; did you mean `North Clinic`?"
        ),
        ("acme/sites/zzzzzzzzzzz", "There is no such site in this domain."),
        ("acne/sites/North%20Clinic", "There is no such domain; did you mean `acme`?"),
        (
            "acme/appointments/" + String(repeating: "x", count: 300),
            "There is no such appointment in this domain."
        ),
    ]

    @Test("An unknown record is 404 with the nearest name", arguments: unknown)
    func unknownRecord(path: String, detail: String) throws {
        let answer = try TestServer().control("GET", "/data/\(path)")
        #expect(answer.status == 404)
        #expect(answer.json["detail"]?.string == detail)
    }

    @Test("A session that is not open has no records, and is not opened by asking")
    func unknownSession() throws {
        let server = try TestServer()
        #expect(try server.control("GET", Self.example + "?session=none").status == 404)
        #expect(try server.control("GET", "/sessions").json["items"]?.array?.count == 1)
    }
}
