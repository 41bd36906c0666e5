import Contract
import Time
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Store
import Suggestions

/// The request nearest to a journalled one that the server would accept now.
///
/// It is not enough to put right what was told to be wrong: a request that was refused for its
/// token may be as wrong in all that was not looked at. So everything in it is chosen here, and what
/// was sent is kept wherever it is good.
struct NearestRequest {
    private let facts: ExplanationFacts
    private let contract: OpenAPIContract
    private let entry: JournalEntry

    init(to facts: ExplanationFacts) {
        self.facts = facts
        contract = facts.contract
        entry = facts.entry
    }

    /// The line of curl that makes it; `nil` where there is none.
    var line: CurlLine? {
        // The request was good, and would fail again for the same reason.
        if entry.refusal == .unavailable { return nil }
        guard let goal = facts.goal else { return document }
        switch goal.operation.id {
        case OperationID.token: return tokenRequest
        case OperationID.upload: return upload(goal["guid"])
        case OperationID.download: return download(goal["guid"])
        default: return request(by: goal, caller: facts.caller)
        }
    }

    /// What is neither operation nor refused: one of the server's own documents.
    private var document: CurlLine? {
        guard entry.refusal == nil, entry.path.hasPrefix("/"), !entry.isURLWithheld else {
            return nil
        }
        return CurlLine(entry.method == "HEAD" ? .head : .get, entry.path, base: facts.baseURL)
    }

    // MARK: - Operations

    /// A request to the operation that a way leads to, by the first who can make it.
    private func request(by way: RoutedPath, caller: Client?) -> CurlLine? {
        let operation = way.operation
        guard operation.requiresToken else { return line(to: way, [:], domain: nil, token: nil) }
        let wanted = way["domain"]
        for asker in facts.askers(for: operation, domain: wanted, caller: caller) {
            guard let values = values(for: way, asker) else { continue }
            return line(to: way, values, domain: asker.domain, token: asker.token)
        }
        return nil
    }

    private func line(
        to way: RoutedPath,
        _ values: [String: String],
        domain: String?,
        token: CurlLine.Token?
    ) -> CurlLine? {
        let operation = way.operation
        let isHead = entry.method == "HEAD" && operation.method == .get
        var line = CurlLine(
            isHead ? .head : operation.method,
            way.text(with: values) + query(of: operation, domain: domain),
            base: facts.baseURL
        )
        if let token { line.add(token) }
        if operation.idempotencyRetentionSeconds != nil {
            line.add(field: "Idempotency-Key", "<a new key>")
        }
        if let content = operation.requestBody?.contents.first, content.range.isJSON {
            guard let example = SchemaExample.value(of: content, in: contract) else { return nil }
            line.add(json: example)
        }
        return line
    }

    // MARK: - Path

    /// Values for the parameters of a path, of records that are there and that somebody may use;
    /// `nil` where there are none.
    private func values(
        for way: RoutedPath,
        _ asker: ExplanationFacts.Asker
    ) -> [String: String]? {
        let operation = way.operation
        let violations = way.violations(in: contract)
        var values: [String: String] = [:]
        for parameter in operation.parameters where parameter.location == .path {
            let value: String? =
                switch parameter.name {
                case "domain": asker.domain
                case "siteName":
                    site(
                        facts.segments.first { has(site: $0, asker) } ?? way["siteName"],
                        parameter,
                        asker
                    )
                case "appointmentId": appointment(for: way, asker)
                case "patientId": patient(way["patientId"], parameter, asker)
                case "attachmentGuid", "commentGuid":
                    values["appointmentId"].flatMap { appointment in
                        let guids = children(of: appointment, for: operation, in: asker.domain)
                        return guids.first { $0 == way[parameter.name] } ?? guids.first
                    }
                default:
                    if let violation = violations[parameter.name] {
                        violation.suggestion
                            ?? facts.segments.first { isListed($0, for: parameter) }
                            ?? SchemaExample.text(of: parameter, in: contract)
                    } else {
                        way[parameter.name]
                    }
                }
            guard let value else { return nil }
            values[parameter.name] = value
        }
        return values
    }

    private func isListed(_ value: String, for parameter: Parameter) -> Bool {
        parameter.isEnumerated
            && contract.schema(of: parameter).violations(of: .string(value)).isEmpty
    }

    private func has(site: String, _ asker: ExplanationFacts.Asker) -> Bool {
        facts.records.hasSite(site, in: asker.domain)
            && asker.client.sites?.contains { $0.utf8.elementsEqual(site.utf8) } ?? true
    }

    /// The site that was asked for, or that was probably meant, or another.
    private func site(
        _ sent: String?,
        _ parameter: Parameter,
        _ asker: ExplanationFacts.Asker
    ) -> String? {
        if let sent, has(site: sent, asker) { return sent }
        let open = facts.records.sites(in: asker.domain, allowed: asker.client.sites)
        let example = SchemaExample.text(of: parameter, in: contract)
        return sent.flatMap { NameSuggestions.nearest(to: $0, among: open).first }
            ?? open.first { $0 == example } ?? open.first
    }

    /// The appointment that was asked for, or another with all that the operation needs of it.
    private func appointment(for way: RoutedPath, _ asker: ExplanationFacts.Asker) -> String? {
        let operation = way.operation
        let parameter = operation.parameters.first { $0.name == "appointmentId" }
        let example = parameter.flatMap { SchemaExample.text(of: $0, in: contract) }
        return facts.records.appointment(
            in: asker.domain,
            preferring: [way["appointmentId"], example].compactMap { $0 },
            isPending: operation.isOfReporting
        ) { id in
            operation.childParameter == nil
                || !children(of: id, for: operation, in: asker.domain).isEmpty
        }
    }

    /// The guids of what an operation can name of an appointment.
    private func children(
        of appointment: String,
        for operation: Operation,
        in domain: String
    ) -> [String] {
        operation.childParameter == "commentGuid"
            ? facts.records.comments(ofAppointment: appointment, in: domain)
            : facts.records.attachments(ofAppointment: appointment, in: domain)
    }

    /// The patient that was asked for, or another.
    private func patient(
        _ sent: String?,
        _ parameter: Parameter,
        _ asker: ExplanationFacts.Asker
    ) -> String? {
        let records = facts.records
        let example = SchemaExample.text(of: parameter, in: contract)
        let known = [sent, example].compactMap { $0 }
            .first { records.hasPatient($0, in: asker.domain) }
        if let known { return known }
        let appointment = records.appointment(
            in: asker.domain,
            preferring: [],
            isPending: false
        ) { records.patient(ofAppointment: $0, in: asker.domain) != nil }
        return appointment.flatMap { records.patient(ofAppointment: $0, in: asker.domain) }
    }

    // MARK: - Query

    /// The parameters that were sent, with what is good or near for what was wrong, and with
    /// examples for what the journal does not keep.
    private func query(of operation: Operation, domain: String?) -> String {
        // Another operation may have parameters of the same names, and mean something else by them.
        guard operation.id == facts.operation?.id, !entry.isURLWithheld else { return "" }
        var pairs: [String] = []
        for sent in entry.details.query where sent.isKnown && sent.name != "nextToken" {
            let parameter = operation.parameters.first {
                $0.location == .query && $0.name == sent.name
            }
            guard let parameter else { continue }
            let violation = entry.details.violations.first {
                $0.location == "query" && $0.name == sent.name
            }
            let value: String? =
                switch sent.value {
                case .integer(let number) where violation == nil: String(number)
                case .word(let word) where violation == nil: word
                default:
                    nearestInteger(to: violation?.sent, parameter)
                        ?? (sent.name == "scheduledSite"
                            ? domain.flatMap { facts.records.sites(in: $0, allowed: nil).first }
                            : SchemaExample.text(of: parameter, in: contract))
                }
            if let value { pairs.append("\(sent.name)=\(PercentCoding.encode(value))") }
        }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }

    /// The valid integer that is nearest to one that is not.
    private func nearestInteger(to sent: String?, _ parameter: Parameter) -> String? {
        guard parameter.kind == .integer, let number = sent.flatMap({ Int($0) }) else {
            return nil
        }
        let schema = contract.schema(of: parameter).source
        let least = schema["minimum"]?.int ?? number
        return String(max(least, min(number, schema["maximum"]?.int ?? number)))
    }

    // MARK: - Tokens

    /// A token request of the client that sent one, or of another where that one gets no tokens.
    private var tokenRequest: CurlLine? {
        guard let path = contract.operation(id: OperationID.token)?.pathTemplate else { return nil }
        var line = CurlLine(.post, path, base: facts.baseURL)
        let caller = facts.caller
        let client =
            caller?.isDisabled == true
            ? facts.clients.clients.first { !$0.isDisabled && $0.domains == caller?.domains }
                ?? facts.clients.clients.first { !$0.isDisabled }
            : caller
        let clientID = client.map(facts.clientID) ?? "<client_id>"
        if entry.refusal == nil, entry.details.grant == .refreshToken {
            line.add(credentials: clientID, grant: "refresh_token")
            line.add(formField: "refresh_token", "<refresh_token>")
        } else {
            line.add(credentials: clientID)
        }
        return line
    }

    // MARK: - Presigned transfers

    /// The same upload, where its URL is still good; else a request for a new URL.
    ///
    /// No URL is shown that is good for whoever has it: its holder knows it.
    private func upload(_ guid: String?) -> CurlLine? {
        let state = guid.flatMap(facts.records.upload)
        if let state, !state.isComplete, facts.now < state.expiresAt {
            var line = CurlLine(.put, "<uploadUrl>", base: facts.baseURL)
            if let type = state.promisedContentType { line.add(field: "Content-Type", type) }
            line.addFile()
            return line
        }
        let issuer = "Integrations_CreatePendingReportingAppointmentReportAttachments"
        return request(to: issuer, guid.flatMap(facts.place))
    }

    /// The same download, where its URL is still good; else a request for a new URL.
    private func download(_ guid: String?) -> CurlLine? {
        let isGood = entry.refusal == nil || entry.refusal == .range
        if isGood, let guid, let url = entry.details.presigned,
            facts.now.secondsSince1970 < url.expiresAt, facts.records.contentOctets(guid) != nil
        {
            let isHead = entry.method == "HEAD"
            return CurlLine(
                isHead ? .head : .get,
                "<url>",
                base: facts.baseURL,
                isSaved: !isHead
            )
        }
        let place = guid.flatMap(facts.place)
        return request(
            to: "Integrations_GetAppointmentAttachment",
            place,
            place.flatMap { _ in guid }.map { ["attachmentGuid": $0] } ?? [:]
        )
    }

    /// A request to an operation for the appointment that an attachment belongs to.
    private func request(
        to id: String,
        _ place: ExplanationFacts.AttachmentPlace?,
        _ values: [String: String] = [:]
    ) -> CurlLine? {
        var values = values
        values["domain"] = place?.domain
        values["appointmentId"] = place?.appointment
        return contract.operation(id: id).flatMap { RoutedPath(to: $0, values, in: contract) }
            .flatMap { request(by: $0, caller: place?.client ?? facts.caller) }
    }
}

extension Operation {
    /// Whether the operation is for appointments that wait for a report, and for no others.
    var isOfReporting: Bool { tag == "Reporting" }

    /// The path parameter that names a part of an appointment, where there is one.
    var childParameter: String? {
        parameters.first {
            $0.location == .path && ["attachmentGuid", "commentGuid"].contains($0.name)
        }?.name
    }
}
