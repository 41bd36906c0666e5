import Contract
import HTTPMessage
import JSON
import Journal
import QUBS
import Time
import Verdict

/// Notes what the journal and the verdict need of a request, while it passes.
final class RequestRecorder: Sendable {
    private let contract: OpenAPIContract
    private let keepsJournal: Bool
    /// How each operation of the contract is paged, at the operation's index.
    private let pagings: [VerdictContext.Paging]

    init(contract: OpenAPIContract, keepsJournal: Bool) {
        self.contract = contract
        self.keepsJournal = keepsJournal
        pagings = contract.operations.map(VerdictContext.Paging.init)
    }

    /// Notes what routing found.
    func noteRoute(of call: Call, operation: Operation, match: PathMatch) {
        let request = call.request
        if operation.isPartnerOperation {
            call.entry.kind = .operation
            call.entry.operation = operation.id
        } else {
            noteKind(of: call, operation: operation, match: match)
        }
        call.entry.domain = operation.pathValue("domain", in: match)
        call.entry.appointmentID = operation.pathValue("appointmentId", in: match)
        guard keepsJournal else { return }
        // So much is shown at most; the rest would only take room.
        call.entry.userAgent = request.fields.first("user-agent").map {
            String(decoding: $0.prefix(Self.maximumUserAgentOctets), as: UTF8.self)
        }
        if request.fields.first("content-length") != nil {
            call.entry.traits.insert(.contentLength)
        }
        if let query = request.target.query, !query.isEmpty {
            call.entry.queryDigest = call.digest(query)
        }
        if !request.content.isEmpty {
            call.entry.contentOctets = request.content.count
            // Of large content the digest is made beside the worker.
            if request.content.count <= ContentLimits.maximumOctetsOnWorker {
                call.entry.contentDigest = call.digest(request.content)
            }
            call.entry.details.contentType = request.fields.first("content-type").flatMap {
                MediaType($0)?.essence
            }
        }
        if let trace = request.fields.first("traceparent").flatMap(TraceParent.value) {
            call.entry.details.traceParent = trace
        }
        if let key = request.fields.first("idempotency-key") {
            call.entry.details.idempotencyKey = JournalDetails.IdempotencyKey(
                digest: call.digest(key),
                isWellFormed: (1...128).contains(key.count)
                    && key.allSatisfy { (0x21...0x7E).contains($0) },
                count: UInt8(clamping: request.fields.count(of: "idempotency-key"))
            )
        }
    }

    /// Notes what a request is about that is none to the API.
    private func noteKind(of call: Call, operation: Operation, match: PathMatch) {
        switch operation.id {
        case OperationID.token: call.entry.kind = .token
        case OperationID.upload:
            call.entry.kind = .upload
            notePresigned(call, operation: operation, match: match)
        case OperationID.download:
            call.entry.kind = .download
            notePresigned(call, operation: operation, match: match)
        default: break
        }
    }

    private static let maximumUserAgentOctets = 256

    /// Notes which presigned URL is used, before anybody has looked at its signature: a fault may
    /// meet the request at the door.
    private func notePresigned(_ call: Call, operation: Operation, match: PathMatch) {
        guard let guid = operation.pathValue("guid", in: match) else { return }
        call.entry.client = call.session.uploadOwners.owner(of: guid)
        let expires = call.request.target.queryValue("expires").flatMap { Int64($0) }
        guard let expires, Instant.writableSeconds.contains(expires) else { return }
        call.entry.details.presigned = JournalDetails.PresignedURL(guid: guid, expiresAt: expires)
    }

    /// Notes what the contract found.
    func noteParameters(of call: Call, valid: ValidatedRequest) {
        guard keepsJournal else { return }
        if !valid.isValid {
            call.entry.details.violations = valid.violations.map { violation in
                JournalViolation(
                    location: violation.location.rawValue,
                    name: violation.name,
                    keyword: violation.keyword,
                    message: Self.message(of: violation),
                    contractPointer: violation.contractPointer.description,
                    sent: Self.sent(of: violation)
                )
            }
        }
        switch pagings[valid.operation.index] {
        case .none: break
        case .cursor:
            call.entry.details.pageSize = valid.int("pageSize").map { Int32(clamping: $0) }
        case .offset:
            call.entry.details.skip = valid.int("skip").map { Int32(clamping: $0) }
            call.entry.details.take = valid.int("take").map { Int32(clamping: $0) }
        }
        guard call.entry.queryDigest != nil else { return }
        noteRefusedToken(call, valid: valid)
        noteQuery(call, valid: valid)
    }

    /// Notes the query of a request that a fault or its token refused before anybody had read it.
    ///
    /// The verdict must know what it asked for.
    func noteUnread(_ call: Call, operation: Operation, match: PathMatch) {
        guard keepsJournal, call.entry.kind == .operation,
            call.entry.queryDigest != nil, call.entry.details.query.isEmpty
        else { return }
        var request = call.request
        request.content = []
        let valid = contract.validate(request, operation: operation, match: match)
        noteQuery(call, valid: valid)
    }

    /// Notes the payload of a request that a fault answers in the operation's place.
    func notePayload(of call: Call, operation: Operation) {
        if operation.idempotencyRetentionSeconds != nil,
            // What is no JSON has no payload to compare.
            let body = try? JSONParser.parse(call.request.content)
        {
            call.entry.details.fingerprint = call.digest(KeyedWrite.fingerprint(of: body))
        }
    }

    /// Notes the parameters of a query.
    private func noteQuery(_ call: Call, valid: ValidatedRequest) {
        var query: [JournalDetails.QueryParameter] = []
        // No more room than is needed: it is kept as long as the entry.
        query.reserveCapacity(
            valid.unknownParameters.count
                + valid.operation.parameters.indices.count { position in
                    valid.operation.parameters[position].location == .query
                        && valid.wasSent(at: position)
                }
        )
        for (position, parameter) in valid.operation.parameters.enumerated()
        where parameter.location == .query && valid.wasSent(at: position) {
            query.append(
                JournalDetails.QueryParameter(
                    name: parameter.name,
                    value: shown(valid.value(at: position), of: parameter, in: call),
                    isKnown: true
                )
            )
        }
        for parameter in valid.unknownParameters {
            let encoded = parameter.encodedValue
            let value = PercentCoding.decode(encoded, plusIsSpace: true) ?? Array(encoded)
            query.append(
                JournalDetails.QueryParameter(
                    name: parameter.name,
                    value: .digest(call.digest(value)),
                    isKnown: false
                )
            )
        }
        call.entry.details.query = query
    }

    /// Notes a nextToken that the contract does not let through to the operation.
    private func noteRefusedToken(_ call: Call, valid: ValidatedRequest) {
        let isRefused = valid.violations.contains {
            $0.location == .query && $0.name == "nextToken"
        }
        guard isRefused, let query = call.request.target.query else { return }
        for pair in query.split(separator: UInt8(ascii: "&"))
        where pair.starts(with: "nextToken".utf8) {
            let value = pair.dropFirst("nextToken".utf8.count)
            if let first = value.first, first != UInt8(ascii: "=") { continue }
            let sent = PercentCoding.decode(value.dropFirst(), plusIsSpace: true) ?? []
            call.entry.details.nextTokenSent = JournalDetails.SentNextToken(
                digest: call.digest(sent),
                form: sent.isEmpty
                    ? .empty : sent.elementsEqual("null".utf8) ? .null : .foreign
            )
            return
        }
    }

    /// A value as the journal may keep it: integers and enumerated words, of the rest a digest.
    private func shown(
        _ value: ParameterValue,
        of parameter: Parameter,
        in call: Call
    ) -> JournalDetails.QueryParameter.Value {
        switch value {
        case .integer(let number): return .integer(number)
        case .string(let word) where parameter.isEnumerated: return .word(word)
        case .string(let text): return .digest(call.digest(text.utf8))
        case .number(let number): return .digest(call.digest(String(number).utf8))
        case .boolean(let flag): return .word(flag ? "true" : "false")
        case .absent, .array: return .digest(call.digest([]))
        }
    }

    /// What was sent, where the journal may keep it.
    private static func sent(of violation: Violation) -> String? {
        let isSafe =
            violation.location == .path
            || (violation.location == .query && violation.keyword != "enum")
        return isSafe ? violation.safeValue : nil
    }

    /// The message without what a body held: bodies are never kept.
    private static func message(of violation: Violation) -> String {
        guard violation.location == .body, let sent = violation.safeValue, !sent.isEmpty else {
            return violation.message
        }
        return violation.message.replacing("\"\(sent)\"", with: "what was sent")
    }
}
