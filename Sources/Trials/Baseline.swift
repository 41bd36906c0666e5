import Suggestions
import Verdict

/// The failures that are known: a list that may neither be left behind nor outlive its reasons.
///
/// A file of lines `scenario check`; `-` stands for a run without a scenario, and `#` begins a comment.
package struct Baseline: Sendable, Equatable {
    /// What a run without a scenario is called.
    package static let none = "-"

    /// Why a file is refused.
    package struct Fault: Error, Equatable, Sendable {
        /// From 1.
        package let line: Int
        package let reason: String
    }

    private var checks: [String: Set<String>] = [:]

    /// Reads a file.
    ///
    /// - Parameter scenarios: The names that there are.
    package init(_ text: String, scenarios: [String]) throws(Fault) {
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (place, line) in lines.enumerated() {
            let words = line.prefix { $0 != "#" }.split { $0.isWhitespace }.map(String.init)
            if words.isEmpty { continue }
            let number = place + 1
            guard words.count == 2 else {
                throw Fault(
                    line: number,
                    reason: "a scenario and a check are needed here, with a space between"
                )
            }
            try Self.look(up: words[0], among: scenarios + [Self.none], "scenario", number)
            try Self.look(up: words[1], among: Check.all.map(\.id), "check", number)
            checks[words[0], default: []].insert(words[1])
        }
    }

    private static func look(
        up name: String,
        among known: [String],
        _ what: String,
        _ line: Int
    ) throws(Fault) {
        if known.contains(name) { return }
        let nearest = NameSuggestions.nearest(to: name, among: known).first
        throw Fault(
            line: line,
            reason: "there is no \(what) \(name)"
                + (nearest.map { "; did you mean \($0)?" } ?? "")
        )
    }

    /// The checks that are listed for a trial.
    package func checks(of subject: Trial.Subject) -> Set<String> {
        switch subject {
        case .plain: checks[Self.none] ?? []
        case .scenario(let name): checks[name] ?? []
        case .parts: []
        }
    }

    /// The file that lists what failed in some trials.
    package static func text(of trials: [Trial]) -> String {
        var lines = [
            "# What is known to fail, one scenario and check in a line. Made by qubs-mock run",
            "# --write-baseline; held against a run by --baseline.",
        ]
        for trial in trials {
            for result in trial.verdict.failures where trial.verdict.counts(result) {
                lines.append("\(trial.name) \(result.check.id)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
