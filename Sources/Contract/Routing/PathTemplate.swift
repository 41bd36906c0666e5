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
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var segments: [Segment] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if part.first == "{", part.last == "}" {
                let name = part.dropFirst().dropLast()
                guard !name.isEmpty, !name.contains("{"), !name.contains("}") else { return nil }
                segments.append(.parameter(String(name)))
            } else {
                guard !part.isEmpty, !part.contains("{"), !part.contains("}"), part != ".",
                    part != ".."
                else { return nil }
                segments.append(.literal(String(part)))
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
