import HTTPMessage
import Synchronization
import Time

/// An answer that is more than its octets at once: what to send, when, and what ends it.
///
/// It knows no socket: it is asked how far the octets may be out by now, and when to ask again.
package final class ScriptedDelivery {
    /// What ends the answer once its octets are out.
    package enum End {
        /// The connection lives on, or closes as after any answer.
        case whole
        case fin(DeliveryReport.Outcome)
        case reset
        /// Until the moment given, if any.
        case hang(until: UInt64?)
        /// Until its source, the client or the server ends it.
        case stream(ReplyStream)
    }

    let ticket: UInt64
    /// Everything that will be sent; of a stream, what is being sent.
    package private(set) var octets: [UInt8]
    /// The moment before which nothing is sent.
    package let start: UInt64
    package let end: End

    /// Octets sent so far, of those in `octets`.
    package private(set) var sent = 0
    /// Octets of a stream that were sent before those.
    private var sentEarlier = 0
    /// What of a stream comes after `octets`, in arrays that several streams may share.
    private var following: [[UInt8]] = []
    /// Whether a stream has been ended by its source.
    private var isSourceOver = false
    private(set) var firstOctet: UInt64 = 0
    private(set) var lastOctet: UInt64 = 0

    /// Octets that are sent at once, before those that are paced.
    private var unpaced: Int
    private let drip: (chunks: UInt64, over: UInt64)?
    private let bytesPerSecond: UInt64?
    /// When the head was sent, from which pieces are counted.
    private var paceStart: UInt64?

    /// - Parameters:
    ///   - omitsContent: Whether the request was HEAD.
    ///   - closes: Whether a whole answer says that the connection closes after it.
    ///   - now: The moment from which the delay runs.
    package init(_ reply: Reply, omitsContent: Bool, closes: Bool, now: UInt64) {
        let delivery = reply.delivery
        let response = reply.response
        ticket = reply.ticket
        start = now + delivery.delay.nanoseconds
        let hasContent = !omitsContent && !StatusCode.forbidsContent(response.status)
        let whole = hasContent ? response.content.count : 0
        let kept = max(0, min(delivery.truncateAfter ?? whole, whole))
        var octets: [UInt8] = []
        var unpaced = 0
        func appendHead(_ framing: ResponseSerializer.Framing, says closing: Bool) {
            ResponseSerializer.appendHead(
                of: response,
                to: &octets,
                framing: framing,
                closes: closing
            )
            unpaced = octets.count
        }
        switch delivery.ending {
        case .stream(let stream):
            appendHead(.close, says: true)
            if hasContent {
                octets += response.content
                end = .stream(stream)
            } else {
                end = .fin(.complete)
                stream.noteEnd()
            }
        case .whole:
            if response.isChunked, delivery.truncateAfter == nil {
                appendHead(.chunked, says: closes)
                if hasContent { ResponseSerializer.appendContent(of: response, to: &octets) }
            } else {
                // A cut looks like a network that failed: nothing announces it.
                appendHead(.length, says: closes && delivery.truncateAfter == nil)
                octets += response.content.prefix(kept)
            }
            end =
                delivery.truncateAfter == nil ? .whole : .fin(kept < whole ? .cut : .complete)
        case .reset, .empty, .hang:
            if delivery.truncateAfter != nil {
                appendHead(.length, says: false)
                octets += response.content.prefix(kept)
            }
            switch delivery.ending {
            case .reset: end = .reset
            case .hang(let maximum):
                let hangStart = start
                end = .hang(until: maximum.map { hangStart + $0.nanoseconds })
            default: end = .fin(.cut)
            }
        case .raw(let raw):
            octets = raw
            end = .fin(.cut)
        case .malformedChunk where omitsContent:
            // HEAD: fields as GET would have them, and no chunk that could be a broken one.
            appendHead(.chunked, says: closes)
            end = .whole
        case .malformedChunk:
            appendHead(.chunked, says: false)
            let half = delivery.truncateAfter == nil ? (whole + 1) / 2 : kept
            if half > 0 {
                ResponseSerializer.append(hexadecimal: half, to: &octets)
                ResponseSerializer.append("\r\n", to: &octets)
                octets += response.content.prefix(half)
                ResponseSerializer.append("\r\n", to: &octets)
            }
            ResponseSerializer.append("not-a-size\r\n", to: &octets)
            end = .fin(.cut)
        }
        self.octets = octets
        self.unpaced = unpaced
        let body = UInt64(octets.count - unpaced)
        drip = delivery.drip.map { drip in
            (chunks: max(1, min(UInt64(max(1, drip.chunks)), body)), over: drip.over.nanoseconds)
        }
        bytesPerSecond = delivery.bytesPerSecond.map { UInt64(max(1, $0)) }
    }

    /// Whether the connection may live on after the answer.
    var isWhole: Bool {
        if case .whole = end { return true }
        return false
    }

    /// Whether everything has been sent that ever will be.
    package var isSent: Bool { sent == octets.count }

    /// Whether every octet is out, and only silence goes on; a stream is not worth waiting for either.
    var isSilent: Bool {
        switch end {
        case .hang: isSent
        case .stream: true
        case .whole, .fin, .reset: false
        }
    }

    /// Whether a stream has been ended by its source, and everything is out.
    var isStreamOver: Bool { isSourceOver && isSent && following.isEmpty }

    /// Adds octets to a stream.
    func append(_ more: [UInt8]) {
        guard case .stream = end, !isSourceOver, !more.isEmpty else { return }
        following.append(more)
        _ = beginNext()
    }

    /// Ends a stream behind what it holds.
    func endStream() { isSourceOver = true }

    /// Turns to the next octets of a stream, where those before are out.
    ///
    /// - Returns: Whether there are any.
    func beginNext() -> Bool {
        guard isSent, !following.isEmpty else { return false }
        sentEarlier += sent
        sent = 0
        unpaced = 0
        octets = following.removeFirst()
        return true
    }

    /// How many octets may be out by now.
    ///
    /// Starts the pace when the delay is over.
    package func allowance(at now: UInt64) -> Int {
        guard now >= start else { return 0 }
        if paceStart == nil { paceStart = now }
        let elapsed = now - (paceStart ?? now)
        let body = UInt64(octets.count - unpaced)
        var allowed = body
        if let drip, elapsed < drip.over {
            let pieces = Self.scale(elapsed, by: drip.chunks, over: drip.over)
            allowed = Self.scale(body, by: pieces, over: drip.chunks)
        }
        if let bytesPerSecond {
            allowed = min(
                allowed,
                Self.scale(elapsed, by: bytesPerSecond, over: 1_000_000_000)
            )
        }
        return unpaced + Int(allowed)
    }

    /// When `allowance` will be worth asking again; `nil` when no time will change it.
    package var nextMoment: UInt64? {
        guard let paceStart else { return start }
        guard !isSent else {
            if case .hang(let until) = end { return until }
            return nil
        }
        let body = UInt64(octets.count - unpaced)
        let bodySent = UInt64(max(0, sent - unpaced))
        var elapsed: UInt64 = 0
        if let drip {
            // The first piece that ends after what is sent.
            let piece = Self.scale(bodySent + 1, by: drip.chunks, over: max(1, body), roundUp: true)
            elapsed = Self.scale(
                min(piece, drip.chunks),
                by: drip.over,
                over: drip.chunks,
                roundUp: true
            )
        }
        if let bytesPerSecond {
            // Not for each octet, unless that is slow enough: a hundred times a second.
            let next = min(body, bodySent + max(1, bytesPerSecond / 100))
            elapsed = max(
                elapsed,
                Self.scale(next, by: 1_000_000_000, over: bytesPerSecond, roundUp: true)
            )
        }
        return paceStart.addingClamped(elapsed)
    }

    /// Notes that octets were sent.
    package func noteSent(_ count: Int, at now: UInt64) {
        if sent == 0, sentEarlier == 0 { firstOctet = now }
        lastOctet = now
        sent += count
        if sentEarlier > 0, case .stream(let stream) = end {
            stream.sentOctets.add(count, ordering: .releasing)
        }
    }

    /// What to report.
    func report(_ outcome: DeliveryReport.Outcome) -> DeliveryReport {
        DeliveryReport(
            firstOctet: firstOctet,
            lastOctet: lastOctet,
            octetsSent: sentEarlier + sent,
            outcome: outcome
        )
    }

    /// `value * factor / divisor` without overflow on the way, and at most `UInt64.max`.
    private static func scale(
        _ value: UInt64,
        by factor: UInt64,
        over divisor: UInt64,
        roundUp: Bool = false
    ) -> UInt64 {
        let product = value.multipliedFullWidth(by: factor)
        guard product.high < divisor else { return .max }
        let (quotient, remainder) = divisor.dividingFullWidth(product)
        return roundUp && remainder > 0 ? quotient.addingClamped(1) : quotient
    }
}
