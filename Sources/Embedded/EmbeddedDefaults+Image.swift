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
    /// the UTF-8 of U+0000 to U+00FF. Most octets are ASCII: eight are copied at a time, up to the
    /// next that is not.
    ///
    /// - Parameter target: Memory of at least `imageOctets` and eight octets.
    package static func writeImage(to target: UnsafeMutableRawBufferPointer) {
        let source = UnsafeRawBufferPointer(octets(of: imageText()))
        guard let output = target.baseAddress, let input = source.baseAddress else { return }
        let lastWord = source.count - 8
        var read = 0
        var count = 0
        /// Two octets of UTF-8 as the one that they stand for.
        func writeOther() {
            let first = input.load(fromByteOffset: read, as: UInt8.self)
            let second = input.load(fromByteOffset: read + 1, as: UInt8.self)
            output.storeBytes(
                of: (first & 0x03) << 6 | second & 0x3F,
                toByteOffset: count,
                as: UInt8.self
            )
            read += 2
            count += 1
        }
        while read <= lastWord {
            let word = input.loadUnaligned(fromByteOffset: read, as: UInt64.self)
            // What stands behind the first octet that is not ASCII is written over.
            output.storeBytes(of: word, toByteOffset: count, as: UInt64.self)
            let others = UInt64(littleEndian: word) & 0x8080_8080_8080_8080
            if others == 0 {
                read += 8
                count += 8
                continue
            }
            let ascii = others.trailingZeroBitCount / 8
            read += ascii
            count += ascii
            writeOther()
        }
        while read < source.count {
            let octet = input.load(fromByteOffset: read, as: UInt8.self)
            if octet < 0x80 {
                output.storeBytes(of: octet, toByteOffset: count, as: UInt8.self)
                read += 1
                count += 1
            } else {
                writeOther()
            }
        }
    }
}
