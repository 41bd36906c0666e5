import Contract
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import OAuth
import QUBS
import Store

// Every error of every room, to its status and its words. What is not recognised here is a 500
// whose detail goes to the log alone.

extension Problem {
    /// 405 (RFC 9110 §15.5.6).
    init(methodNotAllowed method: HTTPMethod, allowed: [HTTPMethod]) {
        let list = allowed.map(\.rawValue).joined(separator: ", ")
        self.init(
            .method,
            405,
            "\(method.rawValue) is not possible on this path; use \(list).",
            fields: [HTTPResponse.Field("Allow", list)]
        )
    }

    /// 404 for a path that is no operation's.
    ///
    /// - Parameter listedAt: Where all paths are listed.
    init(
        noRouteFor request: HTTPRequest,
        suggestions: [PathSuggestion],
        listedAt: String = "/openapi.yaml"
    ) {
        var detail = "No operation has this path."
        if request.target.path == [UInt8(ascii: "/")] {
            detail +=
                " The page for people is \(PageDocuments.path), and GET \(listedAt) lists all paths."
        } else if let first = suggestions.first {
            detail += " Did you mean \(first.path)?"
        } else {
            detail += " GET \(listedAt) lists all paths."
        }
        self.init(.route, 404, detail)
    }

    /// 400 or 415 for a request that breaks the contract; `nil` for one that keeps it.
    init?(refusing valid: ValidatedRequest) {
        guard let status = valid.refusalStatus else { return nil }
        if status == 415, case .unsupportedMediaType(let supported) = valid.contentFault {
            let list = supported.map(\.description).joined(separator: " or ")
            self.init(.mediaType, 415, "Send the content as \(list), and say so in Content-Type.")
            return
        }
        let errors = Self.grouped(valid.violations.map { ($0.name, $0.message) })
        let detail: String
        if let only = valid.violations.first, valid.violations.count == 1 {
            detail = only.name.isEmpty ? only.message : "\(only.name): \(only.message)"
        } else {
            detail =
                "\(valid.violations.count) things are wrong with the request: `errors` says which."
        }
        self.init(Self.reason(of: valid), 400, detail, errors: errors)
    }

    private static func reason(of valid: ValidatedRequest) -> JournalRefusal {
        let isKeyOnly = valid.violations.allSatisfy {
            $0.location == .header && $0.name.lowercased() == "idempotency-key"
        }
        if isKeyOnly { return .idempotencyKey }
        let isTokenOnly = valid.violations.allSatisfy {
            $0.location == .query && $0.name == "nextToken"
        }
        return isTokenOnly ? .nextToken : .contract
    }

    /// 401 with its challenge (RFC 6750 §3).
    init(unauthorized error: TokenError) {
        let isExpired: Bool = if case .expired = error { true } else { false }
        self.init(
            isExpired ? .tokenExpired : .tokenInvalid,
            401,
            error.explanation,
            fields: [HTTPResponse.Field("WWW-Authenticate", BearerChallenge.text(for: error))]
        )
    }

    /// 401 for a request without a token.
    init(unauthorized credentials: BearerCredentials) {
        self.init(
            .tokenMissing,
            401,
            credentials.explanation ?? "Send an access token.",
            fields: [HTTPResponse.Field("WWW-Authenticate", BearerChallenge.text(for: nil))]
        )
    }

    /// An error of the token endpoint (RFC 6749 §5.2).
    init(oauth error: OAuthError) {
        self.init(.grant, error.status, error.description)
        oauthCode = error.code
        if error.usesBasicChallenge {
            fields.append(HTTPResponse.Field("WWW-Authenticate", OAuthError.basicChallenge))
        }
    }

    /// The status that suits octets that are no request.
    init(refusing error: MessageError) {
        let isShortage = error == .tooManyConnections || error == .noRoomForContent
        self.init(isShortage ? .unavailable : .message, error.suggestedStatus, error.explanation)
        if isShortage {
            fields.append(HTTPResponse.Field("Retry-After", "1"))
        }
    }

    /// 413 (RFC 9110 §15.5.14).
    init(contentTooLarge maximum: Int) {
        self.init(.tooLarge, 413, "The content may have \(maximum) octets at most.")
    }

    /// 411 (RFC 9110 §15.5.12).
    static let lengthRequired = Problem(
        .uploadContentLength,
        411,
        "Send Content-Length: this upload cannot be sent in chunks."
    )

    /// 503 for one session too many; 500 or 507 where the store failed.
    init(refusal: Sessions.Refusal) {
        switch refusal {
        case .tooMany:
            self.init(
                .unavailable,
                503,
                "There are \(Sessions.maximum) sessions already: drop one with "
                    + "DELETE /__admin/sessions/{name}."
            )
        case .store(let error): self.init(store: error)
        case .faults(let error):
            self.init(.unavailable, 500, "The rules of --faults cannot be armed: \(error)")
        }
    }

    /// A failure of the records.
    init(store error: StoreError) {
        switch error {
        case .rule(let error): self.init(rule: error)
        case .full:
            self.init(
                .unavailable,
                507,
                "There is no room on the disk for this; nothing of it was stored."
            )
        case .noDescriptors:
            self.init(
                .unavailable,
                503,
                "The mock may open no further file for this: close connections, drop sessions, or "
                    + "start it with a higher limit (ulimit -n)."
            )
            logged = "no file descriptor is left (ulimit -n)"
        case .tooManySessions(let limit):
            self.init(
                .unavailable,
                503,
                "There are \(limit) sessions already: drop one with "
                    + "DELETE /__admin/sessions/{name}."
            )
        case .seedMissing(let path):
            let file = path.split(separator: "/").last.map { String($0) } ?? path
            self.init(
                .unavailable,
                503,
                "\(file), the copy of the generated data that sessions start with, is missing "
                    + "beside the database: put it there, and start the mock again."
            )
            logged = "\(error)"
        case .unknownSession:
            self.init(.unavailable, 503, "The session was dropped meanwhile: try again.")
        case .unknownSnapshot: self.init(.notFound, 404, "There is no snapshot of this name.")
        case .defaultSession: self.init(.conflict, 409, "The session default cannot be dropped.")
        case .malformedName: self.init(.contract, 400, "A name must be \(SessionName.rule).")
        case .foreignCursor: self.init(.nextToken, 400, PagingToken.Refusal.foreign.message)
        default:
            self.init(
                .unavailable,
                500,
                "The mock failed to read or write its records; its log says why."
            )
            logged = "\(error)"
        }
    }

    /// A rule of the API that the request breaks.
    init(rule error: RuleError) {
        switch error {
        case .notFound(let resource):
            self.init(
                .notFound,
                404,
                resource == .domain
                    ? "There is no such domain."
                    : "There is no such \(resource.rawValue) in this domain."
            )
        case .wrongStatus(let required, _):
            self.init(
                .notPending,
                404,
                "The appointment is not in the status \(required), which this operation needs."
            )
        case .keyReused:
            self.init(
                .idempotencyConflict,
                409,
                "This Idempotency-Key was used for another payload: send a new key with new "
                    + "content, and the same content with the same key."
            )
        case .appointmentWithoutPatient:
            self.init(
                .contract,
                400,
                "The appointment has no patient to attach a patient comment to.",
                errors: [("/commentType", ["Send AC or AA: this appointment has no patient."])]
            )
        case .alreadyUploaded:
            self.init(
                .urlUsed,
                403,
                "This upload URL has had its content: ask for a new one for another upload."
            )
        case .inUse(let resource, let count):
            self.init(
                .conflict,
                409,
                "\(count) records of kind \(resource.rawValue) refer to it: remove them first."
            )
        }
    }
}
