import JSON

/// Whether a client came through a trial as it does through the clean one.
package enum Survival {
    /// What differs from the clean trial beside failed checks: the end of the command, and effects.
    package static func differences(of trial: Trial, from clean: Trial) -> [String] {
        var lines: [String] = []
        if trial.end.isFailed, let line = trial.end.line { lines.append(line) }
        lines += effects(of: trial.effects, from: clean.effects)
        return lines
    }

    /// How many effects of one kind are shown.
    private static let maximumShown = 5

    /// What one list of normalised effects lacks of another, and what it has beside it.
    static func effects(of other: JSONValue, from clean: JSONValue) -> [String] {
        let expected = counts(clean)
        let found = counts(other)
        var lines: [String] = []
        for (text, count) in expected.sorted(by: { $0.key < $1.key }) {
            let missing = count - (found[text] ?? 0)
            if missing > 0 { lines.append("effect missing\(times(missing)): \(text)") }
        }
        for (text, count) in found.sorted(by: { $0.key < $1.key }) {
            let added = count - (expected[text] ?? 0)
            if added > 0 { lines.append("effect too many\(times(added)): \(text)") }
        }
        if lines.count > maximumShown {
            let more = lines.count - maximumShown
            lines = lines.prefix(maximumShown) + ["\(more) more effects differ"]
        }
        return lines
    }

    private static func counts(_ list: JSONValue) -> [String: Int] {
        var counts: [String: Int] = [:]
        for item in list["items"]?.array ?? [] {
            counts[JSONWriter.text(of: item), default: 0] += 1
        }
        return counts
    }

    private static func times(_ count: Int) -> String { count == 1 ? "" : " (\(count) times)" }
}
