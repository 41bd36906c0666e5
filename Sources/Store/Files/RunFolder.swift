import Glibc
import Synchronization

/// The private folder of a server without `--database`: made when first needed, gone at its end.
///
/// Beside the folder stands a file that the server keeps locked. Folders whose lock is free are
/// leftovers of servers that were killed; the next server removes them.
final class RunFolder: Sendable {
    private static let prefix = "qubs-mock-"
    private static let lockSuffix = ".lock"

    private let parent: String
    private let made = Mutex<(path: String, lock: FileLock)?>(nil)

    /// - Parameter parent: The folder for temporary files.
    /// - Throws: Where nothing can be made in it: the first write would be late to find out.
    init(in parent: String) throws(StoreError) {
        self.parent = parent
        Self.sweep(parent)
        do throws(StoreError) {
            try Self.lock(parent, attempt: 0)?.remove()
        } catch {
            guard case .system(let call, let code, _) = error else {
                // No room, no descriptor: there may be some when they are needed.
                return
            }
            throw .system(call: call, errno: code, path: parent)
        }
    }

    deinit {
        remove()
    }

    /// The path of the folder, which exists from now on.
    func path() throws(StoreError) -> String {
        try made.withLock { made throws(StoreError) in
            if let made { return made.path }
            var attempt: UInt32 = 0
            while true {
                let path = Self.path(parent, attempt: attempt)
                let lock = try Self.lock(parent, attempt: attempt)
                attempt += 1
                if let lock {
                    if mkdir(path, 0o700) == 0 {
                        made = (path, lock)
                        return path
                    }
                    let error = Files.failure("mkdir", path)
                    let exists = errno == EEXIST
                    lock.remove()
                    if !exists { throw error }
                }
            }
        }
    }

    /// The path of the folder, where it was needed so far.
    var existingPath: String? { made.withLock { $0?.path } }

    /// Removes the folder and all in it.
    func remove() {
        made.withLock { made in
            if let (path, lock) = made {
                Files.removeFolder(path)
                lock.remove()
            }
            made = nil
        }
    }

    private static func path(_ parent: String, attempt: UInt32) -> String {
        "\(parent)/\(prefix)\(getpid())-\(attempt)"
    }

    private static func lock(
        _ parent: String,
        attempt: UInt32
    ) throws(StoreError) -> FileLock? {
        try FileLock(path(parent, attempt: attempt) + lockSuffix)
    }

    private static func sweep(_ parent: String) {
        for name in Files.names(in: parent)
        where name.hasPrefix(prefix) && name.hasSuffix(lockSuffix) {
            let lockPath = "\(parent)/\(name)"
            // Somebody else's, or one that cannot be opened, is not ours to remove.
            guard Files.status(lockPath)?.st_uid == getuid(),
                let lock = (try? FileLock(lockPath)) ?? nil
            else { continue }
            Files.removeFolder(String(lockPath.dropLast(lockSuffix.count)))
            lock.remove()
        }
    }
}
