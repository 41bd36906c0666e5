import Journal

/// Tells calls of one program from calls of two programs or threads, of which neither knows what the
/// other does.
struct Separation {
    private let time: Timeline
    /// Looked for where it matters, once.
    private lazy var callersAtWorkAtOnce = time.callersAtWorkAtOnce()

    init(_ time: Timeline) { self.time = time }

    /// Whether two calls may come from two programs or threads.
    mutating func mayBeOfTwo(_ earlier: Int, _ later: Int) -> Bool {
        if time.callers.relation(of: later, to: earlier) != .same { return true }
        if time.entries[earlier].connection == time.entries[later].connection { return false }
        if time.isSideBySide(earlier, later) { return true }
        guard let caller = time.callers.caller[later] else { return false }
        return callersAtWorkAtOnce.contains(caller)
    }

    /// Whether two of these calls, in the order of arrival, are of one program for certain.
    mutating func hasTwoOfOne(_ calls: [Int]) -> Bool {
        var lastOfCaller: [Int?: Int] = [:]
        var connections: Set<UInt64> = []
        for call in calls {
            let caller = time.callers.caller[call]
            if !connections.insert(time.entries[call].connection).inserted { return true }
            if let before = lastOfCaller[caller], !mayBeOfTwo(before, call) { return true }
            lastOfCaller[caller] = call
        }
        return false
    }
}
