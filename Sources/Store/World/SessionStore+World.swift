import Dispatch
import Synchronization
package import Time

// The world of a session: off until somebody switches it on, and brought up to date by requests.

extension SessionStore {
    package var worldMode: WorldMode { isLiving.load(ordering: .relaxed) ? .living : .still }

    /// Switches the world on or off; off, it stays as it is.
    package func setWorld(_ mode: WorldMode) {
        isLiving.store(mode == .living, ordering: .relaxed)
        lookAtWorld()
    }

    /// Whether something has happened that the data do not show yet.
    ///
    /// One comparison: every request asks.
    ///
    /// - Parameter now: The time of the session's clock, in nanoseconds since 1970.
    @inline(__always)
    package func isEventDue(at now: Int64) -> Bool {
        dueNanoseconds.load(ordering: .relaxed) <= now
    }

    /// Brings the data up to an instant, beside the workers.
    ///
    /// - Parameters:
    ///   - now: The time of the session's clock.
    ///   - then: Called once that is done, from another thread.
    package func bringWorld(to now: Instant, then: @escaping @Sendable () -> Void) {
        queue.async {
            self.bringWorld(to: now)
            then()
        }
    }

    /// Brings the data up to an instant; not for workers.
    package func bringWorld(to now: Instant) {
        gate.long {
            writing.withLock { _ in
                guard isEventDue(at: Self.nanoseconds(now)) else { return }
                do throws(StoreError) {
                    let next = try advanceWorld(to: now)
                    setDue(next.map(Self.nanoseconds) ?? .max)
                } catch {
                    // The next try is a minute later, by the same clock: not every request may wait.
                    setDue(Self.nanoseconds(now.advanced(bySeconds: 60)))
                    context.notice("session \(name): the world stands still: \(error)")
                }
            }
        }
    }

    private func advanceWorld(to now: Instant) throws(StoreError) -> Instant? {
        let writer = try openWriter()
        try writer.begin()
        do throws(StoreError) {
            let next = try writer.world().advance(to: now)
            try writer.commit()
            emptyLogWhereDue(writer)
            return next
        } catch {
            writer.rollback()
            throw error
        }
    }

    /// Has the next request look at the world: the data are other ones, or the mode is.
    func lookAtWorld() {
        dueNanoseconds.store(
            isLiving.load(ordering: .relaxed) ? .min : .max,
            ordering: .relaxed
        )
    }

    private func setDue(_ nanoseconds: Int64) {
        dueNanoseconds.store(
            isLiving.load(ordering: .relaxed) ? nanoseconds : .max,
            ordering: .relaxed
        )
    }

    /// Under `writing`, after a write that has changed what is to come.
    func noteDue(_ time: Instant) {
        let nanoseconds = Self.nanoseconds(time)
        if isLiving.load(ordering: .relaxed), !isEventDue(at: nanoseconds) {
            dueNanoseconds.store(nanoseconds, ordering: .relaxed)
        }
    }

    private static func nanoseconds(_ instant: Instant) -> Int64 {
        instant.secondsSince1970.multipliedSaturated(by: 1_000_000_000)
    }
}
