import Time

/// The requests that one client got through in the last while.
struct RateWindow: Sendable {
    /// How far back a clock may seem to go between threads; beyond, someone has set it.
    // Bounded: a constant of five seconds.
    private static let toleranceNanoseconds = SessionClock.stepSeconds * 1_000_000_000

    /// Times of passed requests, oldest first from `oldest` on, in a ring of at most the quota.
    private var times: [Int64] = []
    private var oldest = 0

    /// Lets a request through, or says how long until one would be.
    ///
    /// A request stops counting exactly `nanoseconds` after it. What is refused does not count.
    ///
    /// - Returns: `nil` when the request passes, else nanoseconds, at least 1.
    mutating func refusal(requests: Int, nanoseconds: Int64, now: Int64) -> Int64? {
        var now = now
        if let newest = times.isEmpty ? nil : times[(oldest + times.count - 1) % times.count],
            newest > now
        {
            if newest.subtractingSaturated(now) > Self.toleranceNanoseconds {
                times.removeAll(keepingCapacity: true)
                oldest = 0
            } else {
                now = newest
            }
        }
        guard times.count == requests else {
            // The ring turns only when it is full, so until then it is in order.
            times.append(now)
            return nil
        }
        let age = now.subtractingSaturated(times[oldest])
        if age < nanoseconds { return nanoseconds.subtractingSaturated(age) }
        times[oldest] = now
        oldest = (oldest + 1) % requests
        return nil
    }
}
