import Glibc
import HTTPMessage
import HTTPTransport

/// What one connection is to send, by the answers that were handed over, and what it has sent.
final class Transcript {
    /// What an answer may look like.
    struct Form {
        let octets: [UInt8]
        /// Whether it says that the connection closes.
        let closes: Bool
        var isInterim = false
    }

    /// An answer that was handed over.
    final class Answer {
        let ticket: UInt64
        let reply: Reply
        /// The moment before which none of it may be sent.
        let earliest: UInt64
        let forms: [Form]
        /// Whether the connection cannot live on after it.
        let isCut: Bool
        /// Whether the request, the handler or the server allows no other request after it.
        let mayClose: Bool
        /// Octets sent so far.
        var sent = 0
        var firstOctet: UInt64 = 0
        /// Whether every octet was sent.
        var isSent = false
        /// The report, once it has come.
        var report: DeliveryReport?

        /// - Parameter isHead: Whether the request was HEAD; `nil` where that is not known.
        init(_ reply: Reply, isHead: Bool?, earliest: UInt64, mayClose: Bool) {
            ticket = reply.ticket
            self.reply = reply
            self.earliest = earliest
            self.mayClose = mayClose
            let scripted = ScriptedDelivery(
                reply,
                omitsContent: isHead ?? false,
                closes: false,
                now: 0
            )
            if case .whole = scripted.end { isCut = false } else { isCut = true }
            // Without content, an answer to HEAD and one to GET are the same.
            let kinds = reply.response.content.isEmpty ? [false] : [false, true]
            forms = (isHead.map { [$0] } ?? kinds).flatMap { isHead in
                [false, true].map { closes in
                    let octets = ScriptedDelivery(
                        reply,
                        omitsContent: isHead,
                        closes: closes,
                        now: 0
                    ).octets
                    return Form(octets: octets, closes: closes)
                }
            }
            isSent = forms[0].octets.isEmpty
        }

    }

    private(set) var answers: [Answer] = []
    /// How many answers have been sent to their last octet.
    private(set) var complete = 0
    /// Whether the last of them said that the connection closes.
    private(set) var saysClose = false
    /// Octets that the socket has taken.
    private(set) var sent = 0
    /// Octets that the client has read.
    private(set) var read = 0
    /// Where the last octet of each complete answer stands.
    private var ends: [Int] = []
    /// The answer, counted from 0, before which `100 Continue` may come.
    private var continuation: Int?

    private var candidates: [Form] = []
    private var position = 0

    func expect(_ answer: Answer) { answers.append(answer) }

    /// Before the answer that is handed over next, `100 Continue` may come.
    func allowContinue() { continuation = answers.count }

    /// How many answers the client has.
    var received: Int { ends.prefix(while: { $0 <= read }).count }

    func noteRead(_ octets: Int) { read += octets }

    /// Notes what the socket has taken.
    ///
    /// - Returns: What is wrong with it.
    func note(_ octets: UnsafeRawBufferPointer, at now: UInt64) -> String? {
        sent += octets.count
        var rest = octets
        while !rest.isEmpty {
            if candidates.isEmpty, let wrong = begin() { return wrong }
            // An answer without content is the beginning of one with it.
            candidates.removeAll { $0.octets.count == position }
            let limit = candidates.reduce(rest.count) { min($0, $1.octets.count - position) }
            let piece = UnsafeRawBufferPointer(rebasing: rest[..<limit])
            candidates.removeAll { !Self.holds($0.octets, piece, at: position) }
            guard let candidate = candidates.first else {
                return "answer \(complete + 1) has other octets at \(position)"
            }
            position += limit
            rest = UnsafeRawBufferPointer(rebasing: rest[limit...])
            if !candidate.isInterim, let wrong = note(limit, of: answers[complete], at: now) {
                return wrong
            }
            let whole = candidates.first { $0.octets.count == position }
            guard candidates.count == 1, whole != nil else {
                if whole?.isInterim == false { answers[complete].isSent = true }
                continue
            }
            if let wrong = end(candidate, offset: sent - rest.count) { return wrong }
        }
        return nil
    }

    /// Whether octets stand at a position, where there is room for them.
    private static func holds(
        _ octets: [UInt8],
        _ piece: UnsafeRawBufferPointer,
        at position: Int
    ) -> Bool {
        octets.withUnsafeBytes { octets in
            guard let octets = octets.baseAddress, let start = piece.baseAddress else {
                return true
            }
            return memcmp(octets + position, start, piece.count) == 0
        }
    }

    private func note(_ octets: Int, of answer: Answer, at now: UInt64) -> String? {
        // Its first octets may look like those of an interim response.
        if answer.sent == 0 {
            answer.firstOctet = now
            if now < answer.earliest { return "answer \(complete + 1) is early" }
        }
        answer.sent = position
        return nil
    }

    private func begin() -> String? {
        position = 0
        candidates = []
        let isOver = saysClose || (complete > 0 && answers[complete - 1].isCut)
        if !isOver, complete < answers.count {
            candidates = answers[complete].forms.filter { !$0.octets.isEmpty }
        }
        if continuation == complete {
            let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
            // Last, so that an answer that has begun counts as one.
            candidates.append(Form(octets: interim, closes: false, isInterim: true))
        }
        return candidates.isEmpty ? "octets that belong to no answer" : nil
    }

    private func end(_ form: Form, offset: Int) -> String? {
        candidates = []
        if form.isInterim {
            continuation = nil
            return nil
        }
        let answer = answers[complete]
        answer.isSent = true
        saysClose = form.closes
        complete += 1
        ends.append(offset)
        return form.closes && !answer.mayClose ? "answer \(complete) closes without a reason" : nil
    }
}
