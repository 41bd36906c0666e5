import JSON
import Journal
import MockServer
import Time
import Trials
import Verdict

/// Makes the trials of a sweep.
struct SweepMaker {
    let runner: TrialRunner
    let jobs: Int
    /// The options that a line has to repeat which makes one of the trials again.
    let repeated: [String]

    /// Makes the clean trial.
    ///
    /// - Throws: Where nothing can be held against it.
    func clean(limitSeconds: Int?) throws(Failure) -> TrialRunner.Made {
        let plan = TrialPlan(subject: .plain, session: TrialCall.cleanSession)
        let made = try runner.make(plan, limitSeconds: limitSeconds)
        runner.server.application.closeTrial(plan.session)
        let faults = TrialCall.faults(runner, made: 1, of: 1)
        if let fault = TrialCall.cleanFault(made.trial) ?? faults.first {
            throw Failure(message: fault)
        }
        return made
    }

    /// Makes all other trials.
    ///
    /// - Parameter pairs: Places in the parts of the sweep.
    func make(
        _ sweep: Sweep,
        pairs: [(first: Int, second: Int)],
        clean: Trial,
        limitSeconds: Int
    ) throws(Failure) -> TrialCall {
        let begin = SystemTime.monotonic()
        var plans = sweep.parts.enumerated().map { place, part in
            TrialPlan(subject: .parts([part]), session: "trial-\(place + 1)")
        }
        plans += pairs.enumerated().map { place, pair in
            TrialPlan(
                subject: .parts([sweep.parts[pair.first], sweep.parts[pair.second]]),
                session: "pair-\(place + 1)"
            )
        }
        let progress = TrialProgress(total: plans.count)
        defer { progress.clear() }
        var made = try runner.make(
            plans,
            jobs: jobs,
            limitSeconds: limitSeconds,
            progress: progress
        )
        try makeOverdueAgain(&made, plans, limitSeconds, progress)
        for place in made.indices { complete(&made[place], clean, limitSeconds) }
        var call = TrialCall(made, since: begin)
        call.faults = TrialCall.faults(runner, made: made.count, of: plans.count)
        reduce(&call.trials, sweep, pairs)
        return call
    }

    /// How many trials in a row that take too long alone as well are enough to believe the others.
    private static let enough = 3

    /// Makes trials once more, alone, that took too long beside others: what comes then counts.
    ///
    /// A client that waits for ever shows that soon, and costs the time limit a few times more.
    private func makeOverdueAgain(
        _ made: inout [TrialRunner.Made],
        _ plans: [TrialPlan],
        _ limitSeconds: Int,
        _ progress: TrialProgress
    ) throws(Failure) {
        guard jobs > 1, made.count == plans.count else { return }
        var inARow = 0
        for place in made.indices where made[place].trial.end.way == .overdue {
            progress.expect(1)
            let again = try runner.make(
                [plans[place]],
                jobs: 1,
                limitSeconds: limitSeconds,
                progress: progress
            )
            // A signal may have come instead.
            guard let again = again.first else { return }
            inARow = again.trial.end.way == .overdue ? inARow + 1 : 0
            made[place] = again
            if inARow == Self.enough { return }
        }
    }

    /// Adds to a trial what the clean one shows about it.
    private func complete(
        _ made: inout TrialRunner.Made,
        _ clean: Trial,
        _ limitSeconds: Int
    ) {
        made.trial.differences = Survival.differences(of: made.trial, from: clean)
        guard Assessment(made.trial).exit != .pass else { return }
        made.trial.attempts = SweepAttempts.lines(made.requests)
        made.trial.repetition = repetition(of: made.trial, limitSeconds)
    }

    /// Notes which parts of a failed pair suffice: those that failed alone, else both.
    private func reduce(
        _ trials: inout [Trial],
        _ sweep: Sweep,
        _ pairs: [(first: Int, second: Int)]
    ) {
        let singles = sweep.parts.count
        // Where a signal ended it, places say nothing.
        guard trials.count == singles + pairs.count else { return }
        for (number, pair) in pairs.enumerated() {
            let place = singles + number
            guard Assessment(trials[place]).exit != .pass else { continue }
            let alone = [pair.first, pair.second].filter { Assessment(trials[$0]).exit != .pass }
            let needed = alone.isEmpty ? [pair.first, pair.second] : alone
            trials[place].sufficient = needed.map { sweep.parts[$0] }
            if let first = alone.first {
                trials[place].repetition = trials[first].repetition
            }
        }
    }

    /// The line that makes a trial again, alone.
    private func repetition(of trial: Trial, _ limitSeconds: Int) -> String? {
        guard case .parts(let parts) = trial.subject else { return nil }
        var words = ["qubs-mock", "run", "--same-effects"] + repeated
        for part in parts {
            switch part {
            case .fault(_, let rule): words += ["--fault", JSONWriter.text(of: rule)]
            case .reading(let id, let value): words += ["--reading", "\(id)=\(value)"]
            }
        }
        // A client that waits for ever would do so again.
        if trial.end.way == .overdue, !words.contains("--timeout") {
            words += ["--timeout", String(limitSeconds)]
        }
        words += ["--"] + runner.settings.command
        return words.map(ShellWord.quoted).joined(separator: " ")
    }
}

/// Words of a shell.
enum ShellWord {
    /// A word as a shell reads it.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { octet in
                (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet)
                    || (0x61...0x7A).contains(octet) || "-._/:=+,@%".utf8.contains(octet)
            }
        return isPlain ? word : "'\(word.replacing("'", with: #"'\''"#))'"
    }
}
