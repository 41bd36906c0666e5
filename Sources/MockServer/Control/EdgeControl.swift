import Faults
import JSON

/// What may stand in front of the API.
enum EdgeControl {
    static let entries: [ControlEntry] = [("Admin_ListEdges", list)]

    private static func list(_ call: ControlCall) throws(Problem) -> Answer {
        .json(["items": .array(call.context.edges.edges.map(\.json))])
    }
}

extension Edge {
    fileprivate var json: JSONValue {
        var object = JSONObject([
            ("name", .string(name)), ("title", .string(title)), ("about", .string(about)),
        ])
        object["operations"] = operations.map { .array($0.map(JSONValue.string)) }
        // None is documented: that each is an assumption is what its file says.
        object["provenance"] = "inferred"
        object["sources"] = .array(sources.map(JSONValue.string))
        object["answers"] = .array(
            answers.map { answer in
                [
                    "status": .integer(answer.status), "meaning": .string(answer.meaning),
                    "fields": .object(
                        JSONObject(answer.fields.map { ($0.name, .string($0.value)) })
                    ),
                    "content": .string(answer.content),
                ]
            }
        )
        return .object(object)
    }
}
