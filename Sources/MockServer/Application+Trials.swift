import Dispatch
package import Faults
import Glibc
package import JSON
package import Journal
import QUBS
import Readings
import Store
import Time
import Verdict

/// What a trial asks of a server: a session that begins in a known state, and what became of it.
extension Application {
    /// What a session begins with, beside the options of the server.
    package struct TrialSetting: Sendable {
        package var scenario: Scenario?
        package var rules: [FaultRule]
        /// Ids and values of readings.
        package var readings: [(id: String, value: String)]

        package init(
            scenario: Scenario? = nil,
            rules: [FaultRule] = [],
            readings: [(id: String, value: String)] = []
        ) {
            self.scenario = scenario
            self.rules = rules
            self.readings = readings
        }
    }

    /// Fault rules that fit this server.
    ///
    /// - Parameter source: Where they come from, in the words of whoever gave them.
    package func faultRules(
        _ document: JSONValue,
        source: String
    ) throws(StartError) -> [FaultRule] {
        do throws(FaultError) {
            return try faultRules.rules(document)
        } catch {
            throw StartError(source, error)
        }
    }

    /// A scenario that fits this server.
    ///
    /// - Parameter source: Where it comes from, in the words of whoever gave it.
    package func scenario(_ value: JSONValue, source: String) throws(StartError) -> Scenario {
        try Scenario(
            value,
            faultRules,
            operations: Set(verdictOperations.map(\.id)),
            source: source
        )
    }

    /// Opens the session of a trial, and arms what goes wrong in it.
    package func openTrial(_ name: String, _ setting: TrialSetting) throws(StartError) {
        let session: Session
        do throws(Problem) {
            session = try sessions.opened(name)
        } catch {
            throw StartError(error.detail)
        }
        if let scenario = setting.scenario {
            do throws(FaultError) {
                try session.arm(scenario)
            } catch {
                throw StartError("the scenario \(scenario.pack.name)", error, at: ["rules"])
            }
            do throws(StoreError) {
                try session.beginDay(of: scenario)
            } catch {
                throw StartError("the scenario \(scenario.pack.name): \(error)")
            }
        }
        do throws(FaultError) {
            try session.faults.add(setting.rules, now: session.clock.read().nanoseconds)
        } catch {
            throw StartError("the fault rules", error)
        }
        var choices: [(id: ReadingID, choice: ReadingChoice)] = []
        for (id, value) in setting.readings {
            do throws(ReadingCatalogue.Refusal) {
                choices.append(try readings.choice(id, value))
            } catch {
                throw StartError("the reading \(id): \(error.reason)")
            }
        }
        if !choices.isEmpty { session.readings.choose(choices) }
    }

    private static let settlePauseMicroseconds: UInt32 = 2_000

    /// Waits until all answers of a session have ended, or a time is over.
    ///
    /// The client is gone, and with it its connections: what was still being delivered is soon noted
    /// as left or cut.
    package func settle(_ name: String, limit: Duration) {
        guard let session = sessions.existing(name) else { return }
        let begin = SystemTime.monotonic()
        let end = begin + Int64(limit.components.seconds) * 1_000_000_000
        session.journal.awaitDeliveries(timeLimitMilliseconds: 1_000)
        while session.journal.entries().contains(where: { $0.delivery == .pending }),
            SystemTime.monotonic() < end
        {
            usleep(Self.settlePauseMicroseconds)
        }
    }

    /// The lasting effects of the client of a session, as the control API lists them normalised.
    package func normalisedChanges(ofSession name: String) throws(StartError) -> [UInt8] {
        guard let session = sessions.existing(name) else { return [] }
        // Where the reader that is beside the workers is used, too.
        let result: Result<[UInt8], StoreError> = session.contentQueue.sync {
            do throws(StoreError) {
                let reader = session.store.reader(
                    worker: workers.contextBeside().index
                )
                return .success(NormalisedChanges.octets(of: try reader.changes(withValues: true)))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let octets): return octets
        case .failure(let error):
            throw StartError("the changes of session \(name): \(error)")
        }
    }

    /// The requests of a session, oldest first.
    package func requests(ofSession name: String) -> [JournalEntry] {
        sessions.existing(name)?.journal.entries() ?? []
    }

    /// How many requests of known clients, or for tokens, came to the session `default`.
    package var strayRequests: Int {
        sessions.default.journal.entries().count { $0.client != nil || $0.kind == .token }
    }

    /// The operations that keep idempotency keys.
    package var keyedOperations: Set<String> {
        Set(verdictOperations.filter { $0.idempotencyRetention != nil }.map(\.id))
    }

    /// A short life of tokens, to see a client renew its own.
    private static let shortTokenLifetime = "60"

    /// Each value of each reading that is not the default, in the order of the catalogue.
    package var readingsToTry: [(id: String, value: String)] {
        readings.entries.flatMap { entry in
            entry.range == nil
                ? entry.values.dropFirst().map { (entry.id.rawValue, $0.word) }
                : [(entry.id.rawValue, Self.shortTokenLifetime)]
        }
    }

    /// Forgets the session of a trial.
    package func closeTrial(_ name: String) {
        // One that cannot be dropped goes with the server.
        _ = try? sessions.drop(name)
    }
}
