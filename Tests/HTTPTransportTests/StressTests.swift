import Chance
import Dispatch
import HTTPMessage
import HTTPTransport
import Synchronization
import TestSupport
import Testing

@Suite("Stress")
struct StressTests {
    /// The same numbers in every run.
    struct Dice {
        private var numbers: SplitMix64

        init(state: UInt64) { numbers = SplitMix64(seed: state) }

        mutating func below(_ bound: Int) -> Int { Int(numbers.next() % UInt64(bound)) }
    }

    /// Tickets given out, and how often each was reported.
    final class Ledger: RequestHandler {
        private let reports = Mutex<[UInt64: Int]>([:])
        private let tickets = Atomic<UInt64>(0)
        private let later = DispatchQueue(label: "later", attributes: .concurrent)
        let pending = DispatchGroup()

        func admit(_ head: RequestHead, connection: ConnectionInfo) -> Admission {
            connection.requestOrdinal % 5 == 0
                ? .refuse(reply(seed: 0)) : .content(maximumOctets: 5000)
        }

        func respond(to request: HTTPRequest, exchange: Exchange) -> Reply? {
            let seed = request.target.path.reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) }
            guard seed % 4 == 0 else { return reply(seed: seed) }
            later.async(group: pending) { exchange.send(self.reply(seed: seed)) }
            return nil
        }

        func refuse(_ error: MessageError, head: RequestHead?, exchange: Exchange) -> Reply {
            reply(seed: 0)
        }

        func refuseUnread(beginsShortage: Bool) -> HTTPResponse { HTTPResponse(status: 503) }

        func departed(ticket: UInt64, at time: UInt64, worker: Int) {}

        func delivered(ticket: UInt64, report: DeliveryReport, worker: Int) {
            reports.withLock { $0[ticket, default: 0] += 1 }
        }

        func met(_ order: ImpossibleOrder, connection: UInt64) { Issue.record("\(order)") }

        func batchEnded(worker: Int) {}

        /// Whether every ticket was reported exactly once, and how many there were.
        var isBalanced: (Bool, Int) {
            reports.withLock { reports in
                (
                    reports.values.allSatisfy { $0 == 1 }
                        && reports.count == Int(tickets.load(ordering: .relaxed)), reports.count
                )
            }
        }

        private func reply(seed: UInt64) -> Reply {
            var dice = Dice(state: seed)
            var delivery = Delivery()
            if seed > 0, dice.below(2) == 0 {
                if dice.below(3) == 0 { delivery.delay = .milliseconds(dice.below(5)) }
                if dice.below(4) == 0 { delivery.drip = (dice.below(5), .milliseconds(5)) }
                if dice.below(6) == 0 { delivery.bytesPerSecond = 100_000 }
                if dice.below(8) == 0 { delivery.truncateAfter = dice.below(300) }
                switch dice.below(12) {
                case 0: delivery.ending = .reset
                case 1: delivery.ending = .empty
                case 2: delivery.ending = .hang(maximum: .milliseconds(5))
                case 3: delivery.ending = .raw([0, 1, 2])
                case 4: delivery.ending = .malformedChunk
                default: break
                }
            }
            let content = [UInt8](repeating: 97, count: dice.below(10) == 0 ? 100_000 : 200)
            return Reply(
                HTTPResponse(status: 200, content: content),
                delivery: delivery,
                ticket: tickets.add(1, ordering: .relaxed).newValue
            )
        }
    }

    /// One client that does what the dice say.
    private static func play(_ dice: inout Dice, port: Int) {
        guard let client = try? RawClient(port: port, timeLimitSeconds: 2) else { return }
        var octets: [UInt8] = []
        for _ in 0...dice.below(6) {
            switch dice.below(5) {
            case 0: octets += Array(post(String(repeating: "x", count: dice.below(6000))).utf8)
            case 1:
                octets += Array(
                    "PUT /\(dice.below(99)) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        .utf8
                )
                octets += Array("5;a\r\nhello\r\n0\r\nA: b\r\n\r\n".utf8)
            default: octets += Array(get("/\(dice.below(99))").utf8)
            }
        }
        if dice.below(4) == 0 { octets[dice.below(octets.count)] = UInt8(dice.below(256)) }
        if dice.below(5) == 0 { octets.removeLast(dice.below(octets.count)) }
        var start = 0
        while start < octets.count {
            let end = min(octets.count, start + 1 + dice.below(dice.below(2) == 0 ? 40 : 9000))
            // A connection that the server has ended may refuse the rest.
            guard (try? client.send(Array(octets[start..<end]))) != nil else { break }
            start = end
        }
        switch dice.below(4) {
        case 0: client.reset()
        case 1: client.close()
        case 2: _ = client.read()
        default:
            client.finishSending()
            _ = client.readToEnd()
        }
    }

    @Test("Whatever clients do, every answer is reported once and every connection ends")
    func everythingAtOnce() throws {
        let ledger = Ledger()
        var configuration = TransportConfiguration()
        configuration.port = 0
        configuration.workers = 2
        configuration.maximumConnections = 12
        configuration.lingerTimeout = .milliseconds(200)
        configuration.headTimeout = .milliseconds(300)
        configuration.contentTimeout = .milliseconds(300)
        configuration.idleTimeout = .milliseconds(300)
        let listener = try Listener(configuration: configuration, handler: ledger)
        listener.start()
        let port = listener.port
        DispatchQueue.concurrentPerform(iterations: 8) { player in
            var dice = Dice(state: UInt64(player))
            for _ in 0..<60 { Self.play(&dice, port: port) }
        }
        ledger.pending.wait()
        listener.stop(grace: .seconds(5))
        #expect(listener.statistics.openConnections == 0)
        let (isBalanced, count) = ledger.isBalanced
        #expect(isBalanced)
        #expect(count > 300)
    }
}
