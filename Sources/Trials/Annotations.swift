import Verdict

extension TrialReport {
    /// Lines by which GitHub shows what failed beside the job (`::error`).
    package var annotations: [String] {
        var lines = generalFindings.map { Annotation.error("qubs-mock", $0) }
        for (place, pair) in all.enumerated() where pair.assessment.exit != .pass {
            let title =
                pair.trial.name == Baseline.none ? "qubs-mock" : "qubs-mock \(pair.trial.name)"
            lines += findings(of: place).map { Annotation.error(title, $0) }
        }
        return lines
    }
}

/// A workflow command of GitHub.
enum Annotation {
    static func error(_ title: String, _ message: String) -> String {
        "::error title=\(escape(title, isProperty: true))::\(escape(message, isProperty: false))"
    }

    /// Escapes as the runner reads it.
    private static func escape(_ text: String, isProperty: Bool) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": output += "%25"
            case "\r": output += "%0D"
            case "\n": output += "%0A"
            case ":" where isProperty: output += "%3A"
            case "," where isProperty: output += "%2C"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
