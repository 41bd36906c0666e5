import Glibc

/// The processes of this machine, as `/proc` tells them.
enum ProcessTable {
    struct Entry {
        let id: pid_t
        let parent: pid_t
        let group: pid_t
        let session: pid_t
    }

    /// All that run at the moment, or that nobody has waited for.
    static func all() -> [Entry] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var entries: [Entry] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { buffer in
                String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let id = pid_t(name), let entry = self.entry(of: id) { entries.append(entry) }
        }
        return entries
    }

    /// Whether a stop signal of the terminal has no effect on a group: nobody in its session, but
    /// outside the group, is there to continue it (POSIX, "orphaned process group").
    static func isOrphaned(group: pid_t) -> Bool {
        let entries = all()
        let byID = Dictionary(entries.map { ($0.id, $0) }) { first, _ in first }
        return !entries.contains { member in
            guard member.group == group, let parent = byID[member.parent] else { return false }
            return parent.group != group && parent.session == member.session
        }
    }

    /// The fields of `/proc/ID/stat`; the name before them stands in parentheses.
    private static func entry(of id: pid_t) -> Entry? {
        let file = open("/proc/\(id)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = read(file, &buffer, buffer.count)
        guard count > 0, let end = buffer[..<count].lastIndex(of: UInt8(ascii: ")")) else {
            return nil
        }
        // State, parent, group, session.
        let fields = buffer[(end + 1)..<count].split(separator: UInt8(ascii: " "), maxSplits: 4)
            .map { pid_t(String(decoding: $0, as: UTF8.self)) }
        guard fields.count > 3, let parent = fields[1], let group = fields[2],
            let session = fields[3]
        else { return nil }
        return Entry(id: id, parent: parent, group: group, session: session)
    }
}
