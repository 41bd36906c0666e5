package import QUBS
package import Time

/// What a store is opened with.
package struct StoreConfiguration: Sendable {
    /// The default data, as the fixture files have them.
    package var base: FixtureImage
    /// The day around which they are laid; `nil` for the one on which a session starts.
    package var today: LocalDate?
    /// When the store is opened.
    package var now: Instant
    /// How the contract writes records.
    package var shapes: ViewShapes
    /// The database file of session `default`; `nil` for temporary data.
    package var databasePath: String?
    /// The folder in which temporary data make their own.
    package var temporaryFolder: String
    package var order: ListOrder
    package var scatter: Scatter
    /// What time zones there are.
    package var zones: TimeZones
    /// Workers are numbered from 0 up to this.
    package var workers: Int
    /// Sessions beside `default` that may be open at once.
    package var maximumSessions: Int
    /// The largest database file, in pages of 4 KiB; `nil` for no limit but the disk's.
    package var maximumPages: Int?
    /// Descriptors that the databases of sessions may have open together; beyond them, sessions that
    /// rest close theirs.
    package var maximumOpenFiles: Int
    /// Told in one sentence what whoever runs the server should know.
    ///
    /// Called from any thread.
    package var notice: @Sendable (String) -> Void

    package init(
        base: FixtureImage,
        today: LocalDate? = nil,
        now: Instant,
        shapes: ViewShapes,
        databasePath: String? = nil,
        temporaryFolder: String = "/tmp",
        order: ListOrder = .scattered,
        scatter: Scatter,
        zones: TimeZones = .unknown,
        workers: Int,
        maximumSessions: Int = 256,
        maximumPages: Int? = nil,
        maximumOpenFiles: Int = .max,
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.base = base
        self.today = today
        self.now = now
        self.shapes = shapes
        self.databasePath = databasePath
        self.temporaryFolder = temporaryFolder
        self.order = order
        self.scatter = scatter
        self.zones = zones
        self.workers = workers
        self.maximumSessions = maximumSessions
        self.maximumPages = maximumPages
        self.maximumOpenFiles = maximumOpenFiles
        self.notice = notice
    }
}
