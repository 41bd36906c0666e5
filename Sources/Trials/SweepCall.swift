package import Journal

/// A call that a client makes when nothing goes wrong: an operation, and which of its calls.
///
/// Further attempts at a call that failed are the same call.
package struct SweepCall: Sendable, Hashable {
    /// The id of the operation; `token`, `upload` or `download` for what is none of the API's.
    package let operation: String
    /// From 1.
    package let ordinal: Int
    package let kind: JournalEntry.Kind
    package let isReportingPost: Bool
    package let hasContent: Bool

    /// A few words: `Integrations_ListSites #1`.
    package var name: String { "\(operation) #\(ordinal)" }

    /// The calls of a journal, in the order in which they were made.
    ///
    /// - Parameters:
    ///   - entries: Oldest first.
    ///   - depth: How many calls of each operation are taken.
    ///   - reporting: The operations whose requests may carry an idempotency key.
    package static func calls(
        in entries: [JournalEntry],
        depth: Int,
        reporting: Set<String>
    ) -> [SweepCall] {
        var counts: [String: Int] = [:]
        var calls: [SweepCall] = []
        for (place, entry) in entries.enumerated() {
            guard let operation = entry.operationName,
                !entry.isRepeated(after: entries[..<place].reversed())
            else { continue }
            let ordinal = (counts[operation] ?? 0) + 1
            counts[operation] = ordinal
            guard ordinal <= depth else { continue }
            calls.append(
                SweepCall(
                    operation: operation,
                    ordinal: ordinal,
                    kind: entry.kind,
                    isReportingPost: entry.method == "POST" && reporting.contains(operation),
                    hasContent: entry.answerOctets > 0 && entry.method != "HEAD"
                )
            )
        }
        return calls
    }
}
