/// The pairs of a query string, split at `&` and at the first `=`, not yet decoded.
package struct QueryPairs: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    /// Pairs of a query without its `?`.
    package init(_ query: [UInt8]) { rest = query[...] }

    /// The next pair; empty pairs (`&&`) are passed over, and a name without `=` has an empty
    /// value.
    package mutating func next() -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.endIndex
            let pair = rest[rest.startIndex..<end]
            rest = rest[Swift.min(end + 1, rest.endIndex)..<rest.endIndex]
            if pair.isEmpty { continue }
            guard let sign = pair.firstIndex(of: UInt8(ascii: "=")) else {
                return (pair, pair[pair.endIndex...])
            }
            return (pair[pair.startIndex..<sign], pair[(sign + 1)...])
        }
        return nil
    }
}
