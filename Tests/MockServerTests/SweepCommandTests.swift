import Foundation
import JSON
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
            for number in range(1, \(comments) + 1):
                attempts = 1 if number == \(weak ?? 0) else 6
                good_client.ATTEMPTS = attempts
                try:
                    client.token() if number > 1 else None
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
            ["429", "503", "reset-before", "cut", "hang", "expired-token"].map { "token #1 \($0)" }
            + ["429", "503", "reset-before", "reset-after", "cut", "hang", "expired-token"]
            .map { "\(post) \($0)" }
        #expect(trials.map { $0["name"]?.string } == expected)
        #expect(trials.allSatisfy { $0["outcome"] == "pass" && $0["repeat"] == .null })
        #expect(trials.allSatisfy { $0["effects"]?.array?.count == 1 })
        #expect(trials.last?["fault"]?["then"] == ["status": 401])
    }

    @Test("Of a client with one weak call exactly that is found, and its line repeats it")
    func finds() throws {
        let folder = try TemporaryFolder()
        func sweep(_ file: String) throws -> [JSONValue] {
            let process = try mock(
                ["sweep", "--report", folder.path(file), "--jobs", "4", "--pairs", "3"]
                    + Self.client(2, weak: 2)
            )
            #expect(try process.exitStatus() == 1, "\(process.errorOutput)")
            return try #require(try json(folder.path(file))["trials"]?.array)
        }
        let trials = try sweep("one.json")
        func isFailed(_ trial: JSONValue) -> Bool { trial["outcome"] == "fail" }
        let single = trials.filter { $0["fault"] != nil }
        let failed = single.filter(isFailed)
        #expect(!failed.isEmpty)
        for trial in failed {
            let name = try #require(trial["name"]?.string)
            #expect(
                name.hasPrefix("Integrations_CreatePendingReportingAppointmentComment #2 "),
                "\(name)"
            )
            #expect(trial["attempts"]?.array?.isEmpty == false)
        }
        let pairs = trials.filter { $0["pair"] != nil }
        #expect(pairs.count == 3)
        // A pair fails for what fails alone, or for both.
        let names = Set(failed.compactMap { $0["fault"] }.map { JSONWriter.text(of: $0) })
        for pair in pairs where isFailed(pair) {
            let parts = try #require(pair["suffices"]?.array).compactMap { $0["fault"] }
            #expect(
                parts.count == 2
                    || parts.allSatisfy { names.contains(JSONWriter.text(of: $0)) }
            )
        }
        // Another sweep says the same.
        let again = try sweep("two.json")
        for name in ["name", "outcome", "repeat", "pair", "suffices"] {
            #expect(trials.map { $0[name] } == again.map { $0[name] })
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
                "PATH": "\(try ChildProcess.products):/usr/bin:/bin", "QUBS_TIMEOUT": "1",
            ]
        )
        #expect(try shell.exitStatus() == 1, "\(shell.errorOutput)")
        #expect(shell.errorOutput.contains("effect missing"))
    }

    @Test("Readings are tried one by one, and one that the client cannot read is found")
    func readings() throws {
        let folder = try TemporaryFolder()
        let report = folder.path("r.json")
        // It takes an absent nextToken for a defect of the answer.
        let script = """
            import sys
            sys.path.insert(0, "\(Repository.path("examples"))")
            import good_client
            client = good_client.Client()
            client.get("reporting/appointments/pending", pageSize=500)["nextToken"]
            """
        let process = try mock([
            "sweep", "--readings", "--depth", "1", "--report", report, "--jobs", "4", "--",
            "python3", "-c", script,
        ])
        #expect(try process.exitStatus() == 1)
        let trials = try #require(try json(report)["trials"]?.array)
        let readings = trials.filter { $0["reading"] != nil }
        #expect(readings.contains { $0["reading"] == "token-lifetime=60" })
        let failed = readings.filter { $0["outcome"] == "fail" }.map { $0["reading"]?.string }
        #expect(failed == ["page-end=omitted"])
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
