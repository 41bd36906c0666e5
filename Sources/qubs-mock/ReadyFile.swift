import Glibc
import Store
import Synchronization

/// `--ready-file`: one line, the base URL, for as long as the server accepts.
///
/// Nothing of what is there is touched before the server accepts, so that a start that fails leaves
/// the file of a server that runs; and at the end it goes only where it is still this server's own.
final class ReadyFile: Sendable {
    private let path: String
    /// The file that was written, open: as long as it is, no other file can have its inode number.
    private let written = Mutex<(descriptor: Int32, content: [UInt8])?>(nil)

    /// - Throws: Where something other than a file is there, which is not to be replaced.
    init(_ path: String) throws(Failure) {
        self.path = path
        do throws(FileError) {
            try FileSystem.check(isReplaceable: path)
        } catch {
            throw Self.failure(error)
        }
    }

    /// Puts the file in place of what is there, in one step.
    func write(_ baseURL: String) throws(Failure) {
        let content = Array("\(baseURL)\n".utf8)
        do throws(FileError) {
            let descriptor = try FileSystem.put(content, at: path)
            written.withLock { $0 = (descriptor, content) }
        } catch {
            throw Self.failure(error)
        }
    }

    /// Removes the file, unless it is another server's by now, or somebody else's.
    func remove() {
        written.withLock { written in
            guard let (descriptor, content) = written else { return }
            written = nil
            defer { close(descriptor) }
            var present = stat()
            var own = stat()
            guard lstat(path, &present) == 0, fstat(descriptor, &own) == 0,
                present.st_ino == own.st_ino, present.st_dev == own.st_dev
            else { return }
            var octets = [UInt8](repeating: 0, count: content.count + 1)
            let count = pread(descriptor, &octets, octets.count, 0)
            if count == content.count, octets.starts(with: content) { unlink(path) }
        }
    }

    private static func failure(_ error: FileError) -> Failure {
        if case .notRegular = error.reason {
            return Failure(
                message: "--ready-file \(error.path): exists and is no regular file; it was not "
                    + "touched"
            )
        }
        return Failure(message: "--ready-file \(error.path): \(FileMaking.reason(error))")
    }
}
