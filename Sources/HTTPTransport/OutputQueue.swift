import HTTPMessage
import Time

/// Octets waiting until the socket is writable, and the answers that end among them.
struct OutputQueue {
    /// An answer that asked for a report: where it begins and ends among the octets.
    struct Answer {
        let ticket: UInt64
        let start: Int
        let end: Int
        var firstOctet: UInt64 = 0
        /// Octets sent before the queue was cut down to its unsent rest.
        var sentEarlier = 0
    }

    /// What came of an attempt to send.
    enum Outcome {
        case allSent
        /// The socket takes no more for now.
        case blocked
        /// The connection is broken.
        case broken
    }

    /// Content of so many octets is sent from where it lies: to copy it would cost more than all else
    /// that is done here.
    private static let largeContentOctets = 16_384

    var octets: [UInt8] = []
    /// The large content of the last answer, behind the octets; no answer follows it.
    private var content: [UInt8] = []
    private(set) var sent = 0
    private var answers: [Answer] = []
    /// When octets were last sent, where answers want to know.
    private var lastSend: UInt64 = 0

    /// How many octets there are, sent ones included.
    private var count: Int { octets.count + content.count }

    var isEmpty: Bool { sent == count }

    /// Whether nothing can be added before all is sent.
    var isClosed: Bool { !content.isEmpty }

    /// Adds an answer, whole.
    ///
    /// - Parameters:
    ///   - omitsContent: Whether the request was HEAD.
    ///   - closes: Whether the connection closes after it.
    mutating func append(_ reply: borrowing Reply, omitsContent: Bool, closes: Bool) {
        precondition(!isClosed)
        let start = count
        let isLarge =
            reply.response.content.count >= Self.largeContentOctets
            && reply.response.hasPlainContent && !omitsContent
        ResponseSerializer.append(
            reply.response,
            to: &octets,
            omitsContent: omitsContent || isLarge,
            closes: closes
        )
        if isLarge { content = reply.response.content }
        if reply.ticket != 0 {
            answers.append(Answer(ticket: reply.ticket, start: start, end: count))
        }
    }

    /// Forgets everything, keeping an allocation of reasonable size.
    mutating func removeAll() {
        sent = 0
        content = []
        answers.removeAll(keepingCapacity: true)
        if octets.capacity > 1 << 20 {
            octets = []
        } else {
            octets.removeAll(keepingCapacity: true)
        }
    }

    /// What is not yet sent, as a queue of its own.
    func rest() -> OutputQueue {
        var rest = OutputQueue()
        rest.lastSend = lastSend
        rest.octets = [UInt8](octets.dropFirst(sent))
        rest.octets += content.dropFirst(max(0, sent - octets.count))
        for answer in answers {
            var moved = Answer(
                ticket: answer.ticket,
                start: max(0, answer.start - sent),
                end: answer.end - sent
            )
            moved.firstOctet = answer.firstOctet
            moved.sentEarlier = answer.sentEarlier + max(0, sent - answer.start)
            rest.answers.append(moved)
        }
        return rest
    }

    /// Sends what the socket takes.
    ///
    /// - Parameter report: Called for each answer whose last octet was sent.
    mutating func send(
        to descriptor: Int32,
        through sockets: Sockets,
        clock: TransportClock,
        report: (UInt64, DeliveryReport) -> Void
    ) -> Outcome {
        // Before the system call: no client can have an octet earlier than its time says.
        let now = answers.isEmpty ? 0 : clock.now()
        var outcome = Outcome.allSent
        let before = sent
        octets.withUnsafeBytes { octets in
            content.withUnsafeBytes { content in
                while sent < octets.count + content.count {
                    let written = sockets.send(
                        descriptor,
                        UnsafeRawBufferPointer(rebasing: octets.dropFirst(sent)),
                        UnsafeRawBufferPointer(
                            rebasing: content.dropFirst(max(0, sent - octets.count))
                        )
                    )
                    switch written {
                    case .octets(let count): sent += count
                    case .full:
                        outcome = .blocked
                        return
                    case .broken:
                        outcome = .broken
                        return
                    }
                }
            }
        }
        if sent > before, !answers.isEmpty {
            lastSend = now
            reportSent(at: now, report: report)
        }
        return outcome
    }

    /// Reports the answers that will not be sent any further.
    ///
    /// - Parameter departure: When the client left, where that was seen; else 0.
    mutating func abandon(
        as outcome: DeliveryReport.Outcome,
        departure: UInt64,
        report: (UInt64, DeliveryReport) -> Void
    ) {
        for answer in answers {
            let octetsSent = answer.sentEarlier + max(0, sent - answer.start)
            report(
                answer.ticket,
                DeliveryReport(
                    firstOctet: answer.firstOctet,
                    lastOctet: octetsSent > 0 ? lastSend : 0,
                    octetsSent: octetsSent,
                    outcome: outcome,
                    departure: departure
                )
            )
        }
        removeAll()
    }

    private mutating func reportSent(at now: UInt64, report: (UInt64, DeliveryReport) -> Void) {
        var done = 0
        for index in answers.indices {
            guard sent > answers[index].start else { break }
            if answers[index].firstOctet == 0 { answers[index].firstOctet = now }
            guard sent >= answers[index].end else { break }
            let answer = answers[index]
            report(
                answer.ticket,
                DeliveryReport(
                    firstOctet: answer.firstOctet,
                    lastOctet: now,
                    octetsSent: answer.sentEarlier + answer.end - answer.start,
                    outcome: .complete
                )
            )
            done += 1
        }
        answers.removeFirst(done)
    }
}
