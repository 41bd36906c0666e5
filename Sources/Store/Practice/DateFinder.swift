import CLinux
import Glibc
import QUBS
import Time

/// Finds the dates of an image that move with the day.
///
/// What moves: the date and the instants of appointments but the fixed ones, by the clocks of their
/// sites; the instants of what belongs to those appointments; and those of comments on patients, by
/// the clocks of the domain, but for patients who have a fixed appointment.
final class DateFinder {
    private let pages: DatabasePages
    private let layout: AppointmentLayout
    /// The first pages of the tables.
    private let roots: (appointment: Int, comment: Int, attachment: Int)
    /// By which clocks the records of a site move, by its id; what is not here stays.
    private var ofSites: [Int: DatePlaces.Clock] = [:]
    /// By which clocks comments on patients move, by the domain's id.
    private var ofPatients: [Int: DatePlaces.Clock] = [:]
    /// The keys of appointments that stay.
    private var fixed: Set<Int64> = []
    /// The patients who have such an appointment.
    private var fixedPatients: Set<Owner> = []
    /// The site of each appointment that moves.
    private var owners: [Owner: Int] = [:]
    private var found:
        [DatePlaces.Clock: (dates: [DatePlaces.Place], instants: [DatePlaces.Place])] =
            [:]

    /// An identifier of a domain.
    private struct Owner: Hashable {
        let domain: Int
        let id: [UInt8]

        init(_ domain: Int, _ id: some Sequence<UInt8>) {
            self.domain = domain
            self.id = Array(id)
        }
    }

    /// The places in an image.
    ///
    /// - Parameters:
    ///   - database: A connection to it.
    ///   - octets: Where it lies.
    static func places(
        in database: Database,
        _ octets: UnsafeMutableRawBufferPointer,
        layout: AppointmentLayout
    ) throws(StoreError) -> DatePlaces {
        let finder = try DateFinder(database, UnsafeRawBufferPointer(octets), layout: layout)
        finder.find()
        return DatePlaces(finder.found)
    }

    private init(
        _ database: Database,
        _ octets: UnsafeRawBufferPointer,
        layout: AppointmentLayout
    ) throws(StoreError) {
        pages = DatabasePages(octets)
        self.layout = layout
        func root(_ table: String) throws(StoreError) -> Int {
            Int(
                try database.integer(
                    "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = '\(table)'"
                ) ?? 1
            )
        }
        roots = (try root("appointment"), try root("comment"), try root("attachment"))
        let sites = Statement(
            database,
            """
            SELECT site.id, site.domain, zone_rule
            FROM site JOIN practice ON practice.domain = site.domain
            """
        )
        try sites.prepare()
        while try sites.step() {
            ofSites[Int(sites.integer(0))] = DatePlaces.Clock(
                domain: sites.integer(1),
                rule: sites.text(2)
            )
        }
        sites.reset()
        let practices = Statement(database, "SELECT domain, rule FROM practice")
        try practices.prepare()
        while try practices.step() {
            ofPatients[Int(practices.integer(0))] = DatePlaces.Clock(
                domain: practices.integer(0),
                rule: practices.text(1)
            )
        }
        practices.reset()
        let stay = Statement(
            database,
            """
            SELECT key, appointment.domain, patient
            FROM fixed_appointment CROSS JOIN appointment
            ON appointment.domain = fixed_appointment.domain AND id = fixed_appointment.appointment
            """
        )
        try stay.prepare()
        while try stay.step() {
            fixed.insert(stay.integer(0))
            if let patient = stay.optionalText(2) {
                fixedPatients.insert(Owner(Int(stay.integer(1)), patient.utf8))
            }
        }
        stay.reset()
    }

    private func find() {
        pages.forEachRecord(ofTree: roots.appointment) { findAppointment($0, $1) }
        pages.forEachRecord(ofTree: roots.comment) { findComment($1) }
        pages.forEachRecord(ofTree: roots.attachment) { findAttachment($1) }
    }

    private func findAppointment(_ key: Int64, _ record: DatabasePages.Record) {
        if fixed.contains(key) { return }
        let row = record.columns
        let columns = Schema.appointmentColumns
        let site = row.integer(columns.site)
        guard let clock = ofSites[site] else { return }
        let id = record.octets[row.range(columns.id)]
        owners[Owner(row.integer(columns.domain), id)] = site
        let (summary, details) = (row.range(columns.summary), row.range(columns.details))
        let places = layout.places(
            ofDatesIn: UnsafeRawBufferPointer(rebasing: record.octets[details]),
            summaryOctets: summary.count
        )
        guard let places else { return }
        func within(_ column: Range<Int>, _ part: Range<Int>) -> Range<Int> {
            column.lowerBound + part.lowerBound..<column.lowerBound + part.upperBound
        }
        note(["appointmentDate"], in: within(summary, places.date), of: record, clock, isDate: true)
        note(
            ["arrivalDateTime", "scanStartDateTime", "scanEndDateTime"],
            in: within(details, places.visit),
            of: record,
            clock
        )
        note(["reportingDeadline"], in: within(details, places.deadline), of: record, clock)
    }

    private func findComment(_ record: DatabasePages.Record) {
        let row = record.columns
        let domain = row.integer(0)
        let owner = Owner(domain, record.octets[row.range(2)])
        let clock =
            row.integer(1) == 0
            ? owners[owner].flatMap { ofSites[$0] }
            : fixedPatients.contains(owner) ? nil : ofPatients[domain]
        guard let clock else { return }
        note(["commentDateTime"], in: row.range(5), of: record, clock)
    }

    private func findAttachment(_ record: DatabasePages.Record) {
        let row = record.columns
        let owner = Owner(row.integer(2), record.octets[row.range(3)])
        guard let clock = owners[owner].flatMap({ ofSites[$0] }) else { return }
        note(["addedDateTime", "lastModifiedDateTime"], in: row.range(6), of: record, clock)
    }

    /// Notes the values of members where they are dates or instants.
    private func note(
        _ members: [String],
        in text: Range<Int>,
        of record: DatabasePages.Record,
        _ clock: DatePlaces.Clock,
        isDate: Bool = false
    ) {
        for member in members {
            let length = isDate ? 10 : 20
            guard let start = Self.value(of: member, in: text, of: record.octets),
                start + length < text.upperBound,
                record.octets[start + length] == UInt8(ascii: "\"")
            else { continue }
            let value = record.octets[start..<start + length]
            let text = String(decoding: value, as: UTF8.self)
            if isDate {
                if LocalDate(text) == nil { continue }
            } else {
                // Only in the form that is written again.
                if Instant(rfc3339: text)?.rfc3339 != text { continue }
            }
            let place = record.place(of: start..<start + length)
            if isDate {
                found[clock, default: ([], [])].dates.append(place)
            } else {
                found[clock, default: ([], [])].instants.append(place)
            }
        }
    }

    /// Where the text of a member begins, behind its quote: no text holds quotes that are not escaped.
    private static func value(
        of member: String,
        in text: Range<Int>,
        of octets: UnsafeRawBufferPointer
    ) -> Int? {
        let lead = Array("\"\(member)\":\"".utf8)
        let text = UnsafeRawBufferPointer(rebasing: octets[text])
        guard let start = text.baseAddress,
            let found = memmem(start, text.count, lead, lead.count)
        else { return nil }
        return octets.baseAddress?.distance(to: found).advanced(by: lead.count)
    }
}
