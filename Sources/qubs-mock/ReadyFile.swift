import Fixtures
import Glibc
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
        try checkPlace()
    }

    /// Puts the file in place of what is there, in one step.
    func write(_ baseURL: String) throws(Failure) {
        let content = Array("\(baseURL)\n".utf8)
        let temporary = "\(path).\(getpid()).tmp"
        // One of this name is of a process that is gone.
        unlink(temporary)
        let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(errno) }
        guard Glibc.write(descriptor, content, content.count) == content.count else {
            let code = errno
            close(descriptor)
            unlink(temporary)
            throw failure(code)
        }
        do throws(Failure) {
            try checkPlace()
            guard rename(temporary, path) == 0 else { throw failure(errno) }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        written.withLock { $0 = (descriptor, content) }
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

    private func checkPlace() throws(Failure) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw Failure(
                message: "--ready-file \(path): exists and is no regular file; it was not touched"
            )
        }
    }

    private func failure(_ code: Int32) -> Failure {
        Failure(message: "--ready-file \(FileError(path: path, code: code))")
    }
}
