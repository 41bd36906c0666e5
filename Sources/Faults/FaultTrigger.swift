/// When a rule fires, of the requests that it matches; ordinals count from 1.
enum FaultTrigger: Hashable, Sendable {
    case always
    case first(Int)
    case nth(Set<Int>)
    /// Every tenth: 10, 20, …
    case every(Int)
    case probability(Double)
    /// From `after` on, until `length` later, or for good; in nanoseconds since the rule was set.
    case window(after: Int64, length: Int64?)
    /// What exceeds `requests` in any `nanoseconds`.
    case rate(requests: Int, nanoseconds: Int64)
}
