/// Integers in parameters: `-?(0|[1-9][0-9]*)`.
enum IntegerText: Hashable {
    case value(Int)
    /// An integer beyond 64 bits.
    case tooLarge(isNegative: Bool)
    case malformed

    init(_ text: String) {
        var isNegative = false
        var value: Int = 0
        var overflows = false
        var count = 0
        var startsWithZero = false
        for (position, octet) in text.utf8.enumerated() {
            if position == 0, octet == UInt8(ascii: "-") {
                isNegative = true
                continue
            }
            let digit = octet &- UInt8(ascii: "0")
            guard digit < 10, !startsWithZero else {
                self = .malformed
                return
            }
            if count == 0, digit == 0 { startsWithZero = true }
            count += 1
            // Counted downwards, since there is one negative integer more than there are positive
            // ones.
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (difference, overflowed) = product.subtractingReportingOverflow(Int(digit))
            if overflow || overflowed { overflows = true }
            value = difference
        }
        if count == 0 {
            self = .malformed
        } else if overflows || (!isNegative && value == .min) {
            self = .tooLarge(isNegative: isNegative)
        } else {
            self = .value(isNegative ? value : -value)
        }
    }
}
