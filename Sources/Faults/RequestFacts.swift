/// What a rule may ask about a request.
package struct RequestFacts: Hashable, Sendable {
    /// From `MatchVocabulary.index(ofOperation:)`; tag and path template follow from it.
    package var operation: Int
    /// As sent; `HEAD` is not `GET`.
    package var method: String
    package var domain: String?
    /// The client id, without its session.
    package var client: String?
    package var appointmentId: String?

    package init(
        operation: Int,
        method: String,
        domain: String? = nil,
        client: String? = nil,
        appointmentId: String? = nil
    ) {
        self.operation = operation
        self.method = method
        self.domain = domain
        self.client = client
        self.appointmentId = appointmentId
    }
}
