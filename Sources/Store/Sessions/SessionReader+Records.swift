package import JSON
import QUBS

// What tests ask for: records as they are stored now, and how they came to be so.

/// An appointment in fixture form, with what clients wrote about it.
package struct AppointmentRecord: Sendable, Hashable {
    package let record: JSONObject
    /// The last one that was submitted.
    package let report: ReportRecord?
    /// What is shown on it: its own comments and those of its patient, as a JSON array.
    package let comments: [UInt8]
    package let uploads: [StoredUpload]
}

/// A patient in fixture form.
package struct PatientRecord: Sendable, Hashable {
    package let record: JSONObject
    /// The comments about the patient, as a JSON array.
    package let comments: [UInt8]
}

extension SessionReader {
    /// What was changed since the data were laid, oldest first.
    package func changes(withValues: Bool) throws(StoreError) -> ChangeLog {
        try session.read(worker) { tables throws(StoreError) in
            try tables.changes.log(withValues: withValues)
        }
    }

    /// An appointment; `nil` where there is none.
    package func appointmentRecord(
        domain: String,
        id: String
    ) throws(StoreError) -> AppointmentRecord? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            let record = try tables.appointmentRecord(
                domain: domain,
                id: id,
                layout: session.layout
            )
            guard let record else { return nil }
            return AppointmentRecord(
                record: record,
                report: try tables.reports.report(domain: domain, appointment: id),
                comments: try tables.comments.array(
                    domain: domain,
                    appointment: id,
                    patient: record["patientId"]?.string
                ),
                uploads: try tables.attachments.uploads(domain: domain, appointment: id)
            )
        }
    }

    /// A patient; `nil` where there is none.
    package func patientRecord(domain: String, id: String) throws(StoreError) -> PatientRecord? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            guard let record = try tables.patientRecord(domain: domain, id: id) else { return nil }
            return PatientRecord(
                record: record,
                comments: try tables.comments.array(domain: domain, appointment: nil, patient: id)
            )
        }
    }

    /// A site in fixture form, without its exam codes and staff grid; `nil` where there is none.
    package func siteRecord(domain: String, name: String) throws(StoreError) -> JSONObject? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            try tables.siteRecord(domain: domain, name: name)
        }
    }

    /// Identifiers of a domain that one may have been meant to be.
    package func similarIDs(
        to id: String,
        kind: RecordKind,
        domain: String
    ) throws(StoreError) -> [String] {
        try read(domain, unknown: []) { tables, domain throws(StoreError) in
            try tables.similarIDs(to: id, kind: kind, domain: domain)
        }
    }
}
