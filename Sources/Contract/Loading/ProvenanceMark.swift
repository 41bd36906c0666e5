package import JSON

/// A place of the contract that the documentation does not state (`x-provenance`).
package struct ProvenanceMark: Hashable, Sendable {
    /// What the mark is on.
    package let pointer: JSONPointer
    /// `example` or `inferred`.
    package let provenance: String
    /// `x-provenance-note`: what exactly is assumed.
    package let note: String?
    /// The `operationId`, where the mark is on an operation or below one.
    package let operationID: String?

    static func all(in document: JSONValue) -> [ProvenanceMark] {
        var marks: [ProvenanceMark] = []
        collect(document, at: .root, operationID: nil, into: &marks)
        return marks
    }

    private static func collect(
        _ value: JSONValue,
        at location: DocumentLocation,
        operationID: String?,
        into marks: inout [ProvenanceMark]
    ) {
        switch value {
        case .object(let object):
            let operationID = object["operationId"]?.string ?? operationID
            if let provenance = object["x-provenance"]?.string {
                marks.append(
                    ProvenanceMark(
                        pointer: location.pointer,
                        provenance: provenance,
                        note: object["x-provenance-note"]?.string,
                        operationID: operationID
                    )
                )
            }
            for member in object.members where !Self.samples.contains(member.name) {
                collect(
                    member.value,
                    at: location.appending(member.name),
                    operationID: operationID,
                    into: &marks
                )
            }
        case .array(let elements):
            for (position, element) in elements.enumerated() {
                collect(
                    element,
                    at: location.appending(position),
                    operationID: operationID,
                    into: &marks
                )
            }
        case .null, .bool, .number, .string: break
        }
    }

    /// Members whose values are data, not contract.
    private static let samples: Set<String> = ["example", "examples", "default", "enum", "const"]
}
