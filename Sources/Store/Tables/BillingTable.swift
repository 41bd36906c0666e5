/// Billing records: one JSON object for an appointment.
final class BillingTable {
    private let find: Statement
    private let put: Statement
    private let delete: Statement

    init(_ database: Database) {
        find = Statement(
            database,
            "SELECT json FROM billing WHERE domain = ?1 AND appointment = ?2"
        )
        put = Statement(
            database,
            """
            INSERT INTO billing (domain, appointment, json) VALUES (?1, ?2, ?3)
            ON CONFLICT (domain, appointment) DO UPDATE SET json = excluded.json
            """
        )
        delete = Statement(database, "DELETE FROM billing WHERE domain = ?1 AND appointment = ?2")
    }

    /// Appends the billing record of an appointment; `false` where there is none.
    func append(
        domain: Int64,
        appointment: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        try find.prepare(domain, appointment)
        defer { find.reset() }
        guard try find.step() else { return false }
        find.append(0, to: &output)
        return true
    }

    /// Adds or replaces the billing record of an appointment.
    func put(domain: Int64, appointment: String, json: [UInt8]) throws(StoreError) {
        try put.run(domain, appointment, json)
    }

    /// Removes the billing record of an appointment.
    func delete(domain: Int64, appointment: String) throws(StoreError) {
        try delete.run(domain, appointment)
    }
}
