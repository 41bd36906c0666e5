import JSON

/// Writes a JSON value as YAML 1.2 in block style, for people who read the contract.
enum YAMLWriter {
    /// The document, ending in a line feed.
    static func text(of value: JSONValue) -> String {
        var output = ""
        append(value, level: 0, to: &output)
        return output
    }

    private static func append(_ value: JSONValue, level: Int, to output: inout String) {
        let indent = String(repeating: "  ", count: level)
        switch value {
        case .object(let object) where !object.isEmpty:
            for member in object.members {
                output += indent + key(member.name) + ":"
                appendNested(member.value, level: level, to: &output)
            }
        case .array(let elements) where !elements.isEmpty:
            for element in elements {
                output += indent + "-"
                appendNested(element, level: level, to: &output)
            }
        default: output += indent + scalar(value) + "\n"
        }
    }

    private static func appendNested(_ value: JSONValue, level: Int, to output: inout String) {
        switch value {
        case .object(let object) where !object.isEmpty:
            output += "\n"
            append(value, level: level + 1, to: &output)
        case .array(let elements) where !elements.isEmpty:
            output += "\n"
            append(value, level: level + 1, to: &output)
        default: output += " " + scalar(value) + "\n"
        }
    }

    private static func key(_ name: String) -> String {
        let isPlain =
            name.first.map { $0.isLetter || $0 == "/" || $0 == "_" || $0 == "$" } ?? false
            && name.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                    UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "$"), UInt8(ascii: "{"),
                    UInt8(ascii: "}"):
                    true
                default: false
                }
            }
        let isWord = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(name.lowercased())
        return isPlain && !isWord ? name : JSONWriter.text(of: .string(name))
    }

    /// A scalar as JSON writes it: every JSON scalar is a YAML scalar of the same value.
    private static func scalar(_ value: JSONValue) -> String {
        JSONWriter.text(of: value)
    }
}
