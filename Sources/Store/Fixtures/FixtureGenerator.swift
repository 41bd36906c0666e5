import Chance
import Glibc
import QUBS
package import Time

/// Makes large databases: the default data, plus appointments drawn from them.
///
/// Each new appointment repeats one of the default data (site, date, status, exam, provider
/// numbers) at another time of the same day, for another, invented patient. Everything follows from
/// the seed.
package struct FixtureGenerator {
    private let rules: RecordRules
    private let shapes: ViewShapes

    /// Rows between two reports of progress.
    private static let batch = 10_000

    /// - Throws: `StoreError.shapes` where the views of an appointment do not build on each other.
    package init(
        shapes: ViewShapes,
        scatter: Scatter,
        zones: TimeZones = .unknown
    ) throws(StoreError) {
        self.shapes = shapes
        rules = try RecordRules(shapes: shapes, scatter: scatter, zones: zones)
    }

    /// Writes a database with the records of an image and `count` appointments more.
    ///
    /// The file appears under its name when it is whole.
    ///
    /// - Parameters:
    ///   - today: The day around which the data are laid, at noon.
    ///   - domain: Where the new appointments belong; the image must have ordinary ones there.
    ///   - replacing: Whether a file that is there may go, with the sessions and snapshots beside
    ///     it.
    ///   - progress: Called now and then with the number of appointments written so far.
    ///   - began: Called once it is to be written, with what takes back what there is of it: for a
    ///     program that has to end before.
    /// - Throws: `StoreError`: `.alreadyExists`, `.inUse` by a server, `.nothingToRepeat`, `.full`.
    package func generate(
        appointments count: Int,
        seed: UInt64,
        base: FixtureImage,
        today: LocalDate,
        domain: String,
        to path: String,
        replacing: Bool = false,
        progress: (Int) -> Void = { _ in },
        began: (_ takeBack: @escaping @Sendable () -> Void) -> Void = { _ in }
    ) throws(StoreError) {
        if Files.isSpecial(path) || !replacing && Files.hasContent(path) {
            throw .alreadyExists(path: path)
        }
        let lock: FileLock
        do throws(StoreError) {
            guard let taken = try FileLock(path + FileLock.suffix) else { throw .inUse(path: path) }
            lock = taken
        } catch {
            throw error.about(path, asGiven: path)
        }
        defer { lock.remove() }
        let unfinished = path + Files.unfinishedSuffix
        began {
            Files.removeDatabase(unfinished)
            lock.remove()
        }
        Files.removeDatabase(unfinished)
        do throws(StoreError) {
            try write(
                appointments: count,
                seed: seed,
                base: try image(of: base, today: today),
                today: today,
                domain: domain,
                to: unfinished,
                progress: progress
            )
            Files.removeDatabase(path)
            Files.remove(path + StorePlace.seedSuffix)
            Leftovers.removeSessions(besideDatabase: path)
            try Files.rename(unfinished, to: path)
        } catch {
            // SQLite tells the limit from other faults of the disk now and then only.
            var isFull = false
            if case .database = error { isFull = Files.isAtLimit(unfinished) }
            Files.removeDatabase(unfinished)
            throw isFull ? .full : error.about(path, asGiven: path)
        }
    }

    private func image(
        of base: FixtureImage,
        today: LocalDate
    ) throws(StoreError) -> DatabaseImage {
        let (base, buffer) = try Reseeding.base(base, rules: rules)
        try Laying.lay(buffer, of: base, around: .noon(today), rules: rules)
        return try buffer.image()
    }

    private func write(
        appointments count: Int,
        seed: UInt64,
        base: DatabaseImage,
        today: LocalDate,
        domain: String,
        to path: String,
        progress: (Int) -> Void
    ) throws(StoreError) {
        close(try Files.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW))
        let database = try Database(.ownFile(path))
        try Schema.create(in: database)
        // Nobody sees the file before it is whole, so nothing needs to be undone.
        try database.execute(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
            PRAGMA cache_size = -65536; ATTACH ':memory:' AS base
            """
        )
        try database.deserialize(base, as: "base")
        try database.execute("BEGIN")
        for table in [
            "meta", "domain", "status", "provider", "site", "exam_code", "patient", "billing",
            "content", "attachment", "comment", "practice", "fixed_appointment",
            "apart_appointment",
            "course",
        ] {
            try database.execute("INSERT INTO main.\(table) SELECT * FROM base.\(table)")
        }
        let tables = Tables(database, layout: rules.layout)
        guard let domainID = try tables.domains.id(of: domain) else {
            throw .rule(.notFound(.domain))
        }
        let source = Tables(try Database(.image(base)), layout: rules.layout)
        let templates = try AppointmentTemplate.read(
            from: source.database,
            domain: domainID,
            layout: rules.layout
        )
        let people = try InventedPatients(
            from: source.database,
            domain: domainID,
            domainName: domain,
            seed: seed,
            count: max(1, count / 3)
        )
        if templates.isEmpty || people.isEmpty { throw .nothingToRepeat(domain: domain) }

        for index in 0..<people.count {
            let patient = people.patient(index)
            try tables.patients.put(
                domain: domainID,
                id: people.id(index),
                summary: shapes.patient.octets(of: patient)
            )
        }
        try writeAppointments(
            count,
            seed: seed,
            domain: RecordWriter.Domain(id: domainID, name: domain),
            templates: templates,
            people: people,
            source: source,
            into: tables,
            progress: progress
        )
        try Schema.createIndexes(in: database)
        let name = GeneratedName(
            appointments: count,
            seed: seed,
            today: today,
            base: Self.digest(of: base)
        )
        try Meta.generated.set(name.text, in: database)
        try database.execute("COMMIT")
    }

    /// Writes old and new rows in the order of their keys: so the table grows at its end only.
    private func writeAppointments(
        _ count: Int,
        seed: UInt64,
        domain: RecordWriter.Domain,
        templates: [AppointmentTemplate],
        people: InventedPatients,
        source: Tables,
        into tables: Tables,
        progress: (Int) -> Void
    ) throws(StoreError) {
        let prefix = try Self.freePrefix(in: source.database, table: "appointment")
        func id(_ index: Int) -> String {
            let digits = String(index + 1)
            return prefix + String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
        }
        func random(_ index: Int) -> SplitMix64 {
            SplitMix64(seed: SplitMix64.mix(seed &+ 1) ^ SplitMix64.mix(UInt64(index) &+ 1))
        }
        var order: [(key: AppointmentKey, index: Int)] = []
        order.reserveCapacity(count)
        for index in 0..<count {
            var random = random(index)
            let template = templates[Int(random.next() % UInt64(templates.count))]
            let position = rules.scatter.position(domain: domain.name, id: id(index))
            order.append(
                (
                    AppointmentKey(
                        domain: domain.id,
                        status: template.status,
                        position: position
                    ), index
                )
            )
        }
        order.sort { ($0.key.rawValue, $0.index) < ($1.key.rawValue, $1.index) }

        let old = Statement(
            source.database,
            "SELECT key, domain, id FROM appointment ORDER BY key"
        )
        try old.prepare()
        defer { old.reset() }
        var hasOld = try old.step()
        func copyOld(before key: Int64) throws(StoreError) {
            while hasOld, old.integer(0) < key {
                if let entry = try source.appointments.entry(
                    domain: old.integer(1),
                    id: old.text(2)
                ) {
                    try tables.appointments.insert(entry, id: old.text(2))
                }
                hasOld = try old.step()
            }
        }
        for (written, next) in order.enumerated() {
            try copyOld(before: next.key.rawValue)
            var random = random(next.index)
            let template = templates[Int(random.next() % UInt64(templates.count))]
            let person = Int(random.next() % UInt64(people.count))
            let id = id(next.index)
            try tables.appointments.insert(
                AppointmentTable.Entry(
                    key: next.key,
                    position: next.key.position,
                    site: template.site,
                    date: template.date,
                    patient: people.id(person),
                    providers: template.providers,
                    octets: template.octets(
                        id: id,
                        patient: people.patient(person),
                        minutesLater: template.shift(&random),
                        layout: rules.layout
                    )
                ),
                id: id
            )
            if (written + 1) % Self.batch == 0 { progress(written + 1) }
        }
        try copyOld(before: Int64.max)
        progress(count)
    }

    /// A letter with which no identifier of the table begins.
    static func freePrefix(in database: Database, table: String) throws(StoreError) -> String {
        for letter in "STUVWXYZ" {
            let used = try database.integer(
                "SELECT EXISTS (SELECT 1 FROM \(table) WHERE id GLOB '\(letter)*')"
            )
            if used == 0 { return String(letter) }
        }
        return "SYNTHETIC-"
    }

    /// Tells images apart.
    private static func digest(of image: DatabaseImage) -> String {
        var hash = FNV1a()
        hash.add(image.octets)
        return hash.text
    }
}

/// What a generated database says of itself.
struct GeneratedName: Equatable {
    let appointments: Int
    let seed: UInt64
    /// The day around which they lie.
    let today: LocalDate
    /// Tells the data that it was made from.
    let base: String

    var text: String { "\(appointments) appointments, seed \(seed), today \(today), of \(base)" }
}

extension GeneratedName {
    /// Reads what `text` gave; `nil` where that is something else.
    init?(_ text: String) {
        let words = text.split(separator: " ").map { $0.filter { $0 != "," } }
        guard words.count == 8, words[1] == "appointments", words[2] == "seed",
            words[4] == "today", words[6] == "of", let appointments = Int(words[0]),
            let seed = UInt64(words[3]), let today = LocalDate(words[5])
        else { return nil }
        self.init(appointments: appointments, seed: seed, today: today, base: words[7])
        if self.text != text { return nil }
    }
}
