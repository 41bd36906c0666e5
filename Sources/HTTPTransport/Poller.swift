import CLinux
import Glibc

/// The small interface to epoll.
///
/// Edge-triggered: an event tells that something changed, and the connection remembers that it may
/// read on.
struct Poller: ~Copyable {
    /// What may be read from one descriptor.
    struct Event {
        let token: UInt64
        private let flags: UInt32

        fileprivate init(token: UInt64, flags: UInt32) {
            self.token = token
            self.flags = flags
        }

        /// An event of a simulation.
        init(token: UInt64, _ event: SimulatedEvent) {
            self.token = token
            var flags: Int = 0
            if event.isReadable { flags |= clinux_readable }
            if event.isPeerClosed { flags |= clinux_peer_closed }
            if event.isHangUp { flags |= clinux_hang_up }
            if event.isError { flags |= clinux_error }
            self.flags = UInt32(flags)
        }

        var isReadable: Bool { flags & UInt32(clinux_readable) != 0 }
        /// The peer has ended its side, or everything is over.
        var isPeerClosed: Bool {
            flags & UInt32(clinux_peer_closed | clinux_hang_up) != 0
        }
        /// Both sides have ended.
        var isHangUp: Bool { flags & UInt32(clinux_hang_up) != 0 }
        var isError: Bool { flags & UInt32(clinux_error) != 0 }
    }

    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private let capacity = 256

    init() throws(SystemError) {
        descriptor = clinux_epoll_create()
        guard descriptor >= 0 else { throw .last("epoll_create1") }
        events = .allocate(capacity: 256)
        events.initialize(repeating: epoll_event(), count: 256)
    }

    deinit {
        events.deallocate()
        close(descriptor)
    }

    /// Watches a descriptor for octets and for the end of its peer.
    ///
    /// - Returns: Whether the kernel had room for it.
    func add(_ watched: Int32, token: UInt64) -> Bool {
        let flags = UInt32(clinux_readable | clinux_peer_closed)
        return clinux_epoll_add(descriptor, watched, flags, token) == 0
    }

    /// Watches a descriptor for room to write, too, from now on.
    func watchWritable(_ watched: Int32, token: UInt64) {
        let flags = UInt32(
            clinux_readable | clinux_peer_closed | clinux_writable
        )
        _ = clinux_epoll_modify(descriptor, watched, flags, token)
    }

    /// Waits for events.
    ///
    /// - Parameter nanoseconds: Rounded up to milliseconds; `nil` waits for ever.
    /// - Returns: How many `event(at:)` has now, 0 after the time; `nil` where a signal ended the
    ///   wait, so that nobody knows what has happened.
    func wait(nanoseconds: UInt64?) -> Int? {
        var milliseconds: Int32 = -1
        if let nanoseconds {
            milliseconds = Int32(min(nanoseconds / 1_000_000 + 1, 60_000))
            if nanoseconds == 0 { milliseconds = 0 }
        }
        let count = epoll_wait(descriptor, events, Int32(capacity), milliseconds)
        return count < 0 ? nil : Int(count)
    }

    /// An event of the last `wait`.
    func event(at index: Int) -> Event {
        Event(
            token: clinux_event_token(events, Int32(index)),
            flags: clinux_event_flags(events, Int32(index))
        )
    }
}
