import QUBS
import Time

/// Days of a client, which begin and end at its own midnight.
///
/// An appointment is in them by the instant of its local start; by its date where it has none.
struct ShiftedDays {
    private let first: Int
    private let last: Int
    /// From the first instant to before the last, in seconds since 1970.
    private let instants: Range<Int64>
    /// The day since 1970 from which the dates of the domain are counted.
    private let origin: Int
    private let zones: [Int64: TimeZoneRule]

    /// - Parameters:
    ///   - filter: One that is shifted.
    ///   - zones: The rule of each site, by its id.
    init(_ filter: AppointmentFilter, origin: Int, zones: [Int64: TimeZoneRule]) {
        self.origin = origin
        self.zones = zones
        // Beyond what dates can be: no sum here overflows.
        first = filter.start?.daysSince1970 ?? -10_000_000
        last = max(first, filter.end?.daysSince1970 ?? 10_000_000)
        let offset = Int64(filter.offsetMinutes ?? 0) * 60  // Bounded: by the contract.
        let day: Int64 = 86_400
        instants =
            Int64(first).multipliedSaturated(by: day).subtractingSaturated(
                offset
            )..<Int64(last)
            .addingSaturated(1).multipliedSaturated(by: day).subtractingSaturated(offset)
    }

    /// How far a client's day and a site's may lie apart, in days: 14 hours each.
    private static let reach = 2

    /// The dates that may be in, from the origin.
    var condition: AppointmentFilter.DayCondition {
        .within(first - Self.reach - origin, last + Self.reach - origin)
    }

    /// Whether an appointment is in.
    ///
    /// - Parameters:
    ///   - date: From the origin.
    ///   - summary: The octets of its row, where its local start stands.
    func contain(date: Int, site: Int64, summary: UnsafeRawBufferPointer) -> Bool {
        let day = date + origin
        if day >= first + Self.reach && day <= last - Self.reach { return true }
        guard let seconds = Self.localStart(in: summary), let zone = zones[site],
            case let local = LocalDate(daysSince1970: day),
            2...9998 ~= local.parts.year
        else { return first...last ~= day }
        return instants.contains(zone.instant(of: local, seconds: seconds).secondsSince1970)
    }

    private static let member = Array(#""startTime":""#.utf8)

    /// Seconds from midnight to the local start; `nil` where the row has none.
    ///
    /// A quotation mark within a text is escaped, so what looks like the member is the member.
    private static func localStart(in summary: UnsafeRawBufferPointer) -> Int? {
        // Before the first quotation mark behind it: HH:MM:SS.
        let length = member.count + 8
        guard summary.count >= length else { return nil }
        var index = 0
        while index <= summary.count - length {
            if summary[index] == member[0], summary[index + 1] == member[1],
                summary[index..<(index + member.count)].elementsEqual(member)
            {
                return seconds(summary[(index + member.count)..<(index + length)])
            }
            index += 1
        }
        return nil
    }

    private static func seconds(_ text: Slice<UnsafeRawBufferPointer>) -> Int? {
        var numbers: [Int] = []
        for part in text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            guard part.count == 2, part.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
            numbers.append(part.reduce(0) { $0 * 10 + Int($1 - 0x30) })
        }
        guard numbers.count == 3, numbers[0] < 24, numbers[1] < 60, numbers[2] < 60 else {
            return nil
        }
        return numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
    }
}
