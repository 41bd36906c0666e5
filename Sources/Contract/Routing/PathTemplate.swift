/// A path of the contract, such as `/sites/{siteName}`, in segments.
struct PathTemplate: Hashable, Sendable {
    enum Segment: Hashable, Sendable {
        case literal(String)
        /// The name between the braces.
        case parameter(String)
    }

    /// As it stands in the contract.
    let text: String
    let segments: [Segment]

    /// Parses a template; `nil` where it does not begin with `/`, has an empty segment, or braces
    /// anywhere but around a whole segment.
    init?(_ text: String) {
        let (opening, closing) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var segments: [Segment] = []
        for part in text.utf8.dropFirst()
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        {
            let isParameter = part.first == opening && part.last == closing
            let inner = isParameter ? part.dropFirst().dropLast() : part
            guard !inner.isEmpty, !inner.contains(opening), !inner.contains(closing) else {
                return nil
            }
            let name = String(Substring(inner))
            if isParameter {
                segments.append(.parameter(name))
            } else {
                guard name != ".", name != ".." else { return nil }
                segments.append(.literal(name))
            }
        }
        self.text = text
        self.segments = segments
    }

    /// The names of the parameters, in order.
    var parameterNames: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }
}
