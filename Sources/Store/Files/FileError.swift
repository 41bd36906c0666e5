import Glibc

/// A file that is not what it must be, or that the system refuses.
package struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong with a file.
    package enum Reason: Equatable, Sendable {
        /// A POSIX call failed; `code` is its `errno`.
        case system(call: String, code: Int32)
        /// Something other than a regular file is at the path.
        case notRegular(FileKind)
        /// The file has more octets than are taken.
        case tooLarge(maximumOctets: Int)
        /// A symbolic link leads out of the folder to which the path is limited.
        case leadsOut(folder: String)
    }

    package let path: String
    package let reason: Reason

    package init(path: String, _ reason: Reason) {
        self.path = path
        self.reason = reason
    }

    /// The error that a value of `errno` stands for.
    package init(path: String, code: Int32, call: String = "open") {
        self.init(path: path, .system(call: call, code: code))
    }

    /// The value of `errno`, where a call failed.
    package var code: Int32? {
        if case .system(_, let code) = reason { code } else { nil }
    }

    package var description: String { "\(path): \(explanation)" }

    /// What is wrong, and what to do, without the path.
    package var explanation: String {
        switch reason {
        case .system(_, let code): Self.text(ofErrno: code)
        case .notRegular(let kind): "is \(kind.rawValue), and must be a regular file"
        case .tooLarge(let maximum):
            "is larger than \(maximum >> 20) MiB, which is the most that is read: make it smaller"
        case .leadsOut(let folder):
            "is a link that leads out of \(folder): put the file itself there"
        }
    }

    /// What the system says of a value of `errno`.
    static func text(ofErrno code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}

/// What can be at a path.
package enum FileKind: String, Sendable {
    case regular = "a regular file"
    case folder = "a folder"
    case link = "a symbolic link"
    case pipe = "a named pipe"
    case socket = "a socket"
    case device = "a device"

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .folder
        case S_IFLNK: self = .link
        case S_IFIFO: self = .pipe
        case S_IFSOCK: self = .socket
        default: self = .device
        }
    }
}
