import Glibc

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
/// - `imageText`: the default database, each octet without its highest bit.
/// - `imageHighBits`: which octets have that bit, as `writeImage` says.
/// - `imageDates`: where the dates are in it that move.
package enum EmbeddedDefaults {}

extension EmbeddedDefaults {
    /// The octets of an embedded text.
    package static func octets(of literal: StaticString) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }

    /// Writes the default database as SQLite serialises it.
    ///
    /// A string literal holds any text but not any octets. So the octets stand in the program without
    /// their highest bits, and the words of eight octets that have any are listed beside: two octets
    /// for each, of seven bits. The first has the number of words in between (six bits) and the mark of
    /// the last octet (bit 6), the second the marks of the others.
    ///
    /// - Parameter target: Memory of at least `imageOctets`, which are a multiple of eight.
    package static func writeImage(to target: UnsafeMutableRawBufferPointer) {
        let text = UnsafeRawBufferPointer(octets(of: imageText()))
        target.copyMemory(from: text)
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 256) { marks in
            for mask in 0..<256 {
                var mark: UInt64 = 0
                for octet in 0..<8 where mask >> octet & 1 == 1 { mark |= 0x80 << (8 * octet) }
                marks[mask] = mark
            }
            let list = octets(of: imageHighBits())
            var word = -1
            var place = 0
            while place + 1 < list.count {
                let (first, second) = (Int(list[place]), Int(list[place + 1]))
                word += first & 0x3F + 1
                let mask = (first & 0x40) << 1 | second
                let mark = UInt64(littleEndian: marks[mask])
                let value = target.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)
                target.storeBytes(of: value | mark, toByteOffset: word * 8, as: UInt64.self)
                place += 2
            }
        }
        giveBack(text)
    }

    /// Takes pages of the program out of the process's memory, until somebody reads them again.
    private static func giveBack(_ octets: UnsafeRawBufferPointer) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard page > 0, let start = octets.baseAddress else { return }
        // Whole ones: others share their first and last page.
        let skipped = (page - Int(bitPattern: start) % page) % page
        let count = (octets.count - skipped) / page * page
        guard count > 0 else { return }
        // Where the system keeps them, they only take memory.
        madvise(UnsafeMutableRawPointer(mutating: start + skipped), count, MADV_DONTNEED)
    }
}
