import JSON

// Records read back in fixture form: what was put, put again, gives the same answers.

extension Tables {
    /// An appointment in fixture form; `nil` where there is none.
    func appointmentRecord(
        domain: Int64,
        id: String,
        layout: AppointmentLayout
    ) throws(StoreError) -> JSONObject? {
        guard let entry = try appointments.entry(domain: domain, id: id) else { return nil }
        guard var record = layout.record(of: entry.octets) else {
            throw .damagedRow(table: "appointment", row: id)
        }
        // These come from the patient.
        for name in layout.patientMembers { record[name] = nil }
        if let patient = entry.patient { record["patientId"] = .string(patient) }
        var numbers: [JSONValue] = []
        for provider in entry.providers {
            guard let number = try providers.number(of: provider) else {
                throw .damagedRow(table: "appointment", row: id)
            }
            numbers.append(.string(number))
        }
        if !numbers.isEmpty { record["providerNumbers"] = .array(numbers) }
        return record
    }

    /// A patient in fixture form; `nil` where there is none.
    func patientRecord(domain: Int64, id: String) throws(StoreError) -> JSONObject? {
        var octets: [UInt8] = []
        guard try patients.append(domain: domain, id: id, to: &octets) else { return nil }
        return try RecordWriter.parse(octets, table: "patient", id: id)
    }

    /// A site in fixture form; `nil` where there is none.
    func siteRecord(domain: Int64, name: String) throws(StoreError) -> JSONObject? {
        var octets: [UInt8] = []
        guard try sites.appendSettings(domain: domain, name: name, to: &octets) else { return nil }
        return try RecordWriter.parse(octets, table: "site", id: name)
    }

    /// Identifiers that one may have been meant to be: those that one edit makes of it, and those
    /// beside which it would stand.
    ///
    /// Its cost does not grow with the data.
    func similarIDs(
        to id: String,
        kind: RecordKind,
        domain: Int64
    ) throws(StoreError) -> [String] {
        let neighbours = try neighbours(of: id, kind: kind, domain: domain)
        let find = Statement(
            database,
            "SELECT 1 FROM \(kind.table) WHERE domain = ?1 AND \(kind.column) = ?2"
        )
        try find.prepare()
        var found: [String] = []
        // Sorted, so that the answer is the same each time.
        for edited in Self.edits(of: id, alphabet: neighbours).sorted() {
            find.bind(1, domain)
            find.bind(2, edited)
            let exists = try find.step()
            find.reset()
            if exists { found.append(edited) }
        }
        return found + neighbours.filter { !found.contains($0) }
    }

    /// How many identifiers are looked at on either side.
    private static let maximumNeighbours = 100
    /// A longer text is not one slip away from an identifier.
    private static let maximumEditedScalars = 64

    private func neighbours(
        of id: String,
        kind: RecordKind,
        domain: Int64
    ) throws(StoreError) -> [String] {
        let column = kind.column
        var found: [String] = []
        for (comparison, order) in [("<", "DESC"), (">=", "ASC")] {
            let near = Statement(
                database,
                """
                SELECT \(column) FROM \(kind.table) WHERE domain = ?1 AND \(column) \(comparison) ?2
                ORDER BY \(column) \(order) LIMIT \(Self.maximumNeighbours)
                """
            )
            try near.prepare(domain, id)
            defer { near.reset() }
            while try near.step() { found.append(near.text(0)) }
        }
        return found
    }

    /// A text with one character left out, swapped, replaced or added, of those that some texts have.
    private static func edits(of text: String, alphabet texts: [String]) -> Set<String> {
        let scalars = Array(text.unicodeScalars)
        guard scalars.count <= maximumEditedScalars else { return [] }
        let alphabet = texts.reduce(into: Set(scalars)) { $0.formUnion($1.unicodeScalars) }
        var edits: Set<String> = []
        func add(_ head: ArraySlice<Unicode.Scalar>, _ tail: ArraySlice<Unicode.Scalar>) {
            var edited = String.UnicodeScalarView()
            edited.append(contentsOf: head)
            edited.append(contentsOf: tail)
            edits.insert(String(edited))
        }
        for index in 0...scalars.count {
            let (head, tail) = (scalars[..<index], scalars[index...])
            add(head, tail.dropFirst())
            if tail.count > 1 {
                add(head + [scalars[index + 1], scalars[index]], tail.dropFirst(2))
            }
            for scalar in alphabet {
                add(head + [scalar], tail)
                add(head + [scalar], tail.dropFirst())
            }
        }
        edits.remove("")
        return edits
    }
}

/// Records that the control API knows by their identifiers.
package enum RecordKind: Sendable {
    case appointment
    case patient
    case site

    fileprivate var table: String {
        switch self {
        case .appointment: "appointment"
        case .patient: "patient"
        case .site: "site"
        }
    }

    fileprivate var column: String { self == .site ? "name" : "id" }
}
