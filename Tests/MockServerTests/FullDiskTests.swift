import Embedded
import Foundation
import JSON
import Testing
import TestSupport

/// Whether this process may mount a file system that nobody else sees.
private let mayMount: Bool = {
    let trial = try? ChildProcess(
        "/bin/sh",
        ["-c", "unshare -rm /bin/sh -c 'mount -t tmpfs none /mnt'"]
    )
    return (try? trial?.exitStatus()) == 0
}()

@Suite("A disk without room", .enabled(if: mayMount))
struct FullDiskTests {
    /// A server whose data lie on a disk of so many octets, and where it is.
    private func server(octets: Int, _ folder: TemporaryFolder) throws -> (
        ChildProcess, url: String
    ) {
        let ready = folder.path("ready")
        try FileManager.default.createDirectory(
            atPath: folder.path("disk"),
            withIntermediateDirectories: true
        )
        let server = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                """
                exec unshare -rm /bin/sh -c '
                    mount -t tmpfs -o size="$1" none "$2/disk" &&
                    exec "$0" --port 0 --ready-file "$2/ready" --database "$2/disk/mock.db" --log off
                ' "$@"
                """,
                "sh", "\(ChildProcess.products)/qubs-mock", "\(octets)", folder.path(""),
            ]
        )
        return (server, try server.awaitReady(ready))
    }

    @Test("Data are reset without room for a second copy of them, and the ledger is kept")
    func reset() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        // Data, and half as much again.
        let (server, url) = try server(octets: EmbeddedDefaults.imageOctets * 3 / 2, folder)
        let token = try server.token(at: url)
        let client = try server.client(at: url)
        func send(_ line: String, _ body: String, key: String? = nil) throws -> RawClient.Response {
            var text = "\(line) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n"
            if let key { text += "Idempotency-Key: \(key)\r\n" }
            text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            return try client.exchange(text + body)
        }
        let comments = "/integrations/v1/acme/reporting/appointments/A123456/comments"
        func comment(_ number: Int) throws -> RawClient.Response {
            try send("POST \(comments)", #"{"commentText":"Note \#(number)."}"#, key: "k\(number)")
        }
        func texts() throws -> String {
            try client.exchange(
                "GET \(comments) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\r\n"
            ).text
        }
        for round in 0..<3 {
            for number in round * 20..<round * 20 + 20 {
                #expect(try comment(number).status == 200)
            }
            #expect(try texts().contains("Note \(round * 20)."))
            let answer = try send("POST /__admin/reset", #"{"scope":["data"]}"#)
            #expect(answer.status == 204, "\(answer.text)")
            #expect(try !texts().contains("Note "))
            // What was answered before is answered again, and not done again.
            for number in 0..<round * 20 + 20 {
                let replay = try comment(number)
                #expect(replay.status == 200 && replay.field("idempotency-replayed") == "true")
            }
            #expect(try !texts().contains("Note "))
        }
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
    }
}
