import CLinux
import Dispatch
import Glibc
import Synchronization
import Time

/// The time by which the transport waits: the system's, or one that a test moves.
///
/// Every delay, pace, time-out and grace of a listener is measured by one of these. With a driven
/// one nothing is ever due before the test says so, however slow the machine is.
package final class TransportClock: Sendable {
    /// CLOCK_MONOTONIC.
    package static let system = TransportClock(driven: nil)

    /// A clock that stands still until it is moved.
    ///
    /// It begins with the time of the system, so that its moments can be told from none.
    package static func driven() -> TransportClock { driven(from: MonotonicTime.now()) }

    /// A clock that stands still at a moment of one's own, which is not 0, until it is moved.
    package static func driven(from start: UInt64) -> TransportClock {
        TransportClock(driven: start)
    }

    /// A worker that waits for events.
    private struct Sleeper {
        let worker: ObjectIdentifier
        /// What the worker will do next without an event; the end of time for nothing.
        let moment: UInt64
        /// Wakes it.
        let descriptor: Int32
    }

    /// Someone who waits until a worker waits for a moment.
    private struct Watcher {
        let moments: ClosedRange<UInt64>
        let semaphore: DispatchSemaphore
    }

    private struct State {
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []
    }

    /// Whether somebody moves it.
    let isDriven: Bool
    private let time: Atomic<UInt64>
    private let state = Mutex(State())

    private init(driven start: UInt64?) {
        isDriven = start != nil
        time = Atomic(start ?? 0)
    }

    /// The time in nanoseconds, never set back.
    package func now() -> UInt64 {
        isDriven ? time.load(ordering: .acquiring) : MonotonicTime.now()
    }

    // MARK: For workers

    /// How long a worker may wait for events.
    ///
    /// - Parameters:
    ///   - moment: What it waits for otherwise; the end of time for nothing.
    ///   - descriptor: An eventfd that ends its wait.
    /// - Returns: Nanoseconds; `nil` for no limit.
    func patience(
        of worker: Worker,
        until moment: UInt64,
        now: UInt64,
        descriptor: Int32
    ) -> UInt64? {
        guard isDriven else { return moment == .max ? nil : moment > now ? moment - now : 0 }
        return state.withLock { state in
            // Under the lock: the clock may have moved since `now` was read.
            if moment <= time.load(ordering: .relaxed) { return 0 }
            let worker = ObjectIdentifier(worker)
            state.sleepers.removeAll { $0.worker == worker }
            state.sleepers.append(Sleeper(worker: worker, moment: moment, descriptor: descriptor))
            state.watchers.removeAll { watcher in
                guard watcher.moments.contains(moment) else { return false }
                watcher.semaphore.signal()
                return true
            }
            return nil
        }
    }

    /// Forgets a worker that has ended, and whose descriptor may be another's soon.
    func forget(_ worker: Worker) {
        guard isDriven else { return }
        let worker = ObjectIdentifier(worker)
        state.withLock { $0.sleepers.removeAll { $0.worker == worker } }
    }

    // MARK: For tests

    /// Moves a driven clock, and wakes every worker.
    package func move(by duration: Duration) {
        precondition(isDriven, "only a driven clock can be moved")
        state.withLock { state in
            time.add(duration.nanoseconds, ordering: .releasing)
            for sleeper in state.sleepers { eventfd_write(sleeper.descriptor, 1) }
            state.sleepers = []
        }
    }

    /// Waits until what a worker does next is due after this time, and moves the clock that far.
    ///
    /// So a test need not know when a server has understood what it was sent. A worker whose next
    /// moment is another, such as the end of an idle connection, is none that is waited for.
    ///
    /// - Parameter limitSeconds: How long to wait, in real time.
    /// - Returns: Whether there was anything to wait for; otherwise the clock stands where it stood.
    package func advance(by duration: Duration, limitSeconds: Int = 30) -> Bool {
        precondition(isDriven, "only a driven clock can be moved")
        let semaphore = DispatchSemaphore(value: 0)
        let isThere = state.withLock { state in
            let limit = time.load(ordering: .relaxed).addingClamped(duration.nanoseconds)
            // Moments of a pace are rounded up.
            let moments = (limit - min(limit, 1_000_000))...limit
            if state.sleepers.contains(where: { moments.contains($0.moment) }) { return true }
            state.watchers.append(Watcher(moments: moments, semaphore: semaphore))
            return false
        }
        guard isThere || semaphore.wait(timeout: .now() + .seconds(limitSeconds)) == .success
        else { return false }
        move(by: duration)
        return true
    }
}
