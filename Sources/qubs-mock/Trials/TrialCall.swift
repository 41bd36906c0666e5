import JSON
import Journal
import MockServer
import OAuth
import Time
import Trials
import Verdict

/// All trials of one call of `run` or `sweep`.
struct TrialCall {
    var trials: [Trial] = []
    /// The requests of all of them, in their order.
    var requests: [JournalEntry] = []
    /// Why requests were refused, by session and number; empty where no report is a page.
    var explanations: [String: [UInt64: JSONValue]] = [:]
    /// Requests that journals had no more room for.
    var dropped: UInt64 = 0
    /// What makes the whole worthless.
    var faults: [String] = []
    var seconds = 0.0

    init(_ made: [TrialRunner.Made], since begin: Int64) {
        for one in made {
            trials.append(one.trial)
            requests += one.requests
            explanations[one.trial.session] = one.explanations
            dropped += one.trial.verdict.journal.dropped
        }
        seconds = Double(SystemTime.monotonic() - begin) / 1_000_000_000
    }

    // MARK: Runs

    /// One trial, in front of the terminal.
    ///
    /// - Parameters:
    ///   - name: Of the scenario, or of its file.
    ///   - comparesEffects: Whether a clean trial is made first, and other effects than it has fail.
    static func single(
        _ name: String?,
        session: String,
        _ runner: TrialRunner,
        limitSeconds: Int?,
        comparesEffects: Bool
    ) throws(Failure) -> TrialCall {
        let begin = SystemTime.monotonic()
        let scenario = try name.map { name throws(Failure) in
            try Self.scenario(name, source: "--scenario \(name)", runner.server)
        }
        var clean: Trial?
        if comparesEffects {
            var plan = TrialPlan(subject: .plain, session: cleanSession)
            plan.isClean = true
            let made = try runner.make(plan, limitSeconds: limitSeconds)
            runner.server.application.closeTrial(plan.session)
            if let fault = cleanFault(made.trial) { throw Failure(message: fault) }
            clean = made.trial
        }
        let plan = TrialPlan(
            subject: scenario.map { .scenario($0.pack.name) } ?? .plain,
            session: session,
            scenario: scenario
        )
        var made = try runner.makeInFront(plan, limitSeconds: limitSeconds)
        if let clean {
            made.trial.differences = Survival.differences(of: made.trial, from: clean)
        }
        return TrialCall([made], since: begin)
    }

    /// The session of a clean trial.
    static let cleanSession = "clean"

    /// Why nothing can be held against the clean trial; `nil` where it went well.
    static func cleanFault(_ trial: Trial) -> String? {
        if trial.end.isFailed {
            return "the clean trial failed: \(trial.end.line ?? "")"
                + (trial.output.isEmpty ? "" : "\n\(trial.output)")
        }
        if let first = trial.verdict.failures.first(where: { trial.verdict.counts($0) }) {
            return "the clean trial fails \(first.check.id): \(first.summary)"
        }
        return nil
    }

    /// One trial for each scenario.
    static func suite(
        _ names: [String],
        _ runner: TrialRunner,
        jobs: Int,
        limitSeconds: Int?
    ) throws(Failure) -> TrialCall {
        let begin = SystemTime.monotonic()
        let plans = try names.map { name throws(Failure) in
            TrialPlan(
                subject: .scenario(name),
                session: name,
                scenario: try Self.scenario(name, source: "the scenario \(name)", runner.server)
            )
        }
        let progress = TrialProgress(total: plans.count)
        defer { progress.clear() }
        let made = try runner.make(
            plans,
            jobs: jobs,
            limitSeconds: limitSeconds,
            progress: progress
        )
        var call = TrialCall(made, since: begin)
        call.faults = faults(runner, made: made.count, of: plans.count)
        return call
    }

    /// What makes several trials worthless.
    static func faults(_ runner: TrialRunner, made: Int, of planned: Int) -> [String] {
        var faults: [String] = []
        if runner.signals.haveCome {
            faults.append("A signal ended it: \(made) of \(planned) trials were made.")
        }
        let strays = runner.server.application.strayRequests
        if strays > 0 {
            faults.append(
                "\(strays) request\(strays == 1 ? "" : "s") came to the session default: the command "
                    + "has to use the client id that it is given, which names its session."
            )
        }
        return faults
    }

    private static func scenario(
        _ name: String,
        source: String,
        _ server: TrialServer
    ) throws(Failure) -> Scenario {
        let pack = try ServerComposition.scenario(name)
        do throws(StartError) {
            return try server.application.scenario(pack, source: source)
        } catch {
            throw Failure(message: error.description)
        }
    }
}
