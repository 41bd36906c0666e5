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
            return try controls.faultRules.rules(document)
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
            controls.faultRules,
            operations: Set(controls.verdictOperations.map(\.id)),
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
                choices.append(try controls.readings.choice(id, value))
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
        Set(controls.verdictOperations.filter { $0.idempotencyRetention != nil }.map(\.id))
    }

    /// A short life of tokens, to see a client renew its own.
    private static let shortTokenLifetime = "60"

    /// Each value of each reading that is not the default, in the order of the catalogue.
    package var readingsToTry: [(id: String, value: String)] {
        controls.readings.entries.flatMap { entry in
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

extension Application {
    /// Judges the client of a session, which is opened where nobody has used it.
    ///
    /// - Parameters:
    ///   - required: The checks that count; `nil` for all.
    ///   - stopped: When the command under test was stopped, in monotonic nanoseconds.
    ///   - limitSeconds: The limit that stopped it, where one did.
    ///   - hasEnded: Whether it ended by itself.
    package func judge(
        sessionNamed name: String,
        isStrict: Bool,
        required: Set<String>? = nil,
        stopped: Int64? = nil,
        limitSeconds: Int? = nil,
        hasEnded: Bool = false
    ) throws(StartError) -> Judgement {
        let session: Session
        do throws(Problem) {
            session = try sessions.opened(name)
        } catch {
            throw StartError(error.detail)
        }
        return controls.judge(
            session,
            isStrict: isStrict,
            required: required,
            stopped: stopped,
            limitSeconds: limitSeconds,
            hasEnded: hasEnded
        )
    }

    /// Requests, newest first, in the form in which the control API lists them.
    ///
    /// - Parameter entries: Oldest first.
    package static func journalJSON(of entries: [JournalEntry], dropped: UInt64) -> [UInt8] {
        var octets = Array(#"{"items":["#.utf8)
        for (place, entry) in entries.reversed().enumerated() {
            if place > 0 { octets.append(UInt8(ascii: ",")) }
            JSONWriter.append(entry.json, to: &octets)
        }
        return octets + Array("],\"dropped\":\(dropped)}\n".utf8)
    }

    /// When the last request of any session arrived, in monotonic nanoseconds.
    package var lastArrival: Int64? {
        sessions.all().compactMap {
            $0.journal.entries(matching: JournalFilter(limit: 1)).first?.arrival
        }.max()
    }

    /// Explanations of the requests of a session that were refused or met a fault, by number.
    ///
    /// - Parameter limit: Of more the newest.
    package func explanations(ofSession name: String, limit: Int) -> [UInt64: JSONValue] {
        guard let session = sessions.existing(name) else { return [:] }
        let entries = session.journal.entries().filter {
            $0.refusal != nil || $0.details.fault != nil || ($0.status ?? 0) >= 400
        }
        // Where the reader that is beside the workers is used, too.
        return session.contentQueue.sync {
            let reader = session.store.reader(worker: workers.contextBeside().index)
            var found: [UInt64: JSONValue] = [:]
            for entry in entries.suffix(limit) {
                found[entry.id] = controls.explanation(
                    of: entry,
                    in: session,
                    reader: reader,
                    baseURL: "<baseURL>"
                )
            }
            return found
        }
    }
}
