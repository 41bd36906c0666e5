import JSON
import QUBS
import Time

/// What happens to the appointments of a session by itself.
///
/// Each appointment has at most one thing to come, in the table `due`. When its time has come, the
/// next follows from the record as it is then and from a hash (`Habits`). So it does not matter in
/// how many steps time passes, nor when the data were laid on day zero; and a write changes only
/// what comes after it.
///
/// Everything lives from the beginning of day zero on. Fixed records and named cases take no part,
/// unless a partner has reported them.
struct World {
    let tables: Tables
    let records: RecordWriter
    let layout: AppointmentLayout
    private let laid: Instant
    private let places: [Int64: WorldPlace]

    /// - Parameter laid: When the data were laid, by the session's clock.
    init(
        _ tables: Tables,
        records: RecordWriter,
        layout: AppointmentLayout,
        laid: Instant
    ) throws(StoreError) {
        self.tables = tables
        self.records = records
        self.layout = layout
        self.laid = laid
        var places: [Int64: WorldPlace] = [:]
        for practice in try tables.practices.practices() {
            places[practice.domain] = try WorldPlace(practice, laid: laid, in: tables)
        }
        self.places = places
    }

    /// The world's time in a domain when the session's clock shows `now`.
    func time(of now: Instant, domain: Int64) -> Instant {
        now.advanced(bySeconds: places[domain]?.offset ?? 0)
    }

    /// Lets everything happen that is due, the oldest first.
    ///
    /// - Parameter now: The time of the session's clock.
    /// - Returns: When something is due next, by the same clock.
    func advance(to now: Instant) throws(StoreError) -> Instant? {
        if try tables.due.laid() == nil {
            for place in places.values.sorted(by: { $0.id < $1.id }) { try begin(place) }
            try tables.due.begin(laid: laid)
        }
        while let due = try tables.due.first() {
            guard due.time <= now.secondsSince1970 else {
                try tables.events.prune()
                return Instant(secondsSince1970: due.time)
            }
            guard let place = places[due.domain] else {
                try tables.due.remove(domain: due.domain, appointment: due.appointment)
                continue
            }
            try happen(due, in: place)
        }
        try tables.events.prune()
        return nil
    }

    private func happen(_ due: Due, in place: WorldPlace) throws(StoreError) {
        let time = due.time.addingSaturated(place.offset)
        let id = due.appointment
        switch due.kind {
        case .booking: try book(at: time, in: place)
        case .course: try follow(id, to: time, in: place)
        case .plan:
            if try tables.practices.rests(id, domain: place.id),
                try !isReported(id, in: place)
            {
                return try tables.due.remove(domain: place.id, appointment: id)
            }
            try schedule(id, after: time, in: place)
        case .event(let event):
            try apply(event, to: id, at: time, in: place)
        }
    }

    // MARK: The beginning

    /// Finds out what is to come for each appointment that takes part, from the beginning of day zero.
    private func begin(_ place: WorldPlace) throws(StoreError) {
        try beginCourses(of: place)
        for open in try openAppointments(in: place) {
            let habits = habits(of: open.id, in: place)
            switch open.status {
            case "NOT ARRIVED":
                guard let date = open.date, date >= 0 else { continue }
                if habits.outcome == .cancels {
                    try schedule(open.id, after: place.midnight, in: place)
                    continue
                }
                // Its record is looked at when its day is near, so that there is less to do now.
                let near = place.instant(site: open.site, day: date - 2, seconds: 0)
                try put(.plan, open.id, at: max(near, place.midnight), in: place)
            case "ARRIVED", "STUDY INPROGRESS":
                // Without a course they are as they were at noon.
                guard open.date == 0 else { continue }
                let noon = place.clock.instant(of: place.dayZero, seconds: 12 * 3600)
                try schedule(open.id, after: noon.secondsSince1970, in: place)
            case "PENDING REPORTING": try schedule(open.id, after: place.midnight, in: place)
            default:
                guard let date = open.date, date >= -Self.backlogDays,
                    let event = Self.following[open.status]
                else { continue }
                try put(
                    .event(event),
                    open.id,
                    at: habits.start(from: place.midnight),
                    in: place
                )
            }
        }
        try bookNext(after: place.midnight - 1, in: place)
    }

    /// Older ones that are not finalised stay so.
    private static let backlogDays = 14

    private static let following: [String: PracticeEvent] = [
        "DICTATION INPROGRESS": .dictate, "DICTATED": .type, "TYPING INPROGRESS": .type,
        "TYPED": .authorise, "AUTHORISING": .authorise, "AUTHORISED": .finalise,
    ]

    /// An appointment that may have something to come.
    private struct Open {
        let id: String
        let status: String
        /// Days from day zero.
        let date: Int?
        let site: Int64
    }

    private func openAppointments(in place: WorldPlace) throws(StoreError) -> [Open] {
        let find = Statement(
            tables.database,
            """
            SELECT id, date, site FROM appointment WHERE key >= ?1 AND key <= ?2
            AND NOT EXISTS (SELECT 1 FROM course
                WHERE course.domain = ?3 AND course.appointment = appointment.id)
            AND NOT EXISTS (SELECT 1 FROM fixed_appointment AS f
                WHERE f.domain = ?3 AND f.appointment = appointment.id)
            AND NOT EXISTS (SELECT 1 FROM apart_appointment AS a
                WHERE a.domain = ?3 AND a.appointment = appointment.id)
            AND NOT EXISTS (SELECT 1 FROM due
                WHERE due.domain = ?3 AND due.appointment = appointment.id)
            ORDER BY key
            """
        )
        try find.prepare()
        var found: [Open] = []
        let statuses =
            ["NOT ARRIVED", "ARRIVED", "STUDY INPROGRESS", "PENDING REPORTING"]
            + Self.following.keys.sorted()
        for status in statuses {
            guard let number = try tables.statuses.id(of: status) else { continue }
            defer { find.reset() }
            find.bind(
                1,
                AppointmentKey(domain: place.id, status: number, position: 0).rawValue
            )
            find.bind(2, AppointmentKey.last(domain: place.id, status: number))
            find.bind(3, place.id)
            while try find.step() {
                found.append(
                    Open(
                        id: find.text(0),
                        status: status,
                        date: find.isNull(1) ? nil : Int(find.integer(1)),
                        site: find.integer(2)
                    )
                )
            }
        }
        return found
    }

    // MARK: What comes next

    /// Notes what is to come at an appointment.
    ///
    /// - Parameter after: When its record became what it is.
    func schedule(_ id: String, after: Int64, in place: WorldPlace) throws(StoreError) {
        guard let entry = try tables.appointments.entry(domain: place.id, id: id) else {
            return try tables.due.remove(domain: place.id, appointment: id)
        }
        try schedule(id, entry, try record(of: entry, id), after: after, in: place)
    }

    private func schedule(
        _ id: String,
        _ entry: AppointmentTable.Entry,
        _ record: JSONObject,
        after: Int64,
        in place: WorldPlace
    ) throws(StoreError) {
        let scheduled = entry.date.map { date in
            let seconds = record["startTime"]?.string.flatMap(Habits.secondsOfDay) ?? 9 * 3600
            return place.instant(site: entry.site, day: date, seconds: Int(seconds))
        }
        let isPending = record["status"] == "PENDING REPORTING"
        let next = habits(of: id, in: place).next(
            of: record,
            scheduled: scheduled,
            after: after,
            isReported: isPending ? try isReported(id, in: place) : false
        )
        guard let next else {
            return try tables.due.remove(domain: place.id, appointment: id)
        }
        try put(.event(next.event), id, at: next.time, in: place)
    }

    /// - Parameter time: In the world's time.
    func put(
        _ kind: Due.Kind,
        _ id: String,
        at time: Int64,
        in place: WorldPlace
    ) throws(StoreError) {
        try tables.due.put(
            Due(
                time: time.subtractingSaturated(place.offset),
                domain: place.id,
                appointment: id,
                kind: kind
            )
        )
    }

    /// Whether a partner has sent the final report.
    private func isReported(_ id: String, in place: WorldPlace) throws(StoreError) -> Bool {
        guard try tables.reports.has(domain: place.id, appointment: id) else { return false }
        return try tables.reports.report(domain: place.id, appointment: id)?.status == "final"
    }

    func habits(of id: String, in place: WorldPlace) -> Habits {
        Habits(records.scatter, domain: place.name, id: id)
    }

    func record(
        of entry: AppointmentTable.Entry,
        _ id: String
    ) throws(StoreError) -> JSONObject {
        guard let record = layout.record(of: entry.octets) else {
            throw .damagedRow(table: "appointment", row: id)
        }
        return record
    }

    // MARK: What happens

    private func apply(
        _ event: PracticeEvent,
        to id: String,
        at time: Int64,
        in place: WorldPlace
    ) throws(StoreError) {
        guard let entry = try tables.appointments.entry(domain: place.id, id: id) else {
            return try tables.due.remove(domain: place.id, appointment: id)
        }
        var record = try record(of: entry, id)
        let now = Instant(secondsSince1970: time)
        var members = event.members(of: record, at: now)
        if event == .pend, record["reportingDeadline"]?.string == nil {
            let seconds = Habits.hoursToDeadline(of: record) * 3600
            let deadline = JSONValue.string(now.advanced(bySeconds: seconds).rfc3339)
            members.append(("reportingDeadline", deadline))
        }
        try tables.change(
            domain: place.id,
            id: id,
            status: event.status,
            members: members.map { ($0.name, JSONWriter.octets(of: $0.value)) },
            layout: layout
        )
        for member in members { record[member.name] = member.value }
        try schedule(id, entry, record, after: time, in: place)
        try log(
            event.rawValue,
            id,
            from: try tables.statuses.name(of: entry.key.status),
            to: event.status,
            at: time,
            in: place
        )
    }

    func log(
        _ event: String,
        _ id: String,
        from: String?,
        to: String,
        at time: Int64,
        in place: WorldPlace
    ) throws(StoreError) {
        try tables.events.add(
            PastEvent(
                time: Instant(secondsSince1970: time),
                domain: place.name,
                appointment: id,
                event: event,
                from: from,
                to: to
            ),
            domain: place.id
        )
    }
}
