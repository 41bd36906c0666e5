package import QUBS
package import Time

/// What GET operations read, for one session and one worker.
///
/// Lists and pages append views with commas between them, without the brackets around. Domains,
/// sites and statuses that the data does not know give what is not there. Every call sees all
/// writes that were answered before it.
package struct SessionReader: Sendable {
    let session: SessionStore
    let worker: Int
    /// Whether what the session started with is read; only where that is said.
    var isOfStart = false

    // MARK: Sites

    /// All domains of the data.
    package func domains() throws(StoreError) -> [String] {
        try session.read(worker) { tables throws(StoreError) in try tables.domains.names() }
    }

    /// Appends the active sites of a domain; `allowed` limits them to these names.
    ///
    /// `Integrations_ListSites`
    package func appendSites(
        domain: String,
        allowed: [String]?,
        to output: inout [UInt8]
    ) throws(StoreError) -> Int {
        try read(domain, unknown: 0) { tables, domain throws(StoreError) in
            try tables.sites.appendActive(
                domain: domain,
                allowed: allowed,
                order: session.order,
                to: &output
            )
        }
    }

    /// Appends the settings of a site, active or not; `false` where there is none.
    ///
    /// `Integrations_GetSiteSettings_Summary`
    package func appendSite(
        domain: String,
        name: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        try read(domain, unknown: false) { tables, domain throws(StoreError) in
            try tables.sites.appendSettings(domain: domain, name: name, to: &output)
        }
    }

    /// Whether the domain has a site of this name.
    package func hasSite(domain: String, name: String) throws(StoreError) -> Bool {
        try read(domain, unknown: false) { tables, domain throws(StoreError) in
            try tables.sites.id(of: name, domain: domain) != nil
        }
    }

    /// Appends the exam codes of a site and returns how many; `nil` where there is no such site.
    ///
    /// `Integrations_ListExamCodes`
    package func appendExamCodes(
        domain: String,
        site: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Int? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            guard let site = try tables.sites.id(of: site, domain: domain) else { return nil }
            return try tables.sites.appendExamCodes(
                site: site,
                order: session.order,
                to: &output
            )
        }
    }

    /// Appends the staff grid of a site.
    ///
    /// `Integrations_GetStaffSkills`
    ///
    /// - Returns: Whether the site has one; `nil` where there is no such site.
    package func appendStaffSkills(
        domain: String,
        site: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            try tables.sites.appendStaffSkills(domain: domain, name: site, to: &output)
        }
    }

    // MARK: Appointments

    /// Appends a view of an appointment.
    ///
    /// - Parameter status: The status that the appointment must have, if any.
    /// - Returns: Whether there is such an appointment.
    package func appendAppointment(
        domain: String,
        id: String,
        view: AppointmentView,
        status: String? = nil,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        try read(domain, unknown: false) { tables, domain throws(StoreError) in
            var statusID: Int64? = nil
            if let status {
                guard let id = try tables.statuses.id(of: status) else { return false }
                statusID = id
            }
            return try tables.appointments.append(
                domain: domain,
                id: id,
                view: view,
                status: statusID,
                to: &output
            )
        }
    }

    /// The status of an appointment; `nil` where there is none.
    package func status(domain: String, appointment id: String) throws(StoreError) -> String? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            guard let key = try tables.appointments.key(domain: domain, id: id) else { return nil }
            return try tables.statuses.name(of: key.status)
        }
    }

    /// The patient of an appointment: `.none` for no such appointment, `.some(nil)` for no patient.
    package func patient(domain: String, appointment id: String) throws(StoreError) -> String?? {
        try read(domain, unknown: .none) { tables, domain throws(StoreError) in
            try tables.appointments.patient(domain: domain, id: id)
        }
    }

    /// Appends one page of the appointments with a status.
    ///
    /// - Parameters:
    ///   - providers: Provider numbers of which an appointment must have one; `nil` for no such
    ///     limit.
    ///   - cursor: Where the page before ended.
    ///   - limit: At least 1.
    /// - Returns: How many were appended, and where this page ends if more follow.
    /// - Throws: `StoreError.foreignCursor` where the cursor is from a list with another order.
    package func appendPage(
        domain: String,
        status: String,
        providers: [String]?,
        view: AppointmentView,
        after cursor: PageCursor?,
        limit: Int,
        to output: inout [UInt8]
    ) throws(StoreError) -> (count: Int, next: PageCursor?) {
        let nothing: (count: Int, next: PageCursor?) = (0, nil)
        return try read(domain, unknown: nothing) { tables, domain throws(StoreError) in
            guard let status = try tables.statuses.id(of: status) else { return nothing }
            return try tables.lists.appendPage(
                domain: domain,
                status: status,
                providers: try tables.providerIDs(providers, domain: domain),
                view: view,
                order: session.order,
                after: cursor,
                limit: limit,
                to: &output
            )
        }
    }

    /// Appends a stretch of the appointments that a filter lets through, and returns how many.
    package func appendList(
        domain: String,
        filter: AppointmentFilter,
        providers: [String]?,
        view: AppointmentView,
        skip: Int,
        take: Int,
        to output: inout [UInt8]
    ) throws(StoreError) -> Int {
        try read(domain, unknown: 0) { tables, domain throws(StoreError) in
            var site: Int64? = nil
            if let name = filter.site {
                guard let id = try tables.sites.id(of: name, domain: domain) else { return 0 }
                site = id
            }
            let origin = try tables.practices.origin(of: domain)
            let shifted =
                filter.isShifted
                ? ShiftedDays(filter, origin: origin, zones: try tables.sites.zones(in: domain))
                : nil
            return try tables.lists.appendList(
                domain: domain,
                site: site,
                days: shifted?.condition ?? filter.days(from: origin),
                shifted: shifted,
                providers: try tables.providerIDs(providers, domain: domain),
                view: view,
                order: session.order,
                skip: skip,
                take: take,
                to: &output
            )
        }
    }

    // MARK: What belongs to an appointment

    /// Appends the billing record of an appointment.
    ///
    /// `Integrations_GetAppointment_Billing`
    ///
    /// - Returns: Whether it has one; `nil` where there is no such appointment.
    package func appendBilling(
        domain: String,
        appointment id: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            if try tables.billing.append(domain: domain, appointment: id, to: &output) {
                return true
            }
            return try tables.appointments.key(domain: domain, id: id) == nil ? nil : false
        }
    }

    /// The attachments of an appointment, uploads included; `nil` where there is no such
    /// appointment.
    package func attachments(
        domain: String,
        appointment id: String
    ) throws(StoreError) -> [AttachmentRow]? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            if try tables.appointments.key(domain: domain, id: id) == nil { return nil }
            return try tables.attachments.rows(
                domain: domain,
                appointment: id,
                order: session.order
            )
        }
    }

    /// One attachment of an appointment; `nil` where the appointment has none of this guid.
    package func attachment(
        domain: String,
        appointment id: String,
        guid: String
    ) throws(StoreError) -> AttachmentRow? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            try tables.attachments.row(domain: domain, appointment: id, guid: guid)
        }
    }

    /// The octets of an attachment of any domain; `nil` where there are none.
    package func content(guid: String) throws(StoreError) -> AttachmentContent? {
        try session.read(worker) { tables throws(StoreError) in
            try tables.attachments.content(guid: guid)
        }
    }

    /// What is known of an upload; `nil` where the guid is none.
    package func upload(guid: String) throws(StoreError) -> UploadState? {
        try session.read(worker) { tables throws(StoreError) in
            try tables.attachments.upload(guid: guid)
        }
    }

    /// Appends the comments of an appointment and of its patient.
    ///
    /// - Returns: How many; `nil` where there is no such appointment.
    package func appendComments(
        domain: String,
        appointment id: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Int? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            guard let patient = try tables.appointments.patient(domain: domain, id: id) else {
                return nil
            }
            return try tables.comments.appendList(
                domain: domain,
                appointment: id,
                patient: patient,
                order: session.order,
                to: &output
            )
        }
    }

    /// Appends one comment of an appointment or of its patient; `false` where there is none.
    package func appendComment(
        domain: String,
        appointment id: String,
        guid: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        let position = session.position(domain: domain, id: guid)
        return try read(domain, unknown: false) { tables, domain throws(StoreError) in
            guard let patient = try tables.appointments.patient(domain: domain, id: id) else {
                return false
            }
            if try tables.comments.append(
                domain: domain,
                owner: .appointment(id),
                position: position,
                guid: guid,
                to: &output
            ) {
                return true
            }
            guard let patient else { return false }
            return try tables.comments.append(
                domain: domain,
                owner: .patient(patient),
                position: position,
                guid: guid,
                to: &output
            )
        }
    }

    /// The current report of an appointment; `nil` where there is none.
    package func report(domain: String, appointment id: String) throws(StoreError) -> ReportRecord?
    {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            try tables.reports.report(domain: domain, appointment: id)
        }
    }

    /// Appends the summary of a patient; `false` where there is none.
    ///
    /// `Integrations_GetPatient_Summary`
    package func appendPatient(
        domain: String,
        id: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        try read(domain, unknown: false) { tables, domain throws(StoreError) in
            try tables.patients.append(domain: domain, id: id, to: &output)
        }
    }

    /// What there is of each domain; it counts rows, so it may take long.
    package func domainSummaries() throws(StoreError) -> [DomainSummary] {
        try session.read(worker) { tables throws(StoreError) in try DomainSummary.all(in: tables) }
    }

    // MARK: The ledger

    /// All idempotency entries that have not expired.
    package func ledger(now: Instant) throws(StoreError) -> [LedgerEntry] {
        try session.read(worker) { tables throws(StoreError) in
            try tables.ledger.entries(now: now)
        }
    }

    /// Runs `body` with the id of a domain, or gives `unknown` where the data has no such domain.
    @inline(__always)
    func read<Result: Sendable>(
        _ domain: String,
        unknown: Result,
        _ body: (Tables, Int64) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try session.read(worker) { tables throws(StoreError) in
            guard let domain = try tables.domains.id(of: domain) else { return unknown }
            return try body(tables, domain)
        }
    }
}
