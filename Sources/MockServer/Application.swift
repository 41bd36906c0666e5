package import Contract
import Faults
import ContractData
import HTTPMessage
import HTTPTransport
package import JSON
import Journal
package import OAuth
import QUBS
import Readings
package import Store
import Synchronization
import Time
import Verdict

/// The composition root: everything a server consists of, put together once; nothing is global.
package final class Application: Sendable {
    let configuration: Configuration
    let contract: OpenAPIContract
    package let sessions: Sessions
    let store: MockStore
    let log: LogSink
    /// Finds work that holds a worker too long, in debug builds.
    package let watchdog: Watchdog
    /// The page, which shows a session in a browser.
    package let pageFiles: [PageFile]
    let access: ControlAccess
    let workers: Workers
    /// What requests to the emulated API read of the server.
    let context: ServerContext
    /// The life of a request to the emulated API.
    let pipeline: Pipeline
    /// What control operations read of the server, and change in it.
    package let controls: ControlContext
    let control: ControlAPI

    /// What a server is made of.
    package struct Parts {
        package var contract: OpenAPIContract
        package var controlContract: OpenAPIContract
        package var clients: JSONValue
        /// As `keys(of:)` makes them.
        package var keys: Result<SigningKeys, SigningKeyError>
        package var store: MockStore
        /// `fixtures/readings.json`.
        package var readings: JSONValue
        /// The files of `fixtures/edges/`.
        package var edges: JSONValue
        package var faults: JSONValue?
        /// The packs that can be started by a word.
        package var scenarios: [JSONValue]
        /// The pack that every session plays from its opening on.
        package var scenario: JSONValue?
        /// What is served below `/__admin/ui/`.
        package var page: [PageFile]

        package init(
            contract: OpenAPIContract,
            controlContract: OpenAPIContract,
            clients: JSONValue,
            keys: Result<SigningKeys, SigningKeyError>,
            store: MockStore,
            readings: JSONValue,
            edges: JSONValue,
            faults: JSONValue? = nil,
            scenarios: [JSONValue] = [],
            scenario: JSONValue? = nil,
            page: [PageFile] = []
        ) {
            self.contract = contract
            self.controlContract = controlContract
            self.clients = clients
            self.keys = keys
            self.store = store
            self.readings = readings
            self.edges = edges
            self.faults = faults
            self.scenarios = scenarios
            self.scenario = scenario
            self.page = page
        }
    }

    /// Puts a server together; nothing listens yet.
    ///
    /// - Throws: Also where an operation of the contract has no handler, or a handler no operation.
    package init(
        configuration: Configuration,
        parts: Parts,
        log: LogSink = LogSink()
    ) throws(StartError) {
        self.configuration = configuration
        contract = parts.contract
        store = parts.store
        self.log = log
        watchdog = Watchdog(log: log)
        let clients: ClientRegistry
        do throws(ClientRegistryError) {
            clients = try ClientRegistry(parts.clients)
        } catch {
            throw Self.fault(
                "clients.json",
                error.faults.first?.pointer,
                error.faults.first?.explanation ?? "invalid",
                configuration
            )
        }
        let keys: SigningKeys
        do throws(SigningKeyError) {
            keys = try parts.keys.get()
        } catch {
            throw Self.fault(
                "signing-key.json",
                error.pointer,
                error.explanation,
                configuration
            )
        }
        let readings: ReadingCatalogue
        do throws(ReadingCatalogue.Fault) {
            readings = try ReadingCatalogue(parts.readings, contract: contract.document)
        } catch {
            throw StartError("readings.json", [(error.pointer, error.reason)])
        }
        let edges: EdgeCatalogue
        do throws(EdgeCatalogue.Fault) {
            edges = try EdgeCatalogue(parts.edges.array ?? [])
        } catch {
            throw StartError("edges", [(error.pointer, error.reason)])
        }
        let faultRules = FaultRuleReader(
            form: Self.ruleForm(in: parts.controlContract),
            vocabulary: MatchVocabulary(contract: contract, clients: clients),
            edges: edges,
            defaultSeed: Int64(truncatingIfNeeded: configuration.seed)
        )
        let rules = try Self.rules(parts.faults, path: configuration.faultsPath, faultRules)
        let verdictOperations = contract.operations.filter(\.isPartnerOperation)
            .map(VerdictContext.OperationFacts.init)
        let operations = Set(verdictOperations.map(\.id))
        let scenarios = try ScenarioLibrary(parts.scenarios, faultRules, operations: operations)
        var scenario: Scenario?
        let scenarioSource = "--scenario \(configuration.scenario ?? "")"
        if let pack = parts.scenario {
            scenario = try Scenario(
                pack,
                faultRules,
                operations: operations,
                source: scenarioSource
            )
        }
        do throws(Sessions.Refusal) {
            sessions = try Sessions(
                store: store,
                journalSize: configuration.journalBounds,
                fileRules: rules,
                scenario: scenario,
                world: configuration.world,
                present: configuration.present,
                readings: {
                    ReadingPlan(
                        catalogue: readings,
                        settings: configuration.readings,
                        seed: Int64(truncatingIfNeeded: configuration.seed)
                    )
                }
            )
        } catch {
            throw Self.refused(error, scenarioSource)
        }
        let handlers = try OperationHandlers.table(for: contract)
        pageFiles = parts.page
        let hosts = KnownHosts(configuration: configuration)
        access = ControlAccess(configuration: configuration, hosts: hosts)
        workers = Workers(
            count: configuration.transport.workers,
            verifier: TokenVerifier(keys: keys)
        )
        context = ServerContext(
            configuration: configuration,
            contract: contract,
            clients: clients,
            keys: keys
        )
        pipeline = Pipeline(
            context: context,
            hosts: hosts,
            sessions: sessions,
            handlers: handlers,
            workers: workers,
            watchdog: watchdog,
            log: log
        )
        controls = ControlContext(
            server: context,
            sessions: sessions,
            scenarios: scenarios,
            faultRules: faultRules,
            readings: readings,
            edges: edges,
            verdictOperations: verdictOperations,
            log: log
        )
        control = try ControlAPI(
            contract: parts.controlContract,
            context: controls,
            pageFiles: pageFiles,
            access: access,
            workers: workers,
            watchdog: watchdog,
            pipeline: pipeline
        )
    }

    /// The keys that begin with a private JWK.
    ///
    /// The library behind them takes milliseconds to begin, so that they are made beside the other
    /// parts of a server.
    package static func keys(of jwk: JSONValue) -> Result<SigningKeys, SigningKeyError> {
        Result { () throws(SigningKeyError) in try SigningKeys(developmentKey: jwk) }
    }

    /// The schema of fault rules in the contract of the control API.
    private static func ruleForm(in contract: OpenAPIContract) -> Schema {
        guard let schema = contract.namedSchema("FaultRules") else {
            preconditionFailure("the contract of the control API describes no fault rules")
        }
        return schema
    }

    private static func rules(
        _ document: JSONValue?,
        path: String?,
        _ reader: FaultRuleReader
    ) throws(StartError) -> [FaultRule] {
        guard let document else { return [] }
        do throws(FaultError) {
            let rules = try reader.rules(document)
            // Whether they can stand beside each other shows when they are armed.
            _ = try FaultEngine(fileRules: rules, now: 0)
            return rules
        } catch {
            throw StartError(path.map { "--faults \($0)" } ?? "the list of fault rules", error)
        }
    }

    /// What is wrong with a file of the fixtures, in the words of `fixtures check`.
    private static func fault(
        _ file: String,
        _ pointer: JSONPointer?,
        _ reason: String,
        _ configuration: Configuration
    ) -> StartError {
        let folder = configuration.fixturesPath.map { $0 + "/" } ?? ""
        let place = pointer?.description ?? ""
        return StartError("\(folder)\(file)\(place.isEmpty ? "" : " at \(place)"): \(reason)")
    }

    /// Why the first sessions cannot be opened.
    private static func refused(
        _ refusal: Sessions.Refusal,
        _ scenario: String
    ) -> StartError {
        switch refusal {
        case .store(let error): StartError("\(error)")
        // Those of `--faults` were tried before: what repeats an `id` is a rule of the scenario.
        case .faults(let error): StartError(scenario, error, at: ["rules"])
        case .tooMany: StartError(Problem(refusal: refusal).detail)
        }
    }

    /// The admin token, where one was made because none was given and one is needed.
    package var generatedAdminToken: String? { access.isGenerated ? access.token : nil }

    /// Writes what is left of the log, and lets go of the data.
    package func close() {
        for worker in workers.all where !worker.log.isEmpty { log.append(worker.log) }
        log.flush()
        store.close()
    }

    /// Tells the application where it listens.
    package func listens(at baseURL: String) {
        context.baseURL.withLock { $0 = baseURL }
    }
}

extension MatchVocabulary {
    /// The names of a contract, and of the clients that may ask for tokens.
    init(contract: OpenAPIContract, clients: ClientRegistry) {
        let prefix = "/integrations/v1/{domain}"
        let operations = contract.operations.map { operation in
            Operation(
                id: operation.id,
                isPartnerOperation: operation.isPartnerOperation,
                tag: operation.tag.isEmpty ? nil : operation.tag,
                methods: operation.method == .get
                    ? ["GET", "HEAD"] : [operation.method.rawValue],
                paths: ([operation.pathTemplate] + operation.pathAliases).map { path in
                    path.hasPrefix(prefix + "/") ? String(path.dropFirst(prefix.count)) : path
                },
                knowsDomain: operation.position(of: "domain") != nil,
                knowsClient: operation.requiresToken || operation.id == OperationID.token,
                knowsAppointment: operation.position(of: "appointmentId") != nil
            )
        }
        self.init(
            operations: operations,
            domains: clients.domains,
            clients: clients.clients.map(\.id),
            pathPrefixes: [prefix, "/_mock/openapi" + prefix]
        )
    }
}
