import ArgumentParser
import Glibc
import MockServer

/// The program: environment variables become options, then the subcommand runs.
@main
enum Program {
    static func main() {
        // A peer that closes its end must be an error of one write, not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        let arguments = EnvironmentOptions.merged(
            arguments: Array(CommandLine.arguments.dropFirst()),
            environment: environment()
        )
        do {
            var command = try RootCommand.parseAsRoot(arguments)
            try command.run()
        } catch let failure as Failure {
            failure.exit()
        } catch {
            RootCommand.exit(withError: error)
        }
    }

    /// The environment of the process.
    static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text).split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            entry += 1
        }
        return variables
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
            HealthCommand.self,
        ],
        defaultSubcommand: ServeCommand.self
    )
}

/// One clear line on standard error, then exit status 1.
struct Failure: Error {
    let message: String

    /// Prints the line and ends the program.
    func exit() -> Never {
        Output.error("qubs-mock: \(message)")
        Glibc.exit(1)
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
        fflush(nil)
        var octets = Array(text.utf8)
        octets.append(UInt8(ascii: "\n"))
        octets.withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
    }
}
