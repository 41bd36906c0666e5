package import Time

/// An event that happened.
package struct PastEvent: Sendable {
    package let time: Instant
    package let domain: String
    package let appointment: String
    package let event: String
    /// `nil` where the appointment was not there before.
    package let from: String?
    package let to: String
}

/// What happened by itself while the data were brought up to an instant.
package struct WorldNews: Sendable {
    /// The last of the events, the oldest first.
    package let events: [PastEvent]
    /// How many came before them.
    package let omitted: Int
}

extension SessionReader {
    /// The events of a session, the newest first.
    ///
    /// - Parameters:
    ///   - since: The first instant of which events are given.
    ///   - limit: How many at most.
    package func events(since: Instant?, limit: Int) throws(StoreError) -> [PastEvent] {
        try session.read(worker) { tables throws(StoreError) in
            try tables.events.newest(since: since, limit: limit)
        }
    }
}

/// The events that happened in a session.
final class EventTable {
    private let database: Database
    private let insert: Statement
    private let list: Statement
    private let ofStatus: Statement

    init(_ database: Database) {
        self.database = database
        insert = Statement(
            database,
            """
            INSERT INTO event (time, domain, appointment, event, before, after)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """
        )
        list = Statement(
            database,
            """
            SELECT time, name, appointment, event, before, after
            FROM event JOIN domain ON domain.id = event.domain
            WHERE time >= ?1 ORDER BY time DESC, event.domain DESC, appointment DESC, event.id DESC LIMIT ?2
            """
        )
        ofStatus = Statement(
            database,
            """
            SELECT time, name, appointment, event, before, after
            FROM event JOIN domain ON domain.id = event.domain
            WHERE (before = ?1) <> (after = ?1) ORDER BY event.id
            """
        )
    }

    func add(_ event: PastEvent, domain: Int64) throws(StoreError) {
        try insert.run(
            event.time.secondsSince1970,
            domain,
            event.appointment,
            event.event,
            event.from,
            event.to
        )
    }

    /// A file of an older version of this program has no such table before its first write.
    func newest(since: Instant?, limit: Int) throws(StoreError) -> [PastEvent] {
        guard try database.integer(Self.lookup) != nil else { return [] }
        try list.prepare(since?.secondsSince1970 ?? .min, limit)
        defer { list.reset() }
        var events: [PastEvent] = []
        while try list.step() { events.append(Self.event(list)) }
        return events
    }

    /// The number of the last event; 0 where there is none.
    func last() throws(StoreError) -> Int64 {
        try database.integer("SELECT max(id) FROM event") ?? 0
    }

    /// The events after one of a number.
    ///
    /// - Parameter limit: How many at most: the last ones.
    func news(after number: Int64, limit: Int) throws(StoreError) -> WorldNews {
        let count = try last().subtractingSaturated(number)
        let since = Statement(
            database,
            """
            SELECT time, name, appointment, event, before, after
            FROM event JOIN domain ON domain.id = event.domain
            WHERE event.id > ?1
            ORDER BY time DESC, event.domain DESC, appointment DESC, event.id DESC LIMIT ?2
            """
        )
        try since.prepare(number, limit)
        defer { since.reset() }
        var events: [PastEvent] = []
        while try since.step() { events.append(Self.event(since)) }
        return WorldNews(
            events: events.reversed(),
            omitted: max(0, Int(count) - events.count)
        )
    }

    /// The events that led to a status, or away from it, the oldest first.
    func changes(of status: String) throws(StoreError) -> [PastEvent] {
        guard try database.integer(Self.lookup) != nil else { return [] }
        try ofStatus.prepare(status)
        defer { ofStatus.reset() }
        var events: [PastEvent] = []
        while try ofStatus.step() { events.append(Self.event(ofStatus)) }
        return events
    }

    private static func event(_ row: Statement) -> PastEvent {
        PastEvent(
            time: Instant(secondsSince1970: row.integer(0)),
            domain: row.text(1),
            appointment: row.text(2),
            event: row.text(3),
            from: row.optionalText(4),
            to: row.text(5)
        )
    }

    /// Forgets the oldest ones where there are too many.
    func prune() throws(StoreError) {
        try database.execute(
            "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - \(Self.maximum)"
        )
    }

    private static let maximum = 100_000
    private static let lookup = "SELECT 1 FROM sqlite_schema WHERE name = 'event'"
}
