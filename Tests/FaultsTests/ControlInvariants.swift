import Contract
import Faults
import JSON
import Time

/// What holds for any content of any control operation.
enum ControlInvariants {
    /// The schema of the content of each control operation that takes some.
    private static let contents: [(id: String, schema: Schema)] = controlContract.operations
        .compactMap { operation in
            operation.requestBody?.contents.first.flatMap { controlContract.schema(of: $0) }
                .map { (operation.id, $0) }
        }

    /// Records by the operation that puts them.
    private static let records = [
        "Admin_PutAppointment": "appointments", "Admin_PutSite": "sites",
        "Admin_PutPatient": "patients",
    ]

    /// Content whose first octet chooses the operation: refused with words, or read without a trap.
    @Sendable static func check(_ octets: [UInt8]) -> String? {
        guard let choice = octets.first, !contents.isEmpty,
            let document = try? JSONParser.parse(Array(octets.dropFirst()))
        else { return nil }
        let (id, schema) = contents[Int(choice) % contents.count]
        let violations = schema.violations(of: document)
        if violations.count > 100 { return "\(violations.count) violations" }
        for violation in violations {
            if violation.message.isEmpty { return "a violation without words" }
            if JSONPointer(parsing: violation.name) == nil { return "no pointer" }
        }
        guard violations.isEmpty else { return nil }
        switch id {
        case "Admin_AddFaults", "Admin_ReplaceFaults":
            if document == [] { return nil }
            return Invariants.faultRules(Array(octets.dropFirst()))
        case "Admin_SetClock": return clock(document)
        case "Admin_AdvanceClock": return advance(document["by"]?.string ?? "")
        default: return records[id].flatMap { record(document, $0) }
        }
    }

    private static func clock(_ document: JSONValue) -> String? {
        let now = document["now"]?.string.flatMap(Timestamp.nanoseconds)
        for system in [Int64.min, 0, .max] {
            for mode in [SessionClock.Mode.real, .frozen] {
                let clock = SessionClock { system }
                clock.set(mode, nanoseconds: now)
                if !SessionClock.range.contains(clock.read().nanoseconds) { return "out of range" }
            }
        }
        return nil
    }

    private static func advance(_ text: String) -> String? {
        let maximum = SessionClock.range.upperBound
        guard let by = try? DurationText.nanoseconds(parsing: text, maximum: maximum) else {
            return nil
        }
        let clock = SessionClock { 0 }
        if clock.advance(byNanoseconds: by) != (by <= maximum) { return "\(by) ns" }
        return SessionClock.range.contains(clock.read().nanoseconds) ? nil : "out of range"
    }

    private static func record(_ document: JSONValue, _ name: String) -> String? {
        guard let schema = partnerContract.fixtureSchema(name) else { return "no schema \(name)" }
        let isValid = schema.violations(of: document).isEmpty
        let stored = schema.inUTC(document)
        if schema.inUTC(stored) != stored { return "UTC twice is not UTC once" }
        if isValid, !schema.violations(of: stored).isEmpty { return "valid, but not in UTC" }
        return nil
    }
}
