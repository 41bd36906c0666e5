import CSQLite
import Glibc

/// One SQLite connection, knowing no table.
///
/// Opened without mutexes of its own: whoever holds one lets a single thread at a time in.
final class Database {
    /// What to open.
    enum Location {
        /// A private database in memory, empty.
        case memory
        /// An image, read in place and never changed.
        case image(DatabaseImage)
        /// A file that nobody changes while it is open: no locks are taken.
        case immutableFile(String)
        /// A file in WAL mode that several connections of this process share; whole, or over an image.
        case sharedFile(String, over: Overlay? = nil)
        /// A file that this connection alone has open; empty, or a database without a log.
        case ownFile(String)

        /// Whether nobody changes what is there.
        var isConstant: Bool {
            switch self {
            case .image, .immutableFile: true
            case .memory, .sharedFile, .ownFile: false
            }
        }

        /// How many descriptors a connection takes: the file, and the log where there is one.
        var descriptors: Int {
            switch self {
            case .memory, .image: 0
            case .immutableFile: 1
            case .sharedFile, .ownFile: 2
            }
        }
    }

    let handle: OpaquePointer
    /// Keeps the memory under an image alive.
    private let image: DatabaseImage?

    /// The length of the write-ahead log after the last commit, in pages, once it is counted.
    private(set) var loggedPages = 0

    /// Opens a connection.
    ///
    /// - Throws: `StoreError.database`, and `.full` where the file cannot grow.
    init(_ location: Location) throws(StoreError) {
        SQLiteLibrary.configure()
        let name: String
        var flags = SQLITE_OPEN_NOMUTEX
        var fileSystem: String? = nil
        switch location {
        case .memory, .image:
            name = ":memory:"
            flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .immutableFile(let path):
            name = Self.uri(path) + "?immutable=1"
            flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
        case .sharedFile(let path, let overlay):
            name = Self.uri(path, over: overlay)
            flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI
            // Keeps other processes out for good, so that no lock costs a system call, and the
            // index of the log in memory. The lock file says so politely before it comes to this.
            // A file over an image names its own file system, which goes before this one.
            fileSystem = "unix-excl"
            if overlay != nil { OverlayFileSystem.register() }
        case .ownFile(let path):
            name = Self.uri(path)
            flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI
        }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(name, &opened, flags, fileSystem)
        guard let opened else { throw Self.outOfMemory(sql: "open") }
        guard code == SQLITE_OK else {
            let error = Self.error(opened, code: code, sql: "open")
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        if case .image(let image) = location { self.image = image } else { image = nil }
        sqlite3_extended_result_codes(handle, 1)
        // A schema may come from a file that somebody else has edited.
        _ = csqlite_set_switch(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        if let image { try deserialize(image, as: "main") }
    }

    deinit {
        sqlite3_close_v2(handle)
    }

    /// Leaves the log as it is when the last connection is closed, where it would go into the file.
    ///
    /// It is as safe there, and whoever opens the file next finds it.
    func keepLogAtClose() {
        _ = csqlite_set_switch(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    }

    /// Runs one or more statements that give no rows of interest.
    func execute(_ sql: String) throws(StoreError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw Self.error(handle, code: code, sql: sql) }
    }

    /// The first column of the first row.
    func integer(_ sql: String) throws(StoreError) -> Int64? {
        let statement = Statement(self, sql)
        try statement.prepare()
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }

    /// The first column of the first row.
    func text(_ sql: String) throws(StoreError) -> String? {
        let statement = Statement(self, sql)
        try statement.prepare()
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : nil
    }

    /// Counts the pages of the log from now on, and leaves it to others to empty it.
    func countLoggedPages() {
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                Unmanaged<Database>.fromOpaque(context).takeUnretainedValue().loggedPages =
                    Int(pages)
                return SQLITE_OK
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    /// The rowid of the last row inserted.
    var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// How many rows the last INSERT, UPDATE or DELETE touched.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// How many rows were inserted, changed or deleted since the connection was opened.
    var totalChanges: Int { Int(sqlite3_total_changes(handle)) }

    /// Puts an image in place of an attached, empty database, without a copy; read-only.
    func deserialize(_ image: DatabaseImage, as schema: String) throws(StoreError) {
        let code = sqlite3_deserialize(
            handle,
            schema,
            image.mutableStart,
            Int64(image.count),
            Int64(image.count),
            UInt32(SQLITE_DESERIALIZE_READONLY)
        )
        if code != SQLITE_OK { throw Self.error(handle, code: code, sql: "deserialize") }
    }

    /// The main database as octets.
    func serialize() throws(StoreError) -> [UInt8] {
        var count: Int64 = 0
        guard let octets = sqlite3_serialize(handle, "main", &count, 0) else {
            throw Self.outOfMemory(sql: "serialize")
        }
        defer { sqlite3_free(octets) }
        return Array(UnsafeBufferPointer(start: octets, count: Int(count)))
    }

    /// The primary result code of a file that cannot be opened.
    static let cannotOpen = SQLITE_CANTOPEN

    /// The error a result code stands for.
    static func error(_ handle: OpaquePointer, code: Int32, sql: String) -> StoreError {
        let systemError = sqlite3_system_errno(handle)
        if code & 0xFF == SQLITE_FULL
            || code & 0xFF == SQLITE_IOERR && [ENOSPC, EDQUOT, EFBIG].contains(systemError)
        {
            return .full
        }
        if code & 0xFF == SQLITE_CANTOPEN, [EMFILE, ENFILE].contains(systemError) {
            return .noDescriptors
        }
        return .database(
            code: code,
            message: String(cString: sqlite3_errmsg(handle)),
            sql: sql
        )
    }

    private static func outOfMemory(sql: String) -> StoreError {
        .database(code: SQLITE_NOMEM, message: "out of memory", sql: sql)
    }

    /// A file that connections of this process share, with its file system where it lies over an image.
    static func uri(_ path: String, over overlay: Overlay?) -> String {
        guard let overlay else { return uri(path) }
        return uri(path) + "?vfs=\(OverlayFileSystem.name)"
            + "&\(OverlayFileSystem.parameter)=\(overlay.number)"
    }

    /// A path as a `file:` URI (RFC 8089), which SQLite takes for nothing else.
    ///
    /// A path by itself could be `:memory:`, or a URI already. Each octet that is not unreserved
    /// (RFC 3986 §2.3) is encoded, whatever the text that it is part of.
    static func uri(_ path: String) -> String {
        // Without an authority: two slashes in front would be one. `./` keeps a relative path one.
        var uri = path.hasPrefix("/") ? "file://" : "file:./"
        for octet in path.utf8 {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                uri.unicodeScalars.append(Unicode.Scalar(octet))
            default:
                uri += octet < 0x10 ? "%0" : "%"
                uri += String(octet, radix: 16)
            }
        }
        return uri
    }
}

/// Settings of the library as a whole.
enum SQLiteLibrary {
    private static let configured: Bool = {
        // With its statistics on, every allocation of every thread goes through one mutex.
        csqlite_configure_no_memory_statistics() == SQLITE_OK
            && csqlite_configure_multithread() == SQLITE_OK
            && sqlite3_initialize() == SQLITE_OK
    }()

    /// Configures the library before its first use; later calls do nothing.
    static func configure() {
        precondition(configured, "SQLite was in use before it was configured")
    }
}
