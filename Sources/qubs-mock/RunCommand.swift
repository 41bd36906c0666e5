import ArgumentParser
import Glibc
import JSON
import MockServer
import OAuth
import Store
import Trials
import Verdict

/// `qubs-mock run`: a server, a scenario or all of them, a command, and the verdict on what it did.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command against a server of its own, and judge it.",
        usage: "qubs-mock run [<options>] -- <command> [<argument> ...]",
        discussion: """
            The command finds QUBS_BASE_URL, QUBS_TOKEN_URL, QUBS_DOMAIN, QUBS_CLIENT_ID and \
            QUBS_CLIENT_SECRET in its environment. The verdict goes to standard error.

            --suite runs it once for each scenario, several at a time, each in a session of its own.

            Exit status: 0 every must that was exercised passes, 1 a must fails (with --strict: or a \
            should), 2 incomplete: nothing was exercised, or nothing that the scenario is about, 3 the \
            command or the mock failed, 64 wrong command line. Of a suite it is the worst, in the order 64, 3, 1, 2, 0.

            What was open when the command was stopped, by a signal or by --timeout, is not judged.

            SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on to the command; the third one kills it.
            """
    )

    @Option(help: "Scenario to play: a built-in one, or a file.")
    var scenario: String?
    @Option(help: "Scenarios to play one by one: all, or names with commas between.")
    var suite: String?
    @Option(help: "Trials at the same time (default: one for each processor).")
    var jobs: Int?
    @Option(help: "Session that the command's client belongs to (default: default).")
    var session: String?
    @OptionGroup var options: TrialOptions
    @Option(help: "The same as --timeout.")
    var limit: Int?
    @Flag(help: "Make a trial without --fault and --reading first; other effects than it has fail.")
    var sameEffects = false
    @Option(
        help: ArgumentHelp(
            "File of known failures, a scenario and a check in each line.",
            valueName: "file"
        )
    )
    var baseline: String?
    @Option(help: ArgumentHelp("Write what fails to such a file.", valueName: "file"))
    var writeBaseline: String?
    @Option(
        help: ArgumentHelp(
            "Let only the checks of a release count, such as 0.2.",
            valueName: "release"
        )
    )
    var requirements: String?
    @Option(
        help: ArgumentHelp(
            "Check that some trial must exercise; can be repeated.",
            valueName: "check"
        )
    )
    var require: [String] = []
    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command and its arguments, behind --.", valueName: "command")
    )
    var command: [String]

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Name a command behind --.") }
        if suite != nil {
            for (name, value) in [("scenario", scenario), ("session", session)] where value != nil {
                throw ValidationError("--suite and --\(name) exclude each other.")
            }
            if sameEffects {
                throw ValidationError("--suite and --same-effects exclude each other.")
            }
        }
        _ = try scenarioNames()
        if let scenario { _ = try ScenarioOption.validated(scenario) }
        if let session { _ = try OptionCheck.session(session) }
        if let jobs { _ = try OptionCheck.number(jobs, "jobs", in: 1...64) }
        if let limit {
            _ = try OptionCheck.number(limit, "limit", in: 1...86_400)
            if options.timeout != nil {
                throw ValidationError("--limit and --timeout are the same: give one.")
            }
        }
        try options.check()
        _ = try requiredChecks()
        for id in require where Check.named(id) == nil {
            let nearest = OptionCheck.meant(id, among: Check.all.map(\.id))
            throw ValidationError(
                "--require takes the id of a check, not \(id)."
                    + (nearest.isEmpty ? " docs/checks.md lists them." : nearest)
            )
        }
        if baseline != nil, writeBaseline != nil {
            throw ValidationError("--baseline and --write-baseline exclude each other.")
        }
        _ = try knownFailures()
    }

    // MARK: Options

    /// The names of `--suite`; `nil` without it.
    private func scenarioNames() throws -> [String]? {
        guard let suite else { return nil }
        let known = try ServerComposition.scenarioNames()
        if suite == "all" { return known }
        let names = suite.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names where !known.contains(name) {
            throw ValidationError(
                "--suite takes all, or of \(known.joined(separator: ", ")) those to play, with commas "
                    + "between, not \(suite).\(OptionCheck.meant(name, among: known + ["all"]))"
            )
        }
        if Set(names).count < names.count {
            throw ValidationError("--suite names a scenario twice: \(suite).")
        }
        return names
    }

    /// The checks of `--requirements`; `nil` without it.
    private func requiredChecks() throws -> Set<String>? {
        guard let requirements else { return nil }
        let known = try ServerComposition.requirements()
        guard let found = known.first(where: { $0.release == requirements }) else {
            let releases = known.map(\.release).joined(separator: ", ")
            throw ValidationError("--requirements takes \(releases), not \(requirements).")
        }
        return found.checks
    }

    /// The list of `--baseline`; `nil` without it.
    private func knownFailures() throws -> Baseline? {
        guard let baseline else { return nil }
        let octets: [UInt8]?
        do throws(FileError) {
            octets = try FileSystem.contents(of: baseline)
        } catch {
            throw ValidationError("--baseline \(baseline): \(error.explanation).")
        }
        guard let octets else {
            throw ValidationError(
                "--baseline \(baseline): there is no such file; --write-baseline \(baseline) makes it."
            )
        }
        var names = try ServerComposition.scenarioNames()
        if let scenario, ServerComposition.isScenarioFile(scenario),
            let name = try? ServerComposition.scenario(scenario)["name"]?.string
        {
            names.append(name)
        }
        do throws(Baseline.Fault) {
            return try Baseline(String(decoding: octets, as: UTF8.self), scenarios: names)
        } catch {
            throw ValidationError("--baseline \(baseline), line \(error.line): \(error.reason).")
        }
    }

    // MARK: Running

    func run() throws {
        try TrialOutput.end(with: judgeCommand)
    }

    private func judgeCommand() throws(Failure) -> Int32 {
        try options.checkFiles()
        if let writeBaseline { try ReportFile.check(writeBaseline, "--write-baseline") }
        var options = options
        options.timeout = options.timeout ?? limit
        let names: [String]?
        let settings: TrialRunner.Settings
        let known: Baseline?
        do {
            // Looked at before, by `validate`.
            names = try scenarioNames()
            settings = TrialRunner.Settings(
                command: command,
                expectedStatus: options.expectExit,
                isStrict: options.strict,
                required: try requiredChecks(),
                explains: ReportFile.holdsPage(options.report)
            )
            known = try knownFailures()
        } catch {
            throw Failure(message: "\(error)", status: Failure.misuse)
        }
        let server = try TrialServer(options)
        defer { server.close() }
        let runner = TrialRunner(server, settings)
        let made: TrialCall
        if let names {
            made = try TrialCall.suite(
                names,
                runner,
                jobs: jobs ?? Processors.count,
                limitSeconds: options.timeout
            )
        } else {
            made = try TrialCall.single(
                scenario,
                session: session ?? SessionName.default,
                runner,
                limitSeconds: options.timeout,
                comparesEffects: sameEffects
            )
        }
        let report = TrialReport(
            title: names == nil ? "run" : "run --suite",
            isSingle: names == nil,
            trials: made.trials,
            baseline: known,
            required: require,
            faults: made.faults,
            seconds: made.seconds,
            writesBaseline: writeBaseline != nil
        )
        try TrialOutput.show(report, options, made, of: server)
        if let writeBaseline {
            try ReportFile.write(
                Array(Baseline.text(of: made.trials).utf8),
                to: writeBaseline,
                "--write-baseline"
            )
            let isWritten = report.exit == .fail || report.exit == .notExercised
            return isWritten ? 0 : report.exit.rawValue
        }
        return report.exit.rawValue
    }
}
