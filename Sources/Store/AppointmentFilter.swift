import QUBS
package import Time

/// What an offset list shows.
package struct AppointmentFilter: Sendable, Hashable {
    /// The day itself, in the site's time zone.
    package var date: LocalDate?
    /// The first day.
    package var start: LocalDate?
    /// The last day.
    package var end: LocalDate?
    /// The exact name of a site.
    package var site: String?

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

    /// All conditions on the date as one: days since 1970, `nil` where there are none.
    ///
    /// Empty where they exclude each other.
    var days: DayCondition? {
        let lower = max(date ?? .distantPast, start ?? .distantPast)
        let upper = min(date ?? .distantFuture, end ?? .distantFuture)
        if date == nil && start == nil && end == nil { return nil }
        if lower > upper { return .never }
        if lower == upper { return .on(lower.daysSince1970) }
        return .within(lower.daysSince1970, upper.daysSince1970)
    }

    /// A condition on the days since 1970.
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
