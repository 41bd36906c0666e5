package import Time

/// What there is of a domain, and around which day.
package struct DomainSummary: Sendable {
    /// Around which day the records lie.
    package struct Practice: Sendable {
        package let referenceTimeZone: String
        package let dayZero: LocalDate
        package let present: Instant
        /// Whether `--today` fixed the day.
        package let isPinned: Bool
    }

    package let domain: String
    /// `nil` where no date moves.
    package let practice: Practice?
    package let sites: Int
    package let patients: Int
    package let appointments: Int
    /// The first and the last day of appointments whose dates move; `nil` where there are none.
    package let first: LocalDate?
    package let last: LocalDate?

    /// The domains of a database, in the order of their numbers.
    static func all(in tables: Tables) throws(StoreError) -> [DomainSummary] {
        let practices = try tables.practices.practices()
        var summaries: [DomainSummary] = []
        for name in try tables.domains.names() {
            guard let id = try tables.domains.id(of: name) else { continue }
            let origin = try tables.practices.origin(of: id)
            func count(_ table: String) throws(StoreError) -> Int {
                let count = try tables.database.integer(
                    "SELECT count(*) FROM \(table) WHERE domain = \(id)"
                )
                return Int(count ?? 0)
            }
            func date(_ order: String) throws(StoreError) -> LocalDate? {
                let date = try tables.database.integer(
                    """
                    SELECT date FROM appointment INDEXED BY appointment_date
                    WHERE domain = \(id) AND date IS NOT NULL AND id NOT IN (
                        SELECT appointment FROM fixed_appointment WHERE domain = \(id))
                    ORDER BY date \(order) LIMIT 1
                    """
                )
                return date.map { LocalDate(daysSince1970: Int($0) + origin) }
            }
            summaries.append(
                DomainSummary(
                    domain: name,
                    practice: practices.first { $0.domain == id }.map {
                        Practice(
                            referenceTimeZone: $0.zone,
                            dayZero: $0.dayZero,
                            present: $0.present,
                            isPinned: $0.isPinned
                        )
                    },
                    sites: try count("site"),
                    patients: try count("patient"),
                    appointments: try count("appointment"),
                    first: try date("ASC"),
                    last: try date("DESC")
                )
            )
        }
        return summaries
    }
}
