import JSON

/// An object of the document at its place, whose members are read with faults that name them.
struct ContractObject {
    let location: DocumentLocation
    private let object: JSONObject

    init(_ value: JSONValue, at location: DocumentLocation) throws(ContractError) {
        guard let object = value.object else {
            throw ContractError(.wrongValue(expected: "an object"), at: location.pointer)
        }
        self.location = location
        self.object = object
    }

    var members: [JSONObject.Member] { object.members }

    subscript(name: String) -> JSONValue? { object[name] }

    /// Refuses members other than these and extensions (`x-…`).
    func refuseOthers(_ known: [String]) throws(ContractError) {
        for member in object.members
        where !known.contains(member.name) && !member.name.hasPrefix("x-") {
            throw ContractError(
                .unsupportedKeyword(member.name),
                at: location.appending(member.name).pointer
            )
        }
    }

    func required(_ name: String) throws(ContractError) -> JSONValue {
        guard let value = object[name] else {
            throw ContractError(.missingMember(name), at: location.pointer)
        }
        return value
    }

    func object(_ name: String) throws(ContractError) -> ContractObject? {
        guard let value = object[name] else { return nil }
        return try ContractObject(value, at: location.appending(name))
    }

    func string(_ name: String) throws(ContractError) -> String? {
        guard let value = object[name] else { return nil }
        guard let string = value.string else { throw fault(name, "a string") }
        return string
    }

    func bool(_ name: String) throws(ContractError) -> Bool? {
        guard let value = object[name] else { return nil }
        guard let bool = value.bool else { throw fault(name, "true or false") }
        return bool
    }

    func strings(_ name: String) throws(ContractError) -> [String]? {
        guard let value = object[name] else { return nil }
        guard let array = value.array else { throw fault(name, "an array of strings") }
        let strings = array.compactMap(\.string)
        guard strings.count == array.count else { throw fault(name, "an array of strings") }
        return strings
    }

    func fault(_ name: String, _ expected: String) -> ContractError {
        ContractError(.wrongValue(expected: expected), at: location.appending(name).pointer)
    }
}
