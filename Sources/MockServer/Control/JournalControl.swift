import Contract
import Dispatch
import Explain
import ContractData
import Time
import JSON
import Journal
import OAuth
import QUBS
import Store
import Suggestions

/// Tag Journal of the control API.
enum JournalControl {
    static let entries: [ControlEntry] = [
        ("Admin_ListRequests", list),
        ("Admin_ClearRequests", clear),
        ("Admin_CountRequests", count),
        ("Admin_GetRequest", one),
        ("Admin_ExplainRequest", explain),
        ("Admin_ListIdempotency", idempotency),
    ]

    private static func list(_ call: ControlCall) throws(Problem) -> Answer {
        let journal = try call.existingSession().journal
        let filter = try filter(call)
        if call.valid.string("format") == "har" {
            return Answer(
                contentType: "application/har+json",
                content: JournalHAR.octets(
                    of: journal,
                    matching: filter,
                    session: call.string("session"),
                    baseURL: call.call.baseURL,
                    version: ProgramVersion.text
                )
            )
        }
        return .json(JournalList.octets(of: journal, matching: filter))
    }

    private static func clear(_ call: ControlCall) throws(Problem) -> Answer {
        try call.openSession().clearJournal()
        return .noContent
    }

    private static func count(_ call: ControlCall) throws(Problem) -> Answer {
        let count = try call.existingSession().journal.count(matching: try filter(call))
        return .json(["count": .integer(count)])
    }

    private static func one(_ call: ControlCall) throws(Problem) -> Answer {
        let found = try entries(call)
        return .json(JournalList.octets(of: found))
    }

    private static func explain(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        guard let entry = session.journal.entry(call.string("id")) else { throw missing }
        return .json(
            call.context.explanation(
                of: entry,
                in: session,
                reader: session.store.reader(worker: call.call.worker.index),
                baseURL: call.call.baseURL
            )
        )
    }

    /// The entry of an id, or all of a correlation id, newest first.
    private static func entries(_ call: ControlCall) throws(Problem) -> [JournalEntry] {
        let journal = try call.existingSession().journal
        let id = call.string("id")
        let found = journal.entries(idOrRequestID: id)
        if found.isEmpty { throw missing }
        return found
    }

    private static let missing = Problem(
        .notFound,
        404,
        "The journal of this session holds no request with this id or correlation id."
    )

    private static func filter(_ call: ControlCall) throws(Problem) -> JournalFilter {
        var status: JournalFilter.Status?
        if let text = call.valid.string("status") {
            status = JournalFilter.Status(parsing: text)
        }
        var since: JournalFilter.Since?
        if let text = call.valid.string("since") {
            since = JournalFilter.Since(parsing: text)
            if since == nil {
                let message = "Send an entry's id, or a time such as 2025-01-12T03:40:00Z."
                throw Problem(
                    .contract,
                    400,
                    "since: \(message)",
                    errors: [("since", [message])]
                )
            }
        }
        return JournalFilter(
            operation: try operation(call),
            client: try client(call),
            status: status,
            since: since,
            before: call.valid.int("before").map { UInt64(clamping: $0) },
            limit: call.valid.int("limit") ?? JournalFilter.defaultLimit
        )
    }

    /// The operation asked for; a name that no entry can have would only ever find nothing.
    private static func operation(_ call: ControlCall) throws(Problem) -> String? {
        guard let name = call.valid.string("operation") else { return nil }
        let contract = call.server.contract
        let kinds = JournalEntry.Kind.named.map(\.rawValue)
        if let operation = contract.operation(anyCase: name) { return operation.id }
        if kinds.contains(name.lowercased()) { return name.lowercased() }
        let nearest = NameSuggestions.nearest(
            to: name,
            among: contract.operations.map(\.id) + kinds
        )
        throw unknown("operation", nearest, listedAt: "GET /__admin/operations lists them")
    }

    /// The client asked for, who must be one of `clients.json`.
    private static func client(_ call: ControlCall) throws(Problem) -> String? {
        guard let name = call.valid.string("client") else { return nil }
        let clients = call.server.clients
        if clients[name] != nil { return name }
        let names = clients.clients.map(\.id)
        throw unknown(
            "client",
            clients.nearest(to: name).map { [$0] } ?? [],
            listedAt: "there are \(names.joined(separator: ", ")), without a session"
        )
    }

    private static func unknown(
        _ parameter: String,
        _ nearest: [String],
        listedAt: String
    ) -> Problem {
        let message =
            nearest.first.map { "There is no such \(parameter); did you mean `\($0)`?" }
            ?? "There is no such \(parameter): \(listedAt)."
        return Problem(.contract, 400, "\(parameter): \(message)", errors: [(parameter, [message])])
    }

    // MARK: - The ledger

    private static func idempotency(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        let entries: [LedgerEntry]
        do throws(StoreError) {
            entries = try session.store.reader(worker: call.call.worker.index)
                .ledger(now: session.clock.now())
        } catch {
            throw Problem(store: error)
        }
        let items = entries.map { entry -> JSONValue in
            [
                "keyDigest": .string(
                    SHA256Digest.hexadecimal(of: Array(entry.scope.key.text.utf8))
                ),
                "client": .string(entry.scope.client), "domain": .string(entry.scope.domain),
                "operation": .string(entry.scope.operation),
                "appointmentId": .string(entry.scope.appointmentID),
                "expiresAt": .string(entry.expiresAt.rfc3339),
                "replays": .integer(entry.replays), "conflicts": .integer(entry.conflicts),
            ]
        }
        return .json(["items": .array(items)])
    }
}
