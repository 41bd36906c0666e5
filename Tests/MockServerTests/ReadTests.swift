import Contract
import HTTPMessage
import JSON
import MockServer
import QUBS
import Testing
import Time
import TestSupport

@Suite("Reads")
struct ReadTests {
    /// Every GET of the contract with a request that must succeed.
    static let gets: [(id: String, path: String, client: String)] = [
        ("Integrations_ListSites", "sites", "acme-partner"),
        ("Integrations_GetSiteSettings_Summary", "sites/Central%20Clinic", "acme-partner"),
        ("Integrations_ListExamCodes", "sites/Central%20Clinic/exam-codes", "acme-partner"),
        ("Integrations_GetStaffSkills", "sites/Central%20Clinic/staff-skills", "acme-partner"),
        (
            "Integrations_ListAppointmentsByStatus_Operational",
            "appointments/operational/by-status/NOT%20ARRIVED?pageSize=500", "acme-partner"
        ),
        (
            "Integrations_GetAppointment_Operational", "appointments/operational/by-id/A123456",
            "acme-partner"
        ),
        (
            "Integrations_ListAppointments_Operational", "appointments/operational?take=500",
            "acme-partner"
        ),
        (
            "Integrations_ListAppointmentsByStatus_ReferrerOperational",
            "appointments/referrer/operational/by-status/PENDING%20REPORTING", "acme-referrer"
        ),
        (
            "Integrations_ListAppointments_ReferrerOperational",
            "appointments/referrer/operational", "acme-referrer"
        ),
        (
            "Integrations_ListAppointmentsByStatus_Summary",
            "appointments/by-status/ARRIVED?pageSize=500", "acme-partner"
        ),
        ("Integrations_GetAppointment_Summary", "appointments/A123457", "acme-partner"),
        ("Integrations_ListAppointments_Summary", "appointments", "acme-partner"),
        (
            "Integrations_ListAppointmentsByStatus_Referrer",
            "appointments/referrer/by-status/FINALISED", "acme-referrer"
        ),
        ("Integrations_ListAppointments_Referrer", "appointments/referrer", "acme-referrer"),
        ("Integrations_GetAppointment_Billing", "appointments/A123456/billing", "acme-partner"),
        (
            "Integrations_ListAppointmentAttachments", "appointments/A123456/attachments",
            "acme-partner"
        ),
        (
            "Integrations_GetAppointmentAttachment",
            "appointments/A123456/attachments/989dd0c7-13bb-4bba-b7a0-53a28bdf5155",
            "acme-partner"
        ),
        ("Integrations_ListAppointmentComments", "appointments/A123456/comments", "acme-partner"),
        ("Integrations_GetPatient_Summary", "patients/220000", "acme-partner"),
        (
            "Integrations_ListPendingReportingAppointments",
            "reporting/appointments/pending?pageSize=500", "acme-partner"
        ),
        (
            "Integrations_GetPendingReportingAppointment", "reporting/appointments/A123456",
            "acme-partner"
        ),
        (
            "Integrations_ListPendingReportingAppointmentAttachments",
            "reporting/appointments/A123456/attachments", "acme-partner"
        ),
        (
            "Integrations_GetPendingReportingAppointmentAttachment",
            "reporting/appointments/A123456/attachments/989dd0c7-13bb-4bba-b7a0-53a28bdf5155",
            "acme-partner"
        ),
        (
            "Integrations_ListPendingReportingAppointmentComments",
            "reporting/appointments/A123456/comments", "acme-partner"
        ),
    ]

    @Test("Every GET operation answers 200 as the contract says, and HEAD without content")
    func everyGet() throws {
        let server = try TestServer()
        var reached: Set<String> = []
        for (id, path, client) in Self.gets {
            let answer = try server.get(path, as: client)
            #expect(answer.status == 200, "\(id): \(answer.text)")
            let head = try server.get(path, as: client, method: "HEAD")
            #expect(head.status == 200)
            #expect(head.response.content.isEmpty)
            #expect(
                head.field("content-length") == answer.field("content-length")
                    || path.contains("attachments") || path.contains("pageSize")
                    || path.contains("status")
            )
            reached.insert(id)
        }
        // The comment whose guid only an answer tells.
        let comments = try server.get("reporting/appointments/A123456/comments").json.array ?? []
        #expect(comments.count >= 2)
        for comment in comments {
            let guid = try #require(comment["guid"]?.string)
            let one = try server.get("reporting/appointments/A123456/comments/\(guid)")
            #expect(one.json == comment)
        }
        reached.insert("Integrations_GetPendingReportingAppointmentComment")
        let all = TestServer.contract.operations.filter {
            $0.isPartnerOperation && $0.method == .get
        }
        #expect(reached == Set(all.map(\.id)))
    }

    @Test("The documentation's samples have the documented values")
    func documentationSamples() throws {
        let server = try TestServer()
        let first = try server.get("appointments/operational/by-id/A123456").json
        let expected: JSONValue = [
            "domain": "acme", "appointmentId": "A123456", "scheduledSite": "Central Clinic",
            "status": "PENDING REPORTING", "appointmentDate": "2025-01-12",
            "startTime": "13:45:00", "endTime": "14:15:00", "modality": "CT",
            "studyDescription": "CT Chest", "room": "Room 2", "priority": "Routine",
            "arrivalDateTime": "2025-01-12T03:40:00Z",
            "scanStartDateTime": "2025-01-12T03:45:00Z",
            "scanEndDateTime": "2025-01-12T04:05:00Z", "waitingTotalTime": 5,
        ]
        for member in expected.object?.members ?? [] {
            #expect(first[member.name] == member.value, "\(member.name)")
        }
        #expect(first["scanTotalTime"]?.double == 20.5)
        let second = try server.get("appointments/A123457").json
        #expect(second["scheduledSite"] == "North Clinic")
        #expect(second["studyDescription"] == "XR Chest")
        let billing = try server.get("appointments/A123456/billing").json
        #expect(billing["batchSk"] == "BATCH#202501")
        #expect(billing["serviceItemNumbers"] == "XR001")
        let pending = try server.get("reporting/appointments/pending?pageSize=1").json
        #expect(pending["items"]?.array?.first?["patientName"] == "Jane Doe")
        #expect(pending["items"]?.array?.count == 1)
    }

    @Test("Pages of 37 hold exactly the rows of the offset list, none twice")
    func pagesAndLists() throws {
        let server = try TestServer()
        var byStatus: [String: Set<String>] = [:]
        var skip = 0
        while true {
            let list = try server.get("appointments?skip=\(skip)&take=500").json.array ?? []
            for item in list {
                let id = try #require(item["appointmentId"]?.string)
                let status = try #require(item["status"]?.string)
                let isNew = byStatus[status, default: []].insert(id).inserted
                #expect(isNew, "\(id) twice")
            }
            skip += list.count
            if list.count < 500 { break }
        }
        #expect(skip >= 2000)
        #expect(byStatus.count == 18)
        for (status, ids) in byStatus {
            let isOfNoon = ["ARRIVED", "STUDY INPROGRESS"].contains(status)
            #expect(ids.count >= (isOfNoon ? 15 : 60), "\(status)")
            var seen: Set<String> = []
            var query = "?pageSize=37"
            while true {
                let page = try server.get(
                    "appointments/by-status/\(PercentCoding.encode(status))\(query)"
                ).json
                for item in page["items"]?.array ?? [] {
                    let id = try #require(item["appointmentId"]?.string)
                    let isNew = seen.insert(id).inserted
                    #expect(isNew, "\(id) twice")
                }
                guard let token = page["nextToken"]?.string else {
                    #expect(page["nextToken"] == .null)
                    break
                }
                query = "?pageSize=37&nextToken=\(token)"
            }
            #expect(seen == ids, "\(status)")
        }
    }

    @Test(
        "The order is scattered, the same in every run, another with another seed, by id on demand"
    )
    func order() throws {
        func ids(_ change: (inout TestConfiguration) -> Void) throws -> [String] {
            var configuration = TestConfiguration()
            change(&configuration)
            let server = try TestServer {
                $0.seed = configuration.seed
                $0.order = configuration.order
            }
            return try server.get("appointments?take=100").json.array?
                .compactMap { $0["appointmentId"]?.string } ?? []
        }
        let first = try ids { _ in }
        #expect(try ids { _ in } == first)
        #expect(Array(first.prefix(2)) == ["A123456", "A123457"])
        #expect(first != first.sorted())
        let other = try ids { $0.seed = 7 }
        #expect(other != first)
        #expect(Array(other.prefix(2)) == ["A123456", "A123457"])
        let sorted = try ids { $0.order = .byIdentifier }
        #expect(sorted == sorted.sorted())
    }

    @Test("A paging token is good for its list, caller, session and 24 hours only")
    func pagingTokens() throws {
        let server = try TestServer()
        let path = "appointments/by-status/FINALISED?pageSize=5"
        let token = try #require(try server.get(path).json["nextToken"]?.string)
        let next = "\(path)&nextToken=\(token)"
        #expect(try server.get(next).status == 200)
        // The last character has unused bits: another spelling of the same octets is another token.
        let changed = token.dropLast() + (token.hasSuffix("A") ? "Q" : "A")
        let respelled =
            token.dropLast() + String(UnicodeScalar(token.utf8.last.map { $0 + 1 } ?? 0))
        let others: [(String, String)] = [
            ("appointments/by-status/ARRIVED?nextToken=\(token)", "acme-partner"),
            ("appointments/operational/by-status/FINALISED?nextToken=\(token)", "acme-partner"),
            (next, "group-partner"), (next, "acme-partner+other"),
            ("\(path)&nextToken=\(changed)", "acme-partner"),
            ("\(path)&nextToken=\(respelled)", "acme-partner"),
            ("\(path)&nextToken=", "acme-partner"), ("\(path)&nextToken=null", "acme-partner"),
        ]
        for (path, client) in others {
            let answer = try server.get(path, as: client)
            #expect(answer.status == 400, "\(path) \(client)")
            #expect(answer.json["errors"]?["nextToken"] != nil)
        }
        let placeholder = try server.get("\(path)&nextToken=DDB_NEXT_TOKEN")
        #expect(placeholder.json["detail"]?.string?.contains("placeholder") == true)
        server.advance(seconds: 24 * 3600 - 1)
        #expect(try server.get(next, as: "acme-partner").status == 401)
        let fresh = try server.control("POST", "/tokens", ["clientId": "acme-partner"])
        let bearer = [("Authorization", "Bearer \(fresh.json["access_token"]?.string ?? "")")]
        let full = "/integrations/v1/acme/\(next)"
        #expect(try server.send("GET", full, bearer).status == 200)
        server.advance(seconds: 1)
        #expect(try server.send("GET", full, bearer).status == 400)
    }

    @Test("Filters combine, ranges are inclusive, and an appointment without a date matches none")
    func filters() throws {
        let server = try TestServer()
        func list(_ query: String) throws -> [JSONValue] {
            try server.get("appointments?take=500&\(query)").json.array ?? []
        }
        let day = try list("appointmentDate=2025-01-12")
        #expect(day.contains { $0["appointmentId"] == "A123456" })
        #expect(day.allSatisfy { $0["appointmentDate"] == "2025-01-12" })
        let range = try list("startDate=2025-01-12&endDate=2025-01-13")
        #expect(
            Set(range.compactMap { $0["appointmentDate"]?.string }) == ["2025-01-12", "2025-01-13"]
        )
        #expect(try list("appointmentDate=2025-01-12&startDate=2025-01-13") == day)
        let site = try list("appointmentDate=2025-01-12&scheduledSite=Central+Clinic")
        #expect(!site.isEmpty && site.allSatisfy { $0["scheduledSite"] == "Central Clinic" })
        #expect(try list("scheduledSite=central%20clinic").isEmpty)
        #expect(
            try list("clientUtcOffsetMinutes=600&appointmentDate=2025-01-12").count == day.count
        )
        for wrong in [
            "startDate=2025-01-13&endDate=2025-01-12", "clientUtcOffsetMinutes=841",
            "appointmentDate=01-01-2025", "appointmentDate=2025-02-30", "take=501", "skip=10001",
        ] {
            #expect(try server.get("appointments?\(wrong)").status == 400, "\(wrong)")
        }
    }

    @Test("Referrer lists hold only appointments of the caller's provider numbers")
    func referrers() throws {
        let server = try TestServer()
        let all = try server.get("appointments/referrer?take=500", as: "acme-referrer").json.array
        let one = try server.get("appointments/referrer?take=500", as: "group-partner").json.array
        let ids = Set((all ?? []).compactMap { $0["appointmentId"]?.string })
        #expect(ids.isSuperset(of: ["A123456", "A123457"]))
        let few = Set((one ?? []).compactMap { $0["appointmentId"]?.string })
        #expect(few.contains("A123456") && !few.contains("A123457"))
        #expect(try server.get("appointments/referrer", as: "acme-partner").status == 403)
    }

    @Test("Tenants never mix: the same id is another appointment in another domain")
    func tenants() throws {
        let server = try TestServer()
        let acme = try server.get("appointments/A900066", as: "group-partner")
        let globex = try server.get("appointments/A900066", as: "group-partner", domain: "globex")
        #expect(acme.status == 200 && globex.status == 200)
        #expect(acme.json["domain"] == "acme" && globex.json["domain"] == "globex")
        #expect(acme.json != globex.json)
        #expect(
            try server.get("appointments/A123456", as: "globex-partner", domain: "globex").status
                == 404
        )
    }

    @Test("Attachments come back with their bytes, type, name and part; the URL ends when it says")
    func downloads() throws {
        let server = try TestServer()
        let path = "appointments/A123456/attachments/989dd0c7-13bb-4bba-b7a0-53a28bdf5155"
        for (ttl, seconds) in [("5", 60), ("60", 60), ("900", 900), ("999999", 3600)] {
            let json = try server.get("\(path)?urlTtlSeconds=\(ttl)&disposition=attachment").json
            let url = try #require(json["url"]?.string)
            let target = String(url.dropFirst(server.baseURL.count))
            let whole = try server.send("GET", target)
            #expect(whole.status == 200)
            #expect(whole.response.content.starts(with: "%PDF-".utf8))
            #expect(whole.field("content-type") == "application/pdf")
            #expect(whole.field("content-disposition") == "attachment; filename=\"referral.pdf\"")
            let part = try server.send("GET", target, [("Range", "bytes=0-3")])
            #expect(part.status == 206 && part.text == "%PDF")
            let clock = server.application.sessions.default.clock
            let before = clock.now().secondsSince1970
            server.advance(seconds: Int64(seconds) - 1)
            #expect(try server.send("GET", target).status == 200)
            server.advance(seconds: 1)
            #expect(try server.send("GET", target).status == 403)
            clock.set(.frozen, nanoseconds: before * 1_000_000_000)
            #expect(try server.send("GET", target + "x").status == 403)
            let otherGuid = target.replacing("989dd0c7", with: "989dd0c8")
            #expect(try server.send("GET", otherGuid).status == 403)
        }
        #expect(try server.get("\(path)?disposition=download").status == 400)
    }
}

/// What the order test varies.
struct TestConfiguration {
    var seed: UInt64 = 1
    var order = ListOrder.scattered
}
