import Glibc
import QUBS
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

    /// Permanent data.
    init(databasePath: String) {
        self.databasePath = databasePath
        run = nil
    }

    /// Temporary data.
    init(run: RunFolder) {
        databasePath = nil
        self.run = run
    }

    var isTemporary: Bool { databasePath == nil }

    /// The copy of a generated database from before its first change.
    var seedPath: String? { databasePath.map { $0 + "-seed" } }

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
        guard let folder = existingFolder(.snapshots) else { return [] }
        return Files.names(in: folder).compactMap { file in
            guard let name = StoreFileName(snapshot: file), name.session == session,
                name.kind == .whole, let snapshot = name.snapshot
            else { return nil }
            let info = SnapshotInfo(
                name: snapshot.name,
                createdAt: Instant(secondsSince1970: snapshot.seconds)
            )
            return (info, "\(folder)/\(file)", snapshot.isShared)
        }
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
