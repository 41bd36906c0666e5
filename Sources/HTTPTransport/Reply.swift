package import HTTPMessage

/// A response and how it is to be delivered.
package struct Reply: Sendable {
    package var response: HTTPResponse
    package var delivery: Delivery
    /// Names the answer in `RequestHandler.delivered`; 0 asks for no report.
    package var ticket: UInt64
    /// Whether the connection closes after the answer, which then says so.
    package var closesConnection: Bool

    package init(
        _ response: HTTPResponse,
        delivery: Delivery = Delivery(),
        ticket: UInt64 = 0,
        closesConnection: Bool = false
    ) {
        self.response = response
        self.delivery = delivery
        self.ticket = ticket
        self.closesConnection = closesConnection
    }
}

/// How an answer reaches the client.
///
/// By default whole and at once.
///
/// Everything combines: `delay` waits first; `drip` and `bytesPerSecond` both hold back content
/// (or raw octets), and the slower one decides; `ending` says what ends the answer.
package struct Delivery: Sendable {
    /// What ends the answer.
    package enum Ending: Sendable, Hashable {
        /// The whole response, and the connection lives on.
        case whole
        /// A reset. Without `truncateAfter` not an octet precedes it; with it, the head and so
        /// much of the content.
        case reset
        /// FIN. `truncateAfter` as for `reset`.
        case empty
        /// Silence until the client leaves or the time is over, then FIN. A client that ends its
        /// side of the connection has left. `truncateAfter` as for `reset`.
        case hang(maximum: Duration?)
        /// These octets in place of the response, then FIN.
        case raw([UInt8])
        /// A chunked response whose second chunk has no valid size, then FIN. The first chunk is
        /// the first half of the content (or `truncateAfter` octets).
        case malformedChunk
        /// The response, and then what `Exchange.stream` brings, until `Exchange.endStream`.
        ///
        /// The content has no length: it ends with the connection. A client that ends its side of
        /// the connection has left. When the server stops, such an answer ends at once.
        case stream(ReplyStream)
    }

    /// Time before the first octet.
    package var delay: Duration
    /// Octets of content, under the Content-Length of all of them, and then FIN.
    package var truncateAfter: Int?
    /// Content in so many pieces: piece `k` is sent `k * over / chunks` after the head.
    package var drip: (chunks: Int, over: Duration)?
    /// Octets of content a second, without an initial burst.
    package var bytesPerSecond: Int?
    package var ending: Ending

    package init(
        delay: Duration = .zero,
        truncateAfter: Int? = nil,
        drip: (chunks: Int, over: Duration)? = nil,
        bytesPerSecond: Int? = nil,
        ending: Ending = .whole
    ) {
        self.delay = delay
        self.truncateAfter = truncateAfter
        self.drip = drip
        self.bytesPerSecond = bytesPerSecond
        self.ending = ending
    }

    /// Whether nothing is asked for but the response, whole and at once.
    var isPlain: Bool {
        guard case .whole = ending else { return false }
        return delay <= .zero && truncateAfter == nil && drip == nil && bytesPerSecond == nil
    }
}

/// How an answer ended.
package struct DeliveryReport: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        /// Every octet of the response was handed to the socket.
        case complete
        /// The delivery, or the end of the server, cut it.
        case cut
        /// The client left before it had been sent, or would not read it.
        case clientLeft
    }

    /// Monotonic nanoseconds; 0 where no octet was sent.
    package var firstOctet: UInt64
    /// Monotonic nanoseconds; 0 where no octet was sent.
    package var lastOctet: UInt64
    /// Octets handed to the socket, those of the head included.
    package var octetsSent: Int
    package var outcome: Outcome
    /// Where the client left: when it was first seen to end its side, in monotonic nanoseconds; 0
    /// where that was not seen.
    package var departure: UInt64

    package init(
        firstOctet: UInt64,
        lastOctet: UInt64,
        octetsSent: Int,
        outcome: Outcome,
        departure: UInt64 = 0
    ) {
        self.firstOctet = firstOctet
        self.lastOctet = lastOctet
        self.octetsSent = octetsSent
        self.outcome = outcome
        self.departure = departure
    }

    /// What is reported of an answer of which no octet was sent, since the client had left.
    static func unsent(departure: UInt64) -> DeliveryReport {
        DeliveryReport(
            firstOctet: 0,
            lastOctet: 0,
            octetsSent: 0,
            outcome: .clientLeft,
            departure: departure
        )
    }
}
