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
}
