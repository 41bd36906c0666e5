package import HTTPMessage

/// Whoever answers requests.
///
/// Every method is called on a worker and must not block it.
package protocol RequestHandler: AnyObject, Sendable {
    /// Decides, once a head that announces content is complete, how much content to take.
    ///
    /// Not called where no content follows, `Content-Length: 0` included.
    func admit(_ head: RequestHead, connection: ConnectionInfo) -> Admission

    /// Answers a complete request.
    ///
    /// - Returns: The reply, or `nil` when `exchange.send` brings it later, once.
    func respond(to request: consuming HTTPRequest, exchange: Exchange) -> Reply?

    /// The response for octets that are no request, for time-outs and for one connection too many.
    ///
    /// The connection closes after it.
    ///
    /// - Parameter head: The head, where all of it was read: its content is wrong or late, or what
    ///   its fields say is refused.
    func refuse(_ error: MessageError, head: RequestHead?, exchange: Exchange) -> Reply

    /// The response for a connection whose request is not read: the process has no descriptor for it,
    /// or too many are being refused already.
    ///
    /// Called on the acceptor's queue. The connection closes after it.
    ///
    /// - Parameter beginsShortage: Whether a descriptor is missing, for the first time in a while.
    func refuseUnread(beginsShortage: Bool) -> HTTPResponse

    /// The client ended its side of the connection while an answer that has a ticket was waited for,
    /// or was sent by the clock.
    ///
    /// Told once for each answer. The client may have left, or may still read: `delivered` has the last word.
    ///
    /// - Parameter time: When that was seen, in monotonic nanoseconds.
    func departed(ticket: UInt64, at time: UInt64, worker: Int)

    /// An answer that has a ticket ended. Called once for each reply that was handed over.
    func delivered(ticket: UInt64, report: DeliveryReport, worker: Int)

    /// Events of a connection came in an order that is impossible, and the connection was reset.
    ///
    /// A defect of this program: it belongs into the log.
    func met(_ order: ImpossibleOrder, connection: UInt64)

    /// The worker has answered everything that one poll brought.
    func batchEnded(worker: Int)
}

/// What becomes of announced content.
package enum Admission: Sendable {
    /// It is read; where it turns out to be longer, the request is refused as too large.
    case content(maximumOctets: Int)
    /// The request is answered at once. The connection closes if content is outstanding.
    case refuse(Reply)
}
