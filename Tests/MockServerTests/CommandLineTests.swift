import Contract
import Foundation
import Glibc
import HTTPTransport
import JSON
import MockServer
import OAuth
import TestSupport
import TestTools
import Testing
import Time

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

    @Test(
        "A second signal, or SIGQUIT, ends the program at once, whatever is still being answered",
        arguments: [(SIGTERM, SIGTERM), (SIGHUP, SIGINT), (SIGHUP, SIGQUIT)]
    )
    func secondSignal(first: Int32, second: Int32) throws {
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
        server.send(first)
        // The listener is the first to go.
        try server.poll("the listener is closed") { (try? server.client(at: url)) == nil }
        // Who waits learns for what, and how to wait no longer.
        try server.poll("word of what runs") {
            server.errorOutput.contains(
                "stopping: 1 answer is still running, for at most 5 s; Ctrl-C"
            )
        }
        // The kernel and a shell each send one when a terminal is closed.
        if first == SIGHUP { server.send(SIGHUP) }
        server.send(second)
        #expect(try server.exitStatus() == 128 + second)
        #expect(!FileManager.default.fileExists(atPath: ready))
    }

    // MARK: The ready file

    @Test("A start that fails leaves the ready file alone, and one that succeeds replaces it")
    func staleReadyFile() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let first = try ChildProcess.mock(["--port", "0", "--ready-file", ready])
        let url = try first.awaitReady(ready)
        let port = String(try #require(URL(string: url)?.port))
        for (arguments, word) in [
            (["--port", port], "in use"), (["--port", "0", "--fixtures", "/nope"], "--fixtures"),
        ] {
            let failing = try ChildProcess.mock(arguments + ["--ready-file", ready])
            #expect(try failing.exitStatus() == 1)
            #expect(failing.errorOutput.contains(word))
            #expect(try String(contentsOfFile: ready, encoding: .utf8) == url + "\n")
        }
        first.send(SIGKILL)
        _ = try first.exitStatus()
        let second = try ChildProcess.mock(["--port", "0", "--ready-file", ready])
        try second.poll("its own address") {
            try String(contentsOfFile: ready, encoding: .utf8) != url + "\n"
        }
        second.send(SIGTERM)
        #expect(try second.exitStatus() == 0)
        #expect(!FileManager.default.fileExists(atPath: ready))
    }

    @Test("A server removes no other server's ready file", arguments: [true, false])
    func othersReadyFile(isReplaced: Bool) throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(["--port", "0", "--ready-file", ready])
        let url = try server.awaitReady(ready)
        // The same octets in another file, or other octets in the same.
        let text = isReplaced ? url + "\n" : "http://127.0.0.1:1\n"
        try text.write(toFile: ready, atomically: isReplaced, encoding: .utf8)
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
        #expect(try String(contentsOfFile: ready, encoding: .utf8) == text)
    }

    /// Options that name a file to be written, and what tells that it was written.
    static let written: [(option: String, name: String)] = [
        ("--database", "mock.db"), ("--ready-file", "ready"),
    ]

    @Test("What is no regular file is not replaced", arguments: written)
    func specialFile(option: String, name: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.path(name)
        for make in [{ mkfifo(path, 0o600) }, { mkdir(path, 0o700) }] {
            #expect(make() == 0)
            var before = stat()
            stat(path, &before)
            let server = try ChildProcess.mock(["--port", "0", option, path])
            #expect(try server.exitStatus() == 1)
            #expect(server.output.isEmpty)
            #expect(server.errorLines.count == 1, "\(server.errorOutput)")
            #expect(server.errorOutput.hasPrefix("qubs-mock: \(option) \(path): "))
            #expect(server.errorOutput.contains("it was not touched"))
            var after = stat()
            #expect(stat(path, &after) == 0 && after.st_ino == before.st_ino)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [name])
            #expect(remove(path) == 0)
        }
    }

    // MARK: Standard streams

    @Test("A log that nobody reads keeps no answer waiting, and no server from its end")
    func fullPipe() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let pipe = folder.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        // Open for both, so that nobody waits for the other end.
        let reader = open(pipe, O_RDWR)
        defer { close(reader) }
        let capacity = fcntl(reader, 1031, 4096)  // F_SETPIPE_SZ
        #expect(capacity >= 4096)
        let server = try ChildProcess(
            "/bin/sh",
            [
                "-c", "exec \"$0\" \"$@\" 2>\"$PIPE\"", "\(ChildProcess.products)/qubs-mock",
                "--port", "0", "--ready-file", ready,
            ],
            environment: ["PIPE": pipe]
        )
        let url = try server.awaitReady(ready)
        let client = try server.client(at: url)
        // Each is a line of more than 40 octets.
        for _ in 0..<Int(capacity) / 20 {
            let answer = try client.exchange(
                "GET /__admin/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            #expect(answer.status == 200)
        }
        client.close()
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
    }

    @Test("Standard streams that are closed become the null device")
    func closedStreams() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess(
            "/bin/sh",
            [
                "-c", "exec \"$0\" \"$@\" <&- >&- 2>&-", "\(ChildProcess.products)/qubs-mock",
                "--port", "0", "--ready-file", ready, "--database", folder.path("mock.db"),
            ]
        )
        _ = try server.awaitReady(ready)
        for descriptor in 0...2 { #expect(try server.target(of: descriptor) == "/dev/null") }
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
    }

    // MARK: IPv6

    @Test(
        "An IPv6 address stands in brackets, once, in all that names the server",
        .enabled(if: hasIPv6),
        arguments: ["::1", "[::1]"]
    )
    func ipv6(host: String) throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(
            ["--port", "0", "--host", host, "--ready-file", ready]
        )
        let url = try server.awaitReady(ready)
        #expect(url.wholeMatch(of: /http:\/\/\[::1\]:[0-9]+/) != nil, "\(url)")
        for address in [url, url + "/"] {
            let health = try ChildProcess.mock(["health", "--url", address])
            #expect(try health.exitStatus() == 0, "\(health.errorOutput)")
        }
        let verdict = try ChildProcess.mock(["verdict", "--url", url])
        #expect(try verdict.exitStatus() == 2, "\(verdict.errorOutput)")
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
        #expect(server.output == "qubs-mock listening on \(url)\n")
        let after = try ChildProcess.mock(["health", "--url", url])
        #expect(try after.exitStatus() == 1)
        #expect(after.errorOutput == Self.nobody(at: url) + "\n")
    }

    @Test("The loopback address of IPv4 within IPv6 is one, too", .enabled(if: hasIPv6))
    func mappedLoopback() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(
            ["--port", "0", "--host", "::ffff:127.0.0.1", "--ready-file", ready]
        )
        let url = try server.awaitReady(ready)
        let verdict = try ChildProcess.mock(["verdict", "--url", url])
        #expect(try verdict.exitStatus() == 2, "\(verdict.errorOutput)")
        #expect(!server.errorOutput.contains("admin token"))
    }

    /// Whether this machine has the loopback address of IPv6.
    static let hasIPv6: Bool = {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }()

    /// The line about a server that is not there.
    static func nobody(at url: String) -> String {
        "qubs-mock: nothing listens at \(url): start qubs-mock, or name the server with --url"
    }

    // MARK: The log

    @Test("What is no request has a line in the log that says so", arguments: ["text", "json"])
    func notARequest(log: String) throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(["--port", "0", "--ready-file", ready, "--log", log])
        let url = try server.awaitReady(ready)
        let client = try server.client(at: url)
        try client.send("\u{16}\u{3}\u{1}\u{0}\u{5}")
        #expect(try client.readHead().hasPrefix("HTTP/1.1 400 "))
        try server.poll("the line") { server.errorOutput.contains("use http://") }
        let line = try #require(server.errorLines.last)
        #expect(
            line.contains(log == "text" ? "Z - - 400 " : #""method":"","path":"","status":400,"#)
        )
        #expect(line.contains("the connection opened with a TLS handshake"))
    }

    // MARK: Misuse

    @Test("An address that cannot be listened on is told with what to do")
    func otherAddresses() throws {
        for (arguments, text) in [
            (
                ["--host", "192.0.2.1"],
                "192.0.2.1 is no address of this machine; choose one with --host"
            ),
            (["--host", "no-such-host.invalid"], "no host of this name is found; choose another"),
        ] {
            let server = try ChildProcess.mock(["--port", "0"] + arguments)
            #expect(try server.exitStatus() == 1)
            #expect(server.errorLines.count == 1)
            #expect(server.errorOutput.contains(text), "\(server.errorOutput)")
        }
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
            ["run", "--no-such-option"], ["help", "no-such-command"], ["--database", ""],
            ["fixtures", "generate", "--appointments", "1", "--output", ""],
        ]
    )
    func misuse(arguments: [String]) throws {
        let program = try ChildProcess.mock(arguments)
        #expect(try program.exitStatus() == 64, "\(program.errorOutput)")
        #expect(program.output.isEmpty)
        #expect(program.errorOutput.contains("Usage:"))
    }

    /// Arguments, and what the message says.
    static let told: [(arguments: [String], text: String)] = [
        (["verdct"], "Unknown subcommand 'verdct'. Did you mean 'verdict'?"),
        (["runn", "--", "ls"], "Did you mean 'run'?"), (["help", "serv"], "Did you mean 'serve'?"),
        (
            ["bogus"],
            "Subcommands: serve, token, fixtures, openapi, health, verdict, changes, run, sweep, "
                + "journal, env, doctor, help\n"
        ),
        (["fixtures", "chek"], "Did you mean 'check'?"),
        (["fixtures", "chek"], "Usage: qubs-mock fixtures <subcommand>"),
        (["--port", "-1"], "--port takes 0 to 65535, not -1."),
        (["--seed", "-1"], "The value '-1' is invalid for '--seed <seed>'"),
        (["run", "--journal-size", "-1", "--", "true"], "--journal-size takes 1 to"),
        (["health", "--url", "foo"], "Usage: qubs-mock health"),
        (["health", "--url", "http://localhost:1/path"], "without a path"),
        (["verdict", "--url", "http://[::1]x:1"], "--url takes"),
        (["verdict", "--url", "http://me@h:1"], "not http://me@h:1: it has a user name."),
        (["health", "--url", "https://localhost"], "--url takes http://host:port without a path"),
        (["health", "--port", "0"], "--port 0 takes a free port"),
        (["verdict", "--port", "65536"], "--port takes 0 to 65535, not 65536."),
        (["--public-url", "mock"], "it begins with neither http:// nor https://."),
        (["--public-url", "https://u:p@mock.example"], "it has a user name."),
        (["--public-url", "https://mock.example:65536/x"], "its port is no number from 1 to"),
        (["--public-url", "https://[::1"], "it has no host, or one that is no name and no"),
        (["--public-url", "https://mock.example/x?y=1"], "it has a query."),
        (["--allow-host", "mock:8080"], "--allow-host takes the name or the address of a host"),
        (["--allow-host", ""], "--allow-host takes"),
        (["--allow-host", "*.example"], "--allow-host takes the name or the address of a host"),
        (["--head-timeout", "0"], "--head-timeout takes 1 to 86400 seconds, not 0."),
        (["--admin-token", "a b"], "--admin-token takes visible ASCII"),
        (["--workers", "0"], "--workers takes 1 to 64, not 0."),
        (["--scenario", "calmm"], "not calmm. Did you mean calm?"),
        (["run", "--suite", "calm,lost-answer", "--", "x"], "Did you mean lost-answers?"),
        (["run", "--suite", "al", "--", "x"], "not al. Did you mean all?"),
        (["run", "--require", "retry.back-off", "--", "x"], "Did you mean retry.backs-off?"),
        (["run", "--require", "zzz", "--", "x"], "not zzz. docs/checks.md lists them."),
        (
            ["--reading", "pageend=omitted"],
            "--reading pageend=omitted: There is no such reading: did you mean page-end?"
        ),
        (
            ["--reading", "page-end=omited"],
            "--reading page-end=omited: It has no such value: did you mean omitted?"
        ),
        (["run", "true"], "Error: Write -- before the command: qubs-mock run ... -- true ..."),
        (["run", "--strict", "--scenario", "calm", "sh", "x"], "qubs-mock run ... -- sh ..."),
        (["sweep", "--depth=1", "sh", "x"], "qubs-mock sweep ... -- sh ..."),
        (["run", "--fault", "{bad", "--", "x"], "as JSON: line 1, column 2: unexpected 'b'.\n"),
        (
            ["run", "--fault", "", "--", "x"],
            "as JSON: there is nothing in it: JSON is expected.\n"
        ),
        (
            ["run", "--baseline", "no/known", "--", "x"],
            "file; --write-baseline no/known makes it."
        ),
        (
            ["run", "--client", "nobody", "--", "x"],
            "has this id; there are acme-partner, acme-ref"
        ),
        (["run", "--client", "acme-partnr", "--", "x"], "id; did you mean acme-partner?"),
    ]

    @Test("Misuse is told in the words of what was typed", arguments: told)
    func misuseText(arguments: [String], text: String) throws {
        let program = try ChildProcess.mock(arguments)
        #expect(try program.exitStatus() == 64)
        #expect(program.errorOutput.contains(text), "\(program.errorOutput)")
    }

    @Test("An argument that is not UTF-8 is refused, and not taken for another")
    func notUTF8() throws {
        let shell = try ChildProcess(
            "/bin/sh",
            [
                "-c", #"exec "$0" serve --port 0 --database "/nowhere/$(printf '\377').db""#,
                "\(ChildProcess.products)/qubs-mock",
            ]
        )
        #expect(try shell.exitStatus() == 64)
        #expect(
            shell.errorOutput == "qubs-mock: argument 5 is not UTF-8: name the file otherwise\n"
        )
    }

    @Test("A variable that is not UTF-8 is refused where it names an option, and else passed on")
    func variableNotUTF8() throws {
        let program = "\(try ChildProcess.products)/qubs-mock"
        let refused = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                #"QUBS_MOCK_DATABASE="/nowhere/$(printf '\377').db" exec "$0" serve --port 0"#,
                program,
            ]
        )
        #expect(try refused.exitStatus() == 64)
        #expect(
            refused.errorOutput
                == "qubs-mock: QUBS_MOCK_DATABASE is not UTF-8: name the file otherwise\n"
        )
        // Typed, the option wins; a variable of somebody else reaches the command octet for octet.
        let script = #"printf %s "$SOMEBODYS" | od -An -tx1"#
        let passedOn = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                #"""
                export SOMEBODYS="a$(printf '\377')b" QUBS_MOCK_TODAY="$(printf '\377')"
                exec "$0" run --today 2025-01-13 -- /bin/sh -c "$1"
                """#,
                program, script,
            ]
        )
        _ = try passedOn.exitStatus()
        #expect(passedOn.output.contains(" 61 ff 62"), "\(passedOn.output) \(passedOn.errorOutput)")
    }

    /// Variables that are not good, arguments, and the exit status and message that follow.
    static let variables:
        [(variables: [String: String], arguments: [String], status: Int32, text: String)] = [
            (["PORT": "abc"], [], 64, "Error: QUBS_MOCK_PORT: The value 'abc' is invalid for"),
            (["PORT": "65536"], ["serve"], 64, "Error: QUBS_MOCK_PORT: --port takes 0 to 65535"),
            (["URL": "foo"], ["health"], 64, "Error: QUBS_MOCK_URL: --url takes"),
            (["PORT": "0"], ["health"], 64, "Error: QUBS_MOCK_PORT: --port 0 takes a free port"),
            (["ALLOW_HOST": "a\nb:1"], [], 64, "Error: QUBS_MOCK_ALLOW_HOST: --allow-host takes"),
            (["PORT": "tcp:8080"], [], 64, "Error: QUBS_MOCK_PORT: The value 'tcp:8080' is"),
            (["HOST": "", "FAULTS": "tcp://a:1"], [], 1, "qubs-mock: QUBS_MOCK_FAULTS: --faults"),
            // Who typed it is told of what was typed.
            (["PORT": "8080"], ["--portt", "1"], 64, "Error: Unknown option '--portt'"),
            (["PORT": "abc", "HOST": "a b"], ["--port", "-1"], 64, "Error: --port takes 0 to"),
            (["FIXTURES": "/nope"], ["--port", "0"], 1, "qubs-mock: QUBS_MOCK_FIXTURES: --fix"),
            (["PORT": "abc"], ["--port", "0", "--fixtures", "/nope"], 1, "qubs-mock: --fixtures"),
            (["ORDER": "bogus"], ["--order=by-id", "--faults", "/no"], 1, "qubs-mock: --faults"),
            (["PORT": "", "DATABASE": ""], ["--faults", "/no"], 1, "qubs-mock: --faults"),
            (["REPORT": "r.pdf"], ["run", "--report", "/no/r.md", "--", "true"], 3, "qubs-mock: "),
            (
                ["STRICT": "1"], ["run", "--strict", "--report", "/no/r.md", "--", "x"], 3,
                "qubs-mo"
            ),
            // What stands behind -- is somebody else's.
            (["REPORT": "/no/r.md"], ["run", "--", "--report"], 3, "qubs-mock: QUBS_MOCK_REPORT"),
        ]

    @Test(
        "What is typed wins over a variable, however wrong, and messages name it",
        arguments: variables
    )
    func wrongVariables(
        variables: [String: String],
        arguments: [String],
        status: Int32,
        text: String
    ) throws {
        let program = try ChildProcess.mock(
            arguments,
            environment: Dictionary(
                uniqueKeysWithValues: variables.map { ("QUBS_MOCK_\($0.key)", $0.value) }
            )
        )
        #expect(try program.exitStatus() == status)
        #expect(program.errorOutput.hasPrefix(text), "\(program.errorOutput)")
    }

    @Test("Help comes whatever the environment says", arguments: [["serve", "--help"], ["-h"]])
    func help(arguments: [String]) throws {
        let program = try ChildProcess.mock(arguments, environment: ["QUBS_MOCK_PORT": "abc"])
        #expect(try program.exitStatus() == 0)
        #expect(program.output.contains("USAGE: qubs-mock"))
        #expect(program.errorOutput.isEmpty)
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

    @Test("What Kubernetes sets for a Service called qubs-mock is left aside, and said once")
    func kubernetes() throws {
        // As a pod of a namespace with Services qubs-mock and qubs-mock-ready-file has it.
        var variables = [
            "QUBS_MOCK_SERVICE_HOST": "10.96.12.7", "QUBS_MOCK_SERVICE_PORT": "8080",
            "QUBS_MOCK_SERVICE_PORT_HTTP": "8080", "QUBS_MOCK_PORT": "tcp://10.96.12.7:8080",
            "QUBS_MOCK_PORT_8080_TCP": "tcp://10.96.12.7:8080",
            "QUBS_MOCK_PORT_8080_TCP_PROTO": "tcp", "QUBS_MOCK_PORT_8080_TCP_PORT": "8080",
            "QUBS_MOCK_PORT_8080_TCP_ADDR": "10.96.12.7",
            "QUBS_MOCK_READY_FILE_PORT": "udp://10.96.12.8:53",
        ]
        let line = "qubs-mock: QUBS_MOCK_PORT is left aside: tcp://10.96.12.7:8080 is the "
        for value in ["tcp://10.96.12.7:8080", "udp://[fd00::7]:53", "sctp://10.96.12.7:1"] {
            variables["QUBS_MOCK_PORT"] = value
            // The default port may be taken: that the program gets so far is what counts.
            let server = try ChildProcess.mock(
                ["--ready-file", "/no-such-folder/ready"],
                environment: variables
            )
            #expect(try server.exitStatus() == 1, "\(server.errorOutput)")
            let lines = server.errorLines
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("qubs-mock: QUBS_MOCK_PORT is left aside: ") == true)
            #expect(lines.first?.contains(value) == true)
        }
        variables["QUBS_MOCK_PORT"] = "tcp://10.96.12.7:8080"
        let health = try ChildProcess.mock(["health", "--port", "1"], environment: variables)
        #expect(try health.exitStatus() == 1)
        #expect(health.errorOutput == Self.nobody(at: "http://127.0.0.1:1") + "\n")
        let byDefault = try ChildProcess.mock(["health"], environment: variables)
        _ = try byDefault.exitStatus()
        #expect(byDefault.errorOutput.hasPrefix(line))
    }

    @Test("health and verdict ask where serve listens with the same variables")
    func sameVariables() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(
            ["--port", "0", "--ready-file", ready, "--host", "0.0.0.0", "--admin-token", "t"]
        )
        let url = try server.awaitReady(ready)
        let port = String(try #require(URL(string: url)?.port))
        for variables in [
            ["QUBS_MOCK_PORT": port], ["QUBS_MOCK_PORT": port, "QUBS_MOCK_HOST": "0.0.0.0"],
            ["QUBS_MOCK_PORT": "1", "QUBS_MOCK_URL": "http://localhost:\(port)"],
        ] {
            let health = try ChildProcess.mock(["health"], environment: variables)
            #expect(try health.exitStatus() == 0, "\(health.errorOutput)")
            let verdict = try ChildProcess.mock(
                ["verdict"],
                environment: variables.merging(["QUBS_MOCK_ADMIN_TOKEN": "t"]) { first, _ in first }
            )
            #expect(try verdict.exitStatus() == 2, "\(verdict.errorOutput)")
        }
        let typed = try ChildProcess.mock(
            ["health", "--port", port],
            environment: ["QUBS_MOCK_PORT": "1"]
        )
        #expect(try typed.exitStatus() == 0, "\(typed.errorOutput)")
    }

    /// Subcommands, and what each needs in any case.
    static let subcommands: [(words: [String], required: [(option: String, value: String)])] = [
        (["serve"], []), (["token"], [("client-id", "acme-partner")]), (["health"], []),
        (["verdict"], []), (["changes"], []), (["run"], []),
        (["fixtures", "generate"], [("appointments", "1"), ("output", "/no-such-folder/x")]),
    ]

    @Test("Each option that takes a value has its variable", arguments: subcommands)
    func everyVariable(
        words: [String],
        required: [(option: String, value: String)]
    ) throws {
        let help = try ChildProcess.mock(words + ["--help"])
        #expect(try help.exitStatus() == 0)
        let options = help.output.split(separator: "\n").compactMap { line -> Substring? in
            guard line.hasPrefix("  --"), line.contains(" <") else { return nil }
            return line.dropFirst(4).prefix { $0 != " " }
        }
        #expect(options.count >= 3)
        // Neither a number, a word of a list, a secret, a URL, nor a file that can be made.
        let value = "/no-such-folder/ "
        // Any text is a host or a client, which other tests look for.
        for option in options where !["host", "client-id"].contains(option) {
            let variable = "QUBS_MOCK_\(option.uppercased().replacing("-", with: "_"))"
            let others = required.filter { $0.option != option }
            let program = try ChildProcess.mock(
                words + others.flatMap { ["--\($0.option)", $0.value] }
                    + (words == ["run"] ? ["--", "true"] : []),
                environment: [variable: value]
            )
            #expect(try program.exitStatus() != 0, "\(variable)")
            let text = program.errorOutput
            #expect(text.contains(variable) || text.contains(value), "\(variable): \(text)")
        }
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
        #expect(unknown.errorOutput.contains("there are acme-partner, acme-referrer, acme-north"))
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
        #expect(after.errorOutput == Self.nobody(at: url) + "\n")
    }

    @Test("health waits for a server that is about to start, and no longer than it is told")
    func healthWaits() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        // A loopback address that no other test, nor another run of it, listens on.
        let number = getpid()
        let place = [
            "QUBS_MOCK_HOST": "127.1.\(number / 256 % 256).\(number % 256)",
            "QUBS_MOCK_PORT": "18080",
        ]
        let start = ContinuousClock.now
        let none = try ChildProcess.mock(["health", "--wait", "300ms"], environment: place)
        #expect(try none.exitStatus() == 1)
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        #expect(none.errorOutput.hasSuffix("(waited 300ms)\n"), "\(none.errorOutput)")
        let waiting = try ChildProcess.mock(["health", "--wait=PT60S"], environment: place)
        let server = try ChildProcess.mock(["--ready-file", ready], environment: place)
        _ = try server.awaitReady(ready)
        #expect(try waiting.exitStatus() == 0, "\(waiting.errorOutput)")
        let wrong = try ChildProcess.mock(["health", "--wait", "soon"])
        #expect(try wrong.exitStatus() == 64)
        #expect(wrong.errorOutput.contains("--wait"), "\(wrong.errorOutput)")
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

    private static let twice =
        #"[{"id": "a", "then": {"status": 500}}, {"id": "a", "then": {"status": 500}}]"#
    private static let pack = #""name": "own", "title": "T", "description": "D""#

    /// Files of which each is wrong in one way, and the line that says so, behind option and path.
    static let wrongFiles: [(option: String, content: String, line: String)] = [
        ("--faults", twice, "/1/id: There is a rule `a` already."),
        ("--faults", #"[{"then": {"status": 200}}]"#, "/0/then/status: Send an integer from"),
        ("--faults", "[{]", "line 1, column 3: unexpected ']'\n"),
        ("--faults", "[\n  {\"then\": é}\n]", "line 2, column 12: a character that JSON does not"),
        ("--faults", "[{\"id\": \"é\",}]", "line 1, column 13: unexpected '}'\n"),
        ("--faults", "{", "line 1, column 2: the text ends too early\n"),
        ("--faults", " \n", "there is nothing in it: JSON is expected\n"),
        ("--faults", #"{\#(pack), "rules": []}"#, "this is a scenario; play it with --scenario"),
        ("--scenario", #"{\#(pack), "passMarks": ["no"]}"#, "/passMarks/0: no check has this id"),
        ("--scenario", #"{\#(pack), "rules": \#(twice)}"#, "/rules/1/id: There is a rule `a`"),
        ("--scenario", #"{\#(pack), "rules": [{}]}"#, "/rules/0"),
        ("--scenario", "[]", "a scenario is an object, not array"),
    ]

    @Test("What is wrong in a file is told with option, file and place", arguments: wrongFiles)
    func wrongFile(option: String, content: String, line: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.path("file.json")
        try content.write(toFile: path, atomically: true, encoding: .utf8)
        let server = try ChildProcess.mock(["--port", "0", option, path])
        #expect(try server.exitStatus() == 1)
        #expect(server.errorLines.count == 1)
        #expect(
            server.errorOutput.hasPrefix("qubs-mock: \(option) \(path): \(line)"),
            "\(server.errorOutput)"
        )
    }

    /// Files of a fixture folder beside the records, and what is wrong with them.
    static let wrongIdentities: [(file: String, content: String, line: String)] = [
        ("signing-key.json", #"{"kty": "RSA"}"#, " at /"), ("signing-key.json", "[]", ": The sign"),
        (
            "clients.json",
            #"[{"clientId": "a", "clientSecret": "s", "domains": ["globex"], "sites": 1}]"#,
            " at /0"
        ),
        ("clients.json", "[]", ": At least one client"),
    ]

    @Test(
        "Clients and a key that cannot be used are told with their file",
        arguments: wrongIdentities
    )
    func wrongIdentity(file: String, content: String, line: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: Repository.path("fixtures/globex"),
            toPath: folder.path("globex")
        )
        let path = folder.path(file)
        try content.write(toFile: path, atomically: true, encoding: .utf8)
        for arguments in [
            ["serve", "--port", "0", "--fixtures", folder.path],
            ["token", "--client-id", "a", "--fixtures", folder.path],
        ] {
            let program = try ChildProcess.mock(arguments)
            #expect(try program.exitStatus() == 1)
            #expect(program.errorLines.count == 1)
            #expect(
                program.errorOutput.hasPrefix("qubs-mock: \(path)\(line)"),
                "\(program.errorOutput)"
            )
        }
    }

    /// Files that are valid JSON, and what `fixtures check` and `serve` refuse in them alike.
    static let unknownNames: [(file: String, old: String, new: String, line: String)] = [
        ("clients.json", "\"globex\"", "\"acme\"", " at /0/domains/0: nothing in this folder"),
        ("clients.json", "\"a\"", "\"a\", \"sites\": [\"Nowhere\"]", " at /0/sites/0: nothing"),
        ("signing-key.json", "\"kid\": \"", "\"kid\": \"a\\r\\nb", " at /kid: "),
        ("signing-key.json", "\"kid\": \"", "\"kid\": \"a b", " at /kid: "),
        (
            "globex/sites.json", "\"timeZone\":\"Australia/Perth\"",
            "\"timeZone\":\"Mars/Olympus\"", " at /0/timeZone: "
        ),
        (
            "globex/practice.json", "\"referenceTimeZone\":\"Australia/Perth\"",
            "\"referenceTimeZone\":\"Australia/Olympus\"", " at /referenceTimeZone: no time zone"
        ),
        (
            "globex/practice.json", "\"fixed\":[]", "\"fixed\":[\"A1\"]",
            " at /fixed/0: no appointment"
        ),
        (
            "globex/sites.json", "\"timeZone\":\"Australia/Perth\"",
            "\"timeZone\":\"Australia/Olympus\"", " at /0/timeZone: no time zone"
        ),
        (
            "globex/sites.json", "\"timeZone\":\"Australia/Perth\"", "\"timeZone\":\"\"",
            " at /0/timeZone: "
        ),
    ]

    @Test(
        "Names that nothing has are refused by the check and by the server",
        arguments: unknownNames
    )
    func unknownName(file: String, old: String, new: String, line: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: Repository.path("fixtures/globex"),
            toPath: folder.path("globex")
        )
        try FileManager.default.copyItem(
            atPath: Repository.path("fixtures/signing-key.json"),
            toPath: folder.path("signing-key.json")
        )
        let clients = #"[{"clientId": "a", "clientSecret": "s", "domains": ["globex"]}]"#
        try clients.write(
            toFile: folder.path("clients.json"),
            atomically: true,
            encoding: .utf8
        )
        let valid = try ChildProcess.mock(["fixtures", "check", folder.path])
        #expect(try valid.exitStatus() == 0, "\(valid.errorOutput)")
        let path = folder.path(file)
        var text = try String(contentsOfFile: path, encoding: .utf8)
        text.replaceSubrange(try #require(text.firstRange(of: old)), with: new)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let check = try ChildProcess.mock(["fixtures", "check", folder.path])
        #expect(try check.exitStatus() == 1)
        #expect(check.errorOutput.hasPrefix("\(path)\(line)"), "\(check.errorOutput)")
        let server = try ChildProcess.mock(["--port", "0", "--fixtures", folder.path])
        #expect(try server.exitStatus() == 1)
        #expect(server.errorLines.count == 1)
        #expect(server.errorOutput.hasPrefix("qubs-mock: \(path)\(line)"), "\(server.errorOutput)")
    }

    @Test("A folder that is missing is told by the option and the path that were given")
    func missingFolders() throws {
        let folder = try TemporaryFolder()
        let absent = folder.path("absent")
        for (arguments, line) in [
            (
                ["--database", "\(absent)/x.db"],
                "--database \(absent)/x.db: there is no folder \(absent)"
            ),
            (
                ["--port", "0", "--ready-file", "\(absent)/ready"],
                "--ready-file \(absent)/ready: there is no folder \(absent)"
            ),
            (["--fixtures", absent], "--fixtures \(absent): No such file or directory"),
            (
                ["fixtures", "generate", "--appointments", "1", "--output", "\(absent)/x.db"],
                "--output \(absent)/x.db: there is no folder \(absent)"
            ),
        ] {
            let program = try ChildProcess.mock(arguments)
            #expect(try program.exitStatus() == 1)
            #expect(program.errorOutput == "qubs-mock: \(line)\n")
        }
        let report = try ChildProcess.mock(["run", "--report", "\(absent)/r.xml", "--", "true"])
        #expect(try report.exitStatus() == 3)
        #expect(
            report.errorOutput
                == "qubs-mock: --report \(absent)/r.xml: there is no folder \(absent)\n"
        )
        // A folder without any domain.
        let empty = try ChildProcess.mock(["--port", "0", "--fixtures", folder.path])
        #expect(try empty.exitStatus() == 1)
        #expect(
            empty.errorOutput.hasPrefix(
                "qubs-mock: --fixtures \(folder.path): no folder of a domain, such as acme/"
            ),
            "\(empty.errorOutput)"
        )
        let temporary = try ChildProcess.mock(["--port", "0"], environment: ["TMPDIR": absent])
        #expect(try temporary.exitStatus() == 1)
        #expect(temporary.output.isEmpty)
        #expect(temporary.errorLines.count == 1)
        #expect(temporary.errorOutput.contains(absent) && temporary.errorOutput.contains("TMPDIR"))
    }

    /// Options that name a file to be made, behind the command.
    static let making: [(words: [String], option: String, name: String)] = [
        (["serve", "--port", "0"], "--database", "x.db"),
        (["serve", "--port", "0"], "--ready-file", "ready"),
        (["run"], "--report", "r.xml"),
    ]

    @Test("A folder that cannot be written is named", .enabled(if: canBeNobody), arguments: making)
    func unwritableFolder(words: [String], option: String, name: String) throws {
        let folder = try TemporaryFolder()
        let place = folder.path("closed")
        #expect(mkdir(place, 0o555) == 0)
        let command = words == ["run"] ? ["--", "true"] : []
        let program = try ChildProcess.asNobody(
            words + [option, "\(place)/\(name)"] + command,
            environment: ["TMPDIR": "/tmp"]
        )
        #expect(try program.exitStatus() == (words == ["run"] ? 3 : 1))
        #expect(
            program.errorOutput
                == "qubs-mock: \(option) \(place)/\(name): the folder \(place) cannot be written\n"
        )
    }

    /// Whether a program can be started for which the permissions of files count.
    static let canBeNobody =
        geteuid() != 0 || FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")

    @Test("Data that are not finished leave nothing behind", arguments: [SIGINT, SIGTERM, nil])
    func unfinishedData(signal: Int32?) throws {
        let folder = try TemporaryFolder()
        let path = folder.path("big.db")
        let count = signal == nil ? "1" : "1000000"
        let arguments = ["fixtures", "generate", "--appointments", count, "--output", path]
        if let signal {
            let program = try ChildProcess.mock(arguments)
            try program.poll("the file") { access(path + ".unfinished", F_OK) == 0 }
            program.send(signal)
            #expect(try program.exitStatus() == 128 + signal)
        } else {
            let program = try ChildProcess(
                "/bin/sh",
                [
                    "-c", "ulimit -f 4000; exec \"$0\" \"$@\"",
                    "\(ChildProcess.products)/qubs-mock",
                ] + arguments
            )
            #expect(try program.exitStatus() == 1)
            #expect(
                program.errorOutput
                    == "qubs-mock: --output \(path): there is no room on the disk\n"
            )
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("A database on a disk without room leaves nothing behind")
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("mock.db")
        let program = try ChildProcess(
            "/bin/sh",
            [
                "-c", "ulimit -f 1; exec \"$0\" \"$@\"",
                "\(ChildProcess.products)/qubs-mock", "--port", "0", "--database", path,
            ]
        )
        #expect(try program.exitStatus() == 1)
        #expect(
            program.errorOutput == "qubs-mock: --database \(path): there is no room on the disk\n"
        )
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
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
            // Nor by another name.
            let link = folder.path("link.db")
            #expect(symlink(database, link) == 0)
            let third = try ChildProcess.mock(["--port", "0", "--database", link])
            #expect(try third.exitStatus() == 1)
            #expect(
                third.errorOutput
                    == "qubs-mock: --database \(link): another running qubs-mock uses it\n"
            )
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

    @Test("What a large journal took goes back to the system once it is cleared")
    func freedMemory() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(["serve", "--port", "0", "--ready-file", ready])
        let url = try server.awaitReady(ready)
        let token = try server.token(at: url)
        let client = try server.client(at: url)
        let before = try server.residentKiB()
        let query = (0..<40).map { "unknown-parameter-number-\($0)-of-this-request=x" }
            .joined(separator: "&")
        for _ in 0..<6_000 {
            let answer = try client.exchange(
                "GET /integrations/v1/acme/sites?\(query) HTTP/1.1\r\nHost: localhost\r\n"
                    + "Authorization: Bearer \(token)\r\n\r\n"
            )
            #expect(answer.status == 200)
        }
        let full = try server.residentKiB()
        #expect(full > before + 20_000)
        _ = try client.exchange("DELETE /__admin/requests HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try server.poll("the memory is back") {
            try server.residentKiB() < before + (full - before) / 2
        }
    }
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

    /// Starts `qubs-mock` for a user who is not root.
    static func asNobody(
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        if geteuid() != 0 { return try mock(arguments, environment: environment) }
        return try ChildProcess(
            "/usr/bin/setpriv",
            ["--reuid", "65534", "--clear-groups", "\(products)/qubs-mock"] + arguments,
            environment: environment
        )
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

    /// What a descriptor of the program leads to.
    func target(of descriptor: Int) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/\(process.processIdentifier)/fd/\(descriptor)"
        )
    }

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
            let deadline = DispatchTime.now() + .seconds(Patience.seconds)
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
        let deadline = clock.now + .seconds(Patience.seconds)
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

    /// The memory that it takes now.
    func residentKiB() throws -> Int {
        let status = try String(
            contentsOfFile: "/proc/\(process.processIdentifier)/status",
            encoding: .utf8
        )
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

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
