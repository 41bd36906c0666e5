package import JSON

/// The kinds of records in a fixture folder, in the order in which they build on each other.
package enum FixtureResource: String, Sendable, CaseIterable {
    case sites
    case examCodes = "exam-codes"
    case staffSkills = "staff-skills"
    case patients
    case appointments
    case billing
    case attachments
    case comments

    /// The file that holds them, in the folder of their domain.
    package var fileName: String { rawValue + ".json" }
}

/// The records of one domain, parsed but not yet checked against each other.
package struct DomainFixtures: Sendable {
    package var name: String
    /// Arrays of objects; what is absent is empty.
    package var records: [FixtureResource: [JSONValue]]
    /// Around which day the records lie (`practice.json`); `nil` where they stay where they are.
    package var practice: JSONValue?
    /// Contents of attachments, by path below the domain's folder.
    package var files: [String: [UInt8]]

    package init(
        name: String,
        records: [FixtureResource: [JSONValue]] = [:],
        practice: JSONValue? = nil,
        files: [String: [UInt8]] = [:]
    ) {
        self.name = name
        self.records = records
        self.practice = practice
        self.files = files
    }
}

/// The records of all domains.
package struct FixtureSet: Sendable {
    package var domains: [DomainFixtures]

    package init(domains: [DomainFixtures] = []) { self.domains = domains }
}

/// What is wrong with a fixture folder, and where.
package struct FixtureFault: Hashable, Sendable {
    /// The path below the folder, such as `acme/sites.json`; empty for a record that came alone.
    package var file: String
    /// Where in the file.
    package var pointer: JSONPointer
    /// One sentence.
    package var reason: String

    package init(file: String, pointer: JSONPointer, reason: String) {
        self.file = file
        self.pointer = pointer
        self.reason = reason
    }
}
