import Contract
import Faults
import JSON
import Journal
import OAuth
import Privacy
import QUBS
import Readings
import Store
import Time

/// Sessions, snapshots and reset.
enum SessionControl {
    static let entries: [ControlEntry] = [
        ("Admin_ListSessions", list),
        ("Admin_OpenSession", open),
        ("Admin_DropSession", drop),
        ("Admin_ListSnapshots", snapshots),
        ("Admin_TakeSnapshot", takeSnapshot),
        ("Admin_DropSnapshot", dropSnapshot),
        ("Admin_RestoreSnapshot", restoreSnapshot),
        ("Admin_Reset", reset),
    ]

    private static func list(_ call: ControlCall) throws(Problem) -> Answer {
        .json(["items": .array(call.context.sessions.all().map(state))])
    }

    private static func open(_ call: ControlCall) throws(Problem) -> Answer {
        let name = call.string("name")
        let isNew = call.context.sessions.existing(name) == nil
        return .json(state(try call.context.sessions.opened(name)), status: isNew ? 201 : 200)
    }

    private static func drop(_ call: ControlCall) throws(Problem) -> Answer {
        let name = call.string("name")
        if name == SessionName.default { throw Problem(store: .defaultSession) }
        // Beside everybody: the names of sessions are looked up under the lock under which one goes.
        let session = call.context.sessions.existing(name)
        session?.store.awaitLongWork()
        let isDropped = try storing { () throws(StoreError) in
            try call.context.sessions.drop(name)
        }
        guard isDropped else {
            throw Problem(.notFound, 404, "There is no session of this name.")
        }
        session?.feed.close()
        return .noContent
    }

    private static func state(_ session: Session) -> JSONValue {
        [
            "name": .string(session.name), "hasWritten": .bool(session.store.hasWritten),
            "requests": .integer(session.journal.size.entries),
            "faults": .integer(session.faults.listings.count),
            "now": .string(Timestamp.text(session.clock.read().nanoseconds)),
        ]
    }

    // MARK: - Snapshots

    private static func snapshots(_ call: ControlCall) throws(Problem) -> Answer {
        let items = try call.existingSession().store.snapshots().map { snapshot -> JSONValue in
            ["name": .string(snapshot.name), "takenAt": .string(snapshot.createdAt.rfc3339)]
        }
        return .json(["items": .array(items)])
    }

    private static func takeSnapshot(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.openSession()
        let name = call.string("name")
        let now = session.clock.now()
        let isNew = try storing { () throws(StoreError) in
            try session.store.takeSnapshot(named: name, now: now)
        }
        return .json(
            ["name": .string(name), "takenAt": .string(now.rfc3339)],
            status: isNew ? 201 : 200
        )
    }

    private static func dropSnapshot(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        try storing { () throws(StoreError) in
            try session.store.deleteSnapshot(named: call.string("name"))
        }
        return .noContent
    }

    private static func restoreSnapshot(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        try storing { () throws(StoreError) in
            try session.store.restoreSnapshot(named: call.string("name"))
        }
        session.intervene()
        session.personalData.invalidate()
        return .noContent
    }

    // MARK: - Reset

    /// Resets the parts named, or all; no token is revoked by it.
    private static func reset(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.openSession()
        let named = call.valid.body?["scope"]?.array?.compactMap(\.string)
        let scope = Set(named ?? ["data", "ledger", "faults", "journal", "clock", "readings"])
        // First what can fail: nothing else is reset then.
        if scope.contains("data") || scope.contains("ledger") {
            try storing { () throws(StoreError) in
                try session.store.reset(
                    data: scope.contains("data"),
                    ledger: scope.contains("ledger"),
                    now: scope.contains("clock") ? SessionClock().now() : session.clock.now()
                )
            }
            session.intervene()
        }
        if scope.contains("clock") { session.clock.reset() }
        if scope.contains("faults") {
            try storing { () throws(StoreError) in try session.resetFaults() }
        }
        if scope.contains("readings") { session.readings.reset() }
        if scope.contains("data") { session.personalData.invalidate() }
        if scope.contains("journal") { session.clearJournal() }
        return .noContent
    }

    private static func storing<Result>(
        _ body: () throws(StoreError) -> Result
    ) throws(Problem) -> Result {
        do throws(StoreError) {
            return try body()
        } catch {
            throw Problem(store: error)
        }
    }
}
