package import QUBS

/// What a store is opened with.
package struct StoreConfiguration: Sendable {
    /// The default data.
    package var image: DatabaseImage
    /// How the contract writes records.
    package var shapes: ViewShapes
    /// The database file of session `default`; `nil` for temporary data.
    package var databasePath: String?
    /// The folder in which temporary data make their own.
    package var temporaryFolder: String
    package var order: ListOrder
    package var scatter: Scatter
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
        image: DatabaseImage,
        shapes: ViewShapes,
        databasePath: String? = nil,
        temporaryFolder: String = "/tmp",
        order: ListOrder = .scattered,
        scatter: Scatter,
        workers: Int,
        maximumSessions: Int = 256,
        maximumPages: Int? = nil,
        maximumOpenFiles: Int = .max,
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.image = image
        self.shapes = shapes
        self.databasePath = databasePath
        self.temporaryFolder = temporaryFolder
        self.order = order
        self.scatter = scatter
        self.workers = workers
        self.maximumSessions = maximumSessions
        self.maximumPages = maximumPages
        self.maximumOpenFiles = maximumOpenFiles
        self.notice = notice
    }
}
