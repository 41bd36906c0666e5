import CLinux
import Glibc

/// Descriptors that are kept for the moment in which the process has no other.
///
/// Each is an event that nobody waits for until it is needed: that takes no file, and there may be
/// none, not even /dev/null. Then it is closed, and makes room for a connection, which is answered
/// and stands open in its place until its client has read the answer, or until its place is needed
/// for the next. `dup3` turns it back into an event in one step, so that nothing else in the process
/// can take the place meanwhile.
///
/// Unchecked Sendable: the acceptor's queue alone touches it.
final class DescriptorReserve: @unchecked Sendable {
    /// A connection that has its answer and is not closed yet.
    private struct Refused {
        let descriptor: Int32
        /// In monotonic nanoseconds.
        let deadline: UInt64
    }

    /// Connections that can be refused side by side.
    private static let size = 4
    /// Octets that are read at once of what a refused client sends.
    private static let readOctets = 16 * 1024
    /// Reads in a row of one connection.
    private static let maximumReads = 64

    /// What `dup3` copies.
    private let idle: Int32
    private var spare: [Int32] = []
    /// The oldest first.
    private var refused: [Refused] = []

    init() throws(SystemError) {
        idle = clinux_eventfd()
        guard idle >= 0 else { throw .last("eventfd") }
        refill()
        guard spare.count == Self.size else {
            let error = SystemError.last("eventfd")
            for descriptor in spare { close(descriptor) }
            close(idle)
            throw error
        }
    }

    deinit {
        for connection in refused { close(connection.descriptor) }
        for descriptor in spare { close(descriptor) }
        close(idle)
    }

    /// Takes back places that others took while they were open.
    private func refill() {
        while spare.count + refused.count < Self.size {
            let descriptor = clinux_eventfd()
            guard descriptor >= 0 else { return }
            spare.append(descriptor)
        }
    }

    /// Lets `accept` have a descriptor of the reserve.
    ///
    /// - Returns: What `accept` returned; -1 also where the reserve is used up, with `errno` EMFILE.
    func accept(_ accept: () -> Int32) -> Int32 {
        refill()
        while true {
            if spare.isEmpty, !refused.isEmpty { takeBack(refused.removeFirst().descriptor) }
            guard let place = spare.popLast() else {
                errno = EMFILE
                return -1
            }
            close(place)
            let descriptor = accept()
            if descriptor >= 0 { return descriptor }
            let code = errno
            refill()
            errno = code
            // Where another took the place, the next one is tried.
            guard code == EMFILE || code == ENFILE else { return -1 }
        }
    }

    /// Answers a connection, and keeps it until its client has read that.
    func refuse(_ descriptor: Int32, with octets: [UInt8], until deadline: UInt64) {
        _ = octets.withUnsafeBytes {
            send(descriptor, $0.baseAddress, $0.count, Int32(clinux_no_signal))
        }
        shutdown(descriptor, Int32(SHUT_WR))
        if refused.count == Self.size { takeBack(refused.removeFirst().descriptor) }
        refused.append(Refused(descriptor: descriptor, deadline: deadline))
        // What is unread when a socket is closed becomes a reset (RFC 9112 §9.6).
        if Self.hasEnded(descriptor) { takeBack(refused.removeLast().descriptor) }
    }

    /// What to poll beside the listening socket.
    var watched: [pollfd] {
        refused.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    }

    /// When the oldest refused connection is closed whatever its client does.
    var nextDeadline: UInt64? { refused.first?.deadline }

    /// Lets go of refused connections whose clients have ended, or have had their time.
    func settle(at now: UInt64) {
        let ended = refused.filter { $0.deadline <= now || Self.hasEnded($0.descriptor) }
        refused.removeAll { one in ended.contains { $0.descriptor == one.descriptor } }
        for connection in ended { takeBack(connection.descriptor) }
    }

    /// Closes a connection, and keeps its place where the reserve is not complete.
    private func takeBack(_ descriptor: Int32) {
        if spare.count + refused.count < Self.size, clinux_replace(descriptor, idle, O_CLOEXEC) >= 0
        {
            spare.append(descriptor)
        } else {
            close(descriptor)
        }
    }

    /// Throws away what has arrived, and says whether the client has ended its side.
    private static func hasEnded(_ descriptor: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: readOctets, alignment: 1) { buffer in
            for _ in 0..<maximumReads {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                if count == 0 { return true }
                if count < 0 { return errno != EAGAIN && errno != EINTR }
            }
            return false
        }
    }
}
