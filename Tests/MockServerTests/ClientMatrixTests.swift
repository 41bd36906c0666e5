import Foundation
import HTTPTransport
import JSON
import MockServer
import TestSupport
import TestTools
import Testing
import Time
import Verdict

/// The proof of the verdict: one good client that passes everything, and for each check a client
/// that fails it, and nothing beyond what its row names as implied.
///
/// The clients are the Python programs in `examples/`, unchanged.
@Suite("Clients, good and bad")
struct ClientMatrixTests {
    /// A row of the matrix: a client of `bad_clients.py`, and what fails beside its own check.
    struct Row: CustomTestStringConvertible {
        let client: String
        let implied: [String]

        init(_ client: String, implies implied: [String] = []) {
            self.client = client
            self.implied = implied
        }

        /// The check is the name up to a slash.
        var check: String { String(client.prefix { $0 != "/" }) }
        var testDescription: String { client }
    }

    /// An invalid request is one whatever it is invalid by.
    private static let refused = ["contract.valid-requests"]

    static let rows = [
        Row("retry.retries-transient"),
        Row("retry.honours-retry-after"),
        Row("retry.not-too-late"),
        Row("retry.pauses"),
        Row("retry.backs-off"),
        Row("retry.jitters"),
        Row("retry.bounded"),
        Row("retry.leaves-permanent-errors-alone"),
        Row("retry.leaves-permanent-errors-alone/get"),
        Row("errors.tolerates-foreign"),
        Row("idempotency.key-sent"),
        Row("idempotency.key-wellformed", implies: refused),
        Row("idempotency.key-reused-on-retry"),
        Row("idempotency.payload-stable"),
        Row("idempotency.key-fresh-per-operation"),
        // Nothing happens twice with a key that is kept.
        Row("idempotency.no-duplicate-effect", implies: ["idempotency.key-sent"]),
        Row("paging.cursor-verbatim", implies: refused),
        Row("paging.cursor-verbatim/empty", implies: refused),
        Row("paging.stops-at-end"),
        Row("paging.stops-at-end/null", implies: refused),
        Row("paging.keeps-parameters"),
        Row("paging.reads-to-the-end"),
        Row("paging.reads-to-the-end/middle"),
        Row("paging.offset-stops"),
        Row("paging.offset-stops/gap"),
        Row("auth.token-reused"),
        Row("auth.recovers-from-401"),
        Row("auth.no-token-storm"),
        Row("auth.no-token-storm/renewal"),
        Row("auth.no-stampede"),
        // No operation has a parameter for tokens.
        Row("auth.header-only", implies: ["contract.known-parameters"]),
        Row("auth.header-only/body"),
        Row("auth.within-domains"),
        Row("upload.before-expiry"),
        Row("upload.content-type"),
        Row("upload.content-length"),
        Row("upload.size"),
        Row("upload.single-put"),
        // The first PUT came too late, or there would be no reason for a new URL.
        Row("upload.new-url-after-failure", implies: ["upload.before-expiry"]),
        // What was refused is refused again.
        Row(
            "upload.new-url-after-failure/broken",
            implies: ["retry.leaves-permanent-errors-alone"]
        ),
        // A report without its file, whose URL never got its content.
        Row(
            "upload.stored-after-failure",
            implies: ["upload.completed", "reporting.report-after-files"]
        ),
        Row("upload.content-as-promised"),
        Row("upload.content-as-promised/type"),
        Row("upload.no-credentials"),
        Row("upload.completed"),
        Row("reporting.pending-only"),
        Row("reporting.report-after-files"),
        Row("reporting.no-step-back"),
        Row("reporting.each-exam-once"),
        Row("reporting.each-exam-once/twice"),
        Row("reporting.plausible-time"),
        Row("transport.reuses-connections"),
        Row("contract.valid-requests"),
        Row("contract.known-parameters"),
        Row("privacy.no-patient-data-in-urls"),
        Row("privacy.no-patient-data-in-urls/name-in-trace"),
        Row("privacy.no-patient-data-in-urls/medicare"),
        Row("privacy.no-patient-data-in-urls/double"),
        Row("privacy.no-patient-data-in-urls/key"),
        Row("privacy.no-patient-data-in-urls/agent"),
        Row("trace.correlation-id"),
        Row("trace.correlation-id/shared"),
    ]

    /// The one client that is judged while it still runs.
    static let endless = "transport.times-out"

    static let scenarios = [
        "busy-day", "calm", "flaky-network", "foreign-errors", "lost-answers",
        "rate-limited-morning", "slow-friday", "token-expiry", "upload-trouble",
    ]

    /// A pack of the fixtures or of the examples.
    static func pack(_ name: String) throws -> JSONValue {
        let own = Repository.path("examples/scenarios/\(name).json")
        let path =
            FileManager.default.fileExists(atPath: own)
            ? own : Repository.path("fixtures/scenarios/\(name).json")
        let octets = try #require(FileManager.default.contents(atPath: path), "\(path)")
        return try JSONParser.parse(Array(octets))
    }

    /// A server that plays a scenario, on a clock that runs.
    static func server(scenario: String) throws -> TestServer {
        try TestServer(scenario: pack(scenario), isFrozen: false)
    }

    /// Starts a client of `examples/` as `qubs-mock run` would.
    static func start(
        _ arguments: [String],
        at server: TestServer,
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let variables = [
            "QUBS_BASE_URL": server.baseURL, "QUBS_TOKEN_URL": server.baseURL + "/oauth2/token",
            "QUBS_DOMAIN": "acme", "QUBS_CLIENT_ID": "acme-partner",
            "QUBS_CLIENT_SECRET": "acme-partner-secret", "PYTHONDONTWRITEBYTECODE": "1",
            "QUBS_TIMEOUT": "60",
            "QUBS_TODAY": TestServer.today?.description ?? "",
        ]
        return try ChildProcess(
            "/usr/bin/env",
            ["python3"] + arguments,
            environment: variables.merging(environment) { $1 }
        )
    }

    /// The scenario that `bad_clients.py` names for each of its clients.
    static let scenarioOfClient: [String: String] = {
        guard let list = try? ChildProcess("/usr/bin/env", ["python3", script]),
            (try? list.exitStatus()) == 0
        else { return [:] }
        var scenarios: [String: String] = [:]
        for line in list.output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 { scenarios[String(words[0])] = String(words[1]) }
        }
        return scenarios
    }()

    private static let script = Repository.path("examples/bad_clients.py")
    private static let goodClient = Repository.path("examples/good_client.py")

    private static func failed(_ verdict: JSONValue) -> [String] {
        (verdict["checks"]?.array ?? []).filter { $0["result"]?.string == "fail" }
            .compactMap { $0["id"]?.string }
    }

    private static func summaries(_ verdict: JSONValue) -> String {
        (verdict["checks"]?.array ?? []).filter { $0["result"]?.string == "fail" }
            .map { "\($0["id"]?.string ?? ""): \($0["summary"]?.string ?? "")" }
            .joined(separator: "\n")
    }

    // MARK: Tests

    @Test("Every check has a client that fails it, and every client is in the matrix")
    func complete() throws {
        let server = try TestServer()
        let verdict = try server.control("GET", "/verdict").json
        let checks = (verdict["checks"]?.array ?? []).compactMap { $0["id"]?.string }
        #expect(checks == Check.all.map(\.id))
        #expect(Set(Self.rows.map(\.check) + [Self.endless]) == Set(checks))
        #expect(
            Set(Self.rows.map(\.client) + [Self.endless]) == Set(Self.scenarioOfClient.keys)
        )
    }

    @Test("A bad client fails its own check and nothing beyond what that implies", arguments: rows)
    func bad(row: Row) throws {
        let scenario = try #require(Self.scenarioOfClient[row.client])
        let server = try Self.server(scenario: scenario)
        let client = try Self.start([Self.script, row.client], at: server)
        // Bad clients do their mistakes quietly: what ends one early is a mistake of this test.
        let status = try client.exitStatus()
        #expect(
            status == 0 || client.errorOutput.contains("Unavailable"),
            "\(client.errorOutput)"
        )
        let verdict = try server.control("GET", "/verdict").json
        #expect(
            Set(Self.failed(verdict)) == Set([row.check] + row.implied),
            "\(Self.summaries(verdict))\n\(client.errorOutput)"
        )
    }

    @Test("A client without time-outs fails once 120 s have passed, and not before")
    func endless() throws {
        let server = try Self.server(scenario: "slow-friday")
        let client = try Self.start([Self.script, Self.endless], at: server)
        try client.poll("a call that is not answered") {
            try server.control("GET", "/requests/count?operation=Integrations_ListExamCodes")
                .json["count"] == 1
        }
        let session = server.application.sessions.default
        func failed(afterSeconds seconds: Int64) throws -> [String] {
            // Judged as if so much time had gone by with the client still waiting.
            let now = SystemTime.monotonic() + seconds * 1_000_000_000
            let judgement = server.application.controls.judge(session, isStrict: true, now: now)
            return Self.failed(try JSONParser.parse(judgement.json))
        }
        #expect(try failed(afterSeconds: 60) == [])
        #expect(try failed(afterSeconds: 121) == [Self.endless])
        client.send(SIGKILL)
        _ = try client.exitStatus()
    }

    @Test("The good client passes every scenario and reaches its pass marks", arguments: scenarios)
    func good(scenario: String) throws {
        let server = try Self.server(scenario: scenario)
        // On a busy machine a call takes seconds; only where the server is silent for good must the
        // client give up soon.
        let client = try Self.start(
            [Self.goodClient],
            at: server,
            environment: ["QUBS_TIMEOUT": scenario == "slow-friday" ? "8" : "60"]
        )
        #expect(try client.exitStatus() == 0, "\(client.errorOutput)")
        let verdict = try server.control("GET", "/verdict?strict=true").json
        #expect(verdict["result"] == "pass", "\(Self.summaries(verdict))")
        #expect(Self.failed(verdict) == [])
        #expect(verdict["scenario"]?["name"] == .string(scenario))
        #expect(verdict["scenario"]?["reached"] == true)
    }

    @Test("Across the scenarios every must is a pass mark, so the good client passes them all")
    func everyMust() throws {
        let server = try TestServer()
        let checks = try server.control("GET", "/verdict").json["checks"]?.array ?? []
        let musts = checks.filter { $0["level"] == "must" }.compactMap { $0["id"]?.string }
        let packs = try server.control("GET", "/scenarios").json["items"]?.array ?? []
        #expect(packs.compactMap { $0["name"]?.string } == Self.scenarios)
        let marks = packs.flatMap { $0["passMarks"]?.array ?? [] }.compactMap(\.string)
        #expect(Set(musts).subtracting(marks) == [])
    }

    @Test("Sixteen identical GETs at once raise no alarm, in any round")
    func concurrency() throws {
        let server = try Self.server(scenario: "calm")
        let token = try server.token()
        let clients = try (0..<16).map { _ in try RawClient(port: server.listener.port) }
        for round in 0..<8 {
            for (place, client) in clients.enumerated() {
                let head =
                    "GET /integrations/v1/acme/appointments/A123456 HTTP/1.1\r\nHost: localhost\r\n"
                    + "Authorization: Bearer \(token)\r\nX-Correlation-Id: r\(round)-\(place)\r\n\r\n"
                try client.send(Array(head.utf8))
            }
            for client in clients { #expect(try client.response().status == 200) }
        }
        let verdict = try server.control("GET", "/verdict?strict=true").json
        #expect(Self.failed(verdict) == [])
    }
}
