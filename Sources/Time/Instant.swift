/// A point in time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// The API's date-times have second precision; clocks and deadlines here have it, too.
package struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var secondsSince1970: Int64

    package init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }

    /// The instants that RFC 3339 can write with a year from 0001 to 9999, in seconds since 1970.
    package static let writableSeconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// Parses a `date-time` (RFC 3339 §5.6) with `Z` or a numeric offset.
    ///
    /// A fraction of a second is accepted and dropped. `nil` for anything else, for the second 60,
    /// for dates that the calendar does not have, and outside of the years 0001 to 9999 in UTC.
    package init?(rfc3339 text: String) {
        guard let text = DateTimeText(text) else { return nil }
        self = text.instant
    }

    /// This instant, some seconds later (or earlier); at most as far as `Int64` counts.
    package func advanced(bySeconds seconds: Int64) -> Instant {
        Instant(secondsSince1970: secondsSince1970.addingSaturated(seconds))
    }

    /// RFC 3339 in UTC with second precision: `2025-01-12T03:40:00Z`.
    ///
    /// An instant outside of `writableSeconds` is written as the nearest one inside.
    package var rfc3339: String {
        let (date, hour, minute, second) = parts
        let day = date.parts
        return String(unsafeUninitializedCapacity: 20) { octets in
            writeDate(day, to: octets)
            octets[10] = UInt8(ascii: "T")
            writeDigits(hour, 2, to: octets, at: 11)
            octets[13] = UInt8(ascii: ":")
            writeDigits(minute, 2, to: octets, at: 14)
            octets[16] = UInt8(ascii: ":")
            writeDigits(second, 2, to: octets, at: 17)
            octets[19] = UInt8(ascii: "Z")
            return 20
        }
    }

    /// The preferred form of HTTP dates (RFC 9110 §5.6.7): `Sun, 12 Jan 2025 03:40:00 GMT`.
    ///
    /// An instant outside of `writableSeconds` is written as the nearest one inside.
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
        let range = Self.writableSeconds
        let seconds = min(max(secondsSince1970, range.lowerBound), range.upperBound)
        let days = seconds.floorDivided(by: 86_400)
        let rest = Int(seconds &- days &* 86_400)
        return (LocalDate(daysSince1970: Int(days)), rest / 3600, rest / 60 % 60, rest % 60)
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
