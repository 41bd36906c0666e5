/// Names that rows refer to by a small number: domains and statuses.
///
/// There are few of them and they only grow, so what was read is kept.
final class NameTable {
    private let kind: String
    private let limit: Int64
    private let database: Database
    private let find: Statement
    private let insert: Statement
    private var known: [(name: String, id: Int64)] = []

    init(_ database: Database, table: String, limit: Int64) {
        self.database = database
        kind = table
        self.limit = limit
        find = Statement(database, "SELECT id FROM \(table) WHERE name = ?1")
        insert = Statement(database, "INSERT INTO \(table) (name) VALUES (?1)")
    }

    /// The number of a name, if it has one.
    func id(of name: String) throws(StoreError) -> Int64? {
        for entry in known where isSameText(entry.name, name) { return entry.id }
        try find.prepare(name)
        defer { find.reset() }
        guard try find.step() else { return nil }
        let id = find.integer(0)
        known.append((name, id))
        return id
    }

    /// The number of a name, given now where it had none.
    func intern(_ name: String) throws(StoreError) -> Int64 {
        if let id = try id(of: name) { return id }
        try insert.run(name)
        let id = database.lastInsertedRow
        guard id <= limit else { throw .tooManyNames(kind: kind, limit: Int(limit)) }
        known.append((name, id))
        return id
    }

    /// All names, in the order of their numbers.
    func names() throws(StoreError) -> [String] {
        let all = Statement(database, "SELECT name FROM \(kind) ORDER BY id")
        try all.prepare()
        defer { all.reset() }
        var names: [String] = []
        while try all.step() { names.append(all.text(0)) }
        return names
    }

    /// The name that a number stands for.
    func name(of id: Int64) throws(StoreError) -> String? {
        for entry in known where entry.id == id { return entry.name }
        return try database.text("SELECT name FROM \(kind) WHERE id = \(id)")
    }

    /// Forgets what was read: a rollback may have taken it back.
    func forget() { known.removeAll() }
}

/// Whether two texts are the same, octet for octet.
///
/// `==` holds texts for equal that Unicode does: to SQLite, and to clients, they are two.
func isSameText(_ left: String, _ right: String) -> Bool {
    guard left.utf8.count == right.utf8.count else { return false }
    let isSame = left.utf8.withContiguousStorageIfAvailable { left in
        right.utf8.withContiguousStorageIfAvailable { right in
            for index in 0..<left.count where left[index] != right[index] { return false }
            return true
        }
    }
    // Texts from elsewhere may lie in pieces.
    return (isSame ?? nil) ?? left.utf8.elementsEqual(right.utf8)
}
