import JSON
import Verdict

extension TrialReport {
    /// The report as the octets of a JSON document.
    ///
    /// That of one run has the members of its verdict, too, as `GET /__admin/verdict` answers it.
    package func jsonText(isWhole: Bool = true) -> [UInt8] {
        var document = json(isWhole: isWhole)
        if isSingle, let trial = trials.first, var object = trial.verdict.json.object {
            object["trials"] = document["trials"]
            // The command counts, too.
            object["conclusion"] = conclusion.json
            document = .object(object)
        }
        return JSONWriter.octets(of: document) + [UInt8(ascii: "\n")]
    }
}
