package import JSON
package import QUBS
package import Time

/// What operations write, inside one transaction of one session.
///
/// Handed to the body of `SessionStore.write`; not to be kept. Everything it does is stored
/// when the body returns, and undone when it throws.
package final class SessionWriter {
    let tables: Tables
    private let records: RecordWriter
    private let shapes: ViewShapes
    let layout: AppointmentLayout
    private let beginning: Statement
    private let commitment: Statement
    /// When the data were laid, by the session's clock.
    private let laid: Instant
    /// The earliest that the present transaction has given the world to do.
    private(set) var firstDue: Instant?
    /// The effects of the present transaction.
    private var changes: [Change] = []

    init(_ tables: Tables, rules: RecordRules, laid: Instant) {
        self.laid = laid
        self.tables = tables
        beginning = Statement(tables.database, "BEGIN IMMEDIATE")
        commitment = Statement(tables.database, "COMMIT")
        records = RecordWriter(tables, rules: rules)
        shapes = rules.shapes
        layout = rules.layout
    }

    // MARK: Transactions

    func begin() throws(StoreError) {
        changes.removeAll(keepingCapacity: true)
        firstDue = nil
        try beginning.run()
    }

    /// Writes what the transaction has changed into the log of changes.
    func logChanges(by origin: (() -> ChangeOrigin)?) throws(StoreError) {
        guard !changes.isEmpty, let origin = origin?() else { return }
        for change in changes { try tables.changes.append(change, by: origin) }
        changes.removeAll(keepingCapacity: true)
    }

    func commit() throws(StoreError) {
        try commitment.run()
    }

    /// The length of the log at which it is emptied.
    private var emptiesLogAt = logInterval

    /// 8 MiB: some thousand writes, and few enough pages to be found quickly.
    private static let logInterval = 2000

    /// How long the log is.
    enum LogState {
        case short
        /// It is to be emptied.
        case long
        /// It is to be emptied before the next write: whoever was to do so had no chance.
        case tooLong
    }

    /// Whether the log is to be emptied.
    var logState: LogState {
        let pages = tables.database.loggedPages
        if pages < emptiesLogAt - Self.logInterval { emptiesLogAt = Self.logInterval }
        if pages < emptiesLogAt { return .short }
        return pages < emptiesLogAt + Self.logInterval / 2 ? .long : .tooLong
    }

    /// Copies the log into the file, where it is long.
    ///
    /// SQLite would do so by itself at a commit, but only as far as nobody reads older pages; beside
    /// workers that read without a pause, a moment to start the log anew never comes, and it grows
    /// without end. Here each worker lets go of what it reads once before and once after.
    func emptyLog(waitForWorkers: () -> Void) {
        if case .short = logState { return }
        waitForWorkers()
        // What stays in the log, because the disk is full, say, is as safe there.
        try? tables.database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        waitForWorkers()
        emptiesLogAt = tables.database.loggedPages + Self.logInterval
    }

    /// Undoes everything since `begin`.
    func rollback() {
        // Fails where SQLite has rolled back already, as it does when the disk is full.
        try? tables.database.execute("ROLLBACK")
        tables.domains.forget()
        tables.statuses.forget()
        tables.changes.forget()
    }

    // MARK: The world

    /// What happens by itself.
    func world() throws(StoreError) -> World {
        try World(
            tables,
            records: records,
            layout: layout,
            laid: try tables.due.laid() ?? laid
        )
    }

    /// Has the world look at an appointment that was written.
    func plan(domain: Int64, appointment id: String, now: Instant) throws(StoreError) {
        try tables.due.put(
            Due(time: now.secondsSince1970, domain: domain, appointment: id, kind: .plan)
        )
        firstDue = min(firstDue ?? now, now)
    }

    // MARK: Idempotency

    /// Decides what to do with a keyed request, and counts it where it is a repeat.
    package func decide(
        _ scope: IdempotencyScope,
        fingerprint: [UInt8],
        now: Instant
    ) throws(StoreError) -> IdempotencyDecision {
        let decision = IdempotencyDecision(
            entry: try tables.ledger.entry(scope, now: now),
            fingerprint: fingerprint,
            now: now
        )
        switch decision {
        case .proceed: break
        case .replay: try tables.ledger.countReplay(scope)
        case .conflict: try tables.ledger.countConflict(scope)
        }
        return decision
    }

    /// Remembers the answer to a keyed request that was carried out.
    package func remember(
        _ answer: RememberedAnswer,
        for scope: IdempotencyScope,
        fingerprint: [UInt8],
        expiresAt: Instant,
        now: Instant
    ) throws(StoreError) {
        try tables.ledger.insert(
            LedgerEntry(
                scope: scope,
                fingerprint: fingerprint,
                answer: answer,
                expiresAt: expiresAt
            ),
            now: now
        )
    }

    // MARK: Reporting

    /// Requires that an appointment exists with a status.
    ///
    /// - Throws: `StoreError.rule`: `.notFound(.appointment)` or `.wrongStatus`.
    package func require(
        status: String,
        domain: String,
        appointment id: String
    ) throws(StoreError) {
        let domain = try self.domain(domain)
        guard let key = try tables.appointments.key(domain: domain.id, id: id) else {
            throw .rule(.notFound(.appointment))
        }
        if try tables.statuses.id(of: status) == key.status { return }
        throw .rule(
            .wrongStatus(
                required: status,
                found: try tables.statuses.name(of: key.status) ?? ""
            )
        )
    }

    /// The patient of an appointment; `nil` where it has none.
    ///
    /// - Throws: `StoreError.rule(.notFound(.appointment))`.
    package func patient(domain: String, appointment id: String) throws(StoreError) -> String? {
        let domain = try self.domain(domain)
        guard let patient = try tables.appointments.patient(domain: domain.id, id: id) else {
            throw .rule(.notFound(.appointment))
        }
        return patient
    }

    /// Adds a comment and returns its `CommentResponse`.
    ///
    /// - Parameters:
    ///   - members: The members of the response, `guid` among them, which is new.
    ///   - owner: Whom it is about. The members are stored as they are, whatever the owner.
    ///   - appointment: The appointment that the request named.
    package func createComment(
        domain: String,
        owner: CommentOwner,
        of appointment: String? = nil,
        members: JSONObject
    ) throws(StoreError) -> [UInt8] {
        let domain = try self.domain(domain)
        guard let guid = members["guid"]?.string else {
            preconditionFailure("a comment needs a guid")
        }
        let json = shapes.comment.octets(of: members)
        try tables.comments.insert(
            domain: domain.id,
            owner: owner,
            position: records.scatter.position(domain: domain.name, id: guid),
            guid: guid,
            json: json
        )
        changes.append(
            Change(
                kind: .comment,
                action: .added,
                domain: domain.name,
                appointmentID: appointment,
                id: guid,
                value: json
            )
        )
        return json
    }

    /// Adds attachments whose content is still to come.
    package func createUploads(
        domain: String,
        appointment id: String,
        _ uploads: [NewUpload],
        now: Instant
    ) throws(StoreError) {
        let domain = try self.domain(domain)
        for upload in uploads {
            var record = JSONObject()
            record["guid"] = .string(upload.guid)
            record["category"] = .string(upload.category)
            record["fileName"] = .string(upload.fileName)
            record["addedDateTime"] = .string(now.rfc3339)
            try tables.attachments.insert(
                guid: upload.guid,
                domain: domain.id,
                appointment: id,
                position: records.scatter.position(domain: domain.name, id: upload.guid),
                fileName: upload.fileName,
                head: records.head(of: record),
                content: nil,
                contentType: nil,
                upload: upload
            )
            record["contentType"] = upload.promisedContentType.map { .string($0) }
            record["uploadUrlExpiresAtUtc"] = .string(upload.expiresAt.rfc3339)
            changes.append(
                Change(
                    kind: .uploadURL,
                    action: .added,
                    domain: domain.name,
                    appointmentID: id,
                    id: upload.guid,
                    value: JSONWriter.octets(of: .object(record))
                )
            )
        }
    }

    /// Gives an upload its content, once.
    ///
    /// - Parameters:
    ///   - contentType: As sent; `nil` where none was.
    ///   - digest: The SHA-256 of the content, for the log of changes.
    /// - Throws: `StoreError.rule`: `.notFound(.attachment)`, or `.alreadyUploaded`.
    package func putContent(
        guid: String,
        octets: [UInt8],
        contentType: String?,
        digest: String? = nil,
        now: Instant
    ) throws(StoreError) {
        guard let state = try tables.attachments.upload(guid: guid),
            let place = try tables.attachments.place(guid: guid)
        else { throw .rule(.notFound(.attachment)) }
        if state.isComplete { throw .rule(.alreadyUploaded) }
        var record = try RecordWriter.parse(
            place.head + [UInt8(ascii: "}")],
            table: "attachment",
            id: guid
        )
        record["lastModifiedDateTime"] = .string(now.rfc3339)
        let content = try tables.attachments.insertContent(octets)
        guard
            try tables.attachments.setContent(
                guid: guid,
                content: content,
                contentType: contentType,
                head: records.head(of: record)
            )
        else { throw .rule(.alreadyUploaded) }
        record["contentType"] = contentType.map { .string($0) }
        record["octets"] = .integer(octets.count)
        record["sha256"] = digest.map { .string($0) }
        changes.append(
            Change(
                kind: .upload,
                action: .added,
                domain: try tables.domains.name(of: place.domain) ?? "",
                appointmentID: place.appointment,
                id: guid,
                value: JSONWriter.octets(of: .object(record))
            )
        )
    }

    /// Makes a report the current one of an appointment.
    ///
    /// - Parameter newStatus: The status that the appointment gets; `nil` where it keeps its own.
    /// - Throws: `StoreError.rule(.notFound(.appointment))`.
    package func submitReport(
        domain: String,
        appointment id: String,
        _ report: ReportRecord,
        newStatus: String?,
        now: Instant
    ) throws(StoreError) {
        let domain = try self.domain(domain)
        if try tables.appointments.key(domain: domain.id, id: id) == nil {
            throw .rule(.notFound(.appointment))
        }
        let isReplaced = try tables.reports.has(domain: domain.id, appointment: id)
        try tables.reports.put(report, domain: domain.id, appointment: id)
        changes.append(
            Change(
                kind: .report,
                action: isReplaced ? .replaced : .added,
                domain: domain.name,
                appointmentID: id,
                id: report.guid,
                value: JSONWriter.octets(of: report.json)
            )
        )
        if report.status == "final" {
            try plan(domain: domain.id, appointment: id, now: now)
        }
        guard let newStatus else { return }
        _ = try records.setStatus(newStatus, of: id, in: domain)
        let record = try tables.appointmentRecord(domain: domain.id, id: id, layout: layout)
        note(.appointment, .replaced, domain, id, record)
    }

    /// Notes what became of a record that is not a partner's to write.
    private func note(
        _ kind: Change.Kind,
        _ action: Change.Action,
        _ domain: RecordWriter.Domain,
        _ id: String,
        _ record: JSONObject? = nil
    ) {
        changes.append(
            Change(
                kind: kind,
                action: action,
                domain: domain.name,
                appointmentID: kind == .appointment ? id : nil,
                id: id,
                value: record.map { JSONWriter.octets(of: .object($0)) }
            )
        )
    }

    // MARK: Records of the control API

    /// Adds or replaces an appointment, given in fixture form.
    ///
    /// - Returns: Whether it is new.
    /// - Throws: `StoreError.rule(.notFound(.domain))`, `StoreError.fixtures` for references to
    ///   what is not there.
    package func putAppointment(
        domain: String,
        _ record: JSONObject,
        now: Instant
    ) throws(StoreError) -> Bool {
        let domain = try self.domain(domain)
        var isNew = true
        if let id = record["appointmentId"]?.string {
            isNew = try tables.appointments.key(domain: domain.id, id: id) == nil
        }
        try refuse(try records.putAppointment(record, in: domain))
        if let id = record["appointmentId"]?.string {
            try plan(domain: domain.id, appointment: id, now: now)
        }
        note(
            .appointment,
            isNew ? .added : .replaced,
            domain,
            record["appointmentId"]?.string ?? "",
            record
        )
        return isNew
    }

    /// Removes an appointment with all that belongs to it.
    ///
    /// - Throws: `StoreError.rule(.notFound(.appointment))`.
    package func deleteAppointment(
        domain: String,
        id: String,
        now: Instant
    ) throws(StoreError) {
        let domain = try self.domain(domain)
        guard let entry = try tables.appointments.entry(domain: domain.id, id: id) else {
            throw .rule(.notFound(.appointment))
        }
        try tables.removeAppointment(entry, domain: domain.id, id: id)
        try plan(domain: domain.id, appointment: id, now: now)
        note(.appointment, .removed, domain, id)
    }

    /// Adds or replaces a site, given in fixture form.
    ///
    /// Its exam codes and staff grid stay.
    ///
    /// - Returns: Whether it is new.
    /// - Throws: As `putAppointment`.
    package func putSite(domain: String, _ record: JSONObject) throws(StoreError) -> Bool {
        let domain = try self.domain(domain)
        var isNew = true
        if let name = record["siteName"]?.string {
            isNew = try tables.sites.id(of: name, domain: domain.id) == nil
        }
        try refuse(try records.putSite(record, in: domain))
        note(.site, isNew ? .added : .replaced, domain, record["siteName"]?.string ?? "", record)
        return isNew
    }

    /// Removes a site with its exam codes and staff grid.
    ///
    /// - Throws: `StoreError.rule`: `.notFound(.site)`, or `.inUse` while appointments are
    ///   scheduled there.
    package func deleteSite(domain: String, name: String) throws(StoreError) {
        let domain = try self.domain(domain)
        guard let site = try tables.sites.id(of: name, domain: domain.id) else {
            throw .rule(.notFound(.site))
        }
        let count = try tables.appointments.count(atSite: site, domain: domain.id)
        if count > 0 { throw .rule(.inUse(.appointment, count: count)) }
        try tables.sites.delete(site: site)
        note(.site, .removed, domain, name)
    }

    /// Adds or replaces a patient, given in fixture form; appointments show the new data at once.
    ///
    /// - Returns: Whether it is new.
    /// - Throws: As `putAppointment`.
    package func putPatient(domain: String, _ record: JSONObject) throws(StoreError) -> Bool {
        let domain = try self.domain(domain)
        var isNew = true
        if let id = record["patientId"]?.string {
            var ignored: [UInt8] = []
            isNew = try !tables.patients.append(domain: domain.id, id: id, to: &ignored)
        }
        try refuse(try records.putPatient(record, in: domain))
        note(
            .patient,
            isNew ? .added : .replaced,
            domain,
            record["patientId"]?.string ?? "",
            record
        )
        return isNew
    }

    /// Removes a patient with its comments.
    ///
    /// - Throws: `StoreError.rule`: `.notFound(.patient)`, or `.inUse` while appointments are the
    ///   patient's.
    package func deletePatient(domain: String, id: String) throws(StoreError) {
        let domain = try self.domain(domain)
        var ignored: [UInt8] = []
        guard try tables.patients.append(domain: domain.id, id: id, to: &ignored) else {
            throw .rule(.notFound(.patient))
        }
        let count = try tables.appointments.count(ofPatient: id, domain: domain.id)
        if count > 0 { throw .rule(.inUse(.appointment, count: count)) }
        try tables.comments.deleteAll(domain: domain.id, owner: .patient(id))
        try tables.patients.delete(domain: domain.id, id: id)
        note(.patient, .removed, domain, id)
    }

    private func domain(_ name: String) throws(StoreError) -> RecordWriter.Domain {
        guard let id = try tables.domains.id(of: name) else { throw .rule(.notFound(.domain)) }
        return RecordWriter.Domain(id: id, name: name)
    }

    private func refuse(_ faults: [RecordWriter.Fault]) throws(StoreError) {
        if faults.isEmpty { return }
        throw .fixtures(
            faults.map {
                FixtureFault(file: "", pointer: JSONPointer([$0.member]), reason: $0.reason)
            }
        )
    }
}
