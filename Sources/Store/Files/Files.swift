import CSQLite
import Glibc

/// The calls of the system that deal with whole files.
enum Files {
    /// The state of a path; `nil` where nothing is there.
    static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    /// Whether a file of at least one octet is at the path.
    static func hasContent(_ path: String) -> Bool {
        status(path).map { $0.st_size > 0 } ?? false
    }

    /// Whether something other than a file with octets is at the path: a folder, a device, a pipe.
    static func isSpecial(_ path: String) -> Bool {
        status(path).map { $0.st_mode & S_IFMT != S_IFREG } ?? false
    }

    /// The path without symbolic links, which a file that is not there yet may be behind, too.
    static func resolved(_ path: String) -> String {
        var path = path
        // As many as the kernel follows.
        for _ in 0..<40 {
            if let real = realpath(path, nil) {
                defer { free(real) }
                return String(cString: real)
            }
            var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let count = readlink(path, &target, target.count - 1)
            guard count > 0 else { return path }
            let next = String(
                decoding: target[..<count].map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
            path = next.hasPrefix("/") ? next : folder + next
        }
        return path
    }

    /// Whether a file is as large as the process may make one (`ulimit -f`), but for a page of SQLite.
    static func isAtLimit(_ path: String) -> Bool {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        return status(path).map { rlim_t($0.st_size) + 4096 > limit.rlim_cur } ?? false
    }

    /// Whether a folder is at the path.
    static func isFolder(_ path: String) -> Bool {
        status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// The `errno` for a path where nothing is.
    static let nothingThere = ENOENT
    /// The `errno` for a path that is no folder.
    static let notAFolder = ENOTDIR

    /// Makes a folder, unless it is there; the one above must exist.
    static func makeFolder(_ path: String) throws(StoreError) {
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw failure("mkdir", path) }
    }

    /// Removes a file; that none is there is fine.
    static func remove(_ path: String) {
        unlink(path)
    }

    /// Removes a database and what SQLite keeps beside it.
    static func removeDatabase(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { remove(path + suffix) }
    }

    /// Renames a file, in place of what is there.
    static func rename(_ from: String, to: String) throws(StoreError) {
        if Glibc.rename(from, to) != 0 { throw failure("rename", to) }
    }

    /// The names in a folder, sorted; empty where there is no such folder.
    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a folder and everything in it, without following links.
    static func removeFolder(_ path: String) {
        for name in names(in: path) {
            let inner = path + "/" + name
            var status = stat()
            if lstat(inner, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                removeFolder(inner)
            } else {
                remove(inner)
            }
        }
        rmdir(path)
    }

    /// All octets of a file.
    static func read(_ path: String) throws(StoreError) -> [UInt8] {
        let descriptor = try open(path, O_RDONLY)
        defer { close(descriptor) }
        var octets: [UInt8] = []
        let expected = Int(status(path)?.st_size ?? 0)
        var failed = false
        while true {
            let before = octets.count
            let room = max(64 * 1024, expected - before + 1)
            octets.append(contentsOf: repeatElement(0, count: room))
            let count = octets.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: before), room)
            }
            octets.removeLast(room - max(0, count))
            if count < 0 && errno == EINTR { continue }
            failed = count < 0
            if count <= 0 { break }
        }
        if failed { throw failure("read", path) }
        return octets
    }

    /// Writes octets to a new file, whole or not at all.
    static func write(_ octets: UnsafeRawBufferPointer, to path: String) throws(StoreError) {
        try replace(path) { descriptor in
            var offset = 0
            while offset < octets.count {
                let count = Glibc.write(
                    descriptor,
                    octets.baseAddress?.advanced(by: offset),
                    octets.count - offset
                )
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return false }
                offset += count
            }
            return true
        }
    }

    /// Copies a file to a new one, whole or not at all; inside the kernel, and by reference where
    /// the file system can.
    ///
    /// - Parameter source: A descriptor of the file, open for reading.
    static func copy(_ source: Int32, to path: String) throws(StoreError) {
        lseek(source, 0, SEEK_SET)
        try replace(path) { descriptor in
            while true {
                let count = csqlite_copy_file_range(source, descriptor, 1 << 30)
                if count == 0 { return true }
                if count < 0 && errno == EINTR { continue }
                if count < 0 { break }
            }
            // The file systems at hand cannot do it for each other.
            guard errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP,
                lseek(descriptor, 0, SEEK_SET) == 0, lseek(source, 0, SEEK_SET) == 0
            else { return false }
            return copyThroughMemory(source, to: descriptor)
        }
    }

    /// Copies a file that no connection has open to a new one.
    static func copy(_ source: String, to path: String) throws(StoreError) {
        let descriptor = try open(source, O_RDONLY)
        defer { close(descriptor) }
        try copy(descriptor, to: path)
    }

    private static func copyThroughMemory(_ source: Int32, to target: Int32) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(source, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return count == 0 }
            var offset = 0
            while offset < count {
                let written = Glibc.write(
                    target,
                    buffer.baseAddress?.advanced(by: offset),
                    count - offset
                )
                if written < 0 && errno == EINTR { continue }
                if written <= 0 { return false }
                offset += written
            }
        }
    }

    /// What the name of a file ends in that is not whole yet.
    static let unfinishedSuffix = ".unfinished"

    /// Makes a file under a name of its own, which it changes for the right one when it is whole.
    private static func replace(
        _ path: String,
        _ fill: (Int32) -> Bool
    ) throws(StoreError) {
        let unfinished = path + unfinishedSuffix
        let descriptor = try open(unfinished, O_RDWR | O_CREAT | O_TRUNC)
        let isWhole = fill(descriptor)
        let error = failure("write", path)
        close(descriptor)
        guard isWhole else {
            remove(unfinished)
            throw error
        }
        do throws(StoreError) {
            try rename(unfinished, to: path)
        } catch {
            remove(unfinished)
            throw error
        }
    }

    /// Opens a file.
    static func open(_ path: String, _ flags: Int32) throws(StoreError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw failure("open", path) }
        return descriptor
    }

    /// The error that `errno` stands for now.
    static func failure(_ call: String, _ path: String) -> StoreError {
        let error = errno
        if [ENOSPC, EDQUOT, EFBIG].contains(error) { return .full }
        if [EMFILE, ENFILE].contains(error) { return .noDescriptors }
        return .system(call: call, errno: error, path: path)
    }
}
