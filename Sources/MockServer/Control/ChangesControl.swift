import Contract
import JSON
import Journal
import Store
import Time

/// `GET /__admin/changes`: what clients and tests changed in the data of a session.
enum ChangesControl {
    static let entries: [ControlEntry] = [("Admin_ListChanges", list)]

    private static func list(_ call: ControlCall) throws(Problem) -> Answer {
        let session = try call.existingSession()
        let isNormalised = call.valid.bool("normalised") ?? false
        let showsValues = call.valid.bool("values") ?? false
        let log: ChangeLog
        do throws(StoreError) {
            log = try session.store.reader(worker: call.call.worker.index)
                .changes(withValues: isNormalised || showsValues)
        } catch {
            throw Problem(store: error)
        }
        if isNormalised { return .json(NormalisedChanges.octets(of: log)) }
        let withheld = PrivacyInspection.withheld(
            Set(log.items.map(\.origin.requestID)),
            in: session
        )
        var output = Array("{\"items\":[".utf8)
        for (index, item) in log.items.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            let isWithheld = withheld.contains(item.origin.requestID)
            append(
                item,
                requestID: isWithheld ? "(withheld)" : item.origin.requestID,
                // An earlier run counted its requests from 1, too, and they are in no journal.
                request: item.origin.journal == session.journalKey ? item.origin.request : nil,
                showsValue: showsValues,
                to: &output
            )
        }
        output += "],\"dropped\":\(log.dropped)}".utf8
        return .json(output)
    }

    private static func append(
        _ item: ChangeLog.Item,
        requestID: String,
        request: UInt64?,
        showsValue: Bool,
        to output: inout [UInt8]
    ) {
        let (change, origin) = (item.change, item.origin)
        JSONWriter.append(
            [
                "kind": .string(change.kind.rawValue), "change": .string(change.action.rawValue),
                "domain": .string(change.domain),
                "appointmentId": change.appointmentID.map(JSONValue.string) ?? .null,
                "id": .string(change.id), "requestId": .string(requestID),
                "request": request.map { .integer(Int(clamping: $0)) } ?? .null,
                "client": origin.client.map(JSONValue.string) ?? .null,
                "time": .string(origin.time.rfc3339),
            ],
            to: &output
        )
        guard showsValue else { return }
        output.removeLast()
        output += ",\"value\":".utf8
        output += change.value ?? Array("null".utf8)
        output.append(UInt8(ascii: "}"))
    }
}
