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
    /// Whether the request repeats one that failed; known only where `FaultEngine.asksForAttempts`.
    package var isRepeated: Bool

    package init(
        operation: Int,
        method: String,
        domain: String? = nil,
        client: String? = nil,
        appointmentId: String? = nil,
        isRepeated: Bool = false
    ) {
        self.operation = operation
        self.method = method
        self.domain = domain
        self.client = client
        self.appointmentId = appointmentId
        self.isRepeated = isRepeated
    }
}
