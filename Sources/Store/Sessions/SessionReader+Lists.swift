import JSON
import QUBS
package import Time

// What there is in a domain, for those who look before they read a record: names and ids alone.

/// A site, as a list of them shows it.
package struct ListedSite: Sendable, Hashable {
    package let name: String
    package let isActive: Bool
    package let appointments: Int
}

/// An appointment, as a list of them shows it.
package struct ListedAppointment: Sendable, Hashable {
    package let id: String
    package let status: String
    package let site: String
    package let date: LocalDate?
    /// The local time at which it is to begin, as the record has it.
    package let startTime: String?
}

/// Which appointments a list shows, and from where on.
package struct AppointmentSelection: Sendable {
    /// The day itself, in the site's time zone.
    package var date: LocalDate?
    package var status: String?
    /// The exact name of a site.
    package var site: String?
    /// Only those whose ids come after this one.
    package var after: String?
    package var limit: Int

    package init(
        date: LocalDate? = nil,
        status: String? = nil,
        site: String? = nil,
        after: String? = nil,
        limit: Int
    ) {
        self.date = date
        self.status = status
        self.site = site
        self.after = after
        self.limit = limit
    }
}

extension SessionReader {
    /// All sites of a domain, inactive ones too, in their order; `nil` where there is no such domain.
    ///
    /// It counts rows, so it may take long.
    package func listedSites(domain: String) throws(StoreError) -> [ListedSite]? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            let list = Statement(
                tables.database,
                """
                SELECT name, active, (SELECT count(*) FROM appointment AS a
                    WHERE a.domain = ?1 AND a.site = site.id)
                FROM site WHERE domain = ?1 ORDER BY position, name
                """
            )
            try list.prepare(domain)
            defer { list.reset() }
            var sites: [ListedSite] = []
            while try list.step() {
                sites.append(
                    ListedSite(
                        name: list.text(0),
                        isActive: list.integer(1) != 0,
                        appointments: Int(list.integer(2))
                    )
                )
            }
            return sites
        }
    }

    /// All statuses that appointments of the session have or had.
    package func knownStatuses() throws(StoreError) -> [String] {
        try session.read(worker) { tables throws(StoreError) in try tables.statuses.names() }
    }

    /// Appointments of a domain by their ids; `nil` where there is no such domain.
    ///
    /// It may walk all of them. A site or a status that is not there has none.
    package func listedAppointments(
        domain: String,
        _ selection: AppointmentSelection
    ) throws(StoreError) -> [ListedAppointment]? {
        try read(domain, unknown: nil) { tables, domain throws(StoreError) in
            var conditions = ["a.domain = ?1", "a.id > ?2"]
            var status: Int64?
            var site: Int64?
            if let name = selection.status {
                guard let id = try tables.statuses.id(of: name) else { return [] }
                status = id
                conditions.append("a.key BETWEEN ?4 AND ?5")
            }
            if let name = selection.site {
                guard let id = try tables.sites.id(of: name, domain: domain) else { return [] }
                site = id
                conditions.append("a.site = ?6")
            }
            if selection.date != nil { conditions.append("a.date = ?7") }
            let origin = try tables.practices.origin(of: domain)
            let list = Statement(
                tables.database,
                """
                SELECT a.id, a.key, site.name, a.date, a.summary, a.details
                FROM appointment AS a JOIN site ON site.id = a.site
                WHERE \(conditions.joined(separator: " AND ")) ORDER BY a.id LIMIT ?3
                """
            )
            try list.prepare()
            defer { list.reset() }
            list.bind(1, domain)
            list.bind(2, selection.after ?? "")
            list.bind(3, selection.limit)
            if let status {
                let first = AppointmentKey(domain: domain, status: status, position: 0)
                list.bind(4, first.rawValue)
                list.bind(5, AppointmentKey.last(domain: domain, status: status))
            }
            if let site { list.bind(6, site) }
            if let date = selection.date { list.bind(7, date.daysSince1970 - origin) }
            var found: [ListedAppointment] = []
            while try list.step() {
                let id = list.text(0)
                let octets = AppointmentLayout.Octets(
                    summary: list.octets(4),
                    details: list.octets(5)
                )
                guard let record = session.layout.record(of: octets) else {
                    throw .damagedRow(table: "appointment", row: id)
                }
                let number = AppointmentKey(rawValue: list.integer(1)).status
                found.append(
                    ListedAppointment(
                        id: id,
                        status: try tables.statuses.name(of: number) ?? "",
                        site: list.text(2),
                        date: list.isNull(3)
                            ? nil
                            : LocalDate(daysSince1970: Int(list.integer(3)) + origin),
                        startTime: record["startTime"]?.string
                    )
                )
            }
            return found
        }
    }
}
