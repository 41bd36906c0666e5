import JSON

/// A position in the contract document, linked to its parent.
///
/// A schema of thousands of nodes keeps one small object each instead of a whole pointer each;
/// the pointer is put together when a violation needs it.
final class DocumentLocation: Sendable {
    let parent: DocumentLocation?
    let token: String

    static let root = DocumentLocation(parent: nil, token: "")

    private init(parent: DocumentLocation?, token: String) {
        self.parent = parent
        self.token = token
    }

    /// The location that a pointer names.
    static func at(_ pointer: JSONPointer) -> DocumentLocation {
        pointer.tokens.reduce(.root) { $0.appending($1) }
    }

    /// This location, one member or element deeper.
    func appending(_ token: String) -> DocumentLocation {
        DocumentLocation(parent: self, token: token)
    }

    /// This location, one element deeper.
    func appending(_ index: Int) -> DocumentLocation { appending(String(index)) }

    var pointer: JSONPointer {
        var tokens: [String] = []
        var location = self
        while let parent = location.parent {
            tokens.append(location.token)
            location = parent
        }
        return JSONPointer(tokens.reversed())
    }
}
