import CSQLite

/// The default data as the fixture files have them: octets of a database, not yet laid out.
///
/// They can be had as often as data are laid, and need no memory in between.
package struct FixtureImage: Sendable {
    /// Octets.
    let count: Int
    /// Where the dates are that move; `nil` where they are still to be found.
    let dates: DatePlaces?
    private let fill: @Sendable (UnsafeMutableRawBufferPointer) -> Void

    /// - Parameter fill: Writes the octets to memory of at least `count` octets.
    package init(
        count: Int,
        dates: DatePlaces?,
        fill: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void
    ) {
        self.count = count
        self.dates = dates
        self.fill = fill
    }

    /// The octets of an image, which is kept.
    package init(_ image: DatabaseImage, dates: DatePlaces? = nil) {
        self.init(count: image.count, dates: dates) { $0.copyBytes(from: image.octets) }
    }

    /// A copy that can be changed.
    func copy() throws(StoreError) -> ImageBuffer {
        let buffer = try ImageBuffer(count: count)
        fill(UnsafeMutableRawBufferPointer(start: buffer.start, count: buffer.capacity))
        guard DatabaseHeader(UnsafeRawBufferPointer(buffer.octets))?.isOurs == true else {
            throw .notAnImage
        }
        return buffer
    }
}

/// A database in memory that is being made ready.
final class ImageBuffer {
    /// Of SQLite's allocator: it may move the octets when they grow.
    fileprivate(set) var start: UnsafeMutableRawPointer
    fileprivate(set) var count: Int
    let capacity: Int
    private var isGiven = false

    /// Room for rows that become longer; beyond it, SQLite would double the memory.
    private static let slack = 1 << 19

    init(count: Int) throws(StoreError) {
        SQLiteLibrary.configure()
        capacity = count + Self.slack
        guard let start = sqlite3_malloc64(UInt64(capacity)) else {
            throw .database(code: SQLITE_NOMEM, message: "out of memory", sql: "deserialize")
        }
        self.start = start
        self.count = count
    }

    deinit {
        if !isGiven { sqlite3_free(start) }
    }

    var octets: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    /// Runs `body` on a connection to the octets, which may change them.
    func open<Result>(
        _ body: (Database) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let database = try Database(.memory)
        try database.lend(self)
        // Whatever `body` did, the octets are ours again.
        defer { database.giveBack(to: self) }
        return try body(database)
    }

    /// The octets as an image; the buffer has nothing afterwards.
    func image() throws(StoreError) -> DatabaseImage {
        let image = try DatabaseImage(adopting: UnsafeRawBufferPointer(octets)) {
            sqlite3_free(UnsafeMutableRawPointer(mutating: $0))
        }
        isGiven = true
        return image
    }
}

extension Database {
    /// Puts memory in place of the main database, which can be changed and may move.
    fileprivate func lend(_ buffer: ImageBuffer) throws(StoreError) {
        let code = sqlite3_deserialize(
            handle,
            "main",
            buffer.start.assumingMemoryBound(to: UInt8.self),
            Int64(buffer.count),
            Int64(buffer.capacity),
            UInt32(SQLITE_DESERIALIZE_RESIZEABLE)
        )
        if code != SQLITE_OK { throw Self.error(handle, code: code, sql: "deserialize") }
    }

    /// Tells the memory where its octets are now.
    fileprivate func giveBack(to buffer: ImageBuffer) {
        var count: Int64 = 0
        let octets = sqlite3_serialize(handle, "main", &count, UInt32(SQLITE_SERIALIZE_NOCOPY))
        guard let octets else { preconditionFailure("a database in memory lies in one piece") }
        buffer.start = UnsafeMutableRawPointer(octets)
        buffer.count = Int(count)
    }
}
