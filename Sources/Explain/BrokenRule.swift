import JSON

/// A rule that a request broke, as an explanation shows it.
struct BrokenRule {
    /// `path`, `query`, `header`, `body`, `message` or `server`.
    var location: String
    /// The parameter or field, or the JSON pointer into the body; `nil` for none of them.
    var name: String?
    /// The keyword of the contract, or another short word.
    var keyword: String
    /// One sentence.
    var message: String
    var expected: JSONValue = .null
    /// What was sent, where it can be no personal data.
    var sent: String?
    /// Where in the contract it stands, where it stands there.
    var pointer: JSONPointer?

    var json: JSONValue {
        var object = JSONObject([("where", .string(location))])
        object["name"] = name.map(JSONValue.string)
        object["rule"] = .string(keyword)
        object["message"] = .string(message)
        object["expected"] = expected
        object["sent"] = sent.map(JSONValue.string) ?? .null
        object["contract"] = pointer.map { .string($0.description) }
        return .object(object)
    }
}
