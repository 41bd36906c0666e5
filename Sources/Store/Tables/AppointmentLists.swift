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
        var providers: Providers
        var dates = Dates.any
        var hasSite = false
        /// Whether date, site and summary stand behind the view, and all rows are walked.
        var isShifted = false
    }

    /// How a list is limited to providers.
    private enum Providers: Hashable {
        case all
        /// One sorted walk for each, merged: nothing else is touched, however long they are.
        case few(Int)
        /// Any number, in one parameter; what they have is sorted. SQLite merges 500 walks at most,
        /// and each number would be a statement of its own to keep.
        case many

        init(_ count: Int?) {
            switch count {
            case nil: self = .all
            case let count?: self = count <= 8 ? .few(count) : .many
            }
        }
    }

    /// The ids of providers that a statement takes as one parameter, as an SQL expression.
    private static func ids(parameter: Int) -> String {
        "SELECT value FROM json_each(?\(parameter))"
    }

    /// Binds the providers of a list, from a parameter on.
    private static func bind(
        _ providers: [Int64]?,
        to statement: Statement,
        from parameter: Int32
    ) {
        guard let providers else { return }
        if case .many = Providers(providers.count) {
            let list = providers.map { String($0) }.joined(separator: ",")
            statement.bind(parameter, "[\(list)]")
            return
        }
        for (index, provider) in providers.enumerated() {
            statement.bind(parameter + Int32(index), provider)
        }
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
        let statement = pageStatement(
            view: view,
            order: order,
            providers: Providers(providers?.count)
        )
        try statement.prepare()
        defer { statement.reset() }
        statement.bind(1, after)
        statement.bind(2, AppointmentKey.last(domain: domain, status: status))
        // One more than shown tells whether there is a next page.
        statement.bind(3, limit + 1)
        if order == .byIdentifier {
            statement.bind(4, domain)
            statement.bind(5, afterIdentifier)
        }
        Self.bind(providers, to: statement, from: order == .byIdentifier ? 6 : 4)
        var count = 0
        while try statement.step() {
            if count > 0 { output.append(UInt8(ascii: ",")) }
            try layout.append(view, of: statement, from: 1, to: &output)
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

    private func pageStatement(
        view: AppointmentView,
        order: ListOrder,
        providers: Providers
    ) -> Statement {
        if providers == .all {
            return order == .scattered ? pages[view.rawValue] : pagesByIdentifier[view.rawValue]
        }
        let form = Form(view: view, order: order, isPage: true, providers: providers)
        return statement(for: form) {
            let columns = view.columns
            if order == .byIdentifier {
                return """
                    SELECT id, \(columns) FROM appointment AS a INDEXED BY appointment_id
                    WHERE domain = ?4 AND id > ?5 AND +key > ?1 AND +key <= ?2
                    AND \(Self.hasProvider(providers, parameter: 6)) ORDER BY id LIMIT ?3
                    """
            }
            let keys = Self.walks(
                providers,
                parameter: 4,
                of: "SELECT key FROM provider_appointment",
                where: ["key > ?1 AND key <= ?2"]
            )
            return """
                SELECT a.key, \(columns) FROM (\(keys) ORDER BY key LIMIT ?3) AS shown
                CROSS JOIN appointment AS a ON a.key = shown.key
                """
        }
    }

    // MARK: Offset lists

    /// Appends a stretch of a list, with commas between the views.
    ///
    /// - Parameters:
    ///   - site: The id of the site to which the list is limited, if it is.
    ///   - days: The condition on the date, if there is one.
    ///   - shifted: What decides beyond it, row by row.
    /// - Returns: How many were appended.
    func appendList(
        domain: Int64,
        site: Int64?,
        days: AppointmentFilter.DayCondition?,
        shifted: ShiftedDays? = nil,
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
            providers: Providers(providers?.count),
            hasSite: site != nil,
            isShifted: shifted != nil
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
        try statement.prepare()
        defer { statement.reset() }
        statement.bind(1, domain)
        statement.bind(2, shifted == nil ? take : -1)
        statement.bind(3, shifted == nil ? skip : 0)
        if let bounds {
            statement.bind(4, bounds.lower)
            if bounds.upper != bounds.lower { statement.bind(5, bounds.upper) }
        }
        if let site { statement.bind(6, site) }
        Self.bind(providers, to: statement, from: 7)
        var count = 0
        var left = skip
        let dateColumn: Int32 = view == .summary ? 2 : 3
        while try statement.step() {
            if let shifted {
                let isIn = shifted.contain(
                    date: Int(statement.integer(dateColumn)),
                    site: statement.integer(dateColumn + 1),
                    summary: statement.buffer(1)
                )
                if !isIn { continue }
                if left > 0 {
                    left -= 1
                    continue
                }
                if count == take { break }
            }
            if count > 0 { output.append(UInt8(ascii: ",")) }
            try layout.append(view, of: statement, from: 1, to: &output)
            count += 1
        }
        return count
    }

    private func isFew(domain: Int64, _ first: Int, _ last: Int) throws(StoreError) -> Bool {
        try countInRange.prepare(domain, first, last)
        defer { countInRange.reset() }
        return try countInRange.step() && countInRange.integer(0) < Self.fewRows
    }

    /// Parameters: 1 domain, 2 take, 3 skip, 4 and 5 first and last day, 6 site, from 7 on
    /// providers.
    private static func listSQL(_ form: Form) -> String {
        let columns = form.view.columns + (form.isShifted ? ", a.date, a.site" : "")
        var conditions: [String] = []
        switch form.dates {
        case .any: break
        case .on: conditions.append("date = ?4")
        case .withinFew, .withinMany: conditions.append("date BETWEEN ?4 AND ?5")
        }
        if form.hasSite { conditions.append("site = ?6") }

        if form.order == .byIdentifier {
            if form.providers != .all {
                conditions.append(hasProvider(form.providers, parameter: 7))
            }
            return """
                SELECT a.key, \(columns) FROM appointment AS a INDEXED BY appointment_id
                WHERE \((["domain = ?1"] + conditions).joined(separator: " AND "))
                ORDER BY id LIMIT ?2 OFFSET ?3
                """
        }
        let shown: String
        if form.providers != .all {
            let walks = walks(
                form.providers,
                parameter: 7,
                of: """
                    SELECT position, key FROM provider_appointment INDEXED BY provider_position
                    """,
                where: conditions
            )
            shown = walks + " ORDER BY position, key"
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
            SELECT a.key, \(columns) FROM (\(shown) LIMIT ?2 OFFSET ?3) AS shown
            CROSS JOIN appointment AS a ON a.key = shown.key
            """
    }

    /// What several providers have, each row once.
    private static func walks(
        _ providers: Providers,
        parameter: Int,
        of select: String,
        where conditions: [String]
    ) -> String {
        func walk(_ provider: String) -> String {
            "\(select) WHERE \((["provider \(provider)"] + conditions).joined(separator: " AND "))"
        }
        guard case .few(let count) = providers else {
            // UNION with nothing: each row once.
            return walk("IN (\(ids(parameter: parameter)))") + " UNION \(select) WHERE 0"
        }
        return (parameter..<parameter + count).map { walk("= ?\($0)") }
            .joined(separator: " UNION ")
    }

    /// The condition that an appointment has one of several providers.
    private static func hasProvider(_ providers: Providers, parameter: Int) -> String {
        guard case .few(let count) = providers else {
            // Found once, not for each appointment.
            return """
                +a.key IN (SELECT key FROM provider_appointment
                    WHERE provider IN (\(ids(parameter: parameter))))
                """
        }
        let parameters = (parameter..<parameter + count).map { "?\($0)" }
        return """
            EXISTS (SELECT 1 FROM provider_appointment AS p WHERE p.provider
                IN (\(parameters.joined(separator: ", "))) AND p.key = a.key)
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
