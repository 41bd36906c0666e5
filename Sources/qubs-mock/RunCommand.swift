import ArgumentParser
import Glibc
import HTTPTransport
import MockServer
import OAuth
import Store
import Synchronization
import Time

/// `qubs-mock run`: a server, a scenario, a command, and the verdict on what the command did.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command against a server of its own, and judge it.",
        usage: "qubs-mock run [<options>] -- <command> [<argument> ...]",
        discussion: """
            The command finds QUBS_BASE_URL, QUBS_TOKEN_URL, QUBS_DOMAIN, QUBS_CLIENT_ID and \
            QUBS_CLIENT_SECRET in its environment. The verdict goes to standard error.

            Exit status: 0 every exercised check passes, 1 some check fails, 2 nothing was exercised, \
            or nothing that the scenario is about, 3 the command or the mock failed, 64 wrong \
            command line.

            What was open when the command was stopped, by a signal or by --limit, is not judged.

            SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on to the command; the third one kills it.
            """
    )

    @Option(help: "Scenario to play: a built-in one, or a file.")
    var scenario: String?
    @Option(help: "Session that the command's client belongs to.")
    var session = SessionName.default
    @Option(help: "File for the journal of the run, as GET /__admin/requests answers it: .json.")
    var journal: String?
    @Option(help: "Seconds after which the command is ended, and the run has failed.")
    var limit: Int?
    @Option(help: "File for the report: .json, .xml (JUnit) or .md.")
    var report: String?
    @Option(help: "Day around which the data lie, such as 2026-11-28 (default: the present one).")
    var today: String?
    @Option(help: "Whether the data change by themselves: still or living.")
    var world = WorldMode.still
    @OptionGroup var readingOptions: ReadingOptions
    @Flag(help: "Let a failed \"should\" fail the whole.")
    var strict = false
    @Option(help: "Requests that are kept for the verdict.")
    var journalSize = 100_000
    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command and its arguments, behind --.", valueName: "command")
    )
    var command: [String]

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Name a command behind --.") }
        if let scenario { _ = try ScenarioOption.validated(scenario) }
        _ = try OptionCheck.session(session)
        _ = try OptionCheck.number(journalSize, "journal-size", in: 1...1_000_000)
        _ = try OptionCheck.date(today, "today")
        _ = try readingOptions.settings()
        if let report, ReportFile.form(of: report) == nil {
            throw ValidationError("--report takes a file that ends in .json, .xml or .md.")
        }
        if let journal, !journal.hasSuffix(".json") {
            throw ValidationError("--journal takes a file that ends in .json.")
        }
        if let limit { _ = try OptionCheck.number(limit, "limit", in: 1...86_400) }
    }

    func run() throws {
        let status: Int32
        do throws(Failure) {
            status = try judgeCommand()
        } catch {
            throw Failure(message: error.message, status: Judgement.failureStatus)
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// How long answers have that are still running when the command has ended.
    private static let grace = Duration.seconds(2)
    /// The client whose credentials the command gets, and the domain that they open.
    private static let client = (id: "acme-partner", secret: "acme-partner-secret", domain: "acme")

    private func judgeCommand() throws(Failure) -> Int32 {
        if let report { try ReportFile.check(report, "--report") }
        if let journal { try ReportFile.check(journal, "--journal") }
        var configuration = Configuration()
        configuration.transport.port = 0
        configuration.log = .off
        configuration.scenario = scenario
        configuration.today = LocalDate(today ?? "")
        configuration.world = world
        do throws(ValidationError) {
            configuration.readings = try readingOptions.settings()
        } catch {
            throw Failure(message: error.message)
        }
        configuration.journalSize = journalSize
        configuration.transport.workers = Processors.count
        DescriptorLimit.share(for: &configuration)
        let application = try ServerComposition.application(configuration)
        let listener: Listener
        do throws(SystemError) {
            listener = try Listener(configuration: configuration.transport, handler: application)
        } catch {
            application.close()
            throw Failure(message: "cannot listen on \(configuration.transport.host): \(error)")
        }
        let baseURL = "http://\(configuration.transport.host):\(listener.port)"
        application.listens(at: baseURL)
        listener.start()

        let end: GuardedCommand.End
        let silence = SilenceNotice(application, since: SystemTime.monotonic())
        do throws(Failure) {
            end = try GuardedCommand.run(
                command,
                environment: variables(baseURL: baseURL),
                limitSeconds: limit
            ) { silence.look() }
        } catch {
            listener.stop(grace: .zero)
            application.close()
            throw error
        }
        // The command is gone, and with it its connections: what was still being delivered is
        // noted as cut or left before the journal is read.
        listener.stop(grace: Self.grace)
        defer { application.close() }
        if case .notStarted(let code) = end.report {
            throw Failure(message: "\(FileError(path: command[0], code: code))")
        }
        if end.isOverdue, let limit {
            Output.error("qubs-mock: the command was ended after --limit \(limit) s")
        } else if let line = GuardedCommand.line(about: end.report) {
            Output.error("qubs-mock: \(line)")
        }
        let judgement: Judgement
        do throws(Application.StartError) {
            judgement = try application.judge(
                sessionNamed: session,
                isStrict: strict,
                stopped: end.stopped,
                hasEnded: end.stopped == nil
            )
        } catch {
            throw Failure(message: error.description)
        }
        Output.errorText(judgement.text(colour: Output.isColourful(2)))
        if let report { try ReportFile.write(judgement, to: report) }
        if let journal {
            try ReportFile.write(
                application.journalJSON(ofSession: session),
                to: journal,
                "--journal"
            )
        }
        return judgement.exitStatus(commandFailed: end.report != .exited(0) || end.isOverdue)
    }

    private func variables(baseURL: String) -> [String: String] {
        ClientVariables(
            baseURL: baseURL,
            domain: Self.client.domain,
            clientID: Self.client.id,
            secret: Self.client.secret,
            session: session
        ).environment
    }
}

/// `--report`: its form follows from its name.
enum ReportFile {
    enum Form {
        case json
        case junit
        case markdown
    }

    static func form(of path: String) -> Form? {
        if path.hasSuffix(".json") { return .json }
        if path.hasSuffix(".xml") { return .junit }
        return path.hasSuffix(".md") ? .markdown : nil
    }

    /// Finds out before a long run whether the file can be written.
    static func check(_ path: String, _ option: String) throws(Failure) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw Failure(message: "\(option) \(FileError(path: path, code: EISDIR))")
        }
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw Failure(
                message: "\(option) \(path): exists and is no regular file; it was not touched"
            )
        }
        // Not all that keeps a file from being made shows in permissions: a trial does.
        let trial = "\(path).\(getpid()).tmp"
        let descriptor = open(trial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Failure(message: "\(option) \(FileError(path: path, code: errno))")
        }
        close(descriptor)
        unlink(trial)
    }

    static func write(_ judgement: Judgement, to path: String) throws(Failure) {
        let octets =
            switch form(of: path) {
            case .json, nil: judgement.json + [UInt8(ascii: "\n")]
            case .junit: Array(judgement.junit.utf8)
            case .markdown: Array(judgement.markdown.utf8)
            }
        try write(octets, to: path, "--report")
    }

    static func write(_ octets: [UInt8], to path: String, _ option: String) throws(Failure) {
        do throws(FileError) {
            try FileSystem.replace(path, with: octets)
        } catch {
            throw Failure(message: "\(option) \(error)")
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
        let what = last == begin ? "it was started" : "its last request"
        Output.error("qubs-mock: waiting for the command, \(silence) s since \(what)")
    }
}
