import Store

/// What the program was started with.
enum ProcessArguments {
    /// The program's name and its arguments.
    ///
    /// Swift finds them from the environment backwards. A preloaded library that sets a variable
    /// before `main` (libfaketime) moves the environment, and Swift then finds none; the kernel
    /// still has them.
    static func all(
        swift: [String] = CommandLine.arguments,
        kernel path: String = "/proc/self/cmdline"
    ) -> [String] {
        // Started with no argument at all, not even a name, there is nothing to lose.
        guard swift.isEmpty, let octets = try? FileSystem.contents(of: path) else { return swift }
        return octets.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The place of the first argument that is not UTF-8, from 1; `nil` where all are.
    ///
    /// Swift puts U+FFFD where octets are none: a path would lead to another file.
    static func firstUnreadable() -> Int? {
        (1..<max(1, Int(CommandLine.argc))).first { place in
            guard let argument = CommandLine.unsafeArgv[place] else { return false }
            return String(validatingCString: argument) == nil
        }
    }
}
