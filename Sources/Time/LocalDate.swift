/// A calendar date (proleptic Gregorian) in the time zone of some site; not an instant.
package struct LocalDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since 1970-01-01; negative before.
    package let daysSince1970: Int

    package init(daysSince1970: Int) { self.daysSince1970 = daysSince1970 }

    /// A date by its parts; `nil` where the calendar has no such day or the year is not 1 to 9999.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            day >= 1, day <= Self.length(ofMonth: month, year: year)
        else { return nil }
        daysSince1970 = Self.days(year: year, month: month, day: day)
    }

    /// Parses `yyyy-MM-dd` (RFC 3339 §5.6, `full-date`); `nil` for anything else.
    package init?(_ text: String) {
        var text = text
        guard let date = text.withUTF8({ Self(octets: $0) }) else { return nil }
        self = date
    }

    /// Parses ten octets `yyyy-MM-dd`.
    package init?(octets: UnsafeBufferPointer<UInt8>) {
        guard octets.count == 10, octets[4] == UInt8(ascii: "-"), octets[7] == UInt8(ascii: "-"),
            let year = decimal(octets, 0, 4), let month = decimal(octets, 5, 2),
            let day = decimal(octets, 8, 2)
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Year, month (1 to 12) and day (1 to 31).
    package var parts: (year: Int, month: Int, day: Int) {
        // Counted from 0000-03-01, so that the leap day ends its year.
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    /// 0 for Sunday to 6 for Saturday.
    package var weekday: Int {
        let remainder = (daysSince1970 + 4) % 7
        return remainder < 0 ? remainder + 7 : remainder
    }

    /// The form `yyyy-MM-dd`.
    package var description: String {
        let (year, month, day) = parts
        guard (0...9999).contains(year) else {
            return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2)
        }
        return String(unsafeUninitializedCapacity: 10) { octets in
            writeDate((year, month, day), to: octets)
            return 10
        }
    }

    package static func < (left: LocalDate, right: LocalDate) -> Bool {
        left.daysSince1970 < right.daysSince1970
    }

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        default: 31
        }
    }
}

/// The number that `count` DIGITs from `start` make; `nil` where one of them is no digit.
///
/// - Parameter count: At most 18.
func decimal(_ octets: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
    var value = 0
    for index in start..<(start + count) {
        let digit = octets[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value * 10 + Int(digit)
    }
    return value
}

/// Writes ten octets, `yyyy-MM-dd`, for a year of at most four digits.
func writeDate(
    _ date: (year: Int, month: Int, day: Int),
    to octets: UnsafeMutableBufferPointer<UInt8>
) {
    writeDigits(date.year, 4, to: octets, at: 0)
    octets[4] = UInt8(ascii: "-")
    writeDigits(date.month, 2, to: octets, at: 5)
    octets[7] = UInt8(ascii: "-")
    writeDigits(date.day, 2, to: octets, at: 8)
}

/// Writes a number of at most `count` digits, with leading zeros.
func writeDigits(
    _ value: Int,
    _ count: Int,
    to octets: UnsafeMutableBufferPointer<UInt8>,
    at start: Int
) {
    var rest = value
    for index in (start..<start + count).reversed() {
        octets[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
    }
}

/// A number that is not negative, with leading zeros up to `width` digits.
func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
