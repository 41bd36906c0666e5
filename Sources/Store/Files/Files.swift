import CSQLite
import Glibc

/// The calls of the system that deal with whole files: the one place that opens and removes them.
///
/// A file is opened without waiting, and looked at once it is open: what is no regular file is
/// refused, whatever the path led to a moment before. New files are their owner's alone, mode 0600,
/// and new folders 0700.
enum Files {
    // MARK: Looking

    /// The state of what a path leads to; `nil` where nothing is there.
    static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    /// The state of what is at a path itself, a link included; `nil` where nothing is there.
    static func ownStatus(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    /// Whether a file of at least one octet is at the path.
    static func hasContent(_ path: String) -> Bool {
        status(path).map { $0.st_size > 0 } ?? false
    }

    /// Whether something other than a regular file is at the path: a folder, a device, a pipe.
    static func isSpecial(_ path: String) -> Bool {
        status(path).map { FileKind($0) != .regular } ?? false
    }

    /// Whether a folder is at the path.
    static func isFolder(_ path: String) -> Bool {
        status(path).map { FileKind($0) == .folder } ?? false
    }

    /// Whether a file is as large as the process may make one (`ulimit -f`), but for a page of SQLite.
    static func isAtLimit(_ path: String) -> Bool {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        return status(path).map { rlim_t($0.st_size) + 4096 > limit.rlim_cur } ?? false
    }

    /// Octets of the disk that a file takes; 0 where nothing is there.
    static func allocatedOctets(_ path: String) -> Int {
        // `stat` counts in 512 octets, whatever the file system does.
        status(path).map { Int($0.st_blocks) * 512 } ?? 0
    }

    /// Octets that are free where a file lies, or will lie.
    static func freeOctets(besideFile path: String) -> Int {
        var status = statvfs()
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard statvfs(folder, &status) == 0 else { return 0 }
        let (octets, isTooMany) = Int(clamping: status.f_bavail)
            .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
        return isTooMany ? 1 << 50 : min(octets, 1 << 50)
    }

    /// The path without symbolic links, which a file that is not there yet may be behind, too.
    ///
    /// Where the names on the way are not UTF-8, the path stays as it was given: a `String` cannot
    /// hold them, and the system finds the way without us.
    static func resolved(_ path: String) -> String {
        var path = path
        // As many as the kernel follows.
        for _ in 0..<40 {
            if let real = realpath(path, nil) {
                defer { free(real) }
                return String(validatingCString: real) ?? path
            }
            var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let count = readlink(path, &target, target.count - 1)
            guard count > 0,
                let next = String(
                    validating: target[..<count].lazy.map { UInt8(bitPattern: $0) },
                    as: UTF8.self
                )
            else { return path }
            let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
            path = next.hasPrefix("/") ? next : folder + next
        }
        return path
    }

    /// The path without symbolic links, where it lies in a folder.
    ///
    /// - Parameter folder: Free of links.
    /// - Returns: The path itself where nothing is there: whoever opens it says so.
    static func resolved(_ path: String, within folder: String) throws(StoreError) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        guard let text = String(validatingCString: real) else { return path }
        if text == folder || text.hasPrefix(folder == "/" ? folder : folder + "/") { return text }
        throw .file(FileError(path: path, .leadsOut(folder: folder)))
    }

    /// The names in a folder, sorted; empty where there is no such folder.
    static func names(in folder: String) -> [String] {
        OpenFolder(path: folder)?.names() ?? []
    }

    // MARK: Opening

    /// Opens a regular file.
    ///
    /// - Parameter flags: Of `open`; `O_NOFOLLOW` where a link is not wanted.
    /// - Throws: `StoreError.file` with `.notRegular` for all else that can be at a path. Nothing of
    ///   it was read or waited for.
    static func open(_ path: String, _ flags: Int32) throws(StoreError) -> Int32 {
        // To open a device may do something to it, and a socket cannot be opened at all.
        if let status = flags & O_NOFOLLOW == 0 ? status(path) : ownStatus(path) {
            try refuse(path, status)
        }
        let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o600)
        if descriptor < 0 { throw failure("open", path) }
        var status = stat()
        do throws(StoreError) {
            if fstat(descriptor, &status) != 0 { throw failure("fstat", path) }
            try refuse(path, status)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func refuse(_ path: String, _ status: stat) throws(StoreError) {
        let kind = FileKind(status)
        if kind != .regular { throw .file(FileError(path: path, .notRegular(kind))) }
    }

    /// All octets of a file.
    ///
    /// - Parameter maximumOctets: What a larger file is refused for, before any of it is read.
    static func read(_ path: String, maximumOctets: Int) throws(StoreError) -> [UInt8] {
        let descriptor = try open(path, O_RDONLY)
        defer { close(descriptor) }
        var status = stat()
        fstat(descriptor, &status)
        let tooLarge = StoreError.file(
            FileError(path: path, .tooLarge(maximumOctets: maximumOctets))
        )
        if status.st_size > maximumOctets { throw tooLarge }
        var expected = Int(status.st_size)
        while true {
            var error: CInt = 0
            // One more than expected, so that the end is seen without another round.
            let octets = [UInt8](unsafeUninitializedCapacity: expected + 1) { buffer, count in
                while count < buffer.count {
                    let read = pread(
                        descriptor,
                        buffer.baseAddress?.advanced(by: count),
                        buffer.count - count,
                        count
                    )
                    if read < 0 && errno == EINTR { continue }
                    if read < 0 { error = errno }
                    if read <= 0 { return }
                    count += read
                }
            }
            if error != 0 { throw Self.failure("read", path, error) }
            if octets.count > maximumOctets { throw tooLarge }
            if octets.count <= expected { return octets }
            // It has grown, or is one of those that tell no size.
            expected = octets.count * 2
        }
    }

    // MARK: Making

    /// Makes a folder, unless it is there; the one above must exist.
    static func makeFolder(_ path: String) throws(StoreError) {
        if mkdir(path, 0o700) == 0 { return }
        let error = errno
        if error == EEXIST, isFolder(path) { return }
        throw failure("mkdir", path, error)
    }

    /// Writes octets to a new file, whole or not at all.
    static func write(_ octets: UnsafeRawBufferPointer, to path: String) throws(StoreError) {
        try replace(path) { writeAll(octets, to: $0) }
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
            let read = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if !writeAll(read, to: target) { return false }
        }
    }

    /// Writes octets at the present offset; `false` where the system takes no more, as `errno` says.
    static func writeAll(_ octets: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
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

    /// What the name of a file ends in that is not whole yet.
    static let unfinishedSuffix = ".unfinished"

    /// Writes a file beside the path, then renames it, so that the path has all of it or nothing.
    ///
    /// - Parameters:
    ///   - mode: The permissions of the new file, before the process's mask.
    ///   - suffix: Distinguishes the file beside; one that is there is somebody's who is gone.
    ///   - check: The last look at what is to be replaced.
    ///   - keep: Called with the descriptor of the file that is in its place now.
    ///   - fill: Writes; `false` where it cannot, as `errno` says.
    static func replace(
        _ path: String,
        mode: mode_t = 0o600,
        suffix: String = unfinishedSuffix,
        check: () throws(StoreError) -> Void = {},
        keep: (Int32) -> Void = { _ in },
        _ fill: (Int32) -> Bool
    ) throws(StoreError) {
        let unfinished = path + suffix
        remove(unfinished)
        // Whatever is there again was put there by somebody else: it is neither followed nor changed.
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = Glibc.open(unfinished, flags, mode)
        if descriptor < 0 { throw failure("open", unfinished) }
        let isWhole = fill(descriptor)
        let error = errno
        do throws(StoreError) {
            if !isWhole { throw failure("write", path, error) }
            try check()
            try rename(unfinished, to: path)
        } catch {
            close(descriptor)
            remove(unfinished)
            throw error
        }
        keep(descriptor)
        close(descriptor)
    }

    /// Renames a file, in place of what is there.
    static func rename(_ from: String, to: String) throws(StoreError) {
        if Glibc.rename(from, to) != 0 { throw failure("rename", to) }
    }

    // MARK: Removing

    /// Removes a file; that none is there is fine.
    static func remove(_ path: String) {
        unlink(path)
    }

    /// What SQLite keeps beside a database.
    static let companionSuffixes = ["-wal", "-shm", "-journal"]

    /// Removes a database and what SQLite keeps beside it.
    static func removeDatabase(_ path: String) {
        // The log last: without its database nobody takes it for anything.
        for suffix in [""] + companionSuffixes { remove(path + suffix) }
    }

    // MARK: Errors

    /// The error that `errno` stands for now.
    static func failure(_ call: String, _ path: String) -> StoreError {
        failure(call, path, errno)
    }

    /// The error that a value of `errno` stands for.
    static func failure(_ call: String, _ path: String, _ error: Int32) -> StoreError {
        if [ENOSPC, EDQUOT, EFBIG].contains(error) { return .full }
        if [EMFILE, ENFILE].contains(error) { return .noDescriptors }
        return .system(call: call, errno: error, path: path)
    }
}
