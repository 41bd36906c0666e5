import Time

/// The log of changes, which is written in the transaction of the change.
///
/// Numbers begin with 1 and have no gaps, so that the oldest one tells how many were dropped. Each
/// row says how many octets of values were written before it, so that the first and the last tell
/// how many all take.
final class ChangeTable {
    /// Where the log begins or ends: a number, and how many octets stand before or up to there.
    private struct End {
        var id: Int64
        var octets: Int64
    }

    private let database: Database
    private let insert: Statement
    private let first: Statement
    private let last: Statement
    private let remove: Statement
    private let all: Statement
    private let allWithoutValues: Statement
    /// What this connection wrote last, unless a rollback may have taken it back.
    private var newest: End?
    private var oldest: End?

    init(_ database: Database) {
        self.database = database
        insert = Statement(
            database,
            """
            INSERT INTO change (id, kind, action, domain, appointment, record, value, request_id,
                request, journal, client, time, start)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
            """
        )
        first = Statement(
            database,
            "SELECT id, start FROM change ORDER BY id LIMIT 1"
        )
        last = Statement(
            database,
            """
            SELECT id, start + coalesce(length(value), 0) FROM change ORDER BY id DESC LIMIT 1
            """
        )
        remove = Statement(database, "DELETE FROM change WHERE id = ?1")
        func list(_ value: String) -> Statement {
            Statement(
                database,
                """
                SELECT id, kind, action, domain, appointment, record, \(value), request_id, request,
                    journal, client, time
                FROM change ORDER BY id
                """
            )
        }
        all = list("value")
        allWithoutValues = list("NULL")
    }

    // MARK: Writing

    /// Adds a change, and drops the oldest ones where there are too many.
    func append(
        _ change: Change,
        by origin: ChangeOrigin,
        maximumItems: Int = ChangeLog.maximumItems,
        maximumOctets: Int = ChangeLog.maximumOctets
    ) throws(StoreError) {
        if newest == nil { newest = try end(last) }
        let before = newest ?? End(id: 0, octets: 0)
        // Wrapping: the numbers come from a file that somebody may have edited.
        let present = End(
            id: before.id &+ 1,
            octets: before.octets &+ Int64(change.value?.count ?? 0)
        )
        try insert.run(
            present.id,
            change.kind.rawValue,
            change.action.rawValue,
            change.domain,
            change.appointmentID,
            change.id,
            change.value,
            origin.requestID,
            origin.request.map { Int(clamping: $0) },
            origin.journal,
            origin.client,
            origin.time.secondsSince1970,
            before.octets
        )
        newest = present
        while true {
            if oldest == nil { oldest = try end(first) }
            guard let old = oldest, old.id < present.id,
                present.id &- old.id >= Int64(maximumItems)
                    || present.octets &- old.octets > Int64(maximumOctets)
            else { return }
            try remove.run(old.id)
            oldest = nil
        }
    }

    /// Forgets what was written: a rollback may have taken it back.
    func forget() {
        newest = nil
        oldest = nil
    }

    private func end(_ statement: Statement) throws(StoreError) -> End? {
        try statement.prepare()
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        return End(id: statement.integer(0), octets: statement.integer(1))
    }

    // MARK: Reading

    /// All changes that are kept, oldest first.
    ///
    /// A file of an older version of this program has no such table before its first write.
    func log(withValues: Bool) throws(StoreError) -> ChangeLog {
        var log = ChangeLog(items: [], dropped: 0)
        guard try database.integer(Self.lookup) != nil else { return log }
        let list = withValues ? all : allWithoutValues
        try list.prepare()
        defer { list.reset() }
        while try list.step() {
            if log.items.isEmpty { log.dropped = max(0, Int(list.integer(0)) &- 1) }
            guard let kind = Change.Kind(rawValue: list.text(1)),
                let action = Change.Action(rawValue: list.text(2))
            else { throw .damagedRow(table: "change", row: list.text(0)) }
            log.items.append(
                ChangeLog.Item(
                    change: Change(
                        kind: kind,
                        action: action,
                        domain: list.text(3),
                        appointmentID: list.optionalText(4),
                        id: list.text(5),
                        value: list.optionalOctets(6)
                    ),
                    origin: ChangeOrigin(
                        requestID: list.text(7),
                        request: list.isNull(8) ? nil : UInt64(clamping: list.integer(8)),
                        journal: list.integer(9),
                        client: list.optionalText(10),
                        time: Instant(secondsSince1970: list.integer(11))
                    )
                )
            )
        }
        return log
    }

    private static let lookup = "SELECT 1 FROM sqlite_schema WHERE name = 'change'"
}
