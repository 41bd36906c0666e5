import Dispatch
import Glibc
import Synchronization

/// The command under test, run behind a `ProcessGuard`.
enum GuardedCommand {
    /// Runs a command to its end, passing signals on to it.
    ///
    /// - Parameter environment: What is added to the environment of this process, or replaces it.
    /// - Returns: How it ended; never `.started`.
    static func run(
        _ command: [String],
        environment added: [String: String]
    ) throws(Failure) -> ProcessGuard.Report {
        let orders = try Pipe()
        defer { orders.close() }
        let reports = try Pipe()
        defer { reports.close() }
        let heard = ProcessGuard.passedOn.filter { !Spawn.isIgnored($0) }
        var variables = Program.environment()
        variables.merge(added) { $1 }
        let pid: pid_t
        do throws(Spawn.Refusal) {
            pid = try Spawn.start(
                [
                    CommandLine.arguments[0], ProcessGuard.word, String(orders.reading),
                    String(reports.writing),
                ] + command,
                name: "/proc/self/exe",
                environment: variables.map { "\($0.key)=\($0.value)" }.sorted(),
                resetting: [SIGPIPE],
                keeping: [orders.reading, reports.writing]
            )
        } catch {
            throw Failure(message: "cannot start a process: \(text(error.code))")
        }
        orders.closeReading()
        reports.closeWriting()
        return withSignals(heard, passedOnTo: orders.writing) {
            var started: pid_t?
            var end: ProcessGuard.Report?
            while let report = next(from: reports.reading) {
                if case .started(let pid) = report { started = pid } else { end = report }
            }
            while waitpid(pid, nil, 0) < 0, errno == EINTR {}
            if let end { return end }
            // Somebody killed the guard: what it watched over must not stay.
            if let started { kill(-started, SIGKILL) }
            return .signalled(SIGKILL)
        }
    }

    /// A line about a command that did not end well; `nil` where it did.
    static func line(about end: ProcessGuard.Report) -> String? {
        switch end {
        case .exited(0), .started: nil
        case .exited(let status): "the command ended with status \(status)"
        case .signalled(let number):
            "the command was ended by signal \(number) "
                + "(\(strsignal(number).map { String(cString: $0) } ?? "unknown"))"
        case .notStarted(let code): text(code)
        }
    }

    private static func text(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }

    /// The next report; `nil` when the guard is gone.
    private static func next(from descriptor: Int32) -> ProcessGuard.Report? {
        var words: [Int32] = [0, 0]
        let count = words.withUnsafeMutableBytes { buffer in
            var filled = 0
            while filled < buffer.count {
                let count = read(
                    descriptor,
                    buffer.baseAddress?.advanced(by: filled),
                    buffer.count - filled
                )
                if count > 0 { filled += count } else if count == 0 || errno != EINTR { break }
            }
            return filled
        }
        guard count == ProcessGuard.Report.octets else { return nil }
        return ProcessGuard.Report(kind: words[0], value: words[1])
    }

    /// From the third on, signals kill.
    private static let politeSignals = 2

    /// Runs `body` while signals are passed on as orders.
    private static func withSignals<Result>(
        _ numbers: [Int32],
        passedOnTo orders: Int32,
        _ body: () -> Result
    ) -> Result {
        let queue = DispatchQueue(label: "qubs-mock.signals")
        let count = Mutex(0)
        let registration = DispatchGroup()
        let sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            registration.enter()
            source.setRegistrationHandler { registration.leave() }
            source.setEventHandler {
                let isPolite = count.withLock { count in
                    count += 1
                    return count <= politeSignals
                }
                var order = UInt8(truncatingIfNeeded: isPolite ? number : SIGKILL)
                write(orders, &order, 1)
            }
            source.activate()
            return source
        }
        // Until a source is registered, its signal has the effect that it had before.
        registration.wait()
        defer { for source in sources { source.cancel() } }
        return body()
    }
}

/// A pipe that no program inherits unless told so.
private final class Pipe {
    private(set) var reading: Int32
    private(set) var writing: Int32

    init() throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw Failure(
                message: "pipe: " + (strerror(errno).map { String(cString: $0) } ?? "")
            )
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = ends[0]
        writing = ends[1]
    }

    func closeReading() {
        if reading >= 0 { Glibc.close(reading) }
        reading = -1
    }

    func closeWriting() {
        if writing >= 0 { Glibc.close(writing) }
        writing = -1
    }

    func close() {
        closeReading()
        closeWriting()
    }
}
