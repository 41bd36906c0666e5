import Testing
import Time

@Suite struct TimestampTests {
    @Test(
        "Instants are written as RFC 3339 in UTC with six digits of fraction",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (1_736_478_245_678_901_234, "2025-01-10T03:04:05.678901Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000Z"),
        ]
    )
    func writes(nanoseconds: Int64, text: String) {
        #expect(Timestamp.text(nanoseconds) == text)
    }

    @Test(
        "Date-times are read with offsets and fractions",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-01-10T03:04:05.678901234Z", 1_736_478_245_678_901_234),
            ("2025-01-10T13:04:05+10:00", 1_736_478_245_000_000_000),
            ("2025-01-09T17:34:05-09:30", 1_736_478_245_000_000_000),
            ("2000-02-29t00:00:00z", 951_782_400_000_000_000),
        ]
    )
    func reads(text: String, nanoseconds: Int64) {
        #expect(Timestamp.nanoseconds(parsing: text) == nanoseconds)
    }

    @Test(
        "What is no date-time is refused",
        arguments: [
            "", "2025", "2025-01-10", "2025-01-10T03:04:05", "2025-01-10 03:04:05Z",
            "2025-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2025-13-01T00:00:00Z",
            "2025-01-00T00:00:00Z", "2025-01-10T24:00:00Z", "2025-01-10T03:04:05.Z",
            "2025-01-10T03:04:05+1000", "2025-01-10T03:04:05ZZ", "+025-01-10T03:04:05Z",
        ]
    )
    func refuses(text: String) {
        #expect(Timestamp.nanoseconds(parsing: text) == nil)
    }

    @Test("Every day of four centuries is read as it was written")
    func roundTrip() {
        for day in stride(from: Int64(-98_000), to: 84_000, by: 13) {
            let instant = day * 86_400_000_000_000 + 3_723_000_001_000
            #expect(Timestamp.nanoseconds(parsing: Timestamp.text(instant)) == instant)
        }
    }
}
