import HTTPMessage
import Journal
import OAuth
import QUBS
import Store
import Time

/// What belongs to one worker of the transport, which alone may touch it.
///
/// Unchecked: the transport calls every method of its handler on the worker concerned, so each
/// context is confined to one serial queue.
final class WorkerContext: @unchecked Sendable {
    /// An answer whose delivery has not ended.
    struct Pending {
        let session: Session
        let entry: UInt64?
        let line: LogLine?
        /// What ends with the delivery.
        var claim: WritesInFlight.Claim?
    }

    let index: Int
    let tokens: TokenCache
    var generator = QuickGenerator()
    /// For what must not be guessed.
    var secureGenerator = SecureGenerator()
    /// Log lines of the present batch.
    var log: [UInt8] = []
    /// Writes that wait for the end of the batch.
    var writes: [WaitingWrite] = []
    /// The writes among which the present one is, where it is not alone.
    var group: WriteGroup?

    private var tickets = Tickets()
    private var dateSecond = Int64.min
    private var dateText = ""
    private var logSecond = Int64.min
    private var logText = ""

    init(index: Int, verifier: TokenVerifier) {
        self.index = index
        tokens = TokenCache(verifier: verifier)
    }

    /// Remembers an answer until the transport reports its delivery; never 0.
    func ticket(for answer: consuming Pending) -> UInt64 { tickets.issue(for: answer) }

    /// The answer behind a ticket, while its delivery has not ended.
    func pending(_ ticket: UInt64) -> Pending? {
        let index = Int(ticket) - 1
        return tickets.pending.indices.contains(index) ? tickets.pending[index] : nil
    }

    /// Puts the answer in the place of what was remembered while it was waited for.
    func replace(_ ticket: UInt64, with answer: Pending) {
        tickets.pending[Int(ticket) - 1] = answer
    }

    /// Forgets an answer.
    func redeem(_ ticket: UInt64) -> Pending? { tickets.redeem(ticket) }

    /// The answers that are pending, by their tickets.
    private struct Tickets {
        var pending: [Pending?] = []
        private var free: [Int] = []

        mutating func issue(for answer: consuming Pending) -> UInt64 {
            guard let place = free.popLast() else {
                pending.append(answer)
                return UInt64(pending.count)
            }
            pending[place] = answer
            return UInt64(place + 1)
        }

        mutating func redeem(_ ticket: UInt64) -> Pending? {
            let place = Int(ticket) - 1
            guard pending.indices.contains(place), let answer = pending[place].take() else {
                return nil
            }
            free.append(place)
            return answer
        }
    }

    /// The time of a log line, made once a second.
    ///
    /// - Parameter nanoseconds: Since 1970.
    func logTime(_ nanoseconds: Int64) -> String {
        let second = nanoseconds.floorDivided(by: 1_000_000_000)
        if second != logSecond {
            logSecond = second
            logText = Instant(secondsSince1970: second).rfc3339
        }
        return logText
    }

    /// The value of `Date` (RFC 9110 §6.6.1), made once a second.
    func date(_ instant: Instant) -> String {
        if instant.secondsSince1970 != dateSecond {
            dateSecond = instant.secondsSince1970
            dateText = instant.imfFixdate
        }
        return dateText
    }
}

/// The contexts of all workers.
struct Workers: Sendable {
    private let contexts: [WorkerContext]
    private let verifier: TokenVerifier

    init(count: Int, verifier: TokenVerifier) {
        self.verifier = verifier
        contexts = (0..<count).map { WorkerContext(index: $0, verifier: verifier) }
    }

    subscript(worker: Int) -> WorkerContext { contexts[worker] }

    var all: [WorkerContext] { contexts }

    /// A context for work beside the workers, used once.
    func contextBeside() -> WorkerContext {
        WorkerContext(index: contexts.count, verifier: verifier)
    }
}
