/// A `date-time` as RFC 3339 §5.6 writes it, such as `2025-01-10T03:04:05Z`: the one reader.
///
/// Any offset is understood. Leap seconds (`:60`) are refused, since no clock here has them, and so
/// are instants outside of the years 0001 to 9999 in UTC, since no answer can write them.
package struct DateTimeText: Hashable, Sendable {
    /// The instant without its fraction, rounded down.
    package let instant: Instant
    /// 0 to 999999999; further digits of the text are cut off.
    package let nanoseconds: Int
    /// The offset that the text was written with; 0 for `Z`.
    package let offsetMinutes: Int

    /// An instant from its text; `nil` where the form is another, or the day or time does not
    /// exist.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        let read = text.withUTF8 { DateTimeText(octets: $0) }
        guard let read else { return nil }
        self = read
    }

    // full-date "T" 2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*DIGIT ]
    // ( "Z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT )
    private init?(octets: UnsafeBufferPointer<UInt8>) {
        guard octets.count >= 20, octets[10] | 0x20 == UInt8(ascii: "t"),
            octets[13] == UInt8(ascii: ":"), octets[16] == UInt8(ascii: ":"),
            let date = LocalDate(octets: UnsafeBufferPointer(rebasing: octets[0..<10])),
            let hour = decimal(octets, 11, 2), hour < 24,
            let minute = decimal(octets, 14, 2), minute < 60,
            let second = decimal(octets, 17, 2), second < 60
        else { return nil }
        var index = 19
        var nanoseconds = 0
        if octets[index] == UInt8(ascii: ".") {
            index += 1
            let start = index
            var unit = 100_000_000
            while index < octets.count, octets[index] &- UInt8(ascii: "0") < 10 {
                nanoseconds += Int(octets[index] - UInt8(ascii: "0")) * unit
                unit /= 10
                index += 1
            }
            guard index > start else { return nil }
        }
        guard index < octets.count else { return nil }
        var offset = 0
        switch octets[index] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard index + 1 == octets.count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard index + 6 == octets.count, octets[index + 3] == UInt8(ascii: ":"),
                let hours = decimal(octets, index + 1, 2), hours < 24,
                let minutes = decimal(octets, index + 4, 2), minutes < 60
            else { return nil }
            offset = hours * 60 + minutes
            if octets[index] == UInt8(ascii: "-") { offset = -offset }
        default: return nil
        }
        let seconds = Int64(
            date.daysSince1970 * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60
        )
        guard Instant.writableSeconds.contains(seconds) else { return nil }
        instant = Instant(secondsSince1970: seconds)
        self.nanoseconds = nanoseconds
        offsetMinutes = offset
    }
}
