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
        try exists.prepare(domain, appointment)
        defer { exists.reset() }
        return try exists.step()
    }

    /// The current report of an appointment.
    func report(domain: Int64, appointment: String) throws(StoreError) -> ReportRecord? {
        try find.prepare(domain, appointment)
        defer { find.reset() }
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
        try put.run(
            domain,
            appointment,
            report.guid,
            report.status,
            report.reportedAt,
            report.text,
            report.clinician.map(JSONWriter.octets)
        )
    }

    /// Removes the report of an appointment.
    func delete(domain: Int64, appointment: String) throws(StoreError) {
        try delete.run(domain, appointment)
    }
}
