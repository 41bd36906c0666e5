extension StoreError: CustomStringConvertible {
    /// One line for the log, without any text of the records.
    package var description: String {
        switch self {
        case .rule(let error): "a rule of the API refuses it: \(error)"
        case .full: "there is no room on the disk"
        case .noDescriptors: "no file descriptor is left (ulimit -n)"
        // Without the statement, which can be long: the message names what is wrong in it.
        case .database(let code, let message, _): "SQLite: \(message) (\(code))"
        case .file(let error): "\(error)"
        case .foreignFile(let path): "\(path): is no database of qubs-mock; it was not touched"
        case .otherVersion(let path, let found, let expected):
            "\(path): has format \(found), this program needs \(expected); it was not touched"
        case .inUse(let path): "\(path): another running qubs-mock uses it"
        case .alreadyExists(let path): "\(path): exists already; it was not touched"
        case .notAnImage: "the data are no image of qubs-mock"
        case .fixtures(let faults): "\(faults.count) faults in the fixtures"
        case .shapes(let reason): "the views of an appointment do not fit: \(reason)"
        case .malformedName: "a malformed name of a session or snapshot"
        case .unknownSession(let name): "there is no session \(name)"
        case .unknownSnapshot(let name): "there is no snapshot \(name)"
        case .tooManySessions(let limit): "there are \(limit) sessions already"
        case .defaultSession: "the session default cannot be dropped"
        case .seedMissing(let path): "\(path): the untouched copy of the generated data is gone"
        case .nothingToRepeat(let domain): "\(domain) has no appointment to repeat"
        case .foreignCursor: "a page of another list"
        case .tooManyNames(let kind, let limit): "more names of kind \(kind) than \(limit)"
        case .damagedRow(let table, let row):
            "the row \(row) of table \(table) is damaged: reset the session, or restore a copy of "
                + "the database"
        }
    }

    /// What the system says of a value of `errno`.
    package static func text(ofErrno code: Int32) -> String {
        FileError.text(ofErrno: code)
    }

    /// The error as whoever gave a path knows it: not by the name of what is made beside the file.
    ///
    /// - Parameters:
    ///   - path: The database, free of links.
    ///   - given: Its path as it was given.
    func about(_ path: String, asGiven given: String) -> StoreError {
        switch self {
        case .inUse: .inUse(path: given)
        case .file(let error)
        where ["", FileLock.suffix, Files.unfinishedSuffix].contains { path + $0 == error.path }:
            .file(FileError(path: given, error.reason))
        default: self
        }
    }
}
