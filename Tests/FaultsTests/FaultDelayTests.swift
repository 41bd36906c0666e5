import Faults
import Glibc
import Testing

@Suite("Chance")
struct FaultDelayTests {
    private func delays(_ delay: String, count: Int) throws -> [Int64] {
        let plan = try plan(#"{"id":"d","then":{"delay":\#(delay)}}"#)
        let facts = MatchVocabulary.sample.facts()
        return (1...count).compactMap { _ in plan.decide(facts, now: 0)?.delayNanoseconds }
    }

    @Test("A uniform delay lies between its bounds, and fills them")
    func uniform() throws {
        let delays = try delays(#"{"uniform":["50ms","200ms"]}"#, count: 10_000)
        let milliseconds = delays.map { Double($0) / 1e6 }
        #expect(milliseconds.allSatisfy { (50...200).contains($0) })
        #expect((milliseconds.min() ?? 0) < 51)
        #expect((milliseconds.max() ?? 0) > 199)
        #expect(abs(milliseconds.reduce(0, +) / 10_000 - 125) < 2)
    }

    @Test("A uniform delay between equal bounds is that delay")
    func narrow() throws {
        #expect(
            try delays(#"{"uniform":["5ms","5ms"]}"#, count: 3) == [
                5_000_000, 5_000_000, 5_000_000,
            ]
        )
    }

    @Test("A lognormal delay has its median and its deviation, and stays under its maximum")
    func lognormal() throws {
        let delays = try delays(
            #"{"lognormal":{"median":"80ms","sigma":0.4,"max":"2s"}}"#,
            count: 20_000
        )
        let logarithms = delays.map { log(Double($0) / 80e6) }
        let mean = logarithms.reduce(0, +) / 20_000
        let variance = logarithms.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 20_000
        #expect(abs(mean) < 0.01)
        #expect(abs(variance.squareRoot() - 0.4) < 0.01)
        let capped = try self.delays(
            #"{"lognormal":{"median":"80ms","sigma":10,"max":"100ms"}}"#,
            count: 1_000
        )
        #expect(capped.max() == 100_000_000)
        #expect(capped.allSatisfy { $0 >= 0 })
        let fixed = try self.delays(
            #"{"lognormal":{"median":"80ms","sigma":0,"max":"100ms"}}"#,
            count: 3
        )
        #expect(fixed == [80_000_000, 80_000_000, 80_000_000])
    }

    @Test("A delay by percentiles has both, and equal ones are one delay")
    func percentiles() throws {
        let count = 20_000
        let delays = try delays(#"{"p50":"80ms","p99":"400ms"}"#, count: count).sorted()
        #expect(abs(Double(delays[count / 2]) / 80e6 - 1) < 0.03)
        #expect(abs(Double(delays[count * 99 / 100]) / 400e6 - 1) < 0.06)
        let same = try self.delays(#"{"p50":"80ms","p99":"80ms"}"#, count: 3)
        #expect(same == [80_000_000, 80_000_000, 80_000_000])
        let again = try self.delays(#"{"p50":"80ms","p99":"400ms"}"#, count: count).sorted()
        #expect(delays == again)
        let wide = try self.delays(#"{"p50":"PT0.000000001S","p99":"PT24H"}"#, count: count)
        #expect(wide.allSatisfy { (0...86_400_000_000_000).contains($0) })
    }

    /// Computed by a second implementation, in another language.
    static let golden: [(delay: String, nanoseconds: [Int64])] = [
        (#"{"uniform":["0s","1s"]}"#, [473_747_257, 894_386_724, 918_664_757]),
        (
            #"{"lognormal":{"median":"80ms","sigma":0.4,"max":"2s"}}"#,
            [34_293_133, 94_326_233, 101_295_632]
        ),
        (#"{"p50":"80ms","p99":"400ms"}"#, [18_484_546, 106_372_206, 120_329_682]),
    ]

    @Test("The delays of a seed never change from release to release", arguments: golden)
    func goldenDelays(delay: String, nanoseconds: [Int64]) throws {
        #expect(try delays(delay, count: 3) == nanoseconds)
    }

    @Test("The exponential function is the C library's, within the last digits")
    func exponential() {
        for step in -2_000...2_000 {
            let x = Double(step) * 0.0537
            #expect(abs(Elementary.exponential(x) / exp(x) - 1) < 1e-13)
        }
        #expect(Elementary.exponential(0) == 1)
        #expect(Elementary.exponential(1_000) == .infinity)
        #expect(Elementary.exponential(-1_000) == 0)
    }

    @Test("The natural logarithm is the C library's, within the last digits")
    func naturalLogarithm() {
        for step in 1...4_000 {
            for x in [Double(step) * 1.37e-7, Double(step) * 0.713, pow(1.2, Double(step) - 2_000)]
            {
                #expect(abs(Elementary.naturalLogarithm(x) - log(x)) < 1e-13 * max(1, abs(log(x))))
            }
        }
        #expect(Elementary.naturalLogarithm(1) == 0)
    }

    @Test("Rule ids are hashed by FNV-1a")
    func hash() {
        // Test vectors of the FNV authors (draft-eastlake-fnv, appendix C).
        #expect(FaultDraws.hash(of: "") == 0xCBF2_9CE4_8422_2325)
        #expect(FaultDraws.hash(of: "a") == 0xAF63_DC4C_8601_EC8C)
        #expect(FaultDraws.hash(of: "foobar") == 0x8594_4171_F739_67E8)
    }
}
