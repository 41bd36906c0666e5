/// All the tables behind one connection, their statements kept.
final class Tables {
    let database: Database
    let domains: NameTable
    let statuses: NameTable
    let providers: ProviderTable
    let sites: SiteTable
    let patients: PatientTable
    let appointments: AppointmentTable
    let lists: AppointmentLists
    let billing: BillingTable
    let attachments: AttachmentTable
    let comments: CommentTable
    let reports: ReportTable
    let ledger: LedgerTable
    let changes: ChangeTable
    let practices: PracticeTable
    let courses: CourseTable
    let events: EventTable
    let due: DueTable

    init(_ database: Database, layout: AppointmentLayout) {
        self.database = database
        domains = NameTable(database, table: "domain", limit: AppointmentKey.maximumDomain)
        statuses = NameTable(database, table: "status", limit: AppointmentKey.maximumStatus)
        providers = ProviderTable(database)
        sites = SiteTable(database)
        patients = PatientTable(database)
        appointments = AppointmentTable(database, layout: layout)
        lists = AppointmentLists(database, layout: layout)
        billing = BillingTable(database)
        attachments = AttachmentTable(database)
        comments = CommentTable(database)
        reports = ReportTable(database)
        ledger = LedgerTable(database)
        changes = ChangeTable(database)
        practices = PracticeTable(database)
        courses = CourseTable(database)
        events = EventTable(database)
        due = DueTable(database)
    }

    /// Ids of those numbers that any appointment of the domain ever had; `nil` stands for no limit.
    func providerIDs(_ numbers: [String]?, domain: Int64) throws(StoreError) -> [Int64]? {
        guard let numbers else { return nil }
        var ids: [Int64] = []
        var known: Set<Int64> = []
        for number in numbers {
            if let id = try providers.id(of: number, domain: domain), known.insert(id).inserted {
                ids.append(id)
            }
        }
        return ids
    }

    /// Changes members of an appointment that is there, and its status with them.
    ///
    /// - Parameters:
    ///   - status: The status that it has afterwards; `nil` where it keeps its own.
    ///   - members: JSON, `status` among them where it changes.
    /// - Returns: Whether there is such an appointment.
    @discardableResult
    func change(
        domain: Int64,
        id: String,
        status: String?,
        members: [(name: String, value: [UInt8])],
        layout: AppointmentLayout
    ) throws(StoreError) -> Bool {
        guard let old = try appointments.entry(domain: domain, id: id) else { return false }
        try change(old, id: id, status: status, members: members, layout: layout)
        return true
    }

    /// Changes members of an appointment whose row was read, and its status with them.
    ///
    /// - Parameters: As above; `old` is the row as it is.
    func change(
        _ old: AppointmentTable.Entry,
        id: String,
        status: String?,
        members: [(name: String, value: [UInt8])],
        layout: AppointmentLayout
    ) throws(StoreError) {
        guard let octets = layout.replacing(members, in: old.octets) else {
            throw .damagedRow(table: "appointment", row: id)
        }
        let statusID = try status.map { name throws(StoreError) in try statuses.intern(name) }
        guard let statusID, statusID != old.key.status else {
            return try appointments.setOctets(octets, key: old.key.rawValue)
        }
        try appointments.change(old, to: statusID, octets)
    }

    /// Removes an appointment with all that belongs to it.
    func removeAppointment(
        _ entry: AppointmentTable.Entry,
        domain: Int64,
        id: String
    ) throws(StoreError) {
        try billing.delete(domain: domain, appointment: id)
        try attachments.deleteAll(domain: domain, appointment: id)
        try comments.deleteAll(domain: domain, owner: .appointment(id))
        try reports.delete(domain: domain, appointment: id)
        try appointments.delete(entry)
    }
}
