import Foundation
import JSON
import MockServer
import TestSupport
import TestTools
import Testing
import Verdict

/// `qubs-mock verdict --har`: the same checks on what a proxy recorded.
@Suite("Recordings")
struct RecordingTests {
    /// A reverse proxy in Python that records, and the client that it starts behind itself.
    ///
    /// It forwards a message whole or, where it got none, breaks the connection as the server did.
    private static let proxy = #"""
        import datetime, http.client, http.server, json, os, subprocess, sys, threading, time, urllib.parse

        base, path, command = os.environ["QUBS_BASE_URL"], sys.argv[1], sys.argv[2:]
        upstream = urllib.parse.urlsplit(base).netloc
        entries, lock, count = [], threading.Lock(), [0]


        def pairs(items):
            return [{"name": name, "value": value} for name, value in items]


        class Recorder(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                with lock:
                    count[0] += 1
                    self.number = count[0]
                self.upstream = http.client.HTTPConnection(upstream, timeout=600)

            def finish(self):
                self.upstream.close()
                super().finish()

            def forward(self):
                began = time.time()
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer, body, error = None, b"", None
                try:
                    self.upstream.putrequest(
                        self.command, self.path, skip_host=True, skip_accept_encoding=True
                    )
                    for name, value in self.headers.items():
                        self.upstream.putheader(name, value)
                    self.upstream.endheaders(content or None)
                    answer = self.upstream.getresponse()
                    body = answer.read()
                except (OSError, http.client.HTTPException) as failure:
                    answer, error = None, repr(failure)
                    self.upstream.close()
                ended = time.time()
                entry = {
                    "startedDateTime": datetime.datetime.fromtimestamp(
                        began, datetime.timezone.utc
                    ).isoformat(),
                    "time": (ended - began) * 1000,
                    "connection": str(self.number),
                    "request": {
                        "method": self.command,
                        "url": "http://" + self.headers["Host"] + self.path,
                        "headers": pairs(self.headers.items()),
                        "postData": {"text": content.decode("latin-1")},
                    },
                    "response": {
                        "status": answer.status if answer else 0,
                        "headers": pairs(answer.getheaders()) if answer else [],
                        "content": {"size": len(body), "text": body.decode("utf-8", "replace")},
                        "_error": error,
                    },
                }
                with lock:
                    entries.append(entry)
                try:
                    self.answer(answer, body)
                except OSError:
                    self.close_connection = True

            def answer(self, answer, body):
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_HEAD = forward

            def log_message(self, *arguments):
                pass


        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        own = "http://127.0.0.1:%d" % server.server_address[1]
        environment = dict(
            os.environ,
            QUBS_BASE_URL=own,
            QUBS_TOKEN_URL=os.environ["QUBS_TOKEN_URL"].replace(base, own),
        )
        status = subprocess.run(command, env=environment).returncode
        with open(path, "w") as file:
            json.dump({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"},
                               "entries": entries}}, file)
        sys.exit(status)
        """#

    /// The results of a verdict by check.
    private static func results(_ verdict: JSONValue) -> [String: String] {
        let checks = verdict["checks"]?.array ?? []
        return Dictionary(
            uniqueKeysWithValues: checks.compactMap { check in
                check["id"]?.string.map { ($0, check["result"]?.string ?? "") }
            }
        )
    }

    /// A client of `examples/`: its scenario and its arguments.
    struct Row: CustomTestStringConvertible {
        let scenario: String
        let client: [String]

        init(_ scenario: String, _ client: String...) {
            self.scenario = scenario
            self.client = client
        }

        var testDescription: String { "\(client.joined(separator: " ")), \(scenario)" }
    }

    static let rows = [
        Row("upload-trouble", "good_client.py"), Row("lost-answers", "good_client.py"),
        Row("token-expiry", "good_client.py"),
        Row("rate-limited-morning", "bad_clients.py", "retry.honours-retry-after"),
        Row("lost-answers", "bad_clients.py", "idempotency.key-reused-on-retry"),
        Row("calm", "bad_clients.py", "paging.offset-stops"),
        Row("calm", "bad_clients.py", "contract.known-parameters"),
        Row("calm", "bad_clients.py", "auth.header-only"),
        Row("calm", "bad_clients.py", "trace.correlation-id"),
    ]

    @Test(
        "A recording and the journal agree on every check that a recording proves",
        arguments: rows
    )
    func agreement(row: Row) throws {
        let server = try ClientMatrixTests.server(scenario: row.scenario)
        let folder = try TemporaryFolder()
        let file = folder.path("run.har")
        let script = Repository.path("examples/\(row.client[0])")
        let client = try ClientMatrixTests.start(
            ["-c", Self.proxy, file, "python3", script] + row.client.dropFirst(),
            at: server
        )
        _ = try client.exitStatus()
        let octets = try #require(
            FileManager.default.contents(atPath: file),
            "\(client.errorOutput)"
        )
        #expect(octets.count > 1_000)
        let process = try ChildProcess.mock(["verdict", "--har", file, "--format", "json"])
        _ = try process.exitStatus()
        let recorded = try JSONParser.parse(Array(process.output.utf8))
        let judged = try server.control("GET", "/verdict").json
        let found = Self.results(recorded)
        let known = Self.results(judged)
        #expect(found.count == known.count)
        for (check, result) in found.sorted(by: { $0.key < $1.key }) {
            if RecordingLimits.unprovable[check] != nil {
                #expect(result == "not-judged", "\(check)")
            } else if result != "not-judged", known[check] != "not-judged" {
                let checks = (recorded["checks"]?.array ?? []) + (judged["checks"]?.array ?? [])
                let told = checks.filter { $0["id"]?.string == check }
                    .map { $0["summary"]?.string ?? "" }
                #expect(known[check] == result, "\(check): \(told)")
            }
        }
        // The one that the client is bad at is proved, or nothing was shown.
        if row.client.count > 1 { #expect(found[row.client[1]] == "fail") }
        #expect(found.values.contains("pass"))
    }

    @Test("What a recording cannot prove are checks that there are")
    func limits() {
        let known = Set(Check.all.map(\.id))
        for limits in [
            RecordingLimits.unprovable, RecordingLimits.needContents, RecordingLimits.needReasons,
        ] {
            #expect(Set(limits.keys).subtracting(known) == [])
        }
    }

    private static func entry(
        _ second: Double,
        _ path: String,
        status: Int,
        fields: [(String, String)] = [],
        answer: String? = nil
    ) -> JSONValue {
        let whole = Int(second)
        let text = String(format: "2026-01-10T03:00:%02d.%03dZ", whole, Int(second * 1000) % 1000)
        var content = JSONObject([("size", .integer(2))])
        content["text"] = answer.map { .string($0) }
        return [
            "startedDateTime": .string(text), "time": 10,
            "request": [
                "method": "GET", "url": .string("https://api.example.com\(path)"),
                "headers": [
                    ["name": ":authority", "value": "api.example.com"],
                    ["name": "Authorization", "value": "Bearer opaque"],
                    ["name": "x-correlation-id", "value": .string("c-\(second)")],
                ],
            ],
            "response": [
                "status": .integer(status), "content": .object(content),
                "headers": .array(
                    fields.map { ["name": .string($0.0), "value": .string($0.1)] }
                ),
            ],
        ]
    }

    private func verdict(_ entries: [JSONValue]) throws -> (status: Int32, JSONValue, String) {
        let folder = try TemporaryFolder()
        let file = folder.path("x.har")
        let octets = JSONWriter.octets(of: [
            "log": ["version": "1.2", "entries": .array(entries)]
        ])
        try Data(octets).write(to: URL(fileURLWithPath: file))
        let process = try ChildProcess.mock(["verdict", "--har", file, "--format", "json"])
        let status = try process.exitStatus()
        return (status, try JSONParser.parse(Array(process.output.utf8)), process.errorOutput)
    }

    @Test("A recording of another server is judged by the contract, with a path in front")
    func otherServer() throws {
        let sites = "/prod/integrations/v1/acme/sites"
        let told = [("Retry-After", "5")]
        let (status, verdict, errors) = try verdict([
            Self.entry(12, sites, status: 200, answer: "[]"),
            Self.entry(10, sites, status: 503, fields: told, answer: "{}"),
            Self.entry(20, sites + "?nosuch=1", status: 200, answer: "[]"),
            Self.entry(21, "/favicon.ico", status: 404),
        ])
        #expect(status == 1)
        #expect(errors.contains("1 of 4 requests are none of the API's"))
        let results = Self.results(verdict)
        #expect(results["retry.retries-transient"] == "pass")
        // 2 s after the answer, though 5 s were asked for.
        #expect(results["retry.honours-retry-after"] == "fail")
        #expect(results["contract.known-parameters"] == "fail")
        #expect(results["trace.correlation-id"] == "pass")
        #expect(results["retry.not-too-late"] == "pass")
        #expect(verdict["coverage"]?["called"] == 1)
    }

    @Test("Without contents of answers, what needs them is not judged")
    func withoutContents() throws {
        let list = "/integrations/v1/acme/appointments?take=2"
        let (_, with, _) = try verdict([Self.entry(1, list, status: 200, answer: "[{},{}]")])
        let (_, without, _) = try verdict([Self.entry(1, list, status: 200)])
        #expect(Self.results(with)["paging.offset-stops"] == "pass")
        #expect(Self.results(without)["paging.offset-stops"] == "not-judged")
        #expect(Self.results(without)["trace.correlation-id"] == "pass")
    }

    @Test(
        "What is no recording is 64, and one line says why",
        arguments: [
            ("{}", "no HTTP archive"), ("[", "line 1, column 2: the text ends too early"),
            (#"{"log":{"creator":{"name":"qubs-mock"},"entries":[]}}"#, "qubs-mock wrote it"),
            (#"{"log":{"entries":[{}]}}"#, "entry 1: startedDateTime"),
            (
                #"{"log":{"entries":[{"startedDateTime":"2026-01-10T03:00:00Z","time":-1}]}}"#,
                "entry 1: time"
            ),
            (
                #"{"log":{"entries":[{"startedDateTime":"2026-01-10T03:00:00Z","time":1e300}]}}"#,
                "entry 1: time"
            ),
            (
                """
                {"log":{"entries":[{"startedDateTime":"2026-01-10T03:00:00Z","time":1,
                "request":{"method":"GET","url":"/x"}}]}}
                """, "entry 1: request"
            ),
            (
                """
                {"log":{"entries":[{"startedDateTime":"2026-01-10T03:00:00Z","time":1,
                "request":{"method":"GET","url":"http://h/x"},"response":{"status":70000}}]}}
                """, "entry 1: response.status"
            ),
        ]
    )
    func refusals(text: String, words: String) throws {
        let folder = try TemporaryFolder()
        let file = folder.path("x.har")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let process = try ChildProcess.mock(["verdict", "--har", file])
        #expect(try process.exitStatus() == 64)
        #expect(process.errorOutput.contains(words), "\(process.errorOutput)")
        #expect(process.errorLines.count == 1)
        #expect(try ChildProcess.mock(["verdict", "--har", file + "x"]).exitStatus() == 64)
    }

    @Test("A recording of nothing that can be judged is 2")
    func nothing() throws {
        let (status, verdict, _) = try verdict([])
        #expect(status == 2)
        #expect(verdict["result"] == "not-exercised")
    }
}
