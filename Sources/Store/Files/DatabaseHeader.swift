import Glibc

/// The first 100 octets of a database file (SQLite file format §1.3), read without SQLite.
///
/// Opening a foreign database, even to look, may leave files beside it; reading its head does not.
struct DatabaseHeader: Equatable {
    /// `QUBS`.
    static let applicationID = 0x5155_4253
    /// The version of the tables in `Schema`.
    static let version = 2
    static let length = 100

    let applicationID: Int
    let version: Int
    /// Whether the file was ever opened for writing by a server: those keep a write-ahead log.
    let isWriteAheadLogged: Bool

    /// `nil` where this is not a database.
    init?(_ octets: UnsafeRawBufferPointer) {
        guard octets.count >= Self.length, octets.prefix(16).elementsEqual(Self.magic) else {
            return nil
        }
        func integer(at offset: Int) -> Int {
            octets[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        version = integer(at: 60)
        applicationID = integer(at: 68)
        isWriteAheadLogged = octets[18] == 2 || octets[19] == 2
    }

    /// Whether this program, in this version, made the file.
    var isOurs: Bool { applicationID == Self.applicationID && version == Self.version }

    /// Says in a file that nobody has open that it keeps a write-ahead log.
    static func markAsLogged(_ path: String) throws(StoreError) {
        let descriptor = try Files.open(path, O_RDWR)
        defer { close(descriptor) }
        let versions: [UInt8] = [2, 2]
        guard pwrite(descriptor, versions, 2, 18) == 2 else { throw Files.failure("write", path) }
    }

    /// Says so in the first octets of a file.
    static func markAsLogged(_ octets: inout [UInt8]) {
        octets[18] = 2
        octets[19] = 2
    }

    private static let magic = Array("SQLite format 3\0".utf8)
}
