import ContractData
import Foundation
import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Store
import Testing
import Time
import TestSupport

@Suite("State of the control API")
struct ControlStateTests {
    // MARK: Reset

    @Test(
        "A reset touches what its scope names, and nothing else",
        arguments: [
            ["data"], ["ledger"], ["faults"], ["journal"], ["clock"], ["data", "clock", "data"],
            ["data", "ledger", "faults", "journal", "clock"],
        ]
    )
    func scopes(scope: [String]) throws {
        let server = try TestServer()
        _ = try server.token()
        _ = try server.post(TestServer.commentsPath, ["commentText": "Mine."], key: "k")
        let rule: JSONValue = [
            "id": "mine", "match": ["operation": "Integrations_ListSites"],
            "sequence": [[:], [:], ["status": 503]],
        ]
        #expect(try server.control("POST", "/faults", rule).status == 201)
        server.advance(seconds: 60)
        let answer = try server.control(
            "POST",
            "/reset",
            ["scope": .array(scope.map(JSONValue.string))]
        )
        #expect(answer.status == 204 && answer.response.content.isEmpty)
        let clock = try server.control("GET", "/clock").json
        let expected: JSONValue = scope.contains("clock") ? "real" : "frozen"
        #expect(clock["mode"] == expected)
        server.application.sessions.default.clock.set(
            .frozen,
            nanoseconds: (TestServer.start + 60) * 1_000_000_000
        )
        let journal = try server.control("GET", "/requests/count").json["count"]?.int
        #expect(journal == (scope.contains("journal") ? 0 : 2))
        let faults = try server.control("GET", "/faults").json["items"]?.array?.count
        #expect(faults == (scope.contains("faults") ? 0 : 1))
        let ledger = try server.control("GET", "/idempotency").json["items"]?.array?.count
        #expect(ledger == (scope.contains("ledger") ? 0 : 1))
        // The token is good still.
        #expect(try server.commentTexts().contains("Mine.") == !scope.contains("data"))
        let again = try server.post(TestServer.commentsPath, ["commentText": "Mine."], key: "k")
        #expect(
            (again.field("idempotency-replayed") == "true") == !scope.contains("ledger")
        )
    }

    @Test("Without a body a reset is for everything; uploads go with the data")
    func resetAll() throws {
        let server = try TestServer()
        let before = try server.get("appointments/A123456/attachments").json.array?.count
        let upload = try server.post(TestServer.uploadsPath, TestServer.writes[1].body, key: "k")
        let target = try server.target(of: upload.json["items"]?.array?.first?["uploadUrl"])
        let pdf = [("Content-Type", "application/pdf")]
        #expect(try server.send("PUT", target, pdf, [1, 2, 3]).status == 200)
        #expect(try server.control("POST", "/reset").status == 204)
        #expect(try server.control("GET", "/clock").json["mode"] == "real")
        #expect(try server.control("GET", "/requests/count").json["count"] == 0)
        server.application.sessions.default.clock.set(
            .frozen,
            nanoseconds: TestServer.start * 1_000_000_000
        )
        #expect(try server.get("appointments/A123456/attachments").json.array?.count == before)
        #expect(try server.send("PUT", target, pdf, [1]).status == 403)
        #expect(try server.control("GET", "/idempotency").json["items"] == [])
    }

    @Test("A reset of the faults arms those of the file anew")
    func resetFaults() throws {
        let server = try TestServer(
            faults: [
                [
                    "id": "file", "match": ["operation": "Integrations_ListSites"],
                    "sequence": [["status": 503]],
                ]
            ]
        )
        #expect(try server.get("sites").status == 503)
        #expect(try server.get("sites").status == 200)
        #expect(try server.control("POST", "/reset", ["scope": ["faults"]]).status == 204)
        #expect(try server.get("sites").status == 503)
        #expect(try server.get("sites").status == 200)
    }

    // MARK: Snapshots

    @Test("A snapshot brings back data and ledger as they were, as often as wanted")
    func snapshots() throws {
        let server = try TestServer()
        let path = TestServer.commentsPath
        let untouched = try server.commentTexts()
        #expect(try server.control("PUT", "/snapshots/empty").status == 201)
        let first = try server.post(path, ["commentText": "First."], key: "first")
        let upload = try server.post(TestServer.uploadsPath, TestServer.writes[1].body)
        let item = try #require(upload.json["items"]?.array?.first)
        let target = try server.target(of: item["uploadUrl"])
        let taken = try server.control("PUT", "/snapshots/one")
        #expect(taken.status == 201)
        #expect(taken.json["name"] == "one")
        for round in 0..<2 {
            _ = try server.post(path, ["commentText": "Second."], key: "second")
            let put = try server.send("PUT", target, [("Content-Type", "application/pdf")], [1])
            #expect(put.status == 200, "round \(round)")
            #expect(try server.commentTexts().contains("Second."))
            #expect(try server.control("POST", "/snapshots/one/restore").status == 204)
            #expect(try !server.commentTexts().contains("Second."))
            let replay = try server.post(path, ["commentText": "First."], key: "first")
            #expect(replay.response.content == first.response.content)
            #expect(replay.field("idempotency-replayed") == "true")
        }
        let second = try server.post(path, ["commentText": "Second."], key: "second")
        #expect(second.field("idempotency-replayed") == nil)
        // Journal, clock and faults are not part of it.
        #expect((try server.control("GET", "/requests/count").json["count"]?.int ?? 0) > 8)
        #expect(try server.control("POST", "/snapshots/empty/restore").status == 204)
        #expect(try server.commentTexts() == untouched)
        // Taken again, it holds what is there now.
        #expect(try server.control("PUT", "/snapshots/one").status == 200)
        #expect(try server.control("POST", "/reset").status == 204)
        #expect(try server.control("POST", "/snapshots/one/restore").status == 204)
        let list = try server.control("GET", "/snapshots").json["items"]?.array
        #expect(list?.compactMap { $0["name"]?.string }.sorted() == ["empty", "one"])
        #expect(try server.control("DELETE", "/snapshots/one").status == 204)
        #expect(try server.control("DELETE", "/snapshots/one").status == 404)
        #expect(try server.control("POST", "/snapshots/one/restore").status == 404)
        #expect(try server.control("POST", "/snapshots/other/restore?session=x").status == 404)
        #expect(try server.control("PUT", "/snapshots/a%20b").status == 400)
    }

    @Test("A snapshot belongs to its session")
    func snapshotSessions() throws {
        let server = try TestServer()
        _ = try server.control("PUT", "/sessions/one")
        _ = try server.control("PUT", "/snapshots/mine?session=one")
        #expect(try server.control("GET", "/snapshots").json["items"] == [])
        #expect(try server.control("POST", "/snapshots/mine/restore").status == 404)
        #expect(try server.control("POST", "/snapshots/mine/restore?session=one").status == 204)
    }

    // MARK: Own records

    static let minimal: JSONValue = ["scheduledSite": "Central Clinic", "status": "ARRIVED"]

    @Test("A test's own appointment appears in every view that suits it, and goes")
    func ownAppointment() throws {
        let server = try TestServer()
        let record: JSONValue = [
            "scheduledSite": "North Clinic", "status": "PENDING REPORTING",
            "appointmentDate": "2031-07-01", "startTime": "08:00:00", "modality": "MR",
            "patientId": "220000", "providerNumbers": ["1234567A"], "clinicalInfo": "Test.",
        ]
        let path = "/data/acme/appointments/MINE-1"
        let put = try server.control("PUT", path, record)
        #expect(put.status == 201)
        #expect(put.json["appointmentId"] == "MINE-1" && put.json["domain"] == "acme")
        let summary = try server.get("appointments/MINE-1").json
        #expect(summary["modality"] == "MR" && summary["endTime"] == .null)
        #expect(summary["clinicalInfo"] == nil && summary["patientId"] == nil)
        let pending = try server.get("reporting/appointments/MINE-1").json
        #expect(pending["patientName"] == "Jane Doe" && pending["clinicalInfo"] == "Test.")
        for (view, client) in [
            ("appointments", "acme-partner"), ("appointments/operational", "acme-partner"),
            ("appointments/referrer", "acme-referrer"),
            ("appointments/referrer/operational", "acme-referrer"),
        ] {
            let day = try server.get("\(view)?appointmentDate=2031-07-01", as: client).json.array
            #expect(day?.map { $0["appointmentId"] } == ["MINE-1"], "\(view)")
        }
        #expect(try server.get("appointments/MINE-1/billing").status == 200)
        #expect(try server.get("appointments/MINE-1/comments").json.array?.isEmpty == false)
        let answer = try server.post(
            "reporting/appointments/MINE-1/comments",
            ["commentText": "On my own."]
        )
        #expect(answer.status == 200)
        // Replaced: moved to another status and day, with another provider.
        var changed = record.object ?? JSONObject()
        changed["status"] = "ARRIVED"
        changed["appointmentDate"] = .null
        changed["providerNumbers"] = ["2345678B"]
        #expect(try server.control("PUT", path, .object(changed)).status == 200)
        #expect(try server.get("reporting/appointments/MINE-1").status == 404)
        #expect(try server.get("appointments?appointmentDate=2031-07-01").json == [])
        let arrived = try server.get("appointments/by-status/ARRIVED?pageSize=500").json
        let ids = arrived["items"]?.array?.compactMap { $0["appointmentId"]?.string }
        #expect(ids?.filter { $0 == "MINE-1" }.count == 1)
        #expect(try server.commentTexts(of: "MINE-1").contains("On my own."))
        #expect(try server.control("DELETE", path).status == 204)
        #expect(try server.control("DELETE", path).status == 404)
        for view in ["", "/comments", "/attachments", "/billing"] {
            #expect(try server.get("appointments/MINE-1\(view)").status == 404)
        }
        // Its comments went with it.
        #expect(try server.control("PUT", path, record).status == 201)
        #expect(try !server.commentTexts(of: "MINE-1").contains("On my own."))
    }

    @Test(
        "An instant of a record is stored in UTC with whole seconds, and its answer shows it so",
        arguments: [
            ("2025-01-12T13:40:00+10:00", "2025-01-12T03:40:00Z"),
            ("2025-01-11T18:10:00-09:30", "2025-01-12T03:40:00Z"),
            ("2025-01-12t03:40:00.999999999z", "2025-01-12T03:40:00Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00-00:01", "0001-01-01T00:01:00Z"),
        ]
    )
    func instants(sent: String, stored: String) throws {
        let server = try TestServer()
        let names = ["arrivalDateTime", "scanStartDateTime", "scanEndDateTime"]
        var record = JSONObject([
            ("scheduledSite", "North Clinic"), ("status", "PENDING REPORTING"),
            ("reportingDeadline", .string(sent)),
        ])
        for name in names { record[name] = .string(sent) }
        let put = try server.control("PUT", "/data/acme/appointments/UTC-1", .object(record))
        #expect(put.status == 201, "\(put.text)")
        let view = try server.get("appointments/operational/by-id/UTC-1").json
        for name in names {
            #expect(put.json[name] == .string(stored))
            #expect(view[name] == .string(stored))
        }
        #expect(put.json["reportingDeadline"] == .string(stored))
        let pending = try server.get("reporting/appointments/UTC-1").json
        #expect(pending["reportingDeadline"] == .string(stored))
    }

    @Test(
        "An instant that leaves the years 0001 to 9999 in UTC is 400, and so is a day there is not"
    )
    func impossibleInstants() throws {
        let server = try TestServer()
        for sent in [
            "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z",
            "2025-02-29T00:00:00Z", "2025-01-01T00:00:60Z",
        ] {
            let answer = try server.control(
                "PUT",
                "/data/acme/appointments/UTC-2",
                [
                    "scheduledSite": "North Clinic", "status": "ARRIVED",
                    "arrivalDateTime": .string(sent),
                ]
            )
            #expect(answer.status == 400, "\(sent)")
            #expect(answer.json["errors"]?["/arrivalDateTime"] != nil, "\(answer.text)")
            let report = try server.post(
                TestServer.commentsPath,
                ["commentText": "x", "commentDateTime": .string(sent)]
            )
            #expect(report.status == 400, "\(sent)")
        }
    }

    @Test("The instants of a fixture folder are read in UTC with whole seconds, too")
    func fixtureInstants() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path("acme"),
            withIntermediateDirectories: true
        )
        for (file, text) in [
            ("sites", #"[{"siteName":"S","domain":"acme","timeZone":"UTC"}]"#),
            (
                "appointments",
                #"""
                [{"domain":"acme","appointmentId":"A1","scheduledSite":"S","status":"ARRIVED",
                  "arrivalDateTime":"2025-01-12T13:40:00.9+10:00"}]
                """#
            ),
        ] {
            try text.write(
                toFile: folder.path("acme/\(file).json"),
                atomically: true,
                encoding: .utf8
            )
        }
        let fixtures = try ValidatedFixtures(path: folder.path, contract: TestServer.contract)
        #expect(fixtures.faults.isEmpty, "\(fixtures.faults)")
        let record = fixtures.set.domains.first?.records[.appointments]?.first
        #expect(record?["arrivalDateTime"] == "2025-01-12T03:40:00Z")
    }

    @Test("A copied operational answer is a valid record")
    func copiedAnswer() throws {
        let server = try TestServer()
        let list = try server.get("appointments/operational?take=300").json.array ?? []
        #expect(list.count == 300)
        for row in list.prefix(40) {
            let id = try #require(row["appointmentId"]?.string)
            let path = "/data/acme/appointments/\(PercentCoding.encode(id))"
            #expect(try server.control("PUT", path, row).status == 200)
            let after = try server.get(
                "appointments/operational/by-id/\(PercentCoding.encode(id))"
            ).json
            #expect(after == row, "\(id)")
        }
        var copy = try #require(list.first?.object)
        copy["appointmentId"] = nil
        #expect(
            try server.control("PUT", "/data/acme/appointments/NEW", .object(copy)).status == 201
        )
    }

    @Test(
        "Identifiers are opaque texts",
        arguments: ["a/b", "A 1", "é😀", "%", "'; DROP TABLE appointment;--", "...", "\u{0}"]
    )
    func identifiers(id: String) throws {
        let server = try TestServer()
        let encoded = PercentCoding.encode(id).replacing(".", with: "%2E")
        let path = "/data/acme/appointments/\(encoded)"
        #expect(try server.control("PUT", path, Self.minimal).status == 201)
        #expect(try server.get("appointments/\(encoded)").json["appointmentId"]?.string == id)
        #expect(try server.control("DELETE", path).status == 204)
        #expect(try server.get("appointments/\(encoded)").status == 404)
        #expect(try server.get("appointments/A123456").status == 200)
    }

    /// A record that is refused, and the pointers of its faults.
    static let badRecords: [(path: String, record: JSONValue, pointers: [String])] = [
        ("appointments/X", [:], ["/scheduledSite", "/status"]),
        ("appointments/X", ["scheduledSite": "Central Clinic", "status": "Arrived"], ["/status"]),
        ("appointments/X", ["scheduledSite": "Nowhere", "status": "ARRIVED"], ["/scheduledSite"]),
        (
            "appointments/X",
            [
                "scheduledSite": "Nowhere", "status": "ARRIVED", "patientId": "none",
            ],
            ["/scheduledSite", "/patientId"]
        ),
        (
            "appointments/X",
            ["scheduledSite": "Central Clinic", "status": "ARRIVED", "appointmentId": "Y"],
            ["/appointmentId"]
        ),
        (
            "appointments/X",
            ["scheduledSite": "Central Clinic", "status": "ARRIVED", "domain": "globex"],
            ["/domain"]
        ),
        (
            "appointments/X",
            [
                "scheduledSite": "Central Clinic", "status": "ARRIVED", "startTime": "8:00",
                "appointmentDate": "01-01-2025", "examCodes": [["examCodeId": 5]],
                "scanTotalTime": "20.5", "color": "red",
            ],
            [
                "/startTime", "/appointmentDate", "/examCodes/0/examCodeId", "/scanTotalTime",
                "/color",
            ]
        ),
        (
            "appointments/X",
            ["scheduledSite": "Central Clinic", "status": "ARRIVED", "providerNumbers": ["", 1]],
            ["/providerNumbers/0", "/providerNumbers/1"]
        ),
        ("appointments/X", [], [""]), ("appointments/X", "x", [""]),
        ("sites/New", ["isActive": "yes", "size": 3], ["/isActive", "/size"]),
        ("sites/New", ["siteName": "Old"], ["/siteName"]),
        ("patients/9", ["patientId": "8"], ["/patientId"]),
        ("patients/9", ["dateOfBirth": "1980", "shoeSize": 45], ["/dateOfBirth", "/shoeSize"]),
    ]

    @Test("Each fault of a record is named by its pointer", arguments: badRecords.indices)
    func badRecord(index: Int) throws {
        let (path, record, pointers) = Self.badRecords[index]
        let server = try TestServer()
        let answer = try server.control("PUT", "/data/acme/\(path)", record)
        #expect(answer.status == 400, "\(answer.text)")
        let named = answer.json["errors"]?.object?.members.map(\.name) ?? []
        #expect(Set(named).isSuperset(of: pointers), "\(answer.text)")
        #expect(try server.get("appointments/X").status == 404)
        #expect(try server.get("sites/New").status == 404)
        #expect(try server.get("patients/9").status == 404)
    }

    @Test("Sites and patients can be put and removed, unless something refers to them")
    func sitesAndPatients() throws {
        let server = try TestServer()
        let site: JSONValue = ["timeZone": "Australia/Perth", "isActive": true]
        #expect(try server.control("PUT", "/data/acme/sites/New%20Site", site).status == 201)
        #expect(try server.get("sites/New%20Site").json["timeZone"] == "Australia/Perth")
        let list = try server.get("sites").json.array ?? []
        #expect(list.contains { $0["siteName"] == "New Site" })
        #expect(try server.get("sites/New%20Site/exam-codes").json == [])
        let closed: JSONValue = ["timeZone": "Australia/Perth", "isActive": false]
        #expect(try server.control("PUT", "/data/acme/sites/New%20Site", closed).status == 200)
        #expect(try server.get("sites").json.array?.count == list.count - 1)
        #expect(try server.get("sites/New%20Site").json["isActive"] == false)

        // Appointments show the patient's new name at once.
        var patient = try #require(try server.get("patients/220000").json.object)
        patient["patientName"] = "Jane Roe-Doe"
        let renamed = try server.control("PUT", "/data/acme/patients/220000", .object(patient))
        #expect(renamed.status == 200, "\(renamed.text)")
        #expect(try server.get("patients/220000").json["patientName"] == "Jane Roe-Doe")
        let pending = try server.get("reporting/appointments/A123456").json
        #expect(pending["patientName"] == "Jane Roe-Doe")
        patient["patientId"] = "NEW"
        let new = try server.control("PUT", "/data/acme/patients/NEW", .object(patient))
        #expect(new.status == 201, "\(new.text)")
        #expect(try server.get("patients/NEW").status == 200)

        var record = try #require(Self.minimal.object)
        record["scheduledSite"] = "New Site"
        record["patientId"] = "NEW"
        let mine = "/data/acme/appointments/MINE"
        #expect(try server.control("PUT", mine, .object(record)).status == 201)
        for path in ["sites/New%20Site", "patients/NEW"] {
            #expect(try server.control("DELETE", "/data/acme/\(path)").status == 409)
        }
        #expect(try server.control("DELETE", mine).status == 204)
        for path in ["sites/New%20Site", "patients/NEW"] {
            #expect(try server.control("DELETE", "/data/acme/\(path)").status == 204)
            #expect(try server.control("DELETE", "/data/acme/\(path)").status == 404)
            #expect(try server.get(path).status == 404)
        }
        let unknown = try server.control("PUT", "/data/nowhere/appointments/X", Self.minimal)
        #expect(unknown.status == 404)
        #expect(try server.control("DELETE", "/data/nowhere/appointments/A123456").status == 404)
        #expect(try server.control("DELETE", "/data/globex/appointments/A123456").status == 404)
    }

    @Test("Paging repeats nothing and misses nothing that was there all the time")
    func pagingThroughChange() throws {
        let server = try TestServer()
        let path = "appointments/by-status/ARRIVED"
        func record(_ status: String) -> JSONValue {
            ["scheduledSite": "Central Clinic", "status": .string(status)]
        }
        for index in 0..<60 {
            _ = try server.control("PUT", "/data/acme/appointments/OLD-\(index)", record("ARRIVED"))
        }
        let before = try server.get("\(path)?pageSize=500").json
        let all = (before["items"]?.array ?? []).compactMap { $0["appointmentId"]?.string }
        #expect(before["nextToken"] == .null && all.count >= 75)
        var seen: [String] = []
        var gone: Set<String> = []
        var token = ""
        var page = 0
        repeat {
            let answer = try server.get("\(path)?pageSize=7\(token)").json
            let ids = (answer["items"]?.array ?? []).compactMap { $0["appointmentId"]?.string }
            #expect(ids.count <= 7)
            seen += ids
            // Between pages: the last row shown goes, a later one goes, one leaves the status, some come.
            let later = all.filter { !seen.contains($0) && !gone.contains($0) }
            for id in [ids.last, later.first].compactMap({ $0 }) {
                #expect(try server.control("DELETE", "/data/acme/appointments/\(id)").status == 204)
                gone.insert(id)
            }
            if let id = later.last, !gone.contains(id) {
                _ = try server.control("PUT", "/data/acme/appointments/\(id)", record("ATTENDED"))
                gone.insert(id)
            }
            for index in 0..<3 {
                let id = "NEW-\(page)-\(index)"
                _ = try server.control("PUT", "/data/acme/appointments/\(id)", record("ARRIVED"))
            }
            page += 1
            token = answer["nextToken"]?.string.map { "&nextToken=\($0)" } ?? ""
        } while !token.isEmpty && page < 200
        #expect(page < 200)
        #expect(Set(seen).count == seen.count)
        #expect(Set(all).subtracting(gone).isSubset(of: seen))
        #expect(Set(seen).isSubset(of: Set(all).union(seen.filter { $0.hasPrefix("NEW-") })))
    }

    // MARK: A full disk

    @Test("Without room on the disk a write is 507, nothing of it is stored, and all else goes on")
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path("data.db")
        do { _ = try TestServer { $0.databasePath = path } }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        // Room for so many pages more than the data have.
        let server = try TestServer(maximumPages: try #require(size) / 4096 + 24)
        let upload = try server.post(TestServer.uploadsPath, TestServer.writes[1].body)
        #expect(upload.status == 200, "\(upload.text)")
        let item = try #require(upload.json["items"]?.array?.first)
        let guid = try #require(item["guid"]?.string)
        let target = try server.target(of: item["uploadUrl"])
        let pdf = [("Content-Type", "application/pdf")]
        let large = [UInt8](repeating: 7, count: 500_000)
        #expect(try server.send("PUT", target, pdf, large).status == 507)
        let attachment = "appointments/A123456/attachments/\(guid)"
        #expect(try server.get(attachment).json["url"] == .null)

        // Small ones, until the last page is full.
        let text = String(repeating: "x", count: 3000)
        var stored = 0
        var refused: TestServer.Answer?
        while refused == nil, stored < 2000 {
            let answer = try server.post(
                TestServer.commentsPath,
                ["commentText": .string(text)],
                key: "k-\(stored)"
            )
            if answer.status == 200 { stored += 1 } else { refused = answer }
        }
        let last = try #require(refused)
        #expect(last.status == 507)
        #expect(last.json["detail"]?.string?.contains("no room") == true)
        #expect(try server.commentTexts().filter { $0 == text }.count == stored)
        let ledger = try server.control("GET", "/idempotency").json["items"]?.array
        #expect(ledger?.count == stored)
        #expect(try server.get("appointments?take=500").json.array?.count == 500)
        // What was acknowledged is answered again.
        for _ in 0..<3 {
            let replay = try server.post(
                TestServer.commentsPath,
                ["commentText": .string(text)],
                key: "k-0"
            )
            #expect(replay.status == 200, "\(replay.text)")
            #expect(replay.field("idempotency-replayed") == "true")
        }

        // With room again, the same key and the same URL do what they were for.
        for page in 0..<2 {
            let list = try server.get("appointments?skip=\(page * 100)&take=300").json.array ?? []
            for row in list where row["appointmentId"] != "A123456" {
                let id = PercentCoding.encode(try #require(row["appointmentId"]?.string))
                let status = try server.control("DELETE", "/data/acme/appointments/\(id)").status
                #expect(status == 204 || status == 507)
            }
        }
        let again = try server.post(
            TestServer.commentsPath,
            ["commentText": .string(text)],
            key: "k-\(stored)"
        )
        #expect(again.status == 200)
        #expect(again.field("idempotency-replayed") == nil)
        #expect(try server.send("PUT", target, pdf, Array("%PDF".utf8)).status == 200)
        let url = try server.target(of: try server.get(attachment).json["url"])
        #expect(try server.send("GET", url).text == "%PDF")
    }

    // MARK: What a control request may be

    @Test(
        "Unknown members and wrong values of a control body are refused with the pointer",
        arguments: [
            ("POST", "/reset", ["scope": ["data"], "all": true], "/all"),
            ("POST", "/reset", ["scope": ["everything"]], "/scope/0"),
            ("POST", "/reset", ["scope": []], "/scope"),
            ("POST", "/reset", ["scope": "data"], "/scope"),
            ("POST", "/clock/advance", ["by": "PT1S", "to": "PT2S"], "/to"),
            ("POST", "/clock/advance", [:], "/by"),
            ("POST", "/clock/advance", ["by": 5], "/by"),
            ("PUT", "/clock", ["mode": "frozen", "speed": 2], "/speed"),
            ("POST", "/tokens", ["clientId": "acme-partner", "ttl": 5], "/ttl"),
            ("PUT", "/clock", [], ""), ("PUT", "/clock", nil, ""),
        ] as [(String, String, JSONValue, String)]
    )
    func unknownMembers(method: String, path: String, body: JSONValue, pointer: String) throws {
        let server = try TestServer()
        let answer = try server.control(method, path, body)
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["errors"]?[pointer] != nil, "\(answer.text)")
        #expect(answer.field("content-type") == "application/problem+json")
        #expect(try server.control("GET", "/clock").json["moves"] == 1)
    }

    @Test("Control bodies must be JSON, whole, and of a bearable size")
    func controlContent() throws {
        let server = try TestServer()
        func put(_ body: String, _ type: String?) throws -> Int {
            let fields = type.map { [("Content-Type", $0)] } ?? []
            return try server.send("PUT", "/__admin/clock", fields, Array(body.utf8)).status
        }
        #expect(try put("{\"mode\":\"real\"", "application/json") == 400)
        #expect(try put("{\"mode\":\"real\",\"mode\":\"real\"}", "application/json") == 400)
        #expect(try put("", "application/json") == 400)
        #expect(try put("{\"mode\":\"real\"}", "text/plain") == 415)
        #expect(try put("{\"mode\":\"real\"}", nil) == 415)
        let client = try RawClient(port: server.listener.port)
        let large = try client.exchange(
            "PUT /__admin/clock HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: 999999999\r\n\r\n"
        )
        #expect(large.status == 413)
        #expect(try server.control("GET", "/clock").json["moves"] == 1)
        #expect(try server.control("GET", "/nothing").status == 404)
        let method = try server.control("PATCH", "/clock")
        #expect(method.status == 405)
        #expect(method.field("allow") == "GET, HEAD, PUT")
    }

    @Test("Health, readiness and version answer, and nothing of the control API may be kept")
    func health() throws {
        let server = try TestServer { $0.seed = 7 }
        #expect(try server.control("GET", "/health").json["status"] == "alive")
        #expect(try server.control("GET", "/ready").json["status"] == "ready")
        let version = try server.control("GET", "/version")
        #expect(version.json["seed"] == 7)
        #expect(version.json["contractVersion"] == "v1")
        #expect(version.json["version"]?.string?.isEmpty == false)
        for path in ["/health", "/clock", "/sessions", "/nothing", "/clock?session=none"] {
            #expect(try server.control("GET", path).field("cache-control") == "no-store")
        }
        // Nothing of this is in the journal.
        #expect(try server.control("GET", "/requests/count").json["count"] == 0)
    }

    @Test(
        "A foreign Host is refused on loopback",
        arguments: [
            ("localhost", 200), ("LOCALHOST:1", 200), ("127.0.0.1", 200), ("127.9.9.9:80", 200),
            ("[::1]:8080", 200), ("[::FFFF:127.0.0.1]", 200), ("localhost.", 200),
            ("app.localhost:8080", 200), ("Mock.Example", 200), ("localhost..", 403),
            ("notlocalhost", 403), ("127.0.0.256", 403), ("127.1", 403), ("%6cocalhost", 403),
            ("mock.example", 200), ("mock.example:99", 200),
            ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example", 403),
            ("evil.example:80", 403), ("192.168.1.2", 403), ("[::2]", 403), ("0.0.0.0", 403),
        ]
    )
    func hosts(host: String, status: Int) throws {
        let server = try TestServer { $0.publicURL = try HTTPURL("https://mock.example") }
        for path in ["/clock", "/health", "/version"] {
            let answer = try server.control("GET", path, fields: [("Host", host)])
            #expect(answer.status == status, "\(path): \(answer.text)")
        }
        #expect(try server.get("sites", fields: [("Host", host)]).status == status)
    }

    @Test(
        "A page of another origin is refused on loopback, and no answer lets it read",
        arguments: [
            ("https://evil.example", 403), ("null", 403), ("http://evil.example:8080", 403),
            ("http://localhost.evil.example", 403), ("http://localhost@evil.example", 403),
            ("file://", 403), ("", 403), ("http://localhost:3000", 200),
            ("https://mock.example", 200),
        ]
    )
    func origins(origin: String, status: Int) throws {
        let server = try TestServer { $0.publicURL = try HTTPURL("https://mock.example") }
        let answer = try server.control("POST", "/reset", fields: [("Origin", origin)])
        #expect(answer.status == (status == 200 ? 204 : status))
        let read = try server.control("GET", "/clock", fields: [("Origin", origin)])
        #expect(read.status == status)
        #expect(read.response.fields.allSatisfy { !$0.name.hasPrefix("access-control-") })
        let preflight = try server.send(
            "OPTIONS",
            "/__admin/reset",
            [("Origin", origin), ("Access-Control-Request-Method", "POST")]
        )
        #expect(preflight.status >= 400)
        #expect(preflight.response.fields.allSatisfy { !$0.name.hasPrefix("access-control-") })
    }

    @Test("Off loopback the control API needs its token, but for health and readiness")
    func adminToken() throws {
        let server = try TestServer {
            $0.transport.host = "0.0.0.0"
            $0.adminToken = "open-sesame"
        }
        for path in ["/health", "/ready"] {
            #expect(try server.control("GET", path).status == 200)
        }
        for (method, path) in [
            ("GET", "/clock"), ("GET", "/version"), ("POST", "/reset"), ("GET", "/nothing"),
            ("DELETE", "/requests"), ("GET", "/openapi.yaml"),
        ] {
            let none = try server.control(method, path)
            #expect(none.status == 401, "\(path)")
            #expect(none.field("www-authenticate")?.hasPrefix("Bearer") == true)
            for wrong in ["Bearer open-sesam", "Bearer open-sesame2", "Basic b3Blbg==", "Bearer"] {
                let answer = try server.control(method, path, fields: [("Authorization", wrong)])
                #expect(answer.status == 401, "\(path) \(wrong)")
            }
            // With it, even from elsewhere.
            let fields = [
                ("Authorization", "Bearer open-sesame"), ("Host", "evil.example"),
                ("Origin", "https://evil.example"),
            ]
            let status = try server.control(method, path, fields: fields).status
            #expect([200, 204, 404].contains(status), "\(path): \(status)")
        }
        // A token of the emulated API is none of this one.
        let partner = [("Authorization", "Bearer \(try server.token())")]
        #expect(try server.control("GET", "/clock", fields: partner).status == 401)
        #expect(try server.get("sites").status == 200)
    }

    @Test("Off loopback without a given token one is made")
    func generatedToken() throws {
        let server = try TestServer { $0.transport.host = "0.0.0.0" }
        let token = try #require(server.application.generatedAdminToken)
        #expect(token.count >= 32)
        #expect(try server.control("GET", "/clock").status == 401)
        let fields = [("Authorization", "Bearer \(token)")]
        #expect(try server.control("GET", "/clock", fields: fields).status == 200)
        #expect(try TestServer().application.generatedAdminToken == nil)
    }

    // MARK: Persistence

    @Test("With a database data, ledger, uploads and sessions outlive the server")
    func persistence() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path("state.db")
        func start() throws -> TestServer { try TestServer { $0.databasePath = path } }

        var first: [UInt8] = []
        var token = ""
        var guid = ""
        do {
            let server = try start()
            let answer = try server.post(
                TestServer.commentsPath,
                ["commentText": "Kept."],
                key: "k"
            )
            first = answer.response.content
            _ = try server.control("PUT", "/clock?session=one", ["mode": "real"])
            _ = try server.post(
                TestServer.commentsPath,
                ["commentText": "In one."],
                as: "acme-partner+one"
            )
            let upload = try server.post(TestServer.uploadsPath, TestServer.writes[1].body)
            let item = try #require(upload.json["items"]?.array?.first)
            guid = try #require(item["guid"]?.string)
            let target = try server.target(of: item["uploadUrl"])
            let put = try server.send("PUT", target, [("Content-Type", "application/pdf")], [9, 8])
            #expect(put.status == 200)
            #expect(try server.control("PUT", "/snapshots/kept").status == 201)
            token = try server.token()
            // Nobody else may use the file meanwhile.
            #expect(throws: StoreError.inUse(path: path)) { try start() }
        }
        let server = try start()
        // Tokens outlive the server, too.
        let fields = [("Authorization", "Bearer \(token)")]
        #expect(try server.get("sites", as: nil, fields: fields).status == 200)
        let texts = try server.commentTexts()
        #expect(texts.contains("Kept.") && !texts.contains("In one."))
        let again = try server.post(TestServer.commentsPath, ["commentText": "Kept."], key: "k")
        #expect(again.response.content == first)
        #expect(again.field("idempotency-replayed") == "true")
        let url = try server.get("appointments/A123456/attachments/\(guid)").json["url"]
        #expect(try server.send("GET", try server.target(of: url)).response.content == [9, 8])
        let names = try server.control("GET", "/sessions").json["items"]?.array
        #expect(names?.map { $0["name"] } == ["default", "one"])
        #expect(try server.commentTexts(as: "acme-partner+one").contains("In one."))
        #expect(try server.control("POST", "/reset", ["scope": ["data"]]).status == 204)
        #expect(try !server.commentTexts().contains("Kept."))
        #expect(try server.control("POST", "/snapshots/kept/restore").status == 204)
        #expect(try server.commentTexts().contains("Kept."))
    }
}
