import Contract
import JSON
import Journal
import Privacy
import Store
import Time

/// A test's own records, in fixture form, held against the fixture schemas of the contract.
enum DataControl {
    static let entries: [ControlEntry] = [
        ("Admin_GetData", summary),
        (
            "Admin_PutAppointment",
            { call throws(Problem) in
                try put(
                    call,
                    schema: "appointments",
                    member: "appointmentId",
                    id: call.string("id")
                ) { writer, domain, record throws(StoreError) in
                    try writer.putAppointment(
                        domain: domain,
                        record,
                        now: call.call.session.clock.now()
                    )
                }
            }
        ),
        (
            "Admin_DeleteAppointment",
            { call throws(Problem) in
                try delete(call) { writer throws(StoreError) in
                    try writer.deleteAppointment(
                        domain: call.string("domain"),
                        id: call.string("id"),
                        now: call.call.session.clock.now()
                    )
                }
            }
        ),
        (
            "Admin_PutSite",
            { call throws(Problem) in
                try put(call, schema: "sites", member: "siteName", id: call.string("siteName")) {
                    writer,
                    domain,
                    record throws(StoreError) in
                    try writer.putSite(domain: domain, record)
                }
            }
        ),
        (
            "Admin_DeleteSite",
            { call throws(Problem) in
                try delete(call) { writer throws(StoreError) in
                    try writer.deleteSite(
                        domain: call.string("domain"),
                        name: call.string("siteName")
                    )
                }
            }
        ),
        (
            "Admin_PutPatient",
            { call throws(Problem) in
                try put(call, schema: "patients", member: "patientId", id: call.string("id")) {
                    writer,
                    domain,
                    record throws(StoreError) in
                    try writer.putPatient(domain: domain, record)
                }
            }
        ),
        (
            "Admin_DeletePatient",
            { call throws(Problem) in
                try delete(call) { writer throws(StoreError) in
                    try writer.deletePatient(domain: call.string("domain"), id: call.string("id"))
                }
            }
        ),
    ]

    /// Around which day the data lie, and how much there is.
    private static func summary(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        let domains: [DomainSummary]
        do throws(StoreError) {
            domains = try session.store.reader(worker: call.call.worker.index).domainSummaries()
        } catch {
            throw Problem(store: error)
        }
        func text(_ value: (some CustomStringConvertible)?) -> JSONValue {
            value.map { .string($0.description) } ?? .null
        }
        let first = domains.first?.practice
        return .json([
            "dayZero": text(first?.dayZero), "present": text(first?.present),
            "pinned": .bool(first?.isPinned ?? false),
            "world": .string(session.store.worldMode.rawValue),
            "domains": .array(
                domains.map { domain -> JSONValue in
                    [
                        "domain": .string(domain.domain),
                        "referenceTimeZone": text(domain.practice?.referenceTimeZone),
                        "dayZero": text(domain.practice?.dayZero),
                        "present": text(domain.practice?.present),
                        "sites": .integer(domain.sites), "patients": .integer(domain.patients),
                        "appointments": .integer(domain.appointments),
                        "first": text(domain.first), "last": text(domain.last),
                    ]
                }
            ),
        ])
    }

    private static func put(
        _ call: ControlCall,
        schema name: String,
        member: String,
        id: String,
        _ write: (SessionWriter, String, JSONObject) throws(StoreError) -> Bool
    ) throws(Problem) -> Answer {
        let domain = call.string("domain")
        var record = call.body.object ?? JSONObject()
        // What the path says need not be said again, and must not be contradicted.
        for (member, value) in [("domain", domain), (member, id)] {
            if let sent = record[member] {
                guard sent == .string(value) else {
                    let message = "Send \(member) as in the path, or leave it out."
                    throw Problem(
                        .contract,
                        400,
                        message,
                        errors: [("/\(member)", [message])]
                    )
                }
            } else {
                record[member] = .string(value)
            }
        }
        guard let schema = call.server.contract.fixtureSchema(name) else {
            preconditionFailure("the contract has no fixture schema \(name)")
        }
        let violations = schema.violations(of: .object(record))
        if !violations.isEmpty {
            throw Problem(
                .contract,
                400,
                "The record is not valid: `errors` says why.",
                errors: Problem.grouped(violations.map { ($0.name, $0.message) })
            )
        }
        let stored = schema.inUTC(.object(record))
        let isNew = try writing(call) { writer throws(StoreError) in
            try write(writer, domain, stored.object ?? record)
        }
        return .json(stored, status: isNew ? 201 : 200)
    }

    private static func delete(
        _ call: ControlCall,
        _ remove: (SessionWriter) throws(StoreError) -> Void
    ) throws(Problem) -> Answer {
        try writing(call, remove)
        return .noContent
    }

    private static func writing<Result: Sendable>(
        _ call: ControlCall,
        _ body: (SessionWriter) throws(StoreError) -> Result
    ) throws(Problem) -> Result {
        let session = try call.openSession()
        defer {
            session.intervene()
            session.personalData.invalidate()
        }
        do throws(StoreError) {
            return try session.store.write(
                by: {
                    ChangeOrigin(
                        requestID: call.call.correlation.text,
                        request: nil,
                        journal: session.journalKey,
                        client: nil,
                        time: session.clock.now()
                    )
                },
                body
            )
        } catch {
            if case .fixtures(let faults) = error {
                throw Problem(
                    .contract,
                    400,
                    "The record refers to what is not there: `errors` says to what.",
                    errors: Problem.grouped(faults.map { ($0.pointer.description, $0.reason) })
                )
            }
            throw Problem(store: error)
        }
    }
}
