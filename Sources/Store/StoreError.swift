package import QUBS

/// What can go wrong with the records.
package enum StoreError: Error, Equatable, Sendable {
    /// A rule of the API; the transaction was rolled back.
    case rule(RuleError)
    /// No room on the disk; nothing of the write is stored.
    case full
    /// The process may open no further file; nothing of the operation is stored.
    case noDescriptors
    /// SQLite refused a statement. `code` is its extended result code.
    case database(code: Int32, message: String, sql: String)
    /// A file is not what it must be, or the system refuses it.
    case file(FileError)
    /// The file is not a database, or not one of ours; it was not touched.
    case foreignFile(path: String)
    /// The file was written by another version of this program; it was not touched.
    case otherVersion(path: String, found: Int, expected: Int)
    /// Another running server uses this database.
    case inUse(path: String)
    /// The file to be written exists.
    case alreadyExists(path: String)
    /// The octets are not an image made by `FixtureLoader`.
    case notAnImage
    /// The records of a fixture folder contradict each other.
    case fixtures([FixtureFault])
    /// The views of an appointment do not build on each other as this room stores them.
    case shapes(String)
    /// Not a name: 1 to 64 of letters, digits, `.`, `_`, `-`.
    case malformedName(String)
    /// No such session, or it was dropped.
    case unknownSession(String)
    /// No such snapshot in this session.
    case unknownSnapshot(String)
    /// As many sessions are open as may be.
    case tooManySessions(limit: Int)
    /// `default` cannot be dropped.
    case defaultSession
    /// The untouched copy of a generated database is gone, so its data cannot be restored.
    case seedMissing(path: String)
    /// The image has no ordinary appointment in the domain that others could be made after.
    case nothingToRepeat(domain: String)
    /// A page cursor from a list with another order.
    case foreignCursor
    /// The database holds more domains or statuses than a row's key has room for.
    case tooManyNames(kind: String, limit: Int)
    /// A row is not as this program writes it: somebody edited the file, or its disk is failing.
    case damagedRow(table: String, row: String)

    /// A POSIX call failed.
    package static func system(call: String, errno: Int32, path: String) -> StoreError {
        .file(FileError(path: path, code: errno, call: call))
    }

    /// Whether the machine has no more of something: the same may be possible later.
    package var isShortage: Bool { self == .full || self == .noDescriptors }
}
