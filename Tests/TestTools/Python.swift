import Foundation

/// Python, which knows what tests hold our own code against: the time zones of the system, for one.
package enum Python {
    /// Runs Python in the root of the package.
    ///
    /// - Parameters:
    ///   - arguments: A script and its arguments, or `-c` and its text.
    ///   - lines: What it reads on standard input.
    /// - Returns: Its exit status, and what it printed, errors included.
    package static func run(
        _ arguments: [String],
        input lines: [String] = []
    ) throws -> (status: Int32, output: String) {
        let input = FileManager.default.temporaryDirectory
            .appending(path: "python-\(UUID().uuidString)")
        try Data(lines.joined(separator: "\n").utf8).write(to: input)
        defer { try? FileManager.default.removeItem(at: input) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        process.currentDirectoryURL = URL(filePath: Repository.path())
        process.standardInput = try FileHandle(forReadingFrom: input)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
