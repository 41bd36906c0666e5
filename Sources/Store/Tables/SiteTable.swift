import QUBS
import Time

/// Sites, with their exam codes and staff skills.
final class SiteTable {
    private let database: Database
    private let find: Statement
    private let settings: Statement
    private let skills: Statement
    private let active: Statement
    private let activeByName: Statement
    private let examCodes: Statement
    private let examCodesByIdentifier: Statement
    private let put: Statement
    private let setSkills: Statement
    private let insertExamCode: Statement
    private let deleteSite: Statement
    private let deleteExamCodes: Statement

    init(_ database: Database) {
        self.database = database
        find = Statement(database, "SELECT id FROM site WHERE domain = ?1 AND name = ?2")
        settings = Statement(
            database,
            "SELECT settings FROM site WHERE domain = ?1 AND name = ?2"
        )
        skills = Statement(
            database,
            "SELECT staff_skills FROM site WHERE domain = ?1 AND name = ?2"
        )
        active = Statement(
            database,
            "SELECT name, listed FROM site WHERE domain = ?1 AND active = 1 ORDER BY position, name"
        )
        activeByName = Statement(
            database,
            "SELECT name, listed FROM site WHERE domain = ?1 AND active = 1 ORDER BY name"
        )
        examCodes = Statement(
            database,
            "SELECT json FROM exam_code WHERE site = ?1 ORDER BY position, id"
        )
        examCodesByIdentifier = Statement(
            database,
            "SELECT json FROM exam_code WHERE site = ?1 ORDER BY id"
        )
        put = Statement(
            database,
            """
            INSERT INTO site (domain, name, position, active, listed, settings, zone_rule)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (domain, name) DO UPDATE
            SET active = excluded.active, listed = excluded.listed, settings = excluded.settings,
                zone_rule = excluded.zone_rule
            """
        )
        setSkills = Statement(database, "UPDATE site SET staff_skills = ?2 WHERE id = ?1")
        insertExamCode = Statement(
            database,
            "INSERT INTO exam_code (site, position, id, json) VALUES (?1, ?2, ?3, ?4)"
        )
        deleteSite = Statement(database, "DELETE FROM site WHERE id = ?1")
        deleteExamCodes = Statement(database, "DELETE FROM exam_code WHERE site = ?1")
    }

    /// The id of a site.
    func id(of name: String, domain: Int64) throws(StoreError) -> Int64? {
        try find.prepare(domain, name)
        defer { find.reset() }
        return try find.step() ? find.integer(0) : nil
    }

    /// Appends the active sites, with commas between.
    ///
    /// - Parameter allowed: The names to which the list is limited; `nil` for all.
    func appendActive(
        domain: Int64,
        allowed: [String]?,
        order: ListOrder,
        to output: inout [UInt8]
    ) throws(StoreError) -> Int {
        let list = order == .scattered ? active : activeByName
        try list.prepare(domain)
        defer { list.reset() }
        var count = 0
        while try list.step() {
            if let allowed {
                let name = list.text(0)
                if !allowed.contains(where: { isSameText($0, name) }) { continue }
            }
            if count > 0 { output.append(UInt8(ascii: ",")) }
            list.append(1, to: &output)
            count += 1
        }
        return count
    }

    /// Appends the settings of a site; `false` where there is none.
    func appendSettings(
        domain: Int64,
        name: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        try settings.prepare(domain, name)
        defer { settings.reset() }
        guard try settings.step() else { return false }
        settings.append(0, to: &output)
        return true
    }

    /// Appends the exam codes of a site, with commas between.
    func appendExamCodes(
        site: Int64,
        order: ListOrder,
        to output: inout [UInt8]
    ) throws(StoreError) -> Int {
        let list = order == .scattered ? examCodes : examCodesByIdentifier
        try list.prepare(site)
        defer { list.reset() }
        return try list.appendRows(0, to: &output)
    }

    /// Appends the staff grid of a site; `.none` where there is no such site.
    ///
    /// - Returns: Whether the site has a grid.
    func appendStaffSkills(
        domain: Int64,
        name: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool? {
        try skills.prepare(domain, name)
        defer { skills.reset() }
        guard try skills.step() else { return nil }
        if skills.isNull(0) { return false }
        skills.append(0, to: &output)
        return true
    }

    /// The rule of each site's time zone, by the id of the site.
    func zones(in domain: Int64) throws(StoreError) -> [Int64: TimeZoneRule] {
        let all = Statement(database, "SELECT id, zone_rule FROM site WHERE domain = ?1")
        try all.prepare(domain)
        defer { all.reset() }
        var zones: [Int64: TimeZoneRule] = [:]
        while try all.step() { zones[all.integer(0)] = TimeZoneRule(all.text(1)) ?? .utc }
        return zones
    }

    /// Adds a site, or replaces its settings.
    ///
    /// - Parameter zoneRule: The rule of its time zone.
    func put(
        domain: Int64,
        name: String,
        position: Int64,
        isActive: Bool,
        listed: [UInt8],
        settings: [UInt8],
        zoneRule: String
    ) throws(StoreError) {
        try put.run(domain, name, position, isActive ? 1 : 0, listed, settings, zoneRule)
    }

    /// Sets the staff grid of a site.
    func setStaffSkills(_ json: [UInt8], site: Int64) throws(StoreError) {
        try setSkills.run(site, json)
    }

    /// Adds an exam code, whose identifier is new to the site.
    func insertExamCode(
        site: Int64,
        position: Int64,
        id: String,
        json: [UInt8]
    ) throws(StoreError) {
        try insertExamCode.run(site, position, id, json)
    }

    /// Removes a site with its exam codes and grid.
    func delete(site: Int64) throws(StoreError) {
        try deleteExamCodes.run(site)
        try deleteSite.run(site)
    }
}
