package import Time

/// How long an exam waited for its report, by the session's clock.
package struct Wait: Sendable, Equatable {
    package let domain: String
    package let appointment: String
    /// When it fell due; `nil` where that was before.
    package let since: Instant?
    /// When it left the pending list; `nil` where it has not.
    package fileprivate(set) var until: Instant?
}

extension SessionReader {
    /// The exams that fell due, or left the pending list, after an instant; in the order of that.
    ///
    /// - Parameter start: By the session's clock.
    package func waits(after start: Instant) throws(StoreError) -> [Wait] {
        let laid = session.laid
        return try session.read(worker) { tables throws(StoreError) in
            let begun = try tables.due.laid() ?? laid
            var offsets: [String: Int64] = [:]
            for practice in try tables.practices.practices() {
                let name = try tables.domains.name(of: practice.domain) ?? ""
                offsets[name] = WorldPlace.offset(practice, laid: begun)
            }
            let pending = PracticeEvent.pend.status
            var waits: [Wait] = []
            var last: [[String]: Int] = [:]
            for event in try tables.events.changes(of: pending) {
                let time = event.time.advanced(bySeconds: -(offsets[event.domain] ?? 0))
                let subject = [event.domain, event.appointment]
                if time <= start { continue }
                if event.to != pending, let open = last.removeValue(forKey: subject) {
                    waits[open].until = time
                    continue
                }
                let isDue = event.to == pending
                if isDue { last[subject] = waits.count }
                waits.append(
                    Wait(
                        domain: event.domain,
                        appointment: event.appointment,
                        since: isDue ? time : nil,
                        until: isDue ? nil : time
                    )
                )
            }
            return waits
        }
    }
}
