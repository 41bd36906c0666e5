package import JSON

/// The text of a JSON payload that is the same for all payloads that mean the same.
///
/// Members are sorted by the octets of their names; white space and escapes are as `JSONWriter`
/// writes them; numbers keep their digits. A digest of it is the fingerprint of a keyed request.
package func fingerprintInput(of payload: JSONValue) -> [UInt8] {
    JSONWriter.octets(of: sorted(payload))
}

private func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .null, .bool, .number, .string: return value
    case .array(let elements): return .array(elements.map(sorted))
    case .object(let object):
        var result = JSONObject()
        // `String` compares by canonical equivalence, under which two names may be one.
        let members = object.members.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        for member in members { result[member.name] = sorted(member.value) }
        return .object(result)
    }
}
