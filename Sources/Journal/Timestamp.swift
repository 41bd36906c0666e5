/// Dates and times in UTC as RFC 3339 writes them, without a library that would double the program.
package enum Timestamp {
    /// `2025-01-10T03:04:05.678901Z`: an instant with six digits of fraction.
    ///
    /// - Parameter nanoseconds: Since 1970.
    package static func text(_ nanoseconds: Int64) -> String {
        let microseconds = floorDivide(nanoseconds, 1000)
        let seconds = floorDivide(microseconds, 1_000_000)
        let (year, month, day) = date(daysSince1970: floorDivide(seconds, 86_400))
        let second = Int(seconds - floorDivide(seconds, 86_400) * 86_400)
        var text = padded(year, 4)
        text += "-" + padded(month, 2) + "-" + padded(day, 2)
        text += "T" + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2)
        text += ":" + padded(second % 60, 2)
        text += "." + padded(Int(microseconds - seconds * 1_000_000), 6) + "Z"
        return text
    }

    /// Parses a date-time of RFC 3339 §5.6; `nil` where it is none, or lies beyond the years 1700 to 2200.
    ///
    /// - Returns: Nanoseconds since 1970; digits after the ninth of a fraction are dropped.
    package static func nanoseconds(parsing text: String) -> Int64? {
        var octets = Array(text.utf8)[...]
        guard let year = number(&octets, digits: 4), skip(&octets, "-"),
            let month = number(&octets, digits: 2), skip(&octets, "-"),
            let day = number(&octets, digits: 2), skip(&octets, "T") || skip(&octets, "t"),
            let hour = number(&octets, digits: 2), skip(&octets, ":"),
            let minute = number(&octets, digits: 2), skip(&octets, ":"),
            let second = number(&octets, digits: 2)
        else { return nil }
        guard 1700...2200 ~= year, 1...12 ~= month, 1...daysIn(month: month, year: year) ~= day,
            hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction = 0
        if skip(&octets, ".") {
            var weight = 100_000_000
            guard let first = octets.first, 0x30...0x39 ~= first else { return nil }
            while let digit = octets.first, 0x30...0x39 ~= digit {
                fraction += Int(digit - 0x30) * weight
                weight /= 10
                octets = octets.dropFirst()
            }
        }
        var offset = 0
        if !(skip(&octets, "Z") || skip(&octets, "z")) {
            let sign = skip(&octets, "+") ? 1 : -1
            guard sign == 1 || skip(&octets, "-"), let hours = number(&octets, digits: 2),
                skip(&octets, ":"), let minutes = number(&octets, digits: 2), hours < 24,
                minutes < 60
            else { return nil }
            offset = sign * (hours * 60 + minutes) * 60
        }
        guard octets.isEmpty else { return nil }
        let seconds = days(year: year, month: month, day: day) * 86_400 + hour * 3600
        let utc = seconds + minute * 60 + second - offset
        return Int64(utc * 1_000_000_000 + fraction)
    }

    private static func number(_ octets: inout ArraySlice<UInt8>, digits: Int) -> Int? {
        guard octets.count >= digits else { return nil }
        var value = 0
        for octet in octets.prefix(digits) {
            guard 0x30...0x39 ~= octet else { return nil }
            value = value * 10 + Int(octet - 0x30)
        }
        octets = octets.dropFirst(digits)
        return value
    }

    private static func skip(_ octets: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool
    {
        guard octets.first == UInt8(ascii: character) else { return false }
        octets = octets.dropFirst()
        return true
    }

    private static func padded(_ value: Int, _ digits: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    private static func daysIn(month: Int, year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 && isLeap
            ? 29 : [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    // Both conversions count years from March, so that the leap day ends one, in eras of 400 years
    // (146,097 days); 719,468 days lie between 0000-03-01 and 1970-01-01.

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let yearOfEra = year % 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return year / 400 * 146_097 + dayOfEra - 719_468
    }

    private static func date(daysSince1970 days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
