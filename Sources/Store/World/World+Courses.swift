import Time

// The appointments of day zero: what they do is said in practice.json, and the laid data show it.

extension World {
    /// Finds out how far the courses have come in the data as they were laid, and what comes next.
    ///
    /// What the data show already is listed as if it had happened here: so a list does not depend on
    /// when they were laid.
    func beginCourses(of place: WorldPlace) throws(StoreError) {
        for (course, site) in try tables.courses.courses(of: place.id) {
            let id = course.appointment
            guard let site else { continue }
            if try tables.practices.rests(id, domain: place.id) { continue }
            if try tables.due.has(domain: place.id, appointment: id) { continue }
            let instant = { (seconds: Int) in
                place.instant(site: site, day: 0, seconds: seconds)
            }
            let stage = course.stage { instant($0) <= place.present }
            try log(course, from: .expected, to: stage, in: place, instant)
            try scheduleCourse(course, after: place.present, in: place, instant)
        }
    }

    /// Brings an appointment to the next stage of its course.
    func follow(_ id: String, to time: Int64, in place: WorldPlace) throws(StoreError) {
        guard let site = try tables.appointments.site(domain: place.id, id: id),
            let course = try tables.courses.course(of: id, domain: place.id)
        else { return try tables.due.remove(domain: place.id, appointment: id) }
        let instant = { (seconds: Int) in place.instant(site: site, day: 0, seconds: seconds) }
        let before = course.stage { instant($0) < time }
        let stage = course.stage { instant($0) <= time }
        try tables.change(
            domain: place.id,
            id: id,
            status: course.status(at: stage),
            members: course.members(at: stage) { Instant(secondsSince1970: instant($0)) },
            layout: layout
        )
        try log(course, from: before, to: stage, in: place, instant)
        try scheduleCourse(course, after: time, in: place, instant)
    }

    private func scheduleCourse(
        _ course: Course,
        after time: Int64,
        in place: WorldPlace,
        _ instant: (Int) -> Int64
    ) throws(StoreError) {
        let times = course.times.map(instant)
        if let next = times.first(where: { $0 > time }) {
            return try put(.course, course.appointment, at: next, in: place)
        }
        try schedule(course.appointment, after: times.last ?? time, in: place)
    }

    /// Lists the events that lead from a stage to a later one.
    private func log(
        _ course: Course,
        from before: Course.Stage,
        to stage: Course.Stage,
        in place: WorldPlace,
        _ instant: (Int) -> Int64
    ) throws(StoreError) {
        for event in course.events
        where event.stage.rawValue > before.rawValue && event.stage.rawValue <= stage.rawValue {
            try log(
                event.event.rawValue,
                course.appointment,
                from: event.from,
                to: event.to,
                at: instant(event.seconds),
                in: place
            )
        }
    }
}

extension Course {
    /// When it reaches its stages, in order; seconds since midnight of day zero.
    var times: [Int] {
        guard let visit else { return [decided] }
        return [visit.arrived, visit.started, visit.ended, decided]
    }

    /// An event on its way.
    struct Event {
        let event: PracticeEvent
        /// The stage that it leads to.
        let stage: Stage
        let seconds: Int
        let from: String
        let to: String
    }

    /// The events on its way, in order.
    var events: [Event] {
        let expected = status(at: .expected)
        guard let visit else {
            return [
                Event(
                    event: status == PracticeEvent.miss.status ? .miss : .cancel,
                    stage: .decided,
                    seconds: decided,
                    from: expected,
                    to: status
                )
            ]
        }
        let (arrived, inProgress) = (status(at: .arrived), status(at: .inProgress))
        let ended = status(at: .ended)
        func event(
            _ event: PracticeEvent,
            _ stage: Stage,
            _ seconds: Int,
            _ from: String,
            _ to: String
        ) -> Event {
            Event(event: event, stage: stage, seconds: seconds, from: from, to: to)
        }
        var events = [
            event(.arrive, .arrived, visit.arrived, expected, arrived),
            event(.start, .inProgress, visit.started, arrived, inProgress),
            event(.end, .ended, visit.ended, inProgress, inProgress),
            event(.pend, .ended, visit.ended, inProgress, ended),
        ]
        if status == ended { return events }
        // The report is written at one stroke; a status off this way is reached by its first step.
        let steps: [PracticeEvent] = [.dictate, .type, .authorise, .finalise]
        let count = steps.firstIndex { $0.status == status }.map { $0 + 1 } ?? 1
        var from = ended
        for (index, step) in steps.prefix(count).enumerated() {
            let to = index + 1 == count ? status : step.status
            events.append(event(step, .decided, decided, from, to))
            from = to
        }
        return events
    }
}
