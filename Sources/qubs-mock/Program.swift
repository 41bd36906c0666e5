import ArgumentParser
import CLinux
import Glibc
import MockServer

/// The program: environment variables become options, then the subcommand runs.
@main
enum Program {
    static func main() {
        StandardStreams.open()
        let arguments = ProcessArguments.all()
        if arguments.dropFirst().first == ProcessGuard.word {
            ProcessGuard.main(Array(arguments.dropFirst(2)))
        }
        // The program is linked statically: a module of the name service would bring in a C library
        // of its own, of whatever version this machine has.
        _ = clinux_find_hosts_without_modules()
        // A peer that closes its end must be an error of one write, not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        if let place = ProcessArguments.firstUnreadable() {
            Output.error("qubs-mock: argument \(place) is not UTF-8: name the file otherwise")
            exit(EX_USAGE)
        }
        let typed = Array(arguments.dropFirst())
        let variables = readEnvironment()
        let options = EnvironmentOptions(
            typed: typed,
            environment: variables.readable,
            unreadable: variables.unreadable
        )
        if let variable = options.unreadable {
            Output.error("qubs-mock: \(variable) is not UTF-8: name the file otherwise")
            exit(EX_USAGE)
        }
        // Most starts serve: the options are read meanwhile.
        if options.arguments.first == "serve" { BuiltInContracts.begin() }
        for warning in options.warnings { Output.error("qubs-mock: \(warning)") }
        do {
            try Subcommands.check(typed)
            try Subcommands.checkTerminator(typed)
            var command = try Subcommands.parse(options.arguments)
            try command.run()
        } catch let failure as Failure {
            failure.exit(options)
        } catch let unknown as Subcommands.Unknown {
            unknown.exit()
        } catch let missing as Subcommands.MissingTerminator {
            missing.exit()
        } catch {
            options.exit(with: error)
        }
    }

    /// The environment of the process, without what is not UTF-8.
    static func environment() -> [String: String] { readEnvironment().readable }

    /// The environment of the process, and the variables in it whose values are not UTF-8.
    ///
    /// Swift would put U+FFFD where octets are none: a path would lead to another file.
    private static func readEnvironment() -> (readable: [String: String], unreadable: Set<String>) {
        var readable: [String: String] = [:]
        var unreadable: Set<String> = []
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text).split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            if pair.count == 2 {
                if String(validatingCString: text) != nil {
                    readable[String(pair[0])] = String(pair[1])
                } else {
                    unreadable.insert(String(pair[0]))
                }
            }
            entry += 1
        }
        return (readable, unreadable)
    }
}

/// `qubs-mock`; without a subcommand it serves.
struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "qubs-mock",
        abstract: "A local stand-in for the QUBS Integrations API (v1).",
        discussion: """
            Every option is also an environment variable: --ready-file is QUBS_MOCK_READY_FILE. \
            The option wins.
            """,
        version: ProgramVersion.text,
        subcommands: [
            ServeCommand.self, TokenCommand.self, FixturesCommand.self, OpenAPICommand.self,
            HealthCommand.self, VerdictCommand.self, ChangesCommand.self, RunCommand.self,
            SweepCommand.self, JournalCommand.self, EnvCommand.self, DoctorCommand.self,
        ],
        defaultSubcommand: ServeCommand.self
    )
}

/// One clear line on standard error, then an exit status that is not 0.
struct Failure: Error {
    /// The exit status of a wrong command line.
    static let misuse: Int32 = 64

    let message: String
    /// The exit status; commands that print a verdict have others than 1.
    var status: Int32 = 1

    /// Prints the line and ends the program.
    ///
    /// - Parameter options: Those that the program was started with.
    func exit(_ options: EnvironmentOptions) -> Never {
        let source = message.hasPrefix("--") ? options.variable(namedFirstIn: message) : nil
        Output.error("qubs-mock: \(source.map { "\($0): " } ?? "")\(message)")
        Glibc.exit(status)
    }
}

/// Lines to the two standard streams.
enum Output {
    static func line(_ text: String) {
        print(text)
        fflush(nil)
    }

    static func text(_ text: String) {
        print(text, terminator: "")
        fflush(nil)
    }

    static func error(_ text: String) {
        errorText(text + "\n")
    }

    static func errorText(_ text: String) {
        fflush(nil)
        let octets = Array(text.utf8)
        octets.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let rest = buffer.baseAddress?.advanced(by: offset)
                let count = write(2, rest, buffer.count - offset)
                if count > 0 { offset += count } else if errno != EINTR { return }
            }
        }
    }

    /// Whether a standard stream shows colours: a terminal, and nobody asked for none.
    static func isColourful(_ descriptor: Int32) -> Bool {
        let environment = Program.environment()
        let asksForNone = !(environment["NO_COLOR"] ?? "").isEmpty
        return isatty(descriptor) == 1 && !asksForNone && environment["TERM"] != "dumb"
    }
}
