import Glibc
import Synchronization

/// The data that every session starts with, and that those which have not written share.
///
/// Either the image of the default data, or the file that `fixtures generate` made. That file is
/// also the database of `default`: before it changes, it is copied, and the copy takes its place
/// here.
final class SeedData: Sendable {
    /// Where fresh data come from.
    enum Source {
        case image(DatabaseImage)
        case file(String)
    }

    private struct State {
        var source: Source
        var pool: ReaderPool
    }

    /// `nil` when the copy of a generated database is gone.
    private let state: Mutex<State?>
    /// Held while the source is copied or changes.
    private let copying = Mutex<Void>(())
    private let layout: AppointmentLayout
    private let workers: Int
    private let missingPath: String

    /// - Parameter missingPath: What to name in the error when there is no source.
    init(
        _ source: Source?,
        layout: AppointmentLayout,
        workers: Int,
        missingPath: String = ""
    ) {
        self.layout = layout
        self.workers = workers
        self.missingPath = missingPath
        state = Mutex(
            source.map {
                State(source: $0, pool: Self.pool($0, layout: layout, workers: workers))
            }
        )
    }

    private static func pool(
        _ source: Source,
        layout: AppointmentLayout,
        workers: Int
    ) -> ReaderPool {
        let location: Database.Location =
            switch source {
            case .image(let image): .image(image)
            case .file(let path): .immutableFile(path)
            }
        return ReaderPool(location, layout: layout, workers: workers)
    }

    /// The connections that sessions share.
    func pool() throws(StoreError) -> ReaderPool {
        guard let pool = state.withLock({ $0?.pool }) else {
            throw .seedMissing(path: missingPath)
        }
        return pool
    }

    /// The image, where the data are one.
    var image: DatabaseImage? {
        if case .image(let image)? = state.withLock({ $0?.source }) { image } else { nil }
    }

    /// Whether the data are this file.
    func isFile(_ path: String) -> Bool {
        if case .file(path)? = state.withLock({ $0?.source }) { true } else { false }
    }

    /// How many octets a copy has; 0 where there is no source.
    var octets: Int {
        switch state.withLock({ $0?.source }) {
        case .image(let image): image.count
        case .file(let path): Int(Files.status(path)?.st_size ?? 0)
        case nil: 0
        }
    }

    /// Makes a new file with the data.
    func copy(to path: String) throws(StoreError) {
        try copying.withLock { _ throws(StoreError) in
            guard let source = state.withLock({ $0?.source }) else {
                throw .seedMissing(path: missingPath)
            }
            switch source {
            case .image(let image): try Files.write(image.octets, to: path)
            case .file(let file): try Files.copy(file, to: path)
            }
        }
    }

    /// Puts a copy of a generated database in its place, before the database changes.
    ///
    /// - Parameter isCurrent: Whether a file that is there is this copy already.
    func preserve(
        _ path: String,
        as seedPath: String,
        isCurrent: (String) -> Bool
    ) throws(StoreError) {
        try copying.withLock { _ throws(StoreError) in
            guard case .file(path)? = state.withLock({ $0?.source }) else { return }
            if !isCurrent(seedPath) { try Files.copy(path, to: seedPath) }
            let source = Source.file(seedPath)
            let pool = Self.pool(source, layout: layout, workers: workers)
            let old = state.withLock { state in
                let old = state?.pool
                state = State(source: source, pool: pool)
                return old
            }
            old?.close()
        }
    }

    /// Closes the connections.
    func close() {
        state.withLock { $0?.pool }?.close()
    }
}
