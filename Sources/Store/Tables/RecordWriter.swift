import JSON
import QUBS
import Time

/// Writes records in fixture form: renders their views and checks what they refer to.
///
/// Each function returns what is wrong with the record; a record with faults is not written.
/// Schemas are checked elsewhere; what is read here is asked for again, since a missing name would
/// be worse than a repeated check.
final class RecordWriter {
    /// A fault of one record.
    struct Fault: Equatable {
        var member: String
        var reason: String
        /// The kind of record that the member refers to, where there is none such.
        var missing: FixtureResource?
    }

    /// A domain and its id.
    struct Domain {
        let id: Int64
        let name: String
    }

    let tables: Tables
    private let shapes: ViewShapes
    private let layout: AppointmentLayout
    let scatter: Scatter
    let zones: TimeZones
    private let attachmentHead: ViewShape

    init(_ tables: Tables, rules: RecordRules) {
        self.tables = tables
        shapes = rules.shapes
        layout = rules.layout
        scatter = rules.scatter
        zones = rules.zones
        attachmentHead = rules.attachmentHead
    }

    // MARK: Sites

    /// Adds or replaces a site.
    func putSite(_ record: JSONObject, in domain: Domain) throws(StoreError) -> [Fault] {
        var check = Check(record, domain: domain)
        let name = check.text("siteName")
        let rule = zoneRule("timeZone", in: &check)
        guard let name, check.faults.isEmpty else { return check.faults }
        try tables.sites.put(
            domain: domain.id,
            name: name,
            position: scatter.position(domain: domain.name, id: name),
            isActive: check.record["isActive"]?.bool ?? true,
            listed: shapes.listedSite.octets(of: check.record),
            settings: shapes.siteSettings.octets(of: check.record),
            zoneRule: rule ?? Self.utc
        )
        return []
    }

    /// The rule of a time zone that a member names; UTC where it names none.
    private func zoneRule(_ member: String, in check: inout Check) -> String? {
        guard let name = check.optionalText(member) else { return Self.utc }
        if let rule = zones.rule(of: name) { return rule }
        check.fault(member, Self.unknownZone)
        return nil
    }

    private static let utc = "UTC0"
    static let unknownZone =
        "no time zone has this name: send one of the IANA database, such as "
        + "Australia/Brisbane"

    /// Adds an exam code, new to its site.
    func addExamCode(_ record: JSONObject, in domain: Domain) throws(StoreError) -> [Fault] {
        var check = Check(record, domain: domain)
        let id = check.text("examCodeId")
        let site = try self.site(named: "site", in: &check)
        guard let id, let site, check.faults.isEmpty else { return check.faults }
        try tables.sites.insertExamCode(
            site: site,
            position: scatter.position(domain: domain.name, id: id),
            id: id,
            json: shapes.examCode.octets(of: check.record)
        )
        return []
    }

    /// Sets the staff grid of a site.
    func putStaffSkills(_ record: JSONObject, in domain: Domain) throws(StoreError) -> [Fault] {
        var check = Check(record, domain: domain)
        let site = try self.site(named: "siteName", in: &check)
        guard let site, check.faults.isEmpty else { return check.faults }
        try tables.sites.setStaffSkills(shapes.staffSkills.octets(of: check.record), site: site)
        return []
    }

    private func site(named member: String, in check: inout Check) throws(StoreError) -> Int64? {
        guard let name = check.text(member) else { return nil }
        if let id = try tables.sites.id(of: name, domain: check.domain.id) { return id }
        check.fault(member, missing: .sites, "no site of this name in the domain")
        return nil
    }

    // MARK: Patients

    /// Adds or replaces a patient, and what appointments show of it.
    func putPatient(_ record: JSONObject, in domain: Domain) throws(StoreError) -> [Fault] {
        var check = Check(record, domain: domain)
        let id = check.text("patientId")
        guard let id, check.faults.isEmpty else { return check.faults }
        let summary = shapes.patient.octets(of: check.record)
        try tables.patients.put(domain: domain.id, id: id, summary: summary)
        let shown = try Self.parse(summary, table: "patient", id: id)
        for row in try tables.appointments.rows(ofPatient: id, domain: domain.id) {
            guard let old = layout.record(of: row.octets) else {
                throw .damagedRow(table: "appointment", row: String(row.key))
            }
            try tables.appointments.setOctets(
                layout.octets(of: layout.joined(old, patient: shown)),
                key: row.key
            )
        }
        return []
    }

    /// The patient as the summary shows it.
    private func patient(_ id: String, in domain: Domain) throws(StoreError) -> JSONObject? {
        var summary: [UInt8] = []
        guard try tables.patients.append(domain: domain.id, id: id, to: &summary) else {
            return nil
        }
        return try Self.parse(summary, table: "patient", id: id)
    }

    // MARK: Appointments

    /// Adds or replaces an appointment.
    ///
    /// - Parameter isNew: Whether the identifier is known to be new.
    func putAppointment(
        _ record: JSONObject,
        in domain: Domain,
        isNew: Bool = false
    ) throws(StoreError) -> [Fault] {
        var check = Check(record, domain: domain)
        let id = check.text("appointmentId")
        let status = check.text("status")
        let site = try self.site(named: "scheduledSite", in: &check)
        let date = check.date("appointmentDate")
        let patientID = check.optionalText("patientId")
        let numbers = check.texts("providerNumbers")
        var patient: JSONObject? = nil
        if let patientID {
            patient = try self.patient(patientID, in: domain)
            if patient == nil {
                check.fault("patientId", missing: .patients, "no patient of this id in the domain")
            }
        }
        guard let id, let status, let site, check.faults.isEmpty else { return check.faults }

        if !isNew, let old = try tables.appointments.entry(domain: domain.id, id: id) {
            try tables.appointments.delete(old)
        }
        let position = scatter.position(domain: domain.name, id: id)
        var providers: [Int64] = []
        for number in numbers {
            let provider = try tables.providers.intern(number, domain: domain.id)
            if !providers.contains(provider) { providers.append(provider) }
        }
        try tables.appointments.insert(
            AppointmentTable.Entry(
                key: AppointmentKey(
                    domain: domain.id,
                    status: try tables.statuses.intern(status),
                    position: position
                ),
                position: position,
                site: site,
                date: try date.map { date throws(StoreError) in
                    date.daysSince1970 - (try tables.practices.origin(of: domain.id))
                },
                patient: patientID,
                providers: providers,
                octets: layout.octets(of: layout.joined(check.record, patient: patient))
            ),
            id: id
        )
        return []
    }

    /// Gives an appointment another status; `false` where there is no such appointment.
    func setStatus(_ status: String, of id: String, in domain: Domain) throws(StoreError) -> Bool {
        var value: [UInt8] = []
        JSONWriter.append(string: status, to: &value)
        return try tables.change(
            domain: domain.id,
            id: id,
            status: status,
            members: [("status", value)],
            layout: layout
        )
    }

    /// Adds or replaces a billing record.
    func putBilling(_ record: JSONObject, in domain: Domain) throws(StoreError) -> [Fault] {
        var check = Check(record, domain: domain)
        let appointment = try self.appointment(in: &check)
        guard let appointment, check.faults.isEmpty else { return check.faults }
        try tables.billing.put(
            domain: domain.id,
            appointment: appointment,
            json: shapes.billing.octets(of: check.record)
        )
        return []
    }

    private func appointment(in check: inout Check) throws(StoreError) -> String? {
        guard let id = check.text("appointmentId") else { return nil }
        if try tables.appointments.key(domain: check.domain.id, id: id) != nil { return id }
        check.fault(
            "appointmentId",
            missing: .appointments,
            "no appointment of this id in the domain"
        )
        return nil
    }

    // MARK: Attachments and comments

    /// Adds an attachment with a new guid.
    ///
    /// - Parameter contents: Ids of stored contents, by the path that `file` names.
    func addAttachment(
        _ record: JSONObject,
        in domain: Domain,
        contents: [String: Int64]
    ) throws(StoreError) -> [Fault] {
        var check = Check(record, domain: domain)
        let guid = check.text("guid")
        let appointment = try self.appointment(in: &check)
        let file = check.optionalText("file")
        let content = file.flatMap { contents[$0] }
        if file != nil, content == nil {
            check.fault("file", "no such file in the domain's folder")
        }
        guard let guid, let appointment, check.faults.isEmpty else { return check.faults }
        try tables.attachments.insert(
            guid: guid,
            domain: domain.id,
            appointment: appointment,
            position: scatter.position(domain: domain.name, id: guid),
            fileName: check.record["fileName"]?.string ?? guid,
            head: head(of: check.record),
            content: content,
            contentType: check.record["contentType"]?.string
        )
        return []
    }

    /// The JSON object of an attachment up to where the URL follows.
    func head(of record: JSONObject) -> [UInt8] {
        attachmentHead.octets(of: record).dropLast()
    }

    /// Adds a comment with a new guid.
    func addComment(_ record: JSONObject, in domain: Domain) throws(StoreError) -> [Fault] {
        var check = Check(record, domain: domain)
        let guid = check.text("guid")
        let owner: CommentOwner?
        if check.optionalText("appointmentId") != nil {
            owner = try appointment(in: &check).map { .appointment($0) }
        } else if let patient = check.text("patientId") {
            if try self.patient(patient, in: domain) == nil {
                check.fault("patientId", missing: .patients, "no patient of this id in the domain")
            }
            owner = .patient(patient)
        } else {
            owner = nil
        }
        guard let guid, let owner, check.faults.isEmpty else { return check.faults }
        try tables.comments.insert(
            domain: domain.id,
            owner: owner,
            position: scatter.position(domain: domain.name, id: guid),
            guid: guid,
            json: shapes.comment.octets(of: check.record)
        )
        return []
    }

    /// Reads back an object of our own making.
    static func parse(
        _ octets: [UInt8],
        table: String,
        id: String
    ) throws(StoreError) -> JSONObject {
        do {
            if let object = try JSONParser.parse(octets).object { return object }
        } catch {
            // Falls through to the error of this room.
        }
        throw .damagedRow(table: table, row: id)
    }
}

/// A record being checked.
private struct Check {
    var record: JSONObject
    let domain: RecordWriter.Domain
    var faults: [RecordWriter.Fault] = []

    init(_ record: JSONObject, domain: RecordWriter.Domain) {
        self.record = record
        self.domain = domain
        if let named = record["domain"] {
            if named.string != domain.name {
                fault("domain", "differs from the domain that the record stands in")
            }
        } else {
            self.record["domain"] = .string(domain.name)
        }
    }

    mutating func fault(_ member: String, missing: FixtureResource? = nil, _ reason: String) {
        faults.append(RecordWriter.Fault(member: member, reason: reason, missing: missing))
    }

    /// A string that the record must have.
    mutating func text(_ member: String) -> String? {
        if let text = record[member]?.string { return text }
        fault(member, "must be a string")
        return nil
    }

    /// A string that may be absent or null.
    mutating func optionalText(_ member: String) -> String? {
        guard let value = record[member], !value.isNull else { return nil }
        if let text = value.string { return text }
        fault(member, "must be a string")
        return nil
    }

    /// An array of strings that may be absent or null.
    mutating func texts(_ member: String) -> [String] {
        guard let value = record[member], !value.isNull else { return [] }
        if let texts = value.array?.map(\.string), !texts.contains(nil) {
            return texts.compactMap { $0 }
        }
        fault(member, "must be an array of strings")
        return []
    }

    /// A date that may be absent or null.
    mutating func date(_ member: String) -> LocalDate? {
        guard let text = optionalText(member) else { return nil }
        if let date = LocalDate(text) { return date }
        fault(member, "must be a date of the form yyyy-MM-dd")
        return nil
    }
}
