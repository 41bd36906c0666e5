import Glibc
import JSON

/// Reads a fixture folder: one folder for each domain, with one file for each kind of record.
package enum FixtureFolder {
    /// The most that is read of one file: 256 MiB.
    static let maximumFileOctets = 256 << 20
    /// The most that the contents of all attachments have together: 512 MiB, since SQLite holds the
    /// default data in memory.
    static let maximumContentOctets = 512 << 20

    /// The records and files of a folder, and what cannot be read of it.
    ///
    /// A domain is a folder that holds the file of some `FixtureResource`; other folders and files
    /// are left alone. Of a domain, any of the files may be missing. Links may lead to anything
    /// within the folder, and nowhere else: what they lead to would be served.
    ///
    /// - Throws: `StoreError.file` where the folder itself cannot be read.
    package static func read(
        _ path: String
    ) throws(StoreError) -> (set: FixtureSet, faults: [FixtureFault]) {
        guard Files.isFolder(path) else {
            throw .system(
                call: "opendir",
                errno: Files.status(path) == nil ? ENOENT : ENOTDIR,
                path: path
            )
        }
        var reading = Reading(folder: path)
        var set = FixtureSet()
        for name in Files.names(in: path) where Files.isFolder("\(path)/\(name)") {
            if let domain = reading.domain(name) { set.domains.append(domain) }
        }
        return (set, reading.faults)
    }

    /// The octets of a file at the top of a fixture folder; `nil` where there is none.
    ///
    /// - Throws: `StoreError.file`, also for a link that leads out of the folder.
    package static func document(
        _ name: String,
        in folder: String
    ) throws(StoreError) -> [UInt8]? {
        guard Files.ownStatus("\(folder)/\(name)") != nil else { return nil }
        return try octets(of: name, in: folder)
    }

    /// The octets of a file of a fixture folder.
    fileprivate static func octets(
        of file: String,
        in folder: String
    ) throws(StoreError) -> [UInt8] {
        let path = try Files.resolved("\(folder)/\(file)", within: Files.resolved(folder))
        return try Files.read(path, maximumOctets: maximumFileOctets)
    }
}

/// The reading of one fixture folder.
private struct Reading {
    let folder: String
    var faults: [FixtureFault] = []
    /// Octets of the contents of attachments so far.
    private var contentOctets = 0

    init(folder: String) { self.folder = folder }

    /// The records of a folder; `nil` where it is no domain's.
    mutating func domain(_ name: String) -> DomainFixtures? {
        var domain = DomainFixtures(name: name)
        var isDomain = false
        for resource in FixtureResource.allCases {
            let file = "\(name)/\(resource.fileName)"
            // A link that leads nowhere is an error, not an absent file.
            guard Files.ownStatus("\(folder)/\(file)") != nil else { continue }
            isDomain = true
            domain.records[resource] = records(file)
        }
        guard isDomain else { return nil }
        domain.practice = practice("\(name)/\(PracticeRecord.fileName)")
        let attachments = "\(name)/\(FixtureResource.attachments.fileName)"
        for (index, record) in (domain.records[.attachments] ?? []).enumerated() {
            guard let file = record["file"]?.string, domain.files[file] == nil,
                // A file outside the domain's folder is as good as none.
                !file.hasPrefix("/"), !file.split(separator: "/").contains(".."),
                Files.ownStatus("\(folder)/\(name)/\(file)") != nil
            else { continue }
            let pointer = JSONPointer([String(index), "file"])
            // In its place while it is wrong, so that it is told once.
            domain.files[file] = octets(of: "\(name)/\(file)", for: attachments, pointer) ?? []
        }
        return domain
    }

    /// `practice.json` as JSON; `nil` where it is absent, or wrong, which is then among the faults.
    private mutating func practice(_ file: String) -> JSONValue? {
        guard Files.ownStatus("\(folder)/\(file)") != nil,
            let octets = octets(of: file, for: file, JSONPointer())
        else { return nil }
        do throws(JSONError) {
            return try JSONParser.parse(octets)
        } catch {
            fault(file, JSONPointer(), error.explanation(in: octets))
            return nil
        }
    }

    private mutating func records(_ file: String) -> [JSONValue] {
        guard let octets = octets(of: file, for: file, JSONPointer()) else { return [] }
        do throws(JSONError) {
            if let records = try JSONParser.parse(octets).array { return records }
            fault(file, JSONPointer(), "must be an array")
        } catch {
            fault(file, JSONPointer(), error.explanation(in: octets))
        }
        return []
    }

    /// The octets of a file, or a fault where it is named.
    private mutating func octets(
        of file: String,
        for naming: String,
        _ pointer: JSONPointer
    ) -> [UInt8]? {
        do throws(StoreError) {
            let octets = try FixtureFolder.octets(of: file, in: folder)
            if naming == file { return octets }
            contentOctets += octets.count
            if contentOctets <= FixtureFolder.maximumContentOctets { return octets }
            fault(
                naming,
                pointer,
                "with this file the contents of attachments have more than "
                    + "\(FixtureFolder.maximumContentOctets >> 20) MiB together"
            )
        } catch {
            let reason = Self.reason(error)
            fault(naming, pointer, naming == file ? reason : "\(file): \(reason)")
        }
        return nil
    }

    /// What is wrong with a file, without its path.
    private static func reason(_ error: StoreError) -> String {
        if case .file(let error) = error { error.explanation } else { "\(error)" }
    }

    private mutating func fault(_ file: String, _ pointer: JSONPointer, _ reason: String) {
        faults.append(FixtureFault(file: file, pointer: pointer, reason: reason))
    }
}
