/// A day of the Gregorian calendar, written `yyyy-MM-dd` (`format: date`, RFC 3339 §5.6).
package struct CalendarDate: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// 1 to 9999.
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to the length of the month.
    package let day: Int

    /// A date from its text; `nil` where the form is another, or the day does not exist.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        let date = text.withUTF8 { CalendarDate(octets: $0) }
        guard let date else { return nil }
        self = date
    }

    init?(octets: UnsafeBufferPointer<UInt8>) {
        guard octets.count == 10, octets[4] == UInt8(ascii: "-"), octets[7] == UInt8(ascii: "-"),
            let year = Digits.value(octets, 0, 4), let month = Digits.value(octets, 5, 2),
            let day = Digits.value(octets, 8, 2)
        else { return nil }
        guard year >= 1, 1...12 ~= month, day >= 1, day <= Self.length(ofMonth: month, in: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Days from 1970-01-01, negative before it.
    package var daysSince1970: Int {
        // Counted in years that begin in March, so that a leap day is the last day of its year.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    package var description: String {
        "\(Digits.text(year, 4))-\(Digits.text(month, 2))-\(Digits.text(day, 2))"
    }

    package static func < (left: CalendarDate, right: CalendarDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    private static func length(ofMonth month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Runs of decimal digits.
enum Digits {
    /// The number that `count` digits from `start` make; `nil` where one of them is no digit.
    static func value(_ octets: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
        var value = 0
        for index in start..<(start + count) {
            let digit = octets[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// A number with leading zeros.
    static func text(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
