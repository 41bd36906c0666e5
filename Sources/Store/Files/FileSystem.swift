import Glibc

/// Files of the user, read and written whole; Foundation is not linked into the program.
package enum FileSystem {
    /// The octets of a document; `nil` where there is none.
    ///
    /// - Parameter maximumOctets: 64 MiB: many times what any document of this program needs.
    package static func contents(
        of path: String,
        maximumOctets: Int = 64 << 20
    ) throws(FileError) -> [UInt8]? {
        do throws(StoreError) {
            return try Files.read(path, maximumOctets: maximumOctets)
        } catch {
            let error = fileError(error, path)
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// Writes a file whole or not at all: to a name beside it, then in one step into its place.
    ///
    /// Everybody may read it, as far as the process's mask allows.
    ///
    /// A link stays, and leads to the new file.
    ///
    /// - Throws: Also where something other than a regular file is there; it was not touched.
    package static func replace(_ path: String, with octets: [UInt8]) throws(FileError) {
        do throws(FileError) {
            close(try put(octets, at: Files.resolved(path)))
        } catch {
            throw FileError(path: path, error.reason)
        }
    }

    /// As `replace`, but that a link is refused.
    ///
    /// - Returns: A descriptor of the new file, which is the caller's to close.
    package static func put(_ octets: [UInt8], at path: String) throws(FileError) -> Int32 {
        var descriptor: Int32 = -1
        do throws(StoreError) {
            try checkReplaceable(path)
            try Files.replace(path, mode: 0o644, suffix: ".\(getpid()).tmp") {
                () throws(StoreError) in
                try checkReplaceable(path)
            } keep: {
                descriptor = fcntl($0, F_DUPFD_CLOEXEC, 0)
            } _: { file in
                octets.withUnsafeBytes { Files.writeAll($0, to: file) }
            }
        } catch {
            throw fileError(error, path)
        }
        return descriptor
    }

    /// Whether nothing or a regular file is at a path, which a new file may replace.
    package static func check(isReplaceable path: String) throws(FileError) {
        do throws(StoreError) {
            try checkReplaceable(path)
        } catch {
            throw fileError(error, path)
        }
    }

    private static func checkReplaceable(_ path: String) throws(StoreError) {
        guard let status = Files.ownStatus(path) else { return }
        let kind = FileKind(status)
        if kind != .regular { throw .file(FileError(path: path, .notRegular(kind))) }
    }

    private static func fileError(_ error: StoreError, _ path: String) -> FileError {
        switch error {
        case .file(let error): FileError(path: path, error.reason)
        case .full: FileError(path: path, code: ENOSPC)
        case .noDescriptors: FileError(path: path, code: EMFILE)
        default: preconditionFailure("files fail with errors of files: \(error)")
        }
    }
}
