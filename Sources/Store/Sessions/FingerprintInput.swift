package import JSON

/// The text of a JSON payload that is the same for all payloads that mean the same.
///
/// Members are sorted by the octets of their names; white space and escapes are as `JSONWriter`
/// writes them; numbers keep their digits. A digest of it is the fingerprint of a keyed request.
package func fingerprintInput(of payload: JSONValue) -> [UInt8] {
    JSONWriter.octets(of: payload.sorted())
}
