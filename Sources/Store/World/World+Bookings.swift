import JSON
import Time

// New appointments: up to three an hour of the day's work, each after one that is there.

extension World {
    /// Bookings end so many days after day zero, so that data whose clock was moved by years stay
    /// small.
    private static let bookingDays: Int64 = 92
    /// The hours of the day in which somebody answers the telephone.
    private static let hours: Range<Int64> = 7..<18
    private static let hour: Int64 = 3600
    private static let day: Int64 = 24 * hour

    /// Notes when the next appointment of a domain is booked.
    ///
    /// - Parameter time: In the world's time.
    func bookNext(after time: Int64, in place: WorldPlace) throws(StoreError) {
        if let next = nextBooking(after: time, in: place) {
            try put(.booking, "", at: next, in: place)
        } else {
            try tables.due.remove(domain: place.id, appointment: "")
        }
    }

    private func nextBooking(after time: Int64, in place: WorldPlace) -> Int64? {
        let habits = habits(of: "", in: place)
        let last = place.midnight + Self.bookingDays * Self.day
        // A slot is an hour since the beginning of day zero.
        var slot = max(0, (time - place.midnight).floorDivided(by: Self.hour))
        while place.midnight + slot * Self.hour < last {
            let start = place.midnight + slot * Self.hour
            let local = start + Int64(place.clock.offset(at: Int(start)))
            if Self.hours.contains(local.floorDivided(by: Self.hour) % 24) {
                let count = habits.draw(.slots, 1...3, salt: UInt64(slot))
                let times = (0..<count).map {
                    start + habits.draw(.second, 0...3599, salt: UInt64(slot * 3 + $0))
                }
                if let next = times.sorted().first(where: { $0 > time }) { return next }
            }
            slot += 1
        }
        return nil
    }

    /// Books an appointment: again what somebody had before, on another day.
    func book(at time: Int64, in place: WorldPlace) throws(StoreError) {
        try bookNext(after: time, in: place)
        let number = String(time - place.midnight)
        let id = "B" + String(repeating: "0", count: max(0, 7 - number.utf8.count)) + number
        if try tables.appointments.key(domain: place.id, id: id) != nil { return }
        let habits = habits(of: id, in: place)
        guard let model = try model(habits, in: place),
            var record = try tables.appointmentRecord(
                domain: place.id,
                id: model,
                layout: layout
            )
        else { return }
        let local = time + Int64(place.clock.offset(at: Int(time)))
        let today = LocalDate(daysSince1970: Int(local.floorDivided(by: Self.day)))
        var date = today.daysSince1970 + Int(habits.draw(.day, 1...21))
        if LocalDate(daysSince1970: date).weekday == 0 { date += 1 }
        record["appointmentId"] = .string(id)
        record["status"] = .string("NOT ARRIVED")
        record["appointmentDate"] = .string(LocalDate(daysSince1970: date).description)
        for name in [
            "arrivalDateTime", "scanStartDateTime", "scanEndDateTime", "scanTotalTime",
            "waitingTotalTime", "reportingDeadline", "radiologist",
        ] {
            record[name] = nil
        }
        let domain = RecordWriter.Domain(id: place.id, name: place.name)
        guard try records.putAppointment(record, in: domain, isNew: true).isEmpty else { return }
        try log("book", id, from: nil, to: "NOT ARRIVED", at: time, in: place)
        try schedule(id, after: time, in: place)
    }

    /// An ordinary appointment of these days.
    private func model(_ habits: Habits, in place: WorldPlace) throws(StoreError) -> String? {
        let find = Statement(
            tables.database,
            """
            SELECT id FROM appointment INDEXED BY appointment_position
            WHERE domain = ?1 AND position >= ?2 AND date >= 0 AND patient IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM fixed_appointment AS f
                WHERE f.domain = ?1 AND f.appointment = appointment.id)
            AND NOT EXISTS (SELECT 1 FROM apart_appointment AS a
                WHERE a.domain = ?1 AND a.appointment = appointment.id)
            ORDER BY position LIMIT 1
            """
        )
        try find.prepare()
        // From a drawn place on, and else from the first one.
        for position in [habits.draw(.template, 0...(Scatter.limit - 1)), 0] {
            defer { find.reset() }
            find.bind(1, place.id)
            find.bind(2, position)
            if try find.step() { return find.text(0) }
        }
        return nil
    }
}
