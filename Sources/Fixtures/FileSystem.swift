import Glibc

/// A file that could not be read or written.
package struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    /// The value of `errno`.
    package let code: Int32

    package init(path: String, code: Int32) {
        self.path = path
        self.code = code
    }

    package var description: String {
        "\(path): \(strerror(code).map { String(cString: $0) } ?? "error \(code)")"
    }
}

/// Files, read whole; Foundation is not linked into the program.
package enum FileSystem {
    /// The octets of a file; `nil` where there is none.
    package static func contents(of path: String) throws(FileError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw FileError(path: path, code: errno)
        }
        defer { close(descriptor) }
        var status = stat()
        fstat(descriptor, &status)
        var octets: [UInt8] = []
        octets.reserveCapacity(Int(status.st_size) + 1)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                octets.append(contentsOf: buffer[..<count])
            } else if count == 0 {
                return octets
            } else if errno != EINTR {
                throw FileError(path: path, code: errno)
            }
        }
    }

    /// Writes a file whole or not at all: to a name beside it, then in one step into its place.
    package static func replace(_ path: String, with octets: [UInt8]) throws(FileError) {
        let temporary = "\(path).\(getpid()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
        let isWritten = octets.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = write(
                    descriptor,
                    buffer.baseAddress?.advanced(by: offset),
                    buffer.count - offset
                )
                if count > 0 { offset += count } else if errno != EINTR { return false }
            }
            return true
        }
        var code = errno
        close(descriptor)
        if isWritten {
            if rename(temporary, path) == 0 { return }
            code = errno
        }
        unlink(temporary)
        throw FileError(path: path, code: code)
    }
}
