import Dispatch
import Synchronization

/// Lets short writes pass, and keeps them out while something longer is done to a session.
///
/// A worker may not wait: where it cannot enter, it is told once it is worth another try. What takes
/// long (a snapshot, a restore, a reset) runs beside the workers, and waits there until the short
/// writes that have begun are over.
final class WriteGate: Sendable {
    private struct State {
        /// Short writes that have entered and not left.
        var short = 0
        var isLong = false
        /// Called when the long work is over.
        var waiting: [@Sendable () -> Void] = []
        /// Signalled when the last short write leaves, or the long work ends.
        var sleeping: [DispatchSemaphore] = []
    }

    private let state = Mutex(State())

    init() {}

    /// Enters for a short write, which `leave` must follow.
    ///
    /// - Parameter resume: Called once, from any thread, where this is not possible now.
    /// - Returns: Whether the write may begin.
    func enter(orElse resume: () -> @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if state.isLong {
                state.waiting.append(resume())
                return false
            }
            state.short += 1
            return true
        }
    }

    /// Ends a short write.
    func leave() {
        let sleeping: [DispatchSemaphore] = state.withLock { state in
            state.short -= 1
            return state.short == 0 ? Self.takeAll(&state.sleeping) : []
        }
        for semaphore in sleeping { semaphore.signal() }
    }

    /// Runs something that takes long, alone.
    ///
    /// Not to be called on a worker: it waits.
    func long<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        begin()
        defer { end() }
        return try body()
    }

    private func begin() {
        // From here on no short write enters, so that those that have begun come to an end.
        var isMine = false
        while true {
            let semaphore: DispatchSemaphore? = state.withLock { state in
                if !isMine, !state.isLong {
                    state.isLong = true
                    isMine = true
                }
                if isMine, state.short == 0 { return nil }
                let semaphore = DispatchSemaphore(value: 0)
                state.sleeping.append(semaphore)
                return semaphore
            }
            guard let semaphore else { return }
            semaphore.wait()
        }
    }

    private func end() {
        let (waiting, sleeping) = state.withLock { state in
            state.isLong = false
            return (Self.takeAll(&state.waiting), Self.takeAll(&state.sleeping))
        }
        for semaphore in sleeping { semaphore.signal() }
        for resume in waiting { resume() }
    }

    private static func takeAll<Element>(_ list: inout [Element]) -> [Element] {
        defer { list = [] }
        return list
    }
}
