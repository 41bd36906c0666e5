import Time

/// The clocks of one zone around one day: its rule, with the changes at hand.
struct ZoneClock {
    private let rule: TimeZoneRule
    fileprivate let changes: [TimeZoneRule.Change]
    private let standard: Int

    /// The seconds east of UTC that its changes lead from and to.
    fileprivate var offsets: Set<Int> { Set(changes.flatMap { [$0.before, $0.after] }) }

    init(_ rule: TimeZoneRule, around day: LocalDate) {
        self.rule = rule
        let year = day.parts.year
        changes = rule.changes(in: (year - 2)...(year + 2))
        standard = rule.offset(at: Instant(secondsSince1970: 0))
    }

    /// Seconds east of UTC at an instant, in seconds since 1970.
    func offset(at seconds: Int) -> Int { offset(at: seconds) { $0.instant } }

    /// The instant of a time on the local clock, both in seconds since 1970.
    func instant(ofLocal seconds: Int) -> Int { seconds - offset(at: seconds) { $0.local } }

    /// The instant of a time of a day.
    ///
    /// - Parameter seconds: Since its midnight; may be negative, or more than a day.
    func instant(of day: LocalDate, seconds: Int) -> Instant {
        Instant(secondsSince1970: Int64(instant(ofLocal: day.daysSince1970 * 86_400 + seconds)))
    }

    private func offset(at seconds: Int, _ moment: (TimeZoneRule.Change) -> Int) -> Int {
        guard let first = changes.first, let last = changes.last else { return standard }
        if moment(first) <= seconds, seconds < moment(last) {
            var index = changes.count - 1
            while moment(changes[index]) > seconds { index -= 1 }
            return changes[index].after
        }
        // Two years away from the day: rare, so it may take its time.
        let year = LocalDate(daysSince1970: Int(Int64(seconds).floorDivided(by: 86_400))).parts.year
        let near = rule.changes(in: (year - 1)...(year + 1))
        return near.last { moment($0) <= seconds }?.after ?? near.first?.before ?? standard
    }
}

/// Moves instants by whole days on the clocks of one zone.
///
/// Almost all move alike: by the days, and by an hour where one of the two is in summer time. So the
/// time is cut where either clock changes, and an instant is moved by what its piece says.
final class ZoneShift {
    let days: Int
    private let old: ZoneClock
    private let new: ZoneClock
    /// Where the changes of both clocks are at hand.
    private let known: Range<Int>
    /// The pieces within it, by their first seconds.
    private let starts: [Int]
    /// What is added in each piece.
    private let additions: [Int]

    init(_ rule: TimeZoneRule, from written: LocalDate, to dayZero: LocalDate) {
        let days = dayZero.daysSince1970 - written.daysSince1970
        let old = ZoneClock(rule, around: written)
        let new = ZoneClock(rule, around: dayZero)
        (self.days, self.old, self.new) = (days, old, new)
        let oldCuts = old.changes.map(\.instant)
        // Whichever offset holds there; a cut too many does no harm.
        let newCuts = old.offsets.map { offset in
            new.changes.map { $0.local - days * 86_400 - offset }
        }
        let cuts = [oldCuts] + newCuts
        let first = cuts.compactMap(\.first).max() ?? 0
        let last = cuts.compactMap(\.last).min() ?? 0
        known = first..<max(first, last)
        var starts: [Int] = []
        var additions: [Int] = []
        for cut in cuts.joined().sorted() where known.contains(cut) {
            let addition = Self.moved(cut, days, old, new) - cut
            if addition == additions.last { continue }
            starts.append(cut)
            additions.append(addition)
        }
        (self.starts, self.additions) = (starts, additions)
    }

    /// The instant, in seconds since 1970, at which the zone's clocks show the same so many days
    /// later.
    func moved(_ seconds: Int) -> Int {
        // Years away, or in a zone that has one offset.
        guard known.contains(seconds) else { return Self.moved(seconds, days, old, new) }
        var piece = starts.count - 1
        while starts[piece] > seconds { piece -= 1 }
        return seconds + additions[piece]
    }

    private static func moved(_ seconds: Int, _ days: Int, _ old: ZoneClock, _ new: ZoneClock)
        -> Int
    {
        new.instant(ofLocal: seconds + old.offset(at: seconds) + days * 86_400)
    }
}
