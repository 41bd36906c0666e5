package import Synchronization

/// An answer that goes on: how far it has come, and who wants to know when it gets there.
///
/// The worker of the connection calls both closures; they must not block it.
package final class ReplyStream: Sendable, Hashable {
    /// Octets of `Exchange.stream` that the socket has taken, those of the reply itself apart.
    package let sentOctets = Atomic<Int>(0)
    /// Whether `emptied` is to be called, once, when the socket has taken everything.
    package let awaitsEmptiness = Atomic(false)

    private let emptied: @Sendable () -> Void
    private let ended: @Sendable () -> Void

    /// - Parameters:
    ///   - emptied: Called when everything is sent, where `awaitsEmptiness` asks for it.
    ///   - ended: Called once, when nothing of the answer will be sent any more.
    package init(
        emptied: @escaping @Sendable () -> Void,
        ended: @escaping @Sendable () -> Void
    ) {
        self.emptied = emptied
        self.ended = ended
    }

    package static func == (one: ReplyStream, other: ReplyStream) -> Bool { one === other }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

    /// Notes that the socket has taken everything that there was.
    func noteEmptiness() {
        if awaitsEmptiness.exchange(false, ordering: .acquiringAndReleasing) { emptied() }
    }

    /// Notes the end of the answer.
    func noteEnd() { ended() }
}
