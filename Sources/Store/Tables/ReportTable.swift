package import JSON

/// A report as submitted (`Integrations_SubmitPendingReportingAppointmentReport`).
package struct ReportRecord: Sendable, Hashable {
    package var guid: String
    /// `preliminary` or `final`, in lower case.
    package var status: String
    /// As the client sent it, or made from the clock.
    package var reportedAt: String
    package var text: String
    /// What the client said about the interpreting clinician.
    package var clinician: JSONValue?

    package init(
        guid: String,
        status: String,
        reportedAt: String,
        text: String,
        clinician: JSONValue?
    ) {
        self.guid = guid
        self.status = status
        self.reportedAt = reportedAt
        self.text = text
        self.clinician = clinician
    }

    /// The report as it was submitted, with its guid and time.
    package var json: JSONValue {
        [
            "reportGuid": .string(guid), "reportStatus": .string(status),
            "reportedAtUtc": .string(reportedAt), "reportText": .string(text),
            "interpretingClinician": clinician ?? .null,
        ]
    }
}

/// Reports: at most one for an appointment.
final class ReportTable {
    private let find: Statement
    private let exists: Statement
    private let put: Statement
    private let delete: Statement

    init(_ database: Database) {
        find = Statement(
            database,
            """
            SELECT guid, status, reported_at, text, clinician FROM report
            WHERE domain = ?1 AND appointment = ?2
            """
        )
        exists = Statement(
            database,
            "SELECT 1 FROM report WHERE domain = ?1 AND appointment = ?2"
        )
        put = Statement(
            database,
            """
            INSERT OR REPLACE INTO report
            (domain, appointment, guid, status, reported_at, text, clinician)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """
        )
        delete = Statement(database, "DELETE FROM report WHERE domain = ?1 AND appointment = ?2")
    }

    /// Whether an appointment has a report.
    func has(domain: Int64, appointment: String) throws(StoreError) -> Bool {
        try exists.begin()
        defer { exists.reset() }
        exists.bind(1, domain)
        exists.bind(2, appointment)
        return try exists.step()
    }

    /// The current report of an appointment.
    func report(domain: Int64, appointment: String) throws(StoreError) -> ReportRecord? {
        try find.begin()
        defer { find.reset() }
        find.bind(1, domain)
        find.bind(2, appointment)
        guard try find.step() else { return nil }
        var clinician: JSONValue? = nil
        if let octets = find.optionalOctets(4) {
            do {
                clinician = try JSONParser.parse(octets)
            } catch {
                throw .damagedRow(table: "report", row: appointment)
            }
        }
        return ReportRecord(
            guid: find.text(0),
            status: find.text(1),
            reportedAt: find.text(2),
            text: find.text(3),
            clinician: clinician
        )
    }

    /// Adds a report, in place of the one before.
    func put(_ report: ReportRecord, domain: Int64, appointment: String) throws(StoreError) {
        try put.begin()
        put.bind(1, domain)
        put.bind(2, appointment)
        put.bind(3, report.guid)
        put.bind(4, report.status)
        put.bind(5, report.reportedAt)
        put.bind(6, report.text)
        put.bind(7, report.clinician.map(JSONWriter.octets))
        try put.run()
    }

    /// Removes the report of an appointment.
    func delete(domain: Int64, appointment: String) throws(StoreError) {
        try delete.begin()
        delete.bind(1, domain)
        delete.bind(2, appointment)
        try delete.run()
    }
}
