/// Facts about the data as a whole.
enum Meta: String {
    /// The name of the scattered order.
    case order
    /// Present in files that `fixtures generate` made; names what was generated.
    case generated
    /// Tells the records of one fixture folder from those of another.
    case origin

    /// What a database says.
    func value(in database: Database) throws(StoreError) -> String? {
        try database.text("SELECT value FROM meta WHERE name = '\(rawValue)'")
    }

    /// Sets what a database says.
    func set(_ value: String, in database: Database) throws(StoreError) {
        let set = Statement(database, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")
        try set.run(rawValue, value)
    }
}
