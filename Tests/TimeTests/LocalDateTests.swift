import Testing
import Time

struct LocalDateTests {
    @Test("Every day of 400 years follows the one before, in the calendar and in number")
    func calendar() throws {
        var expected = (year: 1900, month: 1, day: 1)
        let first = try #require(LocalDate("1900-01-01"))
        #expect(first.daysSince1970 == -25_567)
        var wrong = 0
        for days in first.daysSince1970..<(first.daysSince1970 + 146_097) {
            let date = LocalDate(daysSince1970: days)
            if date.parts != expected
                || LocalDate(year: expected.year, month: expected.month, day: expected.day) != date
                || LocalDate(date.description) != date || date.weekday != (days + 25_568) % 7
            {
                wrong += 1
            }
            let isLeap =
                expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            expected.day += 1
            if expected.day > lengths[expected.month - 1] {
                expected = (expected.year, expected.month + 1, 1)
            }
            if expected.month > 12 { expected = (expected.year + 1, 1, 1) }
        }
        #expect(wrong == 0)
        #expect(expected == (2300, 1, 1))
    }

    @Test(
        "What the calendar does not have is no date",
        arguments: [
            "2025-02-29", "1900-02-29", "2025-04-31", "2025-00-10", "2025-13-01", "2025-01-00",
            "2025-01-32", "0000-01-01", "2025-1-01", "25-01-01", "2025/01/01", "20250101",
            "2025-01-01T", " 2025-01-01", "+025-01-01", "-025-01-01", "",
        ]
    )
    func refused(text: String) {
        #expect(LocalDate(text) == nil)
    }

    @Test("The ends of the calendar")
    func ends() throws {
        #expect(try #require(LocalDate("0001-01-01")).parts == (1, 1, 1))
        #expect(LocalDate(year: 10_000, month: 1, day: 1) == nil)
        #expect(LocalDate("9999-12-31")?.description == "9999-12-31")
        #expect(LocalDate("0001-01-01").map { $0 < LocalDate(daysSince1970: 0) } == true)
    }

    @Test("Dates are ordered, counted and written")
    func dates() throws {
        let day = try #require(LocalDate("2024-02-29"))
        let next = try #require(LocalDate("2024-03-01"))
        #expect(day < next)
        #expect(next.daysSince1970 - day.daysSince1970 == 1)
        #expect(LocalDate("1970-01-01")?.daysSince1970 == 0)
        #expect(LocalDate("0001-01-01")?.daysSince1970 == -719_162)
        #expect(LocalDate("0987-06-05")?.description == "0987-06-05")
    }
}
