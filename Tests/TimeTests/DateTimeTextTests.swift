import Testing
import Time

@Suite("Date-times as RFC 3339 writes them")
struct DateTimeTextTests {
    @Test("An instant knows its seconds, fraction and offset")
    func instants() throws {
        #expect(DateTimeText("1970-01-01T00:00:00Z")?.instant.secondsSince1970 == 0)
        #expect(DateTimeText("1969-12-31T23:59:59Z")?.instant.secondsSince1970 == -1)
        #expect(DateTimeText("2025-01-10T03:04:05Z")?.instant.secondsSince1970 == 1_736_478_245)
        #expect(DateTimeText("2000-03-01T00:00:00+10:30")?.instant.secondsSince1970 == 951_831_000)
        let read = try #require(DateTimeText("2025-01-10T03:04:05.25-05:00"))
        #expect(read.nanoseconds == 250_000_000)
        #expect(read.offsetMinutes == -300)
        #expect(read.instant.secondsSince1970 == 1_736_496_245)
    }
}
