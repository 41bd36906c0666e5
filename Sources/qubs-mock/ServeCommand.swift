import ArgumentParser
import Dispatch
import Glibc
import MockServer
import QUBS

/// `qubs-mock serve`: the server in the foreground until SIGINT or SIGTERM.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server in the foreground (the default command).",
        discussion: """
            Prints one line on standard output once it accepts: "qubs-mock listening on URL". \
            SIGINT, SIGTERM or SIGHUP stops it gracefully, a second one or SIGQUIT at once.
            """
    )

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = 8080
    @Option(help: "File to write the base URL to, atomically, once the server accepts.")
    var readyFile: String?
    @Option(help: "Database file that keeps state across restarts (default: none is kept).")
    var database: String?
    @Option(help: "Folder of fixture files to serve instead of the built-in data.")
    var fixtures: String?
    @Option(help: "Seed of the order of lists and of seeded faults.")
    var seed: UInt64 = 1
    @Option(help: "Order of lists: scattered or by-id.")
    var order = ListOrder.scattered
    @Option(help: "File of fault rules to arm in every session.")
    var faults: String?
    @Option(help: "Scenario to play in every session: a built-in one, or a file.")
    var scenario: String?
    @Option(help: "Base of presigned URLs (default: the request's own Host).")
    var publicURL: String?
    @Option(
        help: "Bearer token for the control API when not bound to loopback (default: generated)."
    )
    var adminToken: String?
    @Option(help: "Status of the three reporting POSTs: 200 or 201.")
    var createdStatus = 200
    @Option(help: "What a final report does to its appointment: keeps-status or finalises.")
    var finalReport = Configuration.FinalReport.keepsStatus
    @Option(help: "Worker loops (default: number of processors).")
    var workers: Int?
    @Option(help: "Log on standard error: text, json or off.")
    var log = Configuration.LogFormat.text
    @Flag(help: "Leave X-Mock-Fault out of injected answers.")
    var noFaultHeader = false
    @Option(help: "Journal entries kept for each session.")
    var journalSize = 10_000
    @Flag(help: "Keep request and answer bodies in the journal, too.")
    var journalBodies = false
    @Option(help: "Seconds for a request's head from its first octet.")
    var headTimeout = 10
    @Option(help: "Seconds between octets of content.")
    var contentTimeout = 30
    @Option(help: "Seconds an idle connection is kept.")
    var idleTimeout = 75
    @Option(help: "Connections at the same time; more are answered 503.")
    var maxConnections = 10_000

    func validate() throws {
        func require(_ condition: Bool, _ message: String) throws {
            if !condition { throw ValidationError(message) }
        }
        try require((0...65_535).contains(port), "--port takes 0 to 65535, not \(port).")
        try require(
            createdStatus == 200 || createdStatus == 201,
            "--created-status takes 200 or 201, not \(createdStatus)."
        )
        if let workers {
            try require((1...64).contains(workers), "--workers takes 1 to 64, not \(workers).")
        }
        for (name, value) in [
            ("head-timeout", headTimeout), ("content-timeout", contentTimeout),
            ("idle-timeout", idleTimeout),
        ] {
            try require(
                (1...86_400).contains(value),
                "--\(name) takes 1 to 86400 seconds, not \(value)."
            )
        }
        try require(
            (1...1_000_000).contains(maxConnections),
            "--max-connections takes 1 to 1000000, not \(maxConnections)."
        )
        try require(
            (0...1_000_000).contains(journalSize),
            "--journal-size takes 0 to 1000000, not \(journalSize)."
        )
        try require(!host.isEmpty, "--host takes an address or a name.")
        for (name, path) in [
            ("ready-file", readyFile), ("database", database), ("fixtures", fixtures),
            ("faults", faults),
        ] {
            try require(path?.isEmpty != true, "--\(name) takes a path.")
        }
        if let adminToken {
            try require(
                !adminToken.isEmpty && adminToken.utf8.allSatisfy { (0x21...0x7E).contains($0) },
                "--admin-token takes visible ASCII characters, without spaces."
            )
        }
        if let scenario { try ScenarioOption.validate(scenario) }
        if let publicURL {
            let isURL = ["http://", "https://"].contains { scheme in
                publicURL.hasPrefix(scheme) && publicURL.utf8.count > scheme.utf8.count
            }
            try require(
                isURL
                    && !publicURL.utf8.contains { octet in
                        octet <= 0x20 || octet >= 0x7F || octet == UInt8(ascii: "?")
                            || octet == UInt8(ascii: "#")
                    },
                "--public-url takes an http or https URL without query, such as https://mock.example."
            )
        }
    }

    func run() throws {
        var configuration = Configuration()
        configuration.host = host
        configuration.port = port
        configuration.readyFile = readyFile
        configuration.databasePath = database
        configuration.fixturesPath = fixtures
        configuration.seed = seed
        configuration.order = order
        configuration.publicURL = publicURL
        configuration.adminToken = adminToken
        configuration.createdStatus = createdStatus
        configuration.finalReport = finalReport
        configuration.faultsPath = faults
        configuration.scenario = scenario
        configuration.sendsFaultHeader = !noFaultHeader
        configuration.journalSize = journalSize
        configuration.journalKeepsBodies = journalBodies
        configuration.workers = workers ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        configuration.log = log
        configuration.headTimeout = .seconds(headTimeout)
        configuration.contentTimeout = .seconds(contentTimeout)
        configuration.idleTimeout = .seconds(idleTimeout)
        configuration.maximumConnections = DescriptorLimit.raise(for: maxConnections)
        try Self.serve(configuration)
    }
}

extension ListOrder: ExpressibleByArgument {}
extension Configuration.FinalReport: ExpressibleByArgument {}
extension Configuration.LogFormat: ExpressibleByArgument {}
