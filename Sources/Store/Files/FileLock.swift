import Glibc

/// A lock between processes that ends with the process, however it ends.
final class FileLock: Sendable {
    private let descriptor: Int32
    private let path: String

    /// Takes the lock, making its file; `nil` when somebody else has it.
    init?(_ path: String) throws(StoreError) {
        while true {
            let descriptor = try Files.open(path, O_RDWR | O_CREAT)
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let error = errno
                close(descriptor)
                if error == EWOULDBLOCK { return nil }
                throw .system(call: "flock", errno: error, path: path)
            }
            // The one before may have removed the file between the two calls: then this is a lock
            // on nothing.
            var locked = stat()
            if fstat(descriptor, &locked) == 0, let present = Files.status(path),
                present.st_ino == locked.st_ino, present.st_dev == locked.st_dev
            {
                self.descriptor = descriptor
                self.path = path
                return
            }
            close(descriptor)
        }
    }

    /// Ends the lock and removes its file, in this order for others.
    func remove() {
        Files.remove(path)
    }

    deinit {
        close(descriptor)
    }
}
