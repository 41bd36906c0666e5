package import HTTPMessage

/// What routing found for a method and a path.
package enum Route: Sendable {
    case matched(Operation, PathMatch)
    /// The path is known, the method is not: 405, with these methods in `Allow`.
    case methodNotAllowed(allowed: [HTTPMethod], pathTemplate: String)
    case notFound
}

/// The segments of a path that stand for parameters, still encoded.
///
/// The n-th belongs to the n-th of the operation's `parameters`.
package struct PathMatch: Sendable {
    /// Templates with more parameters are refused when the contract is loaded.
    static let maximumCaptures = 6

    private let path: [UInt8]
    private var bounds: InlineArray<12, UInt32>
    /// How many segments were captured.
    package private(set) var count: Int

    init(path: [UInt8]) {
        self.path = path
        bounds = InlineArray(repeating: 0)
        count = 0
    }

    mutating func capture(_ start: Int, _ end: Int) {
        bounds[2 * count] = UInt32(truncatingIfNeeded: start)
        bounds[2 * count + 1] = UInt32(truncatingIfNeeded: end)
        count += 1
    }

    /// The octets of a captured segment, as they were sent.
    package func octets(at position: Int) -> ArraySlice<UInt8> {
        precondition(position < count)
        return path[Int(bounds[2 * position])..<Int(bounds[2 * position + 1])]
    }

    /// A captured segment, percent-decoded once; `nil` where it is not percent-encoded UTF-8.
    package func value(at position: Int) -> String? {
        EncodedText.decode(octets(at: position), plusIsSpace: false)
    }
}
