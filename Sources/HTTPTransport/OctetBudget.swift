import Synchronization

/// The octets of clients that may be in memory at once, all connections of a listener together.
///
/// They are counted as they arrive, not as they are announced. A request that finds no room is
/// refused, rather than left unread until there is some: its client learns at once that it may try
/// again, nothing of the request has been carried out, and requests that are half read can never
/// wait for each other.
final class OctetBudget: Sendable {
    private let maximum: Int
    private let used = Atomic(0)

    init(maximum: Int) { self.maximum = maximum }

    /// Counts further octets.
    ///
    /// - Returns: Whether there is room for them; nothing is counted where there is none.
    func take(_ count: Int) -> Bool {
        guard used.add(count, ordering: .relaxed).newValue <= maximum else {
            giveBack(count)
            return false
        }
        return true
    }

    func giveBack(_ count: Int) { used.subtract(count, ordering: .relaxed) }

    /// Octets in memory now.
    var usedOctets: Int { used.load(ordering: .relaxed) }
}

/// A part of the budget, given back when nobody holds it any longer.
///
/// Unchecked Sendable: only its owner, a connection, changes it.
final class OctetShare: @unchecked Sendable {
    private let budget: OctetBudget
    private var count = 0

    init(of budget: OctetBudget) { self.budget = budget }

    deinit { if count > 0 { budget.giveBack(count) } }

    /// Makes the part larger, where there is room.
    func grow(by more: Int) -> Bool {
        guard budget.take(more) else { return false }
        count += more
        return true
    }
}
