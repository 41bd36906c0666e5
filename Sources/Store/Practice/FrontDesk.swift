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
}

/// What became of an event.
package enum EventOutcome: Sendable {
    /// The operational view afterwards.
    case happened([UInt8])
    /// Why the appointment does not allow it, as a sentence.
    case refused(String)
}

extension SessionWriter {
    /// Notes an event at an appointment, in place of what the clock would bring.
    ///
    /// - Parameter now: What `arrive`, `start` and `end` stamp, and the event carries.
    /// - Throws: `StoreError.rule`: `.notFound(.domain)` or `.notFound(.appointment)`.
    package func note(
        _ event: PracticeEvent,
        domain name: String,
        appointment id: String,
        now: Instant
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
        let hasEnded = record["scanEndDateTime"]?.string != nil
        if event == .end, hasEnded { return .refused("The examination has ended already.") }
        if status == PracticeEvent.inProgress, to != status, !hasEnded {
            return .refused("The examination has not ended: note the event end first.")
        }
        var members = [("status", Self.json(.string(to)))]
        if let stamp = event.stamp { members.append((stamp, Self.json(.string(now.rfc3339)))) }
        if event == .start {
            members.append(
                ("waitingTotalTime", Self.minutes(from: record["arrivalDateTime"], to: now))
            )
        }
        if event == .end {
            members.append(
                ("scanTotalTime", Self.minutes(from: record["scanStartDateTime"], to: now))
            )
        }
        try tables.change(
            domain: domain,
            id: id,
            status: to,
            members: members.map { (name: $0.0, value: $0.1) },
            layout: layout
        )
        try tables.events.add(
            PastEvent(
                time: now,
                domain: name,
                appointment: id,
                event: event.rawValue,
                from: status,
                to: to
            ),
            domain: domain
        )
        var view: [UInt8] = []
        _ = try tables.appointments.append(
            domain: domain,
            id: id,
            view: .operational,
            status: nil,
            to: &view
        )
        return .happened(view)
    }

    private static func json(_ value: JSONValue) -> [UInt8] { JSONWriter.octets(of: value) }

    /// The minutes from an instant to another, as a number in JSON; null where there are none.
    private static func minutes(from start: JSONValue?, to end: Instant) -> [UInt8] {
        guard let start = start?.string.flatMap(Instant.init(rfc3339:)), start <= end else {
            return Array("null".utf8)
        }
        let seconds = end.secondsSince1970.subtractingSaturated(start.secondsSince1970)
        // Hundredths, as the samples' 20.5 has tenths.
        let hundredths = seconds % 60 * 100 / 60
        let fraction = hundredths < 10 ? "0\(hundredths)" : "\(hundredths)"
        var text = "\(seconds / 60)" + (hundredths == 0 ? "" : ".\(fraction)")
        if hundredths != 0, text.hasSuffix("0") { text.removeLast() }
        return Array(text.utf8)
    }
}
