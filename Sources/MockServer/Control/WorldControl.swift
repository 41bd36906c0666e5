import Contract
import JSON
import Journal
import QUBS
import Store
import Suggestions
import Time

/// The front desk of the practice: what happens to its appointments, by hand.
enum WorldControl {
    static let entries: [ControlAPI.Entry] = [
        ("Admin_NoteEvent", note),
        ("Admin_ListEvents", events),
    ]

    private static func note(_ call: ControlCall) throws(Problem) -> Answer {
        let name = call.string("event")
        guard let event = PracticeEvent(rawValue: name) else {
            let names = PracticeEvent.allCases.map(\.rawValue)
            throw Problem(
                .notFound,
                404,
                NameSuggestions.nearest(to: name, among: names).first
                    .map { "There is no event `\(name)`; did you mean `\($0)`?" }
                    ?? "There is no event `\(name)`; there are \(names.joined(separator: ", "))."
            )
        }
        let session = try call.openSession()
        let now = session.clock.now()
        let outcome: EventOutcome
        do throws(StoreError) {
            outcome = try session.store.write { writer throws(StoreError) in
                try writer.note(
                    event,
                    domain: call.string("domain"),
                    appointment: call.string("id"),
                    now: now
                )
            }
        } catch {
            if case .rule(.notFound) = error {
                throw RecordControl.missing(
                    .appointment,
                    call.string("id"),
                    in: call.string("domain"),
                    session.store.reader(worker: call.call.worker.index)
                )
            }
            throw Problem(store: error)
        }
        switch outcome {
        case .happened(let record): return .json(record)
        case .refused(let reason): throw Problem(.conflict, 409, reason)
        }
    }

    private static func events(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        let events: [PastEvent]
        do throws(StoreError) {
            events = try session.store.reader(worker: call.call.worker.index).events(
                since: call.valid.string("since").flatMap { Instant(rfc3339: $0) },
                limit: call.valid.int("limit") ?? 100
            )
        } catch {
            throw Problem(store: error)
        }
        let items = events.map { event -> JSONValue in
            [
                "time": .string(event.time.rfc3339), "domain": .string(event.domain),
                "appointmentId": .string(event.appointment), "event": .string(event.event),
                "from": event.from.map(JSONValue.string) ?? .null, "to": .string(event.to),
            ]
        }
        // In a still world nothing happens by itself.
        return .json(["items": .array(items), "next": .null])
    }
}
