import CLinux
import QUBS
import Time

/// The clocks of one zone around one day: its rule, with the changes at hand.
struct ZoneClock {
    private let rule: TimeZoneRule
    private let changes: [TimeZoneRule.Change]
    private let standard: Int

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

/// Moves a time by whole days on the clocks of one zone.
struct ZoneShift {
    private let days: Int
    private let old: ZoneClock
    private let new: ZoneClock

    init(_ rule: TimeZoneRule, from written: LocalDate, to dayZero: LocalDate) {
        days = dayZero.daysSince1970 - written.daysSince1970
        old = ZoneClock(rule, around: written)
        new = ZoneClock(rule, around: dayZero)
    }

    /// The instant, in seconds since 1970, at which the zone's clocks show the same so many days
    /// later.
    func moved(_ seconds: Int) -> Int {
        new.instant(ofLocal: seconds + old.offset(at: seconds) + days * 86_400)
    }
}

/// Moves dates and instants within the texts of records, which keep their lengths.
enum DateText {
    /// Finds a member from a place on.
    ///
    /// - Parameter lead: The quoted name and the colon: no text holds quotes that are not escaped.
    /// - Returns: Where its value begins.
    static func value(
        of lead: StaticString,
        in text: UnsafeMutableRawBufferPointer,
        from place: Int
    ) -> Int? {
        guard place < text.count, let start = text.baseAddress,
            let found = memmem(
                start + place,
                text.count - place,
                lead.utf8Start,
                lead.utf8CodeUnitCount
            )
        else { return nil }
        return start.distance(to: UnsafeMutableRawPointer(mutating: found))
            + lead.utf8CodeUnitCount
    }

    /// Moves the date `"yyyy-MM-dd"` at a place; anything else is left alone.
    static func moveDate(
        in text: UnsafeMutableRawBufferPointer,
        at place: Int,
        byDays days: Int
    ) {
        guard place + 12 <= text.count, text[place] == quote, text[place + 11] == quote,
            let day = day(text, place + 1)
        else { return }
        write(day: day + days, to: text, place + 1)
    }

    /// Moves the instant `"yyyy-MM-ddThh:mm:ssZ"` at a place; anything else is left alone.
    static func moveInstant(
        in text: UnsafeMutableRawBufferPointer,
        at place: Int,
        by shift: ZoneShift
    ) {
        guard place + 22 <= text.count, text[place] == quote, text[place + 21] == quote,
            text[place + 11] == UInt8(ascii: "T"), text[place + 20] == UInt8(ascii: "Z"),
            let day = day(text, place + 1), let hour = two(text, place + 12),
            let minute = two(text, place + 15), let second = two(text, place + 18)
        else { return }
        let moved = shift.moved(day * 86_400 + hour * 3600 + minute * 60 + second)
        let newDay = Int(Int64(moved).floorDivided(by: 86_400))
        let rest = moved - newDay * 86_400
        write(day: newDay, to: text, place + 1)
        write(rest / 3600, to: text, place + 12)
        write(rest / 60 % 60, to: text, place + 15)
        write(rest % 60, to: text, place + 18)
    }

    private static let quote = UInt8(ascii: "\"")

    private static func two(_ text: UnsafeMutableRawBufferPointer, _ place: Int) -> Int? {
        let tens = text[place] &- UInt8(ascii: "0")
        let ones = text[place + 1] &- UInt8(ascii: "0")
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }

    private static func day(_ text: UnsafeMutableRawBufferPointer, _ place: Int) -> Int? {
        guard let century = two(text, place), let year = two(text, place + 2),
            let month = two(text, place + 5), let day = two(text, place + 8)
        else { return nil }
        return LocalDate(year: century * 100 + year, month: month, day: day)?.daysSince1970
    }

    private static func write(_ value: Int, to text: UnsafeMutableRawBufferPointer, _ place: Int) {
        text[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10)
        text[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
    }

    private static func write(day: Int, to text: UnsafeMutableRawBufferPointer, _ place: Int) {
        let (year, month, day) = LocalDate(daysSince1970: day).parts
        write(year / 100 % 100, to: text, place)
        write(year % 100, to: text, place + 2)
        write(month, to: text, place + 5)
        write(day, to: text, place + 8)
    }
}

/// Moves the texts of all records that move, from the day of the files to another.
struct DateMover {
    /// How the records of each site move, by its id; what is not here stays.
    private var shifts: [Int: (days: Int, shift: ZoneShift)] = [:]
    /// How comments on patients move, by the domain's id.
    private var ofPatients: [Int: ZoneShift] = [:]
    /// The keys of appointments that stay.
    private var fixed: Set<Int64> = []
    /// Digests of the patients who have such an appointment: what is said of them stays, too.
    private var fixedPatients: Set<UInt64> = []
    /// The first pages of the tables.
    private let roots: (appointment: Int, comment: Int, attachment: Int)

    /// - Parameter database: The image, as the files have it.
    init(_ database: Database, to present: Present) throws(StoreError) {
        func root(_ table: String) throws(StoreError) -> Int {
            Int(
                try database.integer(
                    "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = '\(table)'"
                ) ?? 1
            )
        }
        roots = (try root("appointment"), try root("comment"), try root("attachment"))
        for practice in try PracticeTable(database).practices() {
            let dayZero = present.place(in: practice.rule).dayZero
            let days = dayZero.daysSince1970 - practice.written.daysSince1970
            ofPatients[Int(practice.domain)] = ZoneShift(
                practice.rule,
                from: practice.written,
                to: dayZero
            )
            var known: [String: ZoneShift] = [:]
            let sites = Statement(database, "SELECT id, zone_rule FROM site WHERE domain = ?1")
            try sites.begin()
            sites.bind(1, practice.domain)
            while try sites.step() {
                let text = sites.text(1)
                let shift =
                    known[text]
                    ?? ZoneShift(
                        TimeZoneRule(text) ?? .utc,
                        from: practice.written,
                        to: dayZero
                    )
                known[text] = shift
                shifts[Int(sites.integer(0))] = (days, shift)
            }
            sites.reset()
        }
        let stay = Statement(
            database,
            """
            SELECT key, appointment.domain, patient
            FROM fixed_appointment CROSS JOIN appointment
            ON appointment.domain = fixed_appointment.domain AND id = fixed_appointment.appointment
            """
        )
        try stay.begin()
        while try stay.step() {
            fixed.insert(stay.integer(0))
            if let patient = stay.optionalText(2) {
                fixedPatients.insert(Self.digest(Int(stay.integer(1)), patient.utf8))
            }
        }
        stay.reset()
    }

    /// Moves what lies in an image, which nobody has open.
    func move(_ octets: UnsafeMutableRawBufferPointer) {
        let pages = DatabasePages(octets)
        // How what belongs to an appointment moves, by its digest.
        var owners: [UInt64: Int] = [:]
        owners.reserveCapacity(4096)
        pages.forEachRecord(ofTree: roots.appointment) { key, record in
            if fixed.contains(key) { return }
            let row = DatabasePages.Columns(record)
            let site = row.integer(4)
            guard let move = shifts[site] else { return }
            owners[Self.digest(row.integer(1), row.octets(2))] = site
            let summary = row.octets(8)
            if let place = DateText.value(of: "\"appointmentDate\":", in: summary, from: 0) {
                DateText.moveDate(in: summary, at: place, byDays: move.days)
            }
            var place = 0
            for lead: StaticString in [
                "\"arrivalDateTime\":", "\"scanStartDateTime\":", "\"scanEndDateTime\":",
                "\"reportingDeadline\":",
            ] {
                Self.move(lead, in: row.octets(9), from: &place, by: move.shift)
            }
        }
        pages.forEachRecord(ofTree: roots.comment) { _, record in
            let row = DatabasePages.Columns(record)
            let domain = row.integer(0)
            let digest = Self.digest(domain, row.octets(2))
            let shift =
                row.integer(1) == 0
                ? owners[digest].flatMap { shifts[$0]?.shift }
                : fixedPatients.contains(digest) ? nil : ofPatients[domain]
            guard let shift else { return }
            var place = 0
            Self.move("\"commentDateTime\":", in: row.octets(5), from: &place, by: shift)
        }
        pages.forEachRecord(ofTree: roots.attachment) { _, record in
            let row = DatabasePages.Columns(record)
            guard let site = owners[Self.digest(row.integer(2), row.octets(3))],
                let shift = shifts[site]?.shift
            else { return }
            var place = 0
            Self.move("\"addedDateTime\":", in: row.octets(6), from: &place, by: shift)
            Self.move("\"lastModifiedDateTime\":", in: row.octets(6), from: &place, by: shift)
        }
    }

    private static func move(
        _ lead: StaticString,
        in text: UnsafeMutableRawBufferPointer,
        from place: inout Int,
        by shift: ZoneShift
    ) {
        guard let value = DateText.value(of: lead, in: text, from: place) else { return }
        place = value
        DateText.moveInstant(in: text, at: value, by: shift)
    }

    /// A hash of a domain and an identifier.
    private static func digest(_ domain: Int, _ id: some Sequence<UInt8>) -> UInt64 {
        var hash = FNV1a()
        withUnsafeBytes(of: domain) { hash.add($0) }
        hash.add(id)
        return hash.hash
    }
}
