import Contract
import JSON
import Journal

/// Carries out one control operation.
typealias ControlHandler = @Sendable (ControlCall) throws(Problem) -> Answer

/// An `operationId` of the control API's contract, and what carries the operation out.
typealias ControlEntry = (id: String, handler: ControlHandler)

/// A control request that is valid and allowed.
struct ControlCall {
    let context: ControlContext
    let call: Call
    let operation: Operation
    let valid: ValidatedRequest

    /// What the whole server has.
    var server: ServerContext { context.server }

    /// A path or query parameter that is required, or that has a default.
    func string(_ name: StaticString) -> String { valid.string(name) ?? "" }

    /// The content, which is an object wherever the contract takes one.
    var body: JSONValue { valid.body ?? .null }

    /// The session that the request is about, which must be open.
    func existingSession() throws(Problem) -> Session {
        let name = string("session")
        guard let session = context.sessions.existing(name) else {
            throw Problem(
                .notFound,
                404,
                "There is no session of this name: it opens with its first token, or with "
                    + "PUT /__admin/sessions/\(name)."
            )
        }
        call.session = session
        return session
    }

    /// The session that the request is about, opened where it was not.
    func openSession() throws(Problem) -> Session {
        let session = try context.sessions.opened(string("session"))
        call.session = session
        return session
    }
}
