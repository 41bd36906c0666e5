import Faults
import Readings
import Store
package import Synchronization
import Verdict

/// What control operations need of the server, beside what requests to the emulated API read of it.
package final class ControlContext: Sendable {
    let server: ServerContext
    let sessions: Sessions
    let scenarios: ScenarioLibrary
    let faultRules: FaultRuleReader
    /// Where the documentation leaves freedom, and how it can be read there.
    let readings: ReadingCatalogue
    /// What may stand in front of the API.
    let edges: EdgeCatalogue
    /// What the verdict must know of each operation of the API.
    let verdictOperations: [VerdictContext.OperationFacts]
    let log: LogSink
    /// Those who follow sessions, all together.
    package let viewers = Atomic(0)

    init(
        server: ServerContext,
        sessions: Sessions,
        scenarios: ScenarioLibrary,
        faultRules: FaultRuleReader,
        readings: ReadingCatalogue,
        edges: EdgeCatalogue,
        verdictOperations: [VerdictContext.OperationFacts],
        log: LogSink
    ) {
        self.server = server
        self.sessions = sessions
        self.scenarios = scenarios
        self.faultRules = faultRules
        self.readings = readings
        self.edges = edges
        self.verdictOperations = verdictOperations
        self.log = log
    }
}
