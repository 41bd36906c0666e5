import QUBS
import Synchronization
import Time

/// What all sessions of a store have in common.
final class StoreContext: Sendable {
    let rules: RecordRules
    let order: ListOrder
    let workers: Int
    let maximumPages: Int?
    let place: StorePlace
    let seeds: Seeds
    let files: FileBudget
    /// Told in one sentence what whoever runs the server should know.
    let notice: @Sendable (String) -> Void
    /// Keeps other servers from the database, until the store is closed.
    let lock: Mutex<FileLock?>

    init(
        rules: RecordRules,
        order: ListOrder,
        workers: Int,
        maximumPages: Int?,
        place: StorePlace,
        seeds: Seeds,
        files: FileBudget,
        notice: @escaping @Sendable (String) -> Void,
        lock: FileLock?
    ) {
        self.lock = Mutex(lock)
        self.files = files
        self.notice = notice
        self.rules = rules
        self.order = order
        self.workers = workers
        self.maximumPages = maximumPages
        self.place = place
        self.seeds = seeds
    }

    /// A connection that writes to a session's file.
    ///
    /// - Parameters:
    ///   - overlay: Where the file is not a whole one.
    ///   - laid: When its data were laid, by the session's clock.
    func writer(
        to path: String,
        over overlay: Overlay? = nil,
        laid: Instant
    ) throws(StoreError) -> SessionWriter {
        let database = try Database(.sharedFile(path, over: overlay))
        try Schema.configureWriter(
            database,
            isTemporary: place.isTemporary,
            maximumPages: maximumPages
        )
        return SessionWriter(Tables(database, layout: rules.layout), rules: rules, laid: laid)
    }

    /// Connections that read a session's file.
    ///
    /// - Parameters:
    ///   - overlay: Where the file is not a whole one.
    ///   - isUntouched: Whether nobody writes to the file while they are open.
    func readers(
        of path: String,
        over overlay: Overlay? = nil,
        isUntouched: Bool
    ) -> ReaderPool {
        ReaderPool(
            isUntouched ? .immutableFile(path) : .sharedFile(path, over: overlay),
            layout: rules.layout,
            workers: workers,
            budget: files
        )
    }
}
