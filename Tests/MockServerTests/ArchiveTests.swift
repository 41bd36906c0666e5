import Foundation
import JSON
import TestSupport
import TestTools
import Testing

@Suite("The journal as an HTTP archive, and trace context")
struct ArchiveTests {
    private static let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("An archive has what the tools of browsers ask for, oldest first, and no secret")
    func archive() throws {
        let server = try TestServer()
        let token = try server.token()
        _ = try server.get("appointments?take=1&skip=0")
        _ = try server.get("patients/Jane%20Doe")
        let answer = try server.control("GET", "/requests?format=har")
        #expect(answer.status == 200)
        let log = try #require(answer.json["log"])
        #expect(log["version"] == "1.2")
        let entries = try #require(log["entries"]?.array)
        #expect(entries.count == 3)
        #expect(entries.map { $0["_mock"]?["id"]?.int } == [1, 2, 3])
        let list = entries[1]
        #expect(
            list["request"]?["url"]?.string?
                .hasSuffix("/integrations/v1/acme/appointments?skip=0&take=1") == true
        )
        #expect(list["request"]?["url"]?.string?.hasPrefix("http://") == true)
        #expect(list["response"]?["status"] == 200)
        #expect(list["request"]?["method"] == "GET")
        #expect((list["response"]?["content"]?["size"]?.int ?? 0) > 2)
        #expect(entries[0]["request"]?["postData"]?["text"] == "")
        // Each entry has each member that HAR 1.2 asks for.
        for entry in entries {
            for name in ["startedDateTime", "time", "request", "response", "cache", "timings"] {
                #expect(entry[name] != nil)
            }
            for name in ["cookies", "headers", "queryString"] {
                #expect(entry["request"]?[name]?.array != nil)
            }
        }
        #expect(!answer.text.contains(token))
        #expect(!answer.text.contains("Jane"))
        #expect(!answer.text.contains("acme-partner-secret"))
    }

    @Test("traceparent is kept where it is well-formed, and stands in journal and findings")
    func traceParent() throws {
        let server = try TestServer()
        _ = try server.get("sites", fields: [("traceparent", Self.trace)])
        for wrong in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff" + Self.trace.dropFirst(2),
            Self.trace.uppercased(), Self.trace + "-x", "00",
        ] {
            _ = try server.get("sites", fields: [("traceparent", wrong)])
        }
        _ = try server.get("sites?nosuch=1", fields: [("traceparent", Self.trace)])
        let items = try #require(try server.control("GET", "/requests").json["items"]?.array)
        let traces = items.reversed().map { $0["fields"]?["traceparent"]?.string }
        #expect(traces == [nil, Self.trace, nil, nil, nil, nil, nil, Self.trace])
        let checks = try #require(try server.control("GET", "/verdict").json["checks"]?.array)
        let finding = checks.first { $0["id"] == "contract.known-parameters" }
        let request = finding?["evidence"]?.array?.first?["requests"]?.array?.first
        #expect(request?["traceparent"]?.string == Self.trace)
    }

    @Test("qubs-mock journal prints the journal, and writes an archive")
    func command() throws {
        let server = try TestServer()
        _ = try server.get("sites")
        let folder = try TemporaryFolder()
        let file = folder.path("run.har")
        let process = try ChildProcess.mock(["journal", "--url", server.baseURL, "--har", file])
        #expect(try process.exitStatus() == 0, "\(process.errorOutput)")
        let octets = try #require(FileManager.default.contents(atPath: file))
        let archive = try JSONParser.parse(Array(octets))
        #expect(archive["log"]?["entries"]?.array?.count == 2)
        let plain = try ChildProcess.mock(["journal", "--url", server.baseURL, "--limit", "1"])
        #expect(try plain.exitStatus() == 0)
        #expect(try JSONParser.parse(Array(plain.output.utf8))["items"]?.array?.count == 1)
        #expect(try ChildProcess.mock(["journal", "--har", "x.json"]).exitStatus() == 64)
        let none = try ChildProcess.mock(["journal", "--url", "http://127.0.0.1:1"])
        #expect(try none.exitStatus() == 3)
    }
}
