/// Puts records in the scattered order of another seed.
enum Reseeding {
    /// The default data in the order of a seed, and a copy of them to be changed.
    static func base(
        _ base: FixtureImage,
        rules: RecordRules
    ) throws(StoreError) -> (base: FixtureImage, copy: ImageBuffer) {
        let copy = try base.copy()
        let hasOrder = try copy.open { database throws(StoreError) in
            try Meta.order.value(in: database) == rules.scatter.name
        }
        if hasOrder && base.dates != nil { return (base, copy) }
        if !hasOrder {
            try copy.open { database throws(StoreError) in
                try reorder(database, scatter: rules.scatter)
                try database.execute("VACUUM")
            }
        }
        let dates = try copy.open { database throws(StoreError) in
            try DateFinder.places(in: database, copy.octets, layout: rules.layout)
        }
        let ordered = FixtureImage(try copy.image(), dates: dates)
        return (ordered, try ordered.copy())
    }

    /// Puts a database file in the order of a seed, unless it has that order.
    ///
    /// - Parameter isUntouched: Whether the file keeps no log, and shall not afterwards.
    static func file(
        _ path: String,
        isUntouched: Bool,
        rules: RecordRules
    ) throws(StoreError) {
        let name = rules.scatter.name
        let database = try Database(isUntouched ? .ownFile(path) : .sharedFile(path))
        try database.execute("PRAGMA busy_timeout = 5000")
        if try Meta.order.value(in: database) == name { return }
        try reorder(database, scatter: rules.scatter)
    }

    /// Gives every record its new place, in one transaction.
    private static func reorder(_ database: Database, scatter: Scatter) throws(StoreError) {
        try database.execute(
            "PRAGMA secure_delete = OFF; PRAGMA cache_size = -65536; BEGIN IMMEDIATE"
        )
        do throws(StoreError) {
            var domains: [Int64: String] = [:]
            let names = NameTable(database, table: "domain", limit: AppointmentKey.maximumDomain)
            for name in try names.names() {
                if let id = try names.id(of: name) { domains[id] = name }
            }
            let place = { (domain: Int64, id: String) -> Int64 in
                scatter.position(domain: domains[domain] ?? "", id: id)
            }
            try reorderAppointments(database, place)
            try update(
                database,
                rows: "SELECT id, domain, name FROM site",
                change: "UPDATE site SET position = ?2 WHERE id = ?1",
                place
            )
            try update(
                database,
                rows: "SELECT id, domain, guid FROM attachment",
                change: "UPDATE attachment SET position = ?2 WHERE id = ?1",
                place
            )
            try reorderExamCodes(database, place)
            try reorderComments(database, place)
            try Meta.order.set(scatter.name, in: database)
            try database.execute("COMMIT")
        } catch {
            // The error that came first is the one to tell.
            try? database.execute("ROLLBACK")
            throw error
        }
    }

    /// Rewrites the table in the order of its new keys, and the keys that others hold.
    private static func reorderAppointments(
        _ database: Database,
        _ place: (Int64, String) -> Int64
    ) throws(StoreError) {
        try database.execute(
            """
            CREATE TEMP TABLE moved (
                old INTEGER PRIMARY KEY, new INTEGER NOT NULL UNIQUE, position INTEGER)
            """
        )
        let rows = Statement(database, "SELECT key, id FROM appointment ORDER BY key")
        let note = Statement(
            database,
            "INSERT OR IGNORE INTO moved (old, new, position) VALUES (?1, ?2, ?3)"
        )
        try rows.prepare()
        try note.prepare()
        defer { rows.reset() }
        while try rows.step() {
            let old = AppointmentKey(rawValue: rows.integer(0))
            let position = place(old.domain, rows.text(1))
            var new = AppointmentKey(domain: old.domain, status: old.status, position: position)
            repeat {
                note.bind(1, old.rawValue)
                note.bind(2, new.rawValue)
                note.bind(3, position)
                try note.run()
                if database.changes == 1 { break }
                new = new.next
            } while true
        }
        rows.reset()
        let columns =
            "id, site, date, patient, providers, summary, details"
        try database.execute(
            """
            \(Schema.appointmentTable("reordered"))
            INSERT INTO reordered (key, domain, position, \(columns))
            SELECT moved.new, domain, moved.position, \(columns)
            FROM moved CROSS JOIN appointment ON appointment.key = moved.old ORDER BY moved.new;
            DROP TABLE appointment;
            ALTER TABLE reordered RENAME TO appointment;
            \(Schema.appointmentIndexes)
            CREATE TEMP TABLE providers AS
            SELECT provider, moved.new AS key, moved.position AS position, date, site
            FROM provider_appointment JOIN moved ON moved.old = provider_appointment.key;
            DELETE FROM provider_appointment;
            INSERT INTO provider_appointment (provider, key, position, date, site)
            SELECT provider, key, position, date, site FROM providers ORDER BY provider, key;
            DROP TABLE temp.providers;
            DROP TABLE temp.moved;
            """
        )
    }

    private static func update(
        _ database: Database,
        rows sql: String,
        change: String,
        _ place: (Int64, String) -> Int64
    ) throws(StoreError) {
        let rows = Statement(database, sql)
        try rows.prepare()
        var places: [(Int64, Int64)] = []
        while try rows.step() {
            places.append((rows.integer(0), place(rows.integer(1), rows.text(2))))
        }
        rows.reset()
        let change = Statement(database, change)
        try change.prepare()
        for (id, position) in places {
            change.bind(1, id)
            change.bind(2, position)
            try change.run()
        }
    }

    private static func reorderExamCodes(
        _ database: Database,
        _ place: (Int64, String) -> Int64
    ) throws(StoreError) {
        let rows = Statement(
            database,
            """
            SELECT exam_code.site, site.domain, exam_code.id, exam_code.json
            FROM exam_code JOIN site ON site.id = exam_code.site
            """
        )
        try rows.prepare()
        var all: [(site: Int64, id: String, position: Int64, json: [UInt8])] = []
        while try rows.step() {
            all.append(
                (
                    rows.integer(0), rows.text(2), place(rows.integer(1), rows.text(2)),
                    rows.octets(3)
                )
            )
        }
        rows.reset()
        try database.execute("DELETE FROM exam_code")
        let sites = SiteTable(database)
        for code in all {
            try sites.insertExamCode(
                site: code.site,
                position: code.position,
                id: code.id,
                json: code.json
            )
        }
    }

    private static func reorderComments(
        _ database: Database,
        _ place: (Int64, String) -> Int64
    ) throws(StoreError) {
        try database.execute(
            """
            CREATE TEMP TABLE placed (guid TEXT, domain INTEGER, position INTEGER,
                PRIMARY KEY (guid, domain));
            """
        )
        let rows = Statement(database, "SELECT domain, guid FROM comment")
        let note = Statement(
            database,
            "INSERT OR IGNORE INTO placed (guid, domain, position) VALUES (?1, ?2, ?3)"
        )
        try rows.prepare()
        try note.prepare()
        defer { rows.reset() }
        while try rows.step() {
            note.bind(1, rows.text(1))
            note.bind(2, rows.integer(0))
            note.bind(3, place(rows.integer(0), rows.text(1)))
            try note.run()
        }
        rows.reset()
        // The guid is part of the key, so that no two rows meet on their way.
        try database.execute(
            """
            UPDATE comment SET position = (
                SELECT position FROM placed
                WHERE placed.guid = comment.guid AND placed.domain = comment.domain);
            DROP TABLE temp.placed;
            """
        )
    }
}
