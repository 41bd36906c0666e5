/// The elements of a JSON array, as stretches of its text.
package enum JSONElements {
    /// Where each element stands, up to the end of the array or of the text.
    ///
    /// - Parameters:
    ///   - text: Well-formed JSON without white space between tokens, as `JSONWriter` makes it.
    ///   - start: Behind the bracket that opens the array.
    package static func split(_ text: [UInt8], from start: Int) -> [Range<Int>] {
        var elements: [Range<Int>] = []
        var begin = start
        var depth = 0
        var isInString = false
        var index = start
        while index < text.count {
            let octet = text[index]
            if isInString {
                if octet == UInt8(ascii: "\\") {
                    index += 1
                } else if octet == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else {
                switch octet {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
                case UInt8(ascii: "]") where depth == 0:
                    if index > begin { elements.append(begin..<index) }
                    return elements
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                case UInt8(ascii: ",") where depth == 0:
                    elements.append(begin..<index)
                    begin = index + 1
                default: break
                }
            }
            index += 1
        }
        if begin < text.count { elements.append(begin..<text.count) }
        return elements
    }
}
