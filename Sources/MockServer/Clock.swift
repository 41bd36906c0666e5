import Glibc
package import QUBS
import Synchronization

/// The times of the machine: the only place in the package that asks for them.
package enum SystemTime {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    package static func wall() -> Int64 { read(CLOCK_REALTIME) }

    /// Nanoseconds on a clock that never jumps, the transport's own.
    package static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// The clock of one session: the only source of time for everything that expires or is stamped.
///
/// `real` runs with the system's time, shifted where somebody set it; `frozen` stands still.
package final class Clock: Sendable {
    /// How the clock runs.
    package enum Mode: String, Sendable {
        case real
        case frozen
    }

    /// What can be read of a clock.
    package struct Reading: Sendable {
        package let mode: Mode
        /// Nanoseconds since 1970.
        package let nanoseconds: Int64
        /// How often the clock was set, advanced or reset.
        package let moves: Int

        /// The time in whole seconds, rounded down.
        package var instant: Instant {
            Instant(secondsSince1970: nanoseconds.floorDivided(by: 1_000_000_000))
        }
    }

    private struct State {
        var mode = Mode.real
        /// Added to the system's time in mode `real`.
        var offset: Int64 = 0
        /// The time in mode `frozen`.
        var frozen: Int64 = 0
        var moves = 0
    }

    /// Times outside these years cannot be written as RFC 3339 or IMF-fixdate.
    ///
    /// 1970 to 2200, in nanoseconds since 1970.
    package static let range: ClosedRange<Int64> = 0...7_258_118_400_000_000_000

    private let system: @Sendable () -> Int64
    private let state: Mutex<State>

    /// A clock that runs with the system's time.
    package init(system: @escaping @Sendable () -> Int64 = SystemTime.wall) {
        self.system = system
        state = Mutex(State())
    }

    /// The present time of the session.
    package func now() -> Instant { read().instant }

    /// Mode, time and number of moves, read together.
    package func read() -> Reading {
        let systemNow = system()
        return state.withLock { state in
            let nanoseconds =
                switch state.mode {
                case .real: systemNow + state.offset
                case .frozen: state.frozen
                }
            return Reading(mode: state.mode, nanoseconds: nanoseconds, moves: state.moves)
        }
    }

    /// Sets the mode, and the time where one is given.
    ///
    /// Without a time `real` is the system's own time, and `frozen` stands at the present time of
    /// this clock.
    package func set(_ mode: Mode, nanoseconds now: Int64?) {
        let systemNow = system()
        state.withLock { state in
            let present =
                state.mode == .real ? systemNow + state.offset : state.frozen
            switch mode {
            case .real: state.offset = now.map { $0 - systemNow } ?? 0
            case .frozen: state.frozen = now ?? present
            }
            state.mode = mode
            state.moves += 1
        }
    }

    /// Moves the clock forward, keeping its mode.
    ///
    /// - Returns: `false`, and nothing is changed, where the time would leave `range`.
    package func advance(byNanoseconds nanoseconds: Int64) -> Bool {
        let systemNow = system()
        return state.withLock { state in
            let present =
                state.mode == .real ? systemNow + state.offset : state.frozen
            let (target, overflow) = present.addingReportingOverflow(nanoseconds)
            guard nanoseconds >= 0, !overflow, Self.range.contains(target) else { return false }
            switch state.mode {
            case .real: state.offset += nanoseconds
            case .frozen: state.frozen = target
            }
            state.moves += 1
            return true
        }
    }

    /// Back to the system's time.
    package func reset() {
        state.withLock { state in
            let moves = state.moves
            state = State()
            state.moves = moves + 1
        }
    }
}

extension Int64 {
    /// The quotient, rounded down.
    func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
