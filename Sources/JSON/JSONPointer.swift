/// A JSON Pointer (RFC 6901): the way from the root of a document to one value.
package struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    /// The reference tokens, unescaped.
    package var tokens: [String]

    /// The pointer to the whole document, or to the value at these tokens.
    package init(_ tokens: [String] = []) { self.tokens = tokens }

    /// A token as errors show it: of a very long one, the beginning and an ellipsis.
    ///
    /// - Returns: At most 128 characters and the ellipsis.
    package static func shownToken(_ token: String) -> String {
        // No character takes less than an octet: the usual token is not counted.
        guard token.utf8.count > maximumShownCharacters else { return token }
        let scalars = token.unicodeScalars
        guard
            let end = scalars.index(
                scalars.startIndex,
                offsetBy: maximumShownCharacters,
                limitedBy: scalars.endIndex
            ), end < scalars.endIndex
        else { return token }
        return String(token[..<end]) + "…"
    }

    private static let maximumShownCharacters = 128

    /// Parses the string form, with or without the `#` of a URI fragment; `nil` when malformed.
    ///
    /// Percent-escapes of the fragment form are not decoded: documents here do not use them.
    package init?(parsing text: String) {
        // By octets: a combining mark behind "/" makes one character with it.
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "#") { rest = rest.dropFirst() }
        if rest.isEmpty {
            tokens = []
            return
        }
        guard rest.first == UInt8(ascii: "/") else { return nil }
        var tokens: [String] = []
        for part in rest.dropFirst()
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        {
            guard part.contains(UInt8(ascii: "~")) else {
                tokens.append(String(Substring(part)))
                continue
            }
            var token = ""
            var characters = Substring(part).unicodeScalars.makeIterator()
            while let character = characters.next() {
                guard character == "~" else {
                    token.unicodeScalars.append(character)
                    continue
                }
                switch characters.next() {
                case "0": token.append("~")
                case "1": token.append("/")
                default: return nil
                }
            }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    /// This pointer, one member or element deeper.
    package func appending(_ token: String) -> JSONPointer { JSONPointer(tokens + [token]) }

    /// This pointer, one element deeper.
    package func appending(_ index: Int) -> JSONPointer { appending(String(index)) }

    /// The string form (§5); empty for the whole document.
    package var description: String {
        var text = ""
        for token in tokens {
            text += "/"
            for character in token.unicodeScalars {
                switch character {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(character)
                }
            }
        }
        return text
    }

    /// The value this points to, or `nil` where the document has none.
    package func value(in document: JSONValue) -> JSONValue? {
        var value = document
        for token in tokens {
            switch value {
            case .object(let object):
                guard let next = object[token] else { return nil }
                value = next
            case .array(let array):
                guard token == "0" || token.first != "0", let index = Int(token),
                    array.indices.contains(index)
                else { return nil }
                value = array[index]
            default: return nil
            }
        }
        return value
    }
}
