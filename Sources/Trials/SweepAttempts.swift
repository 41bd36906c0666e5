package import Journal

/// What a client did about a fault, request by request.
package enum SweepAttempts {
    /// How many requests are told.
    private static let maximum = 8

    /// The requests that a fault acted on, each with those that asked for the same after it.
    ///
    /// - Parameter entries: Those of a trial, oldest first.
    package static func lines(_ entries: [JournalEntry]) -> [String] {
        var lines: [String] = []
        var told: Set<UInt64> = []
        for (place, entry) in entries.enumerated()
        where entry.details.fault != nil && !told.contains(entry.id) {
            let chain = entries[place...].filter {
                $0.kind == entry.kind && $0.method == entry.method && $0.path == entry.path
                    || $0.id == entry.id
            }
            let attempts = chain.prefix(maximum).map { attempt in
                told.insert(attempt.id)
                // Without times: the same seed gives the same lines.
                return "#\(attempt.id) \(attempt.attemptWord)"
            }
            lines.append("\(entry.method) \(entry.shownPath): " + attempts.joined(separator: " > "))
        }
        return Array(lines.prefix(maximum))
    }
}

extension JournalEntry {
    /// How an attempt ended, in a word or two.
    fileprivate var attemptWord: String {
        let effects = details.fault?.effects.names.joined(separator: "+") ?? ""
        let what: String
        switch delivery {
        case .pending: what = "awaited"
        case .clientLeft: what = "left"
        case .cut: what = "lost"
        case .complete: what = status.map { String($0) } ?? "no answer"
        }
        return effects.isEmpty ? what : "\(what) (\(effects))"
    }
}
