import JSON
import OAuth
import Store

/// The effects of what clients wrote, without what differs between two runs with the same effects.
///
/// Those are identifiers, times, requests, clients and the order. What a later write of a client
/// replaced is no effect either: an attempt that was repeated without need leaves no trace, where it
/// changed nothing.
enum NormalisedChanges {
    /// The list as JSON: the same octets for the same effects.
    static func octets(of log: ChangeLog) -> [UInt8] {
        let items = lasting(log.items).map(octets).sorted { $0.lexicographicallyPrecedes($1) }
        var output = Array("{\"items\":[".utf8)
        output += items.joined(separator: [UInt8(ascii: ",")])
        output += "],\"dropped\":\(log.dropped)}".utf8
        return output
    }

    /// What clients stored themselves: comments, the last report of an appointment, and uploads
    /// that have content.
    private static func lasting(_ items: [ChangeLog.Item]) -> [Change] {
        var kept: [Change] = []
        var reported: Set<[String?]> = []
        for change in items.reversed().map(\.change) {
            switch change.kind {
            case .comment, .upload: kept.append(change)
            case .report:
                if reported.insert([change.domain, change.appointmentID]).inserted {
                    kept.append(change)
                }
            case .uploadURL, .appointment, .patient, .site: break
            }
        }
        return kept
    }

    private static func octets(of change: Change) -> [UInt8] {
        // The store wrote it as JSON.
        let value = (change.value.flatMap { try? JSONParser.parse($0) })?.object ?? JSONObject()
        let members = members(of: change.kind)
        var shown = JSONObject()
        for name in members.kept { shown[name] = value[name] ?? .null }
        for name in members.texts { shown[name] = hashed(value[name] ?? .null) }
        return JSONWriter.octets(of: [
            "kind": .string(change.kind.rawValue), "domain": .string(change.domain),
            "appointmentId": change.appointmentID.map(JSONValue.string) ?? .null,
            "value": .object(shown),
        ])
    }

    /// The members of a record that are the same for the same effect.
    private static func members(of kind: Change.Kind) -> (kept: [String], texts: [String]) {
        switch kind {
        case .comment: (["commentType", "isAlert"], ["commentText"])
        case .report: (["reportStatus"], ["reportText", "interpretingClinician"])
        case .upload: (["category", "octets", "sha256"], ["fileName", "contentType"])
        case .uploadURL, .appointment, .patient, .site: ([], [])
        }
    }

    /// A value with the SHA-256 of each text in its place, members sorted.
    private static func hashed(_ value: JSONValue) -> JSONValue {
        value.sorted { .string(SHA256Digest.hexadecimal(of: Array($0.utf8))) }
    }
}
