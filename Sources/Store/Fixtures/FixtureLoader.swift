import JSON

/// Brings fixtures into a database.
package struct FixtureLoader {
    private let rules: RecordRules

    /// - Throws: `StoreError.shapes` where the views of an appointment do not build on each other.
    package init(
        shapes: ViewShapes,
        scatter: Scatter,
        zones: TimeZones = .unknown
    ) throws(StoreError) {
        rules = try RecordRules(shapes: shapes, scatter: scatter, zones: zones)
    }

    /// A compact database with these records, as octets.
    ///
    /// - Throws: `StoreError.fixtures` with every fault, where records contradict each other.
    package func makeImage(of set: FixtureSet) throws(StoreError) -> [UInt8] {
        let database = try Database(.memory)
        try Schema.create(in: database)
        try database.execute("BEGIN")
        let faults = try load(set, into: Tables(database, layout: rules.layout))
        if !faults.isEmpty { throw .fixtures(faults) }
        try Meta.origin.set(Self.origin(of: set), in: database)
        try Schema.createIndexes(in: database)
        try database.execute("COMMIT")
        try database.execute("VACUUM")
        return try database.serialize()
    }

    /// Where the dates are in an image that move with the day.
    package func datePlaces(in image: [UInt8]) throws(StoreError) -> DatePlaces {
        let buffer = try FixtureImage(DatabaseImage(image)).copy()
        return try buffer.open { database throws(StoreError) in
            try DateFinder.places(in: database, buffer.octets, layout: rules.layout)
        }
    }

    /// A name for these records and contents, the same whatever their order in lists.
    private static func origin(of set: FixtureSet) -> String {
        var hash = FNV1a()
        for domain in set.domains {
            hash.add(domain.name.utf8)
            if let practice = domain.practice { hash.add(JSONWriter.octets(of: practice)) }
            for resource in FixtureResource.allCases {
                hash.add(resource.rawValue.utf8)
                for record in domain.records[resource] ?? [] {
                    hash.add(JSONWriter.octets(of: record))
                }
            }
            for (path, octets) in domain.files.sorted(by: { $0.key < $1.key }) {
                hash.add(path.utf8)
                hash.add(octets)
            }
        }
        return hash.text
    }

    /// Every contradiction between these records: duplicates, and references to what is not there.
    package func faults(of set: FixtureSet) throws(StoreError) -> [FixtureFault] {
        let database = try Database(.memory)
        try Schema.create(in: database)
        return try load(set, into: Tables(database, layout: rules.layout))
    }

    /// Adds the records of a set to empty tables.
    private func load(_ set: FixtureSet, into tables: Tables) throws(StoreError) -> [FixtureFault] {
        try Meta.order.set(rules.scatter.name, in: tables.database)
        // Whatever refers to an appointment looks it up.
        try tables.database.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS appointment_id ON appointment (domain, id)"
        )
        let writer = RecordWriter(tables, rules: rules)
        var faults: [FixtureFault] = []
        var seen: Set<[String]> = []
        for fixtures in set.domains {
            let domain = RecordWriter.Domain(
                id: try tables.domains.intern(fixtures.name),
                name: fixtures.name
            )
            let practice = try fixtures.practice.flatMap { value throws(StoreError) in
                try PracticeRecord(
                    value,
                    file: "\(fixtures.name)/\(PracticeRecord.fileName)",
                    &faults
                )
            }
            try practice?.begin(in: domain, with: writer, &faults)
            var absence = Absence(in: fixtures)
            var contents: [String: Int64] = [:]
            for (path, octets) in fixtures.files.sorted(by: { $0.key < $1.key }) {
                contents[path] = try tables.attachments.insertContent(octets)
            }
            for resource in FixtureResource.allCases {
                let file = "\(fixtures.name)/\(resource.fileName)"
                for (index, value) in (fixtures.records[resource] ?? []).enumerated() {
                    let pointer = JSONPointer([String(index)])
                    guard let record = value.object else {
                        faults.append(
                            FixtureFault(file: file, pointer: pointer, reason: "must be an object")
                        )
                        continue
                    }
                    if let identity = resource.identity(of: record, domain: fixtures.name),
                        !seen.insert(identity.key).inserted
                    {
                        faults.append(
                            FixtureFault(
                                file: file,
                                pointer: pointer.appending(identity.member),
                                reason: "stands here for the second time"
                            )
                        )
                        continue
                    }
                    let found = try write(
                        record,
                        resource,
                        in: domain,
                        contents: contents,
                        with: writer
                    )
                    faults += absence.others(of: found, in: resource).map {
                        FixtureFault(
                            file: file,
                            pointer: pointer.appending($0.member),
                            reason: $0.reason
                        )
                    }
                }
            }
            faults += absence.faults
            // Where appointments are left out for another reason, that is told.
            if absence.isWhole(.appointments) {
                try practice?.finish(in: domain, with: writer, &faults)
            }
        }
        try tables.database.execute("DROP INDEX appointment_id")
        return faults
    }

    private func write(
        _ record: JSONObject,
        _ resource: FixtureResource,
        in domain: RecordWriter.Domain,
        contents: [String: Int64],
        with writer: RecordWriter
    ) throws(StoreError) -> [RecordWriter.Fault] {
        switch resource {
        case .sites: try writer.putSite(record, in: domain)
        case .examCodes: try writer.addExamCode(record, in: domain)
        case .staffSkills: try writer.putStaffSkills(record, in: domain)
        case .patients: try writer.putPatient(record, in: domain)
        case .appointments: try writer.putAppointment(record, in: domain, isNew: true)
        case .billing: try writer.putBilling(record, in: domain)
        case .attachments: try writer.addAttachment(record, in: domain, contents: contents)
        case .comments: try writer.addComment(record, in: domain)
        }
    }
}

/// Files that a domain lacks and its records refer to: one fault each, not one for each record.
private struct Absence {
    private let fixtures: DomainFixtures
    /// How many records refer to what an absent file would hold.
    private var references: [FixtureResource: Int] = [:]
    /// Kinds of which records are left out for that alone; who refers to those is not wrong itself.
    private var incomplete: Set<FixtureResource> = []

    init(in fixtures: DomainFixtures) { self.fixtures = fixtures }

    /// The faults of a record that do not come of an absent file; those that do are counted.
    mutating func others(
        of faults: [RecordWriter.Fault],
        in resource: FixtureResource
    ) -> [RecordWriter.Fault] {
        faults.filter { fault in
            guard let missing = fault.missing else { return true }
            let isAbsent = fixtures.records[missing] == nil
            guard isAbsent || incomplete.contains(missing) else { return true }
            if isAbsent { references[missing, default: 0] += 1 }
            incomplete.insert(resource)
            return false
        }
    }

    /// Whether all records of a kind could be looked at.
    func isWhole(_ resource: FixtureResource) -> Bool {
        fixtures.records[resource] != nil && !incomplete.contains(resource)
    }

    var faults: [FixtureFault] {
        FixtureResource.allCases.compactMap { resource in
            guard let count = references[resource] else { return nil }
            let who = count == 1 ? "one record refers" : "\(count) records refer"
            return FixtureFault(
                file: "\(fixtures.name)/\(resource.fileName)",
                pointer: JSONPointer(),
                reason: "there is no such file, and \(who) to what it should hold"
            )
        }
    }
}

extension FixtureResource {
    /// What must not stand twice, and the member that says it.
    ///
    /// Guids are unique in all domains: presigned URLs name nothing else.
    fileprivate func identity(
        of record: JSONObject,
        domain: String
    ) -> (member: String, key: [String])? {
        let member: String
        var key = [rawValue]
        switch self {
        case .sites, .staffSkills:
            member = "siteName"
            key.append(domain)
        case .examCodes:
            member = "examCodeId"
            key += [domain, record["site"]?.string ?? ""]
        case .patients:
            member = "patientId"
            key.append(domain)
        case .appointments, .billing:
            member = "appointmentId"
            key.append(domain)
        case .attachments, .comments: member = "guid"
        }
        guard let value = record[member]?.string else { return nil }
        return (member, key + [value])
    }
}
