import Glibc
import HTTPTransport

/// The sockets that the worker sees, and what is wrong with its use of them.
final class Network: SimulatedNetwork {
    private(set) var links: [Link] = []
    private let clock: TransportClock
    private let complain: (String) -> Void

    init(clock: TransportClock, complain: @escaping (String) -> Void) {
        self.clock = clock
        self.complain = complain
    }

    func add(_ link: Link) { links.append(link) }

    /// Descriptors count from 1, and no number is used again: whoever uses one too long is found.
    private func link(_ descriptor: Int32, _ call: String) -> Link? {
        let link = links[Int(descriptor) - 1]
        guard !link.serverHasClosed else {
            complain("\(call) on connection \(descriptor), which is closed")
            return nil
        }
        return link
    }

    func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> SocketRead {
        guard let link = link(descriptor, "a read") else { return .broken }
        if link.hasResetArrived { return .broken }
        guard !link.inbox.isEmpty else { return link.hasEndArrived ? .end : .nothing }
        let octets = link.inbox.take(min(buffer.count, link.inbox.count))
        octets.withUnsafeBytes { buffer.copyMemory(from: $0) }
        link.lastRead = clock.now()
        return .octets(octets.count)
    }

    func send(_ descriptor: Int32, _ octets: UnsafeRawBufferPointer) -> SocketWrite {
        guard let link = link(descriptor, "a write") else { return .broken }
        if link.serverHasEnded { complain("a write on connection \(descriptor) after its FIN") }
        if octets.isEmpty { complain("an empty write on connection \(descriptor)") }
        if link.hasResetArrived { return .broken }
        guard link.hasRoom else {
            link.wasFull = true
            return .full
        }
        let count = min(octets.count, link.wireLimit - link.wire.count)
        let taken = UnsafeRawBufferPointer(rebasing: octets[..<count])
        if let wrong = link.transcript.note(taken, at: clock.now()) {
            complain("connection \(descriptor): \(wrong)")
        }
        if link.clientHasClosed {
            link.isResetOnItsWay = true
        } else {
            link.wire.append(taken)
        }
        return .octets(count)
    }

    func endOutput(_ descriptor: Int32) {
        guard let link = link(descriptor, "a FIN") else { return }
        if link.serverHasEnded { complain("a second FIN on connection \(descriptor)") }
        link.serverHasEnded = true
    }

    func watchWritable(_ descriptor: Int32) {
        guard let link = link(descriptor, "a watch") else { return }
        link.isWatchedForRoom = true
        // The kernel looks again whether something is so already.
        if link.hasRoom || link.event != SimulatedEvent() { link.hasNews = true }
    }

    func close(_ descriptor: Int32, resets: Bool) {
        guard let link = link(descriptor, "a close") else { return }
        link.serverHasClosed = true
        // Octets that nobody has read make a reset of the FIN, too.
        if resets || !link.inbox.isEmpty {
            link.serverHasReset = true
            link.wire.removeAll()
        }
    }
}
