/// Two functions that the C library has too, but not with the same last digit on every machine.
///
/// A seed promises the same delays everywhere; the library picks its code by processor.
package enum Elementary {
    private static let naturalLogarithmOf2 = 0.693_147_180_559_945_3

    /// e to the power of `x`; 0 or infinity where a `Double` cannot hold it.
    package static func exponential(_ x: Double) -> Double {
        if x > 709 { return .infinity }
        if x < -708 { return 0 }
        // 2^power · e^rest with |rest| ≤ 0.35, where 18 terms of the series are exact.
        let power = (x / naturalLogarithmOf2).rounded()
        let rest = x - power * naturalLogarithmOf2
        var sum = 1.0
        for term in stride(from: 18.0, through: 1, by: -1) { sum = 1 + sum * rest / term }
        return Double(sign: .plus, exponent: Int(power), significand: sum)
    }

    /// The natural logarithm of a positive, normal number.
    package static func naturalLogarithm(_ x: Double) -> Double {
        var exponent = Double(x.exponent)
        var significand = x.significand
        // In [√½, √2] the series below is exact after 12 terms.
        if significand > 1.414_213_562_373_095_1 {
            significand /= 2
            exponent += 1
        }
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        var sum = 0.0
        for term in stride(from: 23.0, through: 1, by: -2) { sum = sum * square + 1 / term }
        return exponent * naturalLogarithmOf2 + 2 * ratio * sum
    }
}
