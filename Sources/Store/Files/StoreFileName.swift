import QUBS

/// A folder of files that a store makes: in the run folder, or beside a database.
enum StorePart: String, CaseIterable {
    case sessions
    case snapshots

    /// The path of the folder beside a database.
    func path(besideDatabase path: String) -> String { "\(path)-\(rawValue)" }

    /// The file of this name; `nil` where a store gives no such name in this folder.
    func file(named name: String) -> StoreFileName? {
        switch self {
        case .sessions: StoreFileName(session: name)
        case .snapshots: StoreFileName(snapshot: name)
        }
    }

    /// The file of this name, where it is a session or snapshot itself.
    func wholeFile(named name: String) -> StoreFileName? {
        file(named: name).flatMap { $0.kind == .whole ? $0 : nil }
    }

    /// Removes the files that a store made.
    func removeFiles(of folder: OpenFolder) {
        for name in folder.names() where file(named: name) != nil && folder.hasOwnFile(name) {
            folder.removeFile(name)
        }
    }
}

/// The name of a file in a folder of sessions or of snapshots.
///
/// `NAME.db` is the database of a session. `SESSION@NAME@SECONDS.db` is a snapshot, and
/// `SESSION@NAME@SECONDS.shared` one of a session that had not written. What SQLite keeps beside a
/// database, and what is not whole yet, has a suffix more.
struct StoreFileName: Equatable {
    /// Which file it is.
    enum Kind: Equatable {
        /// The session or snapshot itself.
        case whole
        /// What SQLite keeps beside it.
        case companion
        /// A part of what was to become it.
        case unfinished
    }

    /// A snapshot, as its name tells.
    struct Snapshot: Equatable {
        let name: String
        let seconds: Int64
        let isShared: Bool
    }

    let session: String
    /// `nil` for the database of a session.
    let snapshot: Snapshot?
    let kind: Kind
    /// The name of the session's or snapshot's own file.
    let whole: String

    static let databaseSuffix = ".db"
    static let sharedSuffix = ".shared"
    /// What takes the place of a database, until it does.
    static let freshSuffix = "-new"

    /// Reads the name of a file of a session; `nil` where this program gives no such name.
    init?(session text: String) {
        let (whole, kind) = Self.split(text)
        guard whole.hasSuffix(Self.databaseSuffix) else { return nil }
        session = String(whole.dropLast(Self.databaseSuffix.count))
        guard MockStore.isName(session) else { return nil }
        self.whole = whole
        self.kind = kind
        snapshot = nil
    }

    /// Reads the name of a file of a snapshot; `nil` where this program gives no such name.
    init?(snapshot text: String) {
        let (whole, kind) = Self.split(text)
        let isShared = whole.hasSuffix(Self.sharedSuffix)
        let suffix = isShared ? Self.sharedSuffix : Self.databaseSuffix
        guard whole.hasSuffix(suffix) else { return nil }
        let parts = whole.dropLast(suffix.count)
            .split(separator: "@", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 3, MockStore.isName(parts[0]), MockStore.isName(parts[1]),
            let seconds = Int64(parts[2]), String(seconds) == parts[2]
        else { return nil }
        session = parts[0]
        snapshot = Snapshot(name: parts[1], seconds: seconds, isShared: isShared)
        self.whole = whole
        self.kind = kind
    }

    /// The file beside which this one stands, or which it was to become, and which of them it is.
    static func split(_ name: String) -> (whole: String, kind: Kind) {
        if name.hasSuffix(databaseSuffix) || name.hasSuffix(sharedSuffix) { return (name, .whole) }
        var whole = Substring(name)
        var kind = Kind.whole
        /// Whether the name ends so, and in more; then it ends so no longer.
        func drop(_ suffix: String, _ dropped: Kind) -> Bool {
            guard whole.hasSuffix(suffix), whole.utf8.count > suffix.utf8.count else {
                return false
            }
            whole = whole.dropLast(suffix.count)
            kind = dropped
            return true
        }
        if !Files.companionSuffixes.contains(where: { drop($0, .companion) }) {
            _ = drop(Files.unfinishedSuffix, .unfinished)
        }
        _ = drop(freshSuffix, .unfinished)
        return (String(whole), kind)
    }
}
