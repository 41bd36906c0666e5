import Contract
import Foundation
import Glibc
import HTTPTransport
import JSON
import MockServer
import OAuth
import TestSupport
import Testing

@Suite("Command line")
struct CommandLineTests {
    @Test(
        "One line on standard output, the same address in the ready file; a signal ends it with 0",
        arguments: [SIGTERM, SIGINT]
    )
    func startAndStop(signal: Int32) throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(["serve", "--port", "0", "--ready-file", ready])
        let url = try server.awaitReady(ready)
        #expect(try #require(URL(string: url)).port.map { $0 > 0 } == true)
        #expect(try server.get("/__admin/ready", at: url).status == 200)
        server.send(signal)
        #expect(try server.exitStatus() == 0)
        #expect(server.output == "qubs-mock listening on \(url)\n")
        // Whoever waits for the file of the next server must not find this one's.
        #expect(!FileManager.default.fileExists(atPath: ready))
        // The log is on standard error, and control requests are in it, too.
        #expect(server.errorOutput.contains(" GET /__admin/ready 200 "))
    }

    @Test("A signal that comes the moment the server is ready is heard", arguments: 1...8)
    func earlySignal(attempt: Int) throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(["--port", "0", "--ready-file", ready])
        _ = try server.awaitReady(ready, pauseMicroseconds: 0)
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
    }

    @Test("A second signal ends the program at once, whatever is still being answered")
    func secondSignal() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(["--port", "0", "--ready-file", ready])
        let url = try server.awaitReady(ready)
        let token = try server.token(at: url)
        let rule =
            #"{"match": {}, "when": {"first": 1}, "then": {"drip": {"chunks": 50, "over": "PT1H"}}}"#
        let armed = try server.client(at: url).exchange(
            "POST /__admin/faults HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(rule.utf8.count)\r\n\r\n\(rule)"
        )
        #expect(armed.status == 201, "\(armed.text)")
        let client = try server.client(at: url)
        try client.send(
            "GET /integrations/v1/acme/sites HTTP/1.1\r\nHost: localhost\r\n"
                + "Authorization: Bearer \(token)\r\n\r\n"
        )
        #expect(try client.readHead().hasPrefix("HTTP/1.1 200 "))
        server.send(SIGTERM)
        // The listener is the first to go.
        try server.poll("the listener is closed") { (try? server.client(at: url)) == nil }
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 128 + SIGTERM)
    }

    @Test("A port in use is one line on standard error and exit status 1")
    func portInUse() throws {
        let other = try TestServer()
        let port = String(other.listener.port)
        let server = try ChildProcess.mock(["--port", port])
        #expect(try server.exitStatus() == 1)
        #expect(server.output.isEmpty)
        #expect(server.errorLines.count == 1, "\(server.errorOutput)")
        #expect(server.errorOutput.hasPrefix("qubs-mock: 127.0.0.1:\(port) is in use"))
    }

    @Test(
        "Misuse of the command line is exit status 64, and says how to use it",
        arguments: [
            ["--no-such-option"], ["serve", "--port", "65536"], ["serve", "--port", "eighty"],
            ["--order", "random"], ["--created-status", "204"], ["no-such-command"], ["token"],
            ["token", "--client-id", "acme-partner", "--flaw", "no-such-flaw"],
            ["health", "--url", "ftp://127.0.0.1"], ["fixtures", "check"],
            ["run", "--no-such-option"],
        ]
    )
    func misuse(arguments: [String]) throws {
        let program = try ChildProcess.mock(arguments)
        #expect(try program.exitStatus() == 64, "\(program.errorOutput)")
        #expect(program.output.isEmpty)
        #expect(program.errorOutput.contains("Usage:"))
    }

    @Test("Environment variables are options; what is typed wins; unknown ones are ignored")
    func environment() throws {
        let folder = try TemporaryFolder()
        let busy = try TestServer()
        let fromEnvironment = folder.path("from-environment")
        let variables = [
            "QUBS_MOCK_READY_FILE": fromEnvironment, "QUBS_MOCK_PORT": "0",
            "QUBS_MOCK_NO_FAULT_HEADER": "yes", "QUBS_MOCK_LOG": "off",
            "QUBS_MOCK_JOURNAL_BODIES": "0", "QUBS_MOCK_NO_SUCH_OPTION": "1",
        ]
        let server = try ChildProcess.mock([], environment: variables)
        let url = try server.awaitReady(fromEnvironment)
        let answer = try server.get(
            "/integrations/v1/acme/sites",
            at: url,
            token: try server.token(at: url),
            "Prefer: code=503\r\n"
        )
        #expect(answer.status == 503)
        #expect(answer.field("x-mock-fault") == nil)
        #expect(server.errorOutput.isEmpty)

        // The port of the environment cannot be had; the one that is typed can.
        let typed = folder.path("typed")
        let other = try ChildProcess.mock(
            ["--port", "0", "--ready-file", typed],
            environment: ["QUBS_MOCK_PORT": String(busy.listener.port)]
        )
        #expect(try other.awaitReady(typed) != busy.baseURL)
        let refused = try ChildProcess.mock(
            [],
            environment: ["QUBS_MOCK_PORT": String(busy.listener.port)]
        )
        #expect(try refused.exitStatus() == 1)
        #expect(refused.errorOutput.contains("is in use"))
    }

    @Test("Tokens made without a server are good for a server; flawed ones are refused by it")
    func token() throws {
        let server = try TestServer()
        // Tokens of the program are issued by the time of the system.
        server.application.sessions.default.clock.set(.real, nanoseconds: nil)
        func printed(_ arguments: [String]) throws -> String {
            let program = try ChildProcess.mock(["token"] + arguments)
            #expect(try program.exitStatus() == 0, "\(program.errorOutput)")
            #expect(program.output.split(separator: "\n").count == 1)
            return program.output.trimmingCharacters(in: .newlines)
        }
        func status(_ token: String) throws -> Int {
            let fields = [("Authorization", "Bearer \(token)")]
            return try server.get("sites", as: nil, fields: fields).status
        }
        #expect(try status(printed(["--client-id", "acme-partner"])) == 200)
        #expect(try status(printed(["--client-id", "globex-partner"])) == 403)
        for flaw in TokenFlaw.allCases {
            let expected = [.noDomains, .wrongDomain].contains(flaw) ? 403 : 401
            let token = try printed(["--client-id", "acme-partner", "--flaw", flaw.rawValue])
            #expect(try status(token) == expected, "\(flaw.rawValue)")
        }
        // In the form that a client has a session in, and as an option.
        for arguments in [
            ["--client-id", "acme-partner+from-the-name"],
            ["--client-id", "acme-partner", "--session", "from-the-option"],
        ] {
            #expect(try status(printed(arguments)) == 200)
        }
        let sessions = try server.control("GET", "/sessions").json["items"]?.array ?? []
        #expect(
            Set(sessions.compactMap { $0["name"]?.string })
                == ["default", "from-the-name", "from-the-option"]
        )
        let unknown = try ChildProcess.mock(["token", "--client-id", "nobody"])
        #expect(try unknown.exitStatus() == 1)
        #expect(unknown.errorLines.count == 1)
    }

    @Test("health is 0 while a server is ready, and 1 with a reason when there is none")
    func health() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(["--port", "0", "--ready-file", ready])
        let url = try server.awaitReady(ready)
        #expect(try ChildProcess.mock(["health", "--url", url]).exitStatus() == 0)
        let byVariable = try ChildProcess.mock(["health"], environment: ["QUBS_MOCK_URL": url])
        #expect(try byVariable.exitStatus() == 0)
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
        let after = try ChildProcess.mock(["health", "--url", url])
        #expect(try after.exitStatus() == 1)
        #expect(after.errorOutput == "qubs-mock: nothing listens at \(url)\n")
    }

    @Test("openapi prints the contract as YAML, with the operations that the server has")
    func openAPI() throws {
        let program = try ChildProcess.mock(["openapi"])
        #expect(try program.exitStatus() == 0)
        let lines = program.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("openapi: ") == true)
        let ids = lines.compactMap { line -> String? in
            let words = line.split(separator: " ")
            guard words.count == 2, words[0] == "operationId:" else { return nil }
            return words[1].trimmingCharacters(in: ["\""])
        }
        let partner = Set(ids).filter { $0.hasPrefix("Integrations_") }
        #expect(partner.count == 28)
        let expected = TestServer.contract.operations.filter(\.isPartnerOperation).map(\.id)
        #expect(partner == Set(expected))
    }

    @Test("fixtures check names file and place of each fault, and exits with 1")
    func fixturesCheck() throws {
        let folder = try TemporaryFolder()
        let copy = folder.path("mine")
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        // Without clients and key of its own, which name the other domain, too.
        try FileManager.default.copyItem(
            atPath: Repository.path("fixtures/globex"),
            toPath: "\(copy)/globex"
        )
        let valid = try ChildProcess.mock(["fixtures", "check", copy])
        #expect(try valid.exitStatus() == 0, "\(valid.errorOutput)")
        #expect(valid.output.hasSuffix("all valid\n"))

        // A file that is gone is one fault, not one for each record that refers to it.
        let patients = "\(copy)/globex/patients.json"
        let aside = folder.path("patients.json")
        try FileManager.default.moveItem(atPath: patients, toPath: aside)
        let absent = try ChildProcess.mock(["fixtures", "check", copy])
        #expect(try absent.exitStatus() == 1)
        #expect(absent.errorLines.count == 2)
        #expect(absent.errorLines.first?.hasPrefix("\(patients): there is no such file") == true)
        try FileManager.default.moveItem(atPath: aside, toPath: patients)

        let appointments = "\(copy)/globex/appointments.json"
        let text = try String(contentsOfFile: appointments, encoding: .utf8)
        let status = try #require(text.firstRange(of: "\"status\":\""))
        var broken = text
        broken.replaceSubrange(status, with: "\"status\":\"NO LONGER ")
        try broken.write(toFile: appointments, atomically: true, encoding: .utf8)
        let invalid = try ChildProcess.mock(["fixtures", "check", copy])
        #expect(try invalid.exitStatus() == 1)
        #expect(invalid.output.isEmpty)
        #expect(invalid.errorLines.first?.hasPrefix("\(appointments) at /0/status: ") == true)
        #expect(invalid.errorLines.last == "qubs-mock: \(copy): 1 fault")

        // The server does not start with it, for the same reason.
        let server = try ChildProcess.mock(["--port", "0", "--fixtures", copy])
        #expect(try server.exitStatus() == 1)
        #expect(server.output.isEmpty)
        #expect(server.errorLines.count == 1)
        #expect(server.errorOutput.hasPrefix("qubs-mock: \(appointments) at /0/status: "))

        try "[{]".write(toFile: appointments, atomically: true, encoding: .utf8)
        let noJSON = try ChildProcess.mock(["fixtures", "check", copy])
        #expect(try noJSON.exitStatus() == 1)
        #expect(noJSON.errorLines.first?.hasPrefix(appointments) == true)
    }

    /// Options with a file that cannot be used, and the text that the file has (`nil`: no file).
    static let unusable: [(option: String, name: String, content: String?)] = [
        ("--fixtures", "folder", nil),
        ("--fixtures", "folder", "a file"),
        ("--faults", "faults.json", nil),
        ("--faults", "faults.json", "{"),
        ("--faults", "faults.json", #"[{"then": {"status": 200}}]"#),
        (
            "--faults", "faults.json",
            #"[{"match": {"operation": "ListSite"}, "then": {"status": 500}}]"#
        ),
        ("--database", "mock.db", "no database"),
        ("--database", "no-such-folder/mock.db", nil),
        ("--ready-file", "no-such-folder/ready", nil),
    ]

    @Test(
        "A file that cannot be used is one line that names it, and exit status 1",
        arguments: unusable
    )
    func unusableFile(option: String, name: String, content: String?) throws {
        let folder = try TemporaryFolder()
        let path = folder.path(name)
        try content?.write(toFile: path, atomically: true, encoding: .utf8)
        let server = try ChildProcess.mock(["--port", "0", option, path])
        #expect(try server.exitStatus() == 1)
        #expect(server.output.isEmpty)
        #expect(server.errorLines.count == 1, "\(server.errorOutput)")
        #expect(server.errorOutput.hasPrefix("qubs-mock: "))
        #expect(server.errorOutput.contains(path), "\(server.errorOutput)")
        if let content {
            #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
        } else {
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("With --database, what was acknowledged is there after kill -9, tokens included")
    func database() throws {
        let folder = try TemporaryFolder()
        let database = folder.path("mock.db")
        let path = "/integrations/v1/acme/reporting/appointments/A123456/comments"
        var token = ""
        var created: JSONValue = .null
        do {
            let ready = folder.path("first")
            let server = try ChildProcess.mock(
                ["--port", "0", "--ready-file", ready, "--database", database]
            )
            let url = try server.awaitReady(ready)
            token = try server.token(at: url)
            let body = #"{"commentText":"Kept."}"#
            let answer = try server.client(at: url).exchange(
                "POST \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
                    + "Idempotency-Key: kept\r\n\r\n\(body)"
            )
            #expect(answer.status == 200, "\(answer.text)")
            created = try JSONParser.parse(answer.content)
            // A second server must not share the file.
            let second = try ChildProcess.mock(["--port", "0", "--database", database])
            #expect(try second.exitStatus() == 1)
            #expect(second.errorOutput.contains(database))
            server.send(SIGKILL)
            _ = try server.exitStatus()
        }
        let ready = folder.path("second")
        let server = try ChildProcess.mock(
            ["--port", "0", "--ready-file", ready, "--database", database]
        )
        let url = try server.awaitReady(ready)
        let comments = try server.get(path, at: url, token: token)
        #expect(comments.status == 200)
        #expect(try JSONParser.parse(comments.content).array?.contains(created) == true)
    }
}

/// Paths of the checkout that the tests were built from.
enum Repository {
    /// The root, three folders above this file.
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func path(_ relative: String) -> String { root.appending(path: relative).path }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appending(path: "qubs-mock-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var path: String { url.path }

    func path(_ name: String) -> String { url.appending(path: name).path }
}

/// A program that a test has started, and that ends with the test at the latest.
///
/// Its output goes to files, so that it never waits for a reader.
final class ChildProcess {
    /// What a program did not do in time, or at all.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// For whatever a program is waited for; far more than it needs on a busy machine.
    private static let timeLimitSeconds = 60

    private let process = Process()
    private let folder: TemporaryFolder
    private let hasEnded = DispatchSemaphore(value: 0)
    private var isOver = false

    /// The folder of the programs that are built beside the tests.
    static var products: String {
        get throws {
            let file = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(filePath: file).deletingLastPathComponent().path
        }
    }

    /// Starts `qubs-mock`.
    static func mock(
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try ChildProcess("\(products)/qubs-mock", arguments, environment: environment)
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - environment: Added to that of the tests, of which the program's own variables are left out.
    ///   - folder: Where it runs.
    init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        in working: TemporaryFolder? = nil
    ) throws {
        folder = try TemporaryFolder()
        for name in ["output", "errors"] {
            try Data().write(to: URL(filePath: folder.path(name)))
        }
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("QUBS_MOCK_") }
            .merging(environment) { $1 }
        process.currentDirectoryURL = URL(filePath: (working ?? folder).path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: folder.path("output"))
        process.standardError = FileHandle(forWritingAtPath: folder.path("errors"))
        process.terminationHandler = { [hasEnded] _ in hasEnded.signal() }
        try process.run()
    }

    deinit {
        if !isOver { kill(process.processIdentifier, SIGKILL) }
    }

    var output: String { text("output") }
    var errorOutput: String { text("errors") }
    var errorLines: [String] { errorOutput.split(separator: "\n").map(String.init) }

    private func text(_ name: String) -> String {
        FileManager.default.contents(atPath: folder.path(name))
            .map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// The descriptors that the program has open.
    var descriptors: [Int] {
        get throws {
            let folder = "/proc/\(process.processIdentifier)/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder)
                .compactMap { Int($0) }
        }
    }

    /// The processor time that the program has used, in seconds.
    var processorSeconds: Double {
        get throws {
            let file = "/proc/\(process.processIdentifier)/stat"
            let text = try String(contentsOfFile: file, encoding: .utf8)
            // The name in parentheses may hold spaces; utime and stime are the 12th and 13th after it.
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13])
            else { throw Failure(description: "\(file): \(text)") }
            return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }

    /// Waits for the end.
    ///
    /// - Returns: The exit status, or the number of the signal that ended it.
    func exitStatus() throws -> Int32 {
        if !isOver {
            let deadline = DispatchTime.now() + .seconds(Self.timeLimitSeconds)
            guard hasEnded.wait(timeout: deadline) == .success else {
                throw Failure(description: "it still runs; standard error: \(errorOutput)")
            }
            isOver = true
        }
        return process.terminationStatus
    }

    /// Asks again and again until something holds.
    func poll(
        _ what: String,
        pauseMicroseconds: UInt32 = 5_000,
        _ holds: () throws -> Bool
    ) throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(Self.timeLimitSeconds)
        while try !holds() {
            guard clock.now < deadline else {
                throw Failure(description: "not in time: \(what); \(errorOutput)")
            }
            usleep(pauseMicroseconds)
        }
    }

    /// Waits until a server accepts.
    ///
    /// - Returns: The base URL, which is the one line of the ready file.
    func awaitReady(_ file: String, pauseMicroseconds: UInt32 = 5_000) throws -> String {
        try poll("the ready file", pauseMicroseconds: pauseMicroseconds) {
            if access(file, F_OK) == 0 { return true }
            guard process.isRunning else {
                throw Failure(description: "it ended: \(errorOutput)")
            }
            return false
        }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        guard text.hasSuffix("\n"), text.split(separator: "\n").count == 1 else {
            throw Failure(description: "not one line: \(text)")
        }
        return String(text.dropLast())
    }

    // MARK: Requests to a server that was started

    /// A new connection.
    func client(at url: String) throws -> RawClient {
        let port = try #require(URL(string: url)?.port)
        return try RawClient(port: port)
    }

    func get(
        _ path: String,
        at url: String,
        token: String? = nil,
        _ fieldLines: String = ""
    ) throws -> RawClient.Response {
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        return try client(at: url).exchange(
            "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(authorization)\(fieldLines)\r\n"
        )
    }

    /// An access token of `acme-partner`.
    func token(at url: String) throws -> String {
        let form =
            "grant_type=client_credentials&client_id=acme-partner"
            + "&client_secret=acme-partner-secret"
        let answer = try client(at: url).exchange(
            "POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\n"
                + "Content-Length: \(form.utf8.count)\r\n\r\n\(form)"
        )
        return try #require(try JSONParser.parse(answer.content)["access_token"]?.string)
    }
}
