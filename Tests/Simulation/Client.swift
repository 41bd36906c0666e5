/// A client: what it sends, in which pieces, and how it leaves.
final class Client {
    struct Request {
        let octets: [UInt8]
        let isHead: Bool
        let path: String
        let content: [UInt8]
        let closes: Bool
        let expectsContinue: Bool
    }

    enum Ending {
        /// Reads every answer, then closes.
        case patient
        /// Ends its side when everything is sent, reads to the end, then closes.
        case halfClose
        /// Leaves when so many octets are sent.
        case leave(after: Int, resets: Bool)
        /// Sends no more after so many octets, and stays.
        case stall(after: Int)
        /// Sends everything and reads nothing.
        case deaf
    }

    let requests: [Request]
    /// Whether it sends all requests without waiting for answers.
    let pipelines: Bool
    let ending: Ending
    /// Octets at once.
    let pieceOctets: Int
    /// Whether what it sends may be no request.
    let isCorrupt: Bool
    private let octets: [UInt8]
    private let ends: [Int]
    private(set) var sent = 0
    /// Whether it sends at once what it can.
    var hurries = false

    init(number: Int, dice: inout Dice) {
        var requests: [Request] = []
        for index in 0..<1 + dice.below(dice.once(in: 5) ? 12 : 4) {
            requests.append(Self.request("/\(number)/\(index)", &dice))
            if requests.last?.closes == true { break }
        }
        self.requests = requests
        pipelines = dice.once(in: 2)
        pieceOctets = dice.pick([1, 7, 40, 400, 5000, 200_000])
        var octets: [UInt8] = []
        var ends: [Int] = []
        for request in requests {
            octets += request.octets
            ends.append(octets.count)
        }
        isCorrupt = dice.once(in: 15)
        if isCorrupt {
            octets[dice.below(octets.count)] = UInt8(dice.below(256))
        }
        self.octets = octets
        self.ends = ends
        switch dice.below(9) {
        case 0...3: ending = .patient
        case 4: ending = .halfClose
        case 5: ending = .leave(after: dice.below(octets.count + 1), resets: false)
        case 6: ending = .leave(after: dice.below(octets.count + 1), resets: true)
        case 7: ending = .stall(after: dice.below(octets.count))
        default: ending = .deaf
        }
    }

    private static func request(_ path: String, _ dice: inout Dice) -> Request {
        let large = dice.once(in: 20)
        let length = large ? 20_000 + dice.below(150_000) : dice.below(600)
        let content = [UInt8](repeating: UInt8(ascii: "a") + UInt8(dice.below(26)), count: length)
        let closes = dice.once(in: 12)
        let close = closes ? "Connection: close\r\n" : ""
        var expects = ""
        switch dice.below(8) {
        case 0:
            return Request(
                octets: Array("HEAD \(path) HTTP/1.1\r\nHost: h\r\n\(close)\r\n".utf8),
                isHead: true,
                path: path,
                content: [],
                closes: closes,
                expectsContinue: false
            )
        case 1, 2:
            if dice.once(in: 2) { expects = "Expect: 100-continue\r\n" }
            let head =
                "POST \(path) HTTP/1.1\r\nHost: h\r\n\(close)\(expects)Content-Length: \(length)\r\n\r\n"
            return Request(
                octets: Array(head.utf8) + content,
                isHead: false,
                path: path,
                content: content,
                closes: closes,
                expectsContinue: !expects.isEmpty
            )
        case 3:
            if dice.once(in: 4) { expects = "Expect: 100-continue\r\n" }
            var octets = Array(
                "PUT \(path) HTTP/1.1\r\nHost: h\r\n\(close)\(expects)Transfer-Encoding: chunked\r\n\r\n"
                    .utf8
            )
            var start = 0
            while start < length {
                let count = min(length - start, 1 + dice.below(length))
                octets += Array("\(String(count, radix: 16))\r\n".utf8)
                octets += content[start..<start + count]
                octets += Array("\r\n".utf8)
                start += count
            }
            octets += Array("0\r\n\r\n".utf8)
            return Request(
                octets: octets,
                isHead: false,
                path: path,
                content: content,
                closes: closes,
                expectsContinue: !expects.isEmpty
            )
        default:
            return Request(
                octets: Array("GET \(path) HTTP/1.1\r\nHost: h\r\n\(close)\r\n".utf8),
                isHead: false,
                path: path,
                content: [],
                closes: closes,
                expectsContinue: false
            )
        }
    }

    /// Whether it does all that a client has to do to get its answers.
    var isGood: Bool {
        switch ending {
        case .patient, .halfClose: !isCorrupt
        case .leave, .stall, .deaf: false
        }
    }

    /// Octets that it would send now.
    private func sendable(_ link: Link) -> Int {
        var limit = octets.count
        if !pipelines {
            let index = link.transcript.received
            limit = index < ends.count ? ends[index] : octets.count
        }
        switch ending {
        case .leave(let after, _), .stall(let after): limit = min(limit, after)
        case .patient, .halfClose, .deaf: break
        }
        return max(0, limit - sent)
    }

    /// What a client does next.
    enum Action {
        case send
        case read
        case end
        case close(resets: Bool)
    }

    /// What it could do now.
    func actions(_ link: Link) -> [Action] {
        guard !link.clientHasClosed else { return [] }
        var actions: [Action] = []
        let isRefused = link.serverHasReset && link.wire.isEmpty
        if sendable(link) > 0, !link.clientHasEnded, !isRefused, link.outbound.count < 300_000 {
            actions.append(.send)
        }
        if case .deaf = ending {} else if !link.wire.isEmpty { actions.append(.read) }
        switch ending {
        case .patient:
            let hasAll = link.transcript.received == requests.count && link.wire.isEmpty
            if hasAll || link.clientSeesEnd { actions.append(.close(resets: false)) }
        case .halfClose:
            if !link.clientHasEnded, sent == octets.count { actions.append(.end) }
            if link.clientSeesEnd { actions.append(.close(resets: false)) }
        case .leave(let after, let resets):
            if sent >= after || link.clientSeesEnd { actions.append(.close(resets: resets)) }
        case .stall, .deaf:
            if link.clientSeesEnd { actions.append(.close(resets: false)) }
        }
        // One that pipelines ends its side without having heard of an end.
        return actions
    }

    /// Does something.
    func perform(_ action: Action, on link: Link, _ dice: inout Dice) {
        switch action {
        case .send:
            let piece = hurries ? Int.max : 1 + dice.below(pieceOctets)
            let count = min(sendable(link), piece)
            link.outbound.append(octets[sent..<sent + count])
            sent += count
        case .read: link.clientReads(1 + dice.below(dice.once(in: 2) ? 50 : 100_000))
        case .end: link.clientEnds()
        case .close(let resets): link.clientCloses(resets: resets)
        }
    }
}
