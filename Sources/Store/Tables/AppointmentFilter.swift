import QUBS
package import Time

/// What an offset list shows.
package struct AppointmentFilter: Sendable, Hashable {
    /// The day itself, in the site's time zone.
    package var date: LocalDate?
    /// The first day; without effect beside `date`.
    package var start: LocalDate?
    /// The last day; without effect beside `date`.
    package var end: LocalDate?
    /// The exact name of a site.
    package var site: String?
    /// Where days of `start` and `end` are those of a client: its minutes east of UTC.
    package var offsetMinutes: Int?

    package init(
        date: LocalDate? = nil,
        start: LocalDate? = nil,
        end: LocalDate? = nil,
        site: String? = nil
    ) {
        self.date = date
        self.start = start
        self.end = end
        self.site = site
    }

    /// Whether an appointment is in by an instant rather than by its date.
    package var isShifted: Bool {
        offsetMinutes != nil && date == nil && (start != nil || end != nil)
    }

    /// All conditions on the date as one; `nil` where there are none.
    ///
    /// Empty where they exclude each other.
    ///
    /// - Parameter origin: The day since 1970 from which the dates of the domain are counted.
    func days(from origin: Int) -> DayCondition? {
        let lower = date ?? start ?? .distantPast
        let upper = date ?? end ?? .distantFuture
        if date == nil && start == nil && end == nil { return nil }
        if lower > upper { return .never }
        if lower == upper { return .on(lower.daysSince1970 - origin) }
        return .within(lower.daysSince1970 - origin, upper.daysSince1970 - origin)
    }

    /// A condition on the days from the origin.
    enum DayCondition: Hashable {
        case never
        case on(Int)
        case within(Int, Int)
    }
}

extension LocalDate {
    fileprivate static let distantPast = LocalDate(daysSince1970: -10_000_000)
    fileprivate static let distantFuture = LocalDate(daysSince1970: 10_000_000)
}
