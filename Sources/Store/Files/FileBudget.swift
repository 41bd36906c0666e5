import Synchronization

/// Who holds files open, and lets go of them when others need them.
protocol FileHolder: AnyObject, Sendable {
    /// Whether files were used since the last call of this.
    func takeUse() -> Bool

    /// Closes all files, unless one of them is in use; never waits.
    ///
    /// - Returns: Whether anything was closed.
    func rest() -> Bool
}

/// How many files the sessions of a store have open together, and may have.
///
/// Beyond the limit, sessions that rest close theirs: the first, in turn, that was not used since it
/// was last looked at (the clock algorithm: nearly the least recently used, at the price of one flag
/// for each use). They open them again when they need them.
final class FileBudget: Sendable {
    private struct Weak {
        weak var holder: (any FileHolder)?
    }

    private struct State {
        var open = 0
        var holders: [Weak] = []
        var hand = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: Descriptors.
    init(limit: Int) { self.limit = limit }

    /// How many descriptors are taken.
    var open: Int { state.withLock { $0.open } }

    /// Adds one whose files can be closed.
    func add(_ holder: any FileHolder) {
        state.withLock { state in
            state.holders.removeAll { $0.holder == nil }
            state.holders.append(Weak(holder: holder))
        }
    }

    /// Takes descriptors; others close theirs where that is needed.
    ///
    /// - Throws: `StoreError.noDescriptors` where all others are in use.
    func take(_ count: Int) throws(StoreError) {
        while !state.withLock({ state in
            if state.open + count > limit { return false }
            state.open += count
            return true
        }) {
            if !relieve() { throw .noDescriptors }
        }
    }

    /// Gives back what was taken.
    func give(_ count: Int) {
        state.withLock { $0.open -= count }
    }

    /// Lets one holder close its files; `false` where none can.
    func relieve() -> Bool {
        // Twice around: the first time, each may have been used.
        var turns = state.withLock { $0.holders.count * 2 + 1 }
        while turns > 0 {
            turns -= 1
            let holder: (any FileHolder)? = state.withLock { state in
                if state.holders.isEmpty { return nil }
                state.hand = (state.hand + 1) % state.holders.count
                return state.holders[state.hand].holder
            }
            // Outside the lock: closing files gives their descriptors back.
            if let holder, !holder.takeUse(), holder.rest() { return true }
        }
        return false
    }
}
