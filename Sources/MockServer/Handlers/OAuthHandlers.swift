import Faults
import Time
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Readings

/// Tag OAuth: the token endpoint and what is published about it.
enum OAuthHandlers {
    static let entries: [OperationEntry] = [
        (OperationID.token, token),
        ("jwks", jwks),
        ("openidConfiguration", openIDConfiguration),
    ]

    /// `POST /oauth2/token` (RFC 6749 §3.2): every refusal is an `OAuthError`.
    private static func token(_ call: OperationCall) throws(Problem) -> Answer {
        let context = call.context
        let request = call.call.request
        do throws(OAuthError) {
            if request.fields.count(of: "authorization") > 1 {
                throw OAuthError(
                    code: .invalidRequest,
                    description: "Send one Authorization field at most."
                )
            }
            try checkMediaType(request)
            var asked = try TokenRequest(
                form: request.content[...],
                authorization: request.fields.first("authorization"),
                clients: context.clients
            )
            call.call.entry.client = asked.client.id
            // Without a session of its own the client id takes that of X-Mock-Session.
            if case .clientCredentials = asked.grant { asked.session = call.call.session.name }
            switch asked.grant {
            case .clientCredentials: call.call.entry.details.grant = .clientCredentials
            case .refreshToken: call.call.entry.details.grant = .refreshToken
            }
            let flaw = call.call.fault?.token.map(TokenFlaw.init)
            let lifetime = call.call.readings.tokenLifetimeSeconds.map { Int64($0) }
            if let lifetime, lifetime != TokenIssuer.defaultLifetimeSeconds {
                call.call.note(.tokenLifetime, String(lifetime))
            }
            let response = try context.issuer.issue(
                for: asked,
                now: call.now.secondsSince1970,
                lifetimeSeconds: lifetime ?? call.call.session.scenario.tokenSeconds
                    ?? TokenIssuer.defaultLifetimeSeconds,
                flaw: flaw,
                using: &call.call.worker.secureGenerator
            )
            call.call.entry.token = call.call.digest(response.accessToken.utf8.suffix(64))
            call.call.entry.tokenExpiry = call.now.secondsSince1970.addingSaturated(
                response.expiresInSeconds
            )
            guard call.call.departs(to: TokenType.lower), var json = response.json.object else {
                return answer(response.json)
            }
            json["token_type"] = .string(TokenType.lower.rawValue)
            return answer(.object(json))
        } catch {
            throw Problem(oauth: error)
        }
    }

    /// RFC 6749 §4.4.2: the parameters come as application/x-www-form-urlencoded.
    private static func checkMediaType(_ request: HTTPRequest) throws(OAuthError) {
        let type = request.fields.first("content-type").flatMap { MediaType($0)?.essence }
        guard type == "application/x-www-form-urlencoded",
            request.fields.count(of: "content-type") == 1
        else {
            throw OAuthError(
                code: .invalidRequest,
                description: "Send the parameters as application/x-www-form-urlencoded, and say "
                    + "so in one Content-Type."
            )
        }
    }

    /// §5.1: no cache may keep a token.
    private static func answer(_ json: JSONValue, status: Int = 200) -> Answer {
        var answer = Answer.json(json, status: status)
        answer.fields = [
            HTTPResponse.Field("Cache-Control", "no-store"),
            HTTPResponse.Field("Pragma", "no-cache"),
        ]
        return answer
    }

    /// A refusal in the form of the token endpoint (RFC 6749 §5.2).
    static func answer(for problem: Problem) -> Answer {
        var answer = answer(for: problem.status, problem.detail, code: problem.oauthCode)
        answer.fields += problem.fields
        return answer
    }

    /// An error in the form of the token endpoint.
    ///
    /// - Parameter code: Where it is not what the status suggests.
    static func answer(
        for status: Int,
        _ description: String,
        code: OAuthError.Code? = nil
    ) -> Answer {
        let suggested: OAuthError.Code =
            switch status {
            case 401: .invalidClient
            case 500: .serverError
            case 429, 500...: .temporarilyUnavailable
            default: .invalidRequest
            }
        let error = OAuthError(code: code ?? suggested, description: description, status: status)
        return answer(error.json, status: status)
    }

    private static func jwks(_ call: OperationCall) throws(Problem) -> Answer {
        .json(call.context.keys.jwks(now: SigningKeys.now.secondsSince1970))
    }

    private static func openIDConfiguration(_ call: OperationCall) throws(Problem) -> Answer {
        .json(ServerMetadata.json(baseURL: call.call.baseURL))
    }
}

extension TokenFlaw {
    /// The flaw that a fault of the token endpoint asks for.
    init(_ fault: TokenFault) {
        switch fault {
        case .expired: self = .expired
        case .notYetValid: self = .notYetValid
        case .wrongIssuer: self = .wrongIssuer
        case .wrongKey: self = .wrongKey
        case .tampered: self = .tampered
        case .unsigned: self = .unsigned
        case .hmacConfusion: self = .hmacConfusion
        case .idToken: self = .idToken
        case .garbage: self = .garbage
        case .noDomains: self = .noDomains
        case .wrongDomain: self = .wrongDomain
        }
    }
}
