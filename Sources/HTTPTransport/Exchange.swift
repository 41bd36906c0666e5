import Synchronization
import Time

/// A request on its connection: who asked, when, and where a later answer goes.
package struct Exchange: Sendable {
    /// Counts the requests of the connection from 1.
    package let requestOrdinal: Int
    /// When the last octet of the head was read, in monotonic nanoseconds.
    package let headArrival: UInt64
    /// When the last octet of the content was read, in monotonic nanoseconds; that of the head
    /// where there is none.
    package let contentArrival: UInt64
    /// Whether the worker has events of other connections to handle before its turn ends.
    package let isFollowed: Bool
    let connection: Connection
    /// The content, where there is any: it is in memory as long as this is held.
    let content: IncomingContent?

    /// The connection, a number that no other connection of this process has had.
    package var connectionID: UInt64 { connection.id }

    /// The worker that owns the connection, from 0.
    package var worker: Int { connection.workerIndex }

    /// The client's address and port, such as `127.0.0.1:50312`.
    package var peerAddress: String { connection.peer.text }

    /// Whether the connection is gone, so that an answer would go nowhere.
    package var isClosed: Bool { connection.isGone.load(ordering: .relaxed) }

    /// Brings the answer to a request for which `respond` returned `nil`.
    ///
    /// From any thread, once; a second answer is dropped, and reported as if the client had left.
    package func send(_ reply: Reply) {
        connection.mailbox.post(.reply(connection, ordinal: requestOrdinal, reply))
    }

    /// Brings more of an answer whose delivery is a stream.
    ///
    /// From any thread. Once the connection is gone, or the stream has ended, it is dropped.
    package func stream(_ octets: [UInt8]) {
        connection.mailbox.post(.stream(connection, ordinal: requestOrdinal, octets))
    }

    /// Ends an answer whose delivery is a stream, when all that was brought has been sent.
    package func endStream() {
        connection.mailbox.post(.stream(connection, ordinal: requestOrdinal, nil))
    }

    /// Runs work on the worker of the connection after a time, without holding the worker.
    ///
    /// For what must wait before it may begin. From any thread. Once the connection is gone nobody
    /// waits any longer, and the work runs at once; where the server has ended it, the work is
    /// dropped.
    ///
    /// - Parameter ticket: Names the answer that is waited for in `RequestHandler.departed`; 0 asks for
    ///   no notice.
    package func perform(
        after delay: Duration,
        ticket: UInt64 = 0,
        _ work: @escaping @Sendable () -> Void
    ) {
        let time = connection.clock.now().addingClamped(delay.nanoseconds)
        if ticket != 0 {
            connection.mailbox.post(.watch(connection, ordinal: requestOrdinal, ticket: ticket))
        }
        connection.mailbox.post(.perform(connection, at: time, work))
    }
}

/// The connection that a head came on, before its content is taken.
package struct ConnectionInfo: Sendable {
    /// The number that the request will have on the connection, from 1.
    package let requestOrdinal: Int
    /// When the last octet of the head was read, in monotonic nanoseconds.
    package let headArrival: UInt64
    let connection: Connection

    /// The connection, a number that no other connection of this process has had.
    package var connectionID: UInt64 { connection.id }

    /// The worker that owns the connection, from 0.
    package var worker: Int { connection.workerIndex }

    /// The client's address and port, such as `127.0.0.1:50312`.
    package var peerAddress: String { connection.peer.text }
}
