package import JSON

/// One way in which a message breaks the contract.
package struct Violation: Hashable, Sendable {
    /// Which part of the message is wrong.
    package enum Location: String, Hashable, Sendable {
        case path, query, header, body
        /// The status code: responses only.
        case status
    }

    package let location: Location
    /// The key in the `errors` of a problem: the name of the parameter or field, or the JSON
    /// pointer of the value.
    ///
    /// Where a member is missing, the pointer is that of the missing member itself. The pointer of
    /// a whole body is the empty string.
    package let name: String
    /// The keyword of the contract that was broken, as JSON Schema or the extension spells it.
    ///
    /// Rules that no keyword states have words of their own: `percent-encoding`, `repetition`,
    /// `json` (the text is not JSON), `status` and `content` (of responses).
    package let keyword: String
    /// One sentence that says what to send, with none of the client's data but `safeValue`.
    package let message: String
    /// What the contract says under `keyword`, where it says something.
    package let expected: JSONValue?
    /// What the client sent, cut at 64 characters, where it is an enumerated value, a number or a
    /// date.
    package let safeValue: String?
    /// The enumerated value or the member name that was probably meant.
    package let suggestion: String?
    /// Where in the contract document the broken rule stands.
    package let contractPointer: JSONPointer

    package init(
        location: Location,
        name: String,
        keyword: String,
        message: String,
        expected: JSONValue? = nil,
        safeValue: String? = nil,
        suggestion: String? = nil,
        contractPointer: JSONPointer
    ) {
        self.location = location
        self.name = name
        self.keyword = keyword
        self.message = message
        self.expected = expected
        self.safeValue = safeValue
        self.suggestion = suggestion
        self.contractPointer = contractPointer
    }
}
