package import Contract
import Embedded
import ContractData
import HTTPMessage
package import HTTPTransport
package import JSON
import Journal
package import MockServer
package import Store
import Testing
package import Time

/// A whole server on a free port of 127.0.0.1, with its own store and a clock that stands still.
///
/// Every answer is held against the contract, unasked: what breaks it is a failure of the test.
package final class TestServer {
    /// An answer, with its content as JSON where it is.
    package struct Answer {
        package let status: Int
        package let response: RawClient.Response

        /// The content as JSON; `null` where it is none.
        package var json: JSONValue { (try? JSONParser.parse(response.content)) ?? .null }
        package var text: String { response.text }

        /// The first value of a field, named in lower case.
        package func field(_ name: String) -> String? { response.field(name) }
    }

    /// Where the clock of session `default` stands: 2025-06-01T00:00:00Z.
    package static let start: Int64 = 1_748_736_000
    /// The day around which the data lie: that of the fixture files, so that no date moves.
    package static let today = LocalDate("2025-01-13")

    private static let zones = TimeZones {
        (try? JSONParser.parse(EmbeddedDefaults.octets(of: EmbeddedDefaults.timeZonesJSON())))
            ?? .null
    }

    package static let contract = loadContract(EmbeddedDefaults.contractJSON())
    package static let controlContract = loadContract(EmbeddedDefaults.controlContractJSON())

    package let application: Application
    package let store: MockStore
    package let listener: Listener
    private var tokens: [String: String] = [:]

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - isFrozen: Whether the clock stands; else nobody has ever set it.
    ///   - change: What shall differ from the defaults.
    package init(
        faults: JSONValue? = nil,
        scenario: JSONValue? = nil,
        maximumPages: Int? = nil,
        isFrozen: Bool = true,
        _ change: (inout Configuration) throws -> Void = { _ in }
    ) throws {
        var configuration = Configuration()
        configuration.transport.port = 0
        configuration.transport.workers = 2
        configuration.log = .off
        configuration.today = Self.today
        try change(&configuration)
        let shapes = ViewShapes(contract: Self.contract)
        let scatter = Scatter(seed: configuration.seed, contract: Self.contract)
        store = try MockStore(
            StoreConfiguration(
                base: FixtureImage(
                    count: EmbeddedDefaults.imageOctets,
                    dates: DatePlaces(
                        octets: EmbeddedDefaults.octets(of: EmbeddedDefaults.imageDates())
                    )
                ) { EmbeddedDefaults.writeImage(to: $0) },
                today: configuration.today,
                now: Instant(secondsSince1970: Self.start),
                shapes: shapes,
                databasePath: configuration.databasePath,
                order: configuration.order,
                scatter: scatter,
                zones: Self.zones,
                workers: configuration.transport.workers,
                maximumPages: maximumPages
            )
        )
        let parts = Application.Parts(
            contract: Self.contract,
            controlContract: Self.controlContract,
            clients: try JSONParser.parse(
                EmbeddedDefaults.octets(of: EmbeddedDefaults.clientsJSON())
            ),
            keys: Application.keys(
                of: try JSONParser.parse(
                    EmbeddedDefaults.octets(of: EmbeddedDefaults.signingKeyJSON())
                )
            ),
            store: store,
            readings: try JSONParser.parse(
                EmbeddedDefaults.octets(of: EmbeddedDefaults.readingsJSON())
            ),
            edges: try JSONParser.parse(
                EmbeddedDefaults.octets(of: EmbeddedDefaults.edgesJSON())
            ),
            faults: faults,
            scenarios: try JSONParser.parse(
                EmbeddedDefaults.octets(of: EmbeddedDefaults.scenariosJSON())
            ).array ?? [],
            scenario: scenario,
            page: EmbeddedDefaults.pageFiles().map { PageFile($0.name, $0.text) }
        )
        application = try Application(configuration: configuration, parts: parts)
        if isFrozen {
            application.sessions.default.clock.set(.frozen, nanoseconds: Self.start * 1_000_000_000)
        }
        listener = try Listener(configuration: configuration.transport, handler: application)
        application.listens(at: "http://127.0.0.1:\(listener.port)")
        listener.start()
    }

    deinit {
        listener.stop(grace: .zero)
        expectReasons()
        expectShortTurns()
        application.close()
    }

    /// No turn of an event loop took too long.
    private func expectShortTurns() {
        // Tests of the watchdog itself set a limit that everything breaks.
        for offence in application.watchdog.offences
        where offence.nanoseconds > Watchdog.limitNanoseconds { Issue.record("\(offence)") }
        if let longest = application.watchdog.longest { LongestTurn.note(longest) }
    }

    /// Every refusal in the journal that no fault injected has its reason.
    private func expectReasons() {
        for session in application.sessions.all() {
            for entry in session.journal.entries(matching: JournalFilter(limit: 10_000)) {
                guard let status = entry.status, status >= 400, entry.refusal == nil,
                    entry.details.fault?.effects.contains(.status) != true
                else { continue }
                Issue.record("\(entry.method) \(entry.path) is \(status) without a reason")
            }
        }
    }

    package var baseURL: String { "http://127.0.0.1:\(listener.port)" }

    /// Moves the clock of session `default`.
    package func advance(seconds: Int64) {
        _ = application.sessions.default.clock.advance(byNanoseconds: seconds * 1_000_000_000)
    }

    // MARK: Requests

    /// The secret of a built-in client: its id and a word, as the README's table has them.
    package static func secret(of client: String) -> String {
        client.prefix { $0 != "+" } + "-secret"
    }

    /// Has the next requests ask for tokens again: the clock may have passed those there are.
    package func forgetTokens() { tokens = [:] }

    /// An access token, from the token endpoint, asked for once.
    package func token(
        _ client: String = "acme-partner",
        validates: Bool = true
    ) throws -> String {
        if let token = tokens[client] { return token }
        let answer = try askToken(client, validates: validates)
        let token = try #require(answer.json["access_token"]?.string, "\(answer.text)")
        tokens[client] = token
        return token
    }

    /// A request for an access token by client credentials.
    package func askToken(
        _ client: String = "acme-partner",
        fields: [(String, String)] = [],
        validates: Bool = true
    ) throws -> Answer {
        try postForm(
            "grant_type=client_credentials&client_id=\(PercentCoding.encode(client))"
                + "&client_secret=\(Self.secret(of: client))",
            fields: fields,
            validates: validates
        )
    }

    /// A form that is sent to the token endpoint.
    package func postForm(
        _ form: String,
        fields: [(String, String)] = [],
        type: String = "application/x-www-form-urlencoded",
        validates: Bool = true
    ) throws -> Answer {
        try send(
            "POST",
            "/oauth2/token",
            [("Content-Type", type)] + fields,
            Array(form.utf8),
            validates: validates
        )
    }

    /// A request to an API path: without a slash in front, below the client's first domain.
    ///
    /// - Parameter client: Whose token is sent; `nil` for none.
    package func get(
        _ path: String,
        as client: String? = "acme-partner",
        domain: String = "acme",
        method: String = "GET",
        fields: [(String, String)] = []
    ) throws -> Answer {
        try send(method, target(path, domain), try authorized(client) + fields, nil)
    }

    /// A POST of JSON to an API path.
    package func post(
        _ path: String,
        _ body: JSONValue,
        as client: String? = "acme-partner",
        domain: String = "acme",
        key: String? = nil,
        fields: [(String, String)] = []
    ) throws -> Answer {
        var all = try authorized(client) + fields
        all.append(("Content-Type", "application/json"))
        if let key { all.append(("Idempotency-Key", key)) }
        return try send("POST", target(path, domain), all, JSONWriter.octets(of: body))
    }

    /// A control request.
    package func control(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        fields: [(String, String)] = []
    ) throws -> Answer {
        let type = body == nil ? [] : [("Content-Type", "application/json")]
        return try send(
            method,
            "/__admin" + path,
            type + fields,
            body.map { JSONWriter.octets(of: $0) }
        )
    }

    private func target(_ path: String, _ domain: String) -> String {
        path.hasPrefix("/") ? path : "/integrations/v1/\(domain)/\(path)"
    }

    private func authorized(_ client: String?) throws -> [(String, String)] {
        guard let client else { return [] }
        return [("Authorization", "Bearer \(try token(client))")]
    }

    /// Any request, on a connection of its own.
    ///
    /// - Parameter validates: Whether the answer must keep the contract; not where a fault spoils it.
    package func send(
        _ method: String,
        _ target: String,
        _ fields: [(String, String)] = [],
        _ content: [UInt8]? = nil,
        validates: Bool = true
    ) throws -> Answer {
        let client = try RawClient(port: listener.port)
        defer { client.close() }
        var head = "\(method) \(target) HTTP/1.1\r\n"
        if !fields.contains(where: { $0.0.lowercased() == "host" }) {
            head += "Host: 127.0.0.1:\(listener.port)\r\n"
        }
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if let content { head += "Content-Length: \(content.count)\r\n" }
        try client.send(Array((head + "\r\n").utf8) + (content ?? []))
        let response = try client.response(toHead: method == "HEAD")
        if validates { Self.validate(response, to: method, target) }
        return Answer(status: response.status, response: response)
    }

    // MARK: Validation

    /// Holds an answer against the contract it belongs to.
    package static func validate(
        _ response: RawClient.Response,
        to method: String,
        _ target: String
    ) {
        let path = Array(target.prefix { $0 != "?" }.utf8)
        let isControl = ControlAPI.serves(path)
        let contract = isControl ? controlContract : contract
        var operation: Contract.Operation?
        if case .matched(let found, _) = contract.route(method: HTTPMethod(method), path: path) {
            operation = found
        }
        let message = HTTPResponse(
            status: response.status,
            fields: response.fields.map { HTTPResponse.Field($0.name, $0.value) },
            content: response.content
        )
        let violations = contract.violations(
            of: message,
            operation: operation,
            method: HTTPMethod(method)
        )
        for violation in violations {
            Issue.record(
                """
                \(method) \(target) answered \(response.status) against the contract: \
                \(violation.name) \(violation.message) (\(violation.contractPointer)) \
                \(response.text.prefix(300))
                """
            )
        }
        if response.field("x-correlation-id") == nil {
            Issue.record("\(method) \(target): no X-Correlation-Id")
        }
        let isPage = path.starts(with: "/__admin/ui/".utf8) && response.status < 400
        if isControl, response.field("cache-control") != (isPage ? "no-cache" : "no-store") {
            Issue.record("\(method) \(target): a control answer that may be kept")
        }
        if response.field("date") == nil { Issue.record("\(method) \(target): no Date") }
    }

    private static func loadContract(_ literal: StaticString) -> OpenAPIContract {
        do {
            return try OpenAPIContract(octets: EmbeddedDefaults.octets(of: literal))
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
