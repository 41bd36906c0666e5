import CSQLite
import Glibc
import Synchronization

/// A database file that holds only the pages that were written, over the image of all others.
///
/// A session that writes for the first time would have to copy all data. Instead its file begins
/// empty, as long as the image: what SQLite reads comes from the image, until a page was written. A
/// file of this kind is worth something only as long as this object lives: for data that end with
/// the process.
final class Overlay: @unchecked Sendable {
    // Sendable: all is immutable but the words, which are atomic.

    private let image: DatabaseImage
    /// One bit for each page of the image: whether the file has it.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let wordCount: Int
    /// By which the file is opened.
    let number: Int

    private static let pageSize = 4096
    private static let all = Mutex<(next: Int, overlays: [Int: WeakOverlay])>((1, [:]))

    private struct WeakOverlay: Sendable {
        weak let overlay: Overlay?
    }

    /// Makes the file, which is not there yet: in WAL mode, as nothing else could be told SQLite.
    init(_ image: DatabaseImage, at path: String) throws(StoreError) {
        self.image = image
        wordCount = image.count / Self.pageSize / 64 + 1
        words = .allocate(capacity: wordCount)
        for word in 0..<wordCount { (words + word).initialize(to: Atomic(0)) }
        number = Self.all.withLock { all in
            defer { all.next += 1 }
            return all.next
        }
        try Files.replace(path) { descriptor in
            var first = Array(image.octets.prefix(Self.pageSize))
            DatabaseHeader.markAsLogged(&first)
            return ftruncate(descriptor, image.count) == 0
                && first.withUnsafeBytes { Files.writeAll($0, to: descriptor) }
        }
        mark(0)
        let overlay = WeakOverlay(overlay: self)
        Self.all.withLock { $0.overlays[number] = overlay }
    }

    deinit {
        let number = number
        Self.all.withLock { $0.overlays[number] = nil }
        words.deinitialize(count: wordCount)
        words.deallocate()
    }

    /// The overlay of a number; `nil` where it is gone.
    fileprivate static func numbered(_ number: Int) -> Overlay? {
        all.withLock { $0.overlays[number]?.overlay }
    }

    /// Writes all pages to the file that it has not, so that the file is a whole database.
    ///
    /// Nobody else writes meanwhile.
    ///
    /// - Parameter descriptor: The file, open for writing.
    func complete(_ descriptor: Int32) throws(StoreError) {
        for page in 0..<image.count / Self.pageSize where !hasPage(page) {
            let octets = image.start + page * Self.pageSize
            let offset = off_t(page * Self.pageSize)
            guard pwrite(descriptor, octets, Self.pageSize, offset) == Self.pageSize else {
                throw Files.failure("write", "the file of a session")
            }
            mark(page)
        }
    }

    /// Whether the file has a page, or the image has not.
    fileprivate func hasPage(_ page: Int) -> Bool {
        page >= image.count / Self.pageSize
            || words[page / 64].load(ordering: .acquiring) >> UInt64(page % 64) & 1 == 1
    }

    private func mark(_ page: Int) {
        if page < image.count / Self.pageSize {
            words[page / 64].bitwiseOr(1 << UInt64(page % 64), ordering: .releasing)
        }
    }

    // MARK: As SQLite calls it

    /// The octets of the image, where the file has not all of them.
    fileprivate func inImage(_ count: Int, at offset: Int) -> UnsafeRawPointer? {
        let page = offset / Self.pageSize
        // SQLite reads within a page.
        guard offset % Self.pageSize + count <= Self.pageSize, !hasPage(page) else { return nil }
        return image.start + offset
    }

    /// Whether an address is of the image.
    fileprivate func contains(_ address: UnsafeRawPointer) -> Bool {
        image.start <= address && address < image.start + image.count
    }

    /// Notes what SQLite is to write: a part of a page that the file has not is first made whole.
    ///
    /// - Parameter write: Writes to the file; 0 where it did.
    fileprivate func write(
        _ count: Int,
        at offset: Int,
        _ write: (UnsafeRawPointer?, Int, Int) -> Int32
    ) -> Int32 {
        let first = offset / Self.pageSize
        let last = (offset + count - 1) / Self.pageSize
        if offset % Self.pageSize != 0 || count % Self.pageSize != 0 {
            for page in first...last where !hasPage(page) {
                let start = page * Self.pageSize
                let code = write(image.start + start, Self.pageSize, start)
                if code != SQLITE_OK { return code }
            }
        }
        let code = write(nil, count, offset)
        if code == SQLITE_OK { for page in first...last { mark(page) } }
        return code
    }

    /// Notes that the file was cut: what lies behind is empty when it grows again.
    fileprivate func cut(to count: Int) {
        for page in count / Self.pageSize..<max(count, image.count) / Self.pageSize { mark(page) }
    }
}

/// The file system through which SQLite opens overlaid files: that for files which connections of this
/// process share, but for the pages of the database itself.
enum OverlayFileSystem {
    static let name = "qubs-overlay"
    /// The parameter of the URI that has the number of the overlay.
    static let parameter = "overlay"

    typealias File = UnsafeMutablePointer<sqlite3_file>

    /// Makes it known to SQLite; later calls do nothing.
    static func register() {
        precondition(registered, "SQLite has no file system for shared files")
    }

    private static let registered: Bool = {
        guard let real = sqlite3_vfs_find("unix-excl") else { return false }
        let own = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        own.initialize(to: real.pointee)
        own.pointee.zName = UnsafePointer(strdup(name))
        own.pointee.pNext = nil
        own.pointee.szOsFile = Int32(head) + real.pointee.szOsFile
        own.pointee.xOpen = { _, name, file, flags, outFlags in
            OverlayFileSystem.open(name, file, flags, outFlags)
        }
        return sqlite3_vfs_register(own, 0) == SQLITE_OK
    }()

    // What SQLite calls a file: a pointer to methods, one to the overlay, and then the real file.

    private static let overlayOffset = MemoryLayout<sqlite3_file>.stride
    private static let head = 2 * overlayOffset

    private static func open(
        _ name: UnsafePointer<CChar>?,
        _ file: File?,
        _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let real = sqlite3_vfs_find("unix-excl"), let open = real.pointee.xOpen, let file
        else {
            return SQLITE_CANTOPEN
        }
        if flags & SQLITE_OPEN_MAIN_DB == 0 { return open(real, name, file, flags, outFlags) }
        file.pointee.pMethods = nil
        guard
            let number = sqlite3_uri_parameter(name, parameter).flatMap({ Int(String(cString: $0)) }
            ),
            let overlay = Overlay.numbered(number)
        else { return SQLITE_CANTOPEN }
        let code = open(real, name, Self.real(file), flags, outFlags)
        guard code == SQLITE_OK else { return code }
        file.pointee.pMethods = UnsafePointer(methods)
        (UnsafeMutableRawPointer(file) + overlayOffset).storeBytes(
            of: Unmanaged.passRetained(overlay).toOpaque(),
            as: UnsafeMutableRawPointer.self
        )
        return SQLITE_OK
    }

    private static func real(_ file: File) -> File {
        (UnsafeMutableRawPointer(file) + head).assumingMemoryBound(to: sqlite3_file.self)
    }

    private static func overlay(_ file: File) -> Unmanaged<Overlay> {
        let pointer = (UnsafeMutableRawPointer(file) + overlayOffset).load(
            as: UnsafeMutableRawPointer.self
        )
        return Unmanaged.fromOpaque(pointer)
    }

    /// Calls a method of the real file, which has all of them.
    private static func call<Method>(
        _ file: File?,
        _ method: KeyPath<sqlite3_io_methods, Method?>,
        _ body: (Method, File) -> Int32
    ) -> Int32 {
        guard let file, let method = real(file).pointee.pMethods?.pointee[keyPath: method] else {
            return SQLITE_IOERR
        }
        return body(method, real(file))
    }

    private nonisolated(unsafe) static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        methods.pointee.iVersion = 3
        methods.pointee.xClose = { file in
            let code = OverlayFileSystem.call(file, \.xClose) { $0($1) }
            if let file { OverlayFileSystem.overlay(file).release() }
            return code
        }
        methods.pointee.xRead = { file, target, count, offset in
            guard let file, let target else { return SQLITE_IOERR }
            let overlay = OverlayFileSystem.overlay(file)
            let octets = overlay._withUnsafeGuaranteedRef {
                $0.inImage(Int(count), at: Int(offset))
            }
            if let octets {
                target.copyMemory(from: octets, byteCount: Int(count))
                return SQLITE_OK
            }
            return OverlayFileSystem.call(file, \.xRead) { $0($1, target, count, offset) }
        }
        methods.pointee.xWrite = { file, source, count, offset in
            guard let file else { return SQLITE_IOERR }
            return OverlayFileSystem.overlay(file)._withUnsafeGuaranteedRef {
                $0.write(Int(count), at: Int(offset)) { octets, count, offset in
                    OverlayFileSystem.call(file, \.xWrite) {
                        $0($1, octets ?? UnsafeRawPointer(source), Int32(count), Int64(offset))
                    }
                }
            }
        }
        methods.pointee.xTruncate = { file, count in
            let code = OverlayFileSystem.call(file, \.xTruncate) { $0($1, count) }
            if code == SQLITE_OK, let file {
                OverlayFileSystem.overlay(file)._withUnsafeGuaranteedRef { $0.cut(to: Int(count)) }
            }
            return code
        }
        methods.pointee.xSync = { file, flags in
            OverlayFileSystem.call(file, \.xSync) { $0($1, flags) }
        }
        methods.pointee.xFileSize = { file, count in
            OverlayFileSystem.call(file, \.xFileSize) { $0($1, count) }
        }
        methods.pointee.xLock = { file, kind in
            OverlayFileSystem.call(file, \.xLock) { $0($1, kind) }
        }
        methods.pointee.xUnlock = { file, kind in
            OverlayFileSystem.call(file, \.xUnlock) { $0($1, kind) }
        }
        methods.pointee.xCheckReservedLock = { file, result in
            OverlayFileSystem.call(file, \.xCheckReservedLock) { $0($1, result) }
        }
        methods.pointee.xFileControl = { file, operation, argument in
            OverlayFileSystem.call(file, \.xFileControl) { $0($1, operation, argument) }
        }
        methods.pointee.xSectorSize = { file in
            OverlayFileSystem.call(file, \.xSectorSize) { $0($1) }
        }
        methods.pointee.xDeviceCharacteristics = { file in
            OverlayFileSystem.call(file, \.xDeviceCharacteristics) { $0($1) }
        }
        methods.pointee.xShmMap = { file, region, size, extends, address in
            OverlayFileSystem.call(file, \.xShmMap) { $0($1, region, size, extends, address) }
        }
        methods.pointee.xShmLock = { file, offset, count, flags in
            OverlayFileSystem.call(file, \.xShmLock) { $0($1, offset, count, flags) }
        }
        methods.pointee.xShmBarrier = { file in
            _ = OverlayFileSystem.call(file, \.xShmBarrier) {
                $0($1)
                return SQLITE_OK
            }
        }
        methods.pointee.xShmUnmap = { file, deletes in
            OverlayFileSystem.call(file, \.xShmUnmap) { $0($1, deletes) }
        }
        methods.pointee.xFetch = { file, offset, count, address in
            guard let file, let address else { return SQLITE_IOERR }
            let octets = OverlayFileSystem.overlay(file)._withUnsafeGuaranteedRef {
                $0.inImage(Int(count), at: Int(offset))
            }
            if let octets {
                // SQLite does not write where it has fetched.
                address.pointee = UnsafeMutableRawPointer(mutating: octets)
                return SQLITE_OK
            }
            return OverlayFileSystem.call(file, \.xFetch) { $0($1, offset, count, address) }
        }
        methods.pointee.xUnfetch = { file, offset, address in
            guard let file else { return SQLITE_IOERR }
            let isOfImage = OverlayFileSystem.overlay(file)._withUnsafeGuaranteedRef { overlay in
                address.map { overlay.contains($0) } ?? false
            }
            if isOfImage { return SQLITE_OK }
            return OverlayFileSystem.call(file, \.xUnfetch) { $0($1, offset, address) }
        }
        return methods
    }()
}
