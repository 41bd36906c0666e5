import Synchronization
import Time

/// The data that sessions start with, at whatever moment they do.
///
/// What was laid out for an hour serves all who start in it, and lives as long as one of them has
/// not written.
final class Seeds: Sendable {
    private struct Laid {
        let present: Present
        let seed: SeedData
    }

    /// What is laid out; `nil` where data stay where they are.
    private let base: FixtureImage?
    private let today: LocalDate?
    private let rules: RecordRules
    private let workers: Int
    /// The reference time zone of the first domain that has one.
    private let zone: TimeZoneRule
    private let latest: Mutex<Laid>
    /// The last data of a day that is played: it begins alike in all sessions.
    private let played = Mutex<Laid?>(nil)

    /// Data that move with the day.
    ///
    /// - Parameters:
    ///   - image: The data around `now`.
    ///   - zone: The reference time zone of the first domain that has one; `nil` where none has.
    ///   - today: The day that was fixed, if one was.
    init(
        _ base: FixtureImage,
        image: DatabaseImage,
        zone: TimeZoneRule?,
        today: LocalDate?,
        now: Instant,
        rules: RecordRules,
        workers: Int
    ) {
        self.zone = zone ?? .utc
        self.base = zone == nil ? nil : base
        self.today = today
        self.rules = rules
        self.workers = workers
        latest = Mutex(
            Laid(
                present: Present(pinned: today, now: now),
                seed: SeedData(.image(image), layout: rules.layout, workers: workers)
            )
        )
    }

    /// Data that stay where they are.
    init(_ seed: SeedData, rules: RecordRules, workers: Int) {
        base = nil
        today = nil
        zone = .utc
        self.rules = rules
        self.workers = workers
        latest = Mutex(Laid(present: .hour(0), seed: seed))
    }

    /// The data for a session that starts now.
    func seed(at now: Instant) throws(StoreError) -> SeedData {
        let present = Present(pinned: today, now: now)
        return try latest.withLock { latest throws(StoreError) in
            guard let base, latest.present != present else { return latest.seed }
            latest = try lay(base, around: present)
            return latest.seed
        }
    }

    /// The data as they are at a time of day zero; data that stay are as they are.
    ///
    /// - Parameters:
    ///   - seconds: Since midnight, on the clocks of the reference time zone.
    ///   - now: Within day zero, unless `--today` fixed it.
    func seed(ofDayAt seconds: Int, now: Instant) throws(StoreError) -> SeedData {
        guard let base else { return self.present }
        let instant = zone.instant(of: today ?? zone.date(at: now), seconds: seconds)
        let present = Present.played(instant.secondsSince1970, isPinned: today != nil)
        return try played.withLock { played throws(StoreError) in
            if let played, played.present == present { return played.seed }
            let laid = try lay(base, around: present)
            played = laid
            return laid.seed
        }
    }

    private func lay(
        _ base: FixtureImage,
        around present: Present
    ) throws(StoreError) -> Laid {
        let image = try Laying.lay(base, around: present, rules: rules)
        return Laid(
            present: present,
            seed: SeedData(.image(image), layout: rules.layout, workers: workers)
        )
    }

    /// The data that were laid out last.
    var present: SeedData { latest.withLock { $0.seed } }

    /// Closes the connections to the data that were laid out last.
    func close() {
        present.close()
        played.withLock { $0?.seed.close() }
    }
}
