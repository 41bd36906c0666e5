import Dispatch
import Faults
package import Journal
import OAuth
import Privacy
import QUBS
import Readings
import Store
import Synchronization
package import Time
import Verdict

/// What parallel tests do not share: data, ledger and uploads (the store), clock,
/// journal, faults.
package final class Session: Sendable {
    package let name: String
    package let clock: SessionClock
    let store: SessionStore
    package let journal: RequestJournal
    /// Tells the journal from those of earlier runs over the same data.
    let journalKey = Int64.random(in: 0 ... .max)
    /// Those who follow what happens here.
    let feed: EventFeed
    let faults: FaultEngine
    /// How the documentation is read where it leaves freedom.
    let readings: ReadingPlan
    /// The scenario that is played, or was played last.
    let scenario = ScenarioStage()
    /// Looks for the patients of this data where they do not belong.
    let personalData: PersonalData
    /// The keyed writes that are not answered yet.
    let writesInFlight = WritesInFlight()
    /// Which client each upload URL was given to.
    let uploadOwners = UploadOwners()
    /// Where large content is parsed, validated and written, one request after the other.
    let contentQueue = DispatchQueue(label: "qubs-mock.content")
    /// Where control operations run that would hold up a worker for too long.
    let controlQueue = DispatchQueue(label: "qubs-mock.control")
    /// How often the control API has changed records or ledger.
    private let intervened = Atomic<UInt32>(0)
    /// The scenario of `--scenario`.
    private let standingScenario: Scenario?
    /// The mode of the world of `--world`.
    private let configuredWorld: WorldMode

    /// - Throws: `FaultError.repeatedIDs`, where rules of `--faults` or `--scenario` repeat an `id`.
    init(
        name: String,
        store: SessionStore,
        journalSize: JournalSize,
        fileRules: [FaultRule],
        scenario: Scenario?,
        world: WorldMode,
        readings: ReadingPlan,
        sharedPersonalData: SharedPersonalData
    ) throws(FaultError) {
        self.name = name
        self.readings = readings
        self.store = store
        clock = SessionClock()
        journal = RequestJournal(journalSize)
        feed = EventFeed(journal: journal)
        faults = try FaultEngine(fileRules: fileRules, now: clock.read().nanoseconds)
        personalData = PersonalData(store: store, shared: sharedPersonalData)
        standingScenario = scenario
        configuredWorld = world
        store.setWorld(world)
        if let scenario { try arm(scenario) }
    }

    deinit { FreedMemory.note(octets: journal.octets) }

    /// Forgets all requests; their numbers go on.
    func clearJournal() {
        let octets = journal.octets
        journal.clear()
        FreedMemory.note(octets: octets)
    }

    /// How often the control API has changed records or ledger: what it separates is not held against
    /// a client.
    var interventions: UInt32 { intervened.load(ordering: .relaxed) }

    /// Notes that the control API changes records or ledger.
    func intervene() { intervened.wrappingAdd(1, ordering: .relaxed) }

    /// Plays a scenario, in place of another; its working day begins with `beginDay`.
    ///
    /// - Throws: `FaultError.repeatedIDs`, where a rule that was set otherwise has the `id` of one of
    ///   the pack.
    func arm(_ scenario: Scenario) throws(FaultError) {
        try self.scenario.start(
            scenario,
            faults: faults,
            journal: journal,
            now: clock.read().nanoseconds
        )
    }

    /// Begins the working day of a scenario that plays one: the data are laid out as they are in the
    /// morning, the clock stands there, and the data live.
    ///
    /// Not for workers: it waits for writes.
    func beginDay(of scenario: Scenario) throws(StoreError) {
        guard let day = scenario.pack.day else { return }
        if let instant = try store.layDay(at: day.begin, now: clock.now()) {
            clock.set(
                .frozen,
                nanoseconds: instant.secondsSince1970.multipliedSaturated(by: 1_000_000_000)
            )
        }
        store.setWorld(.living)
        personalData.invalidate()
        intervene()
        self.scenario.beginDay(at: clock.now())
    }

    /// Begins the working day of `--scenario`, where that plays one.
    func beginStandingDay() throws(StoreError) {
        if let standingScenario { try beginDay(of: standingScenario) }
    }

    /// Takes the rules of the scenario back; the clock stays where it is.
    func stopScenario() {
        if scenario.played?.dayBegan != nil { store.setWorld(configuredWorld) }
        scenario.stop(faults: faults)
    }

    /// Brings back the faults that the session opened with: `--faults` and `--scenario`, whose working
    /// day begins anew.
    func resetFaults() throws(StoreError) {
        faults.reset(now: clock.read().nanoseconds)
        if scenario.played?.dayBegan != nil { store.setWorld(configuredWorld) }
        scenario.forget()
        guard let standingScenario else { return }
        // It could be armed when the session opened, beside the same rules.
        try? arm(standingScenario)
        try beginDay(of: standingScenario)
    }
}

/// The open sessions of a server.
///
/// `default` is always open; another one opens on first use.
package final class Sessions: Sendable {
    /// Why a session cannot be had.
    enum Refusal: Error {
        /// There are `maximum` of them beside `default`.
        case tooMany
        /// The store could not make one.
        case store(StoreError)
        /// The rules of `--faults` cannot be armed.
        case faults(FaultError)
    }

    /// Sessions beside `default`.
    static let maximum = 256

    /// The session of requests that name none.
    package let `default`: Session

    private let store: MockStore
    private let journalSize: JournalSize
    private let fileRules: [FaultRule]
    private let scenario: Scenario?
    private let world: WorldMode
    private let present: Instant?
    private let makeReadings: @Sendable () -> ReadingPlan
    private let personalData = SharedPersonalData()
    private let others: Mutex<[String: Session]>

    init(
        store: MockStore,
        journalSize: JournalSize,
        fileRules: [FaultRule],
        scenario: Scenario?,
        world: WorldMode = .still,
        present: Instant? = nil,
        readings: @escaping @Sendable () -> ReadingPlan
    ) throws(Refusal) {
        self.store = store
        self.journalSize = journalSize
        self.fileRules = fileRules
        self.scenario = scenario
        self.world = world
        self.present = present
        makeReadings = readings
        let personalData = personalData
        func make(_ name: String) throws(Refusal) -> Session {
            try Self.make(
                name,
                store: store,
                journalSize: journalSize,
                fileRules: fileRules,
                scenario: scenario,
                world: world,
                present: present,
                readings: readings(),
                personalData: personalData
            )
        }
        `default` = try make(SessionName.default)
        var known: [String: Session] = [:]
        for name in store.sessionNames() where name != SessionName.default {
            known[name] = try make(name)
        }
        others = Mutex(known)
    }

    private static func make(
        _ name: String,
        store: MockStore,
        journalSize: JournalSize,
        fileRules: [FaultRule],
        scenario: Scenario?,
        world: WorldMode,
        present: Instant?,
        readings: ReadingPlan,
        personalData: SharedPersonalData
    ) throws(Refusal) -> Session {
        let records: SessionStore
        do throws(StoreError) {
            records = try store.openSession(
                named: name,
                now: SessionClock().now(),
                present: present
            ).session
        } catch {
            throw .store(error)
        }
        let session: Session
        do throws(FaultError) {
            session = try Session(
                name: name,
                store: records,
                journalSize: journalSize,
                fileRules: fileRules,
                scenario: scenario,
                world: world,
                readings: readings,
                sharedPersonalData: personalData
            )
        } catch {
            throw .faults(error)
        }
        do throws(StoreError) {
            try session.beginStandingDay()
        } catch {
            throw .store(error)
        }
        return session
    }

    /// The session of this name, where it is open.
    package func existing(_ name: String) -> Session? {
        if name == SessionName.default { return `default` }
        return others.withLock { $0[name] }
    }

    /// The session of this name, opened where it was not.
    func open(_ name: String) throws(Refusal) -> Session {
        if name == SessionName.default { return `default` }
        guard SessionName.isValid(name) else { throw .store(.malformedName(name)) }
        let result: Result<Session, Refusal> = others.withLock { others in
            if let session = others[name] { return .success(session) }
            guard others.count < Self.maximum else { return .failure(.tooMany) }
            do throws(Refusal) {
                let session = try Self.make(
                    name,
                    store: store,
                    journalSize: journalSize,
                    fileRules: fileRules,
                    scenario: scenario,
                    world: world,
                    present: present,
                    readings: makeReadings(),
                    personalData: personalData
                )
                others[name] = session
                return .success(session)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// All open sessions, `default` first, the others by name.
    package func all() -> [Session] {
        [`default`] + others.withLock { $0.values.sorted { $0.name < $1.name } }
    }

    /// Forgets a session and everything in it; `false` where it was not open.
    func drop(_ name: String) throws(StoreError) -> Bool {
        // Under the lock: who opens the name meanwhile must get a fresh session, not this one.
        let dropped: Result<Bool, StoreError> = others.withLock { others in
            guard others[name] != nil else { return .success(false) }
            do throws(StoreError) {
                try store.dropSession(named: name)
            } catch {
                return .failure(error)
            }
            others[name] = nil
            return .success(true)
        }
        return try dropped.get()
    }
}

extension Sessions {
    /// The session of this name, opened where it was not.
    func opened(_ name: String) throws(Problem) -> Session {
        do throws(Refusal) {
            return try open(name)
        } catch {
            throw Problem(refusal: error)
        }
    }
}
