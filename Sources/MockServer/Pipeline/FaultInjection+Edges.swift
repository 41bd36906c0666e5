import Faults
import HTTPMessage
import Journal
import Time

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
            let value = ids.fill(field.value)
            fields.append(HTTPResponse.Field(field.name, value))
            if field.name == "Retry-After", let seconds = Int(value) {
                call.entry.details.retryAfter = JournalDetails.RetryAfter(seconds: seconds)
            }
        }
        return HTTPResponse(
            status: edge.status,
            fields: fields,
            content: Array(ids.fill(edge.content).utf8)
        )
    }
}
