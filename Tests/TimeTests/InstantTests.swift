import Testing
import Time

struct InstantTests {
    static let instants: [(String, Int64)] = [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-01-12T03:40:00Z", 1_736_653_200),
        ("2000-02-29T23:59:59Z", 951_868_799),
        ("1969-12-31T23:59:59Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ]

    @Test("RFC 3339 in UTC, both ways", arguments: instants)
    func rfc3339(text: String, seconds: Int64) {
        #expect(Instant(rfc3339: text) == Instant(secondsSince1970: seconds))
        #expect(Instant(secondsSince1970: seconds).rfc3339 == text)
    }

    @Test(
        "Offsets count, fractions are dropped, letters may be small",
        arguments: [
            ("2025-01-12T13:40:00+10:00", 1_736_653_200),
            ("2025-01-12T13:10:00.999999999+09:30", 1_736_653_200),
            ("2025-01-11T22:40:00-05:00", 1_736_653_200),
            ("2025-01-12t03:40:00z", 1_736_653_200),
            ("2025-01-12T03:40:00.0Z", 1_736_653_200),
            ("2025-01-12T03:40:00-00:00", 1_736_653_200),
        ] as [(String, Int64)]
    )
    func offsets(text: String, seconds: Int64) {
        #expect(Instant(rfc3339: text)?.secondsSince1970 == seconds)
    }

    @Test(
        "What is not a date-time of RFC 3339 is none",
        arguments: [
            "", "2025-01-12", "2025-01-12T03:40:00", "2025-01-12 03:40:00Z", "2025-01-12T03:40Z",
            "2025-01-12T24:00:00Z", "2025-01-12T03:60:00Z", "2025-01-12T03:40:60Z",
            "2025-02-29T03:40:00Z", "2025-13-01T03:40:00Z", "2025-00-01T03:40:00Z",
            "2025-01-12T03:40:00.Z", "2025-01-12T03:40:00+1000", "2025-01-12T03:40:00+24:00",
            "2025-01-12T03:40:00+10:60", "2025-01-12T03:40:00ZZ", "2025-01-12T03:40:00Z ",
            "+025-01-12T03:40:00Z", "0000-01-12T03:40:00Z", "2025-01-12T-3:40:00Z",
            "2025-01-12T03:40:00.5", "2025-01-12T03:40:00+", "٢٠٢٥-01-12T03:40:00Z",
        ]
    )
    func refused(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test(
        "The preferred form of HTTP dates",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ] as [(String, Int64)]
    )
    func imfFixdate(text: String, seconds: Int64) {
        #expect(Instant(secondsSince1970: seconds).imfFixdate == text)
    }

    @Test("Instants are ordered and can be moved")
    func order() {
        let instant = Instant(secondsSince1970: 10)
        #expect(instant < instant.advanced(bySeconds: 1))
        #expect(instant.advanced(bySeconds: -20).secondsSince1970 == -10)
        #expect(instant.utcDate.description == "1970-01-01")
    }
}
