import Dispatch
import Foundation
import Synchronization

/// Threads of their own: tests share the few of Swift concurrency, which must not be kept waiting.
struct TestThreads {
    private let group = DispatchGroup()
    private let failures = Failures()

    private final class Failures: Sendable {
        let all = Mutex<[String]>([])
    }

    /// Starts a thread.
    mutating func start(_ body: @escaping @Sendable () throws -> Void) {
        let (group, failures) = (group, failures)
        group.enter()
        Thread {
            do {
                try body()
            } catch {
                failures.all.withLock { $0.append("\(error)") }
            }
            group.leave()
        }.start()
    }

    /// Waits for all of them, and gives what they threw.
    func wait() -> [String] {
        group.wait()
        return failures.all.withLock { $0 }
    }
}

/// Something that one thread tells others.
final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
