import Dispatch
import Glibc
import Synchronization

/// Writes log lines to standard error without ever holding a request up.
///
/// Workers append to a buffer; a queue of its own writes it. Where the reader of a pipe is too
/// slow, lines beyond `maximumOctets` are dropped, and their number is told once there is room.
package final class LogSink: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var isWriting = false
        var dropped = 0
    }

    /// Octets that may wait for a slow reader.
    private static let maximumOctets = 1 << 20

    private let descriptor: Int32
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "qubs-mock.log")

    /// A sink that writes to a descriptor it does not own.
    package init(descriptor: Int32 = 2) { self.descriptor = descriptor }

    /// Appends complete lines.
    package func append(_ lines: some Collection<UInt8>) {
        if lines.isEmpty { return }
        let mustStart = state.withLock { state in
            if state.pending.count + lines.count > Self.maximumOctets {
                state.dropped += 1
                return false
            }
            state.pending.append(contentsOf: lines)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { queue.async { self.drain() } }
    }

    /// Waits until everything appended so far is written.
    package func flush() { queue.sync {} }

    private func drain() {
        while true {
            let batch = state.withLock { state -> [UInt8] in
                if state.dropped > 0, state.pending.count < Self.maximumOctets / 2 {
                    let note = "qubs-mock: \(state.dropped) log lines were dropped\n"
                    state.pending.append(contentsOf: note.utf8)
                    state.dropped = 0
                }
                let batch = state.pending
                state.pending = []
                if batch.isEmpty { state.isWriting = false }
                return batch
            }
            if batch.isEmpty { return }
            write(batch)
        }
    }

    private func write(_ octets: [UInt8]) {
        octets.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = Glibc.write(
                    descriptor,
                    buffer.baseAddress?.advanced(by: offset),
                    buffer.count - offset
                )
                if count > 0 {
                    offset += count
                } else if errno == EINTR {
                    continue
                } else if errno == EAGAIN {
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    Glibc.poll(&poll, 1, 1000)
                } else {
                    return  // The reader is gone: a log nobody reads is no reason to stop.
                }
            }
        }
    }
}
