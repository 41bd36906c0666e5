import Time

/// How long an answer is held back, in nanoseconds.
enum FaultDelay: Hashable, Sendable {
    case fixed(Int64)
    /// Evenly between the two, both included.
    case uniform(Int64, Int64)
    /// `median` times e to the power of a normal variable with deviation `sigma`; never over `maximum`.
    case lognormal(median: Int64, sigma: Double, maximum: Int64)

    /// The delay of one request.
    func nanoseconds(using draws: inout FaultDraws) -> Int64 {
        switch self {
        case .fixed(let delay):
            return delay
        case .uniform(let least, let most):
            // Both are at most 24 hours, which a rule may name.
            let width = Double(most.subtractingSaturated(least).addingSaturated(1))
            return min(least.addingSaturated(Int64(draws.unit() * width)), most)
        case .lognormal(let median, let sigma, let maximum):
            let factor = Elementary.exponential(sigma * draws.normal())
            let delay = Double(median) * factor
            // Not a number, too, is longer than the maximum.
            return delay < Double(maximum) ? Int64(delay) : maximum
        }
    }
}
