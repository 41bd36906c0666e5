import Contract
import Faults
import JSON

/// Why a server cannot be put together: one line for whoever started it.
package struct StartError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

extension StartError {
    /// All that is wrong with a document of fault rules, each at its place.
    ///
    /// - Parameter place: Where the rules are in what `source` names.
    init(_ source: String, _ error: FaultError, at place: [String] = []) {
        self.init(
            source,
            error.errors.map { (JSONPointer(place + $0.pointer.tokens), $0.reason) }
        )
    }

    /// All that is wrong with a document, each at its place, which needs no mention where it is all.
    init(_ source: String, _ faults: [(pointer: JSONPointer, reason: String)]) {
        let lines = faults.map { fault in
            let pointer = fault.pointer.description
            return pointer.isEmpty ? fault.reason : "\(pointer): \(fault.reason)"
        }
        let text = lines.isEmpty ? "there are too many fault rules" : lines.joined(separator: "; ")
        self.init("\(source): \(text)")
    }
}
