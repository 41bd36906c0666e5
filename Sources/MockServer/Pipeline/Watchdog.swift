import Glibc
import HTTPMessage
package import Synchronization

/// Finds work that holds an event loop too long: debug builds, and so all tests, measure every turn.
///
/// Measured is the processor time of the worker's own thread, so that a busy machine blames nobody.
/// A release build measures nothing, and pays nothing; one that is compiled with `WATCHDOG` measures
/// what optimised code takes (`scripts/soak --turns`).
package final class Watchdog: Sendable {
    /// A turn that took too long.
    package struct Offence: Sendable, CustomStringConvertible {
        /// What was asked for: a method and a path, without identifiers of a session's data.
        package let work: String
        package let nanoseconds: Int64

        package var description: String {
            "\(work) held its worker for \(nanoseconds / 1_000_000) ms"
        }
    }

    /// What a turn may take: 50 ms, and five times that where nothing is optimised.
    package static var limitNanoseconds: Int64 {
        #if DEBUG
            250_000_000
        #else
            50_000_000
        #endif
    }

    /// Turns that took longer are offences; tests of the watchdog itself set less.
    package let limit = Atomic(limitNanoseconds)

    private let longestTurn = Mutex<Offence?>(nil)
    private let all = Mutex<[Offence]>([])
    private let log: LogSink

    init(log: LogSink) { self.log = log }

    /// The turn that took longest so far; `nil` where nothing is measured.
    package var longest: Offence? { longestTurn.withLock { $0 } }

    /// The turns that took too long, the first hundred.
    package var offences: [Offence] { all.withLock { $0 } }

    /// Runs a turn of an event loop.
    ///
    /// - Parameter request: What the turn is about.
    @inline(__always)
    func watch<Result>(
        _ request: @autoclosure () -> HTTPRequest,
        _ turn: () -> Result
    ) -> Result {
        watch(work: Self.words(for: request()), turn)
    }

    /// Runs a turn of an event loop.
    ///
    /// - Parameter work: What the turn is about, in words without data of clients.
    @inline(__always)
    func watch<Result>(work: @autoclosure () -> String, _ turn: () -> Result) -> Result {
        #if DEBUG || WATCHDOG
            let start = Self.threadNanoseconds()
            let result = turn()
            note(Self.threadNanoseconds() - start, work)
            return result
        #else
            return turn()
        #endif
    }

    private static func words(for request: HTTPRequest) -> String {
        let path = request.target.path.prefix(200)
        return "\(request.method.rawValue) \(String(decoding: path, as: UTF8.self)) "
            + "with \(request.content.count) octets"
    }

    #if DEBUG || WATCHDOG
        private func note(_ nanoseconds: Int64, _ work: () -> String) {
            let isLongest = longestTurn.withLock { ($0?.nanoseconds ?? 0) < nanoseconds }
            let limit = limit.load(ordering: .relaxed)
            guard isLongest || nanoseconds > limit else { return }
            let offence = Offence(work: work(), nanoseconds: nanoseconds)
            longestTurn.withLock { longest in
                if (longest?.nanoseconds ?? 0) < nanoseconds { longest = offence }
            }
            guard nanoseconds > limit else { return }
            all.withLock { if $0.count < 100 { $0.append(offence) } }
            log.append("qubs-mock: \(offence)\n".utf8)
        }

        private static func threadNanoseconds() -> Int64 {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
    #endif
}
