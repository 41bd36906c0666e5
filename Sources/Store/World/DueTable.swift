import Time

/// What is to happen next at an appointment.
struct Due {
    enum Kind: Equatable {
        /// Something that is still to be found out: a client or the front desk wrote the record, or
        /// its day is near.
        case plan
        /// The next stage of its course.
        case course
        /// An appointment that is not there yet is booked.
        case booking
        case event(PracticeEvent)

        fileprivate var text: String {
            switch self {
            case .plan: "plan"
            case .course: "course"
            case .booking: "book"
            case .event(let event): event.rawValue
            }
        }

        fileprivate init?(text: String) {
            switch text {
            case "plan": self = .plan
            case "course": self = .course
            case "book": self = .booking
            default:
                guard let event = PracticeEvent(rawValue: text) else { return nil }
                self = .event(event)
            }
        }
    }

    /// By the session's clock, in seconds since 1970.
    let time: Int64
    let domain: Int64
    /// Empty for a booking.
    let appointment: String
    let kind: Kind
}

/// What is to happen next at each appointment that takes part in the world.
final class DueTable {
    private let database: Database
    private let find: Statement
    private let insert: Statement
    private let delete: Statement
    private let earliest: Statement
    private let earliestEvent: Statement

    init(_ database: Database) {
        self.database = database
        find = Statement(database, "SELECT 1 FROM due WHERE domain = ?1 AND appointment = ?2")
        insert = Statement(
            database,
            "INSERT OR REPLACE INTO due (domain, appointment, time, event) VALUES (?1, ?2, ?3, ?4)"
        )
        delete = Statement(database, "DELETE FROM due WHERE domain = ?1 AND appointment = ?2")
        func first(_ condition: String) -> Statement {
            Statement(
                database,
                """
                SELECT time, domain, appointment, event FROM due INDEXED BY due_time \(condition)
                ORDER BY time, domain, appointment LIMIT 1
                """
            )
        }
        earliest = first("")
        earliestEvent = first("WHERE event <> 'plan'")
    }

    /// Whether something is to happen at an appointment.
    func has(domain: Int64, appointment: String) throws(StoreError) -> Bool {
        try find.prepare(domain, appointment)
        defer { find.reset() }
        return try find.step()
    }

    /// Notes what is to happen next, in place of what was.
    func put(_ due: Due) throws(StoreError) {
        try insert.run(due.domain, due.appointment, due.time, due.kind.text)
    }

    func remove(domain: Int64, appointment: String) throws(StoreError) {
        try delete.run(domain, appointment)
    }

    /// What comes first.
    func first() throws(StoreError) -> Due? { try first(earliest) }

    /// The event that comes first.
    func firstEvent() throws(StoreError) -> Due? { try first(earliestEvent) }

    private func first(_ statement: Statement) throws(StoreError) -> Due? {
        try statement.prepare()
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        guard let kind = Due.Kind(text: statement.text(3)) else {
            throw .damagedRow(table: "due", row: statement.text(2))
        }
        return Due(
            time: statement.integer(0),
            domain: statement.integer(1),
            appointment: statement.text(2),
            kind: kind
        )
    }

    // MARK: The world

    /// When the data were laid, by the session's clock; `nil` where they never lived.
    func laid() throws(StoreError) -> Instant? {
        guard try database.integer(Self.lookup) != nil else { return nil }
        return try database.integer("SELECT laid FROM world").map {
            Instant(secondsSince1970: $0)
        }
    }

    /// Notes that the data live.
    func begin(laid: Instant) throws(StoreError) {
        try database.execute("INSERT INTO world (laid) VALUES (\(laid.secondsSince1970))")
    }

    private static let lookup = "SELECT 1 FROM sqlite_schema WHERE name = 'world'"
}
