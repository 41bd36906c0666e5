import Contract
import JSON

/// Examples of the contract, put together where it has none for the whole.
enum SchemaExample {
    /// The example of a parameter, as text: its own, its default, or the first that is listed.
    static func text(of parameter: Parameter, in contract: OpenAPIContract) -> String? {
        if let example = parameter.example { return text(of: example) }
        let schema = contract.schema(of: parameter).source
        return (schema["default"] ?? schema["enum"]?.array?.first).flatMap(text)
    }

    /// The example of a content.
    static func value(of content: MediaContent, in contract: OpenAPIContract) -> JSONValue? {
        content.example
            ?? contract.schema(of: content).flatMap { value(of: $0.source, in: contract.document) }
    }

    /// A valid value for a schema; required members, and others that have an example of their own.
    static func value(of schema: JSONValue, in document: JSONValue) -> JSONValue? {
        if let reference = schema["$ref"]?.string {
            guard let target = JSONPointer(parsing: reference)?.value(in: document) else {
                return nil
            }
            return value(of: target, in: document)
        }
        if let example = schema["examples"]?.array?.first ?? schema["example"] { return example }
        if let properties = schema["properties"]?.object {
            let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
            var object = JSONObject()
            for member in properties.members where required.contains(member.name) {
                object[member.name] = value(of: member.value, in: document)
            }
            return .object(object)
        }
        if let items = schema["items"] {
            return value(of: items, in: document).map { .array([$0]) }
        }
        return schema["enum"]?.array?.first
    }

    private static func text(of value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let flag): flag ? "true" : "false"
        default: nil
        }
    }
}
