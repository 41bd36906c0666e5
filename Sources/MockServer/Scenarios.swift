import Faults
import JSON
import Journal
import Synchronization
import Time
package import Verdict

/// A scenario pack whose rules fit this server.
package struct Scenario: Sendable {
    package let pack: ScenarioPack
    let rules: [FaultRule]

    /// - Parameters:
    ///   - operations: The ids of the contract's operations.
    ///   - source: Where the pack comes from, in the words of whoever gave it.
    /// - Throws: One line for them: what is wrong with it, and where.
    init(
        _ value: JSONValue,
        _ reader: FaultRuleReader,
        operations: Set<String>,
        source: String
    ) throws(StartError) {
        do throws(ScenarioPack.Faults) {
            pack = try ScenarioPack(value, operations: operations)
        } catch {
            throw StartError(source, error.faults.map { ($0.pointer, $0.reason) })
        }
        if pack.rules.isEmpty {
            rules = []
            return
        }
        do throws(FaultError) {
            rules = try reader.rules(.array(pack.rules))
        } catch {
            throw StartError(source, error, at: ["rules"])
        }
    }
}

/// The packs that can be started by a word.
struct ScenarioLibrary: Sendable {
    /// In the order of their names.
    let packs: [ScenarioPack]
    private let values: [JSONValue]
    private let faultRules: FaultRuleReader
    private let operations: Set<String>

    /// - Throws: Where a built-in pack is not valid; its rules are looked at when it is started.
    init(
        _ values: [JSONValue],
        _ faultRules: FaultRuleReader,
        operations: Set<String>
    ) throws(StartError) {
        var packs: [ScenarioPack] = []
        for value in values {
            do throws(ScenarioPack.Faults) {
                packs.append(try ScenarioPack(value, operations: operations))
            } catch {
                let name = value["name"]?.string.map { "the scenario \($0)" } ?? "a scenario"
                throw StartError(name, error.faults.map { ($0.pointer, $0.reason) })
            }
        }
        self.packs = packs
        self.values = values
        self.faultRules = faultRules
        self.operations = operations
    }

    /// The scenario of this name; `nil` where there is none.
    func scenario(named name: String) throws(StartError) -> Scenario? {
        guard let place = packs.firstIndex(where: { $0.name == name }) else { return nil }
        return try Scenario(
            values[place],
            faultRules,
            operations: operations,
            source: "the scenario \(name)"
        )
    }
}

/// The scenario that is played in a session, or was played last.
final class ScenarioStage: Sendable {
    /// What the verdict must know.
    struct Played: Sendable {
        let name: String
        let passMarks: [String]
        /// The last journal entry before the start.
        let after: UInt64
        /// Whether its rules and clock steps are still in force.
        var isActive: Bool
        /// When the working day that it plays began, by the session's clock; `nil` where it plays none.
        var dayBegan: Instant?
    }

    private struct State: Sendable {
        var played: Played
        var clock: ScenarioClock
        var tokenSeconds: Int64?
        var uploadURLSeconds: Int64?
        var ruleIDs: [String]
    }

    /// Whether a clock step is to come, so that requests must be counted.
    private let hasSteps = Atomic(false)
    private let state = Mutex<State?>(nil)

    init() {}

    /// How long tokens live while a scenario says so, in seconds.
    var tokenSeconds: Int64? { state.withLock { $0?.tokenSeconds } }

    /// How long upload URLs live while a scenario says so, in seconds.
    var uploadURLSeconds: Int64? { state.withLock { $0?.uploadURLSeconds } }

    /// What is played, or was last.
    var played: Played? { state.withLock { $0?.played } }

    /// Arms the rules in place of those of another scenario, and begins to count requests.
    ///
    /// - Throws: `FaultError.repeatedIDs`, where a rule that was set otherwise has the `id` of one of
    ///   the pack; no scenario is played then.
    func start(
        _ scenario: Scenario,
        faults: FaultEngine,
        journal: RequestJournal,
        now: Int64
    ) throws(FaultError) {
        stop(faults: faults)
        let listings =
            scenario.rules.isEmpty ? [] : try faults.add(scenario.rules, now: now)
        let newest = journal.entries(matching: JournalFilter(limit: 1)).first?.id ?? 0
        let clock = ScenarioClock(scenario.pack)
        state.withLock {
            $0 = State(
                played: Played(
                    name: scenario.pack.name,
                    passMarks: scenario.pack.passMarks,
                    after: newest,
                    isActive: true,
                    dayBegan: nil
                ),
                clock: clock,
                tokenSeconds: scenario.pack.tokenSeconds,
                uploadURLSeconds: scenario.pack.uploadURLSeconds,
                ruleIDs: listings.map(\.id)
            )
            hasSteps.store(!clock.isSpent, ordering: .relaxed)
        }
    }

    /// Notes that the working day of the scenario has begun.
    func beginDay(at instant: Instant) { state.withLock { $0?.played.dayBegan = instant } }

    /// Takes the rules back and moves the clock no more; what was played is still known.
    func stop(faults: FaultEngine) {
        let ids: [String] = state.withLock { state in
            hasSteps.store(false, ordering: .relaxed)
            defer {
                state?.ruleIDs = []
                state?.tokenSeconds = nil
                state?.uploadURLSeconds = nil
                state?.played.isActive = false
            }
            return state?.ruleIDs ?? []
        }
        for id in ids { faults.remove(id: id) }
    }

    /// Forgets what was played; its rules are gone already.
    func forget() {
        state.withLock {
            $0 = nil
            hasSteps.store(false, ordering: .relaxed)
        }
    }

    /// Counts an answered request to an operation of the API.
    ///
    /// - Returns: By how many nanoseconds to advance the session's clock.
    func countRequest(of operation: String?) -> Int64 {
        guard hasSteps.load(ordering: .relaxed) else { return 0 }
        return state.withLock { state in
            let advance = state?.clock.countRequest(of: operation) ?? 0
            if state?.clock.isSpent ?? true { hasSteps.store(false, ordering: .relaxed) }
            return advance
        }
    }
}
