/// Environment variables as options.
///
/// A variable `QUBS_MOCK_READY_FILE` becomes `--ready-file=…` in front of the options that were
/// typed, so that what was typed wins. Variables that name no option of the subcommand are ignored.
enum EnvironmentOptions {
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

    private static let subcommands: Set<String> = [
        "serve", "token", "fixtures", "openapi", "health", "verdict", "run", "help",
    ]

    /// The arguments with the environment's options put where the subcommand reads them.
    static func merged(arguments: [String], environment: [String: String]) -> [String] {
        var arguments = arguments
        let asksForHelp = ["-h", "--help", "--version", "--generate-completion-script"]
        if let first = arguments.first,
            asksForHelp.contains(where: { first == $0 || first.hasPrefix($0 + "=") })
        {
            return arguments
        }
        if arguments.first.map({ !subcommands.contains($0) }) ?? true {
            arguments.insert("serve", at: 0)
        }
        var command = arguments[0]
        var position = 1
        if command == "fixtures", arguments.count > 1 {
            command += " " + arguments[1]
            position = 2
        }
        guard let known = options[command] else { return arguments }
        var injected: [String] = []
        for name in known.values {
            if let value = environment[variable(for: name)] {
                injected.append("--\(name)=\(value)")
            }
        }
        for name in known.flags {
            if let value = environment[variable(for: name)]?.lowercased(),
                !["", "0", "false", "no", "off"].contains(value)
            {
                injected.append("--\(name)")
            }
        }
        arguments.insert(contentsOf: injected, at: position)
        return arguments
    }

    /// `ready-file` is `QUBS_MOCK_READY_FILE`.
    private static func variable(for option: String) -> String {
        prefix + option.uppercased().replacing("-", with: "_")
    }
}
