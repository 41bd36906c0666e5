import Glibc
import JSON
import QUBS
import Store
import Testing

struct FixtureTests {
    static let faults: [(FixtureResource, String, [String])] = [
        (
            .sites, #"[{"siteName":"S","timeZone":"Z"},{"siteName":"S","timeZone":"Z"}]"#,
            ["/1/siteName"]
        ),
        (.sites, #"[{"timeZone":"Z"}]"#, ["/0/siteName"]),
        (.sites, #"[{"siteName":"S","domain":"globex"}]"#, ["/0/domain"]),
        (.sites, "[1]", ["/0"]),
        (.examCodes, #"[{"examCodeId":"1","site":"Nowhere"}]"#, ["/0/site"]),
        (
            .examCodes,
            #"[{"examCodeId":"1","site":"Central Clinic"},{"examCodeId":"1","site":"Central Clinic"}]"#,
            ["/1/examCodeId"]
        ),
        (.staffSkills, #"[{"siteName":"Nowhere"}]"#, ["/0/siteName"]),
        (
            .patients, #"[{"patientId":"1"},{"patientId":"1"},{}]"#,
            ["/1/patientId", "/2/patientId"]
        ),
        (
            .appointments,
            #"[{"appointmentId":"A","scheduledSite":"Nowhere","status":"S","patientId":"9"}]"#,
            ["/0/scheduledSite", "/0/patientId"]
        ),
        (
            .appointments,
            #"[{"appointmentId":"A","scheduledSite":"Old Site","status":"S"},{"appointmentId":"A","scheduledSite":"Old Site","status":"T"}]"#,
            ["/1/appointmentId"]
        ),
        (.billing, #"[{"appointmentId":"A9"}]"#, ["/0/appointmentId"]),
        (
            .billing, #"[{"appointmentId":"A123456"},{"appointmentId":"A123456"}]"#,
            ["/1/appointmentId"]
        ),
        (
            .attachments, #"[{"guid":"g","appointmentId":"A123456","file":"files/none.pdf"}]"#,
            ["/0/file"]
        ),
        (
            .attachments,
            #"[{"guid":"g","appointmentId":"A123456"},{"guid":"g","appointmentId":"A123457"}]"#,
            ["/1/guid"]
        ),
        (.attachments, #"[{"guid":"g","appointmentId":"A9"}]"#, ["/0/appointmentId"]),
        (.comments, #"[{"guid":"c","appointmentId":"A9"}]"#, ["/0/appointmentId"]),
        (.comments, #"[{"guid":"c","patientId":"9"}]"#, ["/0/patientId"]),
        (.comments, #"[{"guid":"c"}]"#, ["/0/patientId"]),
    ]

    @Test(
        "Records that contradict each other are faults, each with file and pointer",
        arguments: faults.indices
    )
    func contradictions(row: Int) throws {
        let (resource, records, pointers) = Self.faults[row]
        var set = try Samples.set()
        // Those that build on what is replaced go with it.
        let all = FixtureResource.allCases
        let index = try #require(all.firstIndex(of: resource))
        for later in all[index...] { set.domains[0].records[later] = [] }
        set.domains[0].records[resource] = try Samples.records(records)
        let loader = try FixtureLoader(shapes: Samples.shapes, scatter: Samples.scatter)
        let found = try loader.faults(of: set)
        #expect(found.map(\.pointer.description) == pointers)
        #expect(found.allSatisfy { $0.file == "acme/" + resource.fileName })
        #expect(failure { _ = try loader.makeImage(of: set) } == .fixtures(found))
    }

    @Test(
        "A file that is absent is one fault, however many records refer to it",
        arguments: [FixtureResource.sites, .patients, .appointments]
    )
    func absentFile(resource: FixtureResource) throws {
        var set = try Samples.set()
        set.domains[0].records[resource] = nil
        let loader = try FixtureLoader(shapes: Samples.shapes, scatter: Samples.scatter)
        let found = try loader.faults(of: set)
        #expect(found.map(\.file) == ["acme/" + resource.fileName])
        #expect(found.first?.pointer == JSONPointer())
        #expect(found.first?.reason.contains("no such file") == true)
        // What is wrong beside that is told all the same.
        set.domains[0].records[.comments] = try Samples.records(
            #"[{"guid":"c","appointmentId":"A123456"},{"guid":"c","appointmentId":"A123456"}]"#
        )
        #expect(try loader.faults(of: set).contains { $0.pointer.description == "/1/guid" })
    }

    @Test("Good records have no faults, and the same records give the same image")
    func good() throws {
        let loader = try FixtureLoader(shapes: Samples.shapes, scatter: Samples.scatter)
        #expect(try loader.faults(of: Samples.set()).isEmpty)
        let first = try loader.makeImage(of: Samples.set())
        #expect(try loader.makeImage(of: Samples.set()) == first)
        #expect(first.count % 4096 == 0)
    }

    @Test("Guids are unique in all domains")
    func guids() throws {
        var set = try Samples.set()
        set.domains[1].records[.attachments] = try Samples.records(
            #"[{"guid":"g-1","appointmentId":"A123456"}]"#
        )
        let loader = try FixtureLoader(shapes: Samples.shapes, scatter: Samples.scatter)
        let fault = try #require(try loader.faults(of: set).first)
        #expect(fault.file == "globex/attachments.json")
        #expect(fault.pointer.description == "/0/guid")
    }

    @Test("Views that do not build on each other are refused")
    func shapes() {
        var shapes = Samples.shapes
        shapes.operational = Samples.shape("appointmentId domain")
        #expect(failure { _ = try FixtureLoader(shapes: shapes, scatter: Samples.scatter) } != nil)
        shapes = Samples.shapes
        shapes.reporting = Samples.shape("domain appointmentDate")
        #expect(failure { _ = try FixtureLoader(shapes: shapes, scatter: Samples.scatter) } != nil)
        shapes = Samples.shapes
        shapes.reporting = Samples.shape("appointmentId domain")
        #expect(failure { _ = try FixtureLoader(shapes: shapes, scatter: Samples.scatter) } != nil)
    }

    @Test("A folder is read as it lies: domains, records and the files that records name")
    func folder() throws {
        let folder = try TemporaryFolder()
        for name in ["acme", "acme/files", "scenarios", "globex"] {
            mkdir(folder.path + "/" + name, 0o755)
        }
        func write(_ path: String, _ text: String) throws {
            try MockStoreTests.write(Array(text.utf8), folder.path + "/" + path)
        }
        try write("clients.json", "[]")
        try write("scenarios/calm.json", "{}")
        try write("acme/sites.json", #"[{"siteName":"Café","timeZone":"Z"}]"#)
        try write(
            "acme/attachments.json",
            #"[{"guid":"1","file":"files/a"},{"guid":"2","file":"../clients.json"},{"guid":"3","file":"files/none"}]"#
        )
        try write("acme/files/a", "octets")
        try write("acme/files/b", "not named")
        try write("globex/patients.json", #"[{"patientId":"1","patientId":"2"}]"#)
        try write("globex/comments.json", "{}")
        let (set, faults) = try FixtureFolder.read(folder.path)
        #expect(set.domains.map(\.name) == ["acme", "globex"])
        #expect(set.domains[0].records[.sites] == [["siteName": "Café", "timeZone": "Z"]])
        #expect(set.domains[0].records[.patients] == nil)
        #expect(set.domains[0].files == ["files/a": Array("octets".utf8)])
        #expect(faults.map(\.file) == ["globex/patients.json", "globex/comments.json"])
        #expect(faults[0].reason == "line 1, column 19: a member name stands twice in one object")
        #expect(failure { _ = try FixtureFolder.read(folder.path + "/none") } != nil)
    }

    /// What stands in place of a file, and what is said of it.
    enum Place: String, CaseIterable {
        case pipe = "is a named pipe"
        case folder = "is a folder"
        case device = "that leads out of"
        case terabyte = "is larger than 256 MiB"
        case link = "is a link that leads out of"
        case longLink = "a link that leads out of"
        case folderLink = "link that leads out of"
        case linkToNothing = "No such file"
        case linkToItself = "symbolic links"

        func make(_ path: String, outside: String) -> Bool {
            switch self {
            case .pipe: return mkfifo(path, 0o600) == 0
            case .folder: return mkdir(path, 0o700) == 0
            case .device: return symlink("/dev/zero", path) == 0
            case .link: return symlink(outside + "/secret", path) == 0
            case .longLink: return symlink("../../../../../../etc/passwd", path) == 0
            case .folderLink: return symlink(outside, path) == 0
            case .linkToNothing: return symlink("nothing", path) == 0
            case .linkToItself: return symlink(path, path) == 0
            case .terabyte:
                let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
                defer { close(descriptor) }
                return ftruncate(descriptor, 1 << 40) == 0
            }
        }
    }

    @Test(
        "What is no file of the folder is an error with file and pointer, at once",
        arguments: Place.allCases,
        ["acme/sites.json", "acme/attachments.json", "acme/files/a", "clients.json"]
    )
    func noFile(place: Place, name: String) throws {
        let folder = try TemporaryFolder()
        let outside = try TemporaryFolder()
        try MockStoreTests.write(Array("[]".utf8), outside.path + "/secret")
        for name in ["acme", "acme/files"] { mkdir(folder.path + "/" + name, 0o755) }
        for (file, text) in [
            ("acme/sites.json", "[]"), ("acme/files/a", "octets"),
            ("acme/attachments.json", #"[{"guid":"0"},{"guid":"1","file":"files/a"}]"#),
        ] where file != name {
            try MockStoreTests.write(Array(text.utf8), folder.path + "/" + file)
        }
        #expect(place.make(folder.path + "/" + name, outside: outside.path))
        if name == "clients.json" {
            let error = failure { _ = try FixtureFolder.document(name, in: folder.path) }
            let text = "\(try #require(error))"
            #expect(text.contains(place.rawValue), "\(text)")
            return
        }
        let (_, faults) = try FixtureFolder.read(folder.path)
        let fault = try #require(faults.first)
        #expect(faults.count == 1)
        let isContent = name == "acme/files/a"
        #expect(fault.file == (isContent ? "acme/attachments.json" : name))
        #expect(fault.pointer.description == (isContent ? "/1/file" : ""))
        #expect(fault.reason.contains(place.rawValue), "\(fault.reason)")
    }

    @Test("Links within the folder are followed, and the folder may be a link itself")
    func links() throws {
        let folder = try TemporaryFolder()
        let other = try TemporaryFolder()
        for name in ["data", "data/acme", "data/acme/files"] {
            mkdir(folder.path + "/" + name, 0o755)
        }
        try MockStoreTests.write(Array("[]".utf8), folder.path + "/data/list")
        try MockStoreTests.write(Array("octets".utf8), folder.path + "/data/content")
        #expect(symlink("../list", folder.path + "/data/acme/sites.json") == 0)
        #expect(symlink("../../content", folder.path + "/data/acme/files/a") == 0)
        #expect(symlink(folder.path + "/data/list", folder.path + "/data/clients.json") == 0)
        try MockStoreTests.write(
            Array(#"[{"guid":"1","file":"files/a"}]"#.utf8),
            folder.path + "/data/acme/attachments.json"
        )
        let link = other.path + "/link"
        #expect(symlink(folder.path + "/data", link) == 0)
        for path in [folder.path + "/data", link, link + "/", folder.path + "/./data"] {
            let (set, faults) = try FixtureFolder.read(path)
            #expect(faults.isEmpty)
            #expect(set.domains.first?.files == ["files/a": Array("octets".utf8)])
            #expect(try FixtureFolder.document("clients.json", in: path) == Array("[]".utf8))
            #expect(try FixtureFolder.document("signing-key.json", in: path) == nil)
        }
    }
}
