import JSON
import Time

/// What day zero makes of one of its appointments, and when.
///
/// Times are seconds on the site's clocks since midnight of day zero, and so the same whatever day
/// that is.
struct Course {
    /// How far an appointment has come.
    enum Stage: Int {
        case expected
        case arrived
        case inProgress
        case ended
        case decided
    }

    let appointment: String
    /// The status in which the day leaves it.
    let status: String
    /// When it gets that status.
    let decided: Int
    /// `nil` for those who do not come.
    let visit: Visit?

    /// The visit of somebody who comes.
    struct Visit {
        let arrived: Int
        let started: Int
        let ended: Int
        /// `nil` where nothing is due.
        let deadline: Int?
        /// As JSON.
        let scanTotal: [UInt8]
        let waitingTotal: [UInt8]
        let radiologist: [UInt8]
    }

    /// The times at which it goes on.
    struct Moments {
        let decided: Int
        let visit: (arrived: Int, started: Int, ended: Int)?

        /// How far it has come at a time of the site's clocks.
        ///
        /// - Parameter isOver: Whether a time of day zero is behind.
        func stage(_ isOver: (Int) -> Bool) -> Stage {
            guard let visit else { return isOver(decided) ? .decided : .expected }
            if isOver(visit.ended) { return isOver(decided) ? .decided : .ended }
            if isOver(visit.started) { return .inProgress }
            return isOver(visit.arrived) ? .arrived : .expected
        }
    }

    var moments: Moments {
        Moments(decided: decided, visit: visit.map { ($0.arrived, $0.started, $0.ended) })
    }

    /// How far it has come at a time of the site's clocks.
    ///
    /// - Parameter isOver: Whether a time of day zero is behind.
    func stage(_ isOver: (Int) -> Bool) -> Stage { moments.stage(isOver) }

    /// The statuses on the way, as the API spells them.
    private enum Status {
        static let expected = "NOT ARRIVED"
        static let arrived = "ARRIVED"
        static let inProgress = "STUDY INPROGRESS"
        static let ended = "PENDING REPORTING"
    }

    /// The status at a stage.
    func status(at stage: Stage) -> String {
        switch stage {
        case .expected: Status.expected
        case .arrived: Status.arrived
        case .inProgress: Status.inProgress
        case .ended: Status.ended
        case .decided: status
        }
    }

    /// The members of the appointment that a stage decides, as JSON.
    ///
    /// - Parameter instant: That of a time of day zero.
    func members(
        at stage: Stage,
        instant: (Int) -> Instant
    ) -> [(name: String, value: [UInt8])] {
        func text(_ text: String) -> [UInt8] {
            var octets: [UInt8] = []
            JSONWriter.append(string: text, to: &octets)
            return octets
        }
        func moment(_ seconds: Int?, from first: Stage) -> [UInt8] {
            guard let seconds, stage.rawValue >= first.rawValue else { return Self.null }
            return text(instant(seconds).rfc3339)
        }
        func value(_ octets: [UInt8], from first: Stage) -> [UInt8] {
            stage.rawValue >= first.rawValue ? octets : Self.null
        }
        let status = ("status", text(status(at: stage)))
        guard let visit else { return [status] }
        return [
            status,
            ("arrivalDateTime", moment(visit.arrived, from: .arrived)),
            ("scanStartDateTime", moment(visit.started, from: .inProgress)),
            ("scanEndDateTime", moment(visit.ended, from: .ended)),
            ("scanTotalTime", value(visit.scanTotal, from: .ended)),
            ("waitingTotalTime", value(visit.waitingTotal, from: .inProgress)),
            ("reportingDeadline", moment(visit.deadline, from: .ended)),
            ("radiologist", value(visit.radiologist, from: .ended)),
        ]
    }

    private static let null = Array("null".utf8)

    // MARK: From practice.json

    /// The members of a visit that are instants, in their order.
    private static let instants = ["arrivalDateTime", "scanStartDateTime", "scanEndDateTime"]

    /// What `practice.json` says of an appointment.
    ///
    /// - Parameters:
    ///   - zone: The rule of the site's time zone.
    ///   - fault: Told each member that is wrong, and why.
    /// - Returns: `nil` where something is wrong.
    init?(
        appointment: String,
        _ record: JSONObject,
        dayZero: LocalDate,
        zone: TimeZoneRule,
        fault: (_ member: String, _ reason: String) -> Void
    ) {
        var isWhole = true
        func refuse(_ member: String, _ reason: String) -> Int? {
            isWhole = false
            fault(member, reason)
            return nil
        }
        func seconds(_ member: String) -> Int? {
            guard let instant = record[member]?.string.flatMap(Instant.init(rfc3339:)) else {
                return refuse(member, "must be a date-time such as 2025-01-13T03:04:05Z")
            }
            let local = Int(instant.secondsSince1970) + zone.offset(at: instant)
            return local - dayZero.daysSince1970 * 86_400
        }
        let known =
            ["status", "statusDateTime", "reportingDeadline", "radiologist", "scanTotalTime"]
            + ["waitingTotalTime"] + Self.instants
        for member in record.members where !known.contains(member.name) {
            _ = refuse(member.name, "no member of a course has this name")
        }
        self.appointment = appointment
        status = record["status"]?.string ?? ""
        if status.isEmpty { _ = refuse("status", "must be a status") }
        decided = seconds("statusDateTime") ?? 0
        if Self.instants.contains(where: { record[$0] != nil }) {
            let times = Self.instants.map(seconds)
            let deadline = record["reportingDeadline"].flatMap {
                $0.isNull ? nil : seconds("reportingDeadline")
            }
            let order = times.compactMap { $0 } + [decided]
            if times.count + 1 == order.count, order != order.sorted() {
                _ = refuse(
                    "statusDateTime",
                    "arrival, start, end and status must follow each other"
                )
            }
            visit = Visit(
                arrived: order.first ?? 0,
                started: times[1] ?? 0,
                ended: times[2] ?? 0,
                deadline: deadline,
                scanTotal: Self.json(record["scanTotalTime"]),
                waitingTotal: Self.json(record["waitingTotalTime"]),
                radiologist: Self.json(record["radiologist"])
            )
        } else {
            visit = nil
        }
        if !isWhole { return nil }
    }

    private static func json(_ value: JSONValue?) -> [UInt8] {
        var octets: [UInt8] = []
        JSONWriter.append(value ?? .null, to: &octets)
        return octets
    }

    /// A course that was stored.
    init(appointment: String, status: String, decided: Int, visit: Visit?) {
        self.appointment = appointment
        self.status = status
        self.decided = decided
        self.visit = visit
    }
}

/// The courses of the appointments of day zero.
final class CourseTable {
    private let ofDomain: Statement
    private let standing: Statement
    private let find: Statement
    private let insert: Statement

    init(_ database: Database) {
        let columns = """
            appointment, status, decided, arrived, started, ended, deadline, scan_total,
            waiting_total, radiologist
            """
        ofDomain = Statement(
            database,
            """
            SELECT \(columns), (SELECT site FROM appointment
                WHERE appointment.domain = ?1 AND appointment.id = course.appointment)
            FROM course WHERE domain = ?1 ORDER BY appointment
            """
        )
        standing = Statement(
            database,
            """
            SELECT \(columns), \(AppointmentTable.entryColumns)
            FROM course CROSS JOIN appointment
            WHERE course.domain = ?1 AND appointment.domain = ?1
            AND appointment.id = course.appointment
            ORDER BY course.appointment
            """
        )
        find = Statement(
            database,
            "SELECT \(columns) FROM course WHERE domain = ?1 AND appointment = ?2"
        )
        insert = Statement(
            database,
            """
            INSERT INTO course (domain, appointment, status, decided, arrived, started, ended,
                deadline, scan_total, waiting_total, radiologist)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """
        )
    }

    /// The courses of a domain, with the ids of their sites; `nil` where the appointment is gone.
    func courses(
        of domain: Int64
    ) throws(StoreError) -> [(course: Course, site: Int64?)] {
        try ofDomain.prepare(domain)
        defer { ofDomain.reset() }
        var courses: [(course: Course, site: Int64?)] = []
        while try ofDomain.step() {
            courses.append(
                (Self.course(ofDomain), ofDomain.isNull(10) ? nil : ofDomain.integer(10))
            )
        }
        return courses
    }

    /// Those courses of a domain that are wanted, with the rows of their appointments; none whose
    /// appointment is gone.
    ///
    /// - Parameter isWanted: By its times and its site, whether a course is.
    func standing(
        of domain: Int64,
        where isWanted: (Course.Moments, Int64) -> Bool
    ) throws(StoreError) -> [(course: Course, entry: AppointmentTable.Entry)] {
        try standing.prepare(domain)
        defer { standing.reset() }
        var courses: [(course: Course, entry: AppointmentTable.Entry)] = []
        while try standing.step() {
            let site = AppointmentTable.site(ofEntryIn: standing, from: 10)
            guard isWanted(Self.moments(standing), site) else { continue }
            courses.append((Self.course(standing), AppointmentTable.entry(standing, from: 10)))
        }
        return courses
    }

    /// The course of an appointment; `nil` where it has none.
    func course(of id: String, domain: Int64) throws(StoreError) -> Course? {
        try find.prepare(domain, id)
        defer { find.reset() }
        return try find.step() ? Self.course(find) : nil
    }

    private static func moments(_ row: Statement) -> Course.Moments {
        Course.Moments(
            decided: Int(row.integer(2)),
            visit: row.isNull(3)
                ? nil : (Int(row.integer(3)), Int(row.integer(4)), Int(row.integer(5)))
        )
    }

    private static func course(_ row: Statement) -> Course {
        Course(
            appointment: row.text(0),
            status: row.text(1),
            decided: Int(row.integer(2)),
            visit: row.isNull(3)
                ? nil
                : Course.Visit(
                    arrived: Int(row.integer(3)),
                    started: Int(row.integer(4)),
                    ended: Int(row.integer(5)),
                    deadline: row.isNull(6) ? nil : Int(row.integer(6)),
                    scanTotal: row.octets(7),
                    waitingTotal: row.octets(8),
                    radiologist: row.octets(9)
                )
        )
    }

    func add(_ course: Course, to domain: Int64) throws(StoreError) {
        try insert.run(
            domain,
            course.appointment,
            course.status,
            course.decided,
            course.visit?.arrived,
            course.visit?.started,
            course.visit?.ended,
            course.visit?.deadline,
            course.visit?.scanTotal,
            course.visit?.waitingTotal,
            course.visit?.radiologist
        )
    }
}
