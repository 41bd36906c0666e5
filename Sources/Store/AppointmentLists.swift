import QUBS

/// Pages and lists of appointments.
///
/// The table itself lies in scattered order within domain and status, so a cursor page is a stretch
/// of it. Offset lists walk an index that holds what they filter by, and fetch only what they show.
final class AppointmentLists {
    private let database: Database
    private let layout: AppointmentLayout
    private let pages: [Statement]
    private let pagesByIdentifier: [Statement]
    /// Lists whose text depends on what was asked for, by that.
    private var others: [Form: Statement] = [:]
    private let countInRange: Statement

    /// What the text of a statement depends on.
    private struct Form: Hashable {
        enum Dates: Hashable { case any, on, withinFew, withinMany }

        var view: AppointmentView
        var order: ListOrder
        var isPage: Bool
        /// 0 where the list is not limited to providers.
        var providers: Int
        var dates = Dates.any
        var hasSite = false
    }

    /// Up to so many rows are sorted; more are found by walking in order and leaving out the rest.
    private static let fewRows: Int64 = 2000

    init(_ database: Database, layout: AppointmentLayout) {
        self.database = database
        self.layout = layout
        pages = AppointmentView.allCases.map {
            Statement(
                database,
                """
                SELECT key, \($0.columns) FROM appointment
                WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3
                """
            )
        }
        // A row's key tells its status, and every index holds the key: no row is fetched in vain.
        pagesByIdentifier = AppointmentView.allCases.map {
            Statement(
                database,
                """
                SELECT id, \($0.columns) FROM appointment
                INDEXED BY appointment_id
                WHERE domain = ?4 AND id > ?5 AND +key > ?1 AND +key <= ?2 ORDER BY id LIMIT ?3
                """
            )
        }
        countInRange = Statement(
            database,
            """
            SELECT count(*) FROM (
                SELECT 1 FROM appointment INDEXED BY appointment_date
                WHERE domain = ?1 AND date BETWEEN ?2 AND ?3 LIMIT \(Self.fewRows))
            """
        )
    }

    // MARK: Cursor pages

    /// Appends one page of a status, with commas between the views.
    ///
    /// - Parameters:
    ///   - providers: Ids in the table `provider`; `nil` where the list is not limited to any.
    ///   - limit: At least 1.
    /// - Returns: How many were appended, and the cursor of the next page, if there is one.
    func appendPage(
        domain: Int64,
        status: Int64,
        providers: [Int64]?,
        view: AppointmentView,
        order: ListOrder,
        after cursor: PageCursor?,
        limit: Int,
        to output: inout [UInt8]
    ) throws(StoreError) -> (count: Int, next: PageCursor?) {
        if providers?.isEmpty == true { return (0, nil) }
        var after = AppointmentKey(domain: domain, status: status, position: 0).rawValue - 1
        var afterIdentifier = ""
        switch (order, cursor) {
        case (_, nil): break
        case (.scattered, .position(let position)?):
            guard (0..<Scatter.limit).contains(position) else { throw .foreignCursor }
            after = AppointmentKey(domain: domain, status: status, position: position).rawValue
        case (.byIdentifier, .identifier(let identifier)?): afterIdentifier = identifier
        default: throw .foreignCursor
        }
        let statement = pageStatement(view: view, order: order, providers: providers?.count ?? 0)
        try statement.begin()
        defer { statement.reset() }
        statement.bind(1, after)
        statement.bind(2, AppointmentKey.last(domain: domain, status: status))
        // One more than shown tells whether there is a next page.
        statement.bind(3, limit + 1)
        var parameter: Int32 = 4
        if order == .byIdentifier {
            statement.bind(4, domain)
            statement.bind(5, afterIdentifier)
            parameter = 6
        }
        for provider in providers ?? [] {
            statement.bind(parameter, provider)
            parameter += 1
        }
        var count = 0
        while try statement.step() {
            if count > 0 { output.append(UInt8(ascii: ",")) }
            layout.append(
                view,
                summary: statement.buffer(1),
                details: statement.buffer(2),
                to: &output
            )
            count += 1
            if count == limit {
                let next: PageCursor =
                    order == .byIdentifier
                    ? .identifier(statement.text(0))
                    : .position(AppointmentKey(rawValue: statement.integer(0)).position)
                return (count, try statement.step() ? next : nil)
            }
        }
        return (count, nil)
    }

    private func pageStatement(view: AppointmentView, order: ListOrder, providers: Int) -> Statement
    {
        if providers == 0 {
            return order == .scattered ? pages[view.rawValue] : pagesByIdentifier[view.rawValue]
        }
        let form = Form(view: view, order: order, isPage: true, providers: providers)
        return statement(for: form) {
            let columns = view.columns
            if order == .byIdentifier {
                return """
                    SELECT id, \(columns) FROM appointment AS a INDEXED BY appointment_id
                    WHERE domain = ?4 AND id > ?5 AND +key > ?1 AND +key <= ?2
                    AND \(Self.hasProvider(parameters: 6..<6 + providers)) ORDER BY id LIMIT ?3
                    """
            }
            let arms = (4..<4 + providers).map {
                """
                SELECT key FROM provider_appointment
                WHERE provider = ?\($0) AND key > ?1 AND key <= ?2
                """
            }
            return """
                SELECT a.key, \(columns) FROM (
                    \(arms.joined(separator: " UNION ")) ORDER BY key LIMIT ?3
                ) AS shown CROSS JOIN appointment AS a ON a.key = shown.key
                """
        }
    }

    // MARK: Offset lists

    /// Appends a stretch of a list, with commas between the views.
    ///
    /// - Parameters:
    ///   - site: The id of the site to which the list is limited, if it is.
    ///   - days: The condition on the date, if there is one.
    /// - Returns: How many were appended.
    func appendList(
        domain: Int64,
        site: Int64?,
        days: AppointmentFilter.DayCondition?,
        providers: [Int64]?,
        view: AppointmentView,
        order: ListOrder,
        skip: Int,
        take: Int,
        to output: inout [UInt8]
    ) throws(StoreError) -> Int {
        if providers?.isEmpty == true { return 0 }
        var form = Form(
            view: view,
            order: order,
            isPage: false,
            providers: providers?.count ?? 0,
            hasSite: site != nil
        )
        var bounds: (lower: Int, upper: Int)? = nil
        switch days {
        case nil: break
        case .never?: return 0
        case .on(let day)?:
            form.dates = .on
            bounds = (day, day)
        case .within(let first, let last)?:
            bounds = (first, last)
            let isFew = try isFew(domain: domain, first, last)
            form.dates = isFew ? .withinFew : .withinMany
        }
        let statement = statement(for: form) { Self.listSQL(form) }
        try statement.begin()
        defer { statement.reset() }
        statement.bind(1, domain)
        statement.bind(2, take)
        statement.bind(3, skip)
        if let bounds {
            statement.bind(4, bounds.lower)
            if bounds.upper != bounds.lower { statement.bind(5, bounds.upper) }
        }
        if let site { statement.bind(6, site) }
        for (index, provider) in (providers ?? []).enumerated() {
            statement.bind(Int32(7 + index), provider)
        }
        var count = 0
        while try statement.step() {
            if count > 0 { output.append(UInt8(ascii: ",")) }
            layout.append(
                view,
                summary: statement.buffer(0),
                details: statement.buffer(1),
                to: &output
            )
            count += 1
        }
        return count
    }

    private func isFew(domain: Int64, _ first: Int, _ last: Int) throws(StoreError) -> Bool {
        try countInRange.begin()
        defer { countInRange.reset() }
        countInRange.bind(1, domain)
        countInRange.bind(2, first)
        countInRange.bind(3, last)
        return try countInRange.step() && countInRange.integer(0) < Self.fewRows
    }

    /// Parameters: 1 domain, 2 take, 3 skip, 4 and 5 first and last day, 6 site, from 7 on
    /// providers.
    private static func listSQL(_ form: Form) -> String {
        let columns = form.view.columns
        var conditions: [String] = []
        switch form.dates {
        case .any: break
        case .on: conditions.append("date = ?4")
        case .withinFew, .withinMany: conditions.append("date BETWEEN ?4 AND ?5")
        }
        if form.hasSite { conditions.append("site = ?6") }
        let providers = 7..<7 + form.providers

        if form.order == .byIdentifier {
            if form.providers > 0 { conditions.append(hasProvider(parameters: providers)) }
            return """
                SELECT \(columns) FROM appointment AS a INDEXED BY appointment_id
                WHERE \((["domain = ?1"] + conditions).joined(separator: " AND "))
                ORDER BY id LIMIT ?2 OFFSET ?3
                """
        }
        let shown: String
        if form.providers > 0 {
            let arms = providers.map {
                """
                SELECT position, key FROM provider_appointment INDEXED BY provider_position
                WHERE \((["provider = ?\($0)"] + conditions).joined(separator: " AND "))
                """
            }
            shown = arms.joined(separator: " UNION ") + " ORDER BY position, key"
        } else {
            let index =
                switch (form.dates, form.hasSite) {
                case (.on, _), (.withinFew, _): "appointment_date"
                case (.any, true), (.withinMany, true): "appointment_site"
                case (.any, false), (.withinMany, false): "appointment_position"
                }
            shown = """
                SELECT key FROM appointment INDEXED BY \(index)
                WHERE \((["domain = ?1"] + conditions).joined(separator: " AND ")) ORDER BY position
                """
        }
        return """
            SELECT \(columns) FROM (\(shown) LIMIT ?2 OFFSET ?3) AS shown
            CROSS JOIN appointment AS a ON a.key = shown.key
            """
    }

    private static func hasProvider(parameters: Range<Int>) -> String {
        """
        EXISTS (SELECT 1 FROM provider_appointment AS p WHERE p.provider
            IN (\(parameters.map { "?\($0)" }.joined(separator: ", "))) AND p.key = a.key)
        """
    }

    /// The SQL of every statement in use.
    var texts: [String] { (pages + pagesByIdentifier + others.values).map(\.sql) }

    private func statement(for form: Form, text: () -> String) -> Statement {
        if let statement = others[form] { return statement }
        let statement = Statement(database, text())
        others[form] = statement
        return statement
    }
}
