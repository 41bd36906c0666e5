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
