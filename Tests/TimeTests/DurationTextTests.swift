import Testing
import Time

private let second: Int64 = 1_000_000_000
private let day = 86_400 * second

@Suite("Durations as texts")
struct DurationTextTests {
    @Test(
        "A duration is read exactly, in nanoseconds",
        arguments: [
            ("250ms", 250_000_000), ("0ms", 0), ("2s", 2 * second), ("1.5s", 1_500_000_000),
            ("0.25ms", 250_000), ("86400s", 86_400 * second), ("PT2S", 2 * second),
            ("PT0.5S", 500_000_000), ("PT0,5S", 500_000_000), ("PT5M", 300 * second),
            ("PT1H30M", 5_400 * second), ("PT1H0.5M", 3_630 * second), ("P1D", 86_400 * second),
            ("P0DT12H", 43_200 * second), ("PT24H", 86_400 * second), ("PT1440M", 86_400 * second),
            ("P0W", 0), ("PT0S", 0), ("PT61S", 61 * second), ("PT0.000000001S", 1),
            ("PT0.0000000019S", 1),
        ]
    )
    func accepted(text: String, nanoseconds: Int64) throws {
        #expect(try DurationText.nanoseconds(parsing: text, maximum: day) == nanoseconds)
    }

    @Test(
        "What is not a duration is refused with the reason",
        arguments: [
            ("", .malformed), ("250", .malformed), ("ms", .malformed), ("-2s", .malformed),
            ("+2s", .malformed), (" 2s", .malformed), ("2s ", .malformed), ("2 s", .malformed),
            ("2S", .malformed), ("2m", .malformed), ("2.s", .malformed), (".5s", .malformed),
            ("1e3ms", .malformed), ("٢s", .malformed), ("P", .malformed), ("PT", .malformed),
            ("P1DT", .malformed), ("PT2", .malformed), ("PT-2S", .malformed), ("-PT2S", .malformed),
            ("pt2s", .malformed), ("PT2S3", .malformed), ("PT5S1M", .malformed),
            ("PT1M1M", .malformed), ("PT0.5M1S", .malformed), ("PT1HT1M", .malformed),
            ("P1H", .malformed), ("PT1D", .malformed), ("P1W1D", .malformed),
            ("PT2Sx", .malformed), ("P1M", .yearsOrMonths), ("P1Y", .yearsOrMonths),
            ("86401s", .tooLong(maximumNanoseconds: day)),
            ("86400.001s", .tooLong(maximumNanoseconds: day)),
            ("P1DT0.1S", .tooLong(maximumNanoseconds: day)),
            ("P2D", .tooLong(maximumNanoseconds: day)), ("P1W", .tooLong(maximumNanoseconds: day)),
            ("999999999999999s", .tooLong(maximumNanoseconds: day)),
            ("1000000000000000000000000000000000000000s", .tooLong(maximumNanoseconds: day)),
        ] as [(String, DurationError)]
    )
    func refused(text: String, error: DurationError) {
        #expect(throws: error) { try DurationText.nanoseconds(parsing: text, maximum: day) }
    }

    @Test(
        "A whole number of seconds is read from ISO 8601 alone",
        arguments: [
            ("PT24H", 86_400), ("PT15M", 900), ("P1DT1H1M1S", 90_061), ("P2D", 172_800),
            ("PT0S", 0), ("P", nil), ("PT", nil), ("24H", nil), ("PT1S1H", nil), ("PT1.5S", nil),
            ("P1M", nil), ("PTH", nil), ("PT-1S", nil), ("PT99999999999999999999S", nil),
            ("PT9223372036854775807H", nil),
        ] as [(String, Int64?)]
    )
    func wholeSeconds(_ text: String, _ expected: Int64?) {
        #expect(DurationText.wholeSeconds(parsing: text) == expected)
    }
}
