/// Provider numbers and their ids.
final class ProviderTable {
    private let database: Database
    private let find: Statement
    private let findNumber: Statement
    private let insert: Statement

    init(_ database: Database) {
        self.database = database
        find = Statement(database, "SELECT id FROM provider WHERE domain = ?1 AND number = ?2")
        findNumber = Statement(database, "SELECT number FROM provider WHERE id = ?1")
        insert = Statement(database, "INSERT INTO provider (domain, number) VALUES (?1, ?2)")
    }

    /// The id of a provider number, if any appointment of the domain ever had it.
    func id(of number: String, domain: Int64) throws(StoreError) -> Int64? {
        try find.prepare(domain, number)
        defer { find.reset() }
        return try find.step() ? find.integer(0) : nil
    }

    /// The provider number of an id.
    func number(of id: Int64) throws(StoreError) -> String? {
        try findNumber.prepare(id)
        defer { findNumber.reset() }
        return try findNumber.step() ? findNumber.text(0) : nil
    }

    /// The id of a provider number, given now where it had none.
    func intern(_ number: String, domain: Int64) throws(StoreError) -> Int64 {
        if let id = try id(of: number, domain: domain) { return id }
        try insert.run(domain, number)
        return database.lastInsertedRow
    }
}
