import Foundation
import JSON
import TestSupport
import Testing

@Suite("qubs-mock changes")
struct ChangesCommandTests {
    private static func changes(
        _ server: TestServer,
        _ arguments: [String] = []
    ) throws -> ChildProcess {
        try ChildProcess.mock(["changes", "--url", server.baseURL] + arguments)
    }

    @Test("The list is printed with a line for each change, as JSON")
    func list() throws {
        let server = try TestServer()
        let empty = try Self.changes(server)
        #expect(try empty.exitStatus() == 0)
        #expect(empty.output == "{\"items\":[\n],\"dropped\":0}\n")
        for text in ["a", "b"] {
            _ = try server.post(TestServer.commentsPath, ["commentText": .string(text)])
        }
        let two = try Self.changes(server, ["--session", "default"])
        #expect(try two.exitStatus() == 0, "\(two.errorOutput)")
        #expect(two.output.split(separator: "\n").count == 4)
        #expect(try JSONParser.parse(Array(two.output.utf8)) == server.changes())
        let normalised = try Self.changes(server, ["--normalised"])
        #expect(try normalised.exitStatus() == 0)
        #expect(
            try JSONParser.parse(Array(normalised.output.utf8))
                == server.changes("?normalised=true")
        )
    }

    @Test("--expect compares with what --normalised printed: 0 the same, 1 with the differences")
    func expect() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("expected.json")
        let server = try TestServer()
        _ = try server.post(TestServer.commentsPath, ["commentText": "a"])
        _ = try server.post(TestServer.commentsPath, ["commentText": "b"])
        let printed = try Self.changes(server, ["--normalised"])
        #expect(try printed.exitStatus() == 0)
        try Data(printed.output.utf8).write(to: URL(filePath: file))
        let same = try Self.changes(server, ["--expect", file])
        #expect(try same.exitStatus() == 0)
        #expect(same.output.isEmpty && same.errorOutput.isEmpty)

        let other = try TestServer()
        _ = try other.post(TestServer.commentsPath, ["commentText": "b"])
        for _ in 0..<2 {
            _ = try other.post(TestServer.commentsPath, ["commentText": "c"])
        }
        let differs = try Self.changes(other, ["--normalised", "--expect", file])
        #expect(try differs.exitStatus() == 1)
        let lines = differs.output.split(separator: "\n")
        #expect(lines.map { $0.prefix(2) } == ["- ", "+ ", "+ "], "\(differs.output)")
        let mine = try server.changes("?normalised=true")["items"]?.array ?? []
        let theirs = try other.changes("?normalised=true")["items"]?.array ?? []
        #expect(
            try JSONParser.parse(Array(lines[0].dropFirst(2).utf8))
                == mine.first { !theirs.contains($0) }
        )
        #expect(lines[1] == lines[2])
    }

    @Test("Without a server 3, for an unreadable file 64, each with what to do")
    func failures() throws {
        let folder = try TemporaryFolder()
        let none = try ChildProcess.mock(["changes", "--url", "http://127.0.0.1:1"])
        #expect(try none.exitStatus() == 3)
        #expect(none.errorOutput == CommandLineTests.nobody(at: "http://127.0.0.1:1") + "\n")
        let missing = try ChildProcess.mock(["changes", "--expect", folder.path("missing")])
        #expect(try missing.exitStatus() == 64)
        #expect(missing.errorOutput.contains("missing: there is no such file"))
        let file = folder.path("other.json")
        for text in ["", "{}", "{\"items\":[]}", "[1"] {
            try Data(text.utf8).write(to: URL(filePath: file))
            let other = try ChildProcess.mock(["changes", "--expect", file])
            #expect(try other.exitStatus() == 64)
            #expect(other.errorOutput.contains("--normalised printed"), "\(other.errorOutput)")
        }
        let server = try TestServer()
        let session = try Self.changes(server, ["--session", "unknown"])
        #expect(try session.exitStatus() == 3)
        #expect(session.errorOutput.contains("404"))
    }
}
