import HTTPMessage
import JSON

/// References inside one document (RFC 6901 §6).
enum References {
    /// Finds what a reference such as `#/components/schemas/Site` names.
    ///
    /// - Throws: `ContractError` where it leads nowhere, or out of the document.
    static func resolve(
        _ text: String,
        in document: JSONValue,
        from location: DocumentLocation
    ) throws(ContractError) -> (value: JSONValue, location: DocumentLocation) {
        guard text.hasPrefix("#"),
            let fragment = EncodedText.decode(
                Array(text.utf8.dropFirst())[...],
                plusIsSpace: false
            ),
            let pointer = JSONPointer(parsing: fragment), let value = pointer.value(in: document)
        else { throw ContractError(.unresolvedReference(text), at: location.pointer) }
        return (value, .at(pointer))
    }

    /// Follows a `$ref` that stands for a whole object, if that is what a value is.
    ///
    /// - Throws: `ContractError` where it leads nowhere, or in a circle.
    static func follow(
        _ value: JSONValue,
        in document: JSONValue,
        at location: DocumentLocation
    ) throws(ContractError) -> (value: JSONValue, location: DocumentLocation) {
        var value = value
        var location = location
        var steps = 0
        while let text = value["$ref"]?.string {
            steps += 1
            if steps > 16 { throw ContractError(.endlessReference, at: location.pointer) }
            (value, location) = try resolve(
                text,
                in: document,
                from: location.appending("$ref")
            )
        }
        return (value, location)
    }
}
