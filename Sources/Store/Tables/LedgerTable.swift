import QUBS
import Time

/// The idempotency ledger: what was answered under which key.
final class LedgerTable {
    private let find: Statement
    private let insert: Statement
    private let count: [Statement]
    private let purge: Statement
    private let clear: Statement
    private let all: Statement
    private var insertionsUntilPurge = 0

    /// Expired entries are as good as gone; to look for them more often costs more than they do.
    private static let purgeInterval = 4096

    private static let columns = """
        client, domain, operation, appointment, key, fingerprint, status, content, expires_at,
        replays, conflicts
        """

    init(_ database: Database) {
        let scope =
            "client = ?1 AND domain = ?2 AND operation = ?3 AND appointment = ?4 AND key = ?5"
        find = Statement(database, "SELECT \(Self.columns) FROM ledger WHERE \(scope)")
        insert = Statement(
            database,
            """
            INSERT OR REPLACE INTO ledger (\(Self.columns))
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """
        )
        count = ["replays", "conflicts"].map {
            Statement(database, "UPDATE ledger SET \($0) = \($0) + 1 WHERE \(scope)")
        }
        purge = Statement(database, "DELETE FROM ledger WHERE expires_at <= ?1")
        clear = Statement(database, "DELETE FROM ledger")
        all = Statement(
            database,
            """
            SELECT \(Self.columns) FROM ledger WHERE expires_at > ?1
            ORDER BY expires_at, domain, appointment, operation, client, key
            """
        )
    }

    /// The entry of a scope that has not expired.
    func entry(_ scope: IdempotencyScope, now: Instant) throws(StoreError) -> LedgerEntry? {
        try find.prepare()
        defer { find.reset() }
        bind(scope, to: find)
        guard try find.step(), let entry = Self.entry(find), now < entry.expiresAt else {
            return nil
        }
        return entry
    }

    /// All entries that have not expired, the next to expire first.
    func entries(now: Instant) throws(StoreError) -> [LedgerEntry] {
        try entries(expiringAfter: now.secondsSince1970)
    }

    /// All entries, the expired ones included.
    func everything() throws(StoreError) -> [LedgerEntry] {
        try entries(expiringAfter: .min)
    }

    private func entries(expiringAfter seconds: Int64) throws(StoreError) -> [LedgerEntry] {
        try all.prepare(seconds)
        defer { all.reset() }
        var entries: [LedgerEntry] = []
        while try all.step() {
            if let entry = Self.entry(all) { entries.append(entry) }
        }
        return entries
    }

    /// Adds an entry, in place of an expired one of the same scope; now and then drops the expired.
    func insert(_ entry: LedgerEntry, now: Instant) throws(StoreError) {
        if insertionsUntilPurge == 0 {
            try purge.run(now.secondsSince1970)
            insertionsUntilPurge = Self.purgeInterval
        }
        insertionsUntilPurge -= 1
        try insert.prepare()
        bind(entry.scope, to: insert)
        insert.bind(6, entry.fingerprint)
        insert.bind(7, entry.answer.status)
        insert.bind(8, entry.answer.content)
        insert.bind(9, entry.expiresAt.secondsSince1970)
        insert.bind(10, entry.replays)
        insert.bind(11, entry.conflicts)
        try insert.run()
    }

    /// Counts one more replay.
    func countReplay(_ scope: IdempotencyScope) throws(StoreError) {
        try increment(count[0], scope)
    }

    /// Counts one more conflict.
    func countConflict(_ scope: IdempotencyScope) throws(StoreError) {
        try increment(count[1], scope)
    }

    /// Forgets everything.
    func removeAll() throws(StoreError) {
        try clear.run()
    }

    private func increment(_ statement: Statement, _ scope: IdempotencyScope) throws(StoreError) {
        try statement.prepare()
        bind(scope, to: statement)
        try statement.run()
    }

    private func bind(_ scope: IdempotencyScope, to statement: Statement) {
        statement.bind(1, scope.client)
        statement.bind(2, scope.domain)
        statement.bind(3, scope.operation)
        statement.bind(4, scope.appointmentID)
        statement.bind(5, scope.key.text)
    }

    private static func entry(_ statement: Statement) -> LedgerEntry? {
        guard let key = IdempotencyKey(statement.text(4)) else { return nil }
        return LedgerEntry(
            scope: IdempotencyScope(
                client: statement.text(0),
                domain: statement.text(1),
                operation: statement.text(2),
                appointmentID: statement.text(3),
                key: key
            ),
            fingerprint: statement.octets(5),
            answer: RememberedAnswer(
                status: Int(statement.integer(6)),
                content: statement.octets(7)
            ),
            expiresAt: Instant(secondsSince1970: statement.integer(8)),
            replays: Int(statement.integer(9)),
            conflicts: Int(statement.integer(10))
        )
    }
}
