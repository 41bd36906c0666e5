import Foundation
import JSON
import MockServer
import TestSupport
import TestTools
import Testing

@Suite("qubs-mock sweep")
struct SweepCommandTests {
    /// A client that makes so many comments; with a number, that one is made without a second attempt.
    private static func client(_ comments: Int, weak: Int? = nil) -> [String] {
        let script = """
            import sys
            sys.path.insert(0, "\(Repository.path("examples"))")
            import good_client
            client = good_client.Client()
            client.token()
            for number in range(1, \(comments) + 1):
                good_client.ATTEMPTS = 1 if number == \(weak ?? 0) else 6
                try:
                    good_client.comment(client, "A123456", f"Number {number}.")
                except good_client.Unavailable:
                    pass
            """
        return ["--", "python3", "-c", script]
    }

    private func mock(_ arguments: [String]) throws -> ChildProcess {
        let process = try ChildProcess.mock(
            arguments,
            environment: [
                "PYTHONDONTWRITEBYTECODE": "1", "QUBS_TIMEOUT": "1", "QUBS_FIRST_PAUSE": "0.12",
            ]
        )
        _ = try process.exitStatus()
        return process
    }

    private func json(_ path: String) throws -> JSONValue {
        let octets = try #require(FileManager.default.contents(atPath: path))
        return try JSONParser.parse(Array(octets))
    }

    @Test("A good client survives each fault of each call; every kind of fault was tried")
    func survives() throws {
        let folder = try TemporaryFolder()
        let report = folder.path("r.json")
        let process = try mock(["sweep", "--report", report, "--jobs", "4"] + Self.client(1))
        #expect(try process.exitStatus() == 0, "\(process.errorOutput)")
        let trials = try #require(try json(report)["trials"]?.array)
        let post = "Integrations_CreatePendingReportingAppointmentComment #1"
        let expected =
            ["429", "503", "reset-before", "cut", "hang", "edge", "expired-token"]
            .map { "token #1 \($0)" }
            + ["429", "503", "reset-before", "reset-after", "cut", "hang", "edge", "expired-token"]
            .map { "\(post) \($0)" }
        #expect(trials.map { $0["name"]?.string } == expected)
        #expect(trials.allSatisfy { $0["outcome"] == "pass" && $0["repeat"] == .null })
        #expect(trials.allSatisfy { $0["effects"]?.array?.count == 1 })
        #expect(trials.last?["fault"]?["then"] == ["status": 401])
        let edges = trials.filter { $0["name"]?.string?.hasSuffix(" edge") == true }
            .map { $0["fault"]?["then"]?["edge"] }
        #expect(edges == ["aws-cognito", "aws-api-gateway"])
    }

    @Test("A fault on the second call does not meet the second attempt at the first")
    func attempts() throws {
        let folder = try TemporaryFolder()
        let post = "Integrations_CreatePendingReportingAppointmentComment"
        func fault(_ ordinal: Int) -> String {
            #"{"match":{"operation":"\#(post)","attempt":"first"},"when":{"nth":[\#(ordinal)]},"#
                + #""then":{"status":503}}"#
        }
        let process = try mock(
            [
                "run", "--fault", fault(1), "--fault", fault(2), "--journal", folder.path("j.json"),
            ] + Self.client(2)
        )
        #expect(try process.exitStatus() == 0, "\(process.errorOutput)")
        let items = try #require(try json(folder.path("j.json"))["items"]?.array)
        let posts = items.reversed().filter { $0["operation"]?.string == post }
        #expect(posts.map { $0["status"] } == [503, 200, 503, 200])
    }

    @Test("The same seed gives the same trials, outcomes and lines in the same order")
    func determinism() throws {
        let folder = try TemporaryFolder()
        let script = #"""
            TOKEN=$(curl -sf -m 10 "$QUBS_TOKEN_URL" -d grant_type=client_credentials \
              -d "client_secret=$QUBS_CLIENT_SECRET" --data-urlencode "client_id=$QUBS_CLIENT_ID" \
              | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
            curl -sf -m 10 "$QUBS_BASE_URL/integrations/v1/$QUBS_DOMAIN/sites" \
              -H "Authorization: Bearer $TOKEN" -H "X-Correlation-Id: $$"
            exit 0
            """#
        /// The trials of a sweep, without their durations.
        func trials(_ name: String, jobs: Int) throws -> [JSONValue] {
            let process = try mock([
                "sweep", "--report", folder.path(name), "--jobs", "\(jobs)", "--pairs", "3",
                "--seed",
                "7", "--", "sh", "-c", script,
            ])
            #expect(try process.exitStatus() == 1, "\(process.errorOutput)")
            let trials = try #require(try json(folder.path(name))["trials"]?.array)
            return trials.map { trial in
                var object = JSONObject()
                let members = [
                    "name", "session", "outcome", "exit", "attempts", "repeat", "suffices",
                    "differences",
                ]
                for member in members { object[member] = trial[member] }
                return .object(object)
            }
        }
        let first = try trials("a.json", jobs: 6)
        #expect(first.count == 17)
        #expect(
            first.contains { $0["outcome"] == "fail" && $0["attempts"]?.array?.isEmpty == false }
        )
        #expect(try trials("b.json", jobs: 2) == first)
    }

    @Test("A trial that took too long beside others is made once more, alone")
    func overdue() throws {
        let folder = try TemporaryFolder()
        // It stands still in the first trial after the clean one.
        let script = #"""
            mkdir "$MARKS/clean" 2>/dev/null || { mkdir "$MARKS/first" 2>/dev/null && exec sleep 600; }
            curl -s -m 2 "$QUBS_TOKEN_URL" -d grant_type=client_credentials \
              -d "client_secret=$QUBS_CLIENT_SECRET" --data-urlencode "client_id=$QUBS_CLIENT_ID"
            exit 0
            """#
        let process = try ChildProcess.mock(
            [
                "sweep", "--report", folder.path("r.json"), "--jobs", "2", "--timeout", "15", "--",
                "sh", "-c", script,
            ],
            environment: ["MARKS": folder.path("")]
        )
        _ = try process.exitStatus()
        #expect(FileManager.default.fileExists(atPath: folder.path("first")))
        let trials = try #require(try json(folder.path("r.json"))["trials"]?.array)
        #expect(trials.count == 7)
        let texts = trials.map { String(decoding: JSONWriter.octets(of: $0), as: UTF8.self) }
        #expect(texts.allSatisfy { !$0.contains("stopped your command") }, "\(texts)")
    }

    @Test("Of a client with one weak call exactly that is found, and its line repeats it")
    func finds() throws {
        let folder = try TemporaryFolder()
        let process = try mock(
            ["sweep", "--report", folder.path("r.json"), "--jobs", "4", "--pairs", "2"]
                + Self.client(1, weak: 1)
        )
        #expect(try process.exitStatus() == 1, "\(process.errorOutput)")
        let trials = try #require(try json(folder.path("r.json"))["trials"]?.array)
        func isFailed(_ trial: JSONValue) -> Bool { trial["outcome"] == "fail" }
        let failed = trials.filter { $0["fault"] != nil }.filter(isFailed)
        #expect(!failed.isEmpty)
        for trial in failed {
            let name = try #require(trial["name"]?.string)
            #expect(
                name.hasPrefix("Integrations_CreatePendingReportingAppointmentComment #1 "),
                "\(name)"
            )
            #expect(trial["attempts"]?.array?.isEmpty == false)
        }
        let pairs = trials.filter { $0["pair"] != nil }
        #expect(pairs.count == 2)
        // A pair fails for what fails alone, or for both.
        let names = Set(failed.compactMap { $0["fault"] }.map { JSONWriter.text(of: $0) })
        for pair in pairs where isFailed(pair) {
            let parts = try #require(pair["suffices"]?.array).compactMap { $0["fault"] }
            #expect(
                parts.count == 2
                    || parts.allSatisfy { names.contains(JSONWriter.text(of: $0)) }
            )
        }
        // The line stands alone: in a shell, with the program on the path.
        let unavailable = try #require(
            failed.first { $0["name"]?.string?.hasSuffix(" 503") == true }
        )
        let line = try #require(unavailable["repeat"]?.string)
        #expect(line.hasPrefix("qubs-mock run --same-effects --fault '{"))
        let shell = try ChildProcess(
            "/usr/bin/env",
            ["sh", "-c", line],
            environment: [
                "PATH": "\(try ChildProcess.products):/usr/local/bin:/usr/bin:/bin",
                "QUBS_TIMEOUT": "1",
            ]
        )
        #expect(try shell.exitStatus() == 1, "\(shell.errorOutput)")
        #expect(shell.errorOutput.contains("effect missing"))
    }

    @Test("Each value of each reading is tried but the defaults")
    func readings() throws {
        let tried = try TestServer().application.readingsToTry
        #expect(tried.contains { $0.id == "page-end" && $0.value == "omitted" })
        #expect(!tried.contains { $0.id == "page-end" && $0.value == "null" })
        #expect(tried.filter { $0.id == "token-lifetime" }.map(\.value) == ["60"])
        #expect(!tried.contains { $0.value == "mixed" })
    }

    @Test("Of a client that knows one end of a list, the readings with another are found")
    func readingsAlone() throws {
        let script = """
            import sys
            sys.path.insert(0, "\(Repository.path("examples"))")
            import good_client
            client = good_client.Client()
            page = client.get("reporting/appointments/pending", pageSize=500)
            while page["nextToken"] is not None:
                token = page["nextToken"]
                page = client.get("reporting/appointments/pending", pageSize=500, nextToken=token)
            """
        let folder = try TemporaryFolder()
        let report = folder.path("r.json")
        let process = try mock(
            ["sweep", "--readings", "--depth", "0", "--jobs", "4", "--report", report]
                + ["--", "python3", "-c", script]
        )
        #expect(try process.exitStatus() == 1, "\(process.errorOutput)")
        let trials = try #require(try json(report)["trials"]?.array)
        let tried = try TestServer().application.readingsToTry.map { "\($0.id)=\($0.value)" }
        #expect(trials.map { $0["name"]?.string } == tried)
        let failed = trials.filter { $0["outcome"] == "fail" }.map { $0["name"]?.string }
        #expect(failed == ["page-end=omitted", "page-end=empty"])
    }

    @Test("Without calls it is 2, with a clean trial that fails 3, with a wrong option 64")
    func statuses() throws {
        #expect(try mock(["sweep", "--", "true"]).exitStatus() == 2)
        let failing = try mock(["sweep", "--", "sh", "-c", "echo why; exit 5"])
        #expect(try failing.exitStatus() == 3)
        #expect(failing.errorOutput.contains("the clean trial failed"))
        #expect(failing.errorOutput.contains("why"))
        #expect(try mock(["sweep", "--depth", "0", "--", "true"]).exitStatus() == 64)
        #expect(try mock(["sweep"]).exitStatus() == 64)
    }
}
