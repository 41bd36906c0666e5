import Foundation
import Glibc
import JSON
import TestSupport
import TestTools
import Testing

/// The good client in company: what is right alone is right twice at once, with one token for two
/// processes, and when it is started again in the middle.
@Suite("The good client, not alone")
struct ClientCrowdTests {
    private static let folder = Repository.path("examples")
    private static let goodClient = Repository.path("examples/good_client.py")

    /// One token, fetched before the program becomes two processes.
    private static let forked = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        import good_client
        client = good_client.Client()
        client.token()
        client.connections = {}
        child = os.fork()
        good_client.work(client)
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """

    private func start(_ arguments: [String], at server: TestServer, _ scenario: String) throws
        -> ChildProcess
    {
        let patience = scenario == "slow-friday" ? "8" : "60"
        return try ClientMatrixTests.start(
            arguments,
            at: server,
            environment: ["QUBS_TIMEOUT": patience]
        )
    }

    private func expectPass(_ server: TestServer) throws {
        let verdict = try server.control("GET", "/verdict").json
        let failed = (verdict["checks"]?.array ?? []).filter {
            $0["result"] == "fail" && $0["level"] == "must"
        }
        let summaries = failed.map { "\($0["id"]?.string ?? ""): \($0["summary"]?.string ?? "")" }
        #expect(summaries == [])
        #expect(verdict["result"] == "pass")
        #expect(verdict["scenario"]?["reached"] == true)
    }

    @Test(
        "Several at once are each judged by what they did",
        arguments: [
            ("flaky-network", 2), ("rate-limited-morning", 2), ("token-expiry", 2),
            ("upload-trouble", 2), ("lost-answers", 8),
        ]
    )
    func several(scenario: String, count: Int) throws {
        let server = try ClientMatrixTests.server(scenario: scenario)
        let clients = try (0..<count).map { _ in try start([Self.goodClient], at: server, scenario)
        }
        for client in clients { #expect(try client.exitStatus() == 0, "\(client.errorOutput)") }
        try expectPass(server)
    }

    @Test(
        "Two processes may share a token",
        arguments: ["rate-limited-morning", "token-expiry", "upload-trouble"]
    )
    func oneToken(scenario: String) throws {
        let server = try ClientMatrixTests.server(scenario: scenario)
        let client = try start(["-c", Self.forked, Self.folder], at: server, scenario)
        #expect(try client.exitStatus() == 0, "\(client.errorOutput)")
        try expectPass(server)
    }

    @Test(
        "A program that is killed and started again is not blamed for what it could not finish",
        arguments: [("lost-answers", 8), ("upload-trouble", 24), ("flaky-network", 6)]
    )
    func restarted(scenario: String, after requests: Int) throws {
        let server = try ClientMatrixTests.server(scenario: scenario)
        let first = try start([Self.goodClient], at: server, scenario)
        try first.poll("\(requests) requests") {
            (try server.control("GET", "/requests/count").json["count"]?.int ?? 0) >= requests
        }
        first.send(SIGKILL)
        _ = try first.exitStatus()
        let second = try start([Self.goodClient], at: server, scenario)
        #expect(try second.exitStatus() == 0, "\(second.errorOutput)")
        try expectPass(server)
    }
}
