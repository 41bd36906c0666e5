/// A rule of the API that a request breaks, with the facts.
///
/// What the client is told is decided where requests are answered; nothing here is a sentence.
package enum RuleError: Error, Hashable, Sendable {
    /// What a request may name.
    package enum Resource: String, Hashable, Sendable {
        case domain, site, appointment, patient, attachment, comment, billing, staffSkills
    }

    /// The named resource does not exist, or not in this domain.
    case notFound(Resource)
    /// The appointment exists, with another status than the operation needs.
    case wrongStatus(required: String, found: String)
    /// The idempotency key was used before, for another payload.
    case keyReused
    /// A comment for a patient, on an appointment that has none.
    case appointmentWithoutPatient
    /// The attachment has its content already, or is not an upload.
    case alreadyUploaded
    /// The record cannot go while `count` records of another kind name it.
    case inUse(Resource, count: Int)
}
