import Contract
import Embedded
import ContractData
import Glibc
import HTTPTransport
import JSON
import MockServer
import OAuth
import QUBS
import Store
import Time
import Trials

/// From options and built-in data to the parts of a server.
enum ServerComposition {
    /// The contract that was embedded at build time.
    static func contract() throws(Failure) -> OpenAPIContract {
        try contract(EmbeddedDefaults.contractJSON(), name: "openapi.yaml")
    }

    static func contract(
        _ literal: StaticString,
        name: String
    ) throws(Failure) -> OpenAPIContract {
        try contract(document(literal, name: name), name: name)
    }

    static func contract(
        _ document: JSONValue,
        name: String
    ) throws(Failure) -> OpenAPIContract {
        do throws(ContractError) {
            return try OpenAPIContract(document: document)
        } catch {
            throw Failure(message: "\(name): \(error)")
        }
    }

    /// An embedded document, which the build has checked.
    static func document(_ literal: StaticString, name: String) throws(Failure) -> JSONValue {
        do throws(JSONError) {
            return try JSONParser.parse(EmbeddedDefaults.octets(of: literal))
        } catch {
            throw Failure(message: "\(name): \(error.explanation)")
        }
    }

    /// The clients and the signing key: those of the folder, else the built-in ones.
    static func identities(
        of folder: ValidatedFixtures?
    ) throws(Failure) -> (clients: JSONValue, signingKey: JSONValue) {
        let clients = try document(EmbeddedDefaults.clientsJSON(), name: "clients.json")
        let key = try document(EmbeddedDefaults.signingKeyJSON(), name: "signing-key.json")
        return (folder?.clients ?? clients, folder?.signingKey ?? key)
    }

    /// A fixture folder without faults.
    static func folder(
        _ path: String,
        contract: OpenAPIContract
    ) throws(Failure) -> ValidatedFixtures {
        let folder: ValidatedFixtures
        do throws(StoreError) {
            folder = try ValidatedFixtures(path: path, contract: contract)
        } catch {
            throw Failure(message: StoreErrorText.line(error, folder: path, option: "--fixtures"))
        }
        if let first = folder.faults.first {
            let text = FixtureFaultText.summary(first, of: folder.faults.count, path)
            // What is wrong with the folder as a whole names no file to look into.
            throw Failure(message: (first.file.isEmpty ? "--fixtures " : "") + text)
        }
        return folder
    }

    /// Refuses a system's clock that no session could follow.
    ///
    /// - Parameter nanoseconds: Since 1970.
    static func checkClock(_ nanoseconds: Int64) throws(Failure) {
        guard !SessionClock.range.contains(nanoseconds) else { return }
        throw Failure(
            message: "the system's clock stands at \(Timestamp.text(nanoseconds)): set it to a "
                + "time from 1970 to 2200"
        )
    }

    /// Everything that a server consists of.
    ///
    /// - Parameter temporaryFolder: Where its data lie where it has no database.
    static func application(
        _ configuration: Configuration,
        temporaryFolder: String = temporaryFolder()
    ) throws(Failure) -> Application {
        Allocator.returnLargeBlocks()
        try checkClock(SystemTime.wall())
        // Contracts, data and the key take milliseconds each, and are made side by side.
        let builtIn = BuiltInContracts.shared
        let openAPI = try builtIn.document.value()
        func data(_ folder: ValidatedFixtures?) -> Aside<MockStore> {
            Aside { () throws(Failure) in
                try store(
                    configuration,
                    document: openAPI,
                    folder: folder,
                    temporaryFolder: temporaryFolder
                )
            }
        }
        let ownData = configuration.fixturesPath == nil ? data(nil) : nil
        let contract = try builtIn.contract.value()
        let folder = try configuration.fixturesPath.map { path throws(Failure) in
            let folder = try self.folder(path, contract: contract)
            // As `fixtures check` does: a client of an unknown domain would get useless tokens.
            let faults = IdentityFaults.all(in: folder)
            if let first = faults.first {
                throw Failure(message: FixtureFaultText.summary(first, of: faults.count, path))
            }
            return folder
        }
        let laidData = ownData ?? data(folder)
        let identities = try identities(of: folder)
        let keys = Application.keys(of: identities.signingKey)
        // Before anything is refused that comes later: what was opened is closed on the way out.
        let records = try laidData.value()
        let parts = Application.Parts(
            contract: contract,
            controlContract: try builtIn.control.value(),
            clients: identities.clients,
            keys: keys,
            store: records,
            readings: try document(EmbeddedDefaults.readingsJSON(), name: "readings.json"),
            edges: try document(EmbeddedDefaults.edgesJSON(), name: "edges"),
            faults: try configuration.faultsPath.map { path throws(Failure) in
                try self.faults(ofFile: path)
            },
            scenarios: try scenarios(),
            scenario: try configuration.scenario.map { scenario throws(Failure) in
                try self.scenario(scenario)
            },
            page: EmbeddedDefaults.pageFiles().map { PageFile($0.name, $0.text) }
        )
        do throws(StartError) {
            return try Application(configuration: configuration, parts: parts)
        } catch {
            throw Failure(message: error.description)
        }
    }

    /// The built-in scenario packs.
    static func scenarios() throws(Failure) -> [JSONValue] {
        try document(EmbeddedDefaults.scenariosJSON(), name: "scenarios").array ?? []
    }

    /// The names of the built-in scenario packs.
    static func scenarioNames() throws(Failure) -> [String] {
        try scenarios().compactMap { $0["name"]?.string }
    }

    /// Whether `--scenario` names a file rather than a built-in pack.
    static func isScenarioFile(_ scenario: String) -> Bool {
        scenario.contains("/") || scenario.hasSuffix(".json")
    }

    /// What each release required.
    static func requirements() throws(Failure) -> [Requirements] {
        let all = try document(EmbeddedDefaults.requirementsJSON(), name: "requirements")
        return (all.array ?? []).compactMap { Requirements($0) }
    }

    /// A scenario pack, by name or from a file.
    static func scenario(_ scenario: String) throws(Failure) -> JSONValue {
        if isScenarioFile(scenario) {
            return try document(ofFile: scenario, option: "--scenario")
        }
        guard let pack = try scenarios().first(where: { $0["name"]?.string == scenario }) else {
            throw Failure(message: "--scenario \(scenario): there is no such scenario")
        }
        return pack
    }

    /// The fault rules of `--faults`.
    private static func faults(ofFile path: String) throws(Failure) -> JSONValue {
        let document = try document(ofFile: path, option: "--faults")
        // Its members would each be refused as those of a rule.
        if document["then"] == nil, document["sequence"] == nil,
            ["rules", "passMarks", "clock"].contains(where: { document[$0] != nil })
        {
            throw Failure(
                message: "--faults \(path): this is a scenario; play it with --scenario \(path)"
            )
        }
        return document
    }

    private static func document(
        ofFile path: String,
        option: String
    ) throws(Failure) -> JSONValue {
        let octets: [UInt8]?
        do throws(FileError) {
            octets = try FileSystem.contents(of: path)
        } catch {
            throw Failure(message: "\(option) \(error)")
        }
        guard let octets else { throw Failure(message: "\(option) \(path): there is no such file") }
        do throws(JSONError) {
            return try JSONParser.parse(octets)
        } catch {
            throw Failure(message: "\(option) \(path): \(error.explanation(in: octets))")
        }
    }

    /// The built-in data.
    static func embeddedImage() -> FixtureImage {
        let dates = EmbeddedDefaults.octets(of: EmbeddedDefaults.imageDates())
        return FixtureImage(
            count: EmbeddedDefaults.imageOctets,
            dates: DatePlaces(octets: dates)
        ) {
            EmbeddedDefaults.writeImage(to: $0)
        }
    }

    /// The time zones that there are.
    static let zones = TimeZones {
        // The build has read it.
        (try? document(EmbeddedDefaults.timeZonesJSON(), name: "time-zones.json")) ?? .null
    }

    private static func store(
        _ configuration: Configuration,
        document: JSONValue,
        folder: ValidatedFixtures?,
        temporaryFolder: String
    ) throws(Failure) -> MockStore {
        let shapes = ViewShapes(document: document)
        let scatter = Scatter(seed: configuration.seed, document: document)
        do throws(StoreError) {
            let base: FixtureImage
            if let folder {
                let loader = try FixtureLoader(shapes: shapes, scatter: scatter, zones: zones)
                base = FixtureImage(try DatabaseImage(try loader.makeImage(of: folder.set)))
            } else {
                base = embeddedImage()
            }
            return try MockStore(
                StoreConfiguration(
                    base: base,
                    today: configuration.today,
                    now: SessionClock().now(),
                    shapes: shapes,
                    databasePath: configuration.databasePath,
                    temporaryFolder: temporaryFolder,
                    order: configuration.order,
                    scatter: scatter,
                    zones: zones,
                    workers: configuration.transport.workers,
                    maximumOpenFiles: configuration.maximumDatabaseDescriptors,
                    notice: { Output.error("qubs-mock: \($0)") }
                )
            )
        } catch {
            throw failure(error, configuration)
        }
    }

    /// Why the data cannot be had, with the option, or the variable, that they were given by.
    private static func failure(_ error: StoreError, _ configuration: Configuration) -> Failure {
        if configuration.databasePath == nil, case .file(let error) = error,
            error.path == temporaryFolder()
        {
            return Failure(
                message: "the folder for temporary files, \(temporaryFolder()), cannot be used: "
                    + "\(error.explanation); set TMPDIR to one that can"
            )
        }
        if case .fixtures = error {
            return Failure(
                message: StoreErrorText.line(error, folder: configuration.fixturesPath ?? "")
            )
        }
        return Failure(
            message: StoreErrorText.line(
                error,
                folder: configuration.databasePath ?? "",
                option: configuration.databasePath == nil ? nil : "--database"
            )
        )
    }

    /// Where the data of a server lie that has no `--database`.
    static func temporaryFolder() -> String {
        let given = Program.environment()["TMPDIR"] ?? ""
        let folder = given.isEmpty ? "/tmp" : given
        return folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    }
}

/// Why a file cannot be made, in words for whoever named it.
enum FileMaking {
    /// What is wrong, without the path: with the folder, where it is that.
    static func reason(_ error: FileError) -> String {
        folderReason(of: error.path, error.code) ?? error.explanation
    }

    /// What is wrong with the folder of a file; `nil` where a file can be made in it.
    ///
    /// - Parameter code: What the system said when the file was to be made; `nil` where nobody tried.
    static func folderReason(of path: String, _ code: Int32? = nil) -> String? {
        let folder = path.lastIndex(of: "/").map { path[...$0] }
            .map { $0.count > 1 ? String($0.dropLast()) : String($0) }
        var status = stat()
        guard stat(folder ?? ".", &status) == 0 else {
            // What else keeps it from being looked at, the system says better.
            return errno == ENOENT ? "there is no folder \(folder ?? ".")" : nil
        }
        if status.st_mode & S_IFMT != S_IFDIR { return "\(folder ?? ".") is no folder" }
        let isRefused = [EACCES, EPERM, EROFS].contains(code ?? 0)
        if isRefused || code == nil, access(folder ?? ".", W_OK | X_OK) != 0 {
            return "\(folder.map { "the folder \($0)" } ?? "this folder") cannot be written"
        }
        return nil
    }
}

/// Faults of fixtures as lines.
enum FixtureFaultText {
    static func line(_ fault: FixtureFault, _ folder: String) -> String {
        let place = fault.file.isEmpty ? folder : "\(folder)/\(fault.file)"
        let pointer = fault.pointer.description
        return "\(place)\(pointer.isEmpty ? "" : " at \(pointer)"): \(fault.reason)"
    }

    static func summary(_ first: FixtureFault, of count: Int, _ folder: String) -> String {
        let more =
            count > 1
            ? " (and \(count - 1) more: qubs-mock fixtures check \(folder) lists them)" : ""
        return line(first, folder) + more
    }
}

/// Failures of the store when a server starts, as one line.
enum StoreErrorText {
    /// - Parameters:
    ///   - path: The file or folder that was given.
    ///   - option: The option by which it was given, where it was one.
    static func line(_ error: StoreError, folder path: String, option: String? = nil) -> String {
        let label = option.map { $0 + " " } ?? ""
        switch error {
        case .full, .noDescriptors: return "\(label)\(path.isEmpty ? "" : path + ": ")\(error)"
        case .file(let error):
            // Fixtures are read: what cannot be written there does no harm.
            let isMade = error.path == path && option != "--fixtures"
            return "\(label)\(error.path): "
                + (isMade ? FileMaking.reason(error) : error.explanation)
        case .fixtures(let faults):
            return faults.first.map { FixtureFaultText.summary($0, of: faults.count, path) }
                ?? "the fixtures are not valid"
        case .database(_, let message, _):
            return "\(label)\(path): is damaged, or cannot be used: \(message)"
        case .foreignFile, .otherVersion, .inUse, .alreadyExists, .seedMissing:
            return "\(label)\(error)"
        default: return "the data cannot be opened: \(error)"
        }
    }
}
