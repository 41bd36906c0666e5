import ArgumentParser
import Glibc
import Suggestions

/// The names of the subcommands.
enum Subcommands {
    /// A word that is the name of no subcommand.
    struct Unknown: Error {
        let word: String
        /// The words before it: `qubs-mock`, or `qubs-mock fixtures`.
        let command: String
        let known: [String]

        /// Says what was probably meant, and what there is, as for other misuse.
        func exit() -> Never {
            let nearest = NameSuggestions.nearest(to: word, among: known)
            let meant = nearest.map { "'\($0)'" }.joined(separator: " or ")
            Output.error(
                """
                Error: Unknown subcommand '\(word)'.\(meant.isEmpty ? "" : " Did you mean \(meant)?")
                Usage: \(command) <subcommand>
                Subcommands: \(known.joined(separator: ", "))
                  See '\(command) --help' for more information.
                """
            )
            Glibc.exit(ExitCode.validationFailure.rawValue)
        }
    }

    /// A command to run that has no `--` before it.
    struct MissingTerminator: Error {
        /// `run` or `sweep`.
        let command: String
        let word: String

        /// Says where it belongs, as for other misuse.
        func exit() -> Never {
            Output.error(
                """
                Error: Write -- before the command: qubs-mock \(command) ... -- \(word) ...
                Usage: qubs-mock \(command) [<options>] -- <command> [<argument> ...]
                  See 'qubs-mock \(command) --help' for more information.
                """
            )
            Glibc.exit(ExitCode.validationFailure.rawValue)
        }
    }

    /// Refuses a command to run without `--` before it; unknown options are left to the library.
    static func checkTerminator(_ arguments: [String]) throws(MissingTerminator) {
        guard let first = arguments.first, ["run", "sweep"].contains(first),
            !arguments.contains("--"), let (command, position) = command(of: arguments)
        else { return }
        let options = DeclaredOption.all(of: command)
        var rest = arguments[position...]
        while let word = rest.popFirst() {
            if !isOption(word) { throw MissingTerminator(command: first, word: word) }
            if word.contains("=") { continue }
            guard let option = options.first(where: { "--\($0.name)" == word }) else { return }
            if option.kind != .flag { _ = rest.popFirst() }
        }
    }

    /// The word behind which all words are names of subcommands.
    private static let help = "help"

    /// Refuses a first word that is no subcommand; `serve` takes options only.
    static func check(_ arguments: [String]) throws(Unknown) {
        guard let first = arguments.first, !isOption(first) else { return }
        if first == help {
            var command: (any ParsableCommand.Type) = RootCommand.self
            var path = name(of: command)
            for word in arguments.dropFirst().prefix(while: { !isOption($0) }) {
                command = try subcommand(word, of: command, path)
                path += " " + word
            }
            return
        }
        let command = try subcommand(first, of: RootCommand.self, name(of: RootCommand.self))
        if let second = arguments.dropFirst().first, !isOption(second),
            !command.configuration.subcommands.isEmpty
        {
            _ = try subcommand(second, of: command, name(of: RootCommand.self) + " " + first)
        }
    }

    /// The subcommand that arguments name, and the position of the first argument behind its name;
    /// `nil` where they name none.
    static func command(
        of arguments: [String]
    ) -> (command: any ParsableCommand.Type, position: Int)? {
        var command: any ParsableCommand.Type = RootCommand.self
        for (position, word) in arguments.enumerated() {
            let all = command.configuration.subcommands
            if all.isEmpty { return (command, position) }
            guard let next = all.first(where: { name(of: $0) == word }) else { return nil }
            command = next
        }
        return command.configuration.subcommands.isEmpty ? (command, arguments.count) : nil
    }

    /// Parses arguments.
    ///
    /// A subcommand that is named is parsed by itself, which takes a fraction of what reading the
    /// declarations of all does. Whatever it does not take, help among it, is left to the whole,
    /// which knows the names on the way.
    static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        if let (command, position) = command(of: arguments),
            // What is wrong is told below.
            let parsed = try? command.parseAsRoot(Array(arguments[position...])),
            type(of: parsed) == command
        {
            return parsed
        }
        return try RootCommand.parseAsRoot(arguments)
    }

    private static func isOption(_ word: String) -> Bool { word.hasPrefix("-") }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? ""
    }

    private static func subcommand(
        _ word: String,
        of command: any ParsableCommand.Type,
        _ path: String
    ) throws(Unknown) -> any ParsableCommand.Type {
        let all = command.configuration.subcommands
        if let found = all.first(where: { name(of: $0) == word }) { return found }
        let isRoot = command == RootCommand.self
        throw Unknown(word: word, command: path, known: all.map(name) + (isRoot ? [help] : []))
    }
}
