import Dispatch
import Glibc
import Synchronization
import Time

/// The command under test, run behind a `ProcessGuard`.
enum GuardedCommand {
    /// How a command ended.
    struct End {
        /// Never `.started` or `.stopped`.
        let report: ProcessGuard.Report
        /// When somebody from outside began to end it, in monotonic nanoseconds; `nil` where it ended by
        /// itself.
        let stopped: Int64?
        /// Whether it took longer than it might.
        let isOverdue: Bool
    }

    /// Runs a command to its end, passing signals on to it.
    ///
    /// - Parameters:
    ///   - added: What is added to the environment of this process, or replaces it.
    ///   - limitSeconds: After how long it is ended, first politely.
    ///   - watch: Called every second meanwhile.
    static func run(
        _ command: [String],
        environment added: [String: String],
        limitSeconds: Int?,
        watch: @escaping @Sendable () -> Void
    ) throws(Failure) -> End {
        let orders = try Pipe()
        defer { orders.close() }
        let reports = try Pipe()
        defer { reports.close() }
        let heard = ProcessGuard.passedOn.filter { !Spawn.isIgnored($0) }
        let pid: pid_t
        do throws(Spawn.Refusal) {
            pid = try Spawn.start(
                [
                    ProcessArguments.all().first ?? "qubs-mock", ProcessGuard.word,
                    String(orders.reading),
                    String(reports.writing),
                ] + command,
                name: "/proc/self/exe",
                adding: added,
                inOwnGroup: true,
                resetting: [SIGPIPE],
                keeping: [orders.reading, reports.writing]
            )
        } catch {
            throw Failure(message: "cannot start a process: \(text(error.code))")
        }
        orders.closeReading()
        reports.closeWriting()
        JobControl.passStopsOn(to: orders.writing)
        defer { JobControl.passStopsOn(to: -1) }
        let stopping = Stopping()
        let report = withSignals(heard, passedOnTo: orders.writing, stopping) {
            let timer = watchTimer(limitSeconds, orders.writing, stopping, watch)
            defer { timer.cancel() }
            var started: pid_t?
            var end: ProcessGuard.Report?
            while let report = next(from: reports.reading) {
                switch report {
                case .started(let pid): started = pid
                case .stopped(let number):
                    if JobControl.stop(after: number) { send(SIGCONT, to: orders.writing) }
                case .exited, .signalled, .notStarted: end = report
                }
            }
            while waitpid(pid, nil, 0) < 0, errno == EINTR {}
            if let end { return end }
            // Somebody killed the guard: what it watched over must not stay.
            if let started { kill(-started, SIGKILL) }
            return .signalled(SIGKILL)
        }
        if case .signalled = report { stopping.begin() }
        return End(report: report, stopped: stopping.time, isOverdue: stopping.isOverdue)
    }

    /// When a command was first told to end from outside.
    private final class Stopping: Sendable {
        private let state = Mutex<(time: Int64?, isOverdue: Bool)>((nil, false))

        var time: Int64? { state.withLock { $0.time } }
        var isOverdue: Bool { state.withLock { $0.isOverdue } }

        func begin(isOverdue: Bool = false) {
            state.withLock { state in
                guard state.time == nil else { return }
                state = (SystemTime.monotonic(), isOverdue)
            }
        }
    }

    /// How long a command that is overdue has between the polite signal and the last one.
    private static let secondsToEnd = 5

    private static func watchTimer(
        _ limitSeconds: Int?,
        _ orders: Int32,
        _ stopping: Stopping,
        _ watch: @escaping @Sendable () -> Void
    ) -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "qubs-mock.watch"))
        let begin = SystemTime.monotonic()
        timer.schedule(deadline: .now() + 1, repeating: 1)
        timer.setEventHandler {
            let seconds = (SystemTime.monotonic() - begin) / 1_000_000_000
            guard let limitSeconds, seconds >= limitSeconds else { return watch() }
            if stopping.time == nil {
                stopping.begin(isOverdue: true)
                send(SIGTERM, to: orders)
            } else if seconds >= limitSeconds + secondsToEnd {
                send(SIGKILL, to: orders)
            }
        }
        timer.activate()
        return timer
    }

    /// A line about a command that did not end well; `nil` where it did.
    static func line(about end: ProcessGuard.Report) -> String? {
        switch end {
        case .exited(0), .started, .stopped: nil
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

    private static func send(_ number: Int32, to orders: Int32) {
        var order = UInt8(truncatingIfNeeded: number)
        write(orders, &order, 1)
    }

    /// From the third on, signals kill.
    private static let politeSignals = 2

    /// Runs `body` while signals are passed on as orders.
    private static func withSignals<Result>(
        _ numbers: [Int32],
        passedOnTo orders: Int32,
        _ stopping: Stopping,
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
                stopping.begin()
                let isPolite = count.withLock { count in
                    count += 1
                    return count <= politeSignals
                }
                send(isPolite ? number : SIGKILL, to: orders)
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

/// Stops of the terminal (Ctrl-Z), for a process whose command has the terminal.
private enum JobControl {
    /// Where the handler sends its orders; -1 for nowhere.
    private static let orders = Atomic<Int32>(-1)

    /// Lets the command decide what a stop of the terminal means, from now on: it is in front, and
    /// this process only where its standard input is no terminal.
    ///
    /// To be called on the thread that `stop` is called on, the main one.
    static func passStopsOn(to descriptor: Int32) {
        if Spawn.isIgnored(SIGTSTP) { return }
        orders.store(descriptor, ordering: .relaxed)
        // Whoever started this process may have it blocked; then one that is ignored would be kept.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTSTP)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        if descriptor < 0 { signal(SIGTSTP, SIG_DFL) } else { handle() }
    }

    private static func handle() {
        signal(SIGTSTP) { number in
            var order = UInt8(truncatingIfNeeded: number)
            write(JobControl.orders.load(ordering: .relaxed), &order, 1)
        }
    }

    /// Stops the whole group of this process, as the terminal would have, until somebody continues
    /// it.
    ///
    /// - Parameter number: The signal that has stopped the command.
    /// - Returns: Whether the command shall go on: not where it was stopped for a reason that stays,
    ///   and nobody is there to continue this process, or it ignores stops.
    static func stop(after number: Int32) -> Bool {
        if orders.load(ordering: .relaxed) < 0 || ProcessTable.isOrphaned(group: getpgrp()) {
            return number == SIGTSTP
        }
        // The others first; then this thread, so that nothing else is done before it has stopped.
        signal(SIGTSTP, SIG_IGN)
        kill(0, SIGTSTP)
        signal(SIGTSTP, SIG_DFL)
        raise(SIGTSTP)
        handle()
        return true
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
