/// Arithmetic for numbers that a client may have chosen: the result is never a trap.
///
/// `scripts/check-arithmetic` allows no plain `+`, `-`, `*` on such numbers.
extension Int64 {
    /// The sum, or the nearest number that `Int64` holds.
    package func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the nearest number that `Int64` holds.
    package func subtractingSaturated(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    /// The product, or the nearest number that `Int64` holds.
    package func multipliedSaturated(by other: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    /// The quotient, rounded down.
    ///
    /// - Parameter divisor: Positive.
    package func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient &- 1 : quotient
    }
}

extension UInt64 {
    /// A moment so much later, or the end of time.
    package func addingClamped(_ nanoseconds: UInt64) -> UInt64 {
        let (sum, isTooLate) = addingReportingOverflow(nanoseconds)
        return isTooLate ? .max : sum
    }
}
