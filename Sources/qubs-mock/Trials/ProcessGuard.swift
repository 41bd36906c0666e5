import CLinux
import Dispatch
import Glibc
import Synchronization
import Time

/// `qubs-mock _guard`: stands between `qubs-mock run` and the command under test.
///
/// It starts the command in a process group of its own, passes signals on, and adopts whatever the
/// command starts and leaves behind, so that nothing outlives the run: not when the command ends,
/// and not when `run` itself is killed, which shows as the end of the pipe that orders come by. It
/// has a group of its own, too, since whoever kills `run` may kill all of its group.
///
/// A shell knows the group of `run` alone: that is the one that it gives the terminal to, stops
/// waiting for when it is stopped, and continues. So the terminal is handed from there to the group
/// of the command and back again, and when the terminal stops the command, `run` stops as well.
enum ProcessGuard {
    /// The argument that starts it; not for people.
    static let word = "_guard"

    /// What it reports to `run`: four octets each for kind and value, in the machine's order.
    enum Report: Equatable {
        /// The command runs, with this process id.
        case started(pid_t)
        /// The command could not be started: a value of `errno`.
        case notStarted(Int32)
        /// The command ended by itself, with this status.
        case exited(Int32)
        /// The command was ended by this signal.
        case signalled(Int32)
        /// The command was stopped by this signal, and shall go on when `run` says so.
        case stopped(Int32)

        static let octets = 8

        init?(kind: Int32, value: Int32) {
            switch kind {
            case 1: self = .started(value)
            case 2: self = .notStarted(value)
            case 3: self = .exited(value)
            case 4: self = .signalled(value)
            case 5: self = .stopped(value)
            default: return nil
            }
        }

        fileprivate var words: [Int32] {
            switch self {
            case .started(let value): [1, value]
            case .notStarted(let value): [2, value]
            case .exited(let value): [3, value]
            case .signalled(let value): [4, value]
            case .stopped(let value): [5, value]
            }
        }
    }

    /// The signals that `run` passes on.
    static let passedOn = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    /// How long what the command left behind may take to end by itself.
    private static let graceNanoseconds: UInt64 = 1_000_000_000
    /// When a process that cannot even be killed is given up.
    private static let patienceNanoseconds: UInt64 = 10_000_000_000

    /// Runs the command and ends the process.
    ///
    /// - Parameter arguments: The descriptors of orders and reports, then the command.
    static func main(_ arguments: [String]) -> Never {
        guard arguments.count >= 3, let orders = Int32(arguments[0]),
            let reports = Int32(arguments[1])
        else {
            Output.error("qubs-mock: \(word) is for qubs-mock run only")
            exit(64)
        }
        for descriptor in [orders, reports] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = clinux_adopt_orphans()
        let command = Array(arguments.dropFirst(2))
        // What was ignored when the run began (as by nohup) stays so for the command.
        let defaults = (passedOn + [SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE])
            .filter { !Spawn.isIgnored($0) }
        for number in defaults { signal(number, SIG_IGN) }

        let pid: pid_t
        do throws(Spawn.Refusal) {
            pid = try Spawn.start(command, inOwnGroup: true, resetting: defaults)
        } catch {
            send(.notStarted(error.code), to: reports)
            exit(0)
        }
        let job = Job(run: getppid(), group: getpgid(getppid()), command: pid)
        job.giveTerminal()
        send(.started(pid), to: reports)
        DispatchQueue(label: "qubs-mock.orders").async { obey(orders, job) }

        let status = awaitEnd(of: job, reports: reports)
        hasEnded.store(true, ordering: .sequentiallyConsistent)
        job.takeTerminal()
        endDescendants(grace: graceNanoseconds)
        let signal = status & 0x7F
        send(signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal), to: reports)
        exit(0)
    }

    /// Waits until the command has ended, and says when it is stopped.
    ///
    /// - Returns: Its status, as `waitpid` gives it.
    private static func awaitEnd(of job: Job, reports: Int32) -> Int32 {
        var isRunStopped = false
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, WUNTRACED | WCONTINUED)
            if pid < 0, errno != EINTR { return status }
            guard pid == job.command else { continue }
            if status == Self.hasContinued {
                job.giveTerminal()
                // It may have been continued by somebody who knows nothing of `run`.
                if isRunStopped { job.continueRun() }
                isRunStopped = false
            } else if status & 0xFF == Self.hasStopped {
                let number = status >> 8 & 0xFF
                if job.mustStop(after: number) {
                    isRunStopped = true
                    send(.stopped(number), to: reports)
                }
            } else {
                return status
            }
        }
    }

    /// What `waitpid` gives of a process that goes on (`__W_CONTINUED`).
    private static let hasContinued: Int32 = 0xFFFF
    /// The low octet of what it gives of one that is stopped; the one above is the signal.
    private static let hasStopped: Int32 = 0x7F

    /// Whether the command has ended, so that its group may be somebody else's.
    private static let hasEnded = Atomic(false)

    /// Passes signals on, until `run` is gone: then everything ends.
    private static func obey(_ orders: Int32, _ job: Job) {
        while true {
            var number: UInt8 = 0
            let count = read(orders, &number, 1)
            if count == 1 {
                if hasEnded.load(ordering: .sequentiallyConsistent) { continue }
                switch Int32(number) {
                case SIGCONT: job.goOn()
                case SIGTSTP: kill(-job.command, SIGTSTP)
                default:
                    kill(-job.command, Int32(number))
                    // A group that was stopped hears nothing before it goes on.
                    kill(-job.command, SIGCONT)
                }
            } else if count == 0 || errno != EINTR {
                endDescendants(grace: 0)
                _exit(1)
            }
        }
    }

    /// The command and `run`, as a shell and a terminal see them.
    private struct Job {
        /// The process id of `run`, and the group that it is in.
        let run: pid_t
        let group: pid_t
        /// The process id of the command, which is that of its group.
        let command: pid_t

        /// Makes the command's group the one that the terminal talks to, if that was the group of
        /// `run`.
        @discardableResult
        func giveTerminal() -> Bool {
            guard tcgetpgrp(0) == group, tcsetpgrp(0, command) == 0 else { return false }
            // It may have asked the terminal too early, and been stopped.
            kill(-command, SIGCONT)
            return true
        }

        /// Continues the command, with the terminal where that is the job's.
        ///
        /// Once only: a second signal might undo a Ctrl-Z that came between.
        func goOn() {
            if !giveTerminal() { kill(-command, SIGCONT) }
        }

        /// Undoes `giveTerminal`, unless the terminal has gone to somebody else.
        @discardableResult
        func takeTerminal() -> Bool {
            tcgetpgrp(0) == command && tcsetpgrp(0, group) == 0
        }

        /// Continues `run`, and what was stopped with it.
        func continueRun() {
            // The first process of a container is in group 1, which for `kill` would be everybody.
            kill(group > 1 ? -group : run, SIGCONT)
        }

        /// Whether `run` has to stop, now that the command was stopped.
        func mustStop(after signal: Int32) -> Bool {
            let hadTerminal = takeTerminal()
            switch signal {
            // The shell has brought the job to the front, and told nobody.
            case SIGTTIN, SIGTTOU: return !giveTerminal()
            // Somebody who wants the client to pause, rather than the job.
            case SIGSTOP: return hadTerminal
            default: return true
            }
        }
    }

    private static func send(_ report: Report, to descriptor: Int32) {
        let words = report.words
        words.withUnsafeBytes { _ = write(descriptor, $0.baseAddress, $0.count) }
    }

    // MARK: - Ending

    /// Ends every process that descends from this one, and waits for it.
    private static func endDescendants(grace: UInt64) {
        let start = MonotonicTime.now()
        if grace > 0 {
            for pid in descendants() { kill(pid, SIGTERM) }
            while reap(), MonotonicTime.now() - start < grace { usleep(5000) }
        }
        while reap(), MonotonicTime.now() - start < patienceNanoseconds {
            for pid in descendants() { kill(pid, SIGKILL) }
            usleep(2000)
        }
    }

    /// Buries what has ended; whether any child is left.
    private static func reap() -> Bool {
        while true {
            let pid = waitpid(-1, nil, WNOHANG)
            if pid == 0 { return true }
            if pid < 0, errno != EINTR { return false }
        }
    }

    /// The processes that descend from this one, whatever group or session they are in.
    private static func descendants() -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        for process in ProcessTable.all() {
            children[process.parent, default: []].append(process.id)
        }
        var found: [pid_t] = []
        var next = children[getpid()] ?? []
        while let pid = next.popLast() {
            found.append(pid)
            next += children[pid] ?? []
        }
        return found
    }
}

/// Starts programs.
enum Spawn {
    /// Why a program could not be started: a value of `errno`.
    struct Refusal: Error { let code: Int32 }

    /// Starts a program, found by `PATH` where it has no slash.
    ///
    /// - Parameters:
    ///   - name: The program, where it is not the first argument.
    ///   - added: Variables that the program gets beside those of this process, or in their place.
    ///   - resetting: Signals whose disposition becomes the default.
    ///   - keeping: Descriptors that the program gets under the same number.
    ///   - printed: What becomes its standard output and its standard error; it reads nothing then.
    static func start(
        _ arguments: [String],
        name: String? = nil,
        adding added: [String: String] = [:],
        inOwnGroup: Bool = false,
        resetting: [Int32] = [],
        keeping: [Int32] = [],
        printingTo printed: Int32? = nil
    ) throws(Refusal) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        if inOwnGroup { flags |= Int32(POSIX_SPAWN_SETPGROUP) }
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in resetting { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // Some starters block signals (those that use Dispatch do), and a mask is inherited: a program
        // that is stopped by signals must be able to hear them.
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setpgroup(&attributes, 0)

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // To the same number: that takes the close-on-exec flag away.
        for descriptor in keeping {
            posix_spawn_file_actions_adddup2(&actions, descriptor, descriptor)
        }
        if let printed {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, printed, 1)
            posix_spawn_file_actions_adddup2(&actions, printed, 2)
        }

        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        var lines: [UnsafeMutablePointer<CChar>?] = added.map { strdup("\($0.key)=\($0.value)") }
        // As octets: what is not UTF-8 stays as it is.
        var variable = environ
        while let text = variable.pointee {
            let name = String(cString: text).prefix { $0 != "=" }
            if added[String(name)] == nil { lines.append(strdup(text)) }
            variable += 1
        }
        lines.append(nil)
        defer { for text in words + lines { free(text) } }
        var pid: pid_t = 0
        let program = name ?? arguments[0]
        let code = posix_spawnp(&pid, program, &actions, &attributes, words, lines)
        guard code == 0 else { throw Refusal(code: code) }
        return pid
    }

    /// Whether this process ignores a signal.
    static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        let ignored = unsafeBitCast(SIG_IGN, to: Int.self)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == ignored
    }
}
