import CLinux
import Dispatch
import Glibc
import HTTPMessage
import Synchronization
import Time

/// Connections of a listener, all workers together.
final class ListenerTotals: Sendable {
    let open = Atomic(0)
    let accepted = Atomic<UInt64>(0)
}

/// Binds, listens, accepts, hands connections out to workers, and stops.
///
/// One queue does nothing but accept: each connection goes to the worker that has the fewest.
package final class Listener: Sendable {
    /// Counts for whoever watches the server.
    package struct Statistics: Sendable, Hashable {
        package let openConnections: Int
        package let acceptedConnections: UInt64
        /// Octets of contents, and of requests that wait behind others, that are in memory.
        package let heldOctets: Int
    }

    private enum Life {
        case listening
        case accepting
        case stopped
    }

    /// The port that is listened on, also where 0 was asked for.
    package let port: Int

    private let configuration: TransportConfiguration
    private let handler: any RequestHandler
    private let budget: OctetBudget
    private let reserve: DescriptorReserve
    private let socket: Int32
    private let wake: Int32
    private let workers: [Worker]
    private let totals = ListenerTotals()
    private let life = Mutex(Life.listening)
    private let running = DispatchGroup()
    private let queue = DispatchQueue(label: "qubs-mock.acceptor")

    /// Pending connections; the kernel lowers it to net.core.somaxconn.
    private static let backlog: Int32 = 4096
    /// How long nothing is accepted after the kernel has run out of memory for it.
    private static let pauseMilliseconds: Int32 = 50
    /// For how long nothing may have lacked a descriptor before it is news again.
    private static let shortageNanoseconds: UInt64 = 10_000_000_000

    /// Listens on the configured address; connections wait until `start`.
    ///
    /// - Throws: `SystemError` with the call that failed, such as `bind` with `EADDRINUSE`.
    package init(
        configuration: TransportConfiguration,
        handler: any RequestHandler
    ) throws(SystemError) {
        self.configuration = configuration
        self.handler = handler
        budget = OctetBudget(maximum: configuration.maximumHeldOctets)
        reserve = try DescriptorReserve()
        var workers: [Worker] = []
        for index in 0..<max(1, configuration.workers) {
            workers.append(
                try Worker(
                    index: index,
                    configuration: configuration,
                    handler: handler,
                    totals: totals,
                    budget: budget
                )
            )
        }
        self.workers = workers
        (socket, port) = try Self.listen(host: configuration.host, port: configuration.port)
        wake = clinux_eventfd()
        // `deinit` closes the socket.
        guard wake >= 0 else { throw .last("eventfd") }
    }

    deinit {
        // A listener that runs is kept alive by its queue.
        if life.withLock({ $0 }) == .listening { Glibc.close(socket) }
        Glibc.close(wake)
    }

    package var statistics: Statistics {
        Statistics(
            openConnections: totals.open.load(ordering: .relaxed),
            acceptedConnections: totals.accepted.load(ordering: .relaxed),
            heldOctets: budget.usedOctets
        )
    }

    /// Starts to accept.
    package func start() {
        let isFirst = life.withLock { life in
            guard life == .listening else { return false }
            life = .accepting
            return true
        }
        guard isFirst else { return }
        for worker in workers { worker.start(in: running) }
        queue.async(group: running) { self.accept() }
    }

    /// Stops: no further connections, idle ones close at once, running answers get the grace.
    ///
    /// Returns when everything is closed. Not to be called from a handler.
    package func stop(grace: Duration) {
        let previous = life.withLock { life in
            let previous = life
            life = .stopped
            return previous
        }
        switch previous {
        case .listening: Glibc.close(socket)
        case .accepting:
            eventfd_write(wake, 1)
            let deadline = configuration.clock.now().addingClamped(grace.nanoseconds)
            for worker in workers { worker.mailbox.post(.stop(deadline: deadline)) }
        case .stopped: break
        }
        running.wait()
    }

    // MARK: Accepting

    private func accept() {
        dispatchPrecondition(condition: .onQueue(queue))
        var acceptor = Acceptor()
        while life.withLock({ $0 }) == .accepting {
            wait(&acceptor)
            accepting: while life.withLock({ $0 }) == .accepting {
                var peer = PeerAddress()
                let descriptor = peer.fill { clinux_accept(socket, $0, $1) }
                guard descriptor < 0 else {
                    handOut(descriptor, peer: peer, &acceptor)
                    continue
                }
                switch errno {
                case EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ENETUNREACH: continue
                case EAGAIN: break accepting
                case EMFILE, ENFILE:
                    guard acceptFromReserve(&acceptor) else { break accepting }
                default:
                    // ENOBUFS, ENOMEM: asking at once would only burn the processor.
                    acceptor.isPaused = true
                    break accepting
                }
            }
        }
        Glibc.close(socket)
    }

    /// What the acceptor's queue alone knows.
    private struct Acceptor {
        var nextWorker = 0
        /// Whether nothing is accepted for a moment.
        var isPaused = false
        /// When a connection last found no descriptor; 0 for never.
        var lastShortage: UInt64 = 0
    }

    /// Waits for connections, and lets refused ones go.
    private func wait(_ acceptor: inout Acceptor) {
        var watched = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            // A negative descriptor is not watched.
            pollfd(fd: acceptor.isPaused ? -1 : socket, events: Int16(POLLIN), revents: 0),
        ]
        watched += reserve.watched
        var milliseconds: Int32 = acceptor.isPaused ? Self.pauseMilliseconds : -1
        if let deadline = reserve.nextDeadline, !acceptor.isPaused {
            let now = MonotonicTime.now()
            let remaining = deadline > now ? deadline - now : 0
            milliseconds = Int32(min(remaining / 1_000_000 + 1, 60_000))
        }
        poll(&watched, nfds_t(watched.count), milliseconds)
        acceptor.isPaused = false
        reserve.settle(at: MonotonicTime.now())
    }

    /// Accepts the next connection though the process has no descriptor left, and answers it 503.
    ///
    /// - Returns: Whether the next may be tried.
    private func acceptFromReserve(_ acceptor: inout Acceptor) -> Bool {
        let descriptor = reserve.accept { clinux_accept(socket, nil, nil) }
        guard descriptor >= 0 else {
            // Not even the reserve could be kept: what waits is accepted when something is closed.
            if errno == EMFILE || errno == ENFILE { acceptor.isPaused = true }
            return errno != EAGAIN && !acceptor.isPaused
        }
        totals.accepted.add(1, ordering: .relaxed)
        let now = MonotonicTime.now()
        let isNews =
            acceptor.lastShortage == 0 || now - acceptor.lastShortage > Self.shortageNanoseconds
        acceptor.lastShortage = now
        refuse(descriptor, beginsShortage: isNews, &acceptor)
        return true
    }

    /// Answers a connection 503 without reading its request.
    private func refuse(
        _ descriptor: Int32,
        beginsShortage: Bool,
        _ acceptor: inout Acceptor
    ) {
        var octets: [UInt8] = []
        ResponseSerializer.append(
            handler.refuseUnread(beginsShortage: beginsShortage),
            to: &octets,
            omitsContent: false,
            closes: true
        )
        let deadline = MonotonicTime.now().addingClamped(configuration.lingerTimeout.nanoseconds)
        reserve.refuse(descriptor, with: octets, until: deadline)
    }

    private func handOut(_ descriptor: Int32, peer: PeerAddress, _ acceptor: inout Acceptor) {
        let first = acceptor.nextWorker
        acceptor.nextWorker = (first + 1) % workers.count
        let open = totals.open.add(1, ordering: .relaxed).newValue
        let id = totals.accepted.add(1, ordering: .relaxed).newValue
        guard open <= configuration.maximumConnections + configuration.maximumExcess else {
            totals.open.subtract(1, ordering: .relaxed)
            refuse(descriptor, beginsShortage: false, &acceptor)
            return
        }
        var chosen = first
        var fewest = Int.max
        for offset in workers.indices {
            let index = (first + offset) % workers.count
            let count = workers[index].connectionCount.load(ordering: .relaxed)
            if count < fewest {
                fewest = count
                chosen = index
            }
        }
        workers[chosen].connectionCount.add(1, ordering: .relaxed)
        let isTaken = workers[chosen].mailbox.post(
            .accepted(
                descriptor: descriptor,
                peer: peer,
                id: id,
                isExcess: open > configuration.maximumConnections
            )
        )
        if !isTaken {
            Glibc.close(descriptor)
            workers[chosen].connectionCount.subtract(1, ordering: .relaxed)
            totals.open.subtract(1, ordering: .relaxed)
        }
    }

    // MARK: Listening

    /// A listening socket on the first address of the host that can be had, and its port.
    private static func listen(
        host: String,
        port: Int
    ) throws(SystemError) -> (socket: Int32, port: Int) {
        var host = host
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &found)
        guard status == 0 else {
            throw SystemError(
                call: "getaddrinfo",
                code: 0,
                reason: String(cString: gai_strerror(status))
            )
        }
        defer { freeaddrinfo(found) }
        var failure = SystemError(call: "getaddrinfo", code: 0, reason: "no address")
        var candidate = found
        while let address = candidate {
            do throws(SystemError) {
                return try listen(on: address.pointee)
            } catch {
                failure = error
            }
            candidate = address.pointee.ai_next
        }
        throw failure
    }

    private static func listen(
        on address: addrinfo
    ) throws(SystemError) -> (socket: Int32, port: Int) {
        let descriptor = clinux_stream_socket(address.ai_family)
        guard descriptor >= 0 else { throw .last("socket") }
        do throws(SystemError) {
            // Inherited by every connection: answers are written whole, so no delay gains.
            for (level, option) in [
                (SOL_SOCKET, SO_REUSEADDR), (Int32(IPPROTO_TCP), TCP_NODELAY),
            ] {
                var on: Int32 = 1
                guard
                    setsockopt(
                        descriptor,
                        level,
                        option,
                        &on,
                        socklen_t(MemoryLayout<Int32>.size)
                    ) == 0
                else { throw .last("setsockopt") }
            }
            guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
                throw .last("bind")
            }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw .last("listen") }
            var bound = PeerAddress()
            guard bound.fill({ getsockname(descriptor, $0, $1) }) == 0 else {
                throw .last("getsockname")
            }
            return (descriptor, bound.port)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }
}
