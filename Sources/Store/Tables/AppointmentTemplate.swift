import Chance
import JSON
import QUBS
import Time

/// An appointment that others are made after, cut where they will differ from it.
struct AppointmentTemplate {
    let status: Int64
    let site: Int64
    let date: Int
    let providers: [Int64]
    /// The parts of each segment of `AppointmentLayout`.
    private let segments: [[Part]]
    /// How much earlier and later, in steps of five minutes, the same day still holds it.
    private let stepsEarlier: Int
    private let stepsLater: Int

    /// A stretch of a view.
    private enum Part {
        /// The same in all.
        case constant([UInt8])
        case appointmentID
        /// A local time, in seconds since midnight.
        case time(Int)
        case instant(Int64)
        /// A member of the patient, left out where the patient has none.
        case patient(ViewShape.Member)
    }

    private static let localTimes = ["startTime", "endTime"]
    private static let instants = [
        "arrivalDateTime", "scanStartDateTime", "scanEndDateTime", "reportingDeadline",
    ]
    /// The day ends and begins elsewhere for those whose clocks change.
    private static let opening = 7 * 3600
    private static let closing = 19 * 3600
    /// Above this many octets an appointment is a special case, not worth repeating.
    private static let maximumOctets = 2500

    /// The ordinary appointments of a domain: those with a date, times within a day's work and a
    /// patient.
    static func read(
        from database: Database,
        domain: Int64,
        layout: AppointmentLayout
    ) throws(StoreError) -> [AppointmentTemplate] {
        let all = Statement(
            database,
            """
            SELECT key, id, site, date, providers, summary, details FROM appointment
            WHERE domain = ?1 AND patient IS NOT NULL AND date IS NOT NULL
            AND length(summary) + length(details) <= \(maximumOctets)
            ORDER BY id
            """
        )
        try all.prepare(domain)
        defer { all.reset() }
        var templates: [AppointmentTemplate] = []
        while try all.step() {
            let octets = AppointmentLayout.Octets(summary: all.octets(5), details: all.octets(6))
            guard let record = layout.record(of: octets) else {
                throw .damagedRow(table: "appointment", row: all.text(1))
            }
            guard let start = record["startTime"]?.string.flatMap(seconds) else { continue }
            let end = record["endTime"]?.string.flatMap(seconds) ?? start
            guard opening <= start, start <= end, end <= closing
            else { continue }
            templates.append(
                AppointmentTemplate(
                    status: AppointmentKey(rawValue: all.integer(0)).status,
                    site: all.integer(2),
                    date: Int(all.integer(3)),
                    providers: (all.optionalText(4) ?? "").split(separator: ",")
                        .compactMap { Int64($0) },
                    segments: layout.segments.map {
                        parts($0, of: record, patient: layout.patientMembers)
                    },
                    stepsEarlier: (start - opening) / 300,
                    stepsLater: (closing - end) / 300
                )
            )
        }
        return templates
    }

    /// A number of minutes by which an appointment may differ from this.
    func shift(_ random: inout SplitMix64) -> Int {
        let steps = UInt64(stepsEarlier + stepsLater + 1)
        return (Int(random.next() % steps) - stepsEarlier) * 5
    }

    /// The octets of an appointment made after this one.
    func octets(
        id: String,
        patient: JSONObject,
        minutesLater minutes: Int,
        layout: AppointmentLayout
    ) -> AppointmentLayout.Octets {
        let shown = layout.joined(JSONObject(), patient: patient)
        return layout.octets(
            ofSegments: segments.map { parts in
                var octets: [UInt8] = []
                octets.reserveCapacity(256)
                for part in parts {
                    switch part {
                    case .constant(let text): octets += text
                    case .appointmentID: JSONWriter.append(string: id, to: &octets)
                    case .time(let seconds):
                        Self.append(time: seconds + minutes * 60, to: &octets)
                    case .instant(let seconds):
                        let instant = Instant(secondsSince1970: seconds + Int64(minutes) * 60)
                        JSONWriter.append(string: instant.rfc3339, to: &octets)
                    case .patient(let member): ViewShape.append([member], of: shown, to: &octets)
                    }
                }
                return octets
            }
        )
    }

    private static func parts(
        _ members: ArraySlice<ViewShape.Member>,
        of record: JSONObject,
        patient: [String]
    ) -> [Part] {
        var parts: [Part] = []
        var text: [UInt8] = []
        func vary(_ part: Part) {
            parts.append(.constant(text))
            parts.append(part)
            text = []
        }
        for member in members {
            if patient.contains(member.name) {
                vary(.patient(member))
                continue
            }
            let varying: Part? =
                switch record[member.name]?.string {
                case .some where member.name == "appointmentId": .appointmentID
                case let value? where localTimes.contains(member.name):
                    seconds(value).map { .time($0) }
                case let value? where instants.contains(member.name):
                    Instant(rfc3339: value).map { .instant($0.secondsSince1970) }
                default: nil
                }
            if let varying {
                text += member.lead
                vary(varying)
            } else {
                ViewShape.append([member], of: record, to: &text)
            }
        }
        parts.append(.constant(text))
        return parts
    }

    /// Seconds since midnight of `HH:mm:ss`.
    private static func seconds(_ time: String) -> Int? {
        let parts = time.split(separator: ":").map { Int($0) }
        guard parts.count == 3, let hours = parts[0], let minutes = parts[1],
            let seconds = parts[2]
        else { return nil }
        return hours * 3600 + minutes * 60 + seconds
    }

    private static func append(time seconds: Int, to octets: inout [UInt8]) {
        octets.append(UInt8(ascii: "\""))
        for (index, value) in [seconds / 3600, seconds / 60 % 60, seconds % 60].enumerated() {
            if index > 0 { octets.append(UInt8(ascii: ":")) }
            octets.append(UInt8(ascii: "0") + UInt8(value / 10))
            octets.append(UInt8(ascii: "0") + UInt8(value % 10))
        }
        octets.append(UInt8(ascii: "\""))
    }
}
