/// A point in time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// The API's date-times have second precision; clocks and deadlines here have it, too.
package struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var secondsSince1970: Int64

    package init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }

    /// Parses a `date-time` (RFC 3339 §5.6) with `Z` or a numeric offset.
    ///
    /// A fraction of a second is accepted and dropped. `nil` for anything else, for the second 60
    /// and for dates the calendar does not have.
    package init?(rfc3339 text: String) {
        var text = text
        guard let instant = text.withUTF8({ Self(parsing: $0) }) else { return nil }
        self = instant
    }

    private init?(parsing octets: UnsafeBufferPointer<UInt8>) {
        // full-date "T" 2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*DIGIT ] ( "Z" / ("+" / "-") 2DIGIT ":"
        // 2DIGIT )
        guard octets.count >= 20, let date = LocalDate(parsing: octets[0..<10]),
            octets[10] | 0x20 == UInt8(ascii: "t"), octets[13] == UInt8(ascii: ":"),
            octets[16] == UInt8(ascii: ":"),
            let hour = decimal(octets[11..<13]), hour < 24,
            let minute = decimal(octets[14..<16]), minute < 60,
            let second = decimal(octets[17..<19]), second < 60
        else { return nil }
        var index = 19
        if octets[index] == UInt8(ascii: ".") {
            let start = index + 1
            index = start
            while index < octets.count,
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octets[index])
            {
                index += 1
            }
            if index == start { return nil }
        }
        var offsetSeconds = 0
        let zone = octets[index...]
        if zone.count == 6, let sign = zone.first,
            sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            octets[index + 3] == UInt8(ascii: ":"),
            let hours = decimal(octets[index + 1..<index + 3]), hours < 24,
            let minutes = decimal(octets[index + 4..<index + 6]), minutes < 60
        {
            offsetSeconds = (hours * 60 + minutes) * 60 * (sign == UInt8(ascii: "-") ? -1 : 1)
        } else if zone.count != 1 || octets[index] | 0x20 != UInt8(ascii: "z") {
            return nil
        }
        let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
        secondsSince1970 = Int64(seconds - offsetSeconds)
    }

    /// This instant, some seconds later (or earlier).
    package func advanced(bySeconds seconds: Int64) -> Instant {
        Instant(secondsSince1970: secondsSince1970 + seconds)
    }

    /// RFC 3339 in UTC with second precision: `2025-01-12T03:40:00Z`.
    ///
    /// For years 0000 to 9999.
    package var rfc3339: String {
        let (date, hour, minute, second) = parts
        return date.description + "T" + padded(hour, 2) + ":" + padded(minute, 2) + ":"
            + padded(second, 2) + "Z"
    }

    /// The preferred form of HTTP dates (RFC 9110 §5.6.7): `Sun, 12 Jan 2025 03:40:00 GMT`.
    package var imfFixdate: String {
        let (date, hour, minute, second) = parts
        let (year, month, day) = date.parts
        return Self.weekdays[date.weekday] + ", " + padded(day, 2) + " " + Self.months[month - 1]
            + " " + padded(year, 4) + " " + padded(hour, 2) + ":" + padded(minute, 2) + ":"
            + padded(second, 2) + " GMT"
    }

    package var description: String { rfc3339 }

    /// The calendar date in UTC.
    package var utcDate: LocalDate { parts.date }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.secondsSince1970 < right.secondsSince1970
    }

    private var parts: (date: LocalDate, hour: Int, minute: Int, second: Int) {
        let seconds = Int(secondsSince1970)
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            days -= 1
            rest += 86_400
        }
        return (LocalDate(daysSince1970: days), rest / 3600, rest / 60 % 60, rest % 60)
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
