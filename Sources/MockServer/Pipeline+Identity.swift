import Contract
import Time
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Readings

extension Application {
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
                try verified.check(at: keysNow.secondsSince1970)
            } catch {
                // A token from before its session was dropped opens none.
                call.isOfNoSession = true
                call.credentials = .refused(error)
                return
            }
            call.enter(try openSession(verified.session))
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
                keysAt: keysNow.secondsSince1970
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
            throw refusal(
                of: call,
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
                call.enter(try openSession(claim.session))
            } else if let named = request.fields.text("x-mock-session") {
                // Valid, or the request would have been refused.
                call.enter(try openSession(named))
            }
        case OperationID.upload, OperationID.download:
            let name = Self.queryValue("session", of: request.target)
            if let name { enterExisting(name, call) }
        default: break
        }
    }

    /// The first value of a query parameter, where it needs no decoding.
    static func queryValue(_ name: String, of target: RequestTarget) -> String? {
        for pair in (target.query ?? []).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            if parts.count == 2, parts[0].elementsEqual(name.utf8) {
                return String(decoding: parts[1], as: UTF8.self)
            }
        }
        return nil
    }

    /// The session of this name, opened where it was not.
    func openSession(_ name: String) throws(Problem) -> Session {
        do throws(Sessions.Refusal) {
            return try sessions.open(name)
        } catch {
            throw Problem(refusal: error)
        }
    }

    /// 401 without a good token, 403 where the token does not open the domain.
    func authorize(_ call: Call, operation: Operation) throws(Problem) {
        guard operation.requiresToken else { return }
        guard let principal = call.principal else {
            switch call.credentials {
            case .refused(let fault):
                throw Problem(unauthorized: fault)
            case .absent, .accepted:
                throw Problem(unauthorized: .absent)
            case .otherScheme:
                throw Problem(unauthorized: .otherScheme)
            }
        }
        // A domain that is not percent-encoded UTF-8 is refused with the parameters.
        guard let domain = call.entry.domain else { return }
        guard principal.mayUse(domain: domain) else {
            let domains = principal.domains.joined(separator: ", ")
            throw Problem(
                .domain,
                403,
                domains.isEmpty
                    ? "This token opens no domain: ask for one with another client."
                    : "This token opens the domains \(domains) only: use one of these in the path, "
                        + "or another client."
            )
        }
    }

    /// 403 where the caller lacks the site, the permission or the grant that the contract names.
    func checkGrants(_ call: OperationCall) throws(Problem) {
        guard let principal = call.principal else { return }
        let operation = call.operation
        if operation.siteGrantParameter != nil, !principal.mayUse(site: call.string("siteName")) {
            throw Problem(
                .site,
                403,
                "This client is limited to certain sites, and this is none of them: "
                    + "GET /sites lists them."
            )
        }
        if let permission = operation.requiredPermission, !principal.holds(permission: permission) {
            throw Problem(
                .permission,
                403,
                "This operation needs the permission \(permission), which the token lacks."
            )
        }
        if operation.requiredGrant != nil, !principal.isReferrer {
            if call.call.departs(to: MissingGrant.empty) { return }
            throw Problem(
                .providerNumbers,
                403,
                "This operation is for referrers and specialists: the token holds no provider "
                    + "numbers."
            )
        }
    }
}
