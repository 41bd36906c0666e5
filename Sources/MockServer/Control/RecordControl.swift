import JSON
import Journal
import OAuth
import Store
import Suggestions
import Time

/// Records as they are stored now, in fixture form, with what clients wrote about them.
enum RecordControl {
    static let entries: [ControlEntry] = [
        ("Admin_GetAppointment", appointment),
        ("Admin_GetPatient", patient),
        ("Admin_GetSite", site),
    ]

    private static func appointment(_ call: ControlCall) throws(Problem) -> Answer {
        let found = try read(call, "id", .appointment, SessionReader.appointmentRecord)
        return answer(
            found.record,
            [
                ("report", JSONWriter.octets(of: found.report?.json ?? .null)),
                ("comments", found.comments),
                ("uploads", JSONWriter.octets(of: .array(found.uploads.map(json)))),
            ]
        )
    }

    private static func patient(_ call: ControlCall) throws(Problem) -> Answer {
        let found = try read(call, "id", .patient, SessionReader.patientRecord)
        return answer(found.record, [("comments", found.comments)])
    }

    private static func site(_ call: ControlCall) throws(Problem) -> Answer {
        let record = try read(call, "siteName", .site, SessionReader.siteRecord)
        return answer(record, [])
    }

    /// A record with members beside its own, whose values are JSON already.
    private static func answer(
        _ record: JSONObject,
        _ members: [(name: String, value: [UInt8])]
    ) -> Answer {
        var output = JSONWriter.octets(of: .object(record))
        output.removeLast()
        for member in members {
            output.append(UInt8(ascii: ","))
            JSONWriter.append(string: member.name, to: &output)
            output.append(UInt8(ascii: ":"))
            output += member.value
        }
        output.append(UInt8(ascii: "}"))
        return .json(output)
    }

    private static func json(_ upload: StoredUpload) -> JSONValue {
        var record = upload.record
        record["contentType"] = upload.contentType.map(JSONValue.string) ?? .null
        record["promisedContentType"] = upload.promisedContentType.map(JSONValue.string) ?? .null
        record["uploadUrlExpiresAtUtc"] = .string(upload.expiresAt.rfc3339)
        record["octets"] = upload.content.map { .integer($0.count) } ?? .null
        record["sha256"] = upload.content.map { .string(SHA256Digest.hexadecimal(of: $0)) } ?? .null
        return .object(record)
    }

    /// What the store reads; 404 with the nearest names where there is none.
    ///
    /// - Parameters:
    ///   - parameter: The path parameter that names the record.
    ///   - record: Reads it, by its domain and its name.
    private static func read<Record>(
        _ call: ControlCall,
        _ parameter: StaticString,
        _ kind: RecordKind,
        _ record: (SessionReader) -> (String, String) throws(StoreError) -> Record?
    ) throws(Problem) -> Record {
        let reader = try call.existingSession().store.reader(worker: call.call.worker.index)
        let domain = call.string("domain")
        let id = call.string(parameter)
        do throws(StoreError) {
            if let found = try record(reader)(domain, id) { return found }
        } catch {
            throw Problem(store: error)
        }
        throw missing(kind, id, in: domain, reader)
    }

    /// 404 for a record that is not there, with the nearest name.
    static func missing(
        _ kind: RecordKind,
        _ id: String,
        in domain: String,
        _ reader: SessionReader
    ) -> Problem {
        let nearest: (what: String, ids: [String])
        do throws(StoreError) {
            let domains = try reader.domains()
            if domains.contains(domain) {
                let similar = try reader.similarIDs(to: id, kind: kind, domain: domain)
                nearest = (
                    "\(kind) in this domain", NameSuggestions.nearest(to: id, among: similar)
                )
            } else {
                nearest = ("domain", NameSuggestions.nearest(to: domain, among: domains))
            }
        } catch {
            return Problem(store: error)
        }
        return Problem(
            .notFound,
            404,
            "There is no such \(nearest.what)"
                + (nearest.ids.first.map { "; did you mean `\($0)`?" } ?? ".")
        )
    }
}
