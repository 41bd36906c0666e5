import ArgumentParser
import Dispatch
import ContractData
import Glibc
import Store
import Time

/// `qubs-mock fixtures generate`: the default data plus synthetic appointments, for `--database`.
struct FixturesGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a large database: the default data plus synthetic appointments in acme."
    )

    @Option(help: "Appointments to add.")
    var appointments: Int
    @Option(help: "Seed: the same one gives the same data.")
    var seed: UInt64 = 1
    @Option(help: "Day around which the data lie, such as 2026-11-28 (default: the present one).")
    var today: String?
    @Option(help: "File to write; open it with serve --database.")
    var output: String

    /// The domain that grows.
    private static let domain = "acme"
    private static let maximum = 10_000_000

    func validate() throws {
        guard (1...Self.maximum).contains(appointments) else {
            throw ValidationError(
                "--appointments takes 1 to \(Self.maximum), not \(appointments)."
            )
        }
        _ = try OptionCheck.date(today, "today")
        if output.isEmpty { throw ValidationError("--output takes a path.") }
    }

    func run() throws {
        // A file that may not grow further is an error of one write, not the end of the program.
        signal(SIGXFSZ, SIG_IGN)
        let contract = try ServerComposition.contract()
        let total = appointments
        // The day of this machine in UTC: a file has one day, whatever the domains' zones.
        let today = try OptionCheck.date(today, "today") ?? SessionClock().now().utcDate
        let showsProgress = isatty(2) == 1
        var interruption: Interruption?
        defer { interruption?.end() }
        do throws(StoreError) {
            let generator = try FixtureGenerator(
                shapes: ViewShapes(contract: contract),
                // The order of lists is the server's own: it reorders what has another seed.
                scatter: Scatter(seed: 1, contract: contract),
                zones: ServerComposition.zones
            )
            try generator.generate(
                appointments: total,
                seed: seed,
                base: ServerComposition.embeddedImage(),
                today: today,
                domain: Self.domain,
                to: output
            ) { done in
                if showsProgress { Output.progress("\(done) of \(total) appointments") }
            } began: { takeBack in
                interruption = Interruption(takeBack)
            }
        } catch {
            if showsProgress { Output.progress("") }
            throw Failure(message: StoreErrorText.line(error, folder: output, option: "--output"))
        }
        if showsProgress { Output.progress("") }
        Output.line("\(output): the default data and \(total) more appointments in \(Self.domain)")
    }
}

/// Signals that end the program, while there is something that must not stay behind.
private final class Interruption {
    private let sources: [any DispatchSourceSignal]

    /// - Parameter cleanUp: What is to be done before.
    init(_ cleanUp: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "qubs-mock.signals")
        sources = [SIGINT, SIGTERM, SIGHUP, SIGQUIT].filter { !Spawn.isIgnored($0) }.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                cleanUp()
                _exit(128 + number)
            }
            source.activate()
            return source
        }
    }

    func end() { for source in sources { source.cancel() } }
}

extension Output {
    /// A line on the terminal that the next one overwrites.
    static func progress(_ text: String) {
        let octets = Array("\r\u{1B}[K\(text)".utf8)
        octets.withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
    }
}
