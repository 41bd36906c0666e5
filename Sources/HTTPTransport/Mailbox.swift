import CLinux
import Glibc
import Synchronization

/// What other threads have for a worker, and the eventfd that wakes it.
final class Mailbox: Sendable {
    enum Message: Sendable {
        /// A connection was accepted; an excess one is refused.
        case accepted(descriptor: Int32, peer: PeerAddress, id: UInt64, isExcess: Bool)
        /// The answer to a request that was left open.
        case reply(Connection, ordinal: Int, Reply)
        /// More of an answer that goes on; `nil` ends it.
        case stream(Connection, ordinal: Int, [UInt8]?)
        /// The answer that a request waits for: whether its client leaves meanwhile is told.
        case watch(Connection, ordinal: Int, ticket: UInt64)
        /// Work for the worker's own queue, not before this moment, unless the connection is gone.
        case perform(Connection, at: UInt64, @Sendable () -> Void)
        /// No more requests; what runs may run until the deadline.
        case stop(deadline: UInt64)
    }

    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    /// Readable whenever a message has come into the empty box.
    let descriptor: Int32
    private let state = Mutex(State())

    init() throws(SystemError) {
        descriptor = clinux_eventfd()
        guard descriptor >= 0 else { throw .last("eventfd") }
    }

    deinit { close(descriptor) }

    /// Leaves a message and wakes the worker.
    ///
    /// - Returns: Whether it will be read; not after the worker has ended.
    @discardableResult
    func post(_ message: Message) -> Bool {
        let (isFirst, isClosed) = state.withLock { state in
            guard !state.isClosed else { return (false, true) }
            state.messages.append(message)
            return (state.messages.count == 1, false)
        }
        // The box is watched edge-triggered, so its counter need never be read.
        if isFirst { eventfd_write(descriptor, 1) }
        return !isClosed
    }

    /// Whether nothing is left for the worker.
    var isEmpty: Bool { state.withLock { $0.messages.isEmpty } }

    /// Takes every message.
    func take() -> [Message] {
        state.withLock { state in
            let messages = state.messages
            state.messages = []
            return messages
        }
    }

    /// Takes every message, and refuses later ones.
    func close() -> [Message] {
        state.withLock { state in
            state.isClosed = true
            let messages = state.messages
            state.messages = []
            return messages
        }
    }

    private func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }
}
