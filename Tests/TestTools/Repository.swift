import Foundation

/// The files of this repository.
package enum Repository {
    /// The root, three folders above this file.
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The path of a file, or of the root itself.
    package static func path(_ relative: String = "") -> String {
        root.appending(path: relative).path
    }

    /// What is in a file.
    package static func octets(of relative: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: root.appending(path: relative)))
    }
}
