import Time

/// The world of one domain: its days, its clocks, and how its time goes with the session's.
struct WorldPlace {
    let id: Int64
    let name: String
    let dayZero: LocalDate
    let present: Int64
    /// When day zero begins in the reference time zone.
    let midnight: Int64
    /// Added to the session's clock: the world's time.
    ///
    /// Nothing, but where `--today` fixed the day: the time is its noon when the data are laid.
    let offset: Int64
    /// That of the reference time zone.
    let clock: ZoneClock
    /// Those of the sites, by their ids.
    let clocks: [Int64: ZoneClock]

    init(
        _ practice: PracticeTable.Practice,
        laid: Instant,
        in tables: Tables
    ) throws(StoreError) {
        id = practice.domain
        name = try tables.domains.name(of: practice.domain) ?? ""
        dayZero = practice.dayZero
        present = practice.present.secondsSince1970
        offset = Self.offset(practice, laid: laid)
        clock = ZoneClock(practice.rule, around: practice.dayZero)
        midnight = clock.instant(of: practice.dayZero, seconds: 0).secondsSince1970
        clocks = try tables.sites.zones(in: practice.domain).mapValues {
            ZoneClock($0, around: practice.dayZero)
        }
    }

    /// What is added to the session's clock.
    static func offset(_ practice: PracticeTable.Practice, laid: Instant) -> Int64 {
        practice.isPinned
            ? practice.present.secondsSince1970.subtractingSaturated(laid.secondsSince1970) : 0
    }

    /// The instant of a local time of a site.
    ///
    /// - Parameters:
    ///   - day: Days from day zero.
    ///   - seconds: Since its midnight.
    func instant(site: Int64, day: Int, seconds: Int) -> Int64 {
        let clock = clocks[site] ?? self.clock
        let date = LocalDate(daysSince1970: dayZero.daysSince1970 + day)
        return clock.instant(of: date, seconds: seconds).secondsSince1970
    }
}
