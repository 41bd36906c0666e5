import Chance
import Synchronization
import Testing
import Time

/// Texts, clocks and numbers that a client may choose: each brings a value or an error.
@Suite("Numbers that clients choose")
struct NumberTests {
    private static let runs = 20_000

    @Test("Any text is a duration within its bounds, or an error")
    func durations() {
        var numbers = SplitMix64(seed: 1)
        let pieces = [
            "P", "T", "D", "W", "H", "M", "S", "Y", "ms", "s", ".", ",", "-", "+", " ", "0", "1",
            "9", "999999999999999", "00000000000000000000", "18446744073709551616", "é", "\0",
        ]
        var read = 0
        for run in 0..<Self.runs {
            let maximum: Int64 = [0, 86_400_000_000_000, .max][run % 3]
            let text = numbers.text(of: pieces, count: 0...8)
            _ = DurationText.wholeSeconds(parsing: text)
            // An error is as good as a value here: the point is that neither is a trap.
            guard
                let nanoseconds = try? DurationText.nanoseconds(parsing: text, maximum: maximum)
            else { continue }
            read += 1
            #expect((0...maximum).contains(nanoseconds), "\(text)")
        }
        // Enough of them are durations for the bounds to mean something.
        #expect(read > 20)
    }

    @Test(
        "Durations of any length and fineness are read, or are too long",
        arguments: [
            ("999999999999999.999999999999999s", nil), ("P999999999999999W", nil),
            ("P999999999999999.999999999999999D", nil), ("PT999999999999999.9H", nil),
            ("PT999999999999999.999999999999999M", nil),
            ("PT999999999999999999999999999999999999999999S", nil),
            ("P15250284452471W", nil), ("9223372036854775807s", nil),
            ("0000000000000000000000000000000000000001s", 1_000_000_000),
            ("0.10000000000000000000000000000000000000s", 100_000_000),
            ("PT0.99999999999999999999999999999999999S", 999_999_999),
            ("P1.5D", 129_600_000_000_000), ("9223372036.854775806s", .max - 1),
        ] as [(String, Int64?)]
    )
    func extremes(text: String, nanoseconds: Int64?) throws {
        let maximum = Int64.max - 1
        if let nanoseconds {
            #expect(try DurationText.nanoseconds(parsing: text, maximum: maximum) == nanoseconds)
        } else {
            #expect(throws: DurationError.tooLong(maximumNanoseconds: maximum)) {
                try DurationText.nanoseconds(parsing: text, maximum: maximum)
            }
        }
    }

    @Test("Any text is an instant that can be written again, or none")
    func instants() {
        var numbers = SplitMix64(seed: 2)
        let dates = ["0000-01-01", "0001-01-01", "9999-12-31", "2024-02-29", "1677-09-21"]
        let times = ["T00:00:00", "T23:59:59", "t12:00:00", "T24:00:00", "T23:59:60"]
        let tails = [
            "Z", "z", "+23:59", "-23:59", ".5Z", ".999999999999999999999999Z", ".Z", "+24:00", "",
        ]
        var read = 0
        for run in 0..<Self.runs {
            var text =
                numbers.text(of: dates, count: 1...1) + numbers.text(of: times, count: 1...1)
                + numbers.text(of: tails, count: 1...1)
            if run % 2 == 0, var octets = Optional(Array(text.utf8)), !octets.isEmpty {
                octets[Int.random(in: octets.indices, using: &numbers)] = UInt8.random(
                    in: 0...255,
                    using: &numbers
                )
                text = String(decoding: octets, as: UTF8.self)
            }
            _ = LocalDate(text)
            _ = Timestamp.nanoseconds(parsing: text)
            guard let instant = Instant(rfc3339: text) else { continue }
            read += 1
            #expect(Instant.writableSeconds.contains(instant.secondsSince1970), "\(text)")
            #expect(Instant(rfc3339: instant.rfc3339) == instant, "\(text)")
        }
        #expect(read > 1000)
    }

    @Test(
        "A date-time that leaves the years 0001 to 9999 in UTC is none",
        arguments: [
            "9999-12-31T23:59:59-00:01", "9999-12-31T00:01:00-23:59", "0001-01-01T00:00:00+00:01",
        ]
    )
    func outside(text: String) {
        #expect(Instant(rfc3339: text) == nil)
        #expect(Timestamp.nanoseconds(parsing: text) == nil)
    }

    @Test("Any number of seconds or nanoseconds is written as a date-time that can be read")
    func writers() {
        var numbers = SplitMix64(seed: 3)
        let ends: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        for run in 0..<Self.runs {
            let number = run < ends.count ? ends[run] : Int64(bitPattern: numbers.next())
            let instant = Instant(secondsSince1970: number)
            #expect(Instant(rfc3339: instant.rfc3339) != nil)
            #expect(instant.imfFixdate.utf8.count == 29)
            #expect(Instant(rfc3339: Timestamp.text(number)) != nil)
            #expect(Instant(rfc3339: Timestamp.text(seconds: number)) != nil)
            _ = instant.advanced(bySeconds: Int64(bitPattern: numbers.next())).rfc3339
        }
    }

    @Test("A clock answers within its range, whatever the system's clock and its settings")
    func clocks() {
        var numbers = SplitMix64(seed: 4)
        let ends: [Int64] = [.min, -1, 0, 1, SessionClock.range.upperBound, .max]
        func any() -> Int64 {
            let choice = Int.random(in: 0...9, using: &numbers)
            return choice < ends.count ? ends[choice] : Int64(bitPattern: numbers.next())
        }
        for _ in 0..<Self.runs / 10 {
            let system = any()
            let clock = SessionClock { system }
            for _ in 0..<10 {
                switch Int.random(in: 0...4, using: &numbers) {
                case 0: clock.set(.real, nanoseconds: any())
                case 1: clock.set(.frozen, nanoseconds: any())
                case 2: clock.set(.real, nanoseconds: nil)
                case 3: clock.reset()
                default:
                    let before = clock.read().nanoseconds
                    let step = any()
                    if clock.advance(byNanoseconds: step) {
                        #expect(clock.read().nanoseconds == before + step)
                    } else {
                        #expect(clock.read().nanoseconds == before)
                    }
                }
                #expect(SessionClock.range.contains(clock.read().nanoseconds))
            }
        }
    }

    @Test("A real clock that was set runs on with the system's, up to the end of the range")
    func realClock() {
        let system = Mutex<Int64>(-2_000_000_000_000_000_000)
        let clock = SessionClock { system.withLock { $0 } }
        #expect(clock.read().nanoseconds == 0)
        clock.set(.real, nanoseconds: 7_258_118_300_000_000_000)
        #expect(clock.read().nanoseconds == 7_258_118_300_000_000_000)
        system.withLock { $0 = 50_000_000_000 }
        #expect(clock.read().nanoseconds == 7_258_118_350_000_000_000)
        system.withLock { $0 = .max }
        #expect(clock.read().nanoseconds == SessionClock.range.upperBound)
    }

    @Test(
        "Sums, differences and products stop at the ends of Int64",
        arguments: [.min, .min + 1, -3, -1, 0, 1, 3, .max - 1, .max] as [Int64]
    )
    func saturation(number: Int64) {
        for other in [.min, .min + 1, -3, -1, 0, 1, 3, .max - 1, .max] as [Int64] {
            func held(_ exact: Int128) -> Int64 {
                Int64(min(max(exact, Int128(Int64.min)), Int128(Int64.max)))
            }
            let (left, right) = (Int128(number), Int128(other))
            #expect(number.addingSaturated(other) == held(left + right))
            #expect(number.subtractingSaturated(other) == held(left - right))
            #expect(number.multipliedSaturated(by: other) == held(left * right))
        }
        #expect(
            number.floorDivided(by: 7) == Int64((Double(number) / 7).rounded(.down))
                || number.magnitude > 1 << 50
        )
    }
}
