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

    /// Held while pipes are made and a process is started: what is not yet closed on exec must not come
    /// into a process that another thread starts.
    private static let spawning = Mutex(())

    /// Runs a command to its end.
    ///
    /// - Parameters:
    ///   - added: What is added to the environment of this process, or replaces it.
    ///   - limitSeconds: After how long it is ended, first politely.
    ///   - output: Keeps what it prints; `nil` leaves it the standard streams, and the terminal.
    ///   - signals: Those to pass on.
    ///   - watch: Called every second meanwhile.
    static func run(
        _ command: [String],
        environment added: [String: String],
        limitSeconds: Int?,
        output: CommandOutput? = nil,
        signals: CommandSignals,
        watch: @escaping @Sendable () -> Void = {}
    ) throws(Failure) -> End {
        let isInFront = output == nil
        let (pid, orders, reports) = try start(command, environment: added, output)
        defer {
            orders.close()
            reports.close()
        }
        defer { if isInFront { JobControl.passStopsOn(to: -1) } }
        let stopping = Stopping()
        let listener = signals.add(.init(orders: orders.writing) { stopping.begin() })
        defer { signals.remove(listener) }
        let timer = watchTimer(limitSeconds, orders.writing, stopping, watch)
        defer { timer.end() }
        var started: pid_t?
        var end: ProcessGuard.Report?
        while let report = next(from: reports.reading) {
            switch report {
            case .started(let pid): started = pid
            case .stopped(let number):
                if !isInFront || JobControl.stop(after: number) {
                    send(SIGCONT, to: orders.writing)
                }
            case .exited, .signalled, .notStarted: end = report
            }
        }
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
        if end == nil, let started {
            // Somebody killed the guard: what it watched over must not stay.
            kill(-started, SIGKILL)
        }
        let report = end ?? .signalled(SIGKILL)
        if case .signalled = report { stopping.begin() }
        return End(report: report, stopped: stopping.time, isOverdue: stopping.isOverdue)
    }

    /// Starts the guard of a command.
    private static func start(
        _ command: [String],
        environment added: [String: String],
        _ output: CommandOutput?
    ) throws(Failure) -> (pid: pid_t, orders: Pipe, reports: Pipe) {
        let result: Result<(pid_t, Pipe, Pipe), Failure> = spawning.withLock { _ in
            do throws(Failure) {
                let orders = try Pipe()
                let reports = try Pipe()
                let printed = try output.map { _ throws(Failure) in try Pipe() }
                defer { printed?.close() }
                // Before the command can be seen to run: a Ctrl-Z would stop this process alone.
                if output == nil { JobControl.passStopsOn(to: orders.writing) }
                let pid: pid_t
                do throws(Spawn.Refusal) {
                    pid = try Spawn.start(
                        [
                            ProcessArguments.all().first ?? "qubs-mock", ProcessGuard.word,
                            String(orders.reading), String(reports.writing),
                        ] + command,
                        name: "/proc/self/exe",
                        adding: added,
                        inOwnGroup: true,
                        resetting: [SIGPIPE],
                        keeping: [orders.reading, reports.writing],
                        printingTo: printed?.writing
                    )
                } catch {
                    if output == nil { JobControl.passStopsOn(to: -1) }
                    orders.close()
                    reports.close()
                    throw Failure(message: "cannot start a process: \(text(error.code))")
                }
                orders.closeReading()
                reports.closeWriting()
                printed?.closeWriting()
                if let output, let printed { output.follow(printed.reading) }
                return .success((pid, orders, reports))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
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

    /// Looks at a running command every second.
    private struct Watch {
        let timer: any DispatchSourceTimer
        let queue: DispatchQueue

        /// Ends it; nothing is sent to the command any more afterwards.
        func end() {
            timer.cancel()
            queue.sync {}
        }
    }

    private static func watchTimer(
        _ limitSeconds: Int?,
        _ orders: Int32,
        _ stopping: Stopping,
        _ watch: @escaping @Sendable () -> Void
    ) -> Watch {
        let queue = DispatchQueue(label: "qubs-mock.watch")
        let timer = DispatchSource.makeTimerSource(queue: queue)
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
        return Watch(timer: timer, queue: queue)
    }

    /// A line about a command that did not end well; `nil` where it did.
    static func line(about end: ProcessGuard.Report) -> String? {
        switch end {
        case .exited(0), .started, .stopped: nil
        case .exited(let status): "your command exited with status \(status)"
        case .signalled(let number):
            "your command was ended by signal \(number) "
                + "(\(strsignal(number).map { String(cString: $0) } ?? "unknown"))"
        case .notStarted(let code): text(code)
        }
    }

    /// Why a command did not start, and what to do.
    ///
    /// - Parameter code: What the system said, a value of `errno`.
    static func line(aboutStartOf name: String, _ code: Int32) -> String {
        var status = stat()
        let isThere = stat(name, &status) == 0
        let reason: String
        switch code {
        case ENOENT where name.contains(" ") && !isThere:
            reason = "the command and its arguments are words of their own: write -- \(name)"
        case ENOENT where !name.contains("/"):
            reason =
                "there is no such command in PATH"
                + (isThere ? "; for the file here write -- ./\(name)" : "")
        case ENOENT where isThere: reason = "the program that its first line names is not there"
        case ENOENT: reason = "there is no such file"
        case EACCES where isThere && status.st_mode & S_IFMT == S_IFDIR: reason = "is a folder"
        case EACCES where isThere:
            reason = "is not executable: chmod +x \(name), or write -- sh \(name)"
        case ENOEXEC:
            reason = "is no program: begin it with a line such as #!/bin/sh, or write -- sh \(name)"
        default: reason = text(code)
        }
        return "\(name): \(reason)"
    }

    static func text(_ code: Int32) -> String {
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

    static func send(_ number: Int32, to orders: Int32) {
        var order = UInt8(truncatingIfNeeded: number)
        write(orders, &order, 1)
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
