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
