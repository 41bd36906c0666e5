import HTTPMessage
import Journal
import OAuth
import QUBS
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

    private var pending: [Pending?] = []
    private var freeTickets: [Int] = []
    private var dateSecond = Int64.min
    private var dateText = ""
    private var logSecond = Int64.min
    private var logText = ""

    init(index: Int, verifier: TokenVerifier) {
        self.index = index
        tokens = TokenCache(verifier: verifier)
    }

    /// Remembers an answer until the transport reports its delivery; never 0.
    func ticket(for answer: Pending) -> UInt64 {
        if let free = freeTickets.popLast() {
            pending[free] = answer
            return UInt64(free + 1)
        }
        pending.append(answer)
        return UInt64(pending.count)
    }

    /// The answer behind a ticket, while its delivery has not ended.
    func pending(_ ticket: UInt64) -> Pending? {
        let index = Int(ticket) - 1
        return pending.indices.contains(index) ? pending[index] : nil
    }

    /// Puts the answer in the place of what was remembered while it was waited for.
    func replace(_ ticket: UInt64, with answer: Pending) {
        pending[Int(ticket) - 1] = answer
    }

    /// Forgets an answer.
    func redeem(_ ticket: UInt64) -> Pending? {
        let index = Int(ticket) - 1
        guard pending.indices.contains(index), let answer = pending[index] else { return nil }
        pending[index] = nil
        freeTickets.append(index)
        return answer
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
