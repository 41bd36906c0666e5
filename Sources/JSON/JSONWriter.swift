/// Writes JSON (RFC 8259) straight into octets.
///
/// The functions append to an array that the caller owns, so that a page of a hundred records
/// needs no tree of values and one allocation.
package enum JSONWriter {
    /// The compact text of a value.
    package static func octets(of value: JSONValue) -> [UInt8] {
        var output: [UInt8] = []
        append(value, to: &output)
        return output
    }

    /// The compact text of a value, as a string.
    package static func text(of value: JSONValue) -> String {
        String(decoding: octets(of: value), as: UTF8.self)
    }

    /// Appends the compact text of a value.
    package static func append(_ value: JSONValue, to output: inout [UInt8]) {
        switch value {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let value): output.append(contentsOf: value.text.utf8)
        case .string(let value): append(string: value, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                append(element, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                append(string: member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                append(member.value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Appends a string with its quotation marks, escaping what §7 says must be escaped.
    package static func append(string: String, to output: inout [UInt8]) {
        var string = string
        string.withUTF8 { append(stringOctets: $0, to: &output) }
    }

    /// Appends a string given as valid UTF-8.
    package static func append(
        stringOctets octets: UnsafeBufferPointer<UInt8>,
        to output: inout [UInt8]
    ) {
        output.append(UInt8(ascii: "\""))
        var start = 0
        var index = 0
        let raw = UnsafeRawBufferPointer(octets)
        while index < octets.count {
            // Eight octets at a time, while none of them needs an escape.
            if index + 8 <= octets.count {
                let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if !holdsOctetToEscape(word) {
                    index += 8
                    continue
                }
            }
            let octet = octets[index]
            if octet >= 0x20 && octet != UInt8(ascii: "\"") && octet != UInt8(ascii: "\\") {
                index += 1
                continue
            }
            output.append(contentsOf: octets[start..<index])
            appendEscape(of: octet, to: &output)
            index += 1
            start = index
        }
        output.append(contentsOf: octets[start..<octets.count])
        output.append(UInt8(ascii: "\""))
    }

    /// Whether some octet of eight is below 0x20, `"` or `\` (a false alarm only costs the slow path).
    private static func holdsOctetToEscape(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let control = (word &- ones &* 0x20) & ~word
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let quoteZero = (quote &- ones) & ~quote
        let backslashZero = (backslash &- ones) & ~backslash
        return (control | quoteZero | backslashZero) & highs != 0
    }

    private static func appendEscape(of octet: UInt8, to output: inout [UInt8]) {
        switch octet {
        case UInt8(ascii: "\""): output.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): output.append(contentsOf: "\\\\".utf8)
        case 0x08: output.append(contentsOf: "\\b".utf8)
        case 0x09: output.append(contentsOf: "\\t".utf8)
        case 0x0A: output.append(contentsOf: "\\n".utf8)
        case 0x0C: output.append(contentsOf: "\\f".utf8)
        case 0x0D: output.append(contentsOf: "\\r".utf8)
        default:
            let digits = Array("0123456789abcdef".utf8)
            output.append(contentsOf: "\\u00".utf8)
            output.append(digits[Int(octet >> 4)])
            output.append(digits[Int(octet & 15)])
        }
    }

    /// Appends an integer.
    package static func append(_ value: Int, to output: inout [UInt8]) {
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var index = buffer.count
            var magnitude = value.magnitude
            repeat {
                index -= 1
                buffer[index] = UInt8(ascii: "0") + UInt8(magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            if value < 0 {
                index -= 1
                buffer[index] = UInt8(ascii: "-")
            }
            output.append(contentsOf: buffer[index...])
        }
    }
}
