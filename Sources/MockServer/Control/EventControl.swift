import Contract
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import Synchronization
import Time

/// `GET /__admin/events`: what happens in a session, told as it happens.
enum EventControl {
    static let entries: [ControlEntry] = [("Admin_FollowEvents", follow)]

    /// Viewers of all sessions together: each keeps a connection.
    static let maximumViewers = 1_000

    private static func follow(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        let lastEventID = call.valid.int("Last-Event-ID").map { UInt64(clamping: $0) }
        let context = call.context
        guard call.call.request.method != .head else {
            // A head as GET would have it.
            call.call.continuation = { _ in
                Delivery(ending: .stream(ReplyStream(emptied: {}, ended: {})))
            }
            return Answer(contentType: "text/event-stream")
        }
        guard context.viewers.add(1, ordering: .relaxed).newValue <= maximumViewers else {
            context.viewers.subtract(1, ordering: .relaxed)
            throw Problem(
                .unavailable,
                503,
                "\(maximumViewers) viewers follow already: close one of them.",
                fields: [HTTPResponse.Field("Retry-After", "5")]
            )
        }
        call.call.continuation = { exchange in
            session.feed.join(exchange, lastEventID: lastEventID) {
                context.viewers.subtract(1, ordering: .relaxed)
            }
        }
        // How long a browser waits before it comes back.
        return Answer(contentType: "text/event-stream", content: Array("retry: 1000\n\n".utf8))
    }
}

extension ControlCall {
    /// Tells those who follow the session what this call has done, where the contract says that it is
    /// an event.
    func announceSuccess() {
        guard let kind = operation.event else { return }
        let session = call.session
        if session.feed.isUnwatched { return }
        let clock = session.clock.read()
        var data = JSONObject()
        data["operation"] = .string(operation.id)
        data["now"] = .string(Timestamp.text(clock.nanoseconds))
        if kind == "clock" {
            data["mode"] = .string(clock.mode.rawValue)
            data["moves"] = .integer(Int(clamping: clock.moves))
        }
        if kind == "reset", let scope = valid.body?["scope"] { data["scope"] = scope }
        session.feed.announce(kind, .object(data))
        // A scenario brings rules, and is what the verdict is about from now on.
        if kind == "fault", operation.tag == "Verdict" {
            session.feed.announce("verdict", .object(data))
        }
    }
}

extension EventFeed {
    /// Tells that a scenario has moved the clock.
    func announceClock(_ clock: SessionClock.Reading) {
        announce(
            "clock",
            [
                "operation": .null, "now": .string(Timestamp.text(clock.nanoseconds)),
                "mode": .string(clock.mode.rawValue), "moves": .integer(Int(clamping: clock.moves)),
            ]
        )
    }
}
