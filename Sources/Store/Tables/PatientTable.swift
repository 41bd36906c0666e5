/// Patients: one JSON object each.
final class PatientTable {
    private let find: Statement
    private let put: Statement
    private let delete: Statement

    init(_ database: Database) {
        find = Statement(database, "SELECT summary FROM patient WHERE domain = ?1 AND id = ?2")
        put = Statement(
            database,
            """
            INSERT INTO patient (domain, id, summary) VALUES (?1, ?2, ?3)
            ON CONFLICT (domain, id) DO UPDATE SET summary = excluded.summary
            """
        )
        delete = Statement(database, "DELETE FROM patient WHERE domain = ?1 AND id = ?2")
    }

    /// Appends the summary of a patient; `false` where there is none.
    func append(
        domain: Int64,
        id: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        try find.prepare(domain, id)
        defer { find.reset() }
        guard try find.step() else { return false }
        find.append(0, to: &output)
        return true
    }

    /// Adds or replaces a patient.
    func put(domain: Int64, id: String, summary: [UInt8]) throws(StoreError) {
        try put.run(domain, id, summary)
    }

    /// Removes a patient.
    func delete(domain: Int64, id: String) throws(StoreError) {
        try delete.run(domain, id)
    }
}
