import ArgumentParser
import Faults
import HTTPTransport
import JSON
import MockServer
import OAuth
import Readings
import Store
import Time

/// The server that trials run against: one for all, on a free port.
final class TrialServer: Sendable {
    let application: Application
    let baseURL: String
    private let listener: Listener
    private let client: Client
    private let domain: String
    private let secret: String
    private let templates: [(name: String, template: String)]
    /// The rules of `--fault`, and the choices of `--reading`.
    private let rules: [FaultRule]
    private let readings: [(id: String, value: String)]

    /// How long answers have that are still running when a command has ended.
    static let grace = Duration.seconds(2)

    /// Starts a server.
    ///
    /// - Throws: `Failure`, with status 64 where an option is wrong.
    init(_ options: TrialOptions) throws(Failure) {
        var configuration = Configuration()
        configuration.transport.port = 0
        configuration.log = .off
        configuration.fixturesPath = options.fixtures
        configuration.faultsPath = options.faults
        configuration.seed = options.seed
        configuration.today = LocalDate(options.today ?? "")
        configuration.world = options.world
        configuration.present = SessionClock().now()
        let rules: [JSONValue]
        do throws(ValidationError) {
            // Readings are chosen trial by trial.
            configuration.readings.dose = try options.readingOptions.settings().dose
            readings = options.readingOptions.pairs
            rules = try options.rules()
            templates = try options.env.map { text throws(ValidationError) in
                try TrialOptions.variable(text)
            }
        } catch {
            throw Failure(message: error.message, status: Failure.misuse)
        }
        configuration.journalSize = options.journalSize
        configuration.transport.workers = Processors.count
        DescriptorLimit.share(for: &configuration)
        (client, domain, secret) = try Self.identity(options)
        let application = try ServerComposition.application(configuration)
        do throws(StartError) {
            var known: [FaultRule] = []
            for rule in rules {
                known += try application.faultRules(rule, source: "--fault")
            }
            self.rules = known
        } catch {
            application.close()
            throw Failure(message: error.description, status: Failure.misuse)
        }
        do throws(SystemError) {
            listener = try Listener(configuration: configuration.transport, handler: application)
        } catch {
            application.close()
            throw Failure(message: "cannot listen on \(configuration.transport.host): \(error)")
        }
        self.application = application
        baseURL = "http://\(configuration.transport.host):\(listener.port)"
        application.listens(at: baseURL)
        listener.start()
    }

    /// The client of `--client`, the domain of `--domain`, and the client's secret.
    private static func identity(
        _ options: TrialOptions
    ) throws(Failure) -> (Client, domain: String, secret: String) {
        let folder = try options.fixtures.map { path throws(Failure) in
            try ServerComposition.folder(path, contract: try ServerComposition.contract())
        }
        let identities = try ServerComposition.identities(of: folder)
        let registry: ClientRegistry
        do throws(ClientRegistryError) {
            registry = try ClientRegistry(identities.clients)
        } catch {
            throw Failure(message: "the clients are not valid: \(error)")
        }
        guard let client = registry[options.client]
        else {
            throw Failure(
                message: "--client \(options.client): no client has this id; "
                    + registry.advice(forUnknown: options.client),
                status: Failure.misuse
            )
        }
        let record = identities.clients.array?.first { $0["clientId"]?.string == client.id }
        if let domain = options.domain, !registry.domains.contains(domain) {
            throw Failure(
                message: "--domain \(domain): there is no such domain; there are "
                    + registry.domains.joined(separator: ", "),
                status: Failure.misuse
            )
        }
        return (
            client, options.domain ?? client.domains.first ?? "",
            record?["clientSecret"]?.string ?? ""
        )
    }

    /// The variables of a command whose client belongs to a session.
    func environment(session: String) -> [String: String] {
        let variables = ClientVariables(
            baseURL: baseURL,
            domain: domain,
            clientID: client.id,
            secret: secret,
            session: session
        )
        var environment = variables.environment
        let values = [
            "baseURL": environment["QUBS_BASE_URL"], "tokenURL": environment["QUBS_TOKEN_URL"],
            "domain": domain, "clientId": environment["QUBS_CLIENT_ID"], "clientSecret": secret,
            "session": session,
        ].compactMapValues { $0 }
        for (name, template) in templates {
            environment[name] = Self.filled(template, values)
        }
        return environment
    }

    /// A template with its places filled; other braces stay.
    private static func filled(_ template: String, _ values: [String: String]) -> String {
        var output = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            output += rest[..<open]
            let inside = rest[rest.index(after: open)...]
            if let close = inside.firstIndex(of: "}"), let value = values[String(inside[..<close])]
            {
                output += value
                rest = inside[inside.index(after: close)...]
            } else {
                output.append("{")
                rest = inside
            }
        }
        return output + rest
    }

    /// Opens the session of a trial.
    func open(_ plan: TrialPlan) throws(Failure) {
        var setting = Application.TrialSetting(
            scenario: plan.scenario,
            rules: plan.isClean ? [] : rules,
            readings: (plan.isClean ? [] : readings) + plan.readings
        )
        do throws(StartError) {
            for rule in plan.rules {
                setting.rules += try application.faultRules(rule, source: "the fault rule")
            }
            try application.openTrial(plan.session, setting)
        } catch {
            throw Failure(message: error.description)
        }
    }

    /// Hears nobody any more.
    func stop(grace: Duration) { listener.stop(grace: grace) }

    /// Ends everything.
    func close() {
        listener.stop(grace: .zero)
        application.close()
    }
}
