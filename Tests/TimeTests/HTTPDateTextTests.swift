import Testing
import Time

struct HTTPDateTextTests {
    /// 2025-01-12T03:40:00Z.
    private static let now = Instant(secondsSince1970: 1_736_653_200)

    static let dates: [(String, Int64)] = [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Sun Nov 16 08:49:37 1994", 784_975_777),
        // The name of the day is not held against the date.
        ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Sun, 12 Jan 2025 03:40:60 GMT", 1_736_653_260),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        // Within fifty years ahead, else the century before.
        ("Sunday, 12-Jan-25 03:40:00 GMT", 1_736_653_200),
        ("Tuesday, 12-Jan-75 03:40:00 GMT", 3_314_490_000),
        ("Monday, 12-Jan-76 03:40:00 GMT", 190_266_000),
    ]

    @Test("The three forms of HTTP dates are read", arguments: dates)
    func reads(text: String, seconds: Int64) {
        #expect(Instant(httpDate: text, now: Self.now)?.secondsSince1970 == seconds)
    }

    @Test("What is written is read", arguments: [0, 1_736_653_200, 253_402_300_799] as [Int64])
    func both(seconds: Int64) {
        let instant = Instant(secondsSince1970: seconds)
        #expect(Instant(httpDate: instant.imfFixdate, now: Self.now) == instant)
    }

    @Test(
        "What is no date of HTTP is none",
        arguments: [
            "", "soon", "2", "2.5", "-2", "2025-01-12T03:40:00Z", "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000",
            "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
            "Sun Nov  16 08:49:37 1994", "Sun Nov  6 08:49:37 94", "Sun,  06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ", "2, Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
        ]
    )
    func refuses(text: String) {
        #expect(Instant(httpDate: text, now: Self.now) == nil)
    }
}
