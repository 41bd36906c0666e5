import Foundation
import FoundationXML
import Glibc
import JSON
import TestSupport
import TestTools
import Testing

/// Reads JUnit and keeps what the tests ask about.
final class JUnitCases: NSObject, XMLParserDelegate {
    struct Case: Equatable {
        let group: String
        let name: String
        var outcome = "pass"
    }

    private(set) var suites: [[String: String]] = []
    private(set) var cases: [Case] = []
    private(set) var properties: [String] = []

    init(_ path: String) throws {
        super.init()
        let parser = XMLParser(data: try #require(FileManager.default.contents(atPath: path)))
        parser.delegate = self
        #expect(parser.parse())
    }

    func parser(
        _ parser: XMLParser,
        didStartElement element: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        switch element {
        case "testsuite": suites.append(attributes)
        case "property": properties.append(attributes["name"] ?? "")
        case "testcase":
            cases.append(
                Case(group: attributes["classname"] ?? "", name: attributes["name"] ?? "")
            )
        case "failure", "error", "skipped": cases[cases.count - 1].outcome = element
        default: break
        }
    }

    func outcome(_ group: String, _ name: String) -> String? {
        cases.first { $0.group == group && $0.name == name }?.outcome
    }
}

@Suite("qubs-mock run --suite, baselines and requirements")
struct SuiteCommandTests {
    private static let goodClient = Repository.path("examples/good_client.py")
    private static let badClients = Repository.path("examples/bad_clients.py")
    private static let good = ["--", "python3", goodClient]
    private static let bad = ["--", "python3", badClients, "idempotency.no-duplicate-effect"]

    private func run(_ arguments: [String], environment: [String: String] = [:]) throws
        -> ChildProcess
    {
        let process = try ChildProcess.mock(
            ["run"] + arguments,
            environment: environment.merging([
                "PYTHONDONTWRITEBYTECODE": "1", "QUBS_TIMEOUT": "2",
            ]) { $1 }
        )
        _ = try process.exitStatus()
        return process
    }

    private func json(_ path: String) throws -> JSONValue {
        let octets = try #require(FileManager.default.contents(atPath: path))
        return try JSONParser.parse(Array(octets))
    }

    @Test("A suite has one table, one report in each form, and a session for each scenario")
    func suite() throws {
        let folder = try TemporaryFolder()
        let reports = ["r.json", "r.xml", "r.md"].map { folder.path($0) }
        let process = try run(
            ["--suite", "upload-trouble,calm", "--jobs", "2", "--journal", folder.path("j.json")]
                + reports.flatMap { ["--report", $0] }
                + ["--", "sh", "-c", "echo out; exec python3 \"$0\"", Self.goodClient]
        )
        #expect(try process.exitStatus() == 0, "\(process.errorOutput)")
        // What the commands print is shown for failures only.
        #expect(process.output == "")
        #expect(!process.errorOutput.contains("out\n"))
        #expect(process.errorLines.first?.hasPrefix("PASS  run --suite: 2 trials: 2 pass.") == true)
        #expect(process.errorLines.contains { $0.hasPrefix("PASS  calm ") })
        #expect(!process.errorOutput.contains("\u{1B}"))
        let report = try json(reports[0])
        #expect(report["result"] == "pass")
        let trials = try #require(report["trials"]?.array)
        #expect(trials.map { $0["scenario"]?.string } == ["upload-trouble", "calm"])
        #expect(trials.map { $0["session"]?.string } == ["upload-trouble", "calm"])
        for trial in trials {
            #expect(trial["outcome"] == "pass")
            #expect(trial["exit"] == 0)
            #expect(trial["verdict"]?["result"] == "pass")
            // Two comments, one report with its file.
            #expect(trial["effects"]?.array?.count == 4)
        }
        // The same work has the same effects, whatever went wrong.
        #expect(trials[0]["effects"] == trials[1]["effects"])
        let junit = try JUnitCases(reports[1])
        #expect(junit.suites.map { $0["name"] } == ["upload-trouble", "calm"])
        #expect(junit.suites.allSatisfy { ($0["time"].flatMap(Double.init) ?? 0) > 0 })
        // Names of properties do not repeat: xunitparserx keeps those of all suites together.
        #expect(junit.properties.count == Set(junit.properties).count)
        #expect(Set(junit.properties).isSuperset(of: ["calm.result", "upload-trouble.result"]))
        #expect(junit.outcome("calm.command", "command") == "pass")
        #expect(junit.outcome("calm.paging", "paging.stops-at-end") == "pass")
        let markdown = try String(contentsOfFile: reports[2], encoding: .utf8)
        #expect(markdown.hasPrefix("## PASS qubs-mock run --suite"))
        #expect(markdown.contains("| `calm` | pass |"))
        let items = try #require(try json(folder.path("j.json"))["items"]?.array)
        #expect(Set(items.compactMap { $0["session"]?.string }) == ["upload-trouble", "calm"])
    }

    @Test("A baseline lists what is known; a new failure and a stale line are told apart")
    func baseline() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("known.txt")
        let suite = ["--suite", "lost-answers"]
        let first = try run(suite + Self.bad)
        #expect(try first.exitStatus() == 1)
        #expect(first.errorOutput.contains("idempotency.no-duplicate-effect"))
        #expect(try run(suite + ["--write-baseline", file] + Self.bad).exitStatus() == 0)
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            .filter { !$0.hasPrefix("#") }
        #expect(lines == ["lost-answers idempotency.no-duplicate-effect"])
        let report = folder.path("r.xml")
        let known = try run(suite + ["--baseline", file, "--report", report] + Self.bad)
        #expect(try known.exitStatus() == 0, "\(known.errorOutput)")
        #expect(known.errorOutput.contains("1 known"))
        let junit = try JUnitCases(report)
        #expect(
            junit.outcome("lost-answers.idempotency", "idempotency.no-duplicate-effect")
                == "skipped"
        )
        let mended = try run(suite + ["--baseline", file] + Self.good)
        #expect(try mended.exitStatus() == 1)
        #expect(
            mended.errorOutput.contains(
                "stale: the baseline lists idempotency.no-duplicate-effect for lost-answers"
            )
        )
    }

    @Test("A run without a scenario has a baseline, too, under the name -")
    func baselineOfRun() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("known.txt")
        let client = ["--", "python3", Self.badClients, "contract.known-parameters"]
        try "- contract.known-parameters # a should\n".write(
            toFile: file,
            atomically: true,
            encoding: .utf8
        )
        #expect(try run(["--strict"] + client).exitStatus() == 1)
        let known = try run(["--strict", "--baseline", file] + client)
        #expect(try known.exitStatus() == 0, "\(known.errorOutput)")
        #expect(known.errorOutput.contains("Known: contract.known-parameters."))
    }

    @Test("Only the checks of a release count, and those that are required must be exercised")
    func requirements() throws {
        let client = ["--", "python3", Self.badClients, "contract.known-parameters"]
        let frozen = try run(["--requirements", "0.2", "--strict"] + client)
        #expect(try frozen.exitStatus() == 1)
        let needed = try run(["--require", "upload.size"] + client)
        #expect(try needed.exitStatus() == 1)
        #expect(needed.errorOutput.contains("upload.size is required"))
        #expect(try run(["--require", "auth.header-only"] + client).exitStatus() == 0)
    }

    @Test("A must that a later release adds fails no client that is asked for an earlier one's")
    func addedCheck() throws {
        let added = "errors.tolerates-foreign"
        let client = ["--scenario", "foreign-errors", "--", "python3", Self.badClients, added]
        let now = try run(client)
        #expect(try now.exitStatus() == 1, "\(now.errorOutput)")
        #expect(now.errorOutput.contains(added))
        let frozen = try run(["--requirements", "0.2"] + client)
        #expect(try frozen.exitStatus() == 0, "\(frozen.errorOutput)")
        // It is told all the same.
        #expect(frozen.errorOutput.contains(added))
    }

    @Test(
        "What cannot be meant is 64, and one line says why",
        arguments: [
            (["--suite", "nosuch"], "--suite takes all"),
            (["--suite", "calm,calm"], "twice"),
            (["--suite", "calm", "--scenario", "calm"], "exclude each other"),
            (["--suite", "calm", "--session", "s"], "exclude each other"),
            (["--limit", "1", "--timeout", "1"], "the same"),
            (["--requirements", "9.9"], "--requirements takes 0.2"),
            (["--require", "no.check"], "--require"),
            (["--client", "acme-partnr"], "did you mean acme-partner"),
            (["--domain", "nowhere"], "--domain"), (["--env", "no"], "--env"),
            (["--fault", "{"], "--fault"), (["--fault", #"{"match":{}}"#], "--fault"),
            (["--fault", "[]"], "--fault"),
            (["--baseline", "/nonexistent"], "--baseline"),
            (["--expect-exit", "256"], "--expect-exit"),
        ] as [([String], String)]
    )
    func refusals(arguments: [String], word: String) throws {
        let process = try run(arguments + ["--", "true"])
        #expect(try process.exitStatus() == 64, "\(process.errorOutput)")
        #expect(process.errorOutput.contains(word), "\(process.errorOutput)")
    }

    @Test("A wrong line of a baseline is 64, with its number")
    func wrongBaseline() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("known.txt")
        try "# none\ncalm retry.pause\n".write(toFile: file, atomically: true, encoding: .utf8)
        let process = try run(["--suite", "calm", "--baseline", file, "--", "true"])
        #expect(try process.exitStatus() == 64)
        #expect(process.errorOutput.contains("line 2: there is no check retry.pause"))
        #expect(process.errorOutput.contains("did you mean retry.pauses?"))
    }

    @Test("A client with a client id of its own ends in the session default, and that is 3")
    func stray() throws {
        let process = try run([
            "--suite", "calm", "--", "sh", "-c",
            "QUBS_CLIENT_ID=acme-partner exec python3 \"$0\"", Self.goodClient,
        ])
        #expect(try process.exitStatus() == 3)
        #expect(process.errorOutput.contains("came to the session default"))
    }

    @Test("Any program fits: its own names of variables, another client and domain")
    func names() throws {
        let process = try run([
            "--client", "group-partner", "--domain", "globex", "--session", "s1", "--env",
            "API={baseURL}/integrations/v1/{domain}", "--env", "AUTH={clientId}:{clientSecret}",
            "--env", "J={\"a\":{session}}", "--env", "T={tokenURL}", "--", "sh", "-c",
            "echo $API; echo $AUTH; echo \"$J\"; echo $T; echo $QUBS_DOMAIN",
        ])
        let lines = process.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 5)
        #expect(
            lines[0].wholeMatch(of: /http:\/\/127\.0\.0\.1:[0-9]+\/integrations\/v1\/globex/)
                != nil
        )
        #expect(lines[1] == "group-partner+s1:group-partner-secret")
        #expect(lines[2] == #"{"a":s1}"#)
        #expect(lines[3].hasSuffix("/oauth2/token"))
        #expect(lines[4] == "globex")
    }

    @Test("Faults of the command line act, and an exit status can be asked for")
    func faults() throws {
        let script = "curl -s -o /dev/null -w '%{http_code}' -d x=1 $QUBS_TOKEN_URL; exit 4"
        let rule = #"{"match":{"operation":"token"},"when":{"every":1},"then":{"status":503}}"#
        let process = try run([
            "--fault", rule, "--expect-exit", "4", "--", "sh", "-c", script,
        ])
        #expect(process.output == "503")
        #expect(!process.errorOutput.contains("command exited with status 4"))
        #expect(try run(["--expect-exit", "4", "--", "true"]).exitStatus() == 3)
    }

    @Test("A trial that takes too long is ended and failed, and leaves nothing behind")
    func timeout() throws {
        let mark = "9\(UInt32.random(in: 10_000_000...99_999_999))"
        let process = try run([
            "--suite", "calm", "--timeout", "1", "--", "sh", "-c",
            "echo seen; setsid sleep \(mark) & sleep \(mark)",
        ])
        #expect(try process.exitStatus() == 3)
        #expect(process.errorOutput.contains("qubs-mock stopped your command after 1 s"))
        #expect(process.errorOutput.contains("| seen"))
        #expect(!RunningProcesses.have(mark))
    }

    @Test(
        "Signals end all trials, and nothing is left of them",
        arguments: [SIGTERM, SIGINT, SIGKILL]
    )
    func signals(number: Int32) throws {
        let folder = try TemporaryFolder()
        let mark = "9\(UInt32.random(in: 10_000_000...99_999_999))"
        let process = try ChildProcess.mock([
            "run", "--suite", "calm,lost-answers,upload-trouble", "--jobs", "2", "--", "sh", "-c",
            "setsid sleep \(mark) & echo >> \(folder.path("begun")); sleep \(mark)",
        ])
        try process.poll("two trials run") {
            let text = try? String(contentsOfFile: folder.path("begun"), encoding: .utf8)
            return (text ?? "").count >= 2
        }
        process.send(number)
        let status = try process.exitStatus()
        if number != SIGKILL {
            #expect(status == 3)
            #expect(process.errorOutput.contains("A signal ended it: 2 of 3 trials were made."))
        }
        // The guards of a process that was killed need a moment.
        try eventually("nothing is left") { !RunningProcesses.have(mark) }
        let text = try String(contentsOfFile: folder.path("begun"), encoding: .utf8)
        #expect(text.count == 2)
    }

    @Test("GitHub gets annotations and a summary of the job")
    func gitHub() throws {
        let folder = try TemporaryFolder()
        let summary = folder.path("summary.md")
        try "before\n".write(toFile: summary, atomically: true, encoding: .utf8)
        let environment = ["GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary]
        let process = try run(["--suite", "lost-answers"] + Self.bad, environment: environment)
        #expect(try process.exitStatus() == 1)
        #expect(
            process.errorLines.contains {
                $0.hasPrefix(
                    "::error title=qubs-mock lost-answers::idempotency.no-duplicate-effect: "
                )
            }
        )
        let text = try String(contentsOfFile: summary, encoding: .utf8)
        #expect(text.hasPrefix("before\n## FAIL qubs-mock run --suite"))
        #expect(!(try run(["--suite", "lost-answers"] + Self.bad)).errorOutput.contains("::error"))
    }
}

/// The processes of this machine.
enum RunningProcesses {
    /// Whether a process with this argument runs.
    static func have(_ mark: String) -> Bool {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return folders.filter { Int($0) != nil }.contains { pid in
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return line.split(separator: 0).contains { $0.elementsEqual(mark.utf8) }
        }
    }
}
