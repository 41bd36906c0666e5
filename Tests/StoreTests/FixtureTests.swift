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
        #expect(faults[0].pointer.description.hasPrefix("/0"))
        #expect(failure { _ = try FixtureFolder.read(folder.path + "/none") } != nil)
    }
}
