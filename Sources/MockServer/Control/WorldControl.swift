import Contract
import JSON
import Journal
import QUBS
import Store
import Suggestions
import Time

/// The world of a session, and its front desk: what happens to appointments, by itself and by hand.
enum WorldControl {
    static let entries: [ControlEntry] = [
        ("Admin_GetWorld", get),
        ("Admin_SetWorld", set),
        ("Admin_NoteEvent", note),
        ("Admin_ListEvents", events),
    ]

    /// Whether an operation has to do with data, which must be up to date then.
    static func concerns(_ operation: Operation) -> Bool {
        operation.tag == "State" && !ignorant.contains(operation.id)
    }

    /// Operations to which it makes no difference what the data are.
    private static let ignorant: Set<String> = [
        "Admin_GetClock", "Admin_SetClock", "Admin_AdvanceClock", "Admin_Reset",
        "Admin_RestoreSnapshot", "Admin_DropSnapshot", "Admin_ListSnapshots",
        "Admin_ListSessions", "Admin_OpenSession", "Admin_DropSession", "Admin_SetWorld",
    ]

    private static func get(_ call: ControlCall) throws(Problem) -> Answer {
        try answer(try call.existingSession(), call)
    }

    private static func set(_ call: ControlCall) throws(Problem) -> Answer {
        guard let mode = call.body["mode"]?.string.flatMap(WorldMode.init(rawValue:)) else {
            preconditionFailure("the contract lets only known modes through")
        }
        let session = try call.openSession()
        session.store.setWorld(mode)
        // What has happened since the beginning of day zero is there when this is answered.
        let now = session.clock.now()
        if let news = session.store.bringWorld(to: now, telling: session.feed.worldEvents) {
            session.feed.announce(news, now: now)
        }
        return try answer(session, call)
    }

    private static func answer(_ session: Session, _ call: ControlCall) throws(Problem) -> Answer {
        let reader = session.store.reader(worker: call.call.worker.index)
        do throws(StoreError) {
            return .json([
                "mode": .string(session.store.worldMode.rawValue),
                "time": .string(try reader.worldTime(now: session.clock.now()).rfc3339),
                "next": try next(session, reader),
            ])
        } catch {
            throw Problem(store: error)
        }
    }

    /// The time of the next event; in a still world nothing happens by itself.
    private static func next(
        _ session: Session,
        _ reader: SessionReader
    ) throws(StoreError) -> JSONValue {
        guard session.store.worldMode == .living, let next = try reader.nextEvent() else {
            return .null
        }
        return .string(next.rfc3339)
    }

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
                    now: now,
                    in: session.store.worldMode
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
        case .happened(let past, let record):
            session.intervene()
            session.feed.announce(
                "world",
                [
                    "operation": .string(call.operation.id), "now": .string(now.rfc3339),
                    "events": .array([past.json]), "omitted": 0,
                ]
            )
            return .json(record)
        case .refused(let reason): throw Problem(.conflict, 409, reason)
        }
    }

    private static func events(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        let reader = session.store.reader(worker: call.call.worker.index)
        let events: [PastEvent]
        let next: JSONValue
        do throws(StoreError) {
            next = try Self.next(session, reader)
            events = try reader.events(
                since: call.valid.string("since").flatMap { Instant(rfc3339: $0) },
                limit: call.valid.int("limit") ?? 100
            )
        } catch {
            throw Problem(store: error)
        }
        return .json(["items": .array(events.map(\.json)), "next": next])
    }
}

extension PastEvent {
    /// The event as the control API shows it.
    fileprivate var json: JSONValue {
        [
            "time": .string(time.rfc3339), "domain": .string(domain),
            "appointmentId": .string(appointment), "event": .string(event),
            "from": from.map(JSONValue.string) ?? .null, "to": .string(to),
        ]
    }
}

extension EventFeed {
    /// Events of a living world that one telling holds, the last ones.
    private static let maximumWorldEvents = 100

    /// How many events of a living world are to be told: 0 where nobody follows.
    var worldEvents: Int { isUnwatched ? 0 : Self.maximumWorldEvents }

    /// Tells what has happened by itself in a living world.
    func announce(_ news: WorldNews, now: Instant) {
        announce(
            "world",
            [
                "operation": .null, "now": .string(now.rfc3339),
                "events": .array(news.events.map(\.json)), "omitted": .integer(news.omitted),
            ]
        )
    }
}
