import Glibc

/// What servers that were killed leave behind, and how little of it may be removed.
///
/// Whoever starts a server may have anything in the same folders. So a name alone is never enough:
/// what is removed is of this user, is no link, was opened before it was looked at, and has a name
/// that only this program gives.
enum Leftovers {
    // MARK: Run folders

    /// What the name of a run folder begins with; process id and a number follow.
    static let runFolderPrefix = "qubs-mock-"

    /// Removes the run folders of servers that are gone.
    ///
    /// A folder that holds anything else than what a server puts there stays as it is.
    static func removeRunFolders(in parent: String) {
        guard let parent = OpenFolder(path: parent) else { return }
        for name in parent.names(beginningWith: runFolderPrefix) where isRunFolderName(name) {
            guard let status = parent.status(of: name), isRunFolder(status),
                let folder = OpenFolder(in: parent, named: name),
                let opened = folder.status, isRunFolder(opened),
                // Locked: its server runs.
                flock(folder.descriptor, LOCK_EX | LOCK_NB) == 0,
                folder.content(
                    of: RunFolder.markerName,
                    maximumOctets: RunFolder.marker.count
                ) == RunFolder.marker,
                holdsNothingElse(folder)
            else { continue }
            empty(folder)
            parent.removeFolder(name)
        }
    }

    /// Whether a name is `qubs-mock-`, a process id, `-` and a number.
    static func isRunFolderName(_ name: String) -> Bool {
        guard name.hasPrefix(runFolderPrefix) else { return false }
        let numbers = name.dropFirst(runFolderPrefix.count)
            .split(separator: "-", omittingEmptySubsequences: false)
        return numbers.count == 2 && numbers.allSatisfy(isNumber)
    }

    /// Whether a text is a number as this program writes it, of at most 10 digits.
    private static func isNumber(_ text: Substring) -> Bool {
        (1...10).contains(text.utf8.count) && (text == "0" || text.utf8.first != UInt8(ascii: "0"))
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isRunFolder(_ status: stat) -> Bool {
        OpenFolder.isOwn(status, S_IFDIR) && status.st_mode & 0o7777 == 0o700
    }

    private static func holdsNothingElse(_ folder: OpenFolder) -> Bool {
        folder.names().allSatisfy { name in
            if name == RunFolder.markerName { return folder.hasOwnFile(name) }
            guard let part = StorePart(rawValue: name),
                let inner = OpenFolder(in: folder, named: name),
                let status = inner.status, OpenFolder.isOwn(status, S_IFDIR)
            else { return false }
            return inner.names().allSatisfy { part.file(named: $0) != nil && inner.hasOwnFile($0) }
        }
    }

    /// Removes from a run folder what a server puts there; the rest stays.
    static func empty(_ folder: OpenFolder) {
        for part in StorePart.allCases {
            guard let inner = OpenFolder(in: folder, named: part.rawValue) else { continue }
            part.removeFiles(of: inner)
            folder.removeFolder(part.rawValue)
        }
        // The mark last: a folder that lost it is nobody's any more.
        if folder.hasOwnFile(RunFolder.markerName) { folder.removeFile(RunFolder.markerName) }
    }

    // MARK: Beside a database

    /// What may be left of a database itself: what was to take its place, and of its untouched copy.
    private static let unfinishedSuffixes =
        [Files.unfinishedSuffix, StoreFileName.freshSuffix]
        + (Files.companionSuffixes + [Files.unfinishedSuffix]).map {
            StoreFileName.freshSuffix + $0
        } + [StorePlace.seedSuffix + Files.unfinishedSuffix]

    /// Removes what servers that were killed left beside a database, whose lock is held.
    ///
    /// That are files that were to become something, what SQLite keeps beside a database that is
    /// gone, and snapshots of sessions that are gone.
    ///
    /// - Returns: How many files were removed.
    static func remove(besideDatabase path: String) -> Int {
        var count = 0
        for suffix in unfinishedSuffixes {
            guard let status = Files.ownStatus(path + suffix), OpenFolder.isOwn(status, S_IFREG)
            else { continue }
            Files.remove(path + suffix)
            count += 1
        }
        var sessions: Set<String> = [MockStore.defaultSession]
        for part in StorePart.allCases {
            // Through a link to a folder nothing is removed: it may be anybody's.
            let name = part.path(besideDatabase: path)
            guard Files.ownStatus(name).map({ OpenFolder.isOwn($0, S_IFDIR) }) == true,
                let folder = OpenFolder(path: name)
            else { continue }
            let names = folder.names()
            if part == .sessions {
                sessions.formUnion(names.compactMap { part.wholeFile(named: $0)?.session })
            }
            let present = Set(names)
            for name in names {
                guard let file = part.file(named: name), folder.hasOwnFile(name) else { continue }
                let isLeft =
                    switch file.kind {
                    case .unfinished: true
                    case .companion: !present.contains(file.whole)
                    case .whole: !sessions.contains(file.session)
                    }
                guard isLeft else { continue }
                folder.removeFile(name)
                count += 1
            }
        }
        return count
    }

    /// Removes the sessions and snapshots beside a database, whose lock is held.
    static func removeSessions(besideDatabase path: String) {
        for part in StorePart.allCases {
            let name = part.path(besideDatabase: path)
            guard let folder = OpenFolder(path: name) else { continue }
            part.removeFiles(of: folder)
            rmdir(name)
        }
    }
}
