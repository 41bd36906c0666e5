import ArgumentParser
import Glibc

/// Environment variables as options.
///
/// A variable `QUBS_MOCK_READY_FILE` becomes `--ready-file=…` where that option was not typed.
/// Variables that are empty, or that name no option of the subcommand, are ignored.
struct EnvironmentOptions {
    /// What was typed, with the environment's options where the subcommand reads them.
    private(set) var arguments: [String]
    /// The options that come from the environment.
    private var names: Set<String> = []

    private static let prefix = "QUBS_MOCK_"

    /// The options of each subcommand that take a value, and those that do not.
    private static let options: [String: (values: [String], flags: [String])] = [
        "serve": (
            values: [
                "host", "port", "ready-file", "database", "fixtures", "seed", "order", "faults",
                "scenario", "public-url", "admin-token", "created-status", "final-report",
                "workers",
                "log", "journal-size", "head-timeout", "content-timeout", "idle-timeout",
                "max-connections",
            ],
            flags: ["no-fault-header", "journal-bodies"]
        ),
        "token": (values: ["client-id", "session", "flaw", "expires-in", "fixtures"], flags: []),
        "fixtures generate": (values: ["appointments", "seed", "output"], flags: []),
        "health": (values: ["url"], flags: []),
        "verdict": (values: ["url", "session", "format", "admin-token"], flags: ["strict"]),
        "run": (
            values: ["scenario", "session", "report", "journal-size"],
            flags: ["strict"]
        ),
    ]

    /// - Parameter typed: The arguments of the program, without its name.
    init(typed: [String], environment: [String: String]) {
        arguments = typed
        if typed.first?.hasPrefix("-") ?? true { arguments.insert("serve", at: 0) }
        var command = arguments[0]
        var position = 1
        if command == "fixtures", arguments.count > 1 {
            command += " " + arguments[1]
            position = 2
        }
        guard let known = Self.options[command] else {
            arguments = typed
            return
        }
        // Behind `--` begins what is somebody else's.
        let end = arguments.firstIndex(of: "--") ?? arguments.count
        var own = Array(arguments[position..<end])
        if own.contains(where: Self.asksForHelp) {
            arguments = typed
            return
        }
        own = Self.joiningNumbers(own, to: known.values)
        var injected: [String] = []
        for name in known.values where !Self.isTyped(name, in: own) {
            guard let value = environment[Self.variable(for: name)], !value.isEmpty else {
                continue
            }
            injected.append("--\(name)=\(value)")
            names.insert(name)
        }
        for name in known.flags where !Self.isTyped(name, in: own) {
            if let value = environment[Self.variable(for: name)]?.lowercased(),
                !["", "0", "false", "no", "off"].contains(value)
            {
                injected.append("--\(name)")
                names.insert(name)
            }
        }
        arguments.replaceSubrange(position..<end, with: injected + own)
    }

    private static func asksForHelp(_ argument: String) -> Bool {
        ["-h", "--help", "--version", "--generate-completion-script"].contains { word in
            argument == word || argument.hasPrefix(word + "=")
        }
    }

    private static func isTyped(_ name: String, in arguments: [String]) -> Bool {
        arguments.contains { $0 == "--\(name)" || $0.hasPrefix("--\(name)=") }
    }

    /// Makes `--port -1` one argument, as `--port=-1` is: a negative number is no option here.
    private static func joiningNumbers(_ arguments: [String], to names: [String]) -> [String] {
        var joined: [String] = []
        for argument in arguments {
            if argument.first == "-", argument.dropFirst().first?.isNumber ?? false,
                let last = joined.last, names.contains(where: { "--\($0)" == last })
            {
                joined[joined.count - 1] = "\(last)=\(argument)"
            } else {
                joined.append(argument)
            }
        }
        return joined
    }

    /// `ready-file` is `QUBS_MOCK_READY_FILE`.
    private static func variable(for option: String) -> String {
        prefix + option.uppercased().replacing("-", with: "_")
    }

    // MARK: Messages

    /// The variable behind the first option that a message names, where it is one.
    func variable(namedFirstIn message: String) -> String? {
        guard let start = message.firstRange(of: "--")?.upperBound else { return nil }
        let name = message[start...].prefix { $0.isLowercase || $0 == "-" }
        return names.contains(String(name)) ? Self.variable(for: String(name)) : nil
    }

    /// Ends the program, as the library does it; misuse that was not typed is told by its variable.
    func exit(with error: any Error) -> Never {
        guard RootCommand.exitCode(for: error) == .validationFailure,
            let variable = variable(namedFirstIn: RootCommand.message(for: error))
        else { RootCommand.exit(withError: error) }
        let text = RootCommand.fullMessage(for: error)
        let label = "Error: "
        Output.error(
            text.hasPrefix(label)
                ? "\(label)\(variable): \(text.dropFirst(label.count))" : "\(variable): \(text)"
        )
        Glibc.exit(ExitCode.validationFailure.rawValue)
    }
}
