import Contract
import HTTPMessage
package import JSON
import Journal
import OAuth

/// Why a request was refused: the rule, what it expects, and the nearest valid request.
package struct Explanation {
    private let facts: ExplanationFacts
    private let entry: JournalEntry

    package init(of facts: ExplanationFacts) {
        self.facts = facts
        entry = facts.entry
    }

    /// The answer of `GET /__admin/requests/{id}/explain`.
    package var json: JSONValue {
        var object = JSONObject([
            ("id", .number(JSONNumber(entry.id))), ("requestId", .string(entry.shownRequestID)),
            ("status", entry.status.map { .integer(Int($0)) } ?? .null),
            ("summary", .string(summary)),
            ("rules", .array(BrokenRules(of: facts).all.map(\.json))),
        ])
        if entry.refusal == .route || entry.refusal == .method {
            object["nearestOperations"] = .array(
                facts.suggestions.map {
                    .string("\($0.method.rawValue) \($0.path) (\($0.operationID))")
                }
            )
        }
        object["curl"] = NearestRequest(to: facts).line.map { .string($0.text) } ?? .null
        return .object(object)
    }

    private var summary: String {
        let readings = entry.details.readings
        if readings.isEmpty { return outcome }
        let list = readings.map { "\($0.id)=\($0.value)" }.joined(separator: ", ")
        return "\(outcome) Readings that are not the default: \(list)."
    }

    /// One sentence; two where a fault acted on a request that was refused, too.
    private var outcome: String {
        guard let fault = entry.details.fault else { return reason }
        let injected =
            "A fault was injected by rule \(fault.rule) "
            + "(\(fault.effects.names.joined(separator: ", ")), phase \(fault.phase.rawValue))."
        if entry.refusal != nil {
            let isHidden = !fault.effects.isDisjoint(with: [.status, .edge])
            return isHidden
                ? "\(injected) Without it the request would have been refused, too: \(reason)"
                : "\(injected) The refusal is not its doing: \(reason)"
        }
        let isShaped = fault.effects.isDisjoint(with: .losesAnswer.union([.status, .edge]))
        return isShaped && entry.status != nil ? "\(injected) For the rest: \(reason)" : injected
    }

    /// Why the mock itself answered as it did.
    private var reason: String {
        switch entry.refusal {
        case nil:
            guard let status = entry.status else { return "The request has not been answered." }
            return status < 400
                ? "The request was answered \(status): nothing was wrong with it."
                : "The request was answered \(status)."
        case .message:
            return entry.details.violations.first?.message
                ?? "The bytes were no valid HTTP request, or broke a limit."
        case .route: return "No operation has this path."
        case .method: return "The path is known, the method is not possible on it."
        case .tokenMissing: return "The operation needs a bearer token, and none was sent."
        case .tokenExpired: return "The token had expired by the session's clock."
        case .tokenInvalid: return "The token is not one that this mock accepts."
        case .domain: return "The domain in the path is not among those of the token\(instead)."
        case .site: return "The site in the path is not among those of the token\(instead)."
        case .permission:
            return "The token lacks the permission that the operation needs\(instead)."
        case .providerNumbers: return "The operation needs provider numbers in the token\(instead)."
        case .contract: return "The request breaks the contract: see rules."
        case .mediaType: return "The Content-Type is not one that the operation takes."
        case .contentCoding: return "The content has a content coding, which nobody here takes."
        case .nextToken: return "The nextToken is not one that was issued for this list."
        case .idempotencyKey:
            return "The Idempotency-Key must be 1 to 128 visible ASCII characters, sent once."
        case .idempotencyConflict: return "The Idempotency-Key was used for another payload."
        case .keyInFlight: return "A request with the same Idempotency-Key was not answered yet."
        case .notFound: return "What the path names does not exist in this domain."
        case .notPending: return "The appointment does not wait for a report."
        case .grant: return "The token endpoint refused the request (RFC 6749 section 5.2)."
        case .urlSignature: return "The presigned URL is not one that was given out."
        case .urlExpired: return "The presigned URL had expired by the session's clock."
        case .storageCredentials:
            return "A presigned URL is a credential: the storage takes no Authorization beside it."
        case .urlUsed: return "The upload URL has had its content."
        case .uploadContentType: return "The upload needs the Content-Type that was announced."
        case .uploadContentLength: return "The upload needs Content-Length."
        case .tooLarge: return "The content is larger than allowed."
        case .range: return "The content has no bytes in the range that was asked for."
        case .host: return "The Host is not one that this server is reached by."
        case .origin: return "A web page of another origin sent the request."
        case .conflict: return "The state of what the request names does not allow it."
        case .unavailable: return "The mock itself could not serve the request."
        }
    }

    /// Which client can do what the caller cannot, where the line of curl is that one's.
    private var instead: String { facts.helper.map { "; use the client \($0.id)" } ?? "" }
}
