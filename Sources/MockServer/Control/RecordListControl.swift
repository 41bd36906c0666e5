import Contract
import JSON
import Journal
import Store
import Suggestions
import Time

/// Which records there are: names and ids, by which the records themselves are read.
enum RecordListControl {
    static let entries: [ControlEntry] = [
        ("Admin_ListSites", sites),
        ("Admin_ListAppointments", appointments),
    ]

    private static func sites(_ call: ControlCall) throws(Problem) -> Answer {
        let reader = try call.existingSession().store.reader(worker: call.call.worker.index)
        let sites = try read(call, reader) { domain throws(StoreError) in
            try reader.listedSites(domain: domain)
        }
        let items = sites.map { site -> JSONValue in
            [
                "siteName": .string(site.name), "active": .bool(site.isActive),
                "appointments": .integer(site.appointments),
            ]
        }
        return .json(["items": .array(items)])
    }

    private static func appointments(_ call: ControlCall) throws(Problem) -> Answer {
        let reader = try call.existingSession().store.reader(worker: call.call.worker.index)
        let limit = call.valid.int("limit") ?? 100
        // One more than shown tells whether more follow.
        let selection = AppointmentSelection(
            date: call.valid.string("date").flatMap { LocalDate($0) },
            status: call.valid.string("status"),
            site: call.valid.string("site"),
            after: call.valid.string("after"),
            limit: limit + 1
        )
        let found = try read(call, reader) { domain throws(StoreError) in
            try reader.listedAppointments(domain: domain, selection)
        }
        if found.isEmpty { try checkNames(call, selection, reader) }
        let items = found.prefix(limit).map { appointment -> JSONValue in
            [
                "appointmentId": .string(appointment.id), "status": .string(appointment.status),
                "scheduledSite": .string(appointment.site),
                "appointmentDate": appointment.date.map { .string($0.description) } ?? .null,
                "startTime": appointment.startTime.map(JSONValue.string) ?? .null,
            ]
        }
        return .json([
            "items": .array(items),
            "next": found.count > limit ? .string(found[limit - 1].id) : .null,
        ])
    }

    /// What the store reads of the domain in the path; 404 with the nearest where there is none.
    private static func read<Records>(
        _ call: ControlCall,
        _ reader: SessionReader,
        _ records: (String) throws(StoreError) -> Records?
    ) throws(Problem) -> Records {
        let domain = call.string("domain")
        do throws(StoreError) {
            if let found = try records(domain) { return found }
        } catch {
            throw Problem(store: error)
        }
        throw RecordControl.missing(.site, "", in: domain, reader)
    }

    /// Refuses a site or a status that is not there: a list that is empty for it would mislead.
    private static func checkNames(
        _ call: ControlCall,
        _ selection: AppointmentSelection,
        _ reader: SessionReader
    ) throws(Problem) {
        let known: [(parameter: String, asked: String?, names: [String])]
        do throws(StoreError) {
            known = [
                (
                    "site", selection.site,
                    try reader.listedSites(domain: call.string("domain"))?.map(\.name) ?? []
                ),
                ("status", selection.status, try reader.knownStatuses()),
            ]
        } catch {
            throw Problem(store: error)
        }
        for (parameter, asked, names) in known {
            guard let asked, !names.contains(asked) else { continue }
            let nearest = NameSuggestions.nearest(to: asked, among: names).first
            let message =
                "There is no such \(parameter)"
                + (nearest.map { "; did you mean `\($0)`?" }
                    ?? "; there are \(names.joined(separator: ", ")).")
            throw Problem(.contract, 400, message, errors: [(parameter, [message])])
        }
    }
}
