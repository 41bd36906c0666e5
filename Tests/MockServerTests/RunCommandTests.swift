import Foundation
import Glibc
import JSON
import TestSupport
import TestTools
import Testing
import Verdict

@Suite("qubs-mock run and qubs-mock verdict")
struct RunCommandTests {
    private static let goodClient = Repository.path("examples/good_client.py")
    private static let badClients = Repository.path("examples/bad_clients.py")

    private func run(_ arguments: [String], environment: [String: String] = [:]) throws
        -> ChildProcess
    {
        let process = try ChildProcess.mock(
            ["run"] + arguments,
            environment: environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        )
        _ = try process.exitStatus()
        return process
    }

    private func json(_ path: String) throws -> JSONValue {
        let octets = try #require(FileManager.default.contents(atPath: path))
        return try JSONParser.parse(Array(octets))
    }

    // MARK: run

    @Test("A good client ends with 0, its output untouched, and a report by extension")
    func good() throws {
        let folder = try TemporaryFolder()
        for (file, beginning) in [
            ("r.json", "{\"session\":\"default\""), ("r.xml", "<?xml"), ("r.md", "## PASS"),
        ] {
            let path = folder.path(file)
            let script = "import sys; print('out'); print('err', file=sys.stderr)"
            let process = try run([
                "--scenario", "calm", "--strict", "--report", path, "--", "sh", "-c",
                "python3 -c \"$1\"; exec python3 \"$0\"", Self.goodClient, script,
            ])
            #expect(try process.exitStatus() == 0, "\(process.errorOutput)")
            #expect(process.output == "out\n")
            #expect(process.errorLines.first == "err")
            #expect(
                process.errorLines.dropFirst().first?.hasPrefix("PASS  \(Check.all.count) checks:")
                    == true
            )
            #expect(!process.errorOutput.contains("\u{1B}"))
            let report = try #require(FileManager.default.contents(atPath: path))
            #expect(String(decoding: report, as: UTF8.self).hasPrefix(beginning))
        }
    }

    @Test("Where no request came, that is all that is said, with the address; exit status 2")
    func nobodyCame() throws {
        let process = try run(["--", "true"])
        #expect(try process.exitStatus() == 2)
        let words = process.errorLines.map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(words.count <= 6, "\(process.errorOutput)")
        #expect(
            words.joined(separator: " ").contains(
                /No request reached the mock at http:\/\/127\.0\.0\.1:\d+\. Does your command use \$QUBS_BASE_URL\?/
            ),
            "\(process.errorOutput)"
        )
        #expect(words.first?.hasPrefix("INCOMPLETE") == true)
        #expect(words.last?.hasPrefix("qubs-mock's exit status: 2") == true)
    }

    /// Commands that cannot be started, in a folder that has `client.sh`, `plain.sh`, `lost.sh` and a
    /// folder `sub`, and what is said of them.
    static let notStarted: [(command: [String], line: String)] = [
        (["sh client.sh"], "sh client.sh: the command and its arguments are words of their own"),
        (["no-such-command-here"], "no-such-command-here: there is no such command in PATH"),
        (
            ["client.sh"],
            "client.sh: there is no such command in PATH; for the file here write -- ./"
        ),
        (
            ["./client.sh"],
            "./client.sh: is not executable: chmod +x ./client.sh, or write -- sh ./c"
        ),
        (["./no-such-file"], "./no-such-file: there is no such file"),
        (["./plain.sh"], "./plain.sh: is no program: begin it with a line such as #!/bin/sh, or"),
        (["./lost.sh"], "./lost.sh: the program that its first line names is not there"),
        (["./sub"], "./sub: is a folder"),
    ]

    @Test(
        "A command that cannot be started is 3, and one line says what to do",
        arguments: notStarted
    )
    func unstartable(command: [String], line: String) throws {
        let folder = try TemporaryFolder()
        for (name, text, mode) in [
            ("client.sh", "#!/bin/sh\n", 0o644), ("plain.sh", "true\n", 0o755),
            ("lost.sh", "#!/no/such/shell\n", 0o755),
        ] as [(String, String, mode_t)] {
            try text.write(toFile: folder.path(name), atomically: true, encoding: .utf8)
            #expect(chmod(folder.path(name), mode) == 0)
        }
        #expect(mkdir(folder.path("sub"), 0o755) == 0)
        let process = try ChildProcess(
            "\(ChildProcess.products)/qubs-mock",
            ["run", "--"] + command,
            in: folder
        )
        #expect(try process.exitStatus() == 3)
        #expect(process.errorLines.count == 1)
        #expect(process.errorOutput.hasPrefix("qubs-mock: \(line)"), "\(process.errorOutput)")
    }

    @Test("A client that drops its key ends with 1, and the report says where")
    func bad() throws {
        let folder = try TemporaryFolder()
        let report = folder.path("report.json")
        let process = try run([
            "--scenario", "lost-answers", "--report", report, "--", "python3", Self.badClients,
            "idempotency.no-duplicate-effect",
        ])
        #expect(try process.exitStatus() == 1)
        #expect(process.errorLines.first?.hasPrefix("FAIL") == true)
        #expect(try json(report)["result"] == "fail")
        #expect(try json(report)["scenario"]?["name"] == "lost-answers")
    }

    @Test("A failed should is 0 without --strict and 1 with it")
    func strict() throws {
        let command = ["--", "python3", Self.badClients, "contract.known-parameters"]
        #expect(try run(command).exitStatus() == 0)
        #expect(try run(["--strict"] + command).exitStatus() == 1)
        // Every option is an environment variable, too.
        #expect(try run(command, environment: ["QUBS_MOCK_STRICT": "1"]).exitStatus() == 1)
    }

    @Test("Where nothing was exercised, or a pass mark was not, the status is 2")
    func gaps() throws {
        #expect(try run(["--", "true"]).exitStatus() == 2)
        let process = try run([
            "--scenario", "upload-trouble", "--", "python3", Self.badClients,
            "paging.keeps-parameters",
        ])
        #expect(try process.exitStatus() == 2)
        #expect(process.errorLines.first?.hasPrefix("INCOMPLETE") == true)
    }

    @Test(
        "A command that fails is 3, and the report says how and why",
        arguments: [
            (["sh", "-c", "exit 7"], "Your command exited with status 7."),
            (["sh", "-c", "kill -SEGV $$"], "Your command was ended by signal 11 (Segmentation"),
        ]
    )
    func failingCommands(command: [String], line: String) throws {
        let process = try run(["--"] + command)
        #expect(try process.exitStatus() == 3)
        let lines = process.errorLines
        #expect(lines.first?.hasPrefix("ERROR  ") == true, "\(process.errorOutput)")
        #expect(lines.dropFirst().first?.hasPrefix("      \(line)") == true)
        #expect(lines.last == "qubs-mock's exit status: 3 (your command failed).")
    }

    @Test(
        "A command that cannot be started is 3, with one line that says why",
        arguments: [
            (["/nonexistent/command"], "qubs-mock: /nonexistent/command: there is no such file"),
            (["/"], "qubs-mock: /: is a folder"),
        ]
    )
    func failures(command: [String], line: String) throws {
        let process = try run(["--"] + command)
        #expect(try process.exitStatus() == 3)
        #expect(process.errorLines.first?.hasPrefix(line) == true, "\(process.errorOutput)")
    }

    @Test(
        "What cannot be done is one line and 3, what cannot be meant is 64",
        arguments: [
            (["--report", "/nonexistent/r.json", "--", "true"], 3, "/nonexistent/r.json"),
            (["--scenario", "/nonexistent.json", "--", "true"], 3, "/nonexistent.json"),
            (["--report", "r.pdf", "--", "true"], 64, ".json, .xml, .md or .html"),
            (["--scenario", "nosuch", "--", "true"], 64, "calm, flaky-network"),
            (["--session", "a b", "--", "true"], 64, "--session"), ([], 64, "command"),
            (["true"], 64, "command"), (["--"], 64, "command"),
        ] as [([String], Int32, String)]
    )
    func refusals(arguments: [String], status: Int32, word: String) throws {
        let folder = try TemporaryFolder()
        let process = try ChildProcess.mock(["run"] + arguments)
        #expect(try process.exitStatus() == status, "\(process.errorOutput)")
        #expect(process.errorOutput.contains(word), "\(process.errorOutput)")
        if status == 3 { #expect(process.errorLines.count == 1) }
        withExtendedLifetime(folder) {}
    }

    @Test(
        "A report that cannot be written is refused before the command runs",
        arguments: ["/proc/report.json", "pipe.json", "folder.json", "absent/report.json"]
    )
    func unwritableReport(name: String) throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.path("pipe.json"), 0o600) == 0)
        #expect(mkdir(folder.path("folder.json"), 0o700) == 0)
        let path = name.hasPrefix("/") ? name : folder.path(name)
        let process = try run(["--report", path, "--", "echo", "ran"])
        #expect(try process.exitStatus() == 3)
        #expect(process.errorLines.count == 1)
        #expect(process.errorOutput.hasPrefix("qubs-mock: --report \(path): "))
        #expect(process.output == "")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.sorted() == ["folder.json", "pipe.json"])
    }

    @Test("A pack that is not valid is refused with the place, before the command runs")
    func badPack() throws {
        let folder = try TemporaryFolder()
        let pack = folder.path("pack.json")
        let text = #"{"name":"own","title":"T","description":"D","passMarks":["no.check"]}"#
        try text.write(toFile: pack, atomically: true, encoding: .utf8)
        let process = try run(["--scenario", pack, "--", "echo", "ran"])
        #expect(try process.exitStatus() == 3)
        #expect(
            process.errorLines == [
                "qubs-mock: --scenario \(pack): /passMarks/0: no check has this id"
            ]
        )
        #expect(process.output == "")
    }

    @Test("A partner's own pack is played from its path, in the session that was named")
    func ownPack() throws {
        let folder = try TemporaryFolder()
        let report = folder.path("report.json")
        let process = try run([
            "--scenario", Repository.path("examples/scenarios/token-outage.json"), "--session",
            "s1",
            "--report", report, "--", "python3", Self.badClients, "auth.no-token-storm",
        ])
        #expect(try process.exitStatus() == 1)
        #expect(try json(report)["session"] == "s1")
        #expect(try json(report)["scenario"]?["name"] == "token-outage")
    }

    @Test("The command finds where to call and with which credentials")
    func environment() throws {
        let process = try run(["--session", "s1", "--", "sh", "-c", "env | grep ^QUBS_ | sort"])
        let lines = process.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 5)
        #expect(lines[0].wholeMatch(of: /QUBS_BASE_URL=http:\/\/127\.0\.0\.1:[0-9]+/) != nil)
        #expect(lines[1] == "QUBS_CLIENT_ID=acme-partner+s1")
        #expect(lines[2] == "QUBS_CLIENT_SECRET=acme-partner-secret")
        #expect(lines[3] == "QUBS_DOMAIN=acme")
        #expect(lines[4].hasPrefix("QUBS_TOKEN_URL=http://127.0.0.1:"))
        #expect(lines[4].hasSuffix("/oauth2/token"))
    }

    @Test("The command hears every signal, but those that were ignored before")
    func dispositions() throws {
        let command = ["grep", "-E", "^Sig(Ign|Blk):", "/proc/self/status"]
        func lines(_ process: ChildProcess) -> [String] {
            process.output.split(separator: "\n").map(String.init)
        }
        let plain = try ChildProcess("/usr/bin/env", command)
        _ = try plain.exitStatus()
        let process = try run(["--"] + command)
        #expect(lines(process).first == "SigBlk:\t0000000000000000")
        let ignored = try #require(lines(process).last?.split(separator: "\t").last)
        let ignoredBefore = try #require(lines(plain).last?.split(separator: "\t").last)
        // SIGPIPE has its default again, whatever it was.
        let pipe = UInt64(1) << UInt64(SIGPIPE - 1)
        #expect(UInt64(ignored, radix: 16) == UInt64(ignoredBefore, radix: 16).map { $0 & ~pipe })
    }

    // MARK: What is left behind

    /// A number that no other test and no other process has among its arguments.
    private static func mark() -> String { "9\(UInt32.random(in: 10_000_000...99_999_999))" }

    /// Whether a process with this argument runs.
    private static func isRunning(_ mark: String) -> Bool {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return folders.filter { Int($0) != nil }.contains { pid in
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return line.split(separator: 0).contains { $0.elementsEqual(mark.utf8) }
        }
    }

    @Test("What the command leaves running ends with it, whatever group or session it is in")
    func leftovers() throws {
        let mark = Self.mark()
        let script =
            "sleep \(mark) & setsid sleep \(mark) & (trap '' TERM; exec sleep \(mark)) & sleep 0.2"
        #expect(try run(["--", "sh", "-c", script]).exitStatus() == 2)
        #expect(!Self.isRunning(mark))
    }

    @Test("Signals are passed on to the command", arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT])
    func signals(number: Int32) throws {
        let mark = Self.mark()
        let names: [Int32: String] = [
            SIGTERM: "TERM", SIGINT: "INT", SIGHUP: "HUP", SIGQUIT: "QUIT",
        ]
        let name = try #require(names[number])
        let script = "trap 'echo heard \(name); exit 0' \(name); sleep \(mark) & wait"
        let process = try ChildProcess.mock(["run", "--", "bash", "-c", script])
        try process.poll("the command") { Self.isRunning(mark) }
        process.send(number)
        #expect(try process.exitStatus() == 2)
        #expect(process.output == "heard \(name)\n")
        #expect(!Self.isRunning(mark))
    }

    @Test("A signal that comes while a command is started is passed on to it")
    func signalAtTheStart() throws {
        for _ in 1...10 {
            // Its guard's parent is `run`, which hears of it before it knows that the command runs.
            let process = try ChildProcess.mock([
                "run", "--", "sh", "-c",
                "read -r _ _ _ run _ < /proc/$PPID/stat; kill -INT $run; exec sleep 1000",
            ])
            #expect(try process.exitStatus() == 3)
        }
    }

    @Test("The third signal kills a command that ignores them")
    func impatience() throws {
        let mark = Self.mark()
        let script = "trap '' TERM; while :; do sleep \(mark); done"
        let process = try ChildProcess.mock(["run", "--", "sh", "-c", script])
        try process.poll("the command") { Self.isRunning(mark) }
        // One by one: signals of a kind that come together are one.
        var sent = 0
        try process.poll("the end") {
            process.send(SIGTERM)
            sent += 1
            return !Self.isRunning(mark)
        }
        #expect(sent >= 3)
        #expect(try process.exitStatus() == 3)
    }

    @Test("Nothing is left when qubs-mock itself is killed")
    func killed() throws {
        let mark = Self.mark()
        let script = "setsid sleep \(mark) & sleep \(mark)"
        let process = try ChildProcess.mock(["run", "--", "sh", "-c", script])
        try process.poll("the command") { Self.isRunning(mark) }
        process.send(SIGKILL)
        _ = try process.exitStatus()
        try process.poll("the end of the command") { !Self.isRunning(mark) }
    }

    @Test("Nothing is left when all of the group of qubs-mock is killed")
    func groupKilled() throws {
        let mark = Self.mark()
        // In a session of its own, as CI runners start what they end by its group.
        let process = try ChildProcess(
            "/usr/bin/setsid",
            [
                "--wait", "sh", "-c", "echo $$; exec \"$0\" run -- sh -c \"$1\"",
                "\(ChildProcess.products)/qubs-mock", "sleep \(mark); true",
            ]
        )
        try process.poll("the command") { Self.isRunning(mark) }
        let group = try #require(pid_t(process.output.prefix { $0 != "\n" }))
        #expect(getpgid(group) == group)
        kill(-group, SIGKILL)
        _ = try process.exitStatus()
        try process.poll("the end of the command") { !Self.isRunning(mark) }
    }

    // MARK: The terminal

    /// A shell with job control on a terminal of its own: what is typed, once what is awaited has come.
    private static let terminal = #"""
        import os, pty, re, select, signal, sys, time

        program, mark, patience, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
        # The tests may have started this with signals blocked.
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["PS1"] = "ready> "
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        seen, deadline = b"", time.monotonic() + patience

        def states():
            """What each process with the mark is doing, that of run apart."""
            found, run = set(), None
            for name in os.listdir("/proc"):
                if not name.isdigit() or int(name) == os.getpid():
                    continue
                try:
                    line = open(f"/proc/{name}/cmdline", "rb").read()
                    stat = open(f"/proc/{name}/stat").read()
                    state, words = stat[stat.rindex(")") + 2], line.split(b"\0")
                    if mark.encode() not in line or b"_guard" in words:
                        continue
                    if b"run" in words:
                        run = state
                    else:
                        found.add(state)
                except OSError:
                    pass
            return "".join(sorted(found)) + (run or "")

        def until(condition, what):
            global seen
            while not condition():
                if time.monotonic() > deadline:
                    sys.exit(f"not in time: {what}; {states()}; {seen[-2000:]!r}")
                if select.select([terminal], [], [], 0.01)[0]:
                    seen += os.read(terminal, 65536)

        until(lambda: b"ready> " in seen, "the shell")
        for step in steps:
            kind, text = step.split(":", 1)
            if kind == "type":
                seen = b""
                os.write(terminal, text.encode().decode("unicode_escape").encode())
            elif kind == "see":
                until(lambda: re.search(text.encode(), seen), step)
            elif kind == "state":
                # Of the command, then of run: S sleeps, T is stopped.
                until(lambda: states() == text, step)
            elif kind == "front":
                # A shell says which job it brings to the front before it does.
                until(lambda: os.tcgetpgrp(terminal) != pid, step)
            elif kind == "gone":
                until(lambda: not states(), step)
        print("done")
        """#

    @Test(
        "Ctrl-Z stops the job, fg and bg continue it, and the terminal goes where it belongs",
        arguments: [
            // Stopped twice, continued in front and behind, ended by Ctrl-C in front.
            [
                "type:$M run -- sleep $X\\n", "state:SS", "type:\\x1a", "see:Stopped", "state:TT",
                "type:echo back$((1+1))\\n", "see:back2", "type:fg\\n", "state:SS", "type:\\x1a",
                "see:Stopped", "type:bg\\n", "state:SS", "type:echo back$((2+2))\\n", "see:back4",
                "type:fg\\n", "see:run", "front:", "type:\\x03", "see:ready> ", "gone:",
                "type:echo status$?\\n", "see:status3",
            ],
            // Begun behind, and known to the terminal by the group of run alone.
            [
                "type:$M run -- sleep $X &\\n", "state:SS", "type:fg\\n", "see:run", "front:",
                "type:\\x1a", "see:Stopped", "state:TT", "type:kill %1\\n", "gone:",
            ],
            // Behind a script and in front of a pipe, both in the same job.
            [
                "type:sh -c '\"$M\" run -- sleep '$X'; true' 2>&1 | cat\\n", "state:SS",
                "type:\\x1a", "see:Stopped", "state:TT", "type:fg\\n", "state:SS", "type:\\x03",
                "see:ready> ", "gone:",
            ],
            // A command that reads is in front once the job is.
            [
                "type:$M run -- sh -c 'read line; echo heard-$line; : '$X &\\n",
                "state:TT", "type:fg\\n", "state:SS", "type:word\\n", "see:heard-word", "gone:",
            ],
            // Somebody continues the command alone.
            [
                "type:$M run -- sleep $X\\n", "state:SS", "type:\\x1a", "see:Stopped",
                "type:kill -CONT $(pgrep -x -f \"sleep $X\")\\n", "state:SS", "type:kill %1\\n",
                "gone:",
            ],
        ]
    )
    func jobControl(steps: [String]) throws {
        let mark = Self.mark()
        let program = "\(try ChildProcess.products)/qubs-mock"
        let process = try ChildProcess(
            "/usr/bin/env",
            ["python3", "-c", Self.terminal, program, mark, String(Patience.seconds)] + steps,
            environment: ["M": program, "X": mark, "TERM": "dumb"]
        )
        #expect(try process.exitStatus() == 0, "\(process.errorOutput)")
        #expect(process.output == "done\n")
        #expect(!Self.isRunning(mark))
    }

    // MARK: verdict

    @Test("The verdict on a running server comes in each form, with the status of run")
    func verdict() throws {
        let server = try TestServer()
        func verdict(_ arguments: String...) throws -> ChildProcess {
            let process = try ChildProcess.mock(["verdict", "--url", server.baseURL] + arguments)
            _ = try process.exitStatus()
            return process
        }
        #expect(try verdict().exitStatus() == 2)
        _ = try server.get("appointments?take=1&nosuch=1")
        #expect(try verdict().exitStatus() == 0)
        let strict = try verdict("--strict")
        #expect(try strict.exitStatus() == 1)
        #expect(strict.output.hasPrefix("FAIL  \(Check.all.count) checks:"))
        #expect(strict.errorOutput == "")
        for (format, beginning) in [
            ("json", "{\"session\""), ("junit", "<?xml"), ("markdown", "## PASS"), ("text", "PASS"),
        ] {
            #expect(try verdict("--format", format).output.hasPrefix(beginning))
        }
        _ = try server.control("POST", "/scenarios/token-expiry/start")
        _ = try server.get("sites")
        #expect(try verdict().exitStatus() == 2)
        let unknown = try verdict("--session", "nobody")
        #expect(try unknown.exitStatus() == 3)
        #expect(unknown.errorLines.count == 1)
        #expect(try verdict("--format", "pdf").exitStatus() == 64)
        #expect(try verdict("--session", "a b").exitStatus() == 64)
    }

    @Test("Without a server there is no verdict: 3, and one line")
    func noServer() throws {
        let process = try ChildProcess.mock(["verdict", "--url", "http://127.0.0.1:1"])
        #expect(try process.exitStatus() == 3)
        #expect(process.errorLines == [CommandLineTests.nobody(at: "http://127.0.0.1:1")])
    }

    // MARK: serve

    @Test("serve --scenario plays a pack, and refuses what it does not know")
    func serve() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock([
            "serve", "--port", "0", "--ready-file", ready, "--scenario", "token-expiry",
        ])
        let url = try server.awaitReady(ready)
        let verdict = try ChildProcess.mock(["verdict", "--url", url, "--format", "json"])
        #expect(try verdict.exitStatus() == 2)
        let scenario = try JSONParser.parse(Array(verdict.output.utf8))["scenario"]
        #expect(scenario?["name"] == "token-expiry")
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
        let unknown = try ChildProcess.mock(["serve", "--port", "0", "--scenario", "nosuch"])
        #expect(try unknown.exitStatus() == 64)
        let missing = try ChildProcess.mock(["serve", "--port", "0", "--scenario", "./nosuch.json"])
        #expect(try missing.exitStatus() == 1)
        #expect(missing.errorLines.count == 1)
    }

    @Test("The log tells no name and no token, not even while it is not known to be one")
    func log() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(["serve", "--port", "0", "--ready-file", ready])
        let url = try server.awaitReady(ready)
        for path in ["/integrations/v1/acme/patients/Jane%20Doe", "/nowhere/Doe-Jane"] {
            for _ in 0..<2 { #expect(try server.get(path, at: url).status >= 400) }
        }
        _ = try server.get("/nowhere/220000", at: url)
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
        #expect(!server.errorOutput.contains("Jane"))
        #expect(server.errorLines.count { $0.contains(" GET (withheld) ") } == 4)
        #expect(server.errorOutput.contains(" GET /nowhere/220000 404 "))
    }
}
