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
    ///   - limit: How many of the events are to be told; 0 where nobody asks.
    ///   - then: Called once that is done, from another thread.
    package func bringWorld(
        to now: Instant,
        telling limit: Int,
        then: @escaping @Sendable (WorldNews?) -> Void
    ) {
        queue.async { then(self.bringWorld(to: now, telling: limit)) }
    }

    /// Brings the data up to an instant; not for workers.
    ///
    /// - Parameter limit: How many of the events are to be told; 0 where nobody asks.
    /// - Returns: What happened; `nil` where nothing did, or nobody asks.
    package func bringWorld(to now: Instant, telling limit: Int) -> WorldNews? {
        gate.long {
            writing.withLock { _ in
                guard isEventDue(at: Self.nanoseconds(now)) else { return nil }
                do throws(StoreError) {
                    let (next, news) = try advanceWorld(to: now, telling: limit)
                    setDue(next.map(Self.nanoseconds) ?? .max)
                    return news
                } catch {
                    // The next try is a minute later, by the same clock: not every request may wait.
                    setDue(Self.nanoseconds(now.advanced(bySeconds: 60)))
                    context.notice("session \(name): the world stands still: \(error)")
                    return nil
                }
            }
        }
    }

    private func advanceWorld(
        to now: Instant,
        telling limit: Int
    ) throws(StoreError) -> (next: Instant?, news: WorldNews?) {
        let writer = try openWriter()
        try writer.begin()
        do throws(StoreError) {
            let events = writer.tables.events
            let last = limit > 0 ? try events.last() : 0
            let next = try writer.world().advance(to: now)
            let news = limit > 0 ? try events.news(after: last, limit: limit) : nil
            try writer.commit()
            emptyLogWhereDue(writer)
            return (next, news?.events.isEmpty == true ? nil : news)
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
