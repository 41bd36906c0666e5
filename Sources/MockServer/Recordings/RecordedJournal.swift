import Contract
import HTTPMessage
import JSON
import Journal
import OAuth
import Privacy
import QUBS
import Time
import Verdict

/// The journal that the mock would have kept of recorded requests, as far as a recording tells it.
struct RecordedJournal {
    private let journal: RequestJournal
    /// Requests that are none of the API's.
    private(set) var others = 0
    /// Whether an answer that should have content has none.
    private(set) var lacksContents = false
    /// Whether an upload was answered 403: for which reason, nobody can tell.
    private(set) var hasForbiddenUploads = false

    private let contract: OpenAPIContract
    /// Of digests that nobody sees.
    private let key = JournalDigest.Key(0x7175_6273_2d6d_6f63, 0x6b2d_7265_636f_7264)
    private var clock = ServerClock()
    private var connections: [String: UInt64] = [:]
    /// Whose each token is, and when it ends.
    private var tokens: [JournalDigest: (client: String?, expiry: Int64?)] = [:]
    private var tokenTexts: [[UInt8]] = []
    private var cursors: Set<JournalDigest> = []
    /// Presigned URLs that were answered, by path and query.
    private var uploads: [String: JournalDetails.PresignedURL] = [:]
    private var downloads: Set<String> = []

    /// - Parameter capacity: How many exchanges there are.
    init(contract: OpenAPIContract, capacity: Int) {
        self.contract = contract
        journal = RequestJournal(
            JournalSize(
                entries: capacity,
                octetsPerEntry: JournalSize.octetsPerEntryWithBodies
            )
        )
    }

    /// In the order of arrival.
    var entries: [JournalEntry] { journal.entries() }

    private func digest(_ octets: some Collection<UInt8>) -> JournalDigest {
        JournalDigest(of: octets, key: key)
    }

    // MARK: Requests

    /// Where a request leads.
    private enum Place {
        case operation(Operation, PathMatch)
        case token(Operation, PathMatch)
        case upload(JournalDetails.PresignedURL?)
        case download
        /// A path that the API does not have.
        case unknown
    }

    /// Adds the next exchange in the order of their beginnings.
    mutating func add(_ exchange: HTTPArchive.Exchange) {
        guard let place = place(of: exchange.request) else {
            others += 1
            return
        }
        clock.hear(exchange)
        var entry = entry(exchange, place)
        noteSender(of: exchange.request, &entry)
        noteFields(of: exchange.request, &entry)
        noteAnswer(exchange, &entry)
        switch place {
        case .operation(let operation, let match):
            noteCall(exchange, operation, match, &entry)
        case .token: noteIssue(exchange, &entry)
        case .upload(let url):
            entry.details.presigned = url
            noteUpload(exchange, &entry)
        case .download, .unknown: break
        }
        journal.append(entry)
    }

    private func place(of request: HTTPRequest) -> Place? {
        let text = Self.text(of: request.target)
        if let url = uploads[text] { return .upload(url) }
        if downloads.contains(text) { return .download }
        // A gateway may put something before the path.
        let path = Self.apiPath(request.target.path)
        switch contract.route(method: request.method, path: path) {
        case .matched(let operation, let match):
            switch operation.id {
            case OperationID.token: return .token(operation, match)
            case OperationID.upload:
                let guid = match.count > 0 ? match.value(at: 0) : nil
                return .upload(guid.map { JournalDetails.PresignedURL(guid: $0, expiresAt: 0) })
            case OperationID.download: return .download
            default: return operation.isPartnerOperation ? .operation(operation, match) : nil
            }
        case .methodNotAllowed, .notFound:
            return path.starts(with: Self.apiPrefix) ? .unknown : nil
        }
    }

    private static let apiPrefix = Array("/integrations/".utf8)

    private static func apiPath(_ path: [UInt8]) -> [UInt8] {
        guard let range = path.firstRange(of: apiPrefix) else { return path }
        return Array(path[range.lowerBound...])
    }

    private static func text(of target: RequestTarget) -> String {
        let path = String(decoding: target.path, as: UTF8.self)
        return target.query.map { path + "?" + String(decoding: $0, as: UTF8.self) } ?? path
    }

    private mutating func entry(_ exchange: HTTPArchive.Exchange, _ place: Place) -> JournalEntry {
        let request = exchange.request
        let kind: JournalEntry.Kind =
            switch place {
            case .operation: .operation
            case .token: .token
            case .upload: .upload
            case .download: .download
            case .unknown: .other
            }
        let path =
            kind == .operation ? Self.apiPath(request.target.path) : request.target.path
        var generator = SystemRandomNumberGenerator()
        let correlation = CorrelationID(request.fields, using: &generator)
        var entry = JournalEntry(
            requestID: correlation.text,
            session: "recording",
            kind: kind,
            method: request.method.rawValue,
            path: String(decoding: path, as: UTF8.self),
            connection: connection(exchange.connection),
            wallTime: clock.time(exchange.began),
            arrival: exchange.began
        )
        if correlation.wasSent { entry.traits.insert(.sentRequestID) }
        if correlation.wasSent, !correlation.isClients {
            entry.traits.insert(.malformedRequestID)
        }
        entry.clockMoves = clock.moves
        return entry
    }

    /// A number for a connection; all that have no name count as one.
    private mutating func connection(_ name: String?) -> UInt64 {
        guard let name else { return 0 }
        if let known = connections[name] { return known }
        let number = UInt64(connections.count + 1)
        connections[name] = number
        return number
    }

    private func noteFields(of request: HTTPRequest, _ entry: inout JournalEntry) {
        let fields = request.fields
        entry.userAgent = fields.text("user-agent")
        if fields.first("content-length") != nil { entry.traits.insert(.contentLength) }
        if fields.first("prefer") != nil { entry.traits.insert(.preference) }
        if let query = request.target.query, !query.isEmpty { entry.queryDigest = digest(query) }
        if !request.content.isEmpty {
            entry.contentOctets = request.content.count
            entry.contentDigest = digest(request.content)
            entry.details.contentType = fields.first("content-type").flatMap {
                MediaType($0)?.essence
            }
        }
        if let trace = fields.first("traceparent").flatMap(TraceParent.value) {
            entry.details.traceParent = trace
        }
        if let key = fields.first("idempotency-key") {
            entry.details.idempotencyKey = JournalDetails.IdempotencyKey(
                digest: digest(key),
                isWellFormed: (1...128).contains(key.count)
                    && key.allSatisfy { (0x21...0x7E).contains($0) },
                count: UInt8(clamping: fields.count(of: "idempotency-key"))
            )
        }
        if isTokenInURL(request.target) { entry.findings.insert(.tokenInURL) }
        // The form of the token endpoint holds what makes a client known.
        if entry.kind == .operation,
            tokenTexts.contains(where: { request.content.firstRange(of: $0) != nil })
        {
            entry.findings.insert(.tokenInContent)
        }
    }

    private func isTokenInURL(_ target: RequestTarget) -> Bool {
        if TokenScan.holdsToken(target.path[...]) { return true }
        guard let query = target.query else { return false }
        return TokenScan.holdsToken(query[...])
            || query.split(separator: UInt8(ascii: "&")).contains { pair in
                let end = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
                return TokenScan.isTokenName(pair[..<end]) && pair.endIndex - end > 1
            }
    }

    // MARK: Tokens

    private func noteSender(of request: HTTPRequest, _ entry: inout JournalEntry) {
        let authorization = request.fields.first("authorization")
        if authorization != nil { entry.traits.insert(.authorization) }
        if entry.kind == .token {
            entry.client = Self.formValue("client_id", of: request.content).map(Self.plainClient)
            entry.details.grant = Self.formValue("grant_type", of: request.content)
                .flatMap(JournalDetails.Grant.init)
            return
        }
        guard case .token(let token) = BearerCredentials(authorization: authorization) else {
            return
        }
        let digest = digest(token.suffix(64))
        let claims = TokenVerifier.unverifiedClaims(token)
        let known = tokens[digest]
        entry.token = digest
        entry.client = known?.client ?? Self.client(of: claims) ?? Self.someClient
        entry.tokenExpiry =
            known?.expiry ?? claims?["exp"]?.int.map(Int64.init)
    }

    /// What a client is called of which a recording tells no name.
    private static let someClient = "client"

    private static func client(of claims: JSONValue?) -> String? {
        (claims?["client_id"]?.string ?? claims?["sub"]?.string).map(plainClient)
    }

    /// A client id without the session that may follow it.
    private static func plainClient(_ id: String) -> String { String(id.prefix { $0 != "+" }) }

    private static func formValue(_ name: String, of form: [UInt8]) -> String? {
        RequestTarget(path: [], query: form).queryValue(name)
            .flatMap { PercentCoding.decode(Array($0.utf8)[...], plusIsSpace: true) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private mutating func noteIssue(
        _ exchange: HTTPArchive.Exchange,
        _ entry: inout JournalEntry
    ) {
        guard entry.succeededInRecording else { return }
        guard let answer = body(of: exchange), let text = answer["access_token"]?.string else {
            lacksContents = lacksContents || exchange.answer == nil
            return
        }
        let token = Array(text.utf8)
        let digest = digest(token.suffix(64))
        let claims = TokenVerifier.unverifiedClaims(token[...])
        let issued = clock.time(exchange.ended).floorDivided(by: 1_000_000_000)
        entry.client = entry.client ?? Self.client(of: claims) ?? Self.someClient
        entry.token = digest
        entry.tokenExpiry =
            claims?["exp"]?.int.map(Int64.init)
            ?? answer["expires_in"]?.int.map { issued.addingSaturated(Int64($0)) }
        tokens[digest] = (entry.client, entry.tokenExpiry)
        tokenTexts.append(token)
    }

    // MARK: Answers

    private func noteAnswer(_ exchange: HTTPArchive.Exchange, _ entry: inout JournalEntry) {
        entry.status = exchange.status
        entry.answerOctets = exchange.answerOctets
        entry.answerBegan = exchange.ended
        entry.answerEnded = exchange.ended
        entry.delivery = exchange.isLost ? .cut : .complete
        let fields = exchange.answerFields
        let lines = fields.values(named: "retry-after").map { String(decoding: $0, as: UTF8.self) }
        if !lines.isEmpty {
            entry.details.retryAfter = JournalDetails.RetryAfter(
                sent: lines,
                now: clock.time(exchange.ended)
            )
        }
        // What the mock says of itself.
        if let rule = fields.text("x-mock-fault"), let status = exchange.status, status >= 400 {
            entry.details.fault = JournalFault(rule: rule, phase: .before, effects: .status)
        }
        if fields.text("idempotency-replayed")?.lowercased() == "true" {
            entry.idempotency = .replay
        }
        if exchange.status == 401, entry.kind == .operation, let expiry = entry.tokenExpiry,
            clock.time(exchange.ended) >= expiry.multipliedSaturated(by: 1_000_000_000)
        {
            entry.refusal = .tokenExpired
        }
    }

    private mutating func noteUpload(
        _ exchange: HTTPArchive.Exchange,
        _ entry: inout JournalEntry
    ) {
        entry.committed = entry.succeededInRecording
        switch exchange.status {
        case 403: hasForbiddenUploads = true
        case 411: entry.refusal = .uploadContentLength
        case 413: entry.refusal = .tooLarge
        default: break
        }
    }

    /// The content of an answer, where it is kept and is JSON.
    private func body(of exchange: HTTPArchive.Exchange) -> JSONValue? {
        // Another form of content says nothing to these checks.
        exchange.answer.flatMap { try? JSONParser.parse($0) }
    }

    // MARK: Calls

    private mutating func noteCall(
        _ exchange: HTTPArchive.Exchange,
        _ operation: Operation,
        _ match: PathMatch,
        _ entry: inout JournalEntry
    ) {
        entry.operation = operation.id
        entry.domain = operation.pathValue("domain", in: match)
        entry.appointmentID = operation.pathValue("appointmentId", in: match)
        let valid = contract.validate(exchange.request, operation: operation, match: match)
        noteQuery(valid, &entry)
        let isRefused = exchange.status == 400 || exchange.status == 415
        if isRefused, entry.details.fault == nil { noteViolations(valid, &entry) }
        let isWrite = operation.idempotencyRetentionSeconds != nil
        if isWrite, let body = valid.body {
            entry.details.fingerprint = digest(KeyedWrite.fingerprint(of: body))
            entry.committed = entry.succeededInRecording && entry.idempotency != .replay
            if let status = body["reportStatus"]?.string?.lowercased() {
                entry.details.report = JournalDetails.Report(
                    status: status,
                    reportedAt: (body["reportedAtUtc"]?.string).flatMap { Instant(rfc3339: $0) }?
                        .secondsSince1970
                )
            }
        }
        let paging = VerdictContext.Paging(operation)
        notePaging(paging, valid, exchange, &entry)
        guard entry.succeededInRecording else { return }
        guard let answer = body(of: exchange) else {
            let needsContent = paging != .none || isWrite
            let isMissing = exchange.answer == nil && exchange.answerOctets > 0
            lacksContents = lacksContents || (needsContent && isMissing)
            return
        }
        let items = answer.array ?? answer["items"]?.array
        if paging != .none { entry.itemCount = items.map { Int32(clamping: $0.count) } }
        if paging == .cursor, let token = answer["nextToken"]?.string {
            let digest = digest(token.utf8)
            entry.details.nextTokenIssued = digest
            cursors.insert(digest)
        }
        noteURLs(items ?? [answer], &entry)
    }

    private func noteViolations(_ valid: ValidatedRequest, _ entry: inout JournalEntry) {
        entry.details.violations = valid.violations.map {
            JournalViolation(
                location: $0.location.rawValue,
                name: $0.name,
                keyword: $0.keyword,
                message: $0.message,
                contractPointer: $0.contractPointer.description
            )
        }
        if case .unsupportedMediaType = valid.contentFault { entry.refusal = .mediaType }
        if entry.details.violations.isEmpty, entry.refusal == nil,
            valid.string("nextToken") != nil
        {
            entry.refusal = .nextToken
        }
    }

    private func noteQuery(_ valid: ValidatedRequest, _ entry: inout JournalEntry) {
        guard entry.queryDigest != nil else { return }
        var query: [JournalDetails.QueryParameter] = []
        for (position, parameter) in valid.operation.parameters.enumerated()
        where parameter.location == .query && valid.wasSent(at: position) {
            let value: JournalDetails.QueryParameter.Value =
                switch valid.value(at: position) {
                case .integer(let number): .integer(number)
                case .boolean(let flag): .word(flag ? "true" : "false")
                case .string(let word) where parameter.isEnumerated: .word(word)
                case .string(let text): .digest(digest(text.utf8))
                case .number(let number): .digest(digest(String(number).utf8))
                case .absent, .array: .digest(digest([]))
                }
            query.append(.init(name: parameter.name, value: value, isKnown: true))
        }
        for parameter in valid.unknownParameters {
            query.append(
                .init(
                    name: parameter.name,
                    value: .digest(digest(parameter.encodedValue)),
                    isKnown: false
                )
            )
        }
        entry.details.query = query
    }

    private func notePaging(
        _ paging: VerdictContext.Paging,
        _ valid: ValidatedRequest,
        _ exchange: HTTPArchive.Exchange,
        _ entry: inout JournalEntry
    ) {
        switch paging {
        case .none: break
        case .offset:
            entry.details.skip = valid.int("skip").map { Int32(clamping: $0) }
            entry.details.take = valid.int("take").map { Int32(clamping: $0) }
        case .cursor:
            entry.details.pageSize = valid.int("pageSize").map { Int32(clamping: $0) }
            let sent = exchange.request.target.queryValue("nextToken")
            guard let sent else { break }
            let token = PercentCoding.decode(Array(sent.utf8)[...], plusIsSpace: true) ?? []
            let digest = digest(token)
            // What the API took, it had given out, if before the recording began.
            let isIssued = cursors.contains(digest) || entry.succeededInRecording
            entry.details.nextTokenSent = JournalDetails.SentNextToken(
                digest: digest,
                form: token.isEmpty
                    ? .empty
                    : token.elementsEqual("null".utf8) ? .null : isIssued ? .issued : .foreign
            )
        }
    }

    /// Notes the presigned URLs of an answer.
    private mutating func noteURLs(_ items: [JSONValue], _ entry: inout JournalEntry) {
        for item in items {
            if let url = Self.target(item["url"]?.string) { downloads.insert(url) }
            guard let url = Self.target(item["uploadUrl"]?.string),
                let guid = item["guid"]?.string,
                let expires = item["uploadUrlExpiresAtUtc"]?.string.flatMap({
                    Instant(rfc3339: $0)
                })
            else { continue }
            let presigned = JournalDetails.PresignedURL(
                guid: guid,
                expiresAt: expires.secondsSince1970
            )
            uploads[url] = presigned
            entry.details.uploadsIssued.append(presigned)
        }
    }

    /// Path and query of a URL.
    private static func target(_ url: String?) -> String? {
        guard let url, let mark = url.firstRange(of: "://"),
            let slash = url[mark.upperBound...].firstIndex(of: "/")
        else { return nil }
        return String(url[slash...])
    }
}

extension JournalEntry {
    /// Whether a whole 2xx came.
    fileprivate var succeededInRecording: Bool {
        delivery == .complete && (status.map { 200..<300 ~= $0 } ?? false)
    }
}

/// The server's clock beside the recorder's, as `Date` tells it.
private struct ServerClock {
    /// What to add to the recorder's time, in nanoseconds.
    private var offset: Int64 = 0
    /// How often the server's clock was set in between.
    private(set) var moves: UInt32 = 0
    private var isKnown = false

    /// Clocks that differ by no more are taken for one; `Date` has whole seconds.
    private static let tolerance: Int64 = 2_000_000_000

    /// An instant of the recorder by the server's clock.
    func time(_ recorded: Int64) -> Int64 { recorded.addingSaturated(offset) }

    /// Takes notice of the `Date` of an answer, which was made while the exchange lasted.
    mutating func hear(_ exchange: HTTPArchive.Exchange) {
        guard let text = exchange.answerFields.text("date"),
            let date = Instant(
                httpDate: text,
                now: Instant(
                    secondsSince1970: exchange.ended.floorDivided(by: 1_000_000_000)
                )
            )
        else { return }
        let told = date.secondsSince1970.multipliedSaturated(by: 1_000_000_000)
        let earliest = time(exchange.began).subtractingSaturated(Self.tolerance)
        let latest = time(exchange.ended).addingSaturated(Self.tolerance)
        defer { isKnown = true }
        if told >= earliest, told <= latest { return }
        offset = told.subtractingSaturated(exchange.ended)
        if isKnown { moves += 1 }
    }
}
