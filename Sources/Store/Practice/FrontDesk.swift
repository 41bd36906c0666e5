import JSON
import QUBS
package import Time

/// What the front desk, the rooms and the radiologists note of an appointment.
package enum PracticeEvent: String, Sendable, CaseIterable {
    case arrive
    case start
    case end
    case pend
    case dictate
    case type
    case authorise
    case finalise
    case cancel
    case miss

    /// The statuses in which it can happen, and the one that follows.
    ///
    /// ```
    /// NOT ARRIVED -arrive-> ARRIVED -start-> STUDY INPROGRESS -end-> (the same, once)
    ///     -pend-> PENDING REPORTING -dictate-> DICTATED -type-> TYPED
    ///     -authorise-> AUTHORISED -finalise-> FINALISED
    /// NOT ARRIVED -cancel-> APPPOINTMENT CANCELLED, -miss-> DID NOT ATTEND
    /// STUDY INPROGRESS, after its end, -dictate-> DICTATED
    /// ```
    fileprivate var step: (from: [String], to: String) {
        switch self {
        case .arrive: (["NOT ARRIVED"], "ARRIVED")
        case .start: (["ARRIVED"], Self.inProgress)
        case .end: ([Self.inProgress], Self.inProgress)
        case .pend: ([Self.inProgress], "PENDING REPORTING")
        case .dictate: ([Self.inProgress, "PENDING REPORTING"], "DICTATED")
        case .type: (["DICTATED"], "TYPED")
        case .authorise: (["TYPED"], "AUTHORISED")
        case .finalise: (["AUTHORISED"], "FINALISED")
        case .cancel: (["NOT ARRIVED"], "APPPOINTMENT CANCELLED")
        case .miss: (["NOT ARRIVED"], "DID NOT ATTEND")
        }
    }

    /// The status that follows.
    var status: String { step.to }

    fileprivate static let inProgress = "STUDY INPROGRESS"

    /// The member that it stamps.
    fileprivate var stamp: String? {
        switch self {
        case .arrive: "arrivalDateTime"
        case .start: "scanStartDateTime"
        case .end: "scanEndDateTime"
        default: nil
        }
    }

    /// The members of a record that change with it.
    func members(
        of record: JSONObject,
        at now: Instant
    ) -> [(name: String, value: JSONValue)] {
        var members = [(name: "status", value: JSONValue.string(status))]
        if let stamp { members.append((stamp, .string(now.rfc3339))) }
        switch self {
        case .start:
            let minutes = Self.minutes(from: record["arrivalDateTime"], to: now)
            members.append(("waitingTotalTime", minutes))
        case .end:
            let minutes = Self.minutes(from: record["scanStartDateTime"], to: now)
            members.append(("scanTotalTime", minutes))
        default: break
        }
        return members
    }

    /// The minutes from an instant to another; null where there are none.
    private static func minutes(from start: JSONValue?, to end: Instant) -> JSONValue {
        guard let start = start?.string.flatMap(Instant.init(rfc3339:)), start <= end else {
            return .null
        }
        let seconds = end.secondsSince1970.subtractingSaturated(start.secondsSince1970)
        // Hundredths, as the samples' 20.5 has tenths.
        let hundredths = seconds.multipliedSaturated(by: 100) / 60
        return JSONNumber(Double(hundredths) / 100).map(JSONValue.number) ?? .null
    }
}

/// What became of an event.
package enum EventOutcome: Sendable {
    /// The event, and the operational view afterwards.
    case happened(PastEvent, [UInt8])
    /// Why the appointment does not allow it, as a sentence.
    case refused(String)
}

extension SessionWriter {
    /// Notes an event at an appointment, in place of what the clock would bring.
    ///
    /// - Parameters:
    ///   - now: What `arrive`, `start` and `end` stamp, and the event carries.
    ///   - mode: In a living world they stamp its time.
    /// - Throws: `StoreError.rule`: `.notFound(.domain)` or `.notFound(.appointment)`.
    package func note(
        _ event: PracticeEvent,
        domain name: String,
        appointment id: String,
        now: Instant,
        in mode: WorldMode = .still
    ) throws(StoreError) -> EventOutcome {
        guard let domain = try tables.domains.id(of: name) else {
            throw .rule(.notFound(.domain))
        }
        guard let entry = try tables.appointments.entry(domain: domain, id: id) else {
            throw .rule(.notFound(.appointment))
        }
        guard let record = layout.record(of: entry.octets) else {
            throw .damagedRow(table: "appointment", row: id)
        }
        let status = try tables.statuses.name(of: entry.key.status) ?? ""
        let (from, to) = event.step
        guard from.contains(status) else {
            return .refused(
                "The appointment is \(status); \(event.rawValue) needs "
                    + "\(from.joined(separator: " or "))."
            )
        }
        let time = try mode == .living ? world().time(of: now, domain: domain) : now
        let hasEnded = record["scanEndDateTime"]?.string != nil
        if event == .end, hasEnded { return .refused("The examination has ended already.") }
        if status == PracticeEvent.inProgress, to != status, !hasEnded {
            return .refused("The examination has not ended: note the event end first.")
        }
        try tables.change(
            domain: domain,
            id: id,
            status: to,
            members: event.members(of: record, at: time).map {
                ($0.name, JSONWriter.octets(of: $0.value))
            },
            layout: layout
        )
        let past = PastEvent(
            time: time,
            domain: name,
            appointment: id,
            event: event.rawValue,
            from: status,
            to: to
        )
        try tables.events.add(past, domain: domain)
        try plan(domain: domain, appointment: id, now: now)
        var view: [UInt8] = []
        _ = try tables.appointments.append(
            domain: domain,
            id: id,
            view: .operational,
            status: nil,
            to: &view
        )
        return .happened(past, view)
    }
}
