/// Dates of HTTP in their three forms (RFC 9110 §5.6.7).
///
/// ```
/// IMF-fixdate  = day-name "," SP day SP month SP year SP time-of-day SP GMT
/// rfc850-date  = day-name-l "," SP day "-" month "-" 2DIGIT SP time-of-day SP GMT
/// asctime-date = day-name SP month SP ( 2DIGIT / ( SP 1DIGIT )) SP time-of-day SP year
/// ```
extension Instant {
    /// Parses a date in any of the forms, which a recipient has to understand.
    ///
    /// The name of the day is not held against the date. `nil` for anything else, and for dates that
    /// the calendar does not have.
    ///
    /// - Parameter now: A year of two digits is the one that ends so and lies no more than fifty years
    ///   ahead of this.
    package init?(httpDate text: String, now: Instant) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        switch words.count {
        case 6 where words[5] == "GMT" && words[0].hasSuffix(","):
            guard Self.isDay(words[0].dropLast(), in: Self.shortDays), words[1].utf8.count == 2,
                words[3].utf8.count == 4
            else { return nil }
            self.init(day: words[1], month: words[2], year: Self.digits(words[3]), words[4])
        case 4 where words[3] == "GMT" && words[0].hasSuffix(","):
            let parts = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard Self.isDay(words[0].dropLast(), in: Self.longDays), parts.count == 3,
                parts[0].utf8.count == 2, parts[2].utf8.count == 2,
                let short = Self.digits(parts[2])
            else { return nil }
            let present = now.utcDate.parts.year
            var year = present - present % 100 + short
            if year > present + 50 { year -= 100 } else if year <= present - 50 { year += 100 }
            self.init(day: String(parts[0]), month: String(parts[1]), year: year, words[2])
        case 5, 6:
            // Of a day of one digit, a second space stands before it.
            let isShort = words.count == 6
            guard !isShort || words[2].isEmpty, Self.isDay(words[0][...], in: Self.shortDays)
            else { return nil }
            let rest = words.suffix(3).map { $0 }
            guard rest[0].utf8.count == (isShort ? 1 : 2), rest[2].utf8.count == 4 else {
                return nil
            }
            self.init(day: rest[0], month: words[1], year: Self.digits(rest[2]), rest[1])
        default: return nil
        }
    }

    private init?(day: String, month: String, year: Int?, _ time: String) {
        let parts = time.split(separator: ":", omittingEmptySubsequences: false)
        guard let year, let day = Self.digits(day),
            let month = Self.monthNames.firstIndex(of: month),
            let date = LocalDate(year: year, month: month + 1, day: day),
            parts.count == 3, parts.allSatisfy({ $0.utf8.count == 2 }),
            let hour = Self.digits(parts[0]), let minute = Self.digits(parts[1]),
            let second = Self.digits(parts[2]), hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = Int64(date.daysSince1970).multipliedSaturated(by: 86_400)
        self.init(
            secondsSince1970: days.addingSaturated(Int64(hour * 3600 + minute * 60 + second))
        )
    }

    private static func isDay(_ name: Substring, in names: [String]) -> Bool {
        names.contains { $0[...] == name }
    }

    /// A number of one to four DIGITs.
    private static func digits(_ text: some StringProtocol) -> Int? {
        guard 1...4 ~= text.utf8.count, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
            return nil
        }
        return Int(text)
    }

    private static let shortDays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let longDays = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
