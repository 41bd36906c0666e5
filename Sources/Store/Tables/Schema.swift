/// The tables of one session's data.
///
/// A list is a walk along an index: nothing is sorted, and no row is touched that is not shown.
/// Answers are stored as the octets they will be sent as.
enum Schema {
    /// Brings the tables into an empty database.
    static func create(in database: Database) throws(StoreError) {
        try database.execute(
            """
            PRAGMA page_size = 4096;
            PRAGMA application_id = \(DatabaseHeader.applicationID);
            PRAGMA user_version = \(DatabaseHeader.version);
            """
        )
        try database.execute(tables)
    }

    /// Brings the indexes that lists need; quicker once the rows are there.
    static func createIndexes(in database: Database) throws(StoreError) {
        try database.execute(appointmentIndexes)
        try database.execute(providerIndex)
        try database.execute(otherIndexes)
    }

    /// What the settings below a connection are, whatever the file says.
    static func configureReader(_ database: Database) throws(StoreError) {
        // To empty the log is the writer's business, not that of whoever happens to be the last.
        database.keepLogAtClose()
        // Pages are read where they lie: in the image, or in the kernel's cache of the file.
        try database.execute(
            "PRAGMA busy_timeout = 5000; PRAGMA mmap_size = 2147418112; PRAGMA query_only = 1"
        )
    }

    /// What the settings of a writing connection are.
    ///
    /// A write that was answered must survive the end of the process: in WAL mode it is with the
    /// kernel then, and only the checkpoint, which changes the file itself, waits for the disk.
    /// The cache is small, since SQLite walks all of it whenever it splits a page.
    static func configureWriter(
        _ database: Database,
        isTemporary: Bool,
        maximumPages: Int?
    ) throws(StoreError) {
        try database.execute(
            """
            PRAGMA busy_timeout = 5000;
            PRAGMA synchronous = \(isTemporary ? "OFF" : "NORMAL");
            PRAGMA journal_mode = WAL;
            PRAGMA journal_size_limit = 33554432;
            PRAGMA secure_delete = OFF;
            PRAGMA cache_size = -2048;
            \(changeTable)
            \(worldTables)
            """
        )
        database.countLoggedPages()
        if let maximumPages { try database.execute("PRAGMA max_page_count = \(maximumPages)") }
    }

    private static let tables = """
        CREATE TABLE meta (
            name TEXT PRIMARY KEY, value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE domain (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE status (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE
        ) STRICT;
        -- One provider number in one domain.
        CREATE TABLE provider (
            id INTEGER PRIMARY KEY, domain INTEGER NOT NULL, number TEXT NOT NULL,
            UNIQUE (domain, number)
        ) STRICT;
        CREATE TABLE site (
            id INTEGER PRIMARY KEY, domain INTEGER NOT NULL, name TEXT NOT NULL,
            position INTEGER NOT NULL, active INTEGER NOT NULL, listed BLOB NOT NULL,
            settings BLOB NOT NULL, staff_skills BLOB, zone_rule TEXT NOT NULL,
            UNIQUE (domain, name)
        ) STRICT;
        -- Days count from 1970; present is in seconds since then.
        CREATE TABLE practice (
            domain INTEGER PRIMARY KEY, zone TEXT NOT NULL, rule TEXT NOT NULL,
            written INTEGER NOT NULL, day_zero INTEGER NOT NULL, present INTEGER NOT NULL,
            pinned INTEGER NOT NULL
        ) STRICT;
        -- Appointments that stay where they are when day zero moves.
        CREATE TABLE fixed_appointment (
            domain INTEGER NOT NULL, appointment TEXT NOT NULL,
            PRIMARY KEY (domain, appointment)
        ) STRICT, WITHOUT ROWID;
        -- As Course says; the last three are JSON.
        CREATE TABLE course (
            domain INTEGER NOT NULL, appointment TEXT NOT NULL, status TEXT NOT NULL,
            decided INTEGER NOT NULL, arrived INTEGER, started INTEGER, ended INTEGER,
            deadline INTEGER, scan_total BLOB, waiting_total BLOB, radiologist BLOB,
            PRIMARY KEY (domain, appointment)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE exam_code (
            site INTEGER NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, json BLOB NOT NULL,
            PRIMARY KEY (site, position, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE patient (
            domain INTEGER NOT NULL, id TEXT NOT NULL, summary BLOB NOT NULL,
            PRIMARY KEY (domain, id)
        ) STRICT, WITHOUT ROWID;
        \(appointmentTable("appointment"))
        CREATE TABLE provider_appointment (
            provider INTEGER NOT NULL, key INTEGER NOT NULL, position INTEGER NOT NULL,
            date INTEGER, site INTEGER NOT NULL,
            PRIMARY KEY (provider, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE billing (
            domain INTEGER NOT NULL, appointment TEXT NOT NULL, json BLOB NOT NULL,
            PRIMARY KEY (domain, appointment)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE content (
            id INTEGER PRIMARY KEY, octets BLOB NOT NULL
        ) STRICT;
        -- head: the JSON object up to where the presigned URL follows.
        CREATE TABLE attachment (
            id INTEGER PRIMARY KEY, guid TEXT NOT NULL UNIQUE, domain INTEGER NOT NULL,
            appointment TEXT NOT NULL, position INTEGER NOT NULL, file_name TEXT NOT NULL,
            head BLOB NOT NULL, content INTEGER, content_type TEXT,
            is_upload INTEGER NOT NULL, promised_type TEXT, upload_expires_at INTEGER
        ) STRICT;
        -- for_patient: 0 when owner is an appointment, 1 when it is a patient.
        CREATE TABLE comment (
            domain INTEGER NOT NULL, for_patient INTEGER NOT NULL, owner TEXT NOT NULL,
            position INTEGER NOT NULL, guid TEXT NOT NULL, json BLOB NOT NULL,
            PRIMARY KEY (domain, for_patient, owner, position, guid)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE report (
            domain INTEGER NOT NULL, appointment TEXT NOT NULL, guid TEXT NOT NULL,
            status TEXT NOT NULL, reported_at TEXT NOT NULL, text TEXT NOT NULL, clinician BLOB,
            PRIMARY KEY (domain, appointment)
        ) STRICT, WITHOUT ROWID;
        -- The key comes first: it tells entries apart, and the rest is the same for most of them.
        CREATE TABLE ledger (
            client TEXT NOT NULL, domain TEXT NOT NULL, operation TEXT NOT NULL,
            appointment TEXT NOT NULL, key TEXT NOT NULL, fingerprint BLOB NOT NULL,
            status INTEGER NOT NULL, content BLOB NOT NULL, expires_at INTEGER NOT NULL,
            replays INTEGER NOT NULL, conflicts INTEGER NOT NULL,
            PRIMARY KEY (key, appointment, client, domain, operation)
        ) STRICT, WITHOUT ROWID;
        \(changeTable)
        \(worldTables)
        """

    /// What happened at appointments, and what is to happen next; `before` and `after` are statuses.
    ///
    /// Files of an older version lack them, as they lack the log of changes.
    private static let worldTables = """
        CREATE TABLE IF NOT EXISTS event (
            id INTEGER PRIMARY KEY, time INTEGER NOT NULL, domain INTEGER NOT NULL,
            appointment TEXT NOT NULL, event TEXT NOT NULL, before TEXT, after TEXT NOT NULL
        ) STRICT;
        -- As Due says.
        CREATE TABLE IF NOT EXISTS due (
            domain INTEGER NOT NULL, appointment TEXT NOT NULL, time INTEGER NOT NULL,
            event TEXT NOT NULL, PRIMARY KEY (domain, appointment)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS due_time ON due (time, domain, appointment);
        -- One row where the data live.
        CREATE TABLE IF NOT EXISTS world (laid INTEGER NOT NULL) STRICT;
        -- Named cases, which take no part in the world.
        CREATE TABLE IF NOT EXISTS apart_appointment (
            domain INTEGER NOT NULL, appointment TEXT NOT NULL,
            PRIMARY KEY (domain, appointment)
        ) STRICT, WITHOUT ROWID;
        """

    /// The log of changes; `start` counts the octets of all values before this one.
    ///
    /// Files of an older version lack it, and get it when they are first opened for writing.
    private static let changeTable = """
        CREATE TABLE IF NOT EXISTS change (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, action TEXT NOT NULL, domain TEXT NOT NULL,
            appointment TEXT, record TEXT NOT NULL, value BLOB, request_id TEXT NOT NULL,
            request INTEGER, journal INTEGER NOT NULL, client TEXT, time INTEGER NOT NULL,
            start INTEGER NOT NULL
        ) STRICT;
        """

    /// The table of appointments under a name.
    ///
    /// `key` is an `AppointmentKey`: rows of one domain and status lie together, in scattered
    /// order, so that a page is a stretch of the table. `date` counts days from day zero of the
    /// domain's practice, or since 1970 where it has none; `providers` is a list of provider ids with
    /// commas between; the blobs are as `AppointmentLayout` says. They come first: SQLite reads on
    /// from column to column, and what pages and single reads want is nothing else.
    static func appointmentTable(_ name: String) -> String {
        """
        CREATE TABLE \(name) (
            key INTEGER PRIMARY KEY, summary BLOB NOT NULL, details BLOB NOT NULL,
            domain INTEGER NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL,
            site INTEGER NOT NULL, date INTEGER, patient TEXT, providers TEXT
        ) STRICT;
        """
    }

    /// Where columns of `appointment` stand in the records of an image, which this program has made.
    ///
    /// A file of an older version may have another order.
    static let appointmentColumns = (summary: 1, details: 2, domain: 3, id: 4, site: 6)

    /// The indexes of `appointment`, each with all that a filter asks for.
    static let appointmentIndexes = """
        CREATE UNIQUE INDEX appointment_id ON appointment (domain, id);
        CREATE INDEX appointment_position ON appointment (domain, position, date, site);
        CREATE INDEX appointment_date ON appointment (domain, date, position, site);
        CREATE INDEX appointment_site ON appointment (domain, site, position, date);
        CREATE INDEX appointment_patient ON appointment (domain, patient) WHERE patient IS NOT NULL;
        """

    /// The index of `provider_appointment`, for lists of all statuses.
    static let providerIndex = """
        CREATE INDEX provider_position ON provider_appointment (provider, position, key, date, site);
        """

    private static let otherIndexes = """
        CREATE INDEX attachment_appointment ON attachment (domain, appointment, position);
        """
}
