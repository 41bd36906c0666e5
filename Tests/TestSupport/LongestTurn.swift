import Glibc
import MockServer
import Synchronization

/// The longest time that any worker of any test's server was held, told when the tests have ended.
enum LongestTurn {
    private static let longest = Mutex<Watchdog.Offence?>(nil)

    /// Told once, however many servers there were.
    private static let isTold: Void = {
        atexit {
            if let longest = LongestTurn.longest.withLock({ $0 }) {
                print("Longest turn of a worker: \(longest).")
                fflush(nil)
            }
        }
    }()

    static func note(_ turn: Watchdog.Offence) {
        _ = isTold
        longest.withLock { longest in
            if (longest?.nanoseconds ?? 0) < turn.nanoseconds { longest = turn }
        }
    }
}
