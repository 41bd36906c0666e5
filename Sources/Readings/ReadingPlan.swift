import Faults
import Synchronization

/// The readings of one session: what was chosen, and how many answers have been drawn for.
package final class ReadingPlan: Sendable {
    private struct State: Sendable {
        var settings: ReadingSettings
        /// How many answers were drawn for since the settings changed.
        var ordinal = 0
    }

    private let catalogue: ReadingCatalogue
    private let original: ReadingSettings
    private let seed: Int64
    private let state: Mutex<State>
    /// Whether every answer has every default: then nobody takes the lock.
    private let isDefault: Atomic<Bool>

    /// - Parameters:
    ///   - settings: Those of the command line, to which `reset` goes back.
    ///   - seed: What draws are made from, with the reading and the ordinal of the answer.
    package init(catalogue: ReadingCatalogue, settings: ReadingSettings, seed: Int64) {
        self.catalogue = catalogue
        original = settings
        self.seed = seed
        state = Mutex(State(settings: settings))
        isDefault = Atomic(settings.isDefault)
    }

    /// What is chosen now.
    package var settings: ReadingSettings { state.withLock { $0.settings } }

    /// Chooses; draws begin anew.
    package func choose(_ choices: [(id: ReadingID, choice: ReadingChoice)]) {
        change { settings in
            for (id, choice) in choices { settings[id] = choice }
        }
    }

    /// Goes back to what the command line says.
    package func reset() {
        let original = original
        change { $0 = original }
    }

    private func change(_ body: (inout ReadingSettings) -> Void) {
        state.withLock { state in
            body(&state.settings)
            state.ordinal = 0
            isDefault.store(state.settings.isDefault, ordering: .releasing)
        }
    }

    /// The readings of the next answer.
    package func draw() -> ReadingSet {
        if isDefault.load(ordering: .acquiring) { return .defaults }
        let (settings, ordinal) = state.withLock { state in
            state.ordinal += 1
            return (state.settings, state.ordinal)
        }
        return ReadingSet(catalogue, settings, seed: seed, ordinal: ordinal)
    }
}
