import Dispatch
import Glibc
import Synchronization

/// What a command prints, kept for when it fails: the end of it.
final class CommandOutput: Sendable {
    /// Octets that are kept.
    private static let maximum = 16_384
    /// How long the last octets may take once the command is gone.
    private static let patienceMilliseconds = 2_000

    private struct Tail: Sendable {
        var octets: [UInt8] = []
        var isCut = false
    }

    private let tail = Mutex(Tail())
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Reads a pipe to its end, on a thread of its own.
    func follow(_ descriptor: Int32) {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            hasEnded.signal()
            return
        }
        // A serial queue of its own has a thread of its own while it waits.
        DispatchQueue(label: "qubs-mock.output").async { [self] in
            var buffer = [UInt8](repeating: 0, count: 8_192)
            while true {
                let count = read(copy, &buffer, buffer.count)
                if count > 0 {
                    keep(buffer[..<count])
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
            close(copy)
            hasEnded.signal()
        }
    }

    private func keep(_ octets: ArraySlice<UInt8>) {
        tail.withLock { tail in
            tail.octets += octets
            // Cut now and then rather than each time.
            if tail.octets.count > 2 * Self.maximum {
                tail.octets.removeFirst(tail.octets.count - Self.maximum)
                tail.isCut = true
            }
        }
    }

    /// The end of what was printed, once the command is gone.
    func text() -> String {
        _ = hasEnded.wait(timeout: .now() + .milliseconds(Self.patienceMilliseconds))
        return tail.withLock { tail in
            let octets = tail.octets.suffix(Self.maximum)
            let text = String(decoding: octets, as: UTF8.self).filter {
                $0 != "\0" && $0 != "\u{1B}"
            }
            return tail.isCut || octets.count < tail.octets.count ? "…" + text : text
        }
    }
}
