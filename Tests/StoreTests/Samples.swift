import Glibc
import JSON
import QUBS
import Store
import Synchronization
import Testing
import Time

/// Small data with expectations that fit on a page.
enum Samples {
    static let scatter = Scatter(seed: 1, pinned: ["A123456", "A123457"])

    /// Members with spaces between; a question mark makes one nullable.
    static func shape(_ members: String) -> ViewShape {
        ViewShape(
            members.split(separator: " ").map {
                $0.hasSuffix("?") ? (String($0.dropLast()), true) : (String($0), false)
            }
        )
    }

    static let shapes = ViewShapes(
        summary: shape(
            "domain appointmentId scheduledSite status appointmentDate? startTime? modality"
        ),
        operational: shape(
            "domain appointmentId scheduledSite status appointmentDate? startTime? modality "
                + "room arrivalDateTime? examCodes"
        ),
        reporting: shape(
            "domain appointmentId status scheduledSite appointmentDate? startTime? patientId "
                + "patientName dateOfBirth? modality clinicalInfo examCodes"
        ),
        patient: shape("domain patientId firstName lastName patientName dateOfBirth?"),
        billing: shape("domain appointmentId billingType medicareExpiryDate?"),
        attachment: shape(
            "guid category fileName addedDateTime? lastModifiedDateTime? url? urlExpiresAtUtc?"
        ),
        comment: shape("guid appointmentId? patientId? commentText commentType isAlert"),
        listedSite: shape("domain siteName"),
        siteSettings: shape("domain siteName timeZone isActive openTime?"),
        examCode: shape("examCodeId key site description modality"),
        staffSkills: shape("examKeys examDisplay employees")
    )

    static func records(_ text: String) throws -> [JSONValue] {
        try #require(try JSONParser.parse(Array(text.utf8)).array)
    }

    /// Two tenants that share identifiers.
    static func set() throws -> FixtureSet {
        var acme = DomainFixtures(name: "acme")
        acme.records[.sites] = try records(
            """
            [{"domain":"acme","siteName":"Central Clinic","timeZone":"Australia/Brisbane","openTime":"08:00:00"},
             {"siteName":"North Clinic","timeZone":"Australia/Brisbane","isActive":true,"secret":1},
             {"siteName":"Old Site","timeZone":"Australia/Perth","isActive":false}]
            """
        )
        acme.records[.examCodes] = try records(
            """
            [{"examCodeId":"2","key":"k2","site":"Central Clinic","description":"XR Chest"},
             {"examCodeId":"1","key":"k1","site":"Central Clinic","description":"CT Chest","modality":"CT"}]
            """
        )
        acme.records[.staffSkills] = try records(
            """
            [{"siteName":"Central Clinic","examKeys":["k1"],"employees":[]}]
            """
        )
        acme.records[.patients] = try records(
            """
            [{"patientId":"220000","firstName":"Jane","lastName":"Doe","dateOfBirth":"1980-01-01"},
             {"patientId":"220001","patientName":"Dr O'Brien"}]
            """
        )
        acme.records[.appointments] = try records(
            """
            [{"domain":"acme","appointmentId":"A123456","scheduledSite":"Central Clinic","status":"PENDING REPORTING",
              "appointmentDate":"2025-01-12","startTime":"13:45:00","modality":"CT","room":"Room 2",
              "arrivalDateTime":"2025-01-12T03:40:00Z","examCodes":[{"examCodeId":"1"}],"patientId":"220000",
              "clinicalInfo":"Cough","providerNumbers":["1234567A"]},
             {"appointmentId":"A123457","scheduledSite":"North Clinic","status":"PENDING REPORTING",
              "appointmentDate":"2025-01-13","startTime":"09:00:00","patientId":"220000","providerNumbers":["2345678B","1234567A"]},
             {"appointmentId":"A000001","scheduledSite":"Central Clinic","status":"ARRIVED","appointmentDate":null,
              "patientId":"220001"},
             {"appointmentId":"A000002","scheduledSite":"Old Site","status":"PENDING REPORTING","appointmentDate":"2025-01-13"}]
            """
        )
        acme.records[.billing] = try records(
            #"[{"appointmentId":"A123456","billingType":"bulk"}]"#
        )
        acme.records[.attachments] = try records(
            """
            [{"guid":"g-1","appointmentId":"A123456","category":"Referral","fileName":"referral.pdf","file":"files/a.pdf",
              "contentType":"application/pdf"},
             {"guid":"g-2","appointmentId":"A123456","fileName":"lost.pdf"},
             {"guid":"g-3","appointmentId":"A123457","fileName":"same.pdf","file":"files/a.pdf"}]
            """
        )
        acme.records[.comments] = try records(
            """
            [{"guid":"c-1","appointmentId":"A123456","patientId":"220000","commentText":"One","commentType":"AC","isAlert":false},
             {"guid":"c-2","appointmentId":null,"patientId":"220000","commentText":"Two","commentType":"PA","isAlert":true},
             {"guid":"c-3","appointmentId":"A000001","commentText":"Three","commentType":"AA","isAlert":true}]
            """
        )
        acme.files = ["files/a.pdf": Array("%PDF-1.4".utf8)]
        var globex = DomainFixtures(name: "globex")
        globex.records[.sites] = try records(
            #"[{"siteName":"Central Clinic","timeZone":"Australia/Perth"}]"#
        )
        globex.records[.patients] = try records(#"[{"patientId":"220000","firstName":"Other"}]"#)
        globex.records[.appointments] = try records(
            """
            [{"appointmentId":"A123456","scheduledSite":"Central Clinic","status":"PENDING REPORTING",
              "appointmentDate":"2025-01-12","patientId":"220000","providerNumbers":["1234567A"]}]
            """
        )
        return FixtureSet(domains: [acme, globex])
    }

    static func image(
        of set: FixtureSet? = nil,
        scatter: Scatter = scatter
    ) throws -> DatabaseImage {
        let loader = try FixtureLoader(shapes: shapes, scatter: scatter)
        return try DatabaseImage(loader.makeImage(of: set ?? self.set()))
    }

    /// `count` appointments in one site of one domain, a day apart, all pending.
    static func many(_ count: Int) throws -> FixtureSet {
        var acme = DomainFixtures(name: "acme")
        acme.records[.sites] = try records(#"[{"siteName":"Central Clinic","timeZone":"Z"}]"#)
        acme.records[.patients] = try records(
            """
            [{"patientId":"1","firstName":"Jane","lastName":"Doe"},
             {"patientId":"2","firstName":"John","lastName":"Roe"}]
            """
        )
        acme.records[.appointments] = (0..<count).map { index in
            [
                "appointmentId": .string(id(index)), "scheduledSite": "Central Clinic",
                "status": "PENDING REPORTING", "startTime": "09:00:00", "endTime": "09:30:00",
                "appointmentDate": .string(LocalDate(daysSince1970: 20_000 + index).description),
                "patientId": .string(String(1 + index % 2)),
                "providerNumbers": .array(
                    index % 3 == 0 ? ["1234567A"] : index % 3 == 1 ? ["1234567A", "2345678B"] : []
                ),
            ]
        }
        return FixtureSet(domains: [acme])
    }

    /// The identifier of one of `many`.
    static func id(_ index: Int) -> String {
        "B" + String(repeating: "0", count: 5 - String(index).utf8.count) + String(index)
    }

    static let today = LocalDate(daysSince1970: 20_100)
    static let start = Instant(secondsSince1970: 1_736_650_000)
}

/// A folder that is gone when the test is.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array(
            "\(String(cString: getenv("TMPDIR") ?? strdup("/tmp")))/store-test-XXXXXX".utf8CString
        )
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        Self.remove(path)
    }

    /// Everything in the folder, sorted, with what is in folders below.
    var names: [String] { Self.names(path) }

    static func names(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            names.append(name)
            var status = stat()
            guard lstat(path + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFDIR
            else { continue }
            names += Self.names(path + "/" + name).map { name + "/" + $0 }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        for name in names(path).reversed() {
            if unlink(path + "/" + name) != 0 { rmdir(path + "/" + name) }
        }
        rmdir(path)
    }
}

/// What a store has told.
final class Notices: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// A store on temporary data, with shortcuts that give text.
struct TestStore {
    let folder: TemporaryFolder
    let store: MockStore
    let session: SessionStore

    init(
        _ image: DatabaseImage? = nil,
        order: ListOrder = .scattered,
        scatter: Scatter = Samples.scatter,
        database: String? = nil,
        in folder: TemporaryFolder? = nil,
        maximumPages: Int? = nil,
        maximumSessions: Int = 256,
        maximumOpenFiles: Int = .max,
        notices: Notices = Notices()
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        store = try MockStore(
            StoreConfiguration(
                base: FixtureImage(try image ?? Samples.image()),
                now: Samples.start,
                shapes: Samples.shapes,
                databasePath: database.map { folder.path + "/" + $0 },
                temporaryFolder: folder.path,
                order: order,
                scatter: scatter,
                workers: 2,
                maximumSessions: maximumSessions,
                maximumPages: maximumPages,
                maximumOpenFiles: maximumOpenFiles,
                notice: { notices.add($0) }
            )
        )
        session = try #require(store.session(named: MockStore.defaultSession))
    }

    var reader: SessionReader { session.reader(worker: 0) }

    func session(_ name: String) throws -> SessionStore {
        try store.openSession(named: name, now: Samples.start).session
    }
}

/// What a reading function appended, as text.
func text(_ read: (inout [UInt8]) throws -> Void) throws -> String {
    var octets: [UInt8] = []
    try read(&octets)
    return String(decoding: octets, as: UTF8.self)
}

extension SessionReader {
    /// The identifiers of a page.
    func page(
        _ status: String = "PENDING REPORTING",
        domain: String = "acme",
        providers: [String]? = nil,
        after: PageCursor? = nil,
        limit: Int = 500
    ) throws -> (ids: [String], next: PageCursor?) {
        var octets = Array("[".utf8)
        let page = try appendPage(
            domain: domain,
            status: status,
            providers: providers,
            view: .summary,
            after: after,
            limit: limit,
            to: &octets
        )
        let ids = try Self.ids(octets)
        #expect(ids.count == page.count)
        return (ids, page.next)
    }

    /// The identifiers of all pages.
    func pages(
        _ status: String = "PENDING REPORTING",
        domain: String = "acme",
        providers: [String]? = nil,
        limit: Int
    ) throws -> [String] {
        var ids: [String] = []
        var cursor: PageCursor?
        repeat {
            let page = try page(
                status,
                domain: domain,
                providers: providers,
                after: cursor,
                limit: limit
            )
            ids += page.ids
            cursor = page.next
        } while cursor != nil
        return ids
    }

    /// The identifiers of a list.
    func list(
        _ filter: AppointmentFilter = AppointmentFilter(),
        domain: String = "acme",
        providers: [String]? = nil,
        skip: Int = 0,
        take: Int = 500
    ) throws -> [String] {
        var octets = Array("[".utf8)
        let count = try appendList(
            domain: domain,
            filter: filter,
            providers: providers,
            view: .summary,
            skip: skip,
            take: take,
            to: &octets
        )
        let ids = try Self.ids(octets)
        #expect(ids.count == count)
        return ids
    }

    private static func ids(_ octets: [UInt8]) throws -> [String] {
        try #require(try JSONParser.parse(octets + [UInt8(ascii: "]")]).array)
            .map { try #require($0["appointmentId"]?.string) }
    }
}

/// What a reading function appended, as text, and what it returned.
func reading<Result>(
    _ read: (inout [UInt8]) throws -> Result
) throws -> (text: String, result: Result) {
    var octets: [UInt8] = []
    let result = try read(&octets)
    return (String(decoding: octets, as: UTF8.self), result)
}

/// The error of a call that fails.
func failure(_ body: () throws -> Void) -> StoreError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StoreError
    }
}
