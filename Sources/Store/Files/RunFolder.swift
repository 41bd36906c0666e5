import Glibc
import Synchronization

/// The private folder of a server without `--database`: made when first needed, gone at its end.
///
/// Its name holds the process id, its mode is 0700, and a file in it says whose it is. The server
/// keeps the folder itself locked: the next server removes those whose lock is free, and programs
/// that clean temporary folders leave locked ones alone (tmpfiles.d(5)).
final class RunFolder: Sendable {
    /// The file that says that a folder is one of these.
    static let markerName = "qubs-mock-run-folder"
    static let marker = Array(
        """
        This folder holds the data of a qubs-mock server without --database.
        The server removes it at its end. One that was killed leaves it to the next server.

        """.utf8
    )

    private struct Made {
        let path: String
        let folder: OpenFolder
    }

    private struct State {
        var made: Made?
        var attempts = 0
    }

    private let parent: String
    private let notice: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - parent: The folder for temporary files.
    ///   - notice: Told in one sentence what somebody should know.
    /// - Throws: Where nothing can be made in it: the first write would be late to find out.
    init(in parent: String, notice: @escaping @Sendable (String) -> Void) throws(StoreError) {
        self.parent = parent
        self.notice = notice
        Leftovers.removeRunFolders(in: parent)
        do throws(StoreError) {
            while try !Self.probe(path(attempt: takeAttempt())) {}
        } catch {
            guard case .file(let error) = error else {
                // No room, no descriptor: there may be some when they are needed.
                return
            }
            throw .file(FileError(path: parent, error.reason))
        }
    }

    deinit {
        remove()
    }

    /// The path of the folder, which exists from now on.
    ///
    /// Where somebody has removed it, another takes its place, and that is told.
    func path() throws(StoreError) -> String {
        try state.withLock { state throws(StoreError) in
            if let made = state.made, Self.isInPlace(made) { return made.path }
            let lost = state.made?.path
            while true {
                let path = path(attempt: state.attempts)
                state.attempts += 1
                guard let folder = try Self.make(path) else { continue }
                state.made = Made(path: path, folder: folder)
                if let lost {
                    notice(
                        "the folder for temporary data, \(lost), was removed by somebody else; new "
                            + "files go to \(path)"
                    )
                }
                return path
            }
        }
    }

    /// The path of the folder, where it was needed so far.
    var existingPath: String? { state.withLock { $0.made?.path } }

    /// Removes the folder and all that this program put there.
    func remove() {
        state.withLock { state in
            if let made = state.made {
                Leftovers.empty(made.folder)
                // Not where another folder has its name by now, or where somebody keeps more in it.
                if Self.isInPlace(made) { rmdir(made.path) }
            }
            state.made = nil
        }
    }

    private func takeAttempt() -> Int {
        state.withLock { state in
            state.attempts += 1
            return state.attempts - 1
        }
    }

    private func path(attempt: Int) -> String {
        "\(parent)/\(Leftovers.runFolderPrefix)\(getpid())-\(attempt)"
    }

    private static func isInPlace(_ made: Made) -> Bool {
        guard let own = made.folder.status, let present = Files.ownStatus(made.path) else {
            return false
        }
        return own.st_ino == present.st_ino && own.st_dev == present.st_dev
    }

    /// Whether a folder of this name can be made; `false` where something has the name.
    private static func probe(_ path: String) throws(StoreError) -> Bool {
        if mkdir(path, 0o700) == 0 {
            rmdir(path)
            return true
        }
        let error = errno
        if error == EEXIST { return false }
        throw Files.failure("mkdir", path, error)
    }

    /// Makes, locks and marks a folder; `nil` where the name is taken.
    private static func make(_ path: String) throws(StoreError) -> OpenFolder? {
        if mkdir(path, 0o700) != 0 {
            let error = errno
            if error == EEXIST { return nil }
            throw Files.failure("mkdir", path, error)
        }
        do throws(StoreError) {
            guard let folder = OpenFolder(path: path) else { throw Files.failure("open", path) }
            // Without its mark nobody takes the folder for a leftover. A file system that knows no
            // such locks lets no other server take it for one, either.
            guard flock(folder.descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
                return nil
            }
            try Files.replace(path + "/" + markerName) { descriptor in
                marker.withUnsafeBytes { Files.writeAll($0, to: descriptor) }
            }
            return folder
        } catch {
            rmdir(path)
            throw error
        }
    }
}
