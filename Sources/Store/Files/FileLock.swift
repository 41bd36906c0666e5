import Glibc
import Synchronization

/// A lock between processes that ends with the process, however it ends.
final class FileLock: Sendable {
    /// What the name of the lock of a database ends in.
    static let suffix = "-lock"

    private let descriptor: Int32
    private let path: String
    /// The locked file that this one stands beside; -1 where there is none.
    private let companion = Mutex<Int32>(-1)

    /// Takes the lock, making its file; `nil` when somebody else has it.
    init?(_ path: String) throws(StoreError) {
        while true {
            let descriptor = try Files.open(path, O_RDWR | O_CREAT | O_NOFOLLOW)
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let error = errno
                close(descriptor)
                if error == EWOULDBLOCK { return nil }
                throw .system(call: "flock", errno: error, path: path)
            }
            // The one before may have removed the file between the two calls: then this is a lock
            // on nothing.
            var locked = stat()
            if fstat(descriptor, &locked) == 0, let present = Files.ownStatus(path),
                present.st_ino == locked.st_ino, present.st_dev == locked.st_dev
            {
                self.descriptor = descriptor
                self.path = path
                return
            }
            close(descriptor)
        }
    }

    /// Takes the lock of another file as well, which is there and stays what it is.
    ///
    /// A file may have several names, each with another lock file beside it; it is one all the same.
    /// The descriptor stays open as long as this lock: to close it would drop the locks that SQLite
    /// holds on the same file.
    ///
    /// - Returns: Whether nobody else has it; true as well where the file system knows no such locks.
    func add(_ file: String) throws(StoreError) -> Bool {
        let descriptor = try Files.open(file, O_RDONLY)
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            close(descriptor)
            return false
        }
        companion.withLock { $0 = descriptor }
        return true
    }

    /// Lets go of the other file, which is removed, and of the room that it takes on the disk.
    ///
    /// No connection may have it open.
    func removeCompanion() {
        companion.withLock { companion in
            if companion >= 0 { close(companion) }
            companion = -1
        }
    }

    /// Ends the lock and removes its file, in this order for others.
    func remove() {
        Files.remove(path)
    }

    deinit {
        close(descriptor)
        companion.withLock { if $0 >= 0 { close($0) } }
    }
}
