import QUBS
import Synchronization
package import Time

/// A kept state of a session, as listed.
package struct SnapshotInfo: Sendable, Hashable {
    package let name: String
    package let createdAt: Instant
}

/// Which file holds what.
///
/// With a database: `default` in the file itself, other sessions in `PATH-sessions/NAME.db`,
/// snapshots in `PATH-snapshots`. Without: all in the run folder. An empty file ending in `.shared`
/// is the snapshot of a session that has not written.
struct StorePlace: Sendable {
    /// The file given by the user; `nil` for temporary data.
    let databasePath: String?
    private let run: RunFolder?
    /// Kept in memory, so that they are found when no descriptor is left to read a folder with.
    private let snapshotPaths = SnapshotPaths()

    /// Permanent data.
    init(databasePath: String) {
        self.databasePath = databasePath
        run = nil
        let folder = StorePart.snapshots.path(besideDatabase: databasePath)
        for name in Files.names(in: folder) { add(snapshotAt: "\(folder)/\(name)") }
    }

    /// Temporary data.
    init(run: RunFolder) {
        databasePath = nil
        self.run = run
    }

    var isTemporary: Bool { databasePath == nil }

    /// The copy of a generated database from before its first change.
    var seedPath: String? { databasePath.map { $0 + Self.seedSuffix } }

    /// What the name of that copy ends in.
    static let seedSuffix = "-seed"

    /// Removes temporary data.
    func end() { run?.remove() }

    /// The file of a session, in a folder that exists.
    func path(ofSession name: String) throws(StoreError) -> String {
        guard let databasePath else { return try folder(.sessions) + "/\(name).db" }
        if name == MockStore.defaultSession { return databasePath }
        return try folder(.sessions) + "/\(name).db"
    }

    /// The sessions whose files an earlier server left.
    func sessions() -> [String] {
        guard let databasePath else { return [] }
        return Files.names(in: StorePart.sessions.path(besideDatabase: databasePath))
            .compactMap { StoreFileName(session: $0) }.filter { $0.kind == .whole }.map(\.session)
    }

    /// Notes beside a database that there is a session, though it has no data of its own.
    ///
    /// An empty file says so: a snapshot without it belongs to nobody.
    func mark(session name: String) {
        guard databasePath != nil, name != MockStore.defaultSession,
            let path = try? path(ofSession: name), Files.ownStatus(path) == nil
        else { return }
        // Without room on the disk the session lives as long as the server.
        try? Files.write(UnsafeRawBufferPointer(start: nil, count: 0), to: path)
    }

    /// Takes back what `mark` noted.
    func unmark(session name: String) {
        guard let folder = existingFolder(.sessions), databasePath != nil,
            name != MockStore.defaultSession
        else { return }
        Files.remove("\(folder)/\(name)\(StoreFileName.databaseSuffix)")
    }

    // MARK: Snapshots

    /// The file for a snapshot of its own data.
    func path(
        ofSnapshot name: String,
        session: String,
        createdAt: Instant,
        isShared: Bool
    ) throws(StoreError) -> String {
        let suffix = isShared ? StoreFileName.sharedSuffix : StoreFileName.databaseSuffix
        return try folder(.snapshots)
            + "/\(session)@\(name)@\(createdAt.secondsSince1970)\(suffix)"
    }

    /// The snapshots of a session, by name.
    func snapshots(
        ofSession session: String
    ) -> [(info: SnapshotInfo, path: String, isShared: Bool)] {
        snapshotPaths.of(session)
    }

    /// Notes a file that is a snapshot now.
    func add(snapshotAt path: String) {
        let file = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        guard let name = StoreFileName(snapshot: String(file)), name.kind == .whole,
            let snapshot = name.snapshot
        else { return }
        let info = SnapshotInfo(
            name: snapshot.name,
            createdAt: Instant(secondsSince1970: snapshot.seconds)
        )
        snapshotPaths.add((info, path, snapshot.isShared), to: name.session)
    }

    /// Removes a snapshot and its file.
    func remove(snapshotAt path: String) {
        Files.remove(path)
        snapshotPaths.remove(path)
    }

    private func existingFolder(_ part: StorePart) -> String? {
        if let databasePath { return part.path(besideDatabase: databasePath) }
        return run?.existingPath.map { "\($0)/\(part.rawValue)" }
    }

    private func folder(_ part: StorePart) throws(StoreError) -> String {
        let path: String
        if let databasePath {
            path = part.path(besideDatabase: databasePath)
        } else if let run {
            path = "\(try run.path())/\(part.rawValue)"
        } else {
            preconditionFailure("data are permanent or temporary")
        }
        try Files.makeFolder(path)
        return path
    }
}

/// The snapshots of all sessions.
private final class SnapshotPaths: Sendable {
    typealias Entry = (info: SnapshotInfo, path: String, isShared: Bool)

    private let all = Mutex<[String: [Entry]]>([:])

    /// The snapshots of a session, by name.
    func of(_ session: String) -> [Entry] {
        all.withLock { $0[session] ?? [] }.sorted { $0.path < $1.path }
    }

    func add(_ entry: Entry, to session: String) {
        all.withLock { all in
            all[session, default: []].removeAll { $0.path == entry.path }
            all[session, default: []].append(entry)
        }
    }

    func remove(_ path: String) {
        all.withLock { all in
            for session in all.keys { all[session]?.removeAll { $0.path == path } }
        }
    }
}
