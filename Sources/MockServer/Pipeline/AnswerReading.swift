import Contract
import HTTPMessage
import HTTPTransport
import JSON
import Journal
import QUBS
import Readings

// What readings make of the form of an answer. Readings that change what an operation does are
// asked for where it does it.

extension Call {
    /// Whether a reading of this answer has a value that is not its default, which is noted.
    func departs(to value: some Reading) -> Bool {
        guard readings.departs(to: value) else { return false }
        note(value)
        return true
    }

    /// Notes that the answer departs from the default of a reading.
    func note<Value: Reading>(_ value: Value) { note(Value.id, value.rawValue) }

    /// As above, for a reading that takes any number.
    func note(_ id: ReadingID, _ word: String) {
        if entry.details.readings.contains(where: { $0.id == id.rawValue }) { return }
        entry.details.readings.append(JournalDetails.Reading(id: id.rawValue, value: word))
    }
}

/// Gives an answer the form that the readings of its call want.
final class AnswerReading: Sendable {
    /// What the contract says of answers.
    private let forms: AnswerForms

    init(contract: OpenAPIContract) { forms = AnswerForms(contract: contract) }

    /// Writes the content of an answer as the readings of its call have it.
    func reform(_ response: inout HTTPResponse, of call: Call, operation: Operation?) {
        let readings = call.readings
        if readings.isDefault { return }
        if operation?.id == OperationID.upload || operation?.id == OperationID.download {
            reformTransfer(&response, of: call)
            return
        }
        let isToken = operation?.id == OperationID.token
        guard var type = response.field("Content-Type").flatMap({ MediaRange($0) }), type.isJSON,
            // Contents of attachments are the clients', keys and metadata nobody's reading.
            operation.map({ $0.isPartnerOperation || isToken }) ?? true
        else { return }
        if type.subtype == "problem+json" {
            reformProblem(&response, of: call)
            type = response.field("Content-Type").flatMap { MediaRange($0) } ?? type
        }
        var rewriter = AnswerRewriter(
            readings,
            hidesStatuses: operation.map(Self.mayHideStatuses) ?? false
        )
        let form = forms.form(of: response.status, of: operation)
        if let content = rewriter.rewrite(response.content, form: form) {
            response.content = content
            for id in ReadingID.allCases where rewriter.departures.contains(id) {
                call.note(id, readings.word(of: id))
            }
        }
        if call.departs(to: ContentTypeForm.charset) {
            setContentType("\(type); charset=utf-8", of: &response)
        }
    }

    /// Whether appointments may be shown in statuses that nobody asked for.
    private static func mayHideStatuses(_ operation: Operation) -> Bool {
        operation.tag == "Appointments" && operation.position(of: "status") == nil
    }

    private func setContentType(_ value: String, of response: inout HTTPResponse) {
        response.fields.removeAll { $0.name == "Content-Type" }
        response.fields.insert(HTTPResponse.Field("Content-Type", value), at: 0)
    }

    /// Problem details as the readings have them: with an id of their own, fewer members, or none.
    private func reformProblem(_ response: inout HTTPResponse, of call: Call) {
        guard var problem = (try? JSONParser.parse(response.content))?.object else { return }
        let members = problem.members.map(\.name)
        if call.departs(to: RequestIDOrigin.own) {
            problem["requestId"] = .string(CorrelationID.make(using: &call.worker.generator))
        }
        if call.readings.departs(to: ErrorForm.minimal) {
            for name in members where !Self.minimalMembers.contains(name) { problem[name] = nil }
            call.note(ErrorForm.minimal)
        }
        let isGateways = [401, 403, 429].contains(response.status) || response.status >= 500
        if isGateways, call.departs(to: ErrorForm.gateway) {
            problem = JSONObject([
                ("message", .string(StatusCode.title(of: response.status)))
            ])
            setContentType("application/json", of: &response)
        }
        response.content = JSONWriter.octets(of: .object(problem))
    }

    private static let minimalMembers: Set<String> = ["type", "title", "status", "requestId"]

    /// Frames an answer as the readings have it, all fields being there.
    func frame(_ response: inout HTTPResponse, _ delivery: Delivery, of call: Call) {
        if call.request.version == .http11, !StatusCode.forbidsContent(response.status),
            // A cut needs a length that it falls short of.
            delivery.truncateAfter == nil, case .whole = delivery.ending,
            call.departs(to: Framing.chunked)
        {
            response.isChunked = true
        }
        let hasHead: Bool =
            switch delivery.ending {
            case .whole, .malformedChunk, .stream: true
            case .reset, .empty, .hang: delivery.truncateAfter != nil
            case .raw: false
            }
        if hasHead, call.departs(to: FieldNames.lower) {
            response.fields = response.fields.map {
                HTTPResponse.Field($0.name.lowercased(), $0.value)
            }
            response.hasLowerNames = true
        }
    }
}
