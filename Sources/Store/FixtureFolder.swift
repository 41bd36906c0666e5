import JSON

/// Reads a fixture folder: one folder for each domain, with one file for each kind of record.
package enum FixtureFolder {
    /// The records and files of a folder, and what cannot be read of it.
    ///
    /// A domain is a folder that holds the file of some `FixtureResource`; other folders and files
    /// are left alone. Of a domain, any of the files may be missing.
    ///
    /// - Throws: `StoreError.system` where the folder itself cannot be read.
    package static func read(
        _ path: String
    ) throws(StoreError) -> (set: FixtureSet, faults: [FixtureFault]) {
        guard Files.isFolder(path) else {
            throw .system(
                call: "opendir",
                errno: Files.status(path) == nil ? Files.nothingThere : Files.notAFolder,
                path: path
            )
        }
        var set = FixtureSet()
        var faults: [FixtureFault] = []
        for name in Files.names(in: path) where Files.isFolder("\(path)/\(name)") {
            var domain = DomainFixtures(name: name)
            var isDomain = false
            for resource in FixtureResource.allCases {
                let file = "\(name)/\(resource.fileName)"
                guard Files.status("\(path)/\(file)") != nil else { continue }
                isDomain = true
                domain.records[resource] = try records("\(path)/\(file)", file, &faults)
            }
            guard isDomain else { continue }
            for record in domain.records[.attachments] ?? [] {
                guard let file = record["file"]?.string, domain.files[file] == nil,
                    // A file outside the domain's folder is as good as none.
                    !file.hasPrefix("/"), !file.split(separator: "/").contains(".."),
                    Files.status("\(path)/\(name)/\(file)") != nil
                else { continue }
                domain.files[file] = try Files.read("\(path)/\(name)/\(file)")
            }
            set.domains.append(domain)
        }
        return (set, faults)
    }

    private static func records(
        _ path: String,
        _ file: String,
        _ faults: inout [FixtureFault]
    ) throws(StoreError) -> [JSONValue] {
        let octets = try Files.read(path)
        do throws(JSONError) {
            if let records = try JSONParser.parse(octets).array { return records }
            faults.append(
                FixtureFault(file: file, pointer: JSONPointer(), reason: "must be an array")
            )
        } catch {
            faults.append(
                FixtureFault(file: file, pointer: error.pointer, reason: error.explanation)
            )
        }
        return []
    }
}
