/// Durations of ISO 8601 in days and smaller, such as `PT24H`, `PT15M` or `P1DT30S`.
package enum ISODuration {
    /// The length in seconds; `nil` where the text has another form, or years, months or fractions.
    package static func seconds(_ text: String) -> Int? {
        var octets = Array(text.utf8)[...]
        guard octets.popFirst() == UInt8(ascii: "P"), !octets.isEmpty else { return nil }
        var seconds = 0
        var inTime = false
        // Units must come in this order, each at most once.
        var units: [(designator: UInt8, isTime: Bool, seconds: Int)] = [
            (UInt8(ascii: "D"), false, 86_400), (UInt8(ascii: "H"), true, 3_600),
            (UInt8(ascii: "M"), true, 60), (UInt8(ascii: "S"), true, 1),
        ]
        while let octet = octets.first {
            if octet == UInt8(ascii: "T"), !inTime {
                inTime = true
                octets.removeFirst()
                if octets.isEmpty { return nil }
                continue
            }
            let digits = octets.prefix { $0 &- UInt8(ascii: "0") < 10 }
            octets = octets.dropFirst(digits.count)
            guard let amount = Int(String(decoding: digits, as: UTF8.self)),
                let designator = octets.popFirst(),
                let position = units.firstIndex(where: {
                    $0.designator == designator && $0.isTime == inTime
                })
            else { return nil }
            let (product, overflow) = amount.multipliedReportingOverflow(
                by: units[position].seconds
            )
            let (sum, overflowed) = seconds.addingReportingOverflow(product)
            if overflow || overflowed { return nil }
            seconds = sum
            units.removeFirst(position + 1)
        }
        return seconds
    }
}
