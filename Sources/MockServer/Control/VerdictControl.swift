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
    static let entries: [ControlAPI.Entry] = [
        ("Admin_ListScenarios", list),
        ("Admin_StartScenario", start),
        ("Admin_StopScenario", stop),
        ("Admin_GetVerdict", verdict),
    ]

    // MARK: - Scenarios

    private static func list(_ call: ControlCall) throws(Problem) -> Answer {
        let played = try call.existingSession().scenario.played
        let items = call.application.scenarios.packs.map { state($0, played) }
        return .json(["items": .array(items)])
    }

    private static func start(_ call: ControlCall) throws(Problem) -> Answer {
        let scenario: Scenario?
        do throws(Application.StartError) {
            scenario = try call.application.scenarios.scenario(named: call.string("name"))
        } catch {
            throw Problem(.contract, 400, error.description)
        }
        guard let scenario else {
            let names = call.application.scenarios.packs.map(\.name).joined(separator: ", ")
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
        return .object(object)
    }

    // MARK: - The verdict

    private static func verdict(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        // A client may have an answer before the worker that sent it has noted that, and ask here.
        session.journal.awaitDeliveries(timeLimitMilliseconds: 50)
        let judgement = call.application.judge(
            session,
            isStrict: call.valid.bool("strict") ?? false
        )
        switch call.string("format") {
        case "junit": return text(judgement.junit, "application/xml")
        case "markdown": return text(judgement.markdown, "text/markdown; charset=utf-8")
        case "text":
            let colour = call.valid.bool("colour") ?? false
            return text(judgement.text(colour: colour), "text/plain; charset=utf-8")
        default: return .json(judgement.json)
        }
    }

    private static func text(_ text: String, _ type: String) -> Answer {
        Answer(contentType: type, content: Array(text.utf8))
    }
}
