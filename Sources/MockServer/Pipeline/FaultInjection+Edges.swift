import Faults
import HTTPMessage

extension FaultInjection {
    /// What an edge answers in place of the API: the fields and the content of its file.
    func edgeResponse(
        _ edge: Edge.Answer,
        by fault: FaultDecision,
        for call: Call
    ) -> HTTPResponse {
        let ids = EdgeIDs(seed: fault.noiseSeed)
        var fields: [HTTPResponse.Field] = []
        for field in edge.fields {
            fields.append(HTTPResponse.Field(field.name, ids.fill(field.value)))
        }
        let response = HTTPResponse(
            status: edge.status,
            fields: fields,
            content: Array(ids.fill(edge.content).utf8)
        )
        call.noteRetryAfter(of: response)
        return response
    }
}
