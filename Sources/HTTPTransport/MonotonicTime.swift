import Glibc

/// The clock of time-outs, deliveries and reports: nanoseconds since some moment, never set back.
package enum MonotonicTime {
    /// CLOCK_MONOTONIC, in nanoseconds.
    package static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

extension Duration {
    /// Whole nanoseconds; none for a negative duration, and at most 95 years.
    package var nanoseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        guard seconds < 3_000_000_000 else { return 3_000_000_000 * 1_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}

extension UInt64 {
    /// A moment so much later, or the end of time.
    func addingClamped(_ nanoseconds: UInt64) -> UInt64 {
        let (sum, isTooLate) = addingReportingOverflow(nanoseconds)
        return isTooLate ? .max : sum
    }
}
