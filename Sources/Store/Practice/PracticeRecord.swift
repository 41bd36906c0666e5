import JSON
import Time

/// What `practice.json` says of a domain: around which day its records lie, and what that day makes
/// of its appointments.
struct PracticeRecord {
    static let fileName = "practice.json"

    private let file: String
    private let dayZero: LocalDate
    private let zone: String
    private let fixed: [String]
    private let apart: [String]
    private let course: JSONObject

    /// - Parameter faults: Gets what is wrong with the form, which the contract has looked at.
    /// - Returns: `nil` where it cannot be read.
    init?(_ value: JSONValue, file: String, _ faults: inout [FixtureFault]) throws(StoreError) {
        guard let dayZero = value["dayZero"]?.string.flatMap({ LocalDate($0) }),
            (1971...2199).contains(dayZero.parts.year),
            let zone = value["referenceTimeZone"]?.string
        else {
            faults.append(
                FixtureFault(
                    file: file,
                    pointer: JSONPointer(),
                    reason: "must have referenceTimeZone, and dayZero, a date from 1971 to 2199"
                )
            )
            return nil
        }
        self.file = file
        self.dayZero = dayZero
        self.zone = zone
        fixed = value["fixed"]?.array?.compactMap(\.string) ?? []
        apart = value["apart"]?.array?.compactMap(\.string) ?? []
        course = value["course"]?.object ?? JSONObject()
    }

    private func fault(_ path: [String], _ reason: String) -> FixtureFault {
        FixtureFault(file: file, pointer: JSONPointer(path), reason: reason)
    }

    /// Sets day zero of a domain that has no appointments yet.
    func begin(
        in domain: RecordWriter.Domain,
        with writer: RecordWriter,
        _ faults: inout [FixtureFault]
    ) throws(StoreError) {
        let rule = writer.zones.rule(of: zone)
        if rule == nil { faults.append(fault(["referenceTimeZone"], RecordWriter.unknownZone)) }
        try writer.tables.practices.add(
            domain: domain.id,
            zone: zone,
            rule: rule ?? "UTC0",
            dayZero: dayZero
        )
    }

    /// Stores what concerns appointments, which are there by now.
    func finish(
        in domain: RecordWriter.Domain,
        with writer: RecordWriter,
        _ faults: inout [FixtureFault]
    ) throws(StoreError) {
        let tables = writer.tables
        let unknown = "no appointment of this id in the domain"
        for (index, id) in fixed.enumerated() {
            if try tables.appointments.key(domain: domain.id, id: id) == nil {
                faults.append(fault(["fixed", String(index)], unknown))
            }
            try tables.practices.addFixed(id, domain: domain.id)
        }
        for (index, id) in apart.enumerated() {
            if try tables.appointments.key(domain: domain.id, id: id) == nil {
                faults.append(fault(["apart", String(index)], unknown))
            }
            try tables.practices.addApart(id, domain: domain.id)
        }
        let zones = try tables.sites.zones(in: domain.id)
        for member in course.members {
            let id = member.name
            guard let site = try tables.appointments.site(domain: domain.id, id: id) else {
                faults.append(fault(["course", id], unknown))
                continue
            }
            var found: [FixtureFault] = []
            let course = Course(
                appointment: id,
                member.value.object ?? JSONObject(),
                dayZero: dayZero,
                zone: zones[site] ?? .utc
            ) { found.append(fault(["course", id, $0], $1)) }
            faults += found
            if let course { try tables.courses.add(course, to: domain.id) }
        }
    }
}
