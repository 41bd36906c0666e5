import JSON
import QUBS
import Store
import Testing
import Time

struct SessionWriterTests {
    static let scope = IdempotencyScope(
        client: "acme-partner",
        domain: "acme",
        operation: "Op",
        appointmentID: "A123456",
        key: key("k-1")
    )

    static func key(_ text: String) -> IdempotencyKey {
        guard let key = IdempotencyKey(text) else { preconditionFailure("not a key: \(text)") }
        return key
    }

    static func object(_ value: JSONValue) -> JSONObject {
        guard let object = value.object else { preconditionFailure("not an object") }
        return object
    }

    static func comment(_ guid: String, on id: String? = "A123456") -> JSONObject {
        object([
            "guid": .string(guid), "appointmentId": id.map { .string($0) } ?? .null,
            "commentText": "Sent.", "commentType": "AC", "isAlert": false, "unknown": 1,
        ])
    }

    // MARK: Transactions

    @Test("A write is seen by every worker when it was answered")
    func readYourWrites() throws {
        let store = try TestStore()
        for index in 0..<20 {
            let json = try store.session.write { writer throws(StoreError) in
                try writer.createComment(
                    domain: "acme",
                    owner: .appointment("A123456"),
                    members: Self.comment("n-\(index)")
                )
            }
            for worker in 0..<2 {
                let read = try reading {
                    try store.session.reader(worker: worker).appendComment(
                        domain: "acme",
                        appointment: "A123456",
                        guid: "n-\(index)",
                        to: &$0
                    )
                }
                #expect(read.result)
                #expect(read.text == String(decoding: json, as: UTF8.self))
            }
        }
        #expect(
            try reading {
                try store.reader.appendComments(
                    domain: "acme",
                    appointment: "A123456",
                    to: &$0
                )
            }.result == 22
        )
        #expect(
            try reading {
                try store.reader.appendComments(
                    domain: "acme",
                    appointment: "A123457",
                    to: &$0
                )
            }.result == 1
        )
    }

    @Test("A comment is rendered by the view: guid first, nulls where nullable, nothing unknown")
    func commentView() throws {
        let store = try TestStore()
        let json = try store.session.write { writer throws(StoreError) in
            try writer.createComment(
                domain: "acme",
                owner: .patient("220000"),
                members: Self.comment("n", on: nil)
            )
        }
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"guid":"n","appointmentId":null,"patientId":null,"commentText":"Sent.","commentType":"AC","isAlert":false}"#
        )
    }

    @Test("A comment for a patient shows on all the patient's appointments, in its tenant only")
    func patientComment() throws {
        let store = try TestStore()
        try store.session.write { writer throws(StoreError) in
            _ = try writer.createComment(
                domain: "acme",
                owner: .patient("220000"),
                members: Self.comment("n", on: nil)
            )
        }
        func has(_ domain: String, _ id: String) throws -> Bool {
            try reading {
                try store.reader.appendComment(
                    domain: domain,
                    appointment: id,
                    guid: "n",
                    to: &$0
                )
            }.result
        }
        #expect(try has("acme", "A123456"))
        #expect(try has("acme", "A123457"))
        #expect(try !has("acme", "A000001"))
        #expect(try !has("globex", "A123456"))
    }

    @Test("A body that throws leaves nothing behind, and the next one runs")
    func rollback() throws {
        let store = try TestStore()
        let error = failure {
            try store.session.write { writer throws(StoreError) in
                _ = try writer.createComment(
                    domain: "acme",
                    owner: .appointment("A123456"),
                    members: Self.comment("n")
                )
                _ = try writer.putAppointment(
                    domain: "acme",
                    try PagingTests.appointment("A9", status: "A STATUS NEVER SEEN"),
                    now: Samples.start
                )
                throw .rule(.keyReused)
            }
        }
        #expect(error == .rule(.keyReused))
        #expect(
            try !reading {
                try store.reader.appendComment(
                    domain: "acme",
                    appointment: "A123456",
                    guid: "n",
                    to: &$0
                )
            }.result
        )
        // The number that the status had for a moment must not be remembered.
        for id in ["A8", "A9"] {
            _ = try store.session.write { writer throws(StoreError) in
                try writer.putAppointment(
                    domain: "acme",
                    try PagingTests.appointment(
                        id,
                        status: id == "A8" ? "ANOTHER ONE" : "A STATUS NEVER SEEN"
                    ),
                    now: Samples.start
                )
            }
        }
        #expect(try store.reader.page("A STATUS NEVER SEEN").ids == ["A9"])
        #expect(try store.reader.page("ANOTHER ONE").ids == ["A8"])
    }

    @Test("A full disk is an error of that write alone, and nothing is half written")
    func fullDisk() throws {
        let image = try Samples.image()
        let store = try TestStore(image, maximumPages: image.count / 4096 + 20)
        try store.session.write { writer throws(StoreError) in
            try writer.createUploads(
                domain: "acme",
                appointment: "A123456",
                [Self.upload("u-1")],
                now: Samples.start
            )
        }
        let error = failure {
            try store.session.write { writer throws(StoreError) in
                _ = try writer.createComment(
                    domain: "acme",
                    owner: .appointment("A123456"),
                    members: Self.comment("n")
                )
                try writer.putContent(
                    guid: "u-1",
                    octets: [UInt8](repeating: 7, count: 1_000_000),
                    contentType: nil,
                    now: Samples.start
                )
            }
        }
        #expect(error == .full)
        #expect(try store.reader.upload(guid: "u-1")?.isComplete == false)
        #expect(
            try !reading {
                try store.reader.appendComment(
                    domain: "acme",
                    appointment: "A123456",
                    guid: "n",
                    to: &$0
                )
            }.result
        )
        try store.session.write { writer throws(StoreError) in
            try writer.putContent(
                guid: "u-1",
                octets: [1, 2, 3],
                contentType: nil,
                now: Samples.start
            )
        }
        #expect(try store.reader.content(guid: "u-1")?.octets == [1, 2, 3])
    }

    // MARK: Idempotency

    @Test("A key replays the same payload, refuses another, and is forgotten after its retention")
    func ledger() throws {
        let store = try TestStore()
        func decide(
            _ fingerprint: UInt8,
            at seconds: Int64,
            _ scope: IdempotencyScope = Self.scope
        ) throws -> IdempotencyDecision {
            try store.session.write { writer throws(StoreError) in
                try writer.decide(
                    scope,
                    fingerprint: [fingerprint],
                    now: Samples.start.advanced(bySeconds: seconds)
                )
            }
        }
        let answer = RememberedAnswer(status: 200, content: Array(#"{"guid":"n"}"#.utf8))
        #expect(try decide(1, at: 0) == .proceed)
        try store.session.write { writer throws(StoreError) in
            try writer.remember(
                answer,
                for: Self.scope,
                fingerprint: [1],
                expiresAt: Samples.start.advanced(bySeconds: 900),
                now: Samples.start
            )
        }
        #expect(try decide(1, at: 0) == .replay(answer))
        #expect(try decide(1, at: 899) == .replay(answer))
        #expect(try decide(2, at: 899) == .conflict)
        let entries = try store.reader.ledger(now: Samples.start)
        #expect(entries.count == 1)
        #expect(entries.first?.scope == Self.scope)
        #expect(entries.first?.replays == 2)
        #expect(entries.first?.conflicts == 1)
        #expect(entries.first?.answer == answer)
        for change in [
            \IdempotencyScope.client, \IdempotencyScope.domain, \IdempotencyScope.operation,
            \IdempotencyScope.appointmentID,
        ] {
            var other = Self.scope
            other[keyPath: change] = "other"
            #expect(try decide(1, at: 0, other) == .proceed)
        }
        #expect(try decide(1, at: 900) == .proceed)
        #expect(try store.reader.ledger(now: Samples.start.advanced(bySeconds: 900)).isEmpty)
        // A new answer under the expired key takes the place of the old.
        try store.session.write { writer throws(StoreError) in
            try writer.remember(
                answer,
                for: Self.scope,
                fingerprint: [2],
                expiresAt: Samples.start.advanced(bySeconds: 2000),
                now: Samples.start.advanced(bySeconds: 900)
            )
        }
        #expect(try decide(2, at: 901) == .replay(answer))
    }

    @Test(
        "Payloads that mean the same have one fingerprint input",
        arguments: [
            (
                #"{"a":1,"b":[{"d":"x","c":null}]}"#,
                #" { "b" : [{"c":null,"d":"\u0078"}], "a":1 } "#, true
            ),
            (#"{"a":"/"}"#, #"{"a":"\/"}"#, true),
            (#"{"a":1}"#, #"{"a":1.0}"#, false),
            (#"{"a":[1,2]}"#, #"{"a":[2,1]}"#, false),
            (#"{"a":"é"}"#, #"{"a":"e\u0301"}"#, false),
            (#"{"a":null}"#, "{}", false),
        ]
    )
    func fingerprints(left: String, right: String, isSame: Bool) throws {
        let octets = try [left, right].map {
            fingerprintInput(of: try JSONParser.parse(Array($0.utf8)))
        }
        #expect((octets[0] == octets[1]) == isSame)
    }

    // MARK: Reporting

    @Test("What is required of an appointment's status")
    func required() throws {
        let store = try TestStore()
        func require(_ domain: String, _ id: String) -> StoreError? {
            failure {
                try store.session.write { writer throws(StoreError) in
                    try writer.require(
                        status: "PENDING REPORTING",
                        domain: domain,
                        appointment: id
                    )
                }
            }
        }
        #expect(require("acme", "A123456") == nil)
        #expect(
            require("acme", "A000001")
                == .rule(.wrongStatus(required: "PENDING REPORTING", found: "ARRIVED"))
        )
        #expect(require("globex", "A000001") == .rule(.notFound(.appointment)))
        #expect(require("nobody", "A123456") == .rule(.notFound(.domain)))
    }

    static func upload(_ guid: String, type: String? = "application/pdf") -> NewUpload {
        NewUpload(
            guid: guid,
            fileName: "report.pdf",
            category: "report",
            promisedContentType: type,
            expiresAt: Samples.start.advanced(bySeconds: 900)
        )
    }

    @Test("An upload is listed at once, without content, and takes its content once")
    func uploads() throws {
        let store = try TestStore(order: .byIdentifier)
        try store.session.write { writer throws(StoreError) in
            try writer.createUploads(
                domain: "acme",
                appointment: "A000002",
                [Self.upload("u-1"), Self.upload("u-2", type: nil)],
                now: Samples.start
            )
        }
        let before = try #require(
            try store.reader.attachments(domain: "acme", appointment: "A000002")
        )
        #expect(before.map(\.hasContent) == [false, false])
        #expect(
            try reading { before[0].append(url: nil, expiresAt: nil, to: &$0) }.text
                == #"{"guid":"u-1","category":"report","fileName":"report.pdf","addedDateTime":"2025-01-12T02:46:40Z","#
                + #""lastModifiedDateTime":null,"url":null,"urlExpiresAtUtc":null}"#
        )
        let state = try #require(try store.reader.upload(guid: "u-1"))
        #expect(state.fileName == "report.pdf")
        #expect(state.promisedContentType == "application/pdf")
        #expect(state.expiresAt == Samples.start.advanced(bySeconds: 900))
        #expect(!state.isComplete)
        #expect(try store.reader.upload(guid: "u-2")?.promisedContentType == nil)
        func put(_ guid: String) -> StoreError? {
            failure {
                try store.session.write { writer throws(StoreError) in
                    try writer.putContent(
                        guid: guid,
                        octets: [0, 255],
                        contentType: "application/pdf",
                        now: Samples.start.advanced(bySeconds: 60)
                    )
                }
            }
        }
        #expect(put("u-1") == nil)
        #expect(put("u-1") == .rule(.alreadyUploaded))
        #expect(put("u-9") == .rule(.notFound(.attachment)))
        #expect(put("g-1") == .rule(.notFound(.attachment)))
        let after = try #require(
            try store.reader.attachment(domain: "acme", appointment: "A000002", guid: "u-1")
        )
        #expect(after.hasContent)
        #expect(after.contentType == "application/pdf")
        #expect(
            try reading { after.append(url: nil, expiresAt: nil, to: &$0) }.text
                .contains(#""lastModifiedDateTime":"2025-01-12T02:47:40Z""#)
        )
        #expect(try store.reader.content(guid: "u-1")?.octets == [0, 255])
    }

    @Test("A report replaces the one before; its status moves the appointment only when told to")
    func reports() throws {
        let store = try TestStore()
        func submit(_ guid: String, _ newStatus: String?) throws {
            try store.session.write { writer throws(StoreError) in
                try writer.submitReport(
                    domain: "acme",
                    appointment: "A123456",
                    ReportRecord(
                        guid: guid,
                        status: "final",
                        reportedAt: "2025-01-10T03:04:05Z",
                        text: "Fine.\u{0}\n",
                        clinician: guid == "r-2" ? ["name": "Dr"] : nil
                    ),
                    newStatus: newStatus,
                    now: Samples.start
                )
            }
        }
        #expect(try store.reader.report(domain: "acme", appointment: "A123456") == nil)
        try submit("r-1", nil)
        #expect(try store.reader.report(domain: "acme", appointment: "A123456")?.guid == "r-1")
        #expect(
            try store.reader.status(domain: "acme", appointment: "A123456") == "PENDING REPORTING"
        )
        let list = try store.reader.list()
        try submit("r-2", "FINALISED")
        let report = try store.reader.report(domain: "acme", appointment: "A123456")
        #expect(report?.guid == "r-2")
        #expect(report?.text == "Fine.\u{0}\n")
        #expect(report?.clinician == ["name": "Dr"])
        #expect(try store.reader.status(domain: "acme", appointment: "A123456") == "FINALISED")
        #expect(try store.reader.page().ids.contains("A123456") == false)
        #expect(try store.reader.page("FINALISED").ids == ["A123456"])
        #expect(try store.reader.page("FINALISED", providers: ["1234567A"]).ids == ["A123456"])
        #expect(try store.reader.page(providers: ["1234567A"]).ids == ["A123457"])
        #expect(try store.reader.list(providers: ["1234567A"]) == ["A123456", "A123457"])
        #expect(try store.reader.list() == list)
        for view in [AppointmentView.summary, .operational, .reporting] {
            let read = try reading {
                try store.reader.appendAppointment(
                    domain: "acme",
                    id: "A123456",
                    view: view,
                    status: "FINALISED",
                    to: &$0
                )
            }
            #expect(read.text.contains(#""status":"FINALISED""#))
            #expect(!read.text.contains("PENDING"))
            if view == .reporting {
                #expect(read.text.contains(#""patientName":"Jane Doe","dateOfBirth":"1980-01-01""#))
                #expect(read.text.contains(#""clinicalInfo":"Cough","examCodes":[{"#))
            }
        }
        #expect(
            failure {
                try store.session.write { writer throws(StoreError) in
                    try writer.submitReport(
                        domain: "globex",
                        appointment: "A9",
                        ReportRecord(
                            guid: "r",
                            status: "final",
                            reportedAt: "",
                            text: "",
                            clinician: nil
                        ),
                        newStatus: nil,
                        now: Samples.start
                    )
                }
            } == .rule(.notFound(.appointment))
        )
    }

    // MARK: Records of the control API

    @Test("A record that is put takes the place of the one before, in all lists")
    func putAppointment() throws {
        let store = try TestStore()
        func put(_ record: JSONValue) throws -> Bool {
            try store.session.write { writer throws(StoreError) in
                try writer.putAppointment(
                    domain: "acme",
                    Self.object(record),
                    now: Samples.start
                )
            }
        }
        #expect(
            try put([
                "appointmentId": "A123456", "scheduledSite": "North Clinic", "status": "ARRIVED",
                "appointmentDate": "2025-06-01", "providerNumbers": ["9999999X"],
                "patientId": "220001",
            ]) == false
        )
        #expect(try put(["appointmentId": "T1", "scheduledSite": "North Clinic", "status": "NEW"]))
        #expect(try Set(store.reader.page("ARRIVED").ids) == ["A000001", "A123456"])
        #expect(try !store.reader.page().ids.contains("A123456"))
        #expect(try store.reader.page("NEW").ids == ["T1"])
        #expect(try store.reader.list(providers: ["9999999X"]) == ["A123456"])
        #expect(try store.reader.list(providers: ["1234567A"]) == ["A123457"])
        #expect(
            try store.reader.list(AppointmentFilter(date: LocalDate("2025-06-01")))
                == ["A123456"]
        )
        #expect(try store.reader.list(AppointmentFilter(date: LocalDate("2025-01-12"))).isEmpty)
        #expect(
            try reading {
                try store.reader.appendAppointment(
                    domain: "acme",
                    id: "A123456",
                    view: .reporting,
                    to: &$0
                )
            }.text.contains(#""patientName":"Dr O'Brien""#)
        )
        // What belongs to the appointment stays.
        #expect(
            try reading {
                try store.reader.appendBilling(domain: "acme", appointment: "A123456", to: &$0)
            }.result == true
        )
    }

    static let refused: [(JSONValue, String)] = [
        (["appointmentId": "T", "status": "S", "scheduledSite": "Nowhere"], "/scheduledSite"),
        (["appointmentId": "T", "status": "S"], "/scheduledSite"),
        (["status": "S", "scheduledSite": "Old Site"], "/appointmentId"),
        (["appointmentId": "T", "scheduledSite": "Old Site"], "/status"),
        (
            ["appointmentId": "T", "status": "S", "scheduledSite": "Old Site", "patientId": "1"],
            "/patientId"
        ),
        (
            ["appointmentId": "T", "status": "S", "scheduledSite": "Old Site", "domain": "globex"],
            "/domain"
        ),
        (
            [
                "appointmentId": "T", "status": "S", "scheduledSite": "Old Site",
                "appointmentDate": "2025-02-29",
            ], "/appointmentDate"
        ),
        (
            [
                "appointmentId": "T", "status": "S", "scheduledSite": "Old Site",
                "providerNumbers": [1],
            ], "/providerNumbers"
        ),
    ]

    @Test(
        "A record that refers to what is not there is refused, with the member",
        arguments: refused
    )
    func refusedAppointment(record: JSONValue, pointer: String) throws {
        let store = try TestStore()
        let error = failure {
            _ = try store.session.write { writer throws(StoreError) in
                try writer.putAppointment(
                    domain: "acme",
                    Self.object(record),
                    now: Samples.start
                )
            }
        }
        guard case .fixtures(let faults)? = error else {
            Issue.record("not refused: \(String(describing: error))")
            return
        }
        #expect(faults.map(\.pointer.description) == [pointer])
        #expect(try !store.reader.list().contains("T"))
    }

    @Test("An appointment goes with all that belongs to it")
    func deleteAppointment() throws {
        let store = try TestStore()
        try store.session.write { writer throws(StoreError) in
            try writer.deleteAppointment(domain: "acme", id: "A123456", now: Samples.start)
        }
        #expect(try store.reader.list().contains("A123456") == false)
        #expect(try store.reader.list(providers: ["1234567A"]) == ["A123457"])
        #expect(try store.reader.content(guid: "g-1") == nil)
        #expect(try store.reader.content(guid: "g-3") != nil, "another one's file stays")
        #expect(try store.reader.list(domain: "globex") == ["A123456"])
        #expect(
            failure {
                try store.session.write { writer throws(StoreError) in
                    try writer.deleteAppointment(domain: "acme", id: "A123456", now: Samples.start)
                }
            } == .rule(.notFound(.appointment))
        )
        // Put again, it starts without.
        _ = try store.session.write { writer throws(StoreError) in
            try writer.putAppointment(
                domain: "acme",
                try PagingTests.appointment("A123456"),
                now: Samples.start
            )
        }
        var octets: [UInt8] = []
        #expect(
            try store.reader.appendBilling(domain: "acme", appointment: "A123456", to: &octets)
                == false
        )
        #expect(
            try store.reader.appendComments(domain: "acme", appointment: "A123456", to: &octets)
                == 0
        )
        #expect(try store.reader.attachments(domain: "acme", appointment: "A123456") == [])
    }

    @Test("A patient's new data show on the patient's appointments at once")
    func putPatient() throws {
        let store = try TestStore()
        let isNew = try store.session.write { writer throws(StoreError) in
            try writer.putPatient(
                domain: "acme",
                Self.object(["patientId": "220000", "firstName": "Janet", "lastName": "Doe-Roe"])
            )
        }
        #expect(!isNew)
        func shown(_ domain: String, _ id: String) throws -> String {
            try reading {
                try store.reader.appendAppointment(
                    domain: domain,
                    id: id,
                    view: .reporting,
                    to: &$0
                )
            }.text
        }
        #expect(
            try shown("acme", "A123456").contains(
                #""patientId":"220000","patientName":"Janet Doe-Roe","dateOfBirth":null,"modality":"CT","clinicalInfo":"Cough""#
            )
        )
        #expect(try shown("acme", "A123457").contains("Janet Doe-Roe"))
        #expect(try shown("globex", "A123456").contains("Other"))
    }

    @Test("Patients and sites stay while appointments name them, and go when none does")
    func deletePatientAndSite() throws {
        let store = try TestStore()
        func write(_ body: (SessionWriter) throws(StoreError) -> Void) -> StoreError? {
            failure { try store.session.write(body) }
        }
        #expect(
            write { writer throws(StoreError) in
                try writer.deletePatient(domain: "acme", id: "220000")
            } == .rule(.inUse(.appointment, count: 2))
        )
        #expect(
            write { writer throws(StoreError) in
                try writer.deleteSite(domain: "acme", name: "Old Site")
            } == .rule(.inUse(.appointment, count: 1))
        )
        #expect(
            write { writer throws(StoreError) in
                for id in ["A123456", "A123457", "A000002"] {
                    try writer.deleteAppointment(domain: "acme", id: id, now: Samples.start)
                }
                try writer.deletePatient(domain: "acme", id: "220000")
                try writer.deleteSite(domain: "acme", name: "Old Site")
            } == nil
        )
        #expect(try !store.reader.hasSite(domain: "acme", name: "Old Site"))
        #expect(
            write { writer throws(StoreError) in
                try writer.deleteSite(domain: "acme", name: "Old Site")
            } == .rule(.notFound(.site))
        )
        #expect(
            write { writer throws(StoreError) in
                try writer.deletePatient(domain: "acme", id: "220000")
            } == .rule(.notFound(.patient))
        )
    }

    @Test("A site that is put again keeps its exam codes and grid")
    func putSite() throws {
        let store = try TestStore()
        let isNew = try store.session.write { writer throws(StoreError) in
            try writer.putSite(
                domain: "acme",
                Self.object(["siteName": "Central Clinic", "timeZone": "X", "isActive": false])
            )
        }
        #expect(!isNew)
        let sites = try reading {
            try store.reader.appendSites(domain: "acme", allowed: nil, to: &$0)
        }
        #expect(sites.text == #"{"domain":"acme","siteName":"North Clinic"}"#)
        #expect(
            try reading {
                try store.reader.appendExamCodes(domain: "acme", site: "Central Clinic", to: &$0)
            }.result == 2
        )
        #expect(try store.reader.list(AppointmentFilter(site: "Central Clinic")).count == 2)
        #expect(
            try store.session.write { writer throws(StoreError) in
                try writer.putSite(
                    domain: "acme",
                    Self.object(["siteName": "New Site", "timeZone": "X"])
                )
            }
        )
        #expect(try store.reader.hasSite(domain: "acme", name: "New Site"))
    }
}
