/// A serialized database, in memory that nobody changes.
///
/// Connections read it in place, so any number of them costs its memory once.
package final class DatabaseImage: @unchecked Sendable {
    // Sendable: the octets are never written after the initializer.

    let start: UnsafeRawPointer
    /// Octets.
    package let count: Int
    /// Gives the memory back.
    private let release: ((UnsafeRawPointer) -> Void)?

    /// An image in memory that stays for as long as the process does.
    package init(staticOctets octets: UnsafeRawBufferPointer) throws(StoreError) {
        guard let start = octets.baseAddress, DatabaseHeader(octets)?.isOurs == true else {
            throw .notAnImage
        }
        self.start = start
        count = octets.count
        release = nil
    }

    /// An image in memory of its own.
    package init(_ octets: [UInt8]) throws(StoreError) {
        guard octets.withUnsafeBytes({ DatabaseHeader($0)?.isOurs == true }) else {
            throw .notAnImage
        }
        let copy = UnsafeMutableRawPointer.allocate(byteCount: octets.count, alignment: 16)
        UnsafeMutableRawBufferPointer(start: copy, count: octets.count).copyBytes(from: octets)
        start = UnsafeRawPointer(copy)
        count = octets.count
        release = { $0.deallocate() }
    }

    /// An image in memory that somebody else has made.
    ///
    /// - Parameter release: Gives the memory back, once nobody reads it any more.
    init(
        adopting octets: UnsafeRawBufferPointer,
        release: @escaping (UnsafeRawPointer) -> Void
    ) throws(StoreError) {
        guard let start = octets.baseAddress, DatabaseHeader(octets)?.isOurs == true else {
            throw .notAnImage
        }
        self.start = start
        count = octets.count
        self.release = release
    }

    deinit {
        release?(start)
    }

    /// The octets.
    package var octets: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: count)
    }

    /// For `sqlite3_deserialize`, which takes a pointer to change and, told READONLY, does not.
    var mutableStart: UnsafeMutablePointer<UInt8> {
        UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self))
    }
}
