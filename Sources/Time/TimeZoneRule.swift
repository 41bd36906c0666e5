/// The offset of a time zone from UTC, and when it changes in a year, as POSIX writes it.
///
/// The form is that of the variable `TZ` (IEEE 1003.1 §8.3) with the extensions of RFC 8536 §3.3.1:
/// `AEST-10AEDT,M10.1.0,M4.1.0/3`. The file fixtures/time-zones.json has such a rule for each zone.
package struct TimeZoneRule: Hashable, Sendable {
    /// A change from one offset to another.
    package struct Change: Hashable, Sendable {
        /// Seconds since 1970.
        package let instant: Int
        /// Seconds east of UTC before and from the instant on.
        package let before: Int
        package let after: Int

        /// Seconds since 1970 on a local clock from which on the new offset holds.
        ///
        /// A local time that the change skips has the offset before it; of two, it is the first.
        package var local: Int { instant + max(before, after) }
    }

    /// The day of a year on which an offset changes.
    private enum Day: Hashable {
        /// The n-th weekday (0 for Sunday) of a month; 5 for the last.
        case weekday(month: Int, week: Int, weekday: Int)
        /// 1 to 365; 29 February is never counted.
        case julian(Int)
        /// 0 to 365; 29 February is counted.
        case ordinal(Int)

        func date(in year: Int) -> Int {
            let first = LocalDate(year: year, month: 1, day: 1)?.daysSince1970 ?? 0
            switch self {
            case .ordinal(let day): return first + day
            case .julian(let day):
                let march = LocalDate(year: year, month: 3, day: 1)?.daysSince1970 ?? 0
                return first + day - 1 + (day >= 60 && march - first == 60 ? 1 : 0)
            case .weekday(let month, let week, let weekday):
                let start = LocalDate(year: year, month: month, day: 1)
                let begin = start?.daysSince1970 ?? 0
                let ahead = (weekday - (start?.weekday ?? 0) + 7) % 7
                let day = begin + ahead + 7 * (week - 1)
                let end =
                    LocalDate(
                        year: month == 12 ? year + 1 : year,
                        month: month == 12 ? 1 : month + 1,
                        day: 1
                    )?.daysSince1970 ?? begin + 31
                return day < end ? day : day - 7
            }
        }
    }

    /// The part of the year with another offset.
    private struct Saving: Hashable {
        var offset: Int
        var begin: Day
        /// Seconds after midnight, in the local time before the change.
        var beginTime: Int
        var end: Day
        var endTime: Int
    }

    /// Seconds east of UTC outside of the saving.
    private let standard: Int
    private let saving: Saving?

    /// The zone whose clocks show UTC.
    package static let utc = TimeZoneRule(standard: 0)

    private init(standard: Int) {
        self.standard = standard
        saving = nil
    }

    /// A rule from its text; `nil` where it has another form.
    package init?(_ text: String) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard reader.name(), let west = reader.time(maximumHours: 24) else { return nil }
        standard = -west
        if reader.rest.isEmpty {
            saving = nil
            return
        }
        guard reader.name() else { return nil }
        var offset = standard + 3600
        if reader.rest.first != UInt8(ascii: ",") {
            guard let west = reader.time(maximumHours: 24) else { return nil }
            offset = -west
        }
        guard let begin = reader.change(), let end = reader.change(), reader.rest.isEmpty else {
            return nil
        }
        saving = Saving(
            offset: offset,
            begin: begin.day,
            beginTime: begin.time,
            end: end.day,
            endTime: end.time
        )
    }

    /// The changes of some years, in order; none where the offset is always the same.
    package func changes(in years: ClosedRange<Int>) -> [Change] {
        guard let saving, saving.offset != standard else { return [] }
        var changes: [Change] = []
        for year in years {
            changes.append(
                Change(
                    instant: saving.begin.date(in: year) * 86_400 + saving.beginTime
                        - standard,
                    before: standard,
                    after: saving.offset
                )
            )
            changes.append(
                Change(
                    instant: saving.end.date(in: year) * 86_400 + saving.endTime
                        - saving.offset,
                    before: saving.offset,
                    after: standard
                )
            )
        }
        return changes.sorted { $0.instant < $1.instant }
    }

    /// Seconds east of UTC at an instant of the years 2 to 9998.
    package func offset(at instant: Instant) -> Int {
        offset(near: Int(instant.secondsSince1970)) { $0.instant }
    }

    /// Seconds east of UTC at a local time of the years 2 to 9998.
    ///
    /// A time that the zone skips has the offset before the change; one that it has twice is the
    /// first.
    ///
    /// - Parameter local: Seconds since 1970 on the local clock.
    package func offset(atLocal local: Int) -> Int {
        offset(near: local) { $0.local }
    }

    private func offset(near seconds: Int, _ moment: (Change) -> Int) -> Int {
        guard saving != nil else { return standard }
        let year = Self.date(ofLocal: seconds).parts.year
        let changes = changes(in: (year - 1)...(year + 1))
        return changes.last { moment($0) <= seconds }?.after ?? changes.first?.before ?? standard
    }

    /// The calendar date of the zone at an instant.
    package func date(at instant: Instant) -> LocalDate {
        Self.date(ofLocal: Int(instant.secondsSince1970) + offset(at: instant))
    }

    private static func date(ofLocal seconds: Int) -> LocalDate {
        LocalDate(daysSince1970: Int(Int64(seconds).floorDivided(by: 86_400)))
    }

    /// The instant of a local time.
    ///
    /// - Parameter seconds: Since midnight of the day; may be negative, or more than a day.
    package func instant(of date: LocalDate, seconds: Int) -> Instant {
        let local = date.daysSince1970 * 86_400 + seconds
        return Instant(secondsSince1970: Int64(local - offset(atLocal: local)))
    }

    /// Reads the parts of a rule.
    private struct Reader {
        var rest: ArraySlice<UInt8>

        /// `3*ALPHA`, or what `<` and `>` enclose; the name itself is of no use.
        mutating func name() -> Bool {
            if rest.first == UInt8(ascii: "<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { (0x41...0x5A).contains($0 & 0xDF) }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        /// `["+" / "-"] 1*3DIGIT [":" 2DIGIT [":" 2DIGIT]]` in seconds.
        mutating func time(maximumHours: Int) -> Int? {
            var sign: Int = 1
            if let first = rest.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
                if first == UInt8(ascii: "-") { sign = -1 }
                rest.removeFirst()
            }
            guard let hours = number(), hours <= maximumHours else { return nil }
            var seconds = hours * 3600
            for unit: Int in [60, 1] where rest.first == UInt8(ascii: ":") {
                rest.removeFirst()
                guard let part = number(), part < 60 else { return nil }
                seconds += part * unit
            }
            return sign * seconds
        }

        /// `"," date ["/" time]`; without a time it is 02:00.
        mutating func change() -> (day: Day, time: Int)? {
            guard rest.popFirst() == UInt8(ascii: ","), let day = day() else { return nil }
            guard rest.first == UInt8(ascii: "/") else { return (day, 7200) }
            rest.removeFirst()
            return time(maximumHours: 167).map { (day, $0) }
        }

        private mutating func day() -> Day? {
            switch rest.first {
            case UInt8(ascii: "M"):
                rest.removeFirst()
                guard let month = number(), (1...12).contains(month), dot(),
                    let week = number(), (1...5).contains(week), dot(),
                    let weekday = number(), weekday < 7
                else { return nil }
                return .weekday(month: month, week: week, weekday: weekday)
            case UInt8(ascii: "J"):
                rest.removeFirst()
                guard let day = number(), (1...365).contains(day) else { return nil }
                return .julian(day)
            default:
                guard let day = number(), day <= 365 else { return nil }
                return .ordinal(day)
            }
        }

        private mutating func dot() -> Bool { rest.popFirst() == UInt8(ascii: ".") }

        /// One to three digits.
        private mutating func number() -> Int? {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard (1...3).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            return digits.reduce(0) { $0 * 10 + Int($1 & 0x0F) }
        }
    }
}
