import ArgumentParser
import Glibc

/// Environment variables as options.
///
/// A variable `QUBS_MOCK_READY_FILE` becomes `--ready-file=…` where that option was not typed; of an
/// option that can be repeated, each line of the variable is one. Which options there are is read
/// from the declarations of the subcommand. Variables that are empty, or that name no option of the
/// subcommand, are ignored.
struct EnvironmentOptions {
    /// What was typed, with the environment's options where the subcommand reads them.
    private(set) var arguments: [String]
    /// Variables that were left aside, each as a line for people.
    private(set) var warnings: [String] = []
    /// The first variable that names an option and is not UTF-8.
    private(set) var unreadable: String?
    /// The options that come from the environment.
    private var names: Set<String> = []

    private static let prefix = "QUBS_MOCK_"

    /// - Parameters:
    ///   - typed: The arguments of the program, without its name.
    ///   - unreadable: The variables whose values are not UTF-8.
    init(typed: [String], environment: [String: String], unreadable: Set<String> = []) {
        arguments = typed
        if typed.first?.hasPrefix("-") ?? true { arguments.insert("serve", at: 0) }
        guard let (command, position) = Subcommands.command(of: arguments) else {
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
        // To read the declarations takes a millisecond or two, and most starts have no need of them.
        let concernsUs =
            environment.keys.contains { $0.hasPrefix(Self.prefix) }
            || unreadable.contains { $0.hasPrefix(Self.prefix) }
            || own.contains(where: Self.isNegativeNumber)
        guard concernsUs else { return }
        let options = DeclaredOption.all(of: command)
        own = Self.joiningNumbers(own, to: options)
        var injected: [String] = []
        for option in options where !option.isTyped(in: own) {
            let variable = Self.variable(for: option.name)
            if self.unreadable == nil, unreadable.contains(variable) { self.unreadable = variable }
            guard let value = environment[variable], !value.isEmpty else { continue }
            if Self.isOfKubernetes(value, variable) {
                warnings.append(
                    "\(variable) is left aside: \(value) is the address that Kubernetes sets "
                        + "for a Service of this name, not a port"
                )
                continue
            }
            let arguments = option.arguments(from: value)
            if !arguments.isEmpty { names.insert(option.name) }
            injected += arguments
        }
        arguments.replaceSubrange(position..<end, with: injected + own)
    }

    private static func asksForHelp(_ argument: String) -> Bool {
        [
            "-h", "--help", "--version", "--generate-completion-script", "--experimental-dump-help",
        ].contains { word in argument == word || argument.hasPrefix(word + "=") }
    }

    /// Whether a value was set for a Service rather than for this program.
    ///
    /// Kubernetes gives each container `NAME_PORT=tcp://10.96.12.7:8080` for each Service of its
    /// namespace: for one called `qubs-mock` that is `QUBS_MOCK_PORT`. Its other variables end in
    /// names that no option has.
    private static func isOfKubernetes(_ value: String, _ variable: String) -> Bool {
        variable.hasSuffix("_PORT")
            && ["tcp://", "udp://", "sctp://"].contains { value.hasPrefix($0) }
    }

    private static func isNegativeNumber(_ argument: String) -> Bool {
        argument.first == "-" && argument.dropFirst().first?.isNumber ?? false
    }

    /// Makes `--port -1` one argument, as `--port=-1` is: a negative number is no option here.
    private static func joiningNumbers(
        _ arguments: [String],
        to options: [DeclaredOption]
    ) -> [String] {
        var joined: [String] = []
        for argument in arguments {
            if isNegativeNumber(argument), let last = joined.last,
                options.contains(where: { $0.kind != .flag && "--\($0.name)" == last })
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

/// An option as a subcommand declares it.
struct DeclaredOption {
    enum Kind {
        case value
        /// Takes a value, and can be repeated.
        case values
        case flag
    }

    /// Without the hyphens before it.
    let name: String
    let kind: Kind

    /// The options of a subcommand, in the order of their declarations, those of its groups included.
    static func all(of command: any ParsableArguments.Type) -> [DeclaredOption] {
        Mirror(reflecting: command.init()).children.flatMap { child -> [DeclaredOption] in
            switch child.value {
            case let group as any DeclaredGroup: return all(of: group.arguments)
            case let declaration as any Declaration:
                // `_readyFile` is the storage of `readyFile`.
                let label = (child.label ?? "").drop { $0 == "_" }
                return [DeclaredOption(name: hyphenated(label), kind: declaration.kind)]
            default: return []
            }
        }
    }

    func isTyped(in arguments: [String]) -> Bool {
        arguments.contains { $0 == "--\(name)" || $0.hasPrefix("--\(name)=") }
    }

    /// The arguments that a variable with this value stands for.
    func arguments(from value: String) -> [String] {
        switch kind {
        case .value: ["--\(name)=\(value)"]
        case .values: value.split(whereSeparator: \.isNewline).map { "--\(name)=\($0)" }
        case .flag:
            ["0", "false", "no", "off"].contains(value.lowercased()) ? [] : ["--\(name)"]
        }
    }

    /// The name that the library gives an option: `publicURL` is `public-url`.
    private static func hyphenated(_ label: Substring) -> String {
        var name = ""
        var previous: Character = "-"
        for character in label {
            if character.isUppercase, !previous.isUppercase, previous != "-" { name += "-" }
            name += character.lowercased()
            previous = character
        }
        return name
    }
}

/// The property wrappers of the library that declare an option.
private protocol Declaration {
    var kind: DeclaredOption.Kind { get }
}

extension Option: Declaration {
    fileprivate var kind: DeclaredOption.Kind {
        Value.self is any RepeatedValues.Type ? .values : .value
    }
}

extension Flag: Declaration {
    fileprivate var kind: DeclaredOption.Kind { .flag }
}

/// A group of options that several subcommands have.
private protocol DeclaredGroup {
    var arguments: any ParsableArguments.Type { get }
}

extension OptionGroup: DeclaredGroup {
    fileprivate var arguments: any ParsableArguments.Type { Value.self }
}

/// The values of an option that can be repeated.
private protocol RepeatedValues {}

extension Array: RepeatedValues {}
