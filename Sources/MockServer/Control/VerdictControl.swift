import Contract
import Faults
import HTTPMessage
import JSON
import Journal
import OAuth
import Store
import Verdict

/// Tag Verdict of the control API: scenarios, and the judgement on the client.
enum VerdictControl {
    static let entries: [ControlEntry] = [
        ("Admin_ListScenarios", list),
        ("Admin_StartScenario", start),
        ("Admin_StopScenario", stop),
        ("Admin_GetVerdict", verdict),
    ]

    // MARK: - Scenarios

    private static func list(_ call: ControlCall) throws(Problem) -> Answer {
        let played = try call.existingSession().scenario.played
        let items = call.context.scenarios.packs.map { state($0, played) }
        return .json(["items": .array(items)])
    }

    private static func start(_ call: ControlCall) throws(Problem) -> Answer {
        let scenario: Scenario?
        do throws(StartError) {
            scenario = try call.context.scenarios.scenario(named: call.string("name"))
        } catch {
            throw Problem(.contract, 400, error.description)
        }
        guard let scenario else {
            let names = call.context.scenarios.packs.map(\.name).joined(separator: ", ")
            throw Problem(
                .notFound,
                404,
                "There is no scenario of this name; there are \(names)."
            )
        }
        let session = try call.openSession()
        do throws(FaultError) {
            try session.arm(scenario)
        } catch {
            throw Problem(faults: error)
        }
        do throws(StoreError) {
            try session.beginDay(of: scenario)
        } catch {
            session.stopScenario()
            throw Problem(store: error)
        }
        return .json(state(scenario.pack, session.scenario.played))
    }

    private static func stop(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.openSession()
        session.stopScenario()
        return .noContent
    }

    private static func state(_ pack: ScenarioPack, _ played: ScenarioStage.Played?) -> JSONValue {
        var object = pack.json.object ?? JSONObject()
        object["active"] = .bool(played?.name == pack.name && played?.isActive == true)
        if let played, played.name == pack.name {
            object["after"] = .integer(Int(clamping: played.after))
        }
        return .object(object)
    }

    // MARK: - The verdict

    private static func verdict(_ call: ControlCall) throws(Problem) -> Answer {
        let judgement = try judgement(call)
        switch call.string("format") {
        case "junit": return text(judgement.junit, "application/xml")
        case "markdown": return text(judgement.markdown, "text/markdown; charset=utf-8")
        case "text":
            let colour = call.valid.bool("colour") ?? false
            return text(judgement.text(colour: colour), "text/plain; charset=utf-8")
        default: return .json(judgement.json)
        }
    }

    /// The verdict on one session, or on all that a list names.
    private static func judgement(_ call: ControlCall) throws(Problem) -> Judgement {
        let isStrict = call.valid.bool("strict") ?? false
        let named = try sessions(call)
        for session in named {
            // A client may have an answer before the worker that sent it has noted that, and ask here.
            session.journal.awaitDeliveries(timeLimitMilliseconds: 50)
        }
        if named.count == 1 { return call.context.judge(named[0], isStrict: isStrict) }
        return Judgement(
            report: VerdictReport(
                merging: named.map { call.context.judge($0, isStrict: isStrict).report },
                as: call.string("session")
            )
        )
    }

    /// The sessions of a list of names, in which `*` stands for any characters; each once.
    private static func sessions(_ call: ControlCall) throws(Problem) -> [Session] {
        let list = call.string("session")
        guard list.contains(",") || list.contains("*") else { return [try call.existingSession()] }
        let all = call.context.sessions.all()
        var found: [Session] = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false) {
            let matching = all.filter { SessionPattern.matches(String(name), $0.name) }
            if matching.isEmpty {
                throw Problem(
                    .notFound,
                    404,
                    "No open session is called \(name); there are "
                        + "\(all.prefix(10).map(\.name).joined(separator: ", "))."
                )
            }
            for session in matching where !found.contains(where: { $0 === session }) {
                found.append(session)
            }
        }
        return found
    }

    private static func text(_ text: String, _ type: String) -> Answer {
        Answer(contentType: type, content: Array(text.utf8))
    }
}

/// Names of sessions, with `*` for any characters.
enum SessionPattern {
    static func matches(_ pattern: String, _ name: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else {
            return pattern == name
        }
        guard name.hasPrefix(first) else { return false }
        var rest = name.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let place = rest.firstRange(of: part) else { return false }
            rest = rest[place.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}
