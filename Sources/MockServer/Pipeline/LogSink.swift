import Dispatch
import Glibc
import HTTPTransport
import Synchronization
import Time

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

    /// What a pipe that is writable takes without a wait: `PIPE_BUF`.
    private static let pipeOctets = 4096
    /// How long a reader that takes nothing is waited for at the end.
    private static let patience = Duration.seconds(1)
    /// How long any reader is waited for at the end, however it goes on.
    private static let maximumPatience = Duration.seconds(3)

    private let descriptor: Int32
    private let isFile: Bool
    private let state = Mutex(State())
    /// When something was last taken, or began to wait; in nanoseconds.
    private let progress = Atomic<UInt64>(0)
    private let queue = DispatchQueue(label: "qubs-mock.log")

    /// A sink that writes to a descriptor it does not own.
    package init(descriptor: Int32 = 2) {
        self.descriptor = descriptor
        var status = stat()
        isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

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
        if mustStart {
            noteProgress()
            queue.async { self.drain() }
        }
    }

    /// Waits until everything appended so far is written, or until its reader seems to be none: a
    /// pipe that is full and that nobody reads must not keep a server from its end.
    package func flush() {
        let isWritten = DispatchSemaphore(value: 0)
        queue.async { isWritten.signal() }
        let start = MonotonicTime.now()
        while isWritten.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
            let last = progress.load(ordering: .relaxed)
            let now = MonotonicTime.now()
            if now > last + Self.patience.nanoseconds
                || now > start + Self.maximumPatience.nanoseconds
            {
                return
            }
        }
    }

    private func noteProgress() {
        progress.store(MonotonicTime.now(), ordering: .relaxed)
    }

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
                var room = buffer.count - offset
                if !isFile {
                    // So that it is here that a slow reader is waited for, not in a call that takes
                    // all or nothing. The descriptor is not ours to be made non-blocking: others
                    // write to the same.
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    while Glibc.poll(&poll, 1, -1) < 0, errno == EINTR {}
                    room = min(room, Self.pipeOctets)
                }
                let count = Glibc.write(descriptor, buffer.baseAddress?.advanced(by: offset), room)
                if count > 0 {
                    offset += count
                    noteProgress()
                } else if errno != EINTR && errno != EAGAIN {
                    return  // The reader is gone: a log nobody reads is no reason to stop.
                }
            }
        }
    }
}
