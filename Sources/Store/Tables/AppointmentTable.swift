import QUBS

/// Appointments by identifier, and their rows.
final class AppointmentTable {
    /// What a row says beside the views.
    struct Entry {
        let key: AppointmentKey
        let position: Int64
        let site: Int64
        /// Days from day zero of the domain's practice, or since 1970 where it has none.
        let date: Int?
        let patient: String?
        /// Ids in the table `provider`.
        let providers: [Int64]
        let octets: AppointmentLayout.Octets
    }

    private let database: Database
    private let layout: AppointmentLayout
    private let find: [Statement]
    private let findKey: Statement
    private let findEntry: Statement
    private let findPatient: Statement
    private let insertRow: Statement
    private let insertProvider: Statement
    private let deleteRow: Statement
    private let deleteProvider: Statement
    private let updateOctets: Statement
    private let ofPatient: Statement
    private let findSite: Statement
    private let moveRow: Statement
    private let moveProvider: Statement
    private let changeRow: Statement
    private let changeProvider: Statement
    private let countAtSite: Statement
    private let countOfPatient: Statement

    init(_ database: Database, layout: AppointmentLayout) {
        self.layout = layout
        find = AppointmentView.allCases.map {
            Statement(
                database,
                """
                SELECT key, \($0.columns) FROM appointment
                WHERE domain = ?1 AND id = ?2
                """
            )
        }
        findKey = Statement(
            database,
            "SELECT key FROM appointment WHERE domain = ?1 AND id = ?2"
        )
        findEntry = Statement(
            database,
            """
            SELECT \(Self.entryColumns)
            FROM appointment WHERE domain = ?1 AND id = ?2
            """
        )
        findPatient = Statement(
            database,
            "SELECT patient FROM appointment WHERE domain = ?1 AND id = ?2"
        )
        insertRow = Statement(
            database,
            """
            INSERT OR IGNORE INTO appointment
            (key, domain, id, position, site, date, patient, providers, summary, details)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            """
        )
        insertProvider = Statement(
            database,
            """
            INSERT INTO provider_appointment (provider, key, position, date, site)
            VALUES (?1, ?2, ?3, ?4, ?5)
            """
        )
        deleteRow = Statement(database, "DELETE FROM appointment WHERE key = ?1")
        deleteProvider = Statement(
            database,
            "DELETE FROM provider_appointment WHERE provider = ?1 AND key = ?2"
        )
        updateOctets = Statement(
            database,
            "UPDATE appointment SET summary = ?2, details = ?3 WHERE key = ?1"
        )
        ofPatient = Statement(
            database,
            "SELECT key, summary, details FROM appointment WHERE domain = ?1 AND patient = ?2"
        )
        findSite = Statement(
            database,
            "SELECT site FROM appointment WHERE domain = ?1 AND id = ?2"
        )
        moveRow = Statement(database, "UPDATE appointment SET date = date + ?2 WHERE key = ?1")
        moveProvider = Statement(
            database,
            "UPDATE provider_appointment SET date = date + ?3 WHERE provider = ?1 AND key = ?2"
        )
        changeRow = Statement(
            database,
            """
            UPDATE OR IGNORE appointment SET key = ?2, summary = ?3, details = ?4 WHERE key = ?1
            """
        )
        changeProvider = Statement(
            database,
            "UPDATE provider_appointment SET key = ?3 WHERE provider = ?1 AND key = ?2"
        )
        countAtSite = Statement(
            database,
            "SELECT count(*) FROM appointment WHERE domain = ?1 AND site = ?2"
        )
        countOfPatient = Statement(
            database,
            "SELECT count(*) FROM appointment WHERE domain = ?1 AND patient = ?2"
        )
        self.database = database
    }

    /// Appends a view of an appointment.
    ///
    /// - Parameter status: The status that it must have, if any.
    /// - Returns: Whether there is such an appointment.
    func append(
        domain: Int64,
        id: String,
        view: AppointmentView,
        status: Int64?,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        let find = find[view.rawValue]
        try find.prepare(domain, id)
        defer { find.reset() }
        guard try find.step() else { return false }
        if let status, AppointmentKey(rawValue: find.integer(0)).status != status { return false }
        try layout.append(view, of: find, from: 1, to: &output)
        return true
    }

    /// The key of an appointment.
    func key(domain: Int64, id: String) throws(StoreError) -> AppointmentKey? {
        try findKey.prepare(domain, id)
        defer { findKey.reset() }
        return try findKey.step() ? AppointmentKey(rawValue: findKey.integer(0)) : nil
    }

    /// The patient of an appointment: `.none` where there is no such appointment.
    func patient(domain: Int64, id: String) throws(StoreError) -> String?? {
        try findPatient.prepare(domain, id)
        defer { findPatient.reset() }
        guard try findPatient.step() else { return .none }
        return .some(findPatient.optionalText(0))
    }

    /// The id of the site of an appointment.
    func site(domain: Int64, id: String) throws(StoreError) -> Int64? {
        try findSite.prepare(domain, id)
        defer { findSite.reset() }
        return try findSite.step() ? findSite.integer(0) : nil
    }

    /// Stores a date so many days later, where the appointment has one; its views stay.
    func moveDate(domain: Int64, id: String, byDays days: Int) throws(StoreError) {
        guard let entry = try entry(domain: domain, id: id), entry.date != nil else { return }
        try moveRow.run(entry.key.rawValue, days)
        for provider in entry.providers {
            try moveProvider.run(provider, entry.key.rawValue, days)
        }
    }

    /// The whole row of an appointment.
    func entry(domain: Int64, id: String) throws(StoreError) -> Entry? {
        try findEntry.prepare(domain, id)
        defer { findEntry.reset() }
        return try findEntry.step() ? Self.entry(findEntry, from: 0) : nil
    }

    /// The columns of an entry, as `entry(_:from:)` reads them.
    static let entryColumns =
        "key, position, site, date, patient, providers, summary, details"

    /// The entry in the present row of a statement that has `entryColumns`, from a column on.
    static func entry(_ row: Statement, from first: Int32) -> Entry {
        let providers = row.optionalText(first + 5)?.split(separator: ",") ?? []
        return Entry(
            key: AppointmentKey(rawValue: row.integer(first)),
            position: row.integer(first + 1),
            site: site(ofEntryIn: row, from: first),
            date: row.isNull(first + 3) ? nil : Int(row.integer(first + 3)),
            patient: row.optionalText(first + 4),
            providers: providers.compactMap { Int64($0) },
            octets: AppointmentLayout.Octets(
                summary: row.octets(first + 6),
                details: row.octets(first + 7)
            )
        )
    }

    /// The id of the site alone, where the whole entry is not needed.
    static func site(ofEntryIn row: Statement, from first: Int32) -> Int64 {
        row.integer(first + 2)
    }

    /// Adds a row, at the first free place from that of its key on.
    ///
    /// The identifier must be new to the domain.
    func insert(_ entry: Entry, id: String) throws(StoreError) {
        var key = entry.key
        try insertRow.prepare()
        // Two identifiers may share a place: of a million, a handful.
        repeat {
            insertRow.bind(1, key.rawValue)
            insertRow.bind(2, key.domain)
            insertRow.bind(3, id)
            insertRow.bind(4, entry.position)
            insertRow.bind(5, entry.site)
            insertRow.bind(6, entry.date)
            insertRow.bind(7, entry.patient)
            insertRow.bind(
                8,
                entry.providers.isEmpty
                    ? nil : entry.providers.map { String($0) }.joined(separator: ",")
            )
            insertRow.bind(9, entry.octets.summary)
            insertRow.bind(10, entry.octets.details)
            try insertRow.run()
            if database.changes == 1 { break }
            key = key.next
        } while true
        for provider in entry.providers {
            try insertProvider.run(provider, key.rawValue, entry.position, entry.date, entry.site)
        }
    }

    /// How far from its place a row may have to be put.
    private static let maximumSteps = 1000

    /// Gives a row another status and other views.
    func change(
        _ entry: Entry,
        to status: Int64,
        _ octets: AppointmentLayout.Octets
    ) throws(StoreError) {
        var key = AppointmentKey(
            domain: entry.key.domain,
            status: status,
            position: entry.position
        )
        try changeRow.prepare()
        // As in `insert`; a damaged file may lack the row that its index has.
        for step in 0...Self.maximumSteps {
            if step == Self.maximumSteps {
                throw .damagedRow(table: "appointment", row: String(entry.key.rawValue))
            }
            changeRow.bind(1, entry.key.rawValue)
            changeRow.bind(2, key.rawValue)
            changeRow.bind(3, octets.summary)
            changeRow.bind(4, octets.details)
            try changeRow.run()
            if database.changes == 1 { break }
            key = key.next
        }
        for provider in entry.providers {
            try changeProvider.run(provider, entry.key.rawValue, key.rawValue)
        }
    }

    /// Removes a row.
    func delete(_ entry: Entry) throws(StoreError) {
        for provider in entry.providers {
            try deleteProvider.run(provider, entry.key.rawValue)
        }
        try deleteRow.run(entry.key.rawValue)
    }

    /// The rows of a patient.
    func rows(
        ofPatient patient: String,
        domain: Int64
    ) throws(StoreError) -> [(key: Int64, octets: AppointmentLayout.Octets)] {
        try ofPatient.prepare(domain, patient)
        defer { ofPatient.reset() }
        var rows: [(key: Int64, octets: AppointmentLayout.Octets)] = []
        while try ofPatient.step() {
            let octets = AppointmentLayout.Octets(
                summary: ofPatient.octets(1),
                details: ofPatient.octets(2)
            )
            rows.append((ofPatient.integer(0), octets))
        }
        return rows
    }

    /// Replaces the views of a row.
    func setOctets(_ octets: AppointmentLayout.Octets, key: Int64) throws(StoreError) {
        try updateOctets.run(key, octets.summary, octets.details)
    }

    /// How many appointments a site has.
    func count(atSite site: Int64, domain: Int64) throws(StoreError) -> Int {
        try countAtSite.prepare(domain, site)
        defer { countAtSite.reset() }
        return try countAtSite.step() ? Int(countAtSite.integer(0)) : 0
    }

    /// How many appointments a patient has.
    func count(ofPatient patient: String, domain: Int64) throws(StoreError) -> Int {
        try countOfPatient.prepare(domain, patient)
        defer { countOfPatient.reset() }
        return try countOfPatient.step() ? Int(countOfPatient.integer(0)) : 0
    }
}
