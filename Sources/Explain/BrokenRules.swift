import Contract
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Time

/// The rules that a request broke, with what the contract says there.
struct BrokenRules {
    let facts: ExplanationFacts
    let contract: OpenAPIContract
    let entry: JournalEntry
    let operation: Operation?

    init(of facts: ExplanationFacts) {
        self.facts = facts
        contract = facts.contract
        entry = facts.entry
        operation = facts.operation
    }

    /// What was told as a violation first; then what the request was refused for, where that is
    /// something else.
    var all: [BrokenRule] {
        let violations = entry.shownViolations.map(rule)
        switch entry.refusal {
        case .contract, .nextToken, .idempotencyKey, .message:
            return violations.isEmpty ? refusal : violations
        default: return violations + refusal
        }
    }

    // MARK: - Violations

    /// A rule that the contract was found to be broken in.
    private func rule(_ violation: JournalViolation) -> BrokenRule {
        // A rule that is not the contract's has no place there.
        let pointer =
            violation.contractPointer.isEmpty
            ? nil : JSONPointer(parsing: violation.contractPointer)
        return BrokenRule(
            location: violation.location,
            name: violation.name,
            keyword: violation.keyword,
            message: violation.message,
            expected: pointer.flatMap { expected(violation.keyword, at: $0) } ?? .null,
            sent: sent(violation),
            pointer: pointer
        )
    }

    /// What the contract says under a keyword: at the place itself, or in the schema there.
    private func expected(_ keyword: String, at pointer: JSONPointer) -> JSONValue? {
        guard let value = pointer.value(in: contract.document) else { return nil }
        if pointer.tokens.last == keyword { return value }
        if let said = value[keyword] ?? value["schema"]?[keyword] { return said }
        return value["schema"]?["$ref"]?.string
            .flatMap { JSONPointer(parsing: $0)?.value(in: contract.document) }?[keyword]
    }

    private func sent(_ violation: JournalViolation) -> String? {
        if violation.location == "query", !entry.isURLWithheld {
            switch entry.details.query.first(where: { $0.name == violation.name })?.value {
            case .integer(let number): return String(number)
            case .word(let word): return word
            case .digest, nil: break
            }
        }
        return violation.sent
    }

    // MARK: - Refusals

    /// What a refusal for another reason than violations is about.
    private var refusal: [BrokenRule] {
        switch entry.refusal {
        case nil, .message, .idempotencyKey, .conflict: []
        case .host: [foreign("Host")]
        case .origin: [foreign("Origin")]
        case .route:
            [
                BrokenRule(
                    location: "path",
                    keyword: "paths",
                    message: facts.suggestions.first.map { "Did you mean \($0.path)?" }
                        ?? "GET /openapi.yaml lists all paths.",
                    sent: entry.isURLWithheld ? nil : entry.path,
                    pointer: JSONPointer(["paths"])
                )
            ]
        case .method: [method]
        case .tokenMissing, .tokenExpired, .tokenInvalid: [token]
        case .domain: [domain]
        case .site: [site]
        case .permission: [permission]
        case .providerNumbers: [providerNumbers]
        case .contract: unstated
        case .mediaType: [mediaType]
        case .contentCoding:
            [
                BrokenRule(
                    location: "header",
                    name: "Content-Encoding",
                    keyword: "content-coding",
                    message: "Send the content as it is, without Content-Encoding.",
                    expected: "identity",
                    pointer: response(415)
                )
            ]
        case .nextToken: [nextToken]
        case .idempotencyConflict:
            [
                BrokenRule(
                    location: "header",
                    name: "Idempotency-Key",
                    keyword: "x-idempotency-retention",
                    message: "Send a new key with new content, and the same content with the same "
                        + "key: a key stands for its first payload as long as it is remembered.",
                    expected: extensionValue("x-idempotency-retention"),
                    pointer: operation?.pointer.appending("x-idempotency-retention")
                )
            ]
        case .keyInFlight:
            [
                BrokenRule(
                    location: "header",
                    name: "Idempotency-Key",
                    keyword: "x-idempotency-retention",
                    message: "Repeat the request with the same key once the first is answered.",
                    expected: extensionValue("x-idempotency-retention"),
                    pointer: operation?.pointer.appending("x-idempotency-retention")
                )
            ]
        case .notFound: [missing]
        case .notPending:
            [
                BrokenRule(
                    location: "path",
                    name: "appointmentId",
                    keyword: "x-reporting",
                    message: "Name an appointment in this status.",
                    expected: .string(facts.records.pendingStatus),
                    sent: facts.sent("appointmentId"),
                    pointer: JSONPointer(["x-reporting", "pendingStatus"])
                )
            ]
        case .grant: [grant]
        case .urlSignature:
            [
                BrokenRule(
                    location: "query",
                    name: "signature",
                    keyword: "signature",
                    message: "Use the URL unchanged, as it was answered, in the session that "
                        + "answered it.",
                    pointer: parameter("signature")
                )
            ]
        case .urlExpired:
            [
                BrokenRule(
                    location: "query",
                    name: "expires",
                    keyword: "expires",
                    message: "Use the URL before it expires, or ask for a new one.",
                    expected: .string("later than \(requestTime.rfc3339)"),
                    sent: entry.details.presigned.map {
                        Instant(secondsSince1970: $0.expiresAt).rfc3339
                    },
                    pointer: parameter("expires")
                )
            ]
        case .storageCredentials:
            [
                BrokenRule(
                    location: "header",
                    name: "Authorization",
                    keyword: "storage",
                    message: "Leave it out: a presigned URL needs no credentials.",
                    pointer: response(400)
                )
            ]
        case .urlUsed:
            [
                BrokenRule(
                    location: "path",
                    name: "guid",
                    keyword: "single-use",
                    message: "An upload URL takes one content: ask for a new URL for another.",
                    pointer: response(403)
                )
            ]
        case .uploadContentType: [uploadType]
        case .uploadContentLength:
            [
                BrokenRule(
                    location: "header",
                    name: "Content-Length",
                    keyword: "required",
                    message: "Send Content-Length: an upload cannot be sent in chunks.",
                    expected: true,
                    pointer: response(411)
                )
            ]
        case .tooLarge:
            [
                BrokenRule(
                    location: "body",
                    keyword: "content-length",
                    message: "Send no more bytes than this.",
                    expected: .integer(
                        operation?.id == OperationID.upload
                            ? facts.maximumContentOctets.upload
                            : facts.maximumContentOctets.other
                    ),
                    pointer: response(413)
                )
            ]
        case .range: [range]
        case .unavailable: [unavailable]
        }
    }

    /// A field that names somebody else's server or page.
    private func foreign(_ field: String) -> BrokenRule {
        BrokenRule(
            location: "header",
            name: field,
            keyword: field.lowercased(),
            message: "Send the request to this server's own address, from a client or a page of "
                + "its own."
        )
    }

    private var method: BrokenRule {
        let allowed = facts.otherMethods?.allowed.map(\.rawValue) ?? []
        let pointer = facts.otherMethods.map { JSONPointer(["paths", $0.template]) }
        return BrokenRule(
            location: "method",
            keyword: "paths",
            message: "Use one of the methods of this path.",
            expected: .array(allowed.map(JSONValue.string)),
            sent: entry.method,
            pointer: pointer.flatMap { $0.value(in: contract.document) == nil ? nil : $0 }
        )
    }

    private var unavailable: BrokenRule {
        BrokenRule(
            location: "server",
            keyword: entry.status == 507 ? "storage" : "capacity",
            message: entry.status == 507
                ? "There was no room on the disk: make some, then send the same request again."
                : "There were too many sessions, connections or open files: close some, then send "
                    + "the same request again.",
            pointer: entry.status.flatMap { response(Int($0)) }
        )
    }

    // MARK: - Places in the contract

    func parameter(_ name: String) -> JSONPointer? {
        operation?.parameters.first { $0.name == name }?.pointer
    }

    /// A member of the content that the operation takes.
    func bodyMember(_ name: String) -> JSONPointer? {
        let content = operation?.requestBody?.contents.first
        guard let schema = content.flatMap(contract.schema(of:)) else { return nil }
        let place = schema.source["$ref"]?.string.flatMap { JSONPointer(parsing: $0) }
        let pointer = (place ?? schema.pointer).appending("properties").appending(name)
        return pointer.value(in: contract.document) == nil ? nil : pointer
    }

    func response(_ status: Int) -> JSONPointer? {
        let pointer = operation?.pointer.appending("responses").appending(status)
        return pointer.flatMap { $0.value(in: contract.document) == nil ? nil : $0 }
    }

    func extensionValue(_ keyword: String) -> JSONValue {
        operation?.pointer.appending(keyword).value(in: contract.document) ?? .null
    }

    /// When the request arrived, by the session's clock.
    var requestTime: Instant {
        Instant(secondsSince1970: entry.wallTime.floorDivided(by: 1_000_000_000))
    }
}
