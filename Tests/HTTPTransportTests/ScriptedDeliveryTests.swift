import HTTPMessage
import HTTPTransport
import Testing
import Time

@Suite("Scripted delivery")
struct ScriptedDeliveryTests {
    static let start: UInt64 = 1_000_000_000_000

    private func scripted(_ delivery: Delivery, octets: Int) -> ScriptedDelivery {
        ScriptedDelivery(
            Reply(
                HTTPResponse(status: 200, content: [UInt8](repeating: 97, count: octets)),
                delivery: delivery
            ),
            omitsContent: false,
            closes: false,
            now: Self.start
        )
    }

    /// Lets the clock jump from moment to moment; when each octet of the content went out, in
    /// nanoseconds after the head.
    private func play(_ delivery: Delivery, octets: Int) throws -> [UInt64] {
        let scripted = scripted(delivery, octets: octets)
        var now = try #require(scripted.nextMoment)
        #expect(now == Self.start + delivery.delay.nanoseconds)
        #expect(now == Self.start || scripted.allowance(at: now - 1) == 0)
        let headStart = now
        let headOctets = scripted.octets.count - octets
        var times: [UInt64] = []
        while !scripted.isSent {
            let more = scripted.allowance(at: now) - scripted.sent
            // A moment at which nothing may be sent would be asked for again and again.
            try #require(more > 0 || scripted.sent == 0, "\(delivery) at \(now)")
            let content = more - (scripted.sent == 0 ? headOctets : 0)
            for _ in 0..<content { times.append(now - headStart) }
            scripted.noteSent(more, at: now)
            guard let next = scripted.nextMoment else { break }
            try #require(next > now)
            now = next
        }
        #expect(times.count == octets)
        return times
    }

    @Test("No octet is early, none waits longer than its turn, and every moment brings some")
    func pace() throws {
        for octets in [1, 2, 3, 7, 10, 100, 997] {
            for chunks in [1, 2, 3, 7, 11, 2000] {
                for over in [1, 7, 1_000_000, 2_000_000_001] as [UInt64] {
                    let drip = (chunks, Duration.nanoseconds(Int64(over)))
                    let times = try play(Delivery(delay: .seconds(1), drip: drip), octets: octets)
                    #expect(times.last == over)
                    let pieces = min(chunks, octets)
                    #expect(Set(times).count <= pieces)
                }
            }
            for rate in [1, 3, 99, 100, 101, 1000, 1_000_003] {
                let times = try play(Delivery(bytesPerSecond: rate), octets: octets)
                for (index, time) in times.enumerated() {
                    let due = (Double(index) + 1) * 1e9 / Double(rate)
                    #expect(Double(time) >= due - 1)
                    // At most a hundredth of a second late, the price of not waking for each.
                    #expect(Double(time) <= due + 1e7 + 1e9 / Double(rate))
                }
            }
        }
    }

    @Test("Of two paces the slower one decides")
    func slowerPace() throws {
        let drip = (5, Duration.seconds(1))
        #expect(
            try play(Delivery(drip: drip, bytesPerSecond: 10), octets: 20).last == 2_000_000_000
        )
        #expect(
            try play(Delivery(drip: drip, bytesPerSecond: 100), octets: 20).last == 1_000_000_000
        )
    }

    @Test("A silence ends when it was told to, counted from the end of the delay")
    func hang() {
        let delivery = Delivery(delay: .seconds(1), ending: .hang(maximum: .seconds(2)))
        let scripted = scripted(delivery, octets: 10)
        #expect(scripted.octets.isEmpty)
        #expect(scripted.allowance(at: Self.start + 1_000_000_000) == 0)
        #expect(scripted.nextMoment == Self.start + 3_000_000_000)
    }

    @Test("Times beyond reason are far away, not a crash")
    func endlessTimes() {
        let endless = Duration.seconds(Int64.max)
        for delivery in [
            Delivery(delay: endless, ending: .hang(maximum: endless)),
            Delivery(delay: endless, drip: (Int.max, endless), bytesPerSecond: Int.max),
            Delivery(delay: .seconds(-1), drip: (-1, .seconds(-1)), bytesPerSecond: -1),
        ] {
            let scripted = scripted(delivery, octets: 10)
            _ = scripted.allowance(at: .max / 2)
            if let next = scripted.nextMoment { #expect(next > 0) }
        }
    }
}
