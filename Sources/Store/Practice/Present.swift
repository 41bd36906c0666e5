package import Time

/// The moment that data are laid around: day zero, and how far it has come.
package enum Present: Hashable, Sendable {
    /// Noon of this day in whatever reference time zone: `--today`.
    case noon(LocalDate)
    /// The hour that begins here, in seconds since 1970.
    case hour(Int64)
    /// A time of a working day that is played, in seconds since 1970; `isPinned` as below.
    case played(Int64, isPinned: Bool)

    /// - Parameter pinned: The day of `--today`.
    package init(pinned: LocalDate?, now: Instant) {
        if let pinned {
            self = .noon(pinned)
        } else {
            let hours = now.secondsSince1970.floorDivided(by: 3600)
            self = .hour(hours.multipliedSaturated(by: 3600))
        }
    }

    /// Whether `--today` fixed the day.
    var isPinned: Bool {
        switch self {
        case .noon: true
        case .hour: false
        case .played(_, let isPinned): isPinned
        }
    }

    /// Day zero and the present where a zone is the reference.
    func place(in zone: TimeZoneRule) -> (dayZero: LocalDate, present: Instant) {
        switch self {
        case .noon(let day): (day, zone.instant(of: day, seconds: 12 * 3600))
        case .hour(let seconds), .played(let seconds, _):
            (zone.date(at: Instant(secondsSince1970: seconds)), Instant(secondsSince1970: seconds))
        }
    }
}
