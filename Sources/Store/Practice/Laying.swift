import JSON
import QUBS
import Time

/// Lays data out around a day.
enum Laying {
    /// The default data around a moment.
    static func lay(
        _ base: FixtureImage,
        around present: Present,
        rules: RecordRules
    ) throws(StoreError) -> DatabaseImage {
        let buffer = try base.copy()
        try lay(buffer, of: base, around: present, rules: rules)
        return try buffer.image()
    }

    /// Lays out data in memory.
    ///
    /// - Parameters:
    ///   - buffer: A copy of `base`.
    /// - Returns: The practices of the domains that have one, as they were before.
    @discardableResult
    static func lay(
        _ buffer: ImageBuffer,
        of base: FixtureImage,
        around present: Present,
        rules: RecordRules
    ) throws(StoreError) -> [PracticeTable.Practice] {
        try buffer.open { database throws(StoreError) in
            let tables = Tables(database, layout: rules.layout)
            let practices = try tables.practices.practices()
            let stay = practices.allSatisfy {
                $0.written == present.place(in: $0.rule).dayZero
            }
            if !stay {
                let dates: DatePlaces
                if let known = base.dates {
                    dates = known
                } else {
                    dates = try DateFinder.places(
                        in: database,
                        buffer.octets,
                        layout: rules.layout
                    )
                }
                DateMover(dates, practices, to: present).move(buffer.octets)
                // SQLite keeps no page of before: nothing is being read, and nothing was written.
                try database.execute("PRAGMA shrink_memory")
            }
            try database.execute("PRAGMA secure_delete = OFF; PRAGMA journal_mode = OFF; BEGIN")
            for practice in practices {
                let (dayZero, instant) = present.place(in: practice.rule)
                try moveFixed(practice, to: dayZero, in: tables)
                try tables.practices.move(
                    domain: practice.domain,
                    to: dayZero,
                    present: instant,
                    isPinned: present.isPinned
                )
                try leaveOutUnborn(practice, dayZero: dayZero, in: tables)
                try run(practice, dayZero: dayZero, to: instant, in: tables, rules: rules)
            }
            try database.execute("COMMIT")
            return practices
        }
    }

    /// Counts the dates of appointments that stay from the new day zero.
    private static func moveFixed(
        _ practice: PracticeTable.Practice,
        to dayZero: LocalDate,
        in tables: Tables
    ) throws(StoreError) {
        let days = dayZero.daysSince1970 - practice.dayZero.daysSince1970
        if days == 0 { return }
        for id in try tables.practices.fixed(in: practice.domain) {
            try tables.appointments.moveDate(domain: practice.domain, id: id, byDays: -days)
        }
    }

    /// Removes appointments of patients who are not born yet.
    ///
    /// Only a day zero before that of the files has any.
    private static func leaveOutUnborn(
        _ practice: PracticeTable.Practice,
        dayZero: LocalDate,
        in tables: Tables
    ) throws(StoreError) {
        if dayZero >= practice.written { return }
        let unborn = Statement(
            tables.database,
            """
            SELECT appointment.id FROM appointment JOIN patient
            ON patient.domain = appointment.domain AND patient.id = appointment.patient
            WHERE appointment.domain = ?1 AND date IS NOT NULL
            AND julianday(json_extract(CAST(patient.summary AS TEXT), '$.dateOfBirth'))
                > julianday('1970-01-01') + ?2 + date
            AND appointment.id NOT IN (
                SELECT appointment FROM fixed_appointment WHERE domain = ?1)
            """
        )
        try unborn.prepare(practice.domain, dayZero.daysSince1970)
        var ids: [String] = []
        while try unborn.step() { ids.append(unborn.text(0)) }
        unborn.reset()
        for id in ids {
            if let entry = try tables.appointments.entry(domain: practice.domain, id: id) {
                try tables.removeAppointment(entry, domain: practice.domain, id: id)
            }
        }
    }

    /// Brings the appointments of day zero from noon, where the files have them, to the present.
    private static func run(
        _ practice: PracticeTable.Practice,
        dayZero: LocalDate,
        to present: Instant,
        in tables: Tables,
        rules: RecordRules
    ) throws(StoreError) {
        let noon = Present.noon(practice.written).place(in: practice.rule).present
        if dayZero == practice.written, present == noon { return }
        let zones = try tables.sites.zones(in: practice.domain)
        let old = zones.mapValues { ZoneClock($0, around: practice.written) }
        let new = zones.mapValues { ZoneClock($0, around: dayZero) }
        /// The stages at noon and at the present.
        func stages(_ moments: Course.Moments, _ site: Int64) -> (Course.Stage, Course.Stage)? {
            guard let old = old[site], let new = new[site] else { return nil }
            return (
                moments.stage { old.instant(of: practice.written, seconds: $0) <= noon },
                moments.stage { new.instant(of: dayZero, seconds: $0) <= present }
            )
        }
        let moved = try tables.courses.standing(of: practice.domain) { moments, site in
            stages(moments, site).map { $0 != $1 } ?? false
        }
        for (course, entry) in moved {
            guard let new = new[entry.site],
                let (_, now) = stages(course.moments, entry.site)
            else { continue }
            try tables.change(
                entry,
                id: course.appointment,
                status: course.status(at: now),
                members: course.members(at: now) { new.instant(of: dayZero, seconds: $0) },
                layout: rules.layout
            )
        }
    }
}
