import Contract
import Time
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS

/// Finds out who calls, and in which session.
final class CallerIdentification: Sendable {
    private let clients: ClientRegistry
    private let sessions: Sessions

    init(clients: ClientRegistry, sessions: Sessions) {
        self.clients = clients
        self.sessions = sessions
    }

    /// Finds out who calls, and which session the call belongs to; refuses nobody yet.
    ///
    /// The credential chooses the session; without a token `X-Mock-Session` does; else `default`.
    func identify(_ call: Call) throws(Problem) {
        let fields = call.request.fields
        switch BearerCredentials(authorization: fields.first("authorization")) {
        case .absent: try enterNamedSession(call)
        case .otherScheme:
            call.entry.traits.insert(.authorization)
            call.credentials = .otherScheme
            try enterNamedSession(call)
        case .token(let token):
            call.entry.traits.insert(.authorization)
            if fields.count(of: "authorization") > 1 {
                call.credentials = .refused(.severalFields)
                return try enterNamedSession(call)
            }
            try identify(call, token: token)
        }
    }

    private func identify(_ call: Call, token: ArraySlice<UInt8>) throws(Problem) {
        let verified: VerifiedToken
        do throws(TokenError) {
            verified = try call.worker.tokens.inspect(token)
        } catch {
            call.credentials = .refused(error)
            call.entry.token = call.digest(token.suffix(64))
            if let name = TokenVerifier.unverifiedSession(token),
                let session = sessions.existing(name)
            {
                call.enter(session)
            } else {
                try enterNamedSession(call)
            }
            return
        }
        if let session = sessions.existing(verified.session) {
            if session !== call.session { call.enter(session) }
        } else {
            do throws(TokenError) {
                try verified.check(at: SigningKeys.now.secondsSince1970)
            } catch {
                // A token from before its session was dropped opens none.
                call.isOfNoSession = true
                call.credentials = .refused(error)
                return
            }
            call.enter(try sessions.opened(verified.session))
        }
        call.entry.client = verified.principal.clientID
        // The end of the signature tells tokens apart as well as the whole.
        call.entry.token = call.digest(token.suffix(64))
        call.entry.tokenExpiry = verified.expiresAt
        call.verifiedToken = verified
        judge(verified, of: call)
    }

    /// Holds a token against the time of its session.
    private func judge(_ token: VerifiedToken, of call: Call) {
        do throws(TokenError) {
            try token.check(
                at: call.now.secondsSince1970,
                keysAt: SigningKeys.now.secondsSince1970
            )
            call.principal = token.principal
            call.credentials = .accepted
        } catch {
            call.principal = nil
            call.credentials = .refused(error)
        }
    }

    /// Holds the token against the time once more: it may have expired while the call was held up.
    func judgeTokenAgain(_ call: Call) {
        if let token = call.verifiedToken { judge(token, of: call) }
    }

    /// Takes the session that `X-Mock-Session` names, where it is open.
    private func enterNamedSession(_ call: Call) throws(Problem) {
        guard let value = call.request.fields.first("x-mock-session") else { return }
        let name = String(decoding: value, as: UTF8.self)
        guard SessionName.isValid(name) else {
            throw call.refusal(
                field: "X-Mock-Session",
                keyword: "session",
                "Send \(SessionName.rule).",
                detail: "The X-Mock-Session field must hold a session name."
            )
        }
        enterExisting(name, call)
    }

    /// Takes a session, where it is open; else the call is nobody's, and no rule or journal of
    /// another session knows of it.
    private func enterExisting(_ name: String, _ call: Call) {
        if let session = sessions.existing(name) {
            call.enter(session)
        } else {
            call.isOfNoSession = true
        }
    }

    /// Takes the session that a token request or a presigned URL claims.
    func enterClaimedSession(_ call: Call, operation: Operation) throws(Problem) {
        if operation.isPartnerOperation { return }
        let request = call.request
        switch operation.id {
        case OperationID.token:
            let claim = TokenRequest.claim(
                form: request.content[...],
                authorization: request.fields.first("authorization"),
                clients: clients
            )
            guard let claim else { return }
            call.entry.client = claim.client.id
            if claim.session != SessionName.default {
                call.enter(try sessions.opened(claim.session))
            } else if let named = request.fields.text("x-mock-session") {
                // Valid, or the request would have been refused.
                call.enter(try sessions.opened(named))
            }
        case OperationID.upload, OperationID.download:
            let name = request.target.queryValue("session")
            if let name { enterExisting(name, call) }
        default: break
        }
    }
}
