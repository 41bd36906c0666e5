import Dispatch
import Glibc
import JSON
import Journal
import MockServer
import Synchronization
import Time
import Trials
import Verdict

/// Makes trials: each runs the command in a session of its own, several at a time on one server.
final class TrialRunner: Sendable {
    /// A trial, and what of it is not in reports.
    struct Made: Sendable {
        var trial: Trial
        let requests: [JournalEntry]
        /// Why requests were refused, by their numbers; empty where nobody asked.
        let explanations: [UInt64: JSONValue]
    }

    /// What holds for all trials.
    struct Settings: Sendable {
        let command: [String]
        let expectedStatus: Int32
        let isStrict: Bool
        /// The checks that count; `nil` for all.
        var required: Set<String>?
        /// Whether refusals are explained, for a report that is a page.
        var explains = false
    }

    let server: TrialServer
    let settings: Settings
    let signals = CommandSignals()

    init(_ server: TrialServer, _ settings: Settings) {
        self.server = server
        self.settings = settings
        signals.hear()
    }

    /// Makes one trial whose command has the standard streams, and the terminal.
    ///
    /// Afterwards the server hears nobody any more.
    func makeInFront(_ plan: TrialPlan, limitSeconds: Int?) throws(Failure) -> Made {
        let silence = SilenceNotice(server.application, since: SystemTime.monotonic())
        try server.open(plan)
        let begin = SystemTime.monotonic()
        let end = try GuardedCommand.run(
            settings.command,
            environment: server.environment(session: plan.session),
            limitSeconds: limitSeconds,
            signals: signals
        ) { silence.look() }
        let seconds = Double(SystemTime.monotonic() - begin) / 1_000_000_000
        // The command is gone, and with it its connections: what was still being delivered is
        // noted as cut or left before the journal is read.
        server.stop(grace: TrialServer.grace)
        return try judge(plan, end, seconds, limitSeconds, output: "")
    }

    /// Makes one trial whose command's output is kept.
    func make(_ plan: TrialPlan, limitSeconds: Int?) throws(Failure) -> Made {
        try server.open(plan)
        let output = CommandOutput()
        let begin = SystemTime.monotonic()
        let end = try GuardedCommand.run(
            settings.command,
            environment: server.environment(session: plan.session),
            limitSeconds: limitSeconds,
            output: output,
            signals: signals
        )
        let seconds = Double(SystemTime.monotonic() - begin) / 1_000_000_000
        server.application.settle(plan.session, limit: TrialServer.grace)
        return try judge(plan, end, seconds, limitSeconds, output: output.text())
    }

    private func judge(
        _ plan: TrialPlan,
        _ end: GuardedCommand.End,
        _ seconds: Double,
        _ limitSeconds: Int?,
        output: String
    ) throws(Failure) -> Made {
        let application = server.application
        if case .notStarted(let code) = end.report {
            throw Failure(message: GuardedCommand.line(aboutStartOf: settings.command[0], code))
        }
        do throws(StartError) {
            let judgement = try application.judge(
                sessionNamed: plan.session,
                isStrict: settings.isStrict,
                required: settings.required,
                stopped: end.stopped,
                limitSeconds: end.isOverdue ? limitSeconds : nil,
                hasEnded: end.stopped == nil
            )
            let effects = try application.normalisedChanges(ofSession: plan.session)
            return Made(
                trial: Trial(
                    subject: plan.subject,
                    session: plan.session,
                    end: commandEnd(end, seconds, limitSeconds),
                    verdict: judgement.report,
                    effects: (try? JSONParser.parse(effects)) ?? .null,
                    output: output
                ),
                requests: application.requests(ofSession: plan.session),
                explanations: settings.explains
                    ? application.explanations(
                        ofSession: plan.session,
                        limit: PageReport.maximumExplanations
                    ) : [:]
            )
        } catch {
            throw Failure(message: error.description)
        }
    }

    private func commandEnd(
        _ end: GuardedCommand.End,
        _ seconds: Double,
        _ limitSeconds: Int?
    ) -> CommandEnd {
        let way: CommandEnd.Way
        let line: String?
        switch end.report {
        case .exited(let status):
            way = .exited(status)
            line =
                status == settings.expectedStatus
                ? nil
                : "your command exited with status \(status)"
                    + (settings.expectedStatus == 0 ? "" : ", not \(settings.expectedStatus)")
        case .signalled(let number):
            way = .signalled(number)
            line = GuardedCommand.line(about: .signalled(number))
        case .started, .stopped, .notStarted:
            way = .notStarted
            line = "your command did not start"
        }
        if end.isOverdue, let limitSeconds {
            return CommandEnd(
                way: .overdue,
                expectedStatus: settings.expectedStatus,
                seconds: seconds,
                wasStopped: false,
                line:
                    "qubs-mock stopped your command after \(limitSeconds) s, its limit (--timeout)"
            )
        }
        return CommandEnd(
            way: way,
            expectedStatus: settings.expectedStatus,
            seconds: seconds,
            line: line
        )
    }

    // MARK: Several

    private struct Progress: Sendable {
        var next = 0
        var made: [Made?]
        var failure: Failure?
    }

    /// Makes trials, several at a time; their sessions are gone afterwards.
    ///
    /// Those that are expected to take longest begin first: then nobody waits for one at the end.
    ///
    /// - Returns: Those that were made, in the order of the plans; not all of them where a signal came.
    func make(
        _ plans: [TrialPlan],
        jobs: Int,
        limitSeconds: Int?,
        progress: TrialProgress,
        kept: @escaping @Sendable (TrialPlan) -> Void = { _ in }
    ) throws(Failure) -> [Made] {
        let state = Mutex(Progress(made: Array(repeating: nil, count: plans.count)))
        let order = plans.indices.sorted { one, other in
            let lengths = (plans[one].expectedSeconds, plans[other].expectedSeconds)
            return lengths.0 != lengths.1 ? lengths.0 > lengths.1 : one < other
        }
        let group = DispatchGroup()
        for job in 0..<min(jobs, plans.count) {
            // A serial queue of its own has a thread of its own: the commands are waited for.
            DispatchQueue(label: "qubs-mock.job.\(job)").async(group: group) { [self] in
                while let number = next(of: plans.count, state) {
                    let place = order[number]
                    let plan = plans[place]
                    progress.begin(plan.subject)
                    do throws(Failure) {
                        let made = try make(plan, limitSeconds: limitSeconds)
                        kept(plan)
                        state.withLock { $0.made[place] = made }
                    } catch {
                        state.withLock { $0.failure = $0.failure ?? error }
                    }
                    server.application.closeTrial(plan.session)
                    progress.end(plan.subject)
                }
            }
        }
        group.wait()
        return try state.withLock { state throws(Failure) in
            if let failure = state.failure { throw failure }
            return state.made.compactMap { $0 }
        }
    }

    private func next(of count: Int, _ state: borrowing Mutex<Progress>) -> Int? {
        if signals.haveCome { return nil }
        return state.withLock { state in
            guard state.failure == nil, state.next < count else { return nil }
            state.next += 1
            return state.next - 1
        }
    }
}

/// Says once a minute that nothing is heard of the command.
private final class SilenceNotice: Sendable {
    private static let secondsBetween: Int64 = 60

    private let application: Application
    private let begin: Int64
    private let told = Mutex<Int64>(0)

    init(_ application: Application, since begin: Int64) {
        self.application = application
        self.begin = begin
    }

    func look() {
        let last = max(begin, application.lastArrival ?? begin)
        let silence = (SystemTime.monotonic() - last) / 1_000_000_000
        let minutes = silence / Self.secondsBetween
        let isNew = told.withLock { told in
            defer { told = minutes }
            return minutes > told
        }
        guard isNew else { return }
        let what = last == begin ? "since it was started" : "without a new request"
        Output.error("qubs-mock: waiting for your command, \(silence) s \(what)")
    }
}
