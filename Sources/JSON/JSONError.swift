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
        /// The text is not in UTF-8, or begins with a byte order mark.
        case foreignEncoding(ForeignEncoding)
        /// An escape other than those of RFC 8259 §7.
        case invalidEscape
        /// A control character inside a string.
        case controlCharacter
        /// A number that does not match RFC 8259 §6.
        case malformedNumber
        /// More arrays and objects inside one another than the limit.
        case tooDeep(limit: Int)
    }

    /// How a text begins that RFC 8259 §8.1 does not allow.
    package enum ForeignEncoding: Hashable, Sendable {
        /// UTF-8 with a byte order mark, which a JSON text must not begin with.
        case markedUTF8
        /// With a byte order mark, or known by the zero octets of its first character.
        case utf16
        /// With a byte order mark, or known by the zero octets of its first character.
        case utf32

        /// The encoding that the first octets show; `nil` for what may be UTF-8.
        ///
        /// A JSON text begins with an ASCII character, whose zero octets tell the encodings apart
        /// (RFC 4627 §3); no UTF-8 text of JSON has a zero octet.
        init?(of octets: UnsafeBufferPointer<UInt8>) {
            func octet(_ index: Int) -> UInt8? { index < octets.count ? octets[index] : nil }
            switch (octet(0), octet(1), octet(2), octet(3)) {
            case (.some(0xEF), .some(0xBB), .some(0xBF), _): self = .markedUTF8
            case (0, 0, 0xFE, 0xFF), (0xFF, 0xFE, 0, 0), (0, 0, 0, .some), (.some, 0, 0, 0):
                self = .utf32
            case (0xFE, 0xFF, _, _), (0xFF, 0xFE, _, _), (0, .some, _, _), (_, 0, _, _):
                self = .utf16
            default: return nil
            }
        }

        fileprivate var explanation: String {
            switch self {
            case .markedUTF8:
                "the text begins with a byte order mark (EF BB BF): send UTF-8 without one"
            case .utf16: "the text is in UTF-16: send UTF-8 (RFC 8259 §8.1)"
            case .utf32: "the text is in UTF-32: send UTF-8 (RFC 8259 §8.1)"
            }
        }
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
    package var explanation: String { "Malformed JSON at octet \(offset): \(what)." }

    /// What is wrong, with line and column, for whoever wrote the text and starts the program with it.
    ///
    /// It quotes the character that is in the way, so it is not for texts of clients. Line and column
    /// count from 1, a column for each character.
    package func explanation(in text: [UInt8]) -> String {
        if kind == .unexpectedEnd, text.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) {
            return "there is nothing in it: JSON is expected"
        }
        let before = text.prefix(offset)
        let line = before.count { $0 == 0x0A } + 1
        // Octets within a character are no column of their own.
        let column = before.reversed().prefix { $0 != 0x0A }.count { $0 & 0xC0 != 0x80 } + 1
        return "line \(line), column \(column): \(unexpected ?? what)"
    }

    /// The character that is in the way, where it is one that can be shown.
    private var unexpected: String? {
        guard case .unexpectedOctet(let octet) = kind, (0x21...0x7E).contains(octet) else {
            return nil
        }
        return "unexpected '\(Character(Unicode.Scalar(octet)))'"
    }

    private var what: String {
        switch kind {
        case .unexpectedEnd: "the text ends too early"
        case .unexpectedOctet: "a character that JSON does not allow here"
        case .trailingContent: "something follows the JSON value"
        case .duplicateMember: "a member name stands twice in one object"
        case .loneSurrogate: "a \\u escape holds half a surrogate pair"
        case .invalidUTF8: "the text is not valid UTF-8"
        case .foreignEncoding(let encoding): encoding.explanation
        case .invalidEscape: "an unknown escape sequence"
        case .controlCharacter: "a control character inside a string must be escaped"
        case .malformedNumber: "a malformed number"
        case .tooDeep(let limit): "arrays and objects are nested deeper than \(limit)"
        }
    }
}
