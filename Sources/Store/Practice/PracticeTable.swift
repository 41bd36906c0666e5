import QUBS
import Time

/// Around which day the data of each domain lie.
///
/// Dates of appointments are stored as days from day zero: so that what moves with it need not be
/// written again, nor its place in an index.
final class PracticeTable {
    /// The practice of one domain.
    struct Practice {
        let domain: Int64
        /// The reference time zone, and its rule.
        let zone: String
        let rule: TimeZoneRule
        /// Day zero of the fixture files.
        let written: LocalDate
        let dayZero: LocalDate
        let present: Instant
        /// Whether `--today` fixed the day.
        let isPinned: Bool
    }

    private let database: Database
    private let all: Statement
    private let findResting: Statement
    /// The day from which the dates of each domain count, once it was read.
    private var origins: [Int64: Int] = [:]

    init(_ database: Database) {
        self.database = database
        all = Statement(
            database,
            """
            SELECT domain, zone, rule, written, day_zero, present, pinned FROM practice
            ORDER BY domain
            """
        )
        findResting = Statement(
            database,
            """
            SELECT 1 FROM fixed_appointment WHERE domain = ?1 AND appointment = ?2
            UNION ALL SELECT 1 FROM apart_appointment WHERE domain = ?1 AND appointment = ?2
            """
        )
    }

    /// The years 1971 to 2199, and what lies beside them.
    private static let days: ClosedRange<Int64> = 0...90_000
    private static let seconds: ClosedRange<Int64> = 0...7_776_000_000

    /// The practices of all domains that have one.
    func practices() throws(StoreError) -> [Practice] {
        try all.prepare()
        defer { all.reset() }
        var practices: [Practice] = []
        while try all.step() {
            // A file may have been edited: what follows reckons with dates.
            guard Self.days.contains(all.integer(3)), Self.days.contains(all.integer(4)),
                Self.seconds.contains(all.integer(5))
            else { throw .damagedRow(table: "practice", row: all.text(0)) }
            practices.append(
                Practice(
                    domain: all.integer(0),
                    zone: all.text(1),
                    rule: TimeZoneRule(all.text(2)) ?? .utc,
                    written: LocalDate(daysSince1970: Int(all.integer(3))),
                    dayZero: LocalDate(daysSince1970: Int(all.integer(4))),
                    present: Instant(secondsSince1970: all.integer(5)),
                    isPinned: all.integer(6) != 0
                )
            )
        }
        return practices
    }

    /// The day since 1970 from which the dates of a domain are counted.
    func origin(of domain: Int64) throws(StoreError) -> Int {
        if let origin = origins[domain] { return origin }
        let origin = try practices().first { $0.domain == domain }?.dayZero.daysSince1970 ?? 0
        origins[domain] = origin
        return origin
    }

    /// The appointments of a domain whose dates stay.
    func fixed(in domain: Int64) throws(StoreError) -> [String] {
        let find = Statement(
            database,
            "SELECT appointment FROM fixed_appointment WHERE domain = ?1 ORDER BY appointment"
        )
        try find.prepare(domain)
        defer { find.reset() }
        var ids: [String] = []
        while try find.step() { ids.append(find.text(0)) }
        return ids
    }

    /// Whether an appointment takes no part in the world: its dates stay, or it is a named case.
    func rests(_ id: String, domain: Int64) throws(StoreError) -> Bool {
        try findResting.prepare(domain, id)
        defer { findResting.reset() }
        return try findResting.step()
    }

    /// Notes an appointment that takes no part in the world.
    func addApart(_ id: String, domain: Int64) throws(StoreError) {
        let insert = Statement(
            database,
            "INSERT OR IGNORE INTO apart_appointment (domain, appointment) VALUES (?1, ?2)"
        )
        try insert.run(domain, id)
    }

    /// Notes an appointment whose dates stay.
    func addFixed(_ id: String, domain: Int64) throws(StoreError) {
        let insert = Statement(
            database,
            "INSERT OR IGNORE INTO fixed_appointment (domain, appointment) VALUES (?1, ?2)"
        )
        try insert.run(domain, id)
    }

    /// Notes the practice of a domain that has no appointments yet, as the files have it.
    func add(
        domain: Int64,
        zone: String,
        rule: String,
        dayZero: LocalDate
    ) throws(StoreError) {
        let insert = Statement(
            database,
            """
            INSERT INTO practice (domain, zone, rule, written, day_zero, present, pinned)
            VALUES (?1, ?2, ?3, ?4, ?4, ?5, 1)
            """
        )
        let (_, present) = Present.noon(dayZero).place(in: TimeZoneRule(rule) ?? .utc)
        try insert.run(domain, zone, rule, dayZero.daysSince1970, present.secondsSince1970)
        origins[domain] = dayZero.daysSince1970
    }

    /// Moves day zero of a domain; who moves it moves the dates, too.
    func move(
        domain: Int64,
        to dayZero: LocalDate,
        present: Instant,
        isPinned: Bool
    ) throws(StoreError) {
        let update = Statement(
            database,
            "UPDATE practice SET day_zero = ?2, present = ?3, pinned = ?4 WHERE domain = ?1"
        )
        try update.run(domain, dayZero.daysSince1970, present.secondsSince1970, isPinned ? 1 : 0)
        origins[domain] = dayZero.daysSince1970
    }
}
