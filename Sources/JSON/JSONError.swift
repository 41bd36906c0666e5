/// What is wrong with a text that should have been JSON.
package struct JSONError: Error, Hashable, Sendable {
    /// Kinds of faults.
    package enum Kind: Hashable, Sendable {
        /// The text ended inside a value, or is empty.
        case unexpectedEnd
        /// An octet that the grammar does not allow here.
        case unexpectedOctet(UInt8)
        /// Something other than white space after the value.
        case trailingContent
        /// A member name that stands twice in one object. The name itself is not kept: it may be personal data.
        case duplicateMember
        /// `\uD800` to `\uDFFF` without its other half.
        case loneSurrogate
        /// An octet sequence that is not UTF-8.
        case invalidUTF8
        /// An escape other than those of RFC 8259 §7.
        case invalidEscape
        /// A control character inside a string.
        case controlCharacter
        /// A number that does not match RFC 8259 §6.
        case malformedNumber
        /// More arrays and objects inside one another than the limit.
        case tooDeep(limit: Int)
    }

    package let kind: Kind
    /// How many octets stand before the fault.
    package let offset: Int
    /// Where in the document: the array, object or member being read.
    package let pointer: JSONPointer

    package init(kind: Kind, offset: Int, pointer: JSONPointer) {
        self.kind = kind
        self.offset = offset
        self.pointer = pointer
    }

    /// One sentence for the client, without any of its data.
    package var explanation: String {
        let what =
            switch kind {
            case .unexpectedEnd: "the text ends too early"
            case .unexpectedOctet: "a character that JSON does not allow here"
            case .trailingContent: "something follows the JSON value"
            case .duplicateMember: "a member name stands twice in one object"
            case .loneSurrogate: "a \\u escape holds half a surrogate pair"
            case .invalidUTF8: "the text is not valid UTF-8"
            case .invalidEscape: "an unknown escape sequence"
            case .controlCharacter: "a control character inside a string must be escaped"
            case .malformedNumber: "a malformed number"
            case .tooDeep(let limit): "arrays and objects are nested deeper than \(limit)"
            }
        return "Malformed JSON at octet \(offset): \(what)."
    }
}
