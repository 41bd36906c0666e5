import Contract
import HTTPTransport
package import JSON
import Journal
import Privacy
import Store
import Time
package import Verdict

/// The verdict on the client of a session, in all its forms.
package struct Judgement: Sendable {
    package let report: VerdictReport

    /// The report as `GET /__admin/verdict` answers it, and as files hold it.
    package var json: [UInt8] { JSONWriter.octets(of: report.json) }
    /// The report as JUnit XML.
    package var junit: String { report.junit }
    /// The report as Markdown.
    package var markdown: String { report.markdown }

    /// The report for a terminal of 80 columns.
    ///
    /// - Parameter colour: Whether to use escape sequences.
    package func text(colour: Bool) -> String { report.text(colour: colour) }

    /// The exit status of a command that prints this verdict (design §10).
    package func exitStatus(commandFailed: Bool = false) -> Int32 {
        VerdictExit(report, commandFailed: commandFailed).rawValue
    }

    /// The exit status of a command that prints a verdict that it got as JSON.
    package static func exitStatus(of json: JSONValue) -> Int32 {
        switch json["result"]?.string {
        case "fail": VerdictExit.fail.rawValue
        case "pass" where json["scenario"]?["reached"] != false:
            VerdictExit.pass.rawValue
        case "pass", "not-exercised": VerdictExit.notExercised.rawValue
        default: VerdictExit.commandFailed.rawValue
        }
    }

    /// The exit status where a command or the mock failed, so that there is no verdict.
    package static let failureStatus = VerdictExit.commandFailed.rawValue
}

extension ControlContext {
    /// Judges the client of a session by its journal: all of it, or what came since its scenario
    /// was started.
    ///
    /// - Parameters:
    ///   - now: The monotonic time of the verdict, in nanoseconds.
    ///   - stopped: When the command under test was stopped, where it was.
    ///   - limitSeconds: The limit that stopped it, where one did.
    ///   - hasEnded: Whether it ended by itself.
    package func judge(
        _ session: Session,
        isStrict: Bool,
        required: Set<String>? = nil,
        now: Int64 = SystemTime.monotonic(),
        stopped: Int64? = nil,
        limitSeconds: Int? = nil,
        hasEnded: Bool = false
    ) -> Judgement {
        session.personalData.settle()
        let played = session.scenario.played
        var (entries, dropped) = session.journal.contents()
        if let after = played?.after, after > 0 {
            if let first = entries.first {
                dropped = first.id > after + 1 ? min(dropped, first.id - after - 1) : 0
            }
            entries.removeAll { $0.id <= after }
        }
        let context = VerdictContext(
            session: session.name,
            operations: verdictOperations,
            dropped: dropped,
            scenario: played.map { .init(name: $0.name, passMarks: $0.passMarks) },
            waits: played?.dayBegan.map { waits(in: session, since: $0) },
            isStrict: isStrict,
            required: required,
            monotonicNow: now,
            stopped: stopped,
            limitSeconds: limitSeconds,
            hasEnded: hasEnded,
            idleTimeout: Int64(server.configuration.transport.idleTimeout.nanoseconds)
        )
        return Judgement(report: verdict(of: entries, context: context))
    }
}

extension ControlContext {
    /// The exams that fell due, or left the pending list, since a working day began.
    private func waits(in session: Session, since began: Instant) -> [VerdictContext.Wait] {
        let reader = session.store.reader(worker: server.configuration.transport.workers)
        do throws(StoreError) {
            return try reader.waits(after: began).map { wait in
                func nanoseconds(_ instant: Instant) -> Int64 {
                    instant.secondsSince1970.multipliedSaturated(by: 1_000_000_000)
                }
                return VerdictContext.Wait(
                    domain: wait.domain,
                    appointment: wait.appointment,
                    since: wait.since.map(nanoseconds),
                    until: wait.until.map(nanoseconds)
                )
            }
        } catch {
            // The verdict says that nothing was put to the test; the log says why.
            log.append(
                "qubs-mock: session \(session.name): no exams for the verdict: \(error)\n".utf8
            )
            return []
        }
    }
}

extension VerdictContext.OperationFacts {
    /// The facts of an operation, as the contract has them.
    init(_ operation: Operation) {
        self.init(
            id: operation.id,
            paging: VerdictContext.Paging(operation),
            isReporting: operation.tag == "Reporting",
            idempotencyRetention: operation.idempotencyRetentionSeconds.map(Int64.init)
        )
    }
}

extension VerdictContext.Paging {
    /// How an operation is paged, by its parameters.
    init(_ operation: Operation) {
        self =
            operation.position(of: "nextToken") != nil
            ? .cursor : operation.position(of: "skip") != nil ? .offset : .none
    }
}
