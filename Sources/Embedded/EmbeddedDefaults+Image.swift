/// What the build put into the program.
///
/// The literals are in a generated file: see
/// `Plugins/EmbedDefaults` and `Sources/embed`.
///
/// - `contractJSON`: `openapi.yaml` as JSON.
/// - `controlContractJSON`: the contract of the control API as JSON.
/// - `clientsJSON`, `signingKeyJSON`: `fixtures/clients.json` and `fixtures/signing-key.json`.
/// - `scenariosJSON`: an array of the packs in `fixtures/scenarios/`.
/// - `readingsJSON`: `fixtures/readings.json`.
/// - `edgesJSON`: an array of the files in `fixtures/edges/`.
/// - `timeZonesJSON`: `fixtures/time-zones.json`.
/// - `pageFiles`: the files of `Sources/Page/`.
/// - `imageText`: the default database, each octet as the Unicode scalar of its value.
package enum EmbeddedDefaults {}

extension EmbeddedDefaults {
    /// The octets of an embedded text.
    package static func octets(of literal: StaticString) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }

    /// Writes the default database as SQLite serialises it.
    ///
    /// A string literal can hold any scalar but not any octet, so the image stands in the program as
    /// the UTF-8 of U+0000 to U+00FF. Most octets are ASCII, which copies eight at a time.
    ///
    /// - Parameter target: Memory of at least `imageOctets` and eight octets.
    package static func writeImage(to target: UnsafeMutableRawBufferPointer) {
        let source = UnsafeRawBufferPointer(octets(of: imageText()))
        var read = 0
        var count = 0
        while read < source.count {
            if read + 8 <= source.count {
                let word = source.loadUnaligned(fromByteOffset: read, as: UInt64.self)
                if word & 0x8080_8080_8080_8080 == 0 {
                    target.storeBytes(of: word, toByteOffset: count, as: UInt64.self)
                    read += 8
                    count += 8
                    continue
                }
            }
            let octet = source[read]
            if octet < 0x80 {
                target[count] = octet
                read += 1
            } else {
                target[count] = (octet & 0x03) << 6 | source[read + 1] & 0x3F
                read += 2
            }
            count += 1
        }
    }
}
