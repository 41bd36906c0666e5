package import Contract
package import JSON
package import Store

/// A folder of fixture files, held against the contract.
///
/// ```
/// clients.json, signing-key.json      optional: the built-in ones stand in
/// <domain>/practice.json              optional: around which day the records lie
/// <domain>/sites.json …               arrays of records in the API's own member names
/// <domain>/files/…                    contents of attachments
/// ```
package struct ValidatedFixtures: Sendable {
    /// The records of every domain.
    package private(set) var set: FixtureSet
    /// `clients.json`, where there is one.
    package private(set) var clients: JSONValue?
    /// `signing-key.json`, where there is one.
    package private(set) var signingKey: JSONValue?
    /// What is wrong with files and records on their own, in the order of the files.
    package private(set) var faults: [FixtureFault]

    /// Reads a folder.
    ///
    /// - Throws: Where the folder itself cannot be read; what is wrong inside is in `faults`.
    package init(path: String, contract: OpenAPIContract) throws(StoreError) {
        (set, faults) = try FixtureFolder.read(path)
        clients = document("clients.json", in: path)
        if let clients {
            if let records = clients.array {
                validate(records, "clients", of: "clients.json", contract)
            } else {
                fault("clients.json", JSONPointer(), "must be an array of records")
            }
        }
        signingKey = document("signing-key.json", in: path)
        if set.domains.isEmpty, faults.isEmpty {
            fault(
                "",
                JSONPointer(),
                "no folder of a domain, such as acme/, with sites.json in it; docs/data.md shows "
                    + "the form, and fixtures/ of the sources is a model"
            )
        }
        for (position, domain) in set.domains.enumerated() {
            if let practice = domain.practice {
                let schema = schema("practice", contract)
                for violation in schema.violations(of: practice) {
                    fault(
                        "\(domain.name)/practice.json",
                        JSONPointer(parsing: violation.name) ?? JSONPointer(),
                        violation.message
                    )
                }
            }
            for resource in FixtureResource.allCases {
                guard let records = domain.records[resource] else { continue }
                let file = "\(domain.name)/\(resource.fileName)"
                let schema = validate(records, resource.rawValue, of: file, contract)
                set.domains[position].records[resource] = records.map(schema.inUTC)
                for (index, record) in records.enumerated() {
                    if let named = record["domain"]?.string, named != domain.name {
                        fault(
                            file,
                            JSONPointer([String(index), "domain"]),
                            "must be the domain of the folder, \(domain.name)"
                        )
                    }
                }
            }
        }
    }

    /// A file as JSON; `nil` where it is absent, or wrong, which is then among the faults.
    private mutating func document(_ file: String, in path: String) -> JSONValue? {
        do throws(StoreError) {
            guard let octets = try FixtureFolder.document(file, in: path) else { return nil }
            do throws(JSONError) {
                return try JSONParser.parse(octets)
            } catch {
                fault(file, JSONPointer(), error.explanation(in: octets))
            }
        } catch {
            guard case .file(let error) = error else {
                fault(file, JSONPointer(), "\(error)")
                return nil
            }
            fault(file, JSONPointer(), error.explanation)
        }
        return nil
    }

    /// Checks each record of an array against its schema, which it returns.
    @discardableResult
    private mutating func validate(
        _ records: [JSONValue],
        _ name: String,
        of file: String,
        _ contract: OpenAPIContract
    ) -> Schema {
        let schema = schema(name, contract)
        for (index, record) in records.enumerated() {
            for violation in schema.violations(of: record) {
                let tokens = JSONPointer(parsing: violation.name)?.tokens ?? []
                fault(file, JSONPointer([String(index)] + tokens), violation.message)
            }
        }
        return schema
    }

    private func schema(_ name: String, _ contract: OpenAPIContract) -> Schema {
        guard let schema = contract.fixtureSchema(name) else {
            preconditionFailure("the contract has no fixture schema \(name)")
        }
        return schema
    }

    private mutating func fault(_ file: String, _ pointer: JSONPointer, _ reason: String) {
        faults.append(FixtureFault(file: file, pointer: pointer, reason: reason))
    }
}
