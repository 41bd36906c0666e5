import Faults
import JSON

/// The text of a JSON value as few writers make it: white space wherever RFC 8259 §2 allows it,
/// members in another order, escapes where none is needed (§7).
struct SpacedText {
    private var draws: FaultDraws
    private var output: [UInt8] = []

    init(draws: FaultDraws) { self.draws = draws }

    mutating func octets(of value: JSONValue) -> [UInt8] {
        output = []
        append(value)
        output.append(contentsOf: "\r\n".utf8)
        return output
    }

    private mutating func append(_ value: JSONValue) {
        switch value {
        case .null, .bool, .number: JSONWriter.append(value, to: &output)
        case .string(let text): append(text)
        case .array(let elements):
            output.append(contentsOf: "[ ".utf8)
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(contentsOf: " ,\r\n".utf8) }
                append(element)
            }
            output.append(contentsOf: " ]".utf8)
        case .object(let object):
            output.append(contentsOf: "{\r\n\t".utf8)
            // Turned round from a drawn place on: any member may come first.
            let members = Array(object.members.reversed())
            let start = Int(draws.unit() * Double(members.count))
            let turned = members[start...] + members[..<start]
            for (index, member) in turned.enumerated() {
                if index > 0 { output.append(contentsOf: "\r\n, ".utf8) }
                append(member.name)
                output.append(contentsOf: " : ".utf8)
                append(member.value)
            }
            output.append(contentsOf: "\r\n}".utf8)
        }
    }

    private mutating func append(_ text: String) {
        output.append(UInt8(ascii: "\""))
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch scalar {
            case "/": output.append(contentsOf: "\\/".utf8)
            case "\"", "\\", "\0"..."\u{1F}", "\u{7F}"...: appendEscape(scalar)
            default:
                // The first letter, too: a name is compared after it was read.
                if index == 0, text.utf8.count > 1 {
                    appendEscape(scalar)
                } else {
                    output.append(UInt8(truncatingIfNeeded: scalar.value))
                }
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// `\uXXXX`, two of them beyond the basic plane.
    private mutating func appendEscape(_ scalar: Unicode.Scalar) {
        for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            output.append(contentsOf: "\\u".utf8)
            output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.count))
            output.append(contentsOf: digits.utf8)
        }
    }
}
