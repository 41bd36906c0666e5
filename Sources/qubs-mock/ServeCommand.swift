import ArgumentParser
import Glibc
import HTTPMessage
import HTTPTransport
import MockServer
import QUBS
import Store

/// `qubs-mock serve`: the server in the foreground until SIGINT or SIGTERM.
///
/// An option is declared here, with the default that its member of `Configuration` has, and has one
/// line in `configuration()`. Its environment variable follows (`EnvironmentOptions`).
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        // Keeps the library from looking for a request for a completion script first; what is not
        // taken here, such a request too, is left to the whole (`Subcommands.parse`).
        _superCommandName: "qubs-mock",
        abstract: "Run the server in the foreground (the default command).",
        discussion: """
            Prints one line on standard output once it accepts: "qubs-mock listening on URL". \
            SIGINT, SIGTERM or SIGHUP stops it gracefully, a second one or SIGQUIT at once.
            """
    )

    private static let defaults = Configuration()

    @Option(help: "Address to listen on.")
    var host = defaults.transport.host
    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = defaults.transport.port
    @Option(help: "File to write the base URL to, atomically, once the server accepts.")
    var readyFile: String?
    @Option(help: "Database file that keeps state across restarts (default: none is kept).")
    var database: String?
    @Option(help: "Folder of fixture files to serve instead of the built-in data.")
    var fixtures: String?
    @Option(
        help: """
            Day around which the data lie, such as 2026-11-28 (default: the present one when a \
            session opens).
            """
    )
    var today: String?
    @Option(help: "Whether the data change by themselves: still or living.")
    var world = defaults.world
    @Option(help: "Seed of the order of lists and of seeded faults.")
    var seed = defaults.seed
    @Option(help: "Order of lists: scattered or by-id.")
    var order = defaults.order
    @Option(help: "File of fault rules to arm in every session.")
    var faults: String?
    @Option(help: "Scenario to play in every session: a built-in one, or a file.")
    var scenario: String?
    @Option(help: "Base of presigned URLs (default: the request's own Host).")
    var publicURL: String?
    @Option(
        help: ArgumentHelp(
            "Name under which clients may reach a server on loopback, such as that of a container; "
                + "can be repeated.",
            valueName: "name"
        )
    )
    var allowHost: [String] = []
    @Option(
        help: """
            Bearer token for the control API when not bound to loopback (default: generated). The \
            list of processes shows it, but not the variable QUBS_MOCK_ADMIN_TOKEN.
            """
    )
    var adminToken: String?
    @Option(
        help:
            "Status of the three reporting POSTs, 200 or 201: the reading of that name (default: 200)"
    )
    var createdStatus: Int?
    @Option(
        help: """
            What a final report does to its appointment, keeps-status or finalises: the reading of \
            that name (default: keeps-status)
            """
    )
    var finalReport: String?
    @OptionGroup var readingOptions: ReadingOptions
    @Option(help: "Worker loops (default: number of processors).")
    var workers: Int?
    @Option(help: "Log on standard error: text, json or off.")
    var log = defaults.log
    @Flag(help: "Leave X-Mock-Fault out of injected answers, and Link out of refusals.")
    var noFaultHeader = false
    @Option(help: "Journal entries kept for each session.")
    var journalSize = defaults.journalSize
    @Flag(help: "Keep request and answer bodies in the journal, too.")
    var journalBodies = false
    @Option(help: "Seconds for a request's head from its first octet.")
    var headTimeout = defaults.transport.headTimeout.components.seconds
    @Option(help: "Seconds between octets of content.")
    var contentTimeout = defaults.transport.contentTimeout.components.seconds
    @Option(help: "Seconds an idle connection is kept.")
    var idleTimeout = defaults.transport.idleTimeout.components.seconds
    @Option(help: "Connections at the same time; more are answered 503.")
    var maxConnections = defaults.transport.maximumConnections

    /// What the options say, each checked on its way.
    ///
    /// - Throws: `ValidationError` for the first value that is not taken.
    func configuration() throws -> Configuration {
        let seconds: ClosedRange<Int64> = 1...86_400
        var all = Configuration()
        all.transport.host = try OptionCheck.text(host, "host", "an address or a name")
        all.transport.port = try OptionCheck.number(port, "port", in: 0...65_535)
        all.readyFile = try OptionCheck.path(readyFile, "ready-file")
        all.databasePath = try OptionCheck.path(database, "database")
        all.fixturesPath = try OptionCheck.path(fixtures, "fixtures")
        all.today = try OptionCheck.date(today, "today")
        all.world = world
        all.seed = seed
        all.order = order
        all.faultsPath = try OptionCheck.path(faults, "faults")
        all.scenario = try scenario.map(ScenarioOption.validated)
        all.publicURL = try publicURL.map { url in
            try OptionCheck.url(
                url,
                "public-url",
                "an http or https URL such as https://mock.example"
            )
        }
        all.allowedHosts = try allowHost.map { try OptionCheck.host($0, "allow-host") }
        all.adminToken = try adminToken.map { try OptionCheck.secret($0, "admin-token") }
        all.readings = try readingOptions.settings(aliases: [
            ("created-status", createdStatus.map { String($0) }), ("final-report", finalReport),
        ])
        all.transport.workers =
            try workers.map { try OptionCheck.number($0, "workers", in: 1...64) }
            ?? Processors.count
        all.log = log
        all.sendsFaultHeader = !noFaultHeader
        all.journalSize = try OptionCheck.number(journalSize, "journal-size", in: 0...1_000_000)
        all.journalKeepsBodies = journalBodies
        all.transport.headTimeout = .seconds(
            try OptionCheck.number(headTimeout, "head-timeout", in: seconds, "seconds")
        )
        all.transport.contentTimeout = .seconds(
            try OptionCheck.number(contentTimeout, "content-timeout", in: seconds, "seconds")
        )
        all.transport.idleTimeout = .seconds(
            try OptionCheck.number(idleTimeout, "idle-timeout", in: seconds, "seconds")
        )
        all.transport.maximumConnections = try OptionCheck.number(
            maxConnections,
            "max-connections",
            in: 1...1_000_000
        )
        return all
    }

    func validate() throws { _ = try configuration() }

    func run() throws {
        var configuration = try configuration()
        DescriptorLimit.share(for: &configuration)
        try Self.serve(configuration)
    }
}

extension ListOrder: ExpressibleByArgument {}
extension WorldMode: ExpressibleByArgument {}
extension Configuration.LogFormat: ExpressibleByArgument {}

/// The processors of this machine.
enum Processors {
    static var count: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
