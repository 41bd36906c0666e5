import Glibc

/// The times of the machine: the only place in the package that asks for them.
package enum SystemTime {
    /// Nanoseconds since 1970-01-01T00:00:00Z; before 1677 and after 2262 the nearest that `Int64`
    /// holds.
    package static func wall() -> Int64 { nanoseconds(of: read(CLOCK_REALTIME)) }

    /// Nanoseconds on a clock that never jumps, the transport's own.
    package static func monotonic() -> Int64 { nanoseconds(of: read(CLOCK_MONOTONIC)) }

    /// A time of the kernel in nanoseconds; what `Int64` cannot hold becomes the nearest it can.
    static func nanoseconds(of time: timespec) -> Int64 {
        Int64(time.tv_sec).multipliedSaturated(by: 1_000_000_000)
            .addingSaturated(Int64(time.tv_nsec))
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}

/// The clock of time-outs, deliveries and reports: nanoseconds since some moment, never set back.
package enum MonotonicTime {
    /// CLOCK_MONOTONIC, in nanoseconds.
    package static func now() -> UInt64 { UInt64(bitPattern: SystemTime.monotonic()) }
}

extension Duration {
    /// Whole nanoseconds; none for a negative duration, and at most 95 years.
    package var nanoseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        guard seconds < 3_000_000_000 else { return 3_000_000_000_000_000_000 }
        // Bounded: at most 3·10^18 and 10^9.
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
