import Contract
import HTTPMessage
import JSON

/// Tag Server of the control API.
enum ServerControl {
    static let entries: [ControlEntry] = [
        ("Admin_Health", { _ throws(Problem) in .json(["status": "alive"]) }),
        ("Admin_Ready", { _ throws(Problem) in .json(["status": "ready"]) }),
        ("Admin_Version", version),
        ("Admin_ListOperations", operations),
        ("Admin_ListProvenance", provenance),
    ]

    /// What needs no admin token even off loopback, for container health checks.
    static let openOperations: Set<String> = ["Admin_Health", "Admin_Ready"]

    private static func version(_ call: ControlCall) throws(Problem) -> Answer {
        let server = call.server
        return .json([
            "version": .string(ProgramVersion.text),
            "contractVersion": server.contract.document["info"]?["version"] ?? .null,
            "seed": .number(JSONNumber(server.configuration.seed)),
            "seedData": .string(server.configuration.seedDescription),
        ])
    }

    private static func operations(_ call: ControlCall) throws(Problem) -> Answer {
        let items = call.server.contract.operations.map { operation in
            JSONValue.object(
                JSONObject([
                    ("operation", .string(operation.id)),
                    ("method", .string(operation.method.rawValue)),
                    ("path", .string(operation.pathTemplate)), ("tag", .string(operation.tag)),
                    ("summary", .string(operation.summary)),
                ])
            )
        }
        return .json(["items": .array(items)])
    }

    private static func provenance(_ call: ControlCall) throws(Problem) -> Answer {
        let contract = call.server.contract
        let items = contract.provenanceMarks().map { mark in
            var object = JSONObject([
                ("pointer", .string(mark.pointer.description)),
                ("provenance", .string(mark.provenance)),
            ])
            object["operation"] = mark.operationID.map(JSONValue.string)
            object["note"] = mark.note.map(JSONValue.string)
            return JSONValue.object(object)
        }
        let documented = contract.operations.filter {
            $0.isPartnerOperation && $0.provenance == nil
        }
        return .json(["documented": .integer(documented.count), "items": .array(items)])
    }
}
