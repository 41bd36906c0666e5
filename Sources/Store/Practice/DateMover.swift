import CLinux
import Glibc
import QUBS
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

/// The texts of the days around one, each written once: `yyyy-MM-dd`.
private final class DayTexts {
    /// Days since 1970.
    private let first: Int
    private let texts: UnsafeMutableRawPointer
    /// Five years: the files span less than two.
    private static let count = 1826
    private static let octets = 10

    init(around day: LocalDate) {
        first = day.daysSince1970 - Self.count / 2
        texts = .allocate(byteCount: Self.count * Self.octets, alignment: 1)
        // A text that was not written yet begins with 0.
        texts.initializeMemory(as: UInt8.self, repeating: 0, count: Self.count * Self.octets)
    }

    deinit { texts.deallocate() }

    /// The day that was read last, and its text: most dates of a record are the same.
    private var lastRead: (text: (UInt64, UInt16), day: Int?) = ((0, 0), nil)

    /// Reads ten octets `yyyy-MM-dd`; `nil` where they are no date.
    func day(at octets: UnsafePointer<UInt8>) -> Int? {
        let start = UnsafeRawPointer(octets)
        let text = (
            start.loadUnaligned(as: UInt64.self),
            start.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        )
        if text != lastRead.text {
            let date = LocalDate(octets: UnsafeBufferPointer(start: octets, count: Self.octets))
            lastRead = (text, date?.daysSince1970)
        }
        return lastRead.day
    }

    /// Writes a day where ten octets have room.
    func write(_ day: Int, to target: UnsafeMutablePointer<UInt8>) {
        let place = day - first
        guard 0 <= place, place < Self.count else { return Self.spell(day, to: target) }
        let text = (texts + place * Self.octets).assumingMemoryBound(to: UInt8.self)
        if text.pointee == 0 { Self.spell(day, to: text) }
        target.update(from: text, count: Self.octets)
    }

    private static func spell(_ day: Int, to target: UnsafeMutablePointer<UInt8>) {
        let (year, month, day) = LocalDate(daysSince1970: day).parts
        func put(_ value: Int, _ place: Int) {
            target[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10)
            target[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
        }
        put(year / 100 % 100, 0)
        put(year % 100, 2)
        put(month, 5)
        put(day, 8)
        target[4] = UInt8(ascii: "-")
        target[7] = UInt8(ascii: "-")
    }
}

/// Dates and instants within the texts of records, which keep their lengths.
private struct DateText {
    private let start: UnsafeMutablePointer<UInt8>
    private let count: Int
    /// Where the next member is looked for.
    private var place = 0

    init(_ text: UnsafeMutableRawBufferPointer) {
        guard let base = text.baseAddress else { preconditionFailure("a text lies somewhere") }
        start = base.assumingMemoryBound(to: UInt8.self)
        count = text.count
    }

    /// Goes to the value of a member that comes later.
    ///
    /// - Parameter lead: The quoted name and the colon: no text holds quotes that are not escaped.
    /// - Returns: Whether there is one.
    private mutating func find(_ lead: StaticString) -> Bool {
        let length = lead.utf8CodeUnitCount
        // Most often it is the next one, behind a comma.
        if place + 1 + length <= count, memcmp(start + place + 1, lead.utf8Start, length) == 0 {
            place += 1 + length
            return true
        }
        guard place < count,
            let found = memmem(start + place, count - place, lead.utf8Start, length)
        else { return false }
        place = UnsafeMutableRawPointer(start).distance(to: found) + length
        return true
    }

    /// Moves the date `"yyyy-MM-dd"` of a member; anything else is left alone.
    mutating func moveDate(_ lead: StaticString, byDays days: Int, _ texts: DayTexts) {
        guard find(lead), place + 12 <= count, start[place] == Self.quote,
            start[place + 11] == Self.quote, let day = texts.day(at: start + place + 1)
        else { return }
        texts.write(day + days, to: start + place + 1)
        place += 12
    }

    /// Moves the instant `"yyyy-MM-ddThh:mm:ssZ"` of a member; anything else is left alone.
    mutating func moveInstant(_ lead: StaticString, by shift: ZoneShift, _ texts: DayTexts) {
        guard find(lead) else { return }
        guard place + 22 <= count, start[place] == Self.quote else {
            // `null`.
            if place + 4 <= count, start[place] == UInt8(ascii: "n") { place += 4 }
            return
        }
        guard start[place + 21] == Self.quote, start[place + 11] == UInt8(ascii: "T"),
            start[place + 20] == UInt8(ascii: "Z"), let day = texts.day(at: start + place + 1),
            let hour = two(place + 12), let minute = two(place + 15), let second = two(place + 18)
        else { return }
        let time = hour * 3600 + minute * 60 + second
        let moved = shift.moved(day * 86_400 + time)
        let newDay = Int(Int64(moved).floorDivided(by: 86_400))
        texts.write(newDay, to: start + place + 1)
        let newTime = moved - newDay * 86_400
        if newTime != time {
            write(newTime / 3600, at: place + 12)
            write(newTime / 60 % 60, at: place + 15)
            write(newTime % 60, at: place + 18)
        }
        place += 22
    }

    private static let quote = UInt8(ascii: "\"")

    private func two(_ place: Int) -> Int? {
        let tens = start[place] &- UInt8(ascii: "0")
        let ones = start[place + 1] &- UInt8(ascii: "0")
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }

    private func write(_ value: Int, at place: Int) {
        start[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10)
        start[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
    }
}

/// Moves the texts of all records that move, from the day of the files to another.
final class DateMover {
    /// How the records of a site move, by its id; what is not here stays.
    private var shifts: [Int: ZoneShift] = [:]
    /// The same, of the site that was asked for last: most often it is asked for again.
    private var last: (site: Int, shift: ZoneShift?) = (-1, nil)
    /// The new days.
    private let texts: DayTexts
    /// How comments on patients move, by the domain's id.
    private var ofPatients: [Int: ZoneShift] = [:]
    /// The keys of appointments that stay, in order, and the first of them that was not met yet.
    private var fixed: [Int64] = []
    private var nextFixed = 0
    /// Digests of the patients who have such an appointment: what is said of them stays, too.
    private var fixedPatients: Set<UInt64> = []
    /// The first pages of the tables.
    private let roots: (appointment: Int, comment: Int, attachment: Int)
    private let layout: AppointmentLayout
    /// The site of each appointment that moves, by its digest.
    private var owners: [UInt64: Int] = [:]

    /// - Parameter database: The image, as the files have it.
    init(_ database: Database, to present: Present, layout: AppointmentLayout) throws(StoreError) {
        func root(_ table: String) throws(StoreError) -> Int {
            Int(
                try database.integer(
                    "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = '\(table)'"
                ) ?? 1
            )
        }
        roots = (try root("appointment"), try root("comment"), try root("attachment"))
        self.layout = layout
        let sites = SiteTable(database)
        let practices = try PracticeTable(database).practices()
        texts = DayTexts(
            around: practices.first.map { present.place(in: $0.rule).dayZero }
                ?? LocalDate(daysSince1970: 0)
        )
        for practice in practices {
            let dayZero = present.place(in: practice.rule).dayZero
            var known: [TimeZoneRule: ZoneShift] = [:]
            func shift(_ rule: TimeZoneRule) -> ZoneShift {
                if let shift = known[rule] { return shift }
                let shift = ZoneShift(rule, from: practice.written, to: dayZero)
                known[rule] = shift
                return shift
            }
            ofPatients[Int(practice.domain)] = shift(practice.rule)
            for (site, rule) in try sites.zones(in: practice.domain) {
                shifts[Int(site)] = shift(rule)
            }
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
            fixed.append(stay.integer(0))
            if let patient = stay.optionalText(2) {
                fixedPatients.insert(Self.digest(Int(stay.integer(1)), patient.utf8))
            }
        }
        stay.reset()
        fixed.sort()
        owners.reserveCapacity(4096)
    }

    /// Moves what lies in an image, once; nobody has it open.
    func move(_ octets: UnsafeMutableRawBufferPointer) {
        let pages = DatabasePages(octets)
        pages.forEachRecord(ofTree: roots.appointment) { moveAppointment($0, $1) }
        pages.forEachRecord(ofTree: roots.comment) { moveComment($1) }
        pages.forEachRecord(ofTree: roots.attachment) { moveAttachment($1) }
    }

    private func shift(ofSite site: Int) -> ZoneShift? {
        if last.site != site { last = (site, shifts[site]) }
        return last.shift
    }

    private func moveAppointment(_ key: Int64, _ record: UnsafeMutableRawBufferPointer) {
        // Both go by their keys.
        while nextFixed < fixed.count, fixed[nextFixed] < key { nextFixed += 1 }
        if nextFixed < fixed.count, fixed[nextFixed] == key { return }
        let row = DatabasePages.Columns(record)
        let site = row.integer(4)
        guard let shift = shift(ofSite: site) else { return }
        owners[Self.digest(row.integer(1), row.octets(2))] = site
        let (summary, details) = (row.octets(8), row.octets(9))
        let places = layout.places(
            ofDatesIn: UnsafeRawBufferPointer(details),
            summaryOctets: summary.count
        )
        guard let places else { return }
        var text = DateText(UnsafeMutableRawBufferPointer(rebasing: summary[places.date]))
        text.moveDate("\"appointmentDate\":", byDays: shift.days, texts)
        text = DateText(UnsafeMutableRawBufferPointer(rebasing: details[places.visit]))
        text.moveInstant("\"arrivalDateTime\":", by: shift, texts)
        text.moveInstant("\"scanStartDateTime\":", by: shift, texts)
        text.moveInstant("\"scanEndDateTime\":", by: shift, texts)
        text = DateText(UnsafeMutableRawBufferPointer(rebasing: details[places.deadline]))
        text.moveInstant("\"reportingDeadline\":", by: shift, texts)
    }

    private func moveComment(_ record: UnsafeMutableRawBufferPointer) {
        let row = DatabasePages.Columns(record)
        let domain = row.integer(0)
        let digest = Self.digest(domain, row.octets(2))
        let shift =
            row.integer(1) == 0
            ? owners[digest].flatMap { self.shift(ofSite: $0) }
            : fixedPatients.contains(digest) ? nil : ofPatients[domain]
        guard let shift else { return }
        var text = DateText(row.octets(5))
        text.moveInstant("\"commentDateTime\":", by: shift, texts)
    }

    private func moveAttachment(_ record: UnsafeMutableRawBufferPointer) {
        let row = DatabasePages.Columns(record)
        guard let site = owners[Self.digest(row.integer(2), row.octets(3))],
            let shift = shift(ofSite: site)
        else { return }
        var text = DateText(row.octets(6))
        text.moveInstant("\"addedDateTime\":", by: shift, texts)
        text.moveInstant("\"lastModifiedDateTime\":", by: shift, texts)
    }

    /// A hash of a domain and an identifier.
    private static func digest(_ domain: Int, _ id: some Sequence<UInt8>) -> UInt64 {
        var hash = FNV1a()
        withUnsafeBytes(of: domain) { hash.add($0) }
        hash.add(id)
        return hash.hash
    }
}
