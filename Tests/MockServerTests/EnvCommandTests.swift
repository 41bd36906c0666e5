import Foundation
import Glibc
import HTTPTransport
import JSON
import TestSupport
import TestTools
import Testing

@Suite("The commands env and doctor")
struct EnvCommandTests {
    // MARK: env

    @Test("What env prints lets a client reach the server", arguments: ["sh", "dotenv"])
    func reaches(format: String) throws {
        let server = try TestServer()
        let printed = try ChildProcess.mock(
            ["env", "--url", server.baseURL, "--session", "of-env", "--format", format]
        )
        #expect(try printed.exitStatus() == 0, "\(printed.errorOutput)")
        let folder = try TemporaryFolder()
        try printed.output.write(toFile: folder.path("env"), atomically: true, encoding: .utf8)
        let client = try ChildProcess(
            "/bin/bash",
            [
                "-c",
                """
                set -eu; set -a; . ./env
                curl -sS -o token "$QUBS_TOKEN_URL" -d grant_type=client_credentials \
                  --data-urlencode "client_id=$QUBS_CLIENT_ID" -d "client_secret=$QUBS_CLIENT_SECRET"
                token=$(sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/' token)
                curl -sS -o sites -w '%{http_code}' -H "Authorization: Bearer $token" \
                  "$QUBS_BASE_URL/integrations/v1/$QUBS_DOMAIN/sites"
                """,
            ],
            in: folder
        )
        #expect(try client.exitStatus() == 0, "\(client.errorOutput)")
        #expect(client.output == "200")
        let sessions = try server.control("GET", "/sessions").json["items"]?.array ?? []
        #expect(sessions.contains { $0["name"] == "of-env" })
    }

    @Test("As JSON it is an object; the port is that of the variable; a client has its own domain")
    func json() throws {
        let printed = try ChildProcess.mock(
            ["env", "--client", "globex-partner+s1", "--format", "json"],
            environment: ["QUBS_MOCK_PORT": "18080"]
        )
        #expect(try printed.exitStatus() == 0, "\(printed.errorOutput)")
        let base = "http://127.0.0.1:18080"
        #expect(
            try JSONParser.parse(Array(printed.output.utf8)) == [
                "QUBS_BASE_URL": .string(base), "QUBS_TOKEN_URL": .string(base + "/oauth2/token"),
                "QUBS_DOMAIN": "globex", "QUBS_CLIENT_ID": "globex-partner+s1",
                "QUBS_CLIENT_SECRET": "globex-partner-secret",
            ]
        )
    }

    @Test("Secrets of own clients are quoted as the form asks for it")
    func quoting() throws {
        let folder = try TemporaryFolder()
        let secret = #"it's "$HOME" & `x` \ end"#
        let fixtures = folder.path("own")
        // One short file of records: all of the built-in ones take a debug build tens of seconds to check.
        try FileManager.default.createDirectory(
            atPath: fixtures + "/acme",
            withIntermediateDirectories: true
        )
        try FileManager.default.copyItem(
            atPath: Repository.path("fixtures/acme/sites.json"),
            toPath: fixtures + "/acme/sites.json"
        )
        let clients: JSONValue = [
            ["clientId": "own", "clientSecret": .string(secret), "domains": ["acme"]]
        ]
        try JSONWriter.text(of: clients)
            .write(toFile: fixtures + "/clients.json", atomically: true, encoding: .utf8)
        for format in ["sh", "dotenv"] {
            let printed = try ChildProcess.mock(
                ["env", "--client", "own", "--fixtures", fixtures, "--format", format]
            )
            #expect(try printed.exitStatus() == 0, "\(printed.errorOutput)")
            let shell = try ChildProcess(
                "/bin/bash",
                ["-c", printed.output + "printf %s \"$QUBS_CLIENT_SECRET\""]
            )
            #expect(try shell.exitStatus() == 0)
            #expect(shell.output == secret, "\(printed.output)")
        }
    }

    @Test("A client that is not there is one line and status 1")
    func unknown() throws {
        let program = try ChildProcess.mock(["env", "--client", "acme-partnr"])
        #expect(try program.exitStatus() == 1)
        #expect(program.output.isEmpty)
        #expect(program.errorLines.count == 1)
        #expect(program.errorOutput.contains("acme-partner"), "\(program.errorOutput)")
        #expect(try ChildProcess.mock(["env", "--format", "xml"]).exitStatus() == 64)
    }

    // MARK: doctor

    /// The environment of a machine on which nothing is wrong.
    private static let sound = [
        "http_proxy": "", "HTTP_PROXY": "", "all_proxy": "", "ALL_PROXY": "", "no_proxy": "",
        "NO_PROXY": "",
    ]

    /// The lines of doctor, and its exit status.
    private func doctor(
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws -> (status: Int32, lines: [String]) {
        let program = try ChildProcess.mock(
            ["doctor", "--port", "0", "--max-connections", "10"] + arguments,
            environment: Self.sound.merging(environment) { $1 }
        )
        let status = try program.exitStatus()
        #expect(program.errorOutput.isEmpty, "\(program.errorOutput)")
        return (status, program.output.split(separator: "\n").map(String.init))
    }

    @Test("Where nothing is wrong, doctor says so and exits 0")
    func nothing() throws {
        let (status, lines) = try doctor([])
        #expect(status == 0)
        #expect(lines == ["nothing stands in the way of qubs-mock serve"])
    }

    @Test("Each finding is a line that begins with what it is about, and says what to do")
    func findings() throws {
        let folder = try TemporaryFolder()
        let server = try TestServer()
        let running = folder.path("running")
        try (server.baseURL + "\n").write(toFile: running, atomically: true, encoding: .utf8)
        let gone = folder.path("gone")
        // Nothing of ours listens on this loopback address.
        try "http://127.1.0.1:1\n".write(toFile: gone, atomically: true, encoding: .utf8)
        let other = folder.path("other")
        try "Minutes of a meeting\n".write(toFile: other, atomically: true, encoding: .utf8)
        let port = String(server.listener.port)
        let absent = folder.path("absent")
        let broken = folder.path("broken.json")
        try "[{]".write(toFile: broken, atomically: true, encoding: .utf8)
        let mine = folder.path("mine")
        try FileManager.default.createDirectory(atPath: mine, withIntermediateDirectories: true)
        let used = folder.path("used.db")
        let holder = try ChildProcess.mock(
            ["--port", "0", "--database", used, "--ready-file", folder.path("ready")]
        )
        _ = try holder.awaitReady(folder.path("ready"))
        let cases: [(arguments: [String], variables: [String: String], words: [String])] = [
            (["--port=\(port)"], [:], ["port:", "\(port) is in use", "--port"]),
            (["--host", "192.0.2.1"], [:], ["port:", "192.0.2.1"]),
            (["--ready-file", gone], [:], ["ready file:", gone, "remove it"]),
            (["--ready-file", running], [:], ["ready file:", running, server.baseURL]),
            (["--ready-file", other], [:], ["ready file:", other, "something else"]),
            (
                [], ["HTTP_PROXY": "http://u:secret@proxy:3128"],
                ["proxy:", "NO_PROXY", "127.0.0.1"]
            ),
            ([], ["all_proxy": "p", "no_proxy": "localhost"], ["proxy:", "all_proxy"]),
            (
                ["--database", "\(absent)/x.db"], [:],
                ["database:", "there is no folder \(absent)"]
            ),
            (["--database", other], [:], ["database:", other, "is no database of qubs-mock"]),
            (["--database", used], [:], ["database:", used, "another running qubs-mock uses it"]),
            (["--faults", absent], [:], ["faults:", absent, "there is no such file"]),
            (["--faults", broken], [:], ["faults:", broken, "line 1, column 3: unexpected ']'"]),
            (["--scenario", "./none.json"], [:], ["scenario:", "there is no such file"]),
            (["--fixtures", absent], [:], ["fixtures:", absent]),
            (["--fixtures", mine], [:], ["fixtures:", mine, "no folder of a domain"]),
            (
                ["--ready-file", "\(absent)/r"], [:],
                ["ready file:", "there is no folder \(absent)"]
            ),
            ([], ["TMPDIR": folder.path("nowhere")], ["temporary folder:", "TMPDIR"]),
            ([], ["TMPDIR": other], ["temporary folder:", "no folder"]),
        ]
        for (arguments, variables, words) in cases {
            let (status, lines) = try doctor(arguments, variables)
            #expect(status == 1, "\(arguments) \(variables)")
            #expect(lines.count == 1, "\(lines)")
            let line = lines.first ?? ""
            #expect(line.hasPrefix(words[0]), "\(line)")
            for word in words { #expect(line.contains(word), "\(line)") }
            #expect(!line.contains("secret"))
        }
        for exception in ["*", "localhost,127.0.0.1", "a.example, 127.0.0.1"] {
            let found = try doctor([], ["http_proxy": "http://p:1", "NO_PROXY": exception])
            #expect(found.status == 0, "\(exception): \(found.lines)")
        }
        let few = try ChildProcess(
            "/bin/bash",
            [
                "-c", "ulimit -n 512; exec \"$0\" doctor --port 0",
                "\(ChildProcess.products)/qubs-mock",
            ],
            environment: Self.sound
        )
        #expect(try few.exitStatus() == 1)
        #expect(few.output.hasPrefix("descriptors: this process may open 512 files"))
        // With a database, temporary files hold nothing that matters.
        let kept = try doctor(
            ["--database", folder.path("x.db")],
            ["TMPDIR": folder.path("nowhere")]
        )
        #expect(kept.status == 0, "\(kept.lines)")
        // Files that are right are no finding, whatever else is given.
        let rules = folder.path("rules.json")
        try #"[{"match": {"client": "acme-partner"}, "then": {"status": 500}}]"#
            .write(toFile: rules, atomically: true, encoding: .utf8)
        let right = try doctor(
            ["--faults", rules, "--scenario", "calm", "--database", folder.path("new.db")]
        )
        #expect(right.status == 0, "\(right.lines)")
        #expect(access(folder.path("new.db"), F_OK) != 0)
        // It takes the options of serve, and looks without touching.
        #expect(try String(contentsOfFile: gone, encoding: .utf8) == "http://127.1.0.1:1\n")
        #expect(try ChildProcess.mock(["doctor", "--workers", "0"]).exitStatus() == 64)
    }

    // MARK: Man page and completions

    @Test("The man page and the completions have each command and each option")
    func manual() throws {
        let program = try "\(ChildProcess.products)/qubs-mock"
        let script = """
            import json, subprocess, sys
            sys.dont_write_bytecode = True
            sys.path.insert(0, "packaging")
            import manual
            program = sys.argv[1]
            ask = lambda *words: subprocess.run([program, *words], check=True, stdout=-1).stdout
            dump = json.loads(ask("--experimental-dump-help"))
            page = manual.page(dump, "0", 0).decode().replace("\\\\-", "-")
            texts = {shell: ask("--generate-completion-script", shell).decode()
                     for shell in ("bash", "zsh", "fish")}
            count = 0
            for name, command in manual.commands(dump["command"]):
                assert ".SS " + name + "\\n" in page, name
                section = page.split(".SS " + name + "\\n")[1].split(".SS ")[0]
                for argument in command.get("arguments", []):
                    for word in argument.get("names", []):
                        spelled = manual.spelled(word)
                        if word["name"] in ("help", "version", "h"):
                            continue
                        assert spelled in section, (name, spelled)
                        for shell, text in texts.items():
                            found = word["name"] if shell == "fish" else spelled
                            assert found in text, (shell, name, spelled)
                        count += 1
            assert subprocess.run(["bash", "-n"], input=texts["bash"].encode()).returncode == 0
            print(count)
            """
        let (status, output) = try Python.run(["-c", script, program])
        #expect(status == 0, "\(output)")
        #expect(
            (Int(output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 60,
            "\(output)"
        )
    }
}
