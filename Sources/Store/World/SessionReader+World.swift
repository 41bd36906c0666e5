package import Time

extension SessionReader {
    /// The world's time when the session's clock shows `now`.
    ///
    /// - Returns: That of the first domain that has one; `now` where none has.
    package func worldTime(now: Instant) throws(StoreError) -> Instant {
        let laid = session.laid
        return try session.read(worker) { tables throws(StoreError) in
            guard let practice = try tables.practices.practices().first else { return now }
            let offset = WorldPlace.offset(practice, laid: try tables.due.laid() ?? laid)
            return now.advanced(bySeconds: offset)
        }
    }

    /// When something happens next by itself, in the world's time; `nil` where nothing does.
    package func nextEvent() throws(StoreError) -> Instant? {
        try session.read(worker) { tables throws(StoreError) in
            guard let laid = try tables.due.laid(), let due = try tables.due.firstEvent() else {
                return nil
            }
            let practice = try tables.practices.practices().first { $0.domain == due.domain }
            let offset = practice.map { WorldPlace.offset($0, laid: laid) } ?? 0
            return Instant(secondsSince1970: due.time.addingSaturated(offset))
        }
    }
}
