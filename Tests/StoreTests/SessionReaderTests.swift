import QUBS
import Store
import Testing

/// Every reader against what the samples say.
struct SessionReaderTests {
    @Test("A request that is answered beside the workers waits for no work in the background")
    func background() throws {
        let store = try TestStore()
        var found: Bool?
        try store.session.backgroundReader().forEachPatientName { _, _ in
            // On the same connection, this would never end.
            found = try? store.session.reader(worker: 2).changes(withValues: false).items.isEmpty
        }
        #expect(found == true)
    }

    @Test("A view has its members in its order: nullable ones as null, others left out")
    func views() throws {
        let store = try TestStore()
        func view(_ view: AppointmentView, _ id: String, _ domain: String = "acme") throws -> String
        {
            let read = try reading {
                try store.reader.appendAppointment(domain: domain, id: id, view: view, to: &$0)
            }
            #expect(read.result)
            return read.text
        }
        #expect(
            try view(.summary, "A123456")
                == #"{"domain":"acme","appointmentId":"A123456","scheduledSite":"Central Clinic","#
                + #""status":"PENDING REPORTING","appointmentDate":"2025-01-12","startTime":"13:45:00","modality":"CT"}"#
        )
        #expect(
            try view(.operational, "A123456")
                == #"{"domain":"acme","appointmentId":"A123456","scheduledSite":"Central Clinic","#
                + #""status":"PENDING REPORTING","appointmentDate":"2025-01-12","startTime":"13:45:00","modality":"CT","#
                + #""room":"Room 2","arrivalDateTime":"2025-01-12T03:40:00Z","examCodes":[{"examCodeId":"1"}]}"#
        )
        #expect(
            try view(.reporting, "A123456")
                == #"{"domain":"acme","appointmentId":"A123456","status":"PENDING REPORTING","#
                + #""scheduledSite":"Central Clinic","appointmentDate":"2025-01-12","startTime":"13:45:00","#
                + #""patientId":"220000","patientName":"Jane Doe","dateOfBirth":"1980-01-01","modality":"CT","#
                + #""clinicalInfo":"Cough","examCodes":[{"examCodeId":"1"}]}"#
        )
        #expect(
            try view(.operational, "A000001")
                == #"{"domain":"acme","appointmentId":"A000001","scheduledSite":"Central Clinic","status":"ARRIVED","#
                + #""appointmentDate":null,"startTime":null,"arrivalDateTime":null}"#
        )
        #expect(
            try view(.reporting, "A000001")
                == #"{"domain":"acme","appointmentId":"A000001","status":"ARRIVED","scheduledSite":"Central Clinic","#
                + #""appointmentDate":null,"startTime":null,"patientId":"220001","patientName":"Dr O'Brien","dateOfBirth":null}"#
        )
        #expect(
            try view(.reporting, "A000002")
                == #"{"domain":"acme","appointmentId":"A000002","status":"PENDING REPORTING","scheduledSite":"Old Site","#
                + #""appointmentDate":"2025-01-13","startTime":null,"dateOfBirth":null}"#
        )
        #expect(
            try view(.reporting, "A123456", "globex")
                == #"{"domain":"globex","appointmentId":"A123456","status":"PENDING REPORTING","#
                + #""scheduledSite":"Central Clinic","appointmentDate":"2025-01-12","startTime":null,"#
                + #""patientId":"220000","patientName":"Other","dateOfBirth":null}"#
        )
    }

    @Test(
        "An appointment is found by domain, identifier and status",
        arguments: [
            ("acme", "A123456", nil, true), ("acme", "A123456", "PENDING REPORTING", true),
            ("acme", "A123456", "ARRIVED", false), ("acme", "A123456", "FINALISED", false),
            ("acme", "a123456", nil, false), ("acme", "A999999", nil, false),
            ("globex", "A123457", nil, false), ("nobody", "A123456", nil, false),
            ("acme", "", nil, false),
        ] as [(String, String, String?, Bool)]
    )
    func lookup(domain: String, id: String, status: String?, isFound: Bool) throws {
        let store = try TestStore()
        for view in AppointmentView.allCases {
            let found = try reading {
                try store.reader.appendAppointment(
                    domain: domain,
                    id: id,
                    view: view,
                    status: status,
                    to: &$0
                )
            }
            #expect(found.result == isFound)
            #expect(found.text.isEmpty == !isFound)
        }
    }

    @Test("The status of an appointment, and its patient")
    func statusAndPatient() throws {
        let reader = try TestStore().reader
        #expect(try reader.status(domain: "acme", appointment: "A000001") == "ARRIVED")
        #expect(try reader.status(domain: "globex", appointment: "A000001") == nil)
        #expect(try reader.patient(domain: "acme", appointment: "A000001") == .some("220001"))
        #expect(try reader.patient(domain: "acme", appointment: "A000002") == .some(nil))
        #expect(try reader.patient(domain: "acme", appointment: "A000003") == .none)
    }

    @Test("The list of sites leaves out inactive sites and those not allowed")
    func sites() throws {
        let reader = try TestStore(order: .byIdentifier).reader
        func sites(_ domain: String, _ allowed: [String]?) throws -> String {
            try text { _ = try reader.appendSites(domain: domain, allowed: allowed, to: &$0) }
        }
        let central = #"{"domain":"acme","siteName":"Central Clinic"}"#
        let north = #"{"domain":"acme","siteName":"North Clinic"}"#
        #expect(try sites("acme", nil) == central + "," + north)
        #expect(try sites("acme", ["North Clinic", "Old Site"]) == north)
        #expect(try sites("acme", []) == "")
        #expect(try sites("globex", nil) == #"{"domain":"globex","siteName":"Central Clinic"}"#)
        #expect(try sites("nobody", nil) == "")
        #expect(try reader.domains() == ["acme", "globex"])
    }

    @Test("Site settings are there for inactive sites too, without members the view does not have")
    func siteSettings() throws {
        let reader = try TestStore().reader
        func settings(_ name: String) throws -> String {
            try text { _ = try reader.appendSite(domain: "acme", name: name, to: &$0) }
        }
        #expect(
            try settings("North Clinic")
                == #"{"domain":"acme","siteName":"North Clinic","timeZone":"Australia/Brisbane","isActive":true,"openTime":null}"#
        )
        #expect(
            try settings("Old Site")
                == #"{"domain":"acme","siteName":"Old Site","timeZone":"Australia/Perth","isActive":false,"openTime":null}"#
        )
        #expect(try settings("old site") == "")
        #expect(try reader.hasSite(domain: "acme", name: "Old Site"))
        #expect(try !reader.hasSite(domain: "globex", name: "Old Site"))
    }

    @Test("Exam codes of a site, and the difference between no codes and no site")
    func examCodes() throws {
        let reader = try TestStore(order: .byIdentifier).reader
        let codes = try reading {
            try reader.appendExamCodes(domain: "acme", site: "Central Clinic", to: &$0)
        }
        #expect(codes.result == 2)
        #expect(
            codes.text
                == #"{"examCodeId":"1","key":"k1","site":"Central Clinic","description":"CT Chest","modality":"CT"},"#
                + #"{"examCodeId":"2","key":"k2","site":"Central Clinic","description":"XR Chest"}"#
        )
        var octets: [UInt8] = []
        #expect(try reader.appendExamCodes(domain: "acme", site: "Old Site", to: &octets) == 0)
        #expect(try reader.appendExamCodes(domain: "acme", site: "Nowhere", to: &octets) == nil)
        #expect(
            try reader.appendExamCodes(domain: "globex", site: "Central Clinic", to: &octets) == 0
        )
        #expect(octets.isEmpty)
    }

    @Test("The staff grid of a site, and the difference between no grid and no site")
    func staffSkills() throws {
        let reader = try TestStore().reader
        let grid = try reading {
            try reader.appendStaffSkills(domain: "acme", site: "Central Clinic", to: &$0)
        }
        #expect(grid.result == true)
        #expect(grid.text == #"{"examKeys":["k1"],"employees":[]}"#)
        var octets: [UInt8] = []
        #expect(
            try reader.appendStaffSkills(domain: "acme", site: "North Clinic", to: &octets) == false
        )
        #expect(try reader.appendStaffSkills(domain: "acme", site: "Nowhere", to: &octets) == nil)
        #expect(octets.isEmpty)
    }

    @Test("Billing: a record, no record, no appointment")
    func billing() throws {
        let reader = try TestStore().reader
        let billing = try reading {
            try reader.appendBilling(domain: "acme", appointment: "A123456", to: &$0)
        }
        #expect(billing.result == true)
        #expect(
            billing.text
                == #"{"domain":"acme","appointmentId":"A123456","billingType":"bulk","medicareExpiryDate":null}"#
        )
        var octets: [UInt8] = []
        #expect(
            try reader.appendBilling(domain: "acme", appointment: "A123457", to: &octets) == false
        )
        #expect(try reader.appendBilling(domain: "acme", appointment: "A1", to: &octets) == nil)
        #expect(
            try reader.appendBilling(domain: "globex", appointment: "A123456", to: &octets) == false
        )
        #expect(octets.isEmpty)
    }

    @Test("Attachments: rows of the appointment, with the URL that the answer makes")
    func attachments() throws {
        let reader = try TestStore(order: .byIdentifier).reader
        let rows = try #require(try reader.attachments(domain: "acme", appointment: "A123456"))
        #expect(rows.map(\.guid) == ["g-1", "g-2"])
        #expect(rows.map(\.hasContent) == [true, false])
        #expect(rows.map(\.contentType) == ["application/pdf", nil])
        #expect(
            try text {
                rows[0].append(url: "http://h/\"", expiresAt: Samples.start, to: &$0)
            }
                == #"{"guid":"g-1","category":"Referral","fileName":"referral.pdf","addedDateTime":null,"#
                + #""lastModifiedDateTime":null,"url":"http://h/\"","urlExpiresAtUtc":"2025-01-12T02:46:40Z"}"#
        )
        #expect(
            try text { rows[1].append(url: nil, expiresAt: nil, to: &$0) }
                == #"{"guid":"g-2","fileName":"lost.pdf","addedDateTime":null,"lastModifiedDateTime":null,"url":null,"urlExpiresAtUtc":null}"#
        )
        #expect(try reader.attachments(domain: "acme", appointment: "A000001") == [])
        #expect(try reader.attachments(domain: "acme", appointment: "A1") == nil)
        #expect(
            try reader.attachment(domain: "acme", appointment: "A123456", guid: "g-1") == rows[0]
        )
        #expect(
            try reader.attachment(domain: "acme", appointment: "A123457", guid: "g-1") == nil
        )
        #expect(
            try reader.attachment(domain: "globex", appointment: "A123456", guid: "g-1") == nil
        )
        let content = try #require(try reader.content(guid: "g-3"))
        #expect(String(decoding: content.octets, as: UTF8.self) == "%PDF-1.4")
        #expect(content.fileName == "same.pdf")
        #expect(content.contentType == nil)
        #expect(try reader.content(guid: "g-2") == nil)
        #expect(try reader.content(guid: "g-9") == nil)
        #expect(try reader.upload(guid: "g-1") == nil)
    }

    @Test("Comments of an appointment and those of its patient, on all the patient's appointments")
    func comments() throws {
        let reader = try TestStore(order: .byIdentifier).reader
        let one =
            #"{"guid":"c-1","appointmentId":"A123456","patientId":"220000","commentText":"One","commentType":"AC","isAlert":false}"#
        let two =
            #"{"guid":"c-2","appointmentId":null,"patientId":"220000","commentText":"Two","commentType":"PA","isAlert":true}"#
        func comments(_ id: String, _ domain: String = "acme") throws -> String {
            let read = try reading {
                try reader.appendComments(domain: domain, appointment: id, to: &$0)
            }
            #expect(read.result == read.text.split(separator: "},{").count)
            return read.text
        }
        #expect(try comments("A123456") == one + "," + two)
        #expect(try comments("A123457") == two)
        #expect(try comments("A000002") == "")
        #expect(try comments("A123456", "globex") == "")
        var octets: [UInt8] = []
        #expect(try reader.appendComments(domain: "acme", appointment: "A1", to: &octets) == nil)

        func comment(_ id: String, _ guid: String) throws -> String {
            try text {
                _ = try reader.appendComment(
                    domain: "acme",
                    appointment: id,
                    guid: guid,
                    to: &$0
                )
            }
        }
        #expect(try comment("A123456", "c-1") == one)
        #expect(try comment("A123457", "c-2") == two)
        #expect(try comment("A123457", "c-1") == "")
        #expect(try comment("A000002", "c-2") == "")
        #expect(try comment("A1", "c-1") == "")
    }

    @Test("A patient's summary")
    func patients() throws {
        let reader = try TestStore().reader
        let patient = try reading {
            try reader.appendPatient(domain: "acme", id: "220000", to: &$0)
        }
        #expect(patient.result)
        #expect(
            patient.text
                == #"{"domain":"acme","patientId":"220000","firstName":"Jane","lastName":"Doe","dateOfBirth":"1980-01-01"}"#
        )
        var octets: [UInt8] = []
        #expect(try !reader.appendPatient(domain: "globex", id: "220001", to: &octets))
    }

    @Test("Both workers read the same")
    func workers() throws {
        let store = try TestStore()
        #expect(
            try store.session.reader(worker: 1).page().ids
                == store.session.reader(worker: 0).page().ids
        )
    }
}
