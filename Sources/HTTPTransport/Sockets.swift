import CLinux
import Glibc

/// What a read of a socket found.
package enum SocketRead: Hashable, Sendable {
    case octets(Int)
    case nothing
    /// The client has ended its side, and everything before that was read.
    case end
    case broken
}

/// What a socket did with octets.
package enum SocketWrite: Hashable, Sendable {
    /// It took so many.
    case octets(Int)
    case full
    case broken
}

/// A network that is none: a simulation puts it in the place of the system's sockets.
///
/// A descriptor is any number that the simulation has given to `WorkerSimulation.accept`.
package protocol SimulatedNetwork: AnyObject {
    /// Reads once, as `recv`.
    func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> SocketRead
    /// Writes once, as `send`.
    func send(_ descriptor: Int32, _ octets: UnsafeRawBufferPointer) -> SocketWrite
    /// Sends a FIN, as `shutdown`.
    func endOutput(_ descriptor: Int32)
    /// Tells from now on when the socket is writable, too, as `epoll_ctl`.
    func watchWritable(_ descriptor: Int32)
    /// Closes the socket, with a reset in place of a FIN where that is asked for.
    func close(_ descriptor: Int32, resets: Bool)
}

/// The system calls of a worker on its connections, or those of a simulated network.
///
/// Unchecked Sendable: it does not change, and a simulation has one thread.
struct Sockets: @unchecked Sendable {
    /// `nil` in a server.
    let network: (any SimulatedNetwork)?

    /// Reads once.
    func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> SocketRead {
        if let network { return network.receive(descriptor, into: buffer) }
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .octets(count) }
            if count == 0 { return .end }
            if errno == EAGAIN { return .nothing }
            if errno != EINTR { return .broken }
        }
    }

    /// Writes once.
    func send(_ descriptor: Int32, _ octets: UnsafeRawBufferPointer) -> SocketWrite {
        if let network { return network.send(descriptor, octets) }
        while true {
            let count = Glibc.send(
                descriptor,
                octets.baseAddress,
                octets.count,
                Int32(clinux_no_signal)
            )
            if count > 0 { return .octets(count) }
            if count < 0, errno == EINTR { continue }
            return errno == EAGAIN ? .full : .broken
        }
    }

    /// Writes two pieces once, as if they lay together.
    func send(
        _ descriptor: Int32,
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer
    ) -> SocketWrite {
        if second.isEmpty { return send(descriptor, first) }
        if first.isEmpty { return send(descriptor, second) }
        if let network {
            return (Array(first) + Array(second)).withUnsafeBytes { network.send(descriptor, $0) }
        }
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { pieces in
            pieces.initializeElement(at: 0, to: Self.piece(first))
            pieces.initializeElement(at: 1, to: Self.piece(second))
            var message = msghdr()
            message.msg_iov = pieces.baseAddress
            message.msg_iovlen = 2
            while true {
                let count = sendmsg(descriptor, &message, Int32(clinux_no_signal))
                if count > 0 { return .octets(count) }
                if count < 0, errno == EINTR { continue }
                return errno == EAGAIN ? .full : .broken
            }
        }
    }

    private static func piece(_ octets: UnsafeRawBufferPointer) -> iovec {
        iovec(
            iov_base: UnsafeMutableRawPointer(mutating: octets.baseAddress),
            iov_len: octets.count
        )
    }

    /// Sends a FIN.
    func endOutput(_ descriptor: Int32) {
        if let network {
            network.endOutput(descriptor)
        } else {
            shutdown(descriptor, Int32(SHUT_WR))
        }
    }

    /// Closes the socket.
    ///
    /// - Parameter resets: Whether a reset takes the place of the FIN.
    func close(_ descriptor: Int32, resets: Bool) {
        if let network {
            network.close(descriptor, resets: resets)
            return
        }
        if resets {
            var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
            setsockopt(
                descriptor,
                SOL_SOCKET,
                SO_LINGER,
                &linger,
                socklen_t(MemoryLayout<Glibc.linger>.size)
            )
        }
        Glibc.close(descriptor)
    }
}
