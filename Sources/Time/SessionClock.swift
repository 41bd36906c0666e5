import Synchronization

/// The clock of one session: the only source of time for everything that expires or is stamped.
///
/// `real` runs with the system's time, shifted where somebody set it; `frozen` stands still.
/// Whatever the system's clock and the shift, a reading lies within `range`.
package final class SessionClock: Sendable {
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

        /// The time that the clock shows; at the ends of `range` it stands.
        func present(_ system: Int64) -> Int64 {
            mode == .frozen ? frozen : SessionClock.inRange(system.addingSaturated(offset))
        }
    }

    /// 1970 to 2200, in nanoseconds since 1970.
    ///
    /// `Int64` counts nanoseconds from 1677 to 2262, and what is made at the end of this range, such
    /// as a token of a year, still has an instant that RFC 3339 can write.
    package static let range: ClosedRange<Int64> = 0...7_258_118_400_000_000_000

    /// How far a system's clock may step back without being set by anybody, in seconds.
    ///
    /// What seems to be issued later than now by no more than this is good.
    package static let stepSeconds: Int64 = 5

    private let system: @Sendable () -> Int64
    private let state: Mutex<State>

    /// A clock that runs with the system's time.
    ///
    /// - Parameter system: Nanoseconds since 1970; beyond `range` its nearest end counts.
    package init(system: @escaping @Sendable () -> Int64 = SystemTime.wall) {
        self.system = system
        state = Mutex(State())
    }

    /// The present time of the session.
    package func now() -> Instant { read().instant }

    /// Mode, time and number of moves, read together.
    package func read() -> Reading {
        let systemNow = Self.inRange(system())
        return state.withLock { state in
            Reading(mode: state.mode, nanoseconds: state.present(systemNow), moves: state.moves)
        }
    }

    /// Sets the mode, and the time where one is given.
    ///
    /// Without a time `real` is the system's own time, and `frozen` stands at the present time of
    /// this clock.
    ///
    /// - Parameter now: Within `range`; beyond it its nearest end counts.
    package func set(_ mode: Mode, nanoseconds now: Int64?) {
        let systemNow = Self.inRange(system())
        let now = now.map(Self.inRange)
        state.withLock { state in
            switch mode {
            // Both lie within `range`, so the difference does not overflow.
            case .real: state.offset = now?.subtractingSaturated(systemNow) ?? 0
            case .frozen: state.frozen = now ?? state.present(systemNow)
            }
            state.mode = mode
            state.moves += 1
        }
    }

    /// Moves the clock forward, keeping its mode.
    ///
    /// - Returns: `false`, and nothing is changed, where the time would leave `range`.
    package func advance(byNanoseconds nanoseconds: Int64) -> Bool {
        let systemNow = Self.inRange(system())
        return state.withLock { state in
            let target = state.present(systemNow).addingSaturated(nanoseconds)
            guard nanoseconds >= 0, Self.range.contains(target) else { return false }
            switch state.mode {
            case .real: state.offset = target.subtractingSaturated(systemNow)
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

    private static func inRange(_ nanoseconds: Int64) -> Int64 {
        min(max(nanoseconds, range.lowerBound), range.upperBound)
    }
}
