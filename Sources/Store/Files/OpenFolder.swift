import Glibc

/// A folder that is open, and whose entries are reached through it.
///
/// What is removed this way is in this folder, whatever has become of its path: no link, and no
/// folder that was renamed, can lead elsewhere.
final class OpenFolder: Sendable {
    let descriptor: Int32

    /// A folder by its path, which may lead through links; `nil` where it cannot be opened.
    init?(path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { return nil }
        self.descriptor = descriptor
    }

    /// A folder in this one, which is no link; `nil` where it cannot be opened.
    init?(in folder: OpenFolder, named name: String) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let descriptor = openat(folder.descriptor, name, flags)
        if descriptor < 0 { return nil }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The state of the folder itself.
    var status: stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    /// The state of an entry, a link included; `nil` where there is none.
    func status(of name: String) -> stat? {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
    }

    /// The names of the entries, sorted.
    ///
    /// - Parameter prefix: What they begin with: a folder for temporary files may hold thousands.
    func names(beginningWith prefix: String = "") -> [String] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return [] }
        guard let directory = fdopendir(copy) else {
            close(copy)
            return []
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name: String? = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                    strncmp(name, prefix, prefix.utf8.count) == 0 ? String(cString: name) : nil
                }
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The content of a regular file of at most so many octets that is no link, and this user's.
    func content(of name: String, maximumOctets: Int) -> [UInt8]? {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        guard let status = status(of: name), Self.isOwn(status, S_IFREG) else { return nil }
        let file = openat(descriptor, name, flags)
        if file < 0 { return nil }
        defer { close(file) }
        var opened = stat()
        guard fstat(file, &opened) == 0, Self.isOwn(opened, S_IFREG),
            opened.st_size <= maximumOctets
        else { return nil }
        var octets = [UInt8](repeating: 0, count: maximumOctets + 1)
        let count = read(file, &octets, octets.count)
        return (0...maximumOctets).contains(count) ? Array(octets.prefix(count)) : nil
    }

    /// Whether an entry is a regular file of this user.
    func hasOwnFile(_ name: String) -> Bool {
        status(of: name).map { Self.isOwn($0, S_IFREG) } ?? false
    }

    /// Removes a file; a folder stays.
    func removeFile(_ name: String) { unlinkat(descriptor, name, 0) }

    /// Removes an empty folder.
    func removeFolder(_ name: String) { unlinkat(descriptor, name, AT_REMOVEDIR) }

    /// Whether something is of a kind, and of the user that this process runs as.
    static func isOwn(_ status: stat, _ kind: mode_t) -> Bool {
        status.st_mode & S_IFMT == kind && status.st_uid == geteuid()
    }
}
