/// Instants in nanoseconds since 1970, as `Int64` counts them: from 1677 to 2262.
package enum Timestamp {
    /// `2025-01-10T03:04:05.678901Z`: RFC 3339 in UTC with six digits of fraction.
    ///
    /// - Parameter nanoseconds: Since 1970.
    package static func text(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds.floorDivided(by: 1_000_000_000)
        let fraction = Int(nanoseconds &- seconds &* 1_000_000_000)
        return Instant(secondsSince1970: seconds).rfc3339.dropLast()
            + "." + padded(fraction / 1000, 6) + "Z"
    }

    /// `2025-01-10T03:04:05.000000Z`: a whole second in the same form.
    ///
    /// - Parameter seconds: Since 1970; outside of `Instant.writableSeconds` the nearest is written.
    package static func text(seconds: Int64) -> String {
        Instant(secondsSince1970: seconds).rfc3339.dropLast() + ".000000Z"
    }

    /// Parses a `date-time` (RFC 3339 §5.6); `nil` where it is none.
    ///
    /// - Returns: Nanoseconds since 1970; digits after the ninth of a fraction are dropped. Before
    ///   1677 and after 2262 it is the nearest number that `Int64` holds.
    package static func nanoseconds(parsing text: String) -> Int64? {
        guard let read = DateTimeText(text) else { return nil }
        return read.instant.secondsSince1970.multipliedSaturated(by: 1_000_000_000)
            .addingSaturated(Int64(read.nanoseconds))
    }
}
