import ArgumentParser
import JSON
import MockServer
import Readings
import Trials
import Verdict

/// `qubs-mock sweep`: every call by every fault, to find what breaks the client.
struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract:
            "Run a command once for each call and each fault, and tell which it does not survive.",
        usage: "qubs-mock sweep [<options>] -- <command> [<argument> ...]",
        discussion: """
            A clean trial learns which calls the command makes. Then each of them fails once, in each \
            way that fits, in a trial of its own. The command survives a trial where it ends with the \
            status that is asked of it, no must fails, and its effects are those of the clean trial.

            Exit status: 0 it survives all, 1 not, 2 the clean trial called nothing, 3 the clean trial \
            failed, 64 wrong command line.
            """
    )

    @OptionGroup var options: TrialOptions
    @Option(help: "Trials at the same time (default: one for each processor).")
    var jobs: Int?
    @Option(help: "How many calls of each operation fail, one after the other; 0 for none.")
    var depth = 3
    @Flag(help: "Try each value of each reading as well, alone.")
    var readings = false
    @Option(help: "How many pairs of faults or readings to try as well.")
    var pairs = 0
    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command and its arguments, behind --.", valueName: "command")
    )
    var command: [String]

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Name a command behind --.") }
        if let jobs { _ = try OptionCheck.number(jobs, "jobs", in: 1...64) }
        _ = try OptionCheck.number(depth, "depth", in: 0...1_000)
        _ = try OptionCheck.number(pairs, "pairs", in: 0...10_000)
        guard depth > 0 || readings else {
            throw ValidationError("--depth 0 leaves nothing to try: add --readings.")
        }
        try options.check()
    }

    func run() throws {
        try TrialOutput.end(with: sweep)
    }

    private func sweep() throws(Failure) -> Int32 {
        try options.checkFiles()
        let server = try TrialServer(options)
        defer { server.close() }
        let runner = TrialRunner(
            server,
            TrialRunner.Settings(
                command: command,
                expectedStatus: options.expectExit,
                isStrict: options.strict,
                explains: ReportFile.holdsPage(options.report)
            )
        )
        let maker = SweepMaker(
            runner: runner,
            jobs: jobs ?? Processors.count,
            repeated: options.repeated
        )
        let clean = try maker.clean(limitSeconds: options.timeout)
        let calls = SweepCall.calls(
            in: clean.requests,
            depth: max(1, depth),
            reporting: server.application.keyedOperations
        )
        if calls.isEmpty {
            Output.error("qubs-mock: the clean trial called nothing: there is nothing to fail")
            return 2
        }
        let sweep = Sweep(
            calls: depth == 0 ? [] : calls,
            readings: readings ? server.application.readingsToTry : []
        )
        let call = try maker.make(
            sweep,
            pairs: sweep.pairs(pairs, seed: options.seed),
            clean: clean.trial,
            limitSeconds: options.timeout ?? Self.limit(clean.trial.end.seconds)
        )
        let report = TrialReport(
            title: "sweep",
            trials: call.trials,
            faults: call.faults,
            notes: [
                "\(calls.count) calls of \(Set(calls.map(\.operation)).count) operations; the clean "
                    + "trial had \((clean.trial.effects["items"]?.array ?? []).count) effects."
            ],
            seconds: call.seconds
        )
        try TrialOutput.show(
            report,
            options,
            call,
            of: server,
            isWhole: false
        )
        return report.exit.rawValue
    }

    /// How long a trial may take: ten times the clean one, and half a minute at least.
    private static func limit(_ seconds: Double) -> Int {
        max(30, Int((seconds * 10).rounded(.up)))
    }
}
