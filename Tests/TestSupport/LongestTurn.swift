import Glibc
import MockServer
import Synchronization

/// The longest time that any worker of any test's server was held.
///
/// When the tests have ended it is written to the file that `LONGEST_TURN_FILE` names: on standard
/// output the last lines are the summary of the test runner.
enum LongestTurn {
    private static let longest = Mutex<Watchdog.Offence?>(nil)

    /// Told once, however many servers there were.
    private static let isTold: Void = {
        atexit {
            guard let path = getenv("LONGEST_TURN_FILE"), let file = fopen(path, "w"),
                let longest = LongestTurn.longest.withLock({ $0 })
            else { return }
            fputs("Longest turn of a worker: \(longest).\n", file)
            fclose(file)
        }
    }()

    static func note(_ turn: Watchdog.Offence) {
        _ = isTold
        longest.withLock { longest in
            if (longest?.nanoseconds ?? 0) < turn.nanoseconds { longest = turn }
        }
    }
}
