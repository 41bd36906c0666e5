import CLinux
import Dispatch
import Glibc
import Synchronization

/// `qubs-mock _guard`: stands between `qubs-mock run` and the command under test.
///
/// It starts the command in a process group of its own, passes signals on, and adopts whatever the
/// command starts and leaves behind, so that nothing outlives the run: not when the command ends,
/// and not when `run` itself is killed, which shows as the end of the pipe that orders come by.
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

        static let octets = 8

        init?(kind: Int32, value: Int32) {
            switch kind {
            case 1: self = .started(value)
            case 2: self = .notStarted(value)
            case 3: self = .exited(value)
            case 4: self = .signalled(value)
            default: return nil
            }
        }

        fileprivate var words: [Int32] {
            switch self {
            case .started(let value): [1, value]
            case .notStarted(let value): [2, value]
            case .exited(let value): [3, value]
            case .signalled(let value): [4, value]
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
        let defaults = (passedOn + [SIGTTOU, SIGPIPE]).filter { !Spawn.isIgnored($0) }
        for number in defaults { signal(number, SIG_IGN) }

        let pid: pid_t
        do throws(Spawn.Refusal) {
            pid = try Spawn.start(command, inOwnGroup: true, resetting: defaults)
        } catch {
            send(.notStarted(error.code), to: reports)
            exit(0)
        }
        let hadTerminal = giveTerminal(to: pid)
        send(.started(pid), to: reports)
        DispatchQueue(label: "qubs-mock.orders").async { obey(orders, group: pid) }

        var status: Int32 = 0
        var ended: pid_t = 0
        repeat {
            ended = waitpid(-1, &status, 0)
        } while ended != pid && (ended > 0 || errno == EINTR)
        hasEnded.store(true, ordering: .sequentiallyConsistent)
        if hadTerminal { tcsetpgrp(0, getpgrp()) }
        endDescendants(grace: graceNanoseconds)
        let signal = status & 0x7F
        send(signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal), to: reports)
        exit(0)
    }

    /// Whether the command has ended, so that its group may be somebody else's.
    private static let hasEnded = Atomic(false)

    /// Passes signals on, until `run` is gone: then everything ends.
    private static func obey(_ orders: Int32, group: pid_t) {
        while true {
            var number: UInt8 = 0
            let count = read(orders, &number, 1)
            if count == 1 {
                if hasEnded.load(ordering: .sequentiallyConsistent) { continue }
                kill(-group, Int32(number))
                // A group that was stopped hears nothing before it goes on.
                kill(-group, SIGCONT)
            } else if count == 0 || errno != EINTR {
                endDescendants(grace: 0)
                _exit(1)
            }
        }
    }

    /// Makes the command's group the one that the terminal talks to, if ours was.
    private static func giveTerminal(to group: pid_t) -> Bool {
        guard isatty(0) == 1, tcgetpgrp(0) == getpgrp() else { return false }
        guard tcsetpgrp(0, group) == 0 else { return false }
        // It may have asked the terminal too early, and been stopped.
        kill(-group, SIGCONT)
        return true
    }

    private static func send(_ report: Report, to descriptor: Int32) {
        let words = report.words
        words.withUnsafeBytes { _ = write(descriptor, $0.baseAddress, $0.count) }
    }

    // MARK: - Ending

    /// Ends every process that descends from this one, and waits for it.
    private static func endDescendants(grace: UInt64) {
        let start = now()
        if grace > 0 {
            for pid in descendants() { kill(pid, SIGTERM) }
            while reap(), now() - start < grace { usleep(5000) }
        }
        while reap(), now() - start < patienceNanoseconds {
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

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// The processes that descend from this one, whatever group or session they are in.
    private static func descendants() -> [pid_t] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var children: [pid_t: [pid_t]] = [:]
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { buffer in
                String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let pid = pid_t(name), let parent = parent(of: pid) {
                children[parent, default: []].append(pid)
            }
        }
        var found: [pid_t] = []
        var next = children[getpid()] ?? []
        while let pid = next.popLast() {
            found.append(pid)
            next += children[pid] ?? []
        }
        return found
    }

    /// The parent of a process: the second field behind its name, which stands in parentheses.
    private static func parent(of pid: pid_t) -> pid_t? {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = read(file, &buffer, buffer.count)
        guard count > 0, let end = buffer[..<count].lastIndex(of: UInt8(ascii: ")")) else {
            return nil
        }
        let fields = buffer[(end + 1)..<count].split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? pid_t(String(decoding: fields[1], as: UTF8.self)) : nil
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
    ///   - environment: Lines `NAME=value`; `nil` passes on that of this process.
    ///   - resetting: Signals whose disposition becomes the default.
    ///   - keeping: Descriptors that the program gets under the same number.
    static func start(
        _ arguments: [String],
        name: String? = nil,
        environment: [String]? = nil,
        inOwnGroup: Bool = false,
        resetting: [Int32] = [],
        keeping: [Int32] = []
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

        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        var lines: [UnsafeMutablePointer<CChar>?] = (environment ?? []).map { strdup($0) }
        lines.append(nil)
        defer { for text in words + lines { free(text) } }
        var pid: pid_t = 0
        let program = name ?? arguments[0]
        let code =
            environment == nil
            ? posix_spawnp(&pid, program, &actions, &attributes, words, environ)
            : posix_spawnp(&pid, program, &actions, &attributes, words, lines)
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
