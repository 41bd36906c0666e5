/// Octets on their way, the oldest first.
struct Pipe {
    private var octets: [UInt8] = []
    private var start = 0

    var count: Int { octets.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: ArraySlice<UInt8>) { octets.append(contentsOf: more) }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        octets.append(contentsOf: more.bindMemory(to: UInt8.self))
    }

    /// Takes octets from the front; there must be so many.
    mutating func take(_ number: Int) -> ArraySlice<UInt8> {
        let taken = octets[start..<start + number]
        start += number
        if start == octets.count {
            octets = []
            start = 0
        }
        return taken
    }

    mutating func removeAll() { self = Pipe() }
}
